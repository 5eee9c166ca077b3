# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cutover: a table of small steps, each timed, and one record that says what a restart has to do (design §5).

| record | a restart |
|---|---|
| none | nothing was done to anybody; a fence of this host that went up late (its note tells) is lifted |
| fencing, fenced, rolling-back | the way back: source to its former mode, target stays closed |
| opening | finishes the opening; there is no way back any more |
| completed | builds late indexes |
| revoking, revoked | carries on with the revocation (``revoke``) |

An agent on another host does the same once it has the lease; guard and rescue take the way back, never the opening.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import Any, Callable, Optional

from .._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from .._core.errors import CutoverError
from . import decision as record
from .attempt import REHEARSED, Attempt, StepTime
from .cutover_port import World
from .decision import Decision
from .fence import MIXED, READONLY, summary
from .lease import LeaseLostError
from .opening_hold import OpeningHold
from .times import stamp
from .wayback import reclaim, roll_back, unfence

LOG = logging.getLogger(__name__)
# How often the end of the logs is looked at again when a write came after the fence.
_PROOF_ROUNDS = 3
# How long the way back waits for the record before it unfences a source for which no opening was ever tried.
_RECORD_PATIENCE = 5.0
# How long users whom the target refuses keep the record at the opening; after that they are tried beside it.
_USERS_PATIENCE = 20.0
HOLD = "hold"


class StoppedError(Exception):
    """The agent is being ended: leave everything to the restart."""


class OpeningRevokedError(Exception):
    """The opening is to be revoked, or is being revoked: it is not continued."""


class RehearsalOverError(Exception):
    """Everything up to the opening was done."""


class Cutover:
    """Runs one attempt; also finishes what an earlier one left behind (``recover``)."""

    STEPS = ("intent", "fence", "cancel writers", "definitions", "drain", "proof", "open", "users", "complete")

    def __init__(
        self,
        world: World,
        decision: Decision,
        stop: threading.Event,
        clock: Clock = SYSTEM_CLOCK,
        *,
        rehearsal: bool = False,
        warm_up: bool = False,
        hold: Optional[OpeningHold] = None,
    ) -> None:
        """A ``rehearsal`` takes the way back where another attempt would open; ``warm_up`` comes before the fence.

        With ``hold`` the proved target is opened only when that is released.
        """
        self._world = world
        self._rehearsal = rehearsal
        self._warm_up = warm_up
        self.hold = hold
        self._decision = decision
        self._stop = stop
        self._clock = clock
        self.cancelled = threading.Event()
        self.revoked = threading.Event()
        self.attempt: Optional[Attempt] = None
        self.step: Optional[str] = None
        self._fenced_at: Optional[float] = None

    # -- the way forward ----------------------------------------------------------------------------------------

    def run(self, number: int, max_downtime: float) -> Attempt:
        """From the passed gate to ``completed`` or back.

        Raises only ``StoppedError``, when the agent ends: before the opening after one try of the way back;
        ``OpeningRevokedError`` when an opening that is not finished yet is revoked; ``LeaseLostError`` when another
        agent has taken the migration over, which then follows the record.
        """
        names = ["warm-up", *self.STEPS] if self._warm_up else list(self.STEPS)
        if self.hold is not None:
            names.insert(names.index("open"), HOLD)
        steps = [StepTime(name) for name in names]
        attempt = Attempt(number, stamp(self._clock.wall()), max_downtime, steps)
        self.attempt = attempt
        try:
            self._forward(attempt)
        except StoppedError:
            self._resolve(attempt, CutoverError("CUT-CUTOVER-4", "the agent was ended during the cutover"))
            raise
        except RehearsalOverError:
            self._resolve(attempt, CutoverError("CUT-CUTOVER-4", "the rehearsal is over"))
            if attempt.result == "rolled-back":
                attempt.result, attempt.reason, attempt.code = REHEARSED, None, None
            return attempt
        except CutoverError as error:
            LOG.warning("cutover attempt %s: %s", number, error)
            return self._resolve(attempt, error)
        except Exception as error:
            LOG.exception("cutover attempt %s broke", number)
            text = f"unexpected {type(error).__name__} in the step {self.step}; the agent's log says where"
            return self._resolve(attempt, CutoverError("CUT-ENGINE-1", text))
        self._finish_opening(attempt)
        return attempt

    def _forward(self, attempt: Attempt) -> None:
        if self._warm_up:
            attempt.warm_up = self._do("warm-up", lambda: self._world.warm_up(attempt.max_downtime))
        deadline = Deadline(attempt.max_downtime, self._clock)
        self._do("intent", lambda: self._intent(attempt))
        self._do("fence", lambda: self._world.set_mode(READONLY, deadline))
        attempt.writers_cancelled = self._do("cancel writers", lambda: self._world.cancel_writers(deadline))
        self._decision.advance(record.FENCED)
        self._do("definitions", lambda: self._world.settle_definitions(deadline))
        for _round in range(_PROOF_ROUNDS):
            attempt.positions = self._do("drain", lambda: self._world.drain(deadline))
            result = self._do("proof", lambda: self._world.prove(deadline))
            attempt.proof, attempt.keys = result.document(), result.keys
            if self.hold is not None and result.proved:
                self._do(HOLD, partial(self.hold.wait, deadline, partial(self._check_time, deadline)))
            if self._world.late_writes(deadline) == 0:
                break
        else:
            raise CutoverError("CUT-PROOF-2", "writes of users go on in the source's logs after the fence")
        if not result.proved:
            raise CutoverError("CUT-PROOF-1", "; ".join(result.differences[:5]))
        self._check_time(deadline)
        if self._rehearsal:
            raise RehearsalOverError
        self._do("open", partial(self._open, deadline))

    def _check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise CutoverError("CUT-CUTOVER-4", "the cutover was cancelled by an abort, or by a pause that came first")
        if self.hold is not None:
            self.hold.check()

    def _check_time(self, deadline: Deadline) -> None:
        if self._stop.is_set():
            raise StoppedError
        self._check_cancelled()
        if deadline.expired:
            raise CutoverError("CUT-CUTOVER-1", "max_downtime was over before the target could be opened")

    def _intent(self, attempt: Attempt) -> None:
        modes = self._world.read_modes()
        if summary(modes) == MIXED:
            raise CutoverError("CUT-GATE-7", f"the source's servers show different modes: {modes}")
        attempt.former_modes = modes
        guard_seconds = self._world.note_fence(attempt.number, summary(modes), attempt.max_downtime)
        self._decision.advance(
            record.FENCING,
            attempt=attempt.number,
            former_modes=modes,
            former_mode=summary(modes),
            agent=self._world.agent(),
            former_agent=None,
            guard_seconds=guard_seconds,
            own_quiet_seconds=0.0,
            quiet_seconds=0.0,
            quiet_but=None,
            participants=[],
            fencing_at=attempt.at,
        )
        self._world.note_recorded()
        self._fenced_at = self._clock.monotonic()

    def _open(self, deadline: Deadline) -> None:
        """What a superuser has defined behind the fence, the target does not have.

        The fence is looked at last: who has lifted it since the drain may have written what nobody has proved.
        """
        self._world.note_opening()
        self._world.check_definitions()
        self._world.check_fence(deadline)
        self._check_time(deadline)
        self._decision.advance(record.OPENING, opening_at=stamp(self._clock.wall()))

    def _do(self, name: str, action: Callable[[], Any]) -> Any:
        if self._stop.is_set():
            raise StoppedError
        if self._decision.state not in record.DECIDED_OPEN:
            self._check_cancelled()
        self.step = name
        entry = self._entry(name)
        began = time.monotonic()
        if entry is not None:
            entry.state = "running"
        try:
            value = action()
        finally:
            if entry is not None:
                entry.seconds = round((entry.seconds or 0.0) + time.monotonic() - began, 3)
        if entry is not None:
            entry.state = "done"
        return value

    def _entry(self, name: Optional[str]) -> Optional[StepTime]:
        if self.attempt is None:
            return None
        return next((item for item in self.attempt.steps if item.name == name), None)

    def _end_step(self, state: str) -> None:
        entry = self._entry(self.step)
        if entry is not None and entry.state == "running":
            entry.state = state

    # -- what the record decides --------------------------------------------------------------------------------

    def _resolve(self, attempt: Attempt, error: CutoverError) -> Attempt:
        """After a failure: do what the record says, which may be more than this agent knows."""
        attempt.reason, attempt.code = error.message, error.code
        self._end_step("failed")
        if self._settle(error.message) in record.DECIDED_OPEN:
            self._finish_opening(attempt)
        else:
            attempt.result = "rolled-back"
            if self._fenced_at is not None:
                attempt.fenced_seconds = self._clock.monotonic() - self._fenced_at
        self.step = None
        return attempt

    def recover(self) -> str:
        """After a restart: the way back, or the rest of the opening. Returns the record's state then."""
        state = self._settle("the agent was restarted during a cutover")
        if state == record.OPENING:
            self._finish_opening(None)
        return self._decision.state

    def _settle(self, reason: str) -> str:
        """Follow the record until it is none, opening or completed."""
        pauses = Backoff(0.1, 3.0)
        patience = Deadline(_RECORD_PATIENCE, self._clock)
        unfenced = False
        while True:
            try:
                state = self._decision.read()
                if not self._own_fence(state):
                    self._world.check_owner()
                if state in record.REVOCATION:
                    raise OpeningRevokedError
                if state in record.DECIDED_OPEN:
                    return state
                if state == record.NONE and self._nothing_left():
                    self._way_back_done()
                    self._world.check_owner()
                    return record.NONE
                roll_back(self._decision, self._world, reason, self._world.agent(), self._clock)
            except LeaseLostError:
                raise
            except CutoverError as error:
                LOG.warning("the way back is not finished: %s", error)
                self._world.warn("CUT-CUTOVER-5", "source", error.message)
                if patience.expired and not unfenced:
                    unfenced = self._unfence_without_record()
            if self._stop.wait(pauses.next()):
                raise StoppedError

    def _own_fence(self, state: str) -> bool:
        """Whether an undecided fence of this agent may be up: then it stays even when it was taken over."""
        if self._world.noted_fence() is None or state in record.DECIDED_OPEN or state in record.REVOCATION:
            return False
        return state == record.NONE or self._decision.values.get("agent") == self._world.agent()

    def _nothing_left(self) -> bool:
        """Whether a record that is none says all: a lost intent cannot come late any more, no fence is up.

        The way back may have been taken by somebody else before this agent's fence went up.
        """
        if self.attempt is not None:
            self._decision.advance(record.NONE)
        former = self._world.noted_fence()
        return former is None or not reclaim(self._decision, self._world, former, self._world.agent())

    def _unfence_without_record(self) -> bool:
        """A source must not wait for a target that is gone; safe only while no opening was ever tried.

        That is certain only of an attempt of this agent, whose disk would hold a note of it, and for a limited time:
        an agent that takes over puts up no fence of its own before that is over.
        """
        former = self._decision.values.get("former_mode")
        if former is None or self._world.opening_noted() or not self._world.fence_is_young():
            return False
        if self._decision.values.get("agent") != self._world.agent():
            return False
        try:
            unfence(self._world, str(former), self._clock)
            return True
        except CutoverError as error:
            LOG.warning("the source could not be given back: %s", error)
            return False

    def _way_back_done(self) -> None:
        self._world.clear_notes()
        self._world.end_watch()

    # -- from the point of no return ----------------------------------------------------------------------------

    def _finish_opening(self, attempt: Optional[Attempt]) -> None:
        """Repeat until users are open and the record is completed: from here on a restart only rolls forward."""
        if attempt is not None and self._fenced_at is not None:
            attempt.fenced_seconds = self._clock.monotonic() - self._fenced_at
        self._insist("users", self._users_open)
        completed_at = stamp(self._clock.wall())
        self._insist("complete", lambda: self._completed(completed_at))
        if attempt is not None:
            attempt.result, attempt.reason, attempt.code = "completed", None, None
        self.step = None

    def _users_open(self) -> None:
        """Those that are not as they must be are written again; the others may log in, and are left alone."""
        pauses = Backoff(0.2, 3.0)
        patience = Deadline(_USERS_PATIENCE, self._clock)
        problems = self._world.open_users(None)
        while problems and not patience.expired:
            if self.revoked.is_set():
                raise OpeningRevokedError
            if self._stop.wait(pauses.next()):
                raise StoppedError
            problems = self._world.open_users({name for name, _text in problems})
        for name, text in problems:
            self._world.warn("CUT-USER-5", f"user {name}", text)

    def _completed(self, completed_at: str) -> None:
        """The result first: once the record says completed, a restart does nothing of this any more."""
        if self._decision.read() in record.REVOCATION:
            raise OpeningRevokedError
        self._world.complete(completed_at)
        self._decision.read()
        if self._decision.state == record.OPENING:
            self._decision.advance(record.COMPLETED, completed_at=completed_at)

    def _insist(self, name: str, action: Callable[[], None]) -> None:
        pauses = Backoff(0.1, 3.0)
        while True:
            self._world.check_owner()
            try:
                self._do(name, action)
                return
            except CutoverError as error:
                LOG.warning("the opening is not finished: %s", error)
                self._world.warn("CUT-CUTOVER-6", "target", error.message)
            if self.revoked.is_set():
                raise OpeningRevokedError
            if self._stop.wait(pauses.next()):
                raise StoppedError
