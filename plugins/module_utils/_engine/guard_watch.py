# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a guard runs beside the agent: required by the gate, or missed by a warning (design §5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from .._core.catalogue import lookup
from .._core.clock import Clock
from .guard_lock import guard_lives
from .times import stamp

CODE = "CUT-GUARD-1"


class GuardWatch:
    """Looks for the guard of a state directory. It is no finding: it is true again or not at each look."""

    def __init__(self, directory: Path, required: bool, clock: Clock) -> None:
        self._directory = directory
        self._required = required
        self._clock = clock
        self._missed_since: Optional[str] = None

    def blocks(self) -> bool:
        """Whether the cutover is refused because a guard is required and none lives."""
        return self._required and not guard_lives(self._directory)

    def problems(self) -> list[dict[str, Any]]:
        """The warning, as the status document's ``problems`` hold it, while no guard lives and none is required."""
        if self._required or guard_lives(self._directory):
            self._missed_since = None
            return []
        now = stamp(self._clock.wall())
        self._missed_since = self._missed_since or now
        return [
            {
                "code": CODE,
                "severity": "warning",
                "first_at": self._missed_since,
                "last_at": now,
                "count": 1,
                "where": "guard",
                "text": "no guard runs on the agent's host: if the agent dies in a cutover, the source stays read-only",
                "remedy": lookup(CODE).remedy,
            }
        ]
