# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cutover that holds its opening opens only when it is let, and every other end is the way back."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Unfinished

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.attempt import Attempt
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover import Cutover, StoppedError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.opening_hold import OpeningHold
from tests.unit.control_fakes import FakeStore, FakeWorld


class Held:
    """A cutover in a thread of its own."""

    def __init__(self, max_downtime: float = 60.0, *, rehearsal: bool = False) -> None:
        self.world, self.store, self.stop, self.hold = FakeWorld(), FakeStore(), threading.Event(), OpeningHold()
        decision = Decision(self.store)
        decision.read()
        self.cutover = Cutover(self.world, decision, self.stop, rehearsal=rehearsal, hold=self.hold)
        self.proved = threading.Event()
        self.world.after = lambda name: self.proved.set() if name == "prove" else None
        self._pool = ThreadPoolExecutor(1)
        self.ended: Future[Attempt] = self._pool.submit(self.cutover.run, 1, max_downtime)

    def attempt(self) -> Attempt:
        """How it ended."""
        attempt = self.ended.result(60)
        self._pool.shutdown()
        return attempt

    def check_way_back(self) -> None:
        """The source is as it was, and the target was not opened."""
        assert (self.world.mode, self.world.users_open) == ("default", False)
        assert self.store.documents[record.KEY].body["state"] == record.NONE


def test_i5_nothing_is_opened_before_it_is_let() -> None:
    held = Held()
    assert held.proved.wait(60)
    with pytest.raises(Unfinished):
        held.ended.result(0.3)
    assert (held.cutover.step, held.world.mode, held.world.users_open) == ("hold", "readonly", False)
    assert held.hold.answer(True)
    attempt = held.attempt()
    assert (attempt.result, held.world.users_open) == ("completed", True)
    names = [step.name for step in attempt.steps]
    assert names[names.index("hold") - 1 : names.index("hold") + 2] == ["proof", "hold", "open"]
    calls = held.world.calls
    assert calls.index("late_writes") > calls.index("prove")


def test_i6_a_refused_opening_takes_the_way_back_with_its_reason() -> None:
    held = Held()
    assert held.hold.answer(False, "the load balancer does not answer")
    attempt = held.attempt()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-CUTOVER-7")
    assert "the load balancer does not answer" in str(attempt.reason)
    held.check_way_back()


def test_i6_an_opening_that_nobody_lets_takes_the_way_back_at_the_deadline() -> None:
    held = Held(max_downtime=0.5)
    attempt = held.attempt()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-CUTOVER-1")
    held.check_way_back()


def test_i6_an_abort_or_the_agents_end_ends_the_hold() -> None:
    held = Held()
    assert held.proved.wait(60)
    held.cutover.cancelled.set()
    assert held.attempt().code == "CUT-CUTOVER-4"
    held.check_way_back()
    ended = Held()
    assert ended.proved.wait(60)
    ended.stop.set()
    with pytest.raises(StoppedError):
        ended.attempt()


def test_i5_a_write_that_came_while_it_was_held_is_proved_again() -> None:
    held = Held()
    assert held.proved.wait(60)
    held.world.late = 1
    held.hold.answer(True)
    assert held.attempt().result == "completed"
    assert held.world.calls.count("prove") == 2


def test_a_rehearsal_holds_nothing() -> None:
    held = Held(rehearsal=True)
    assert held.hold.answer(True)
    assert held.attempt().result == "rehearsed"
    held.check_way_back()


def test_it_is_answered_once() -> None:
    for answer in (True, False):
        hold = OpeningHold()
        assert hold.answer(answer) is True
        assert hold.answer(answer) is False
        with pytest.raises(CutoverError) as caught:
            hold.answer(not answer)
        assert caught.value.code == "CUT-CUTOVER-8"
