# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A revoked opening gives the source back only when the closed target is equal; wherever it is interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover import StoppedError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.revoke import Outcome, Revocation
from tests.unit.control_fakes import Crash, FakeStore, fail_once, unreachable

CALLS = ("check", "differences", "replace decision", "close_users", "settle", "give_back default", "end")
RECORD_WRITES = 3
SHORT = 0.3


class FakeWorld:
    """A source that was fenced and a target that was opened; equal unless told otherwise."""

    def __init__(self) -> None:
        self.mode = "readonly"
        self.open = True
        self.found: list[list[str]] = []
        self.foreign: list[str] = []
        self.ended: str | None = None
        self.compared_while_closed = False
        self.calls: list[str] = []
        self.before: Callable[[str], None] = lambda name: None
        self.after: Callable[[str], None] = lambda name: None

    def _call(self, name: str, effect: Callable[[], Any]) -> Any:
        self.calls.append(name)
        self.before(name)
        value = effect()
        self.after(name)
        return value

    def check(self) -> None:
        self._call("check", lambda: None)

    def differences(self, deadline: Deadline) -> list[str]:
        def effect() -> list[str]:
            self.compared_while_closed = not self.open
            return self.found.pop(0) if self.found else list(self.foreign)

        return self._call("differences", effect)

    def close_users(self) -> list[tuple[str, str]]:
        def effect() -> list[tuple[str, str]]:
            self.open = False
            return []

        return self._call("close_users", effect)

    def settle(self, deadline: Deadline) -> None:
        self._call("settle", lambda: None)

    def give_back(self, former: str) -> None:
        def effect() -> None:
            self.mode = former

        self._call(f"give_back {former}", effect)

    def end(self, at: str) -> None:
        def effect() -> None:
            self.ended = at

        self._call("end", effect)

    def warn(self, code: str, where: str, text: str) -> None:
        self.calls.append(code)


class Case:
    """A completed cutover, and agents that may crash while they revoke it."""

    def __init__(self) -> None:
        self.store = FakeStore()
        decision = Decision(self.store)
        decision.read()
        decision.advance(record.FENCING, former_mode="default")
        for state in (record.FENCED, record.OPENING, record.COMPLETED):
            decision.advance(state)
        self.world = FakeWorld()

    def agent(self, stop: threading.Event | None = None) -> Revocation:
        decision = Decision(self.store)
        decision.read()
        return Revocation(self.world, decision, stop or threading.Event())

    @property
    def state(self) -> str:
        return str(self.store.documents[record.KEY].body["state"])

    def restart(self) -> Outcome | None:
        """What a restarted agent does: obey the record, and open the target again where it says so."""
        outcome = self.agent().recover(SHORT) if self.state in record.REVOCATION else None
        self.open_again()
        return outcome

    def open_again(self) -> None:
        """What the cutover's own recovery does with an opening (tested there)."""
        if self.state == record.OPENING:
            self.world.open = True
            decision = Decision(self.store)
            decision.read()
            decision.advance(record.COMPLETED)

    def calm(self) -> None:
        self.world.before = self.world.after = self.store.before = lambda name: None

    def check_ended(self) -> None:
        """Exactly one side takes writes, and the record says which."""
        if self.state == record.COMPLETED:
            assert (self.world.mode, self.world.open) == ("readonly", True)
        else:
            assert self.state == record.NONE
            assert (self.world.mode, self.world.open) == ("default", False)
            assert self.world.compared_while_closed
            assert self.world.ended


def test_a_whole_revocation() -> None:
    """The target is closed before it is compared, and compared before the source is given back."""
    case = Case()
    outcome = case.agent().run(SHORT)
    assert outcome.result == "revoked"
    assert {item["state"] for item in outcome.steps} == {"done"}
    calls = case.world.calls
    assert calls.index("close_users") < calls.index("settle") < calls.index("give_back default")
    case.check_ended()


def test_i5_a_written_target_is_not_even_closed() -> None:
    """Refused with the list, before anybody was harmed."""
    case = Case()
    case.world.foreign = ["shop/things: 3 documents on the source, 4 on the target"]
    outcome = case.agent().run(SHORT)
    assert (outcome.result, outcome.code) == ("refused", "CUT-REVOKE-2")
    assert outcome.document()["differences"] == case.world.foreign
    assert "close_users" not in case.world.calls
    case.check_ended()


def test_i7_a_write_just_before_the_closing_opens_the_target_again() -> None:
    """Equal at the first look, not any more when closed: the source is never given back."""
    case = Case()
    case.world.found = [[]]
    case.world.foreign = ["shop/things key k: not on the source"]
    outcome = case.agent().run(SHORT)
    assert (outcome.result, outcome.code) == ("refused", "CUT-REVOKE-2")
    assert case.state == record.OPENING
    case.open_again()
    case.check_ended()


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", CALLS)
def test_i6_i7_crash_at_every_step_and_restart(name: str, when: str, written: bool) -> None:
    """A restart closes and compares again, or gives back; a target that was written ends open."""
    case = Case()
    hook = fail_once(name, Crash())
    setattr(case.world, when, hook)
    case.store.before = hook
    if written:
        case.world.found, case.world.foreign = [[]], ["shop/things key k: not on the source"]
    try:
        case.agent().run(SHORT)
    except Crash:
        case.calm()
    case.restart()
    assert not (written and case.state != record.COMPLETED)
    case.check_ended()


@pytest.mark.parametrize("lost", ["now", "late", "never"])
@pytest.mark.parametrize("nth", range(1, RECORD_WRITES + 1))
def test_i7_lost_answers_of_the_record(nth: int, lost: str) -> None:
    """One decision, whether the lost request ran, runs later or never."""
    case = Case()
    writes = [0]

    def lose(name: str) -> None:
        if name == "replace decision":
            writes[0] += 1
            if writes[0] == nth:
                case.store.lose = lost

    case.store.before = lose
    case.agent().run(SHORT)
    case.store.run_late()
    case.restart()
    case.check_ended()


@pytest.mark.parametrize("name", ["close_users", "settle", "differences"])
def test_i7_what_cannot_be_examined_opens_the_target_again(name: str) -> None:
    """No proof, no way back."""
    case = Case()

    def hook(called: str) -> None:
        if called == name and not (name == "differences" and case.world.open):
            raise unreachable()

    case.world.before = hook
    assert case.agent().run(SHORT).result == "refused"
    case.calm()
    case.open_again()
    case.check_ended()


def test_i6_giving_back_is_repeated_until_it_succeeds() -> None:
    """Once decided there is no other way."""
    case = Case()
    case.world.before = fail_once("give_back default", CutoverError("CUT-FENCE-1", "not yet"))
    assert case.agent().run(SHORT).result == "revoked"
    assert "CUT-REVOKE-5" in case.world.calls
    case.check_ended()


def test_i6_a_source_found_read_only_stays_so() -> None:
    """The former mode is the one recorded before the fence."""
    case = Case()
    entry = case.store.documents[record.KEY]
    entry.body["former_mode"] = "readonly"
    assert case.agent().run(SHORT).result == "revoked"
    assert case.world.mode == "readonly"


def test_a_defect_of_ours_opens_the_target_again() -> None:
    """It must not stay closed."""
    case = Case()
    case.world.before = fail_once("settle", KeyError("oops"))
    outcome = case.agent().run(SHORT)
    assert (outcome.result, outcome.code) == ("refused", "CUT-ENGINE-1")
    case.open_again()
    case.check_ended()


def test_nothing_to_revoke() -> None:
    """Before an opening was decided."""
    case = Case()
    case.store.documents[record.KEY].body["state"] = record.FENCED
    outcome = case.agent().run(SHORT)
    assert (outcome.result, outcome.code) == ("refused", "CUT-REVOKE-1")
    assert case.world.calls == []


def test_an_agent_that_is_ended_leaves_it_to_the_restart() -> None:
    """The record says what is to be done."""
    case = Case()
    stop = threading.Event()

    def hook(name: str) -> None:
        if name == "give_back default":
            stop.set()
            raise unreachable()

    case.world.before = hook
    with pytest.raises(StoppedError):
        case.agent(stop).run(SHORT)
    assert case.state == record.REVOKED
    case.calm()
    case.restart()
    case.check_ended()
