# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One migration: its state, what was asked of it, and the thread that does it (design §4.8, §4.9).

A restart at any moment continues from the journal and the state directory: nothing is kept only in memory that would
be missed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Callable, Optional

from .._core.clock import SYSTEM_CLOCK, Backoff, Clock
from .._core.errors import CutoverError
from . import decision as record
from . import fence, gate, states
from .cutover import Attempt, Cutover, StoppedError
from .cutover_world import LiveWorld
from .dataplane_types import Progress
from .files import read_json, write_json
from .findings import Findings
from .late import LateIndexes, watch_late_writes
from .lease import LeaseLostError
from .report import build as build_report
from .running import Running
from .shards import ShardId, ShardState
from .spec import Spec
from .times import stamp
from .world import Paths, World

LOG = logging.getLogger(__name__)
_TICK_SECONDS = 0.1


class Migration:
    """State and supervisor. Public methods may be called from any thread and return quickly."""

    def __init__(
        self,
        spec: Spec,
        paths: Paths,
        open_world: Callable[[Spec, threading.Event, Findings], World],
        *,
        known: Optional[Mapping[str, Any]] = None,
        make_running: Callable[[World, Findings], Running] = Running,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.spec = spec
        self.paths = paths
        self.clock = clock
        known = known or {}
        self.state = str(known.get("state", states.INACTIVE))
        self.since = str(known.get("since") or stamp(clock.wall()))
        self.paused: Optional[dict[str, str]] = known.get("paused")
        self.late_counts: dict[str, int] = known.get("late_indexes") or {"pending": 0, "built": 0, "failed": 0}
        self.findings = Findings(paths.findings, clock)
        self.world: Optional[World] = None
        self.running: Optional[Running] = None
        self.cutover: Optional[Cutover] = None
        self.late: Optional[LateIndexes] = None
        self.reason: Optional[CutoverError] = None
        self.waiting: Optional[tuple[str, str]] = None
        self.attempts = 0
        self.last_attempt: Optional[Attempt] = None
        self.last_progress: Optional[Progress] = None
        self.last_shards: dict[ShardId, ShardState] = {}
        self.modes: Mapping[str, str] = {}
        self.measured: dict[str, float] = {}
        self.report: Optional[dict[str, Any]] = read_json(paths.report)
        self._open_world = open_world
        self._make_running = make_running
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._stop_request: Optional[dict[str, float]] = None
        self._abort_requested = False
        self._thread: Optional[threading.Thread] = None

    # -- asked from outside -------------------------------------------------------------------------------------

    def open(self) -> World:
        """Connect now, in the caller's thread, so that refusals reach the caller. Nothing of the target's data is
        touched: journal and lease are made, and whether users can be restored is tried.
        """
        world = self._open_world(self.spec, self._stop, self.findings)
        try:
            world.users.probe()
        except CutoverError:
            world.lease.release()
            world.close()
            raise
        self.world = world
        return world

    def resume_as(self, state: str) -> None:
        """Continue from the state that the journal says, before ``start``."""
        self.state, self.since = state, stamp(self.clock.wall())
        self._save_locally()

    def start(self) -> None:
        """Begin or continue in the background."""
        self._thread = threading.Thread(target=self._run, name="migration", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the supervisor runs."""
        return self._thread is not None and self._thread.is_alive()

    def take_credentials(self, spec: Spec) -> None:
        """Use another user or password for the target from now on."""
        with self._lock:
            self.spec = self.spec.with_credentials_of(spec)
            if self.world is not None:
                self.world.credentials.replace(spec.target_username, spec.target_password)
            self._save_locally()
        self._wake.set()

    def facts(self) -> Optional[gate.Facts]:
        """What gate and status look at; None while nothing runs yet."""
        running = self.running
        if running is None:
            return None
        waiting = self.waiting[0] if self.waiting else None
        return running.facts(paused=self.paused is not None, waiting=waiting, measured=self.measured)

    def gate_blockers(self, max_downtime: float) -> list[dict[str, str]]:
        """Every reason against a cutover now, with the modes of the source's servers read."""
        facts = self.facts()
        world = self.world
        if facts is None or world is None or self.state not in (states.RUNNING, states.STOPPING):
            return [gate.blocker("CUT-GATE-2", f"the migration is in the state {self.state}"), *self._known(facts)]
        try:
            modes: Optional[dict[str, str]] = fence.read_modes(world.source)
            error = None
        except CutoverError as problem:
            modes, error = None, problem.message
        values = {**facts.__dict__, "modes": modes, "modes_error": error, "max_downtime": max_downtime}
        return gate.blockers(gate.Facts(**values))

    @staticmethod
    def _known(facts: Optional[gate.Facts]) -> list[dict[str, str]]:
        return [item for item in gate.blockers(facts) if item["code"] != "CUT-GATE-2"] if facts else []

    def request_stop(self, options: Mapping[str, float]) -> bool:
        """Begin the cutover in the background; False when one is under way. Raises CUT-GATE-1 with all blockers."""
        wait = options.get("wait_timeout", self.spec.wait_timeout)
        max_downtime = options.get("max_downtime", self.spec.max_downtime)
        with self._lock:
            if self.state == states.STOPPING or self._stop_request is not None:
                return False
            if self.state not in (states.INITIALIZING, states.INITIAL_SYNC, states.RUNNING):
                raise CutoverError("CUT-STATE-5", f"a cutover is not possible in the state {self.state}")
        found = self.gate_blockers(max_downtime)
        if found and wait <= 0:
            self._refused(found)
        with self._lock:
            self._stop_request = {"until": self.clock.monotonic() + wait, "max_downtime": max_downtime}
        self._wake.set()
        return True

    def _refused(self, found: list[dict[str, str]]) -> None:
        """Record an attempt that the gate refused; raises CUT-GATE-1."""
        error = CutoverError(
            "CUT-GATE-1",
            "the cutover is not possible now: " + "; ".join(item["text"] for item in found),
            retriable=True,
            details={"blockers": found},
        )
        with self._lock:
            self.attempts += 1
            attempt = Attempt(self.attempts, stamp(self.clock.wall()), self.spec.max_downtime)
            attempt.result, attempt.reason, attempt.code = "refused", error.message, error.code
            attempt.blockers = found
            self.last_attempt = attempt
        raise error

    def request_abort(self) -> bool:
        """Begin to end without opening; False when that is under way."""
        with self._lock:
            if self.state in (states.ABORTING, states.ABORTED) or self._abort_requested:
                return False
            if self.state == states.COMPLETED:
                raise CutoverError("CUT-STATE-5", "the migration is completed: there is nothing left to abort")
            self._abort_requested = True
            if self.cutover is not None:
                self.cutover.cancelled.set()
        self._wake.set()
        if not self.alive:
            self.start()
        return True

    def pause(self, reason: str) -> bool:
        """Suspend the data path; False when it is paused already."""
        with self._lock:
            if self.paused is not None:
                return False
            if self.state not in (states.INITIAL_SYNC, states.RUNNING) or self.running is None:
                raise CutoverError("CUT-STATE-5", f"a pause is not possible in the state {self.state}")
            self.running.plane.pause()
            self.paused = {"by": "operator", "reason": reason, "since": stamp(self.clock.wall())}
            self._save_locally()
        return True

    def resume(self) -> bool:
        """Go on; False when it was not paused."""
        with self._lock:
            if self.paused is None or self.running is None:
                return False
            self.running.plane.resume()
            self.paused = None
            self._save_locally()
        return True

    def close(self, timeout: float) -> None:
        """End the thread in an orderly way: a running cutover takes the way back, unless it is opening."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    # -- the supervisor's thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        pauses = Backoff(0.2, 10.0)
        while not self._stop.is_set():
            try:
                self._work()
                return
            except StoppedError:
                return
            except CutoverError as error:
                if not self._passes(error):
                    self._fail(error)
                    return
                self._wait_for(error)
            except Exception as error:
                LOG.exception("the migration broke")
                text = f"unexpected {type(error).__name__}; the agent's log says where"
                self._fail(CutoverError("CUT-ENGINE-1", text))
                return
            finally:
                self._let_go()
            self._stop.wait(pauses.next())

    @staticmethod
    def _passes(error: CutoverError) -> bool:
        """Whether trying again from the beginning may help; credentials can be replaced while waiting."""
        return error.retriable or error.code in ("CUT-ARANGO-3", "CUT-ARANGO-7") or error.code.startswith("CUT-HTTP")

    def _let_go(self) -> None:
        running = self.running
        if running is not None:
            self.last_progress = running.plane.progress()
            self.last_shards = dict(running.plane.states())
        self.running = None
        world, self.world = self.world, None
        late, self.late = self.late, None
        self.cutover = None
        if late is not None:
            self.late_counts = late.counts()
        for part in (late, running):
            if part is not None:
                part.close(10.0)
        if world is not None:
            world.close()
        self._save_findings()

    def _save_findings(self) -> None:
        try:
            self.findings.save()
        except CutoverError as error:
            LOG.warning("%s", error)

    def _wait_for(self, error: CutoverError) -> None:
        LOG.warning("waiting: %s", error)
        since = self.waiting[1] if self.waiting else stamp(self.clock.wall())
        self.waiting = (error.message, since)

    def _fail(self, error: CutoverError) -> None:
        LOG.error("the migration failed: %s", error)
        self.reason = error
        self._enter(states.FAILED)

    def _enter(self, state: str) -> None:
        """Change the state: here, on disk, and in the journal where there is one."""
        if state == self.state:
            return
        states.check_transition(self.state, state)
        with self._lock:
            LOG.info("state %s -> %s", self.state, state)
            self.state, self.since = state, stamp(self.clock.wall())
        self._save_locally()
        if self.world is not None and state not in (states.FAILED, states.COMPLETED):
            self.world.migration.update(state=state, since=self.since)

    def _save_locally(self) -> None:
        document = {
            "request": self.spec.as_request(),
            "state": self.state,
            "since": self.since,
            "paused": self.paused,
            "late_indexes": self.late_counts,
        }
        write_json(self.paths.migration, document)

    def _work(self) -> None:
        world = self.world or self._open_world(self.spec, self._stop, self.findings)
        self.world = world
        world.lease.keep(self._lease_error)
        world.migration.load()
        decided = self._recover_decision(world)
        if decided == record.COMPLETED:
            self._after_opening(world, None)
            return
        if self._abort_requested or self.state == states.ABORTING:
            self._abort(world)
            return
        if self.state in (states.INITIAL_SYNC, states.RUNNING, states.STOPPING):
            self.state = states.INITIAL_SYNC
        self.running = self._make_running(world, self.findings)
        self.running.prepare()
        if self.paused is not None:
            self.running.plane.pause()
        self.waiting = None
        self._enter(states.INITIAL_SYNC)
        self._loop(world, self.running)

    def _lease_error(self, error: CutoverError) -> None:
        if isinstance(error, LeaseLostError) and not error.retriable:
            self._wake.set()

    def _recover_decision(self, world: World) -> str:
        """Finish what a cutover left behind: way back or opening (design §5)."""
        state = world.decision.read()
        if state in (record.NONE, record.COMPLETED):
            return state
        live = LiveWorld(world, None, self.findings, self._stop)
        return Cutover(live, world.decision, self._stop, self.clock).recover()

    def _loop(self, world: World, running: Running) -> None:
        pauses = Backoff(0.2, 10.0)
        while not self._stop.is_set():
            self._check_lease(world)
            if self._abort_requested:
                self._abort(world)
                return
            pause = _TICK_SECONDS
            try:
                running.tick()
                self.waiting = None
                pauses.reset()
            except CutoverError as error:
                if not self._passes(error):
                    raise
                self._wait_for(error)
                pause = pauses.next()
            self._enter(states.RUNNING if running.all_in_sync() else states.INITIAL_SYNC)
            if self._stop_request is not None and self._try_cutover(world, running):
                return
            self._wake.wait(pause)
            self._wake.clear()
        self._last_checkpoint(running)

    def _check_lease(self, world: World) -> None:
        try:
            world.lease.check()
        except LeaseLostError as error:
            if not error.retriable:
                raise
            self._wait_for(error)

    def _last_checkpoint(self, running: Running) -> None:
        try:
            running.checkpoint()
        except CutoverError as error:
            LOG.warning("the last checkpoint could not be written: %s", error)

    def _try_cutover(self, world: World, running: Running) -> bool:
        """Run the requested cutover if the gate lets it; True when the migration is completed."""
        request = self._stop_request
        if request is None:
            return False
        found = self.gate_blockers(request["max_downtime"])
        if found:
            if self.clock.monotonic() >= request["until"]:
                self._stop_request = None
                self._refuse_quietly(found)
            return False
        self._stop_request = None
        self._enter(states.STOPPING)
        live = LiveWorld(world, running, self.findings, self._stop)
        self.cutover = Cutover(live, world.decision, self._stop, self.clock)
        if self._abort_requested:
            self.cutover.cancelled.set()
        self.attempts += 1
        try:
            attempt = self.cutover.run(self.attempts, request["max_downtime"])
        finally:
            self.last_attempt = self.cutover.attempt
        self._measure(attempt)
        self.report = build_report(self, attempt)
        write_json(self.paths.report, self.report)
        if attempt.result == "completed":
            self._after_opening(world, running)
            return True
        self._enter(states.RUNNING)
        return False

    def _refuse_quietly(self, found: list[dict[str, str]]) -> None:
        try:
            self._refused(found)
        except CutoverError as error:
            LOG.warning("%s", error)

    def _measure(self, attempt: Attempt) -> None:
        """Figures for the next prediction."""
        for step in attempt.steps:
            if step.name == "fence" and step.state == "done" and step.seconds is not None:
                self.measured["fence"] = step.seconds
        seconds = (attempt.proof or {}).get("seconds")
        documents = (attempt.proof or {}).get("documents")
        if seconds and documents and documents > 10_000:
            self.measured["documents_per_second"] = documents / seconds

    def _after_opening(self, world: World, running: Optional[Running]) -> None:
        """The target is open: watch for late writes, build late indexes, give the lease back (design §5, step 9)."""
        self.late = LateIndexes(world, self.findings)
        self.late_counts = self.late.counts()
        self._completed(world)
        if running is not None:
            watch_late_writes(running, self.findings, self.spec.late_write_watch, self._stop)
            running.close(10.0)
        self.late.run(self._stop)
        self.late_counts = self.late.counts()
        self._save_locally()
        if self.report is not None:
            self.report = {**self.report, "late_indexes": self.late.document(), "findings": self.findings.all()}
            write_json(self.paths.report, self.report)
        if not self._stop.is_set():
            world.lease.release()

    def _completed(self, world: World) -> None:
        if self.state != states.COMPLETED:
            with self._lock:
                self.state = states.COMPLETED
                self.since = str(world.decision.values.get("completed_at", stamp(self.clock.wall())))
            self._save_locally()

    def _abort(self, world: World) -> None:
        """Source as found (the record was settled before), target users inactive, the partial copy stays."""
        self._enter(states.ABORTING)
        if self.running is not None:
            self.running.close(10.0)
        world.users.close_all()
        self._enter(states.ABORTED)
        world.lease.release()
