# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workload as a child process, from its parent's side."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.workload.process import WorkloadConfig

__all__ = ["WorkloadProcess"]

ROOT = Path(__file__).resolve().parents[2]


class WorkloadProcess:
    """Starts the process; ``figures`` is always the latest line that it has written."""

    def __init__(self, config: WorkloadConfig, path: Path) -> None:
        config.save(path)
        self.figures: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.workload", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.figures = json.loads(line)

    def tell(self, command: str) -> None:
        """Send a command."""
        if self._process.stdin is not None and self._process.poll() is None:
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()

    def wait_for(self, what: str, condition: Any, seconds: float) -> dict[str, Any]:
        """Wait until ``condition(figures)`` holds; TimeoutError names ``what`` did not happen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            figures = self.figures
            if figures and condition(figures):
                return figures
            if self._process.poll() is not None:
                raise RuntimeError(f"the workload ended with {self._process.returncode} before {what}")
            time.sleep(0.2)
        raise TimeoutError(f"not within {seconds:.0f} s: {what}; the workload says {self.figures}")

    def stop(self) -> dict[str, Any]:
        """End it and return its final figures."""
        self.tell("stop")
        self._process.wait(90)
        self._reader.join(10)
        return self.figures

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
