# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make testbed` as a process, and the lines that it prints."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAST = "Ctrl-C"


@contextmanager
def in_foreground() -> Iterator[list[str]]:
    """What is printed until everything runs; ended as by Ctrl-C."""
    command = [sys.executable, "-m", "tests.testbed.foreground"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith(LAST):
                break
        try:
            yield lines
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def lines_to_try(printed: list[str], part: str | None = None) -> list[str]:
    """The printed lines for a shell, those of one part or all of them; those that ask fail on an error status."""
    found: list[str] = []
    current = ""
    for line in printed:
        current = line if line and not line.startswith(" ") else current
        words = line.strip()
        if part in (None, current) and words.startswith(("curl", "seq")):
            found.append(f"{words} -s -f\necho")
        elif part in (None, current) and words.startswith("TOKEN="):
            found.append(words)
    return found


def variables(printed: list[str]) -> str:
    """The lines below `inventory`, as they are."""
    begin = printed.index("inventory") + 1
    return "\n".join(printed[begin : printed.index("", begin)]) + "\n"
