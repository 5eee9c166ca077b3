# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cutover that was asked for: until it begins, while it holds its opening, and after a restart (design §5)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

from .._core.errors import CutoverError
from . import states
from .attempt import Attempt
from .times import stamp

if TYPE_CHECKING:
    from .migration import Migration

LOG = logging.getLogger(__name__)


class StopRequests:
    """Of one migration, under its lock.

    ``asked`` is what a restart of the agent needs to know, ``pending`` what has not begun.
    """

    def __init__(self, migration: Migration, lock: threading.RLock, asked: Optional[dict[str, Any]]) -> None:
        self._migration = migration
        self._lock = lock
        self.asked = asked
        self.pending: Optional[dict[str, Any]] = None

    def ask(self, options: Mapping[str, Any], by: str = "") -> bool:
        """Begin the cutover in the background; False when one is under way.

        Raises CUT-GATE-1 with all blockers, CUT-STATE-5 when the one under way does not hold its opening as asked.
        """
        migration = self._migration
        migration.accept(options.get("accept_findings", ()), by)
        wait = options.get("wait_timeout", migration.spec.wait_timeout)
        max_downtime = options.get("max_downtime", migration.spec.max_downtime)
        with self._lock:
            if migration.state == states.STOPPING or self.pending is not None:
                if options.get("hold_opening") and not self._opening_is_held():
                    text = "the cutover under way does not hold its opening; watch it to its end without hold_opening"
                    raise CutoverError("CUT-STATE-5", text)
                return False
            if migration.state not in (states.INITIALIZING, states.INITIAL_SYNC, states.RUNNING):
                raise CutoverError("CUT-STATE-5", f"a cutover is not possible in the state {migration.state}")
        found = migration.gate_blockers(max_downtime)
        if found and wait <= 0:
            self.refused(found)
        with self._lock:
            self.asked = {"at": stamp(migration.clock.wall()), "by": by, "number": migration.attempts + 1}
            migration.save_locally()
            self.pending = {
                "until": migration.clock.monotonic() + wait, "max_downtime": max_downtime, "by": by,
                "hold_opening": bool(options.get("hold_opening")),
            }  # fmt: skip
        migration.wake.set()
        return True

    def _opening_is_held(self) -> bool:
        """Whether the cutover that is under way, or was asked for, opens only when it is released."""
        if self._migration.cutover is not None:
            return self._migration.cutover.hold is not None
        return bool((self.pending or {}).get("hold_opening"))

    def release(self, open_it: bool, reason: str) -> bool:
        """Answer a cutover that holds its opening; False when that is known. Raises CUT-STATE-5, CUT-CUTOVER-8."""
        cutover = self._migration.cutover
        if cutover is not None and cutover.hold is not None:
            return cutover.hold.answer(open_it, reason)
        if open_it and self._migration.state == states.COMPLETED:
            return False
        if not open_it and cutover is None and self._migration.state in (states.INITIAL_SYNC, states.RUNNING):
            return False
        raise CutoverError("CUT-STATE-5", f"the migration is {self._migration.state}: no cutover holds its opening")

    def forget(self) -> None:
        """The cutover that was asked for has ended, one way or another."""
        with self._lock:
            self.asked = self.pending = None
            self._migration.save_locally()

    def end_lost(self) -> None:
        """Tell how a cutover ended that was asked for before a restart; ``attempts`` is what the record knows by now.

        One that had not begun is not made: whoever asked may count on the source being in use again.
        """
        migration = self._migration
        asked = self.asked
        if asked is None or self.pending is not None:
            return
        told = migration.state in (states.COMPLETED, states.ABORTING, states.ABORTED)
        if migration.last_attempt is None and not told:
            attempt = Attempt(asked["number"], asked["at"], migration.spec.max_downtime)
            attempt.by = asked["by"]
            if migration.attempts >= attempt.number:
                attempt.result, attempt.reason = "rolled-back", "the agent was restarted during the cutover"
            else:
                attempt.result, attempt.code = "refused", "CUT-STATE-8"
                attempt.reason = "the agent was restarted before the cutover began; the source was not touched"
            LOG.warning("the cutover asked for at %s: %s", attempt.at, attempt.reason)
            migration.attempts = max(migration.attempts, attempt.number)
            migration.last_attempt = attempt
        self.forget()

    def refused(self, found: list[dict[str, str]]) -> None:
        """Record an attempt that the gate refused; raises CUT-GATE-1."""
        migration = self._migration
        error = CutoverError(
            "CUT-GATE-1",
            "the cutover is not possible now: " + "; ".join(item["text"] for item in found),
            retriable=True,
            details={"blockers": found},
        )
        with self._lock:
            attempt = Attempt(migration.attempts + 1, stamp(migration.clock.wall()), migration.spec.max_downtime)
            attempt.result, attempt.reason, attempt.code = "refused", error.message, error.code
            attempt.blockers = found
            migration.last_attempt = attempt
            migration.attempts += 1
        raise error
