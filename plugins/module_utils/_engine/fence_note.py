# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What this host knows of its own fence: a synced note, written before the fence and kept until its end is certain.

The guard lives by it (design §5, dead man's guard), and so does an agent that is started again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from .._core.errors import CutoverError
from .files import read_json, sync_directory, write_json
from .lease import Clocks, SystemClocks

FORMAT = 1
NAME = "fence.json"
# The agent itself is to take the way back when max_downtime is over; so much later the guard does.
GRACE_SECONDS = 10.0
# For so long after that this host may give the source back although the journal cannot be reached.
BLIND_SECONDS = 60.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """The id of the machine's present run; empty where the system has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class FenceNote:
    """One attempt's fence. ``max_downtime``, ``boot`` and ``wall`` are seconds, the last two when it was written.

    ``recorded``: the intent is in the record. Before that an agent that takes over learns nothing of the attempt, so
    the fence must not be lifted without the record. ``unanswered``: a request to fence is under way, or was lost.
    """

    agent: str
    attempt: int
    former_mode: str
    coordinators: tuple[str, ...]
    max_downtime: float
    boot_id: str
    boot: float
    wall: float
    recorded: bool = False
    unanswered: bool = False

    @classmethod
    def of(
        cls,
        agent: str,
        attempt: int,
        former_mode: str,
        coordinators: tuple[str, ...],
        max_downtime: float,
        clocks: Optional[Clocks] = None,
    ) -> FenceNote:
        """A note of now."""
        now = clocks or SystemClocks()
        return cls(agent, attempt, former_mode, coordinators, max_downtime, boot_id(), now.boot(), now.wall())

    def elapsed(self, clocks: Clocks) -> float:
        """Seconds since it was written, by the clock that counts sleep; after a reboot by the calendar."""
        if self.boot_id and self.boot_id == boot_id():
            return max(0.0, clocks.boot() - self.boot)
        return max(0.0, clocks.wall() - self.wall)

    def due_in(self, clocks: Clocks, time_scale: float) -> float:
        """Seconds until the guard acts; 0 or less when it is time."""
        return self.max_downtime + GRACE_SECONDS * time_scale - self.elapsed(clocks)

    def may_come_late(self, clocks: Clocks, settle: float) -> bool:
        """Whether the fence may go up by a request without an answer, whatever has become of the attempt: it was sent
        within ``max_downtime``, and has certainly ended ``settle`` seconds later.
        """
        return self.unanswered and self.elapsed(clocks) < self.max_downtime + settle

    def blind(self, clocks: Clocks, time_scale: float) -> bool:
        """Whether no other agent can have put up another fence: ours is recorded and young (``guard_seconds``)."""
        return self.recorded and self.due_in(clocks, time_scale) > -BLIND_SECONDS * time_scale


def guard_seconds(max_downtime: float, time_scale: float, mode_seconds: float) -> float:
    """For how long after its fence an attempt's host may lift it without the record."""
    return max_downtime + (GRACE_SECONDS + BLIND_SECONDS) * time_scale + mode_seconds


def write_note(directory: Path, note: FenceNote) -> None:
    """Make the note durable (mode 0600). Raises CUT-DISK-1."""
    write_json(directory / NAME, {"format": FORMAT, **asdict(note)})


def read_note(directory: Path) -> Optional[FenceNote]:
    """The note, None when no fence of this host is open. Raises CUT-DISK-2."""
    known: Any = read_json(directory / NAME)
    if known is None:
        return None
    try:
        if known["format"] != FORMAT:
            raise ValueError(f"its format is {known['format']}, not {FORMAT}")
        return FenceNote(
            str(known["agent"]),
            int(known["attempt"]),
            str(known["former_mode"]),
            tuple(str(url) for url in known["coordinators"]),
            float(known["max_downtime"]),
            str(known["boot_id"]),
            float(known["boot"]),
            float(known["wall"]),
            known["recorded"] is True,
            known.get("unanswered") is True,
        )
    except (KeyError, TypeError, ValueError) as error:
        path = str(directory / NAME)
        raise CutoverError("CUT-DISK-2", f"cannot read {path}: {error}", details={"path": path}) from error


def clear_note(directory: Path) -> None:
    """The fence's end is certain."""
    path = directory / NAME
    if path.exists():
        path.unlink()
        sync_directory(directory)
