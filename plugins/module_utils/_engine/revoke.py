# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The revocation of an opening: explicit, by name, and only while nothing was written on the target (design §5).

| record | a restart |
|---|---|
| opening, completed | nothing of the revocation was done to anybody: the target is open |
| revoking | closes the target again and compares; what differs opens it again |
| revoked | gives the source back; there is no other way any more |
| none | the migration is aborted: source as found, target closed |
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Protocol

from .._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from .._core.errors import CutoverError
from . import decision as record
from . import states
from .cutover import StoppedError
from .decision import Decision, DecisionChangedError
from .lease import LeaseLostError
from .steps import Steps
from .times import stamp
from .wayback import former_mode

LOG = logging.getLogger(__name__)
_MAX_SHOWN = 100


class World(Protocol):
    """What a revocation does to source and target. Every call can be repeated; errors are ``CutoverError``."""

    def check(self) -> None:
        """Raise CUT-REVOKE-3 unless the source is read-only everywhere and the target can be closed."""

    def differences(self, deadline: Deadline) -> list[str]:
        """Everything in which source and target differ."""

    def close_users(self) -> list[tuple[str, str]]:
        """Make every user inactive that the opening enabled; returns who is not."""

    def settle(self, deadline: Deadline) -> None:
        """Wait until nothing that began while the target was open can take effect any more."""

    def give_back(self, former: str) -> None:
        """The source's former mode, seen on every server."""

    def end(self, at: str) -> None:
        """Journal that the migration has ended without an open target."""

    def warn(self, code: str, where: str, text: str) -> None:
        """Report something that is being repeated."""


@dataclass
class Outcome:
    """``result`` is ``revoked`` or ``refused``; a refusal says why, with what differs."""

    at: str
    result: Optional[str] = None
    code: Optional[str] = None
    reason: Optional[str] = None
    differences: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """``revocation`` of the report."""
        return {
            "at": self.at,
            "result": self.result,
            "code": self.code,
            "reason": self.reason,
            "differences": self.differences[:_MAX_SHOWN],
            "differences_total": len(self.differences),
            "steps": self.steps,
        }

    def refuse(self, error: CutoverError) -> None:
        """Keep why."""
        self.result, self.code, self.reason = "refused", error.code, error.message


class Revocation:
    """One revocation. It decides once, by the record: ``revoked`` only after the closed target was proved equal."""

    STEPS = ("look", "intent", "close", "settle", "compare", "give back", "end")

    def __init__(self, world: World, decision: Decision, stop: threading.Event, clock: Clock = SYSTEM_CLOCK) -> None:
        self._world = world
        self._decision = decision
        self._stop = stop
        self._clock = clock
        self.steps = Steps(self.STEPS)
        self.outcome = Outcome(stamp(clock.wall()))

    def run(self, timeout: float) -> Outcome:
        """From an open target to a source that was given back, or to the same open target and the reason.

        A target that was written is not even closed. Comparing takes ``timeout`` seconds at most, each time. Raises
        only ``StoppedError``, when the agent ends.
        """
        deadline = Deadline(timeout, self._clock)
        try:
            with self.steps.step("look"):
                self._decision.read()
                if self._decision.state not in record.DECIDED_OPEN:
                    raise CutoverError("CUT-REVOKE-1", f"the decision record is {self._decision.state}, not completed")
                self._world.check()
                self._require_equal(deadline)
            with self.steps.step("intent"):
                self._decision.advance(record.REVOKING, revoking_at=self.outcome.at)
        except CutoverError as error:
            _obey(error)
            if not self._intent_recorded():
                return self._refused(error)
        return self.recover(timeout)

    def _intent_recorded(self) -> bool:
        """Whether the intent is in the record in spite of an error: an answer may have been lost."""
        found = ""

        def read() -> None:
            nonlocal found
            found = self._decision.read()

        self._insist(read)
        return found in record.REVOCATION

    def recover(self, timeout: float) -> Outcome:
        """Carry on from the record's state, after the intent or after a restart."""
        problem = CutoverError("CUT-REVOKE-1", "the decision record was changed meanwhile")
        if self._decision.state == record.REVOKING:
            found = self._examined(Deadline(timeout, self._clock))
            if found is None:
                self._decide(record.REVOKED, revoked_at=stamp(self._clock.wall()))
            else:
                problem = found
                LOG.warning("the opening is not revoked: %s", problem)
                self._decide(record.OPENING, revocation_refused=problem.message[:1000])
        if self._decision.state != record.REVOKED:
            return self._refused(problem)
        with self.steps.step("give back"):
            former = former_mode(self._decision.values)
            self._insist(lambda: self._world.give_back(former))
        with self.steps.step("end"):
            at = stamp(self._clock.wall())
            self._insist(lambda: self._world.end(at))
            self._decide(record.NONE, former_modes={})
        self.outcome.result = "revoked"
        self.outcome.steps = self.steps.document()
        return self.outcome

    def _examined(self, deadline: Deadline) -> Optional[CutoverError]:
        """Close, wait, compare; what stands against giving the source back, be it a defect of ours."""
        try:
            with self.steps.step("close"):
                self._until(deadline, self._close)
            with self.steps.step("settle"):
                self._world.settle(deadline)
            with self.steps.step("compare"):
                self._close()
                self._require_equal(deadline)
        except StoppedError:
            raise
        except CutoverError as error:
            _obey(error)
            return error
        except Exception as error:
            LOG.exception("the revocation broke")
            return CutoverError("CUT-ENGINE-1", f"unexpected {type(error).__name__}; the agent's log says where")
        return None

    def _close(self) -> None:
        problems = self._world.close_users()
        if problems:
            text = "; ".join(f"{name}: {problem}" for name, problem in problems[:5])
            raise CutoverError("CUT-REVOKE-3", f"the target cannot be closed: {text}", retriable=True)

    def _require_equal(self, deadline: Deadline) -> None:
        found = self._world.differences(deadline)
        if found:
            self.outcome.differences = found
            raise CutoverError(
                "CUT-REVOKE-2", f"the target was written since the opening: {'; '.join(found[:5])}",
                details={"differences": found[:_MAX_SHOWN]},
            )  # fmt: skip

    def _refused(self, error: CutoverError) -> Outcome:
        self.outcome.refuse(error)
        self.outcome.steps = self.steps.document()
        return self.outcome

    def _decide(self, after: str, **values: Any) -> None:
        """Write the record and see it written; whoever was faster is obeyed by the caller."""
        before = self._decision.state

        def write() -> None:
            if self._decision.read() != before:
                return
            try:
                self._decision.advance(after, **values)
            except DecisionChangedError:
                return

        self._insist(write)

    def _until(self, deadline: Deadline, action: Callable[[], None]) -> None:
        pauses = Backoff(0.1, 3.0)
        while True:
            try:
                return action()
            except CutoverError as error:
                _obey(error)
                if deadline.expired:
                    raise
            self._pause(pauses)

    def _insist(self, action: Callable[[], None]) -> None:
        pauses = Backoff(0.1, 3.0)
        while True:
            try:
                return action()
            except CutoverError as error:
                _obey(error)
                LOG.warning("the revocation is not finished: %s", error)
                self._world.warn("CUT-REVOKE-5", "revocation", error.message)
            self._pause(pauses)

    def _pause(self, pauses: Backoff) -> None:
        if self._stop.wait(pauses.next()):
            raise StoppedError


def refusal_in(state: str, decided: str) -> Optional[CutoverError]:
    """Why an opening cannot be revoked in this state of the migration, or None."""
    if state == states.COMPLETED or (state == states.STOPPING and decided in record.DECIDED_OPEN):
        return None
    return CutoverError("CUT-REVOKE-1", f"the migration is {state}: its target was not opened")


def _obey(error: CutoverError) -> None:
    """An agent whose lease is gone decides nothing any more: another one does."""
    if isinstance(error, LeaseLostError) and not error.retriable:
        raise error
