# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make testbed`: source, target and platform in the foreground, and every line that it prints to be tried."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAST = "Ctrl-C"


@pytest.fixture(scope="module")
def printed() -> Iterator[list[str]]:
    """What is printed until everything runs; ended as by Ctrl-C."""
    command = [sys.executable, "-m", "tests.testbed.foreground"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith(LAST):
                break
        yield lines
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_it_names_all_three(printed: list[str]) -> None:
    assert [line for line in printed if line in ("source", "target", "platform")] == ["source", "target", "platform"]


def test_the_lines_to_try_work(printed: list[str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the printed lines cannot be tried")
    lines = [line for line in printed if line.startswith(("curl", "TOKEN="))]
    assert len(lines) == 2 * 4 + 5
    script = "set -eu\n" + "\n".join(f"{line} -s -f\necho" if line.startswith("curl") else line for line in lines)
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [answer["version"] for answer in answers if "license" in answer] == ["3.11.14", "3.11.14"]
    assert {"username": "root", "password": "target-root"} in answers
    assert answers[-1] == {"result": "paused"}
