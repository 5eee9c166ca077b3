# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CPU time and memory of a process. CPU time is the measure of speed: clocks are wrong on a machine that is loaded."""

from __future__ import annotations

import os
from pathlib import Path

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
