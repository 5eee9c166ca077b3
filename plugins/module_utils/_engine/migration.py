# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One migration: its state and what was asked of it (design §4.8, §4.9). The work is done by its supervisor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable, Optional

from .._core.clock import SYSTEM_CLOCK, Clock
from .._core.errors import CutoverError
from .._core.repeats import Repeats
from .._core.tls import client_context
from . import acceptance, fence, gate, saved, states
from . import decision as record
from .attempt import Attempt
from .cleanup import ASKED
from .cutover import Cutover
from .dataplane_types import Progress
from .files import read_json, write_json
from .findings import Findings
from .guard_watch import GuardWatch
from .late import LateIndexes
from .load import Load
from .operator_pause import OperatorPause
from .patience import waits_for
from .rehearsal import Rehearsal
from .revoke import Revocation, refusal_in
from .running import Running
from .shards import ShardState
from .spec import LIMITS_OPTIONS, Spec, parse_options
from .stop_requests import StopRequests
from .supervisor import Supervisor
from .times import stamp
from .wayback import quiet_seconds
from .world import Paths, World

LOG = logging.getLogger(__name__)


class Migration:
    """State, requests, and the supervisor's thread. Public methods may be called from any thread and return quickly."""

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
        self.id: Optional[str] = known.get("id")
        self._limits: dict[str, Any] = parse_options(known.get("limits") or {}, LIMITS_OPTIONS)
        self.revoke_request: Optional[dict[str, Any]] = known.get("revoke")
        self.cleanup: Optional[str] = known.get("cleanup")
        self.revocation: Optional[Revocation] = None
        self.late_counts: dict[str, int] = known.get("late_indexes") or {"pending": 0, "built": 0, "failed": 0}
        # Nothing is left to do beside the open target: said by whoever has done it, never concluded.
        self.finished: bool = known.get("finished", False)
        self.findings = Findings(paths.findings, clock)
        self.guard = GuardWatch(paths.root, spec.require_guard, clock)
        self.world: Optional[World] = None
        self.running: Optional[Running] = None
        self.cutover: Optional[Cutover] = None
        self.late: Optional[LateIndexes] = None
        self.reason: Optional[CutoverError] = None
        self.waiting: Optional[tuple[str, str]] = None
        self._waits = Repeats(clock)
        self.attempts = 0
        self.last_attempt: Optional[Attempt] = None
        self.last_progress: Optional[Progress] = None
        self.last_shards: Mapping[ShardState, int] = {}
        self.last_verification: Optional[dict[str, Any]] = None
        self.modes: Mapping[str, str] = {}
        self.measured: dict[str, float] = {}
        self.quiet_until: Optional[float] = None
        self.quiet_after: Optional[str] = None
        self.report: Optional[dict[str, Any]] = read_json(paths.report) if known else None
        if self.report is not None:
            self.attempts = int(self.report["attempt"]["number"])
        self.open_world = open_world
        self.make_running = make_running
        self._lock = threading.RLock()
        self.stops = StopRequests(self, self._lock, known.get("stop"))
        self.pause = OperatorPause(self, self._lock, known.get("paused"))
        self.stop_event = threading.Event()
        self.wake = threading.Event()
        self.rehearse_request: Optional[dict[str, Any]] = None
        self.rehearsal: Optional[Rehearsal] = None
        self.abort_requested = False
        self._thread: Optional[threading.Thread] = None

    # -- asked from outside -------------------------------------------------------------------------------------

    def open(self) -> World:
        """Connect now, in the caller's thread, so that refusals reach the caller. Nothing of the target's data is
        touched: journal and lease are made, and whether users can be restored is tried.
        """
        world = self.open_world(self.spec, self.stop_event, self.findings)
        try:
            world.users.probe()
        except CutoverError:
            world.lease.release()
            world.close()
            raise
        self.world = world
        return world

    def resume_as(self, state: str, identity: Optional[str]) -> None:
        """Continue from the state that the journal says, as the migration of that id, before ``start``."""
        self.state, self.since, self.id = state, stamp(self.clock.wall()), identity
        self.save_locally()

    def start(self) -> None:
        """Begin or continue in the background."""
        self._thread = threading.Thread(target=Supervisor(self).run, name="migration", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the supervisor runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def unfinished(self) -> bool:
        """Whether the target is open and something may be left to do beside it, also for a restart."""
        return self.state == states.COMPLETED and not self.finished

    def take_credentials(self, spec: Spec) -> None:
        """Use another user, password or CA for the target, and the speed of this specification, from now on.

        A CA file that stays under its name is read again. Raises CUT-TLS-1, and nothing is taken over then.
        """
        trust = client_context(spec.target_ca_path, spec.target_ca_pem)
        with self._lock:
            if spec.tuning != self.spec.tuning:
                self._limits = {}
            self.spec = self.spec.with_credentials_of(spec)
            if self.world is not None:
                self.world.log_in_anew(spec, trust)
            self.save_locally()
        self._tune()
        self.wake.set()

    @property
    def load(self) -> Load:
        """The limits in force: those of the start request, and what was changed since."""
        return replace(self.spec.tuning, **self._limits)

    def set_limits(self, options: Mapping[str, Any]) -> bool:
        """Change limits while running; False when they are so already."""
        with self._lock:
            if self.state not in states.ACTIVE:
                raise CutoverError("CUT-STATE-5", f"there is nothing to limit in the state {self.state}")
            before = self.load
            self._limits = {**self._limits, **options}
            self.save_locally()
        self._tune()
        return self.load != before

    def _tune(self) -> None:
        running = self.running
        if running is not None:
            running.protection.tune(self.load)

    def facts(self) -> Optional[gate.Facts]:
        """What gate and status look at; None while nothing runs yet."""
        running = self.running
        if running is None:
            return None
        waiting = self.waiting[0] if self.waiting else None
        facts = running.facts(paused=self.pause.value is not None, waiting=waiting, measured=self.measured)
        quiet = 0.0 if self.quiet_until is None else max(0.0, self.quiet_until - self.clock.monotonic())
        return replace(facts, quiet_seconds=quiet, guard_missing=self.guard.blocks())

    def be_quiet(self, world: World) -> None:
        """After a way back: no fence while somebody else who took part in it may still lift one."""
        values = world.decision.values
        seconds = quiet_seconds(values, world.lease.owner.id)
        if seconds and self.quiet_after != values.get("rolled_back_at"):
            self.quiet_until = self.clock.monotonic() + seconds
        self.quiet_after = values.get("rolled_back_at")

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

    def accept(self, findings: Sequence[Mapping[str, str]], by: str) -> None:
        """Take these findings for accepted, here and in the journal. Raises CUT-SPEC-1 for what cannot be."""
        reasons = acceptance.parse(findings)
        if not reasons:
            return
        acceptance.check(self.findings, reasons)
        world = self.world
        if world is None:
            raise CutoverError("CUT-STATE-5", f"findings cannot be accepted in the state {self.state}")
        at = stamp(self.clock.wall())
        entries = {name: {"reason": reason, "by": by, "at": at} for name, reason in reasons.items()}
        self.findings.accept(acceptance.save(world.journal, entries))

    def request_rehearse(self, options: Mapping[str, float], by: str = "") -> bool:
        """Begin a rehearsal in the background; False when one is under way. What blocks it is part of its result."""
        with self._lock:
            if self.rehearse_request is not None or self.rehearsal is not None:
                return False
            if self.state not in (states.INITIAL_SYNC, states.RUNNING) or self.stops.pending is not None:
                state = self.state if self.stops.pending is None else states.STOPPING
                raise CutoverError("CUT-STATE-5", f"a rehearsal is not possible in the state {state}")
            self.rehearse_request = {"max_downtime": self.spec.max_downtime, **options, "by": by}
        self.wake.set()
        return True

    def keep_report(self, report: dict[str, Any]) -> None:
        """This is the report from now on, here and on disk."""
        self.report = report
        write_json(self.paths.report, report)

    def add_to_report(self, **parts: Any) -> None:
        """Something that is known later than the report."""
        if self.report is not None:
            self.keep_report({**self.report, **parts})

    def request_abort(self, cleanup: bool = False) -> bool:
        """Begin to end without opening, and with ``cleanup`` to remove what is on the target by then.

        False when that is under way or was done.
        """
        with self._lock:
            if self.state == states.COMPLETED:
                raise CutoverError("CUT-STATE-5", "the migration is completed: there is nothing left to abort")
            more = cleanup and self.cleanup is None
            if more:
                self.cleanup = ASKED
                self.save_locally()
            if not more and (self.state in (states.ABORTING, states.ABORTED) or self.abort_requested):
                return False
            if self.state == states.ABORTED:
                # Not by ``enter``: the thread that made the abort may still hold the journal.
                self.state, self.since = states.ABORTING, stamp(self.clock.wall())
                self.save_locally()
            self.abort_requested = True
            if self.cutover is not None:
                self.cutover.cancelled.set()
            if not self.alive:
                self.start()
        self.wake.set()
        return True

    def forget_abort(self) -> None:
        """It came when the opening was decided: nothing of it is to be done, now or after a revocation."""
        with self._lock:
            self.abort_requested = False
            if self.cleanup == ASKED:
                self.cleanup = None

    def request_revoke(self, timeout: float, by: str = "") -> bool:
        """Begin to revoke the opening; False when that is under way or was done. Raises CUT-REVOKE-1."""
        with self._lock:
            if self.revoke_request is not None:
                return False
            if self.state == states.ABORTED and self.last_result == "revoked":
                return False
            world = self.world
            decided = world.decision.state if world is not None else record.NONE
            error = refusal_in(self.state, decided)
            if error is not None:
                raise error
            self.revoke_request = {"timeout": timeout, "by": by}
            self.save_locally()
            if self.cutover is not None:
                self.cutover.revoked.set()
            if not self.alive:
                self.start()
        self.wake.set()
        return True

    @property
    def last_result(self) -> Optional[str]:
        """How the last attempt, or the revocation of its opening, ended."""
        if self.last_attempt is not None:
            return self.last_attempt.result
        return ((self.report or {}).get("revocation") or {}).get("result")

    def may_end(self, aborting: bool) -> bool:
        """Asked by the supervisor's thread as its last act, so that no abort meets a thread that has stopped looking.

        ``aborting`` is whether an abort was part of what has just ended. False: there is one to be made yet.
        """
        with self._lock:
            if self.revoke_request is not None and self.state == states.COMPLETED:
                return False
            if self.cleanup == ASKED and self.state == states.ABORTING:
                return False
            if self.state == states.FAILED:
                if self.abort_requested and not aborting:
                    return False
                self.abort_requested = False
            self._thread = None
            return True

    def close(self, timeout: float) -> None:
        """End the thread in an orderly way: a running cutover takes the way back, unless it is opening."""
        self.stop_event.set()
        self.wake.set()
        world = self.world
        if world is not None:
            world.journal.stop.set()
        thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def enter(self, state: str) -> None:
        """Change the state: here, on disk, and in the journal where there is one."""
        if state == self.state:
            return
        states.check_transition(self.state, state)
        with self._lock:
            LOG.info("state %s -> %s", self.state, state)
            self.state, self.since = state, stamp(self.clock.wall())
        self.save_locally()
        if self.world is not None and state not in (states.FAILED, states.COMPLETED):
            self.world.migration.update(state=state, since=self.since)

    def save_locally(self) -> None:
        """Write what a restart of the agent needs before it can read the journal; with the password, mode 0600."""
        # Requests and the supervisor save at the same time.
        with self._lock:
            document = {
                "state": self.state,
                "since": self.since,
                "id": self.id,
                "paused": self.pause.value,
                "limits": {name: self.load.as_values()[name] for name in self._limits},
                "late_indexes": self.late_counts,
                "finished": self.finished,
                "revoke": self.revoke_request,
                "stop": self.stops.asked,
                "cleanup": self.cleanup,
            }
            saved.save(self.paths.migration, self.spec, document)

    def wait_for(self, error: CutoverError) -> None:
        """Show what is waited for, since the first time."""
        if self.waiting is None:
            self._waits.forget()
        self._waits.log(LOG, logging.WARNING, error.code, f"waiting: {error}")
        since = self.waiting[1] if self.waiting else stamp(self.clock.wall())
        self.waiting = (waits_for(error, error.message), since)

    def fail(self, error: CutoverError) -> None:
        """End in ``failed``: a human is needed."""
        LOG.error("the migration failed: %s", error)
        self.reason = error
        try:
            self.enter(states.FAILED)
        except CutoverError as problem:
            LOG.error("the state could not be saved: %s", problem)
