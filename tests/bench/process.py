# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CPU time and memory of a process. CPU time is the measure of speed: clocks are wrong on a machine that is loaded."""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_right
from pathlib import Path
from types import TracebackType

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used, user and system, those of threads that have ended among them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int, name: str = "VmRSS") -> int:
    """Resident bytes of a process now, or with `VmHWM` at most so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/status has no {name}")


class Stopwatch:
    """CPU seconds of a process since it was made."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._start = cpu_seconds(pid)

    def seconds(self) -> float:
        """CPU seconds so far."""
        return cpu_seconds(self._pid) - self._start


class Curve:
    """CPU seconds of a process over the time of day, for phases of which its own log says when they began.

    A context manager, within which it is measured a hundred times a second; that costs the process nothing.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._times: list[float] = []
        self._seconds: list[float] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)

    def __enter__(self) -> Curve:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def at(self, moment: float) -> float:
        """CPU seconds that had been used at a time of day (seconds since the epoch)."""
        return self._seconds[max(0, bisect_right(self._times, moment) - 1)]

    def _measure(self) -> None:
        while True:
            self._times.append(time.time())
            self._seconds.append(cpu_seconds(self._pid))
            if self._end.wait(0.01):
                return
