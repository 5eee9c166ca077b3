# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The decision record: open or way back is decided once, by compare-and-set on one document (design §5, I7)."""

from __future__ import annotations

from typing import Any, Optional

from .._core.errors import CutoverError
from .journal import Entry, JournalConflictError, Store

KEY = "decision"
NONE = "none"
FENCING = "fencing"
FENCED = "fenced"
OPENING = "opening"
COMPLETED = "completed"
ROLLING_BACK = "rolling-back"
REVOKING = "revoking"
REVOKED = "revoked"

# NONE to NONE rewrites the record, so that a lost request to start fencing can no longer take effect; ROLLING_BACK to
# itself adds one who takes part in the way back.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    NONE: (NONE, FENCING),
    FENCING: (FENCED, ROLLING_BACK),
    FENCED: (OPENING, ROLLING_BACK),
    OPENING: (COMPLETED, REVOKING),
    COMPLETED: (REVOKING,),
    ROLLING_BACK: (ROLLING_BACK, NONE),
    REVOKING: (OPENING, REVOKED),
    REVOKED: (NONE,),
}
# From here on there is no way back by itself: a restart only rolls forward.
DECIDED_OPEN = (OPENING, COMPLETED)
# Asked for by name: a restart closes the target and compares it again, or gives the source back.
REVOCATION = (REVOKING, REVOKED)
# A fence may be up: a restart takes the way back.
UNDECIDED = (FENCING, FENCED, ROLLING_BACK)


class DecisionChangedError(CutoverError):
    """The record is in another state than the caller thought; ``state`` is the one that holds."""

    def __init__(self, wanted: str, state: str) -> None:
        super().__init__(
            "CUT-DECISION-2", f"the decision record cannot become {wanted}: it is {state} by now", retriable=True
        )
        self.state = state


class Decision:
    """The record on one journal. Each change names the revision that was read last, so that one of two wins."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entry: Optional[Entry] = None

    @property
    def state(self) -> str:
        """The state as last read or written."""
        return str(self._entry.body["state"]) if self._entry else NONE

    @property
    def values(self) -> dict[str, Any]:
        """The record as last read or written."""
        return dict(self._entry.body) if self._entry else {}

    def read(self) -> str:
        """Read the record from the target and return its state."""
        self._entry = self._store.read(KEY)
        return self.state

    def advance(self, after: str, **values: Any) -> None:
        """Change the state and some values.

        Raises CUT-DECISION-1 for a step that the table lacks and ``DecisionChangedError`` when the record was changed
        since it was read: whoever loses obeys the record. After any other error the outcome is unknown until ``read``.
        """
        if after not in TRANSITIONS[self.state]:
            raise CutoverError("CUT-DECISION-1", f"the decision record cannot go from {self.state} to {after}")
        self._write({**self.values, **values, "state": after})

    def start_over(self) -> None:
        """Another migration replaces the completed one, which was named: nothing of its record is left.

        Raises like ``advance``.
        """
        if self.state != COMPLETED:
            raise CutoverError("CUT-DECISION-1", f"the decision record is {self.state}: there is nothing to replace")
        self._write({"state": NONE})

    def _write(self, body: dict[str, Any]) -> None:
        try:
            if self._entry is None:
                self._entry = self._store.create(KEY, body)
            else:
                self._entry = self._store.replace(KEY, body, self._entry.rev)
        except JournalConflictError as error:
            self._entry = error.current
            raise DecisionChangedError(str(body["state"]), self.state) from error
