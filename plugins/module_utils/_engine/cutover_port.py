# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the steps of a cutover need of source, target and this host; ``cutover_world`` is the live one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Optional, Protocol

from .._core.clock import Deadline
from .proof import Result
from .wayback import Modes


class World(Modes, Protocol):
    """What the steps do to source and target. Every call can be repeated; errors are ``CutoverError``."""

    def warm_up(self, seconds: float) -> dict[str, Any]:
        """Warm the target's caches, for so long at most; for the report."""

    def agent(self) -> str:
        """This agent's id."""

    def check_owner(self) -> None:
        """Raise ``LeaseLostError`` when another agent has taken the migration over: the record is its business now."""

    def read_modes(self) -> dict[str, str]:
        """Server mode by server id, of every server."""

    def cancel_writers(self, deadline: Deadline) -> int:
        """End what still writes on the source."""

    def check_fence(self, deadline: Deadline) -> None:
        """Raise CUT-FENCE-5 unless every server of the source shows that it is read-only now."""

    def settle_definitions(self, deadline: Deadline) -> None:
        """Definitions equal on every coordinator of the source and on the target; same leaders as before."""

    def check_definitions(self) -> None:
        """Raise CUT-CUTOVER-2 unless every coordinator of the source shows the definitions that were settled."""

    def drain(self, deadline: Deadline) -> dict[str, int]:
        """Apply everything up to the end of each log; returns the ends."""

    def late_writes(self, deadline: Deadline) -> int:
        """How many writes of users came after the last drain, by logs read to their end of now."""

    def prove(self, deadline: Deadline) -> Result:
        """Compare source and target."""

    def note_fence(self, attempt: int, former: str, max_downtime: float) -> float:
        """Make durable on this host that a fence is about to be put up.

        Returns for how many seconds from now this host may lift it, without the record or by a request that is late.
        """

    def note_recorded(self) -> None:
        """Add to that note that the intent is in the record."""

    def noted_fence(self) -> Optional[str]:
        """The former mode in that note; None when no fence of this host is open."""

    def fence_is_young(self) -> bool:
        """Whether the time that ``note_fence`` returned is not over."""

    def note_opening(self) -> None:
        """Make durable on this host that an opening is about to be tried."""

    def opening_noted(self) -> bool:
        """Whether ``note_opening`` was ever called for this attempt or an earlier one without way back."""

    def clear_notes(self) -> None:
        """Forget both notes: the way back was taken."""

    def open_users(self, names: Optional[Collection[str]]) -> list[tuple[str, str]]:
        """Write the source's users, all or these; returns name and text of what is not as it should be."""

    def end_watch(self) -> None:
        """The source is written again."""

    def complete(self, completed_at: str) -> None:
        """Journal the result."""

    def warn(self, code: str, where: str, text: str) -> None:
        """Report something that does not stop the opening or the way back."""
