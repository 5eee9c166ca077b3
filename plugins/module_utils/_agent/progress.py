# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is shown while a command waits: one line that is drawn anew on a terminal, plain or JSON lines elsewhere."""
from __future__ import annotations

import json
import shutil
from types import TracebackType
from typing import Any, Mapping, Optional, TextIO

from .._engine.display import lookup, status_line
from .._engine.watching import ERASE, ProblemsOnce, share_bar


class Progress:
    """Call it with each status document. A context manager: it leaves the cursor at the beginning of a line."""

    def __init__(self, output: str, stream: TextIO) -> None:
        self._json = output == "json"
        self._stream = stream
        self._live = not self._json and stream.isatty()
        self._last = ""
        self._problems = ProblemsOnce()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._live and self._last:
            self._write("\n")

    def __call__(self, status: Mapping[str, Any]) -> None:
        """Show what is new."""
        line = json.dumps(status) if self._json else status_line(status)
        if self._live:
            for problem in self._problems.new_lines(status):
                self._write(f"{ERASE}{problem}\n")
                self._last = ""
            width = shutil.get_terminal_size().columns - 1
            line = f"{share_bar(lookup(status, 'progress.percent'))} {line}"[:width]
        if line != self._last:
            self._write(f"{ERASE}{line}" if self._live else f"{line}\n")
            self._last = line

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
