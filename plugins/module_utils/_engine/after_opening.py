# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is left to do once the target is open (design §5, step 9), and the way in which an opening is revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Optional

from . import decision as record
from . import states
from .attempt import Attempt
from .cutover import Cutover
from .cutover_world import LiveWorld
from .gate import blocker
from .late import LateIndexes, LateWatch, tell_of_interrupted_watch
from .late_users import LateUsers
from .revoke import Outcome, Revocation
from .revoke_world import LiveRevocation
from .running import Running
from .world import World

if TYPE_CHECKING:
    from .migration import Migration

# How long a revocation that a restart carries on may compare.
REVOKE_SECONDS = 900.0
_USERS_POLL = 1.0


class AfterOpening:
    """Watches for late writes, builds late indexes, revokes on request. For the supervisor's thread."""

    def __init__(self, migration: Migration, world: World, end_running: Callable[[], None]) -> None:
        self._migration = migration
        self._world = world
        self._end_running = end_running

    def run(self, running: Optional[Running]) -> None:
        """Return when nothing is left to do, when the agent ends, or when the opening was revoked."""
        migration = self._migration
        while not migration.stop_event.is_set():
            if migration.revoke_request is None:
                self._finish(running)
                running = None
            if migration.revoke_request is None:
                break
            if self.revoke():
                return
        if not migration.stop_event.is_set():
            self._world.lease.release()

    def _over(self) -> bool:
        return self._migration.stop_event.is_set() or self._migration.revoke_request is not None

    def _finish(self, running: Optional[Running]) -> None:
        migration, world = self._migration, self._world
        users = LateUsers(world, migration.findings)
        self._watch(running, users)
        if migration.late is None:
            migration.late = LateIndexes(world, migration.findings)
        migration.late.run(self._over, users.look)
        while users.pending and not self._over():
            users.look()
            migration.wake.wait(_USERS_POLL)
            migration.wake.clear()
        if not self._over():
            users.end()
            migration.finished = True
        migration.late_counts = migration.late.counts()
        migration.save_locally()
        migration.add_to_report(late_indexes=migration.late.document(), findings=migration.findings.all())

    def _watch(self, running: Optional[Running], users: LateUsers) -> None:
        migration = self._migration
        values = self._world.result.load()
        if running is not None:
            watch = LateWatch(running, migration.findings)
            watch.run(migration.spec.late_write_watch, self._over, migration.wake, users.look)
        elif not values.get("late_watched") and not values.get("late_done"):
            tell_of_interrupted_watch(migration.findings)
        if not migration.stop_event.is_set() and not values.get("late_watched"):
            self._world.result.update(late_watched=True)
        if running is not None:
            self._end_running()

    def revoke(self) -> bool:
        """True when the source was given back; else the target is open, and the reason is shown."""
        migration, world = self._migration, self._world
        self._end_running()
        late, migration.late = migration.late, None
        if late is not None:
            late.close(15.0)
        live = LiveRevocation(world, migration.findings, migration.stop_event)
        revocation = Revocation(live, world.decision, migration.stop_event, migration.clock)
        migration.revocation = revocation
        timeout = (migration.revoke_request or {}).get("timeout", REVOKE_SECONDS)
        try:
            if world.decision.read() in record.REVOCATION:
                outcome = revocation.recover(timeout)
            else:
                outcome = revocation.run(timeout)
            if world.decision.read() == record.OPENING:
                opening = LiveWorld(world, None, migration.findings, migration.stop_event)
                Cutover(opening, world.decision, migration.stop_event, migration.clock).recover()
        finally:
            migration.revocation = None
        self._tell(outcome)
        if outcome.result == "revoked":
            migration.findings.resolve("CUT-REVOKE-5")
            migration.enter(states.ABORTED)
            world.lease.release()
        migration.revoke_request = None
        migration.save_locally()
        return outcome.result == "revoked"

    def _tell(self, outcome: Outcome) -> None:
        """The outcome is the last attempt from now on, with everything that differs."""
        migration = self._migration
        document = outcome.document()
        attempt = Attempt(migration.attempts, outcome.at, migration.spec.max_downtime)
        attempt.result = "revoked" if outcome.result == "revoked" else "revoke-refused"
        attempt.reason, attempt.code = outcome.reason, outcome.code
        attempt.by = (migration.revoke_request or {}).get("by", "")
        if outcome.code is not None:
            attempt.blockers = [blocker(outcome.code, text) for text in document["differences"]]
        migration.last_attempt = attempt
        migration.add_to_report(revocation={**document, "by": attempt.by})


def ended_before(world: World) -> bool:
    """Whether a revocation that was asked for has ended already: only this host's own note of it is left."""
    return world.decision.state == record.NONE and world.migration.load().get("state") == states.ABORTED
