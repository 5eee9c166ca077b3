# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operator's pause of a migration: it outlives a restart of the agent, and no retry lifts it (design §4.9)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Optional

from .._core.errors import CutoverError
from . import states
from .times import stamp

if TYPE_CHECKING:
    from .migration import Migration

# A request for a pause waits so long for writes that are under way; the status tells when they have ended.
_PATIENCE = 5.0


class OperatorPause:
    """Of one migration, under its lock. ``value`` says by whom, why and since when; None without a pause."""

    def __init__(self, migration: Migration, lock: threading.RLock, value: Optional[dict[str, str]]) -> None:
        self._migration = migration
        self._lock = lock
        self.value = value

    def begin(self, reason: str) -> bool:
        """Suspend the data path; False when it is paused already. Waits a while for writes that are under way."""
        migration = self._migration
        with self._lock:
            if self.value is not None:
                return False
            if migration.state not in (states.INITIAL_SYNC, states.RUNNING) or migration.running is None:
                raise CutoverError("CUT-STATE-5", f"a pause is not possible in the state {migration.state}")
            plane = migration.running.plane
            # On disk first: an agent that is killed now begins its next life paused.
            self.value = {"by": "operator", "reason": reason, "since": stamp(migration.clock.wall())}
            migration.save_locally()
            plane.begin_pause()
        plane.await_rest(_PATIENCE)
        return True

    def stay(self) -> None:
        """A data path that was made anew, or goes on, begins with the pause that it is to be in."""
        with self._lock:
            if self.value is not None and self._migration.running is not None:
                self._migration.running.plane.begin_pause()

    def end(self) -> bool:
        """Go on; False when it was not paused."""
        migration = self._migration
        with self._lock:
            if self.value is None:
                return False
            self.value = None
            migration.save_locally()
            if migration.running is not None:
                migration.running.plane.resume()
        return True
