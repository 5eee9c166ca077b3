# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CPU time and memory of a process. CPU time is the measure of speed: clocks are wrong on a machine that is loaded."""

from __future__ import annotations

from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU seconds that the threads of a process have used, user and system."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


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
