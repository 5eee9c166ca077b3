# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The thread that does a migration.

A restart at any moment continues from the journal and the state directory: nothing is kept only in memory that would
be missed.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Optional

from .._core.clock import Backoff
from .._core.errors import ArangoError, CutoverError
from . import decision as record
from . import states
from .after_opening import AfterOpening, ended_before
from .attempt import Attempt
from .attempts import Attempts
from .cleanup import ASKED, DONE, clean_up, tell_of_leavings
from .cutover import Cutover, OpeningRevokedError, StoppedError
from .cutover_world import LiveWorld
from .fleet import end_former_jobs
from .late import LateIndexes
from .late_fence import LOOK_SECONDS, LateFence
from .lease import LeaseLostError
from .report import build as build_report
from .running import Running
from .times import stamp
from .world import World

if TYPE_CHECKING:
    from .migration import Migration

LOG = logging.getLogger(__name__)
_TICK_SECONDS = 0.1
# Between two tries while something is waited for: whoever puts it right sees it within this time.
_LONGEST_PAUSE = 3.0
# Credentials, rights, limits and front-ends are put right by somebody: the migration waits for it and says so.
_OPERATOR_WAITS = (
    "CUT-ARANGO-3", "CUT-ARANGO-4", "CUT-ARANGO-5", "CUT-ARANGO-7",
    "CUT-TOPO-1", "CUT-TOPO-2", "CUT-TOPO-5",
)  # fmt: skip
_TROUBLE, _NOT_IMPLEMENTED = 500, 501
# Not there now, or not there yet for this coordinator: a collection, a database, a cursor, a user.
_COMES_AND_GOES = frozenset({1203, 1228, 1600, 1703})
# Threads get this long to finish what they do before the connections are cut under them.
_GRACE_SECONDS = 1.0
_CLOSE_SECONDS = 15.0


class Supervisor:
    """Works until the migration is completed, aborted, failed, or the agent ends."""

    def __init__(self, migration: Migration) -> None:
        self._migration = migration

    def run(self) -> None:
        """Try until there is nothing to repeat; an abort that was asked for during a failing try is made, too."""
        pauses = Backoff(0.2, _LONGEST_PAUSE)
        migration = self._migration
        while not migration.stop_event.is_set():
            aborting = migration.abort_requested
            if not self._try():
                migration.stop_event.wait(pauses.next())
            elif migration.may_end(aborting):
                return

    def _try(self) -> bool:
        """One try from the journal on; False when it is to be repeated."""
        try:
            self._work()
        except StoppedError:
            return True
        except OpeningRevokedError:
            return False
        except CutoverError as error:
            if self._migration.stop_event.is_set():
                return True  # what an agent meets while it is being ended is no verdict
            if self._passes(error):
                self._migration.wait_for(error)
                return False
            self._migration.fail(error)
        except OSError as error:
            self._migration.wait_for(CutoverError("CUT-DISK-1", f"the agent's disk: {error.strerror or error}"))
            return False
        except Exception as error:
            LOG.exception("the migration broke")
            text = f"unexpected {type(error).__name__}; the agent's log says where"
            self._migration.fail(CutoverError("CUT-ENGINE-1", text))
        finally:
            self._let_go()
        return True

    @staticmethod
    def _passes(error: CutoverError) -> bool:
        """Whether trying again from the beginning may help; credentials, addresses and permissions can be corrected
        while waiting, and trouble inside a server, under whatever number, is no end of a migration.
        """
        if isinstance(error, ArangoError) and (error.status >= _TROUBLE or error.error_num in _COMES_AND_GOES):
            return error.status != _NOT_IMPLEMENTED
        return error.retriable or error.code in _OPERATOR_WAITS or error.code.startswith("CUT-HTTP")

    def _let_go(self) -> None:
        """Close everything, so that the next try begins from the journal."""
        migration = self._migration
        world, migration.world = migration.world, None
        cut = threading.Timer(_GRACE_SECONDS, world.close if world is not None else bool)
        cut.start()
        self._end_running()
        late, migration.late = migration.late, None
        if late is not None:
            migration.late_counts = late.counts()
            late.close(_CLOSE_SECONDS)
        migration.cutover = None
        cut.cancel()
        cut.join()
        if world is not None:
            world.close()
        try:
            migration.findings.save()
        except CutoverError as error:
            LOG.warning("%s", error)

    def _end_running(self) -> None:
        """End the data path; its last figures stay in the status."""
        migration = self._migration
        running, migration.running = migration.running, None
        if running is not None:
            migration.last_progress = running.plane.progress()
            migration.last_shards = running.plane.counts()
            migration.last_verification = running.verifier.document()
            migration.modes = running.modes
            running.close(_CLOSE_SECONDS)

    def _work(self) -> None:
        migration = self._migration
        world = migration.world or migration.open_world(migration.spec, migration.stop_event, migration.findings)
        migration.world = world
        world.lease.keep(self._lease_error)
        self._check_journal(world)
        if self._revoked(world):
            return
        decided = self._recover_decision(world)
        migration.stops.end_lost()
        if decided == record.COMPLETED:
            self._after_opening(world, None)
            return
        if migration.abort_requested or migration.state == states.ABORTING:
            self._abort(world)
            return
        if migration.state in (states.INITIAL_SYNC, states.RUNNING, states.STOPPING):
            migration.state = states.INITIAL_SYNC
        migration.running = migration.make_running(world, migration.findings)
        migration.running.protection.tune(migration.load)
        migration.pause.stay()
        migration.running.prepare()
        migration.waiting = None
        migration.enter(states.INITIAL_SYNC)
        self._loop(world, migration.running)

    def _revoked(self, world: World) -> bool:
        """Carry on with a revocation that the record, or this host, knows; True when it has ended the migration."""
        migration = self._migration
        decided = world.decision.read()
        if migration.revoke_request is None and decided not in record.REVOCATION:
            return False
        if ended_before(world):
            migration.enter(states.ABORTED)
            migration.revoke_request = None
            migration.save_locally()
            world.lease.release()
            return True
        if decided in (*record.DECIDED_OPEN, *record.REVOCATION):
            return AfterOpening(migration, world, self._end_running).revoke()
        migration.revoke_request = None
        return False

    def _lease_error(self, error: CutoverError) -> None:
        if isinstance(error, LeaseLostError) and not error.retriable:
            self._migration.wake.set()

    def _check_journal(self, world: World) -> None:
        """Raise CUT-STATE-7 when the journal on the target is not this migration's."""
        known = world.migration.load()
        if known.get("config_digest") != self._migration.spec.config_digest:
            name = known.get("name", "no migration")
            raise CutoverError("CUT-STATE-7", f"the journal on the target knows {name}, not this migration")

    def _recover_decision(self, world: World) -> str:
        """Finish what a cutover left behind: way back or opening (design §5)."""
        migration = self._migration
        found = world.decision.read()
        values = world.decision.values
        migration.attempts = max(migration.attempts, int(values.get("attempt", 0)))
        live = LiveWorld(world, None, migration.findings, migration.stop_event)
        if found in (record.NONE, *record.UNDECIDED):
            live.note_former_fence()
        # A fence that may only come late is looked for again and again: nothing else is left to do.
        if found == record.COMPLETED or (found == record.NONE and (live.noted_fence() is None or live.late_fence())):
            migration.be_quiet(world)
            return found
        decided = Cutover(live, world.decision, migration.stop_event, migration.clock).recover()
        attempt = Attempt(migration.attempts, str(values.get("fencing_at", "")), migration.spec.max_downtime)
        attempt.result = "completed" if decided == record.COMPLETED else "rolled-back"
        attempt.reason = "the agent was restarted during the cutover"
        migration.last_attempt = attempt
        migration.report = build_report(migration, attempt)
        migration.be_quiet(world)
        return decided

    def _loop(self, world: World, running: Running) -> None:
        migration = self._migration
        attempts = Attempts(migration, world, running)
        late_fence = LateFence(world, migration.findings, migration.stop_event, migration.clock)
        pauses = Backoff(0.2, _LONGEST_PAUSE)
        while not migration.stop_event.is_set():
            if migration.abort_requested:
                self._abort(world)
                return
            pause = _TICK_SECONDS
            try:
                world.lease.check()
                if late_fence.look_if_due():
                    migration.be_quiet(world)
                running.tick()
                migration.waiting = None
                pauses.reset()
            except CutoverError as error:
                if not self._passes(error):
                    raise
                migration.wait_for(error)
                pause = pauses.next()
            migration.enter(states.RUNNING if running.all_in_sync() else states.INITIAL_SYNC)
            # A cutover begins when all is in sync, and copies what is born then by itself.
            running.plane.lend(migration.state == states.INITIAL_SYNC)
            if attempts.make_what_is_asked():
                self._after_opening(world, running)
                return
            migration.wake.wait(pause)
            migration.wake.clear()
        self._last_checkpoint(running)

    def _last_checkpoint(self, running: Running) -> None:
        try:
            running.checkpoint()
        except CutoverError as error:
            LOG.warning("the last checkpoint could not be written: %s", error)

    def _after_opening(self, world: World, running: Optional[Running]) -> None:
        """The target is open: watch for late writes, build late indexes, give the lease back (design §5, step 9)."""
        migration = self._migration
        migration.late = LateIndexes(world, migration.findings)
        migration.late_counts = migration.late.counts()
        self._completed(world)
        AfterOpening(migration, world, self._end_running).run(running)

    def _completed(self, world: World) -> None:
        """Show the state that the record has: the journal was written by the cutover itself."""
        migration = self._migration
        migration.forget_abort()
        if migration.state != states.COMPLETED:
            LOG.info("state %s -> %s", migration.state, states.COMPLETED)
            migration.since = str(world.decision.values.get("completed_at", stamp(migration.clock.wall())))
            migration.state = states.COMPLETED
        migration.save_locally()

    def _abort(self, world: World) -> None:
        """Source as found (the record was settled before), target users inactive; the partial copy stays, and is told
        of, unless it is to be removed.
        """
        migration = self._migration
        migration.stops.forget()
        migration.enter(states.ABORTING)
        self._end_running()
        end_former_jobs(world.journal, world.lease, migration.stop_event.wait, time_scale=world.settings.time_scale)
        world.migration.load()
        # An agent on another host carries on with what was asked of the former one.
        begun = world.migration.values.get("cleanup")
        migration.cleanup = migration.cleanup or begun
        if migration.cleanup == ASKED:
            world.migration.update(state=states.ABORTING, cleanup=ASKED)
            clean_up(world, migration.findings, again=begun == ASKED)
            world.migration.update(cleanup=DONE)
            migration.cleanup = DONE
        else:
            world.users.close_all()
            world.map.load()
            tell_of_leavings(world.map, world.users.count(), migration.findings)
        migration.enter(states.ABORTED)
        self._outlast_late_fence(world)
        world.lease.release()

    def _outlast_late_fence(self, world: World) -> None:
        """An abort during the fence may be over before its request has run: the source is looked at until then."""
        migration = self._migration
        late_fence = LateFence(world, migration.findings, migration.stop_event, migration.clock)
        while late_fence.pending and migration.state == states.ABORTED and not migration.stop_event.is_set():
            late_fence.look()
            migration.wake.wait(LOOK_SECONDS)
            migration.wake.clear()
