# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cutover ends open and proved, or with the source as it was found; wherever it is interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.attempt import Attempt
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover import (
    Cutover,
    OpeningRevokedError,
    StoppedError,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision, DecisionChangedError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import LeaseLostError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.wayback import quiet_seconds, roll_back
from tests.unit.control_fakes import Crash, FakeStore, FakeWorld, fail_once, unreachable

# Every call of a whole run in order: world and record. Each is interrupted in the tests below.
CALLS = (
    "read_modes",
    "note_fence",
    "create decision",
    "note_recorded",
    "set_mode readonly",
    "cancel_writers",
    "replace decision",
    "settle_definitions",
    "drain",
    "prove",
    "late_writes",
    "note_opening",
    "check_definitions",
    "check_fence",
    "open_users",
    "complete",
)
RECORD_WRITES = 5


class Case:
    """One source and target, and agents that may crash."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.world = FakeWorld()

    def agent(self, stop: threading.Event | None = None) -> Cutover:
        decision = Decision(self.store)
        decision.read()
        return Cutover(self.world, decision, stop or threading.Event())

    def run(self, max_downtime: float = 60.0) -> Attempt:
        return self.agent().run(1, max_downtime)

    @property
    def state(self) -> str:
        entry = self.store.documents.get(record.KEY)
        return str(entry.body["state"]) if entry else record.NONE

    def hook(self, when: str, hook) -> None:  # type: ignore[no-untyped-def]
        """Let world and record raise before, or after, the effect of a call."""
        setattr(self.world, when, hook)
        self.store.before = hook

    def calm(self) -> None:
        """Nothing raises any more."""
        self.world.before = self.world.after = self.store.before = lambda name: None

    def check_ended(self) -> None:
        """Exactly one side takes writes, and the record says which."""
        if self.state == record.COMPLETED:
            assert (self.world.mode, self.world.users_open) == ("readonly", True)
            assert self.world.proofs > 0
            assert self.world.completed is not None
        else:
            assert self.state == record.NONE
            assert (self.world.mode, self.world.users_open) == ("default", False)


def test_a_whole_run() -> None:
    """Steps in order, each timed."""
    case = Case()
    attempt = case.run()
    assert attempt.result == "completed"
    assert [item.name for item in attempt.steps] == list(Cutover.STEPS)
    assert {item.state for item in attempt.steps} == {"done"}
    assert all(item.seconds is not None for item in attempt.steps)
    assert case.world.calls.index("prove") < case.world.calls.index("open_users")
    case.check_ended()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", CALLS)
def test_i6_i7_crash_at_every_step_and_restart(name: str, when: str) -> None:
    """A restart rolls back before the opening was decided, and forward from there on."""
    case = Case()
    case.hook(when, fail_once(name, Crash()))
    try:
        case.run()
    except Crash:
        case.calm()
        before = case.state
        assert case.agent().recover() == (record.COMPLETED if before in record.DECIDED_OPEN else record.NONE)
    case.check_ended()


@pytest.mark.parametrize("nth", range(1, RECORD_WRITES + 1))
def test_i6_i7_crash_around_every_write_of_the_record(nth: int) -> None:
    """Just before the nth write; the restart decides by what is recorded."""
    case = Case()
    writes = [0]

    def crash(name: str) -> None:
        if name in ("create decision", "replace decision"):
            writes[0] += 1
            if writes[0] == nth:
                raise Crash

    case.store.before = crash
    try:
        case.run()
    except Crash:
        case.calm()
        case.agent().recover()
    case.check_ended()


@pytest.mark.parametrize("lost", ["now", "late", "never"])
@pytest.mark.parametrize("nth", range(1, RECORD_WRITES + 1))
def test_i7_lost_answers_of_the_record(nth: int, lost: str) -> None:
    """Whether the lost request ran, runs later or never: one decision, and the agent obeys it."""
    case = Case()
    writes = [0]

    def lose(name: str) -> None:
        if name in ("create decision", "replace decision"):
            writes[0] += 1
            if writes[0] == nth:
                case.store.lose = lost

    case.store.before = lose
    case.run()
    case.store.run_late()
    case.check_ended()


@pytest.mark.parametrize("name", CALLS[4:11])
def test_i6_a_failed_step_takes_the_way_back(name: str) -> None:
    """With its reason, and the next attempt succeeds."""
    case = Case()
    case.hook("before", fail_once(name, CutoverError("CUT-FENCE-1", "it did not work")))
    attempt = case.run()
    assert attempt.result == "rolled-back"
    assert attempt.reason == "it did not work"
    assert attempt.fenced_seconds is not None
    case.check_ended()
    case.calm()
    assert case.agent().run(2, 60.0).result == "completed"
    case.check_ended()


def test_i5_never_opened_with_a_difference() -> None:
    """Even if everything else is fine."""
    case = Case()
    case.world.differences = ["shop/things: 3 documents on the source, 2 on the target"]
    attempt = case.run()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-PROOF-1")
    case.check_ended()


@pytest.mark.parametrize("name", ["drain", "prove", "late_writes", "note_opening"])
def test_i5_a_fence_that_somebody_lifted_prevents_the_opening(name: str) -> None:
    """Whoever set the mode, at whatever step: later writes are not part of what was proved."""
    case = Case()
    case.world.after = lambda called: setattr(case.world, "mode", "default") if called == name else None
    attempt = case.run()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-FENCE-5")
    assert "open_users" not in case.world.calls
    case.check_ended()


@pytest.mark.parametrize("name", ["settle_definitions", "drain", "prove", "late_writes", "note_opening"])
def test_i5_definitions_that_somebody_changes_behind_the_fence_prevent_the_opening(name: str) -> None:
    """A superuser is not fenced; the next attempt takes what he has made."""
    case = Case()
    case.world.after = lambda called: setattr(case.world, "definitions", 2) if called == name else None
    attempt = case.run()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-CUTOVER-2")
    assert "open_users" not in case.world.calls
    case.check_ended()
    assert case.agent().run(2, 60.0).result == "completed"


def test_i5_the_fence_is_looked_at_last() -> None:
    """Reading the definitions of a large cluster takes its time."""
    case = Case()
    case.world.after = lambda called: setattr(case.world, "mode", "default") if called == "check_definitions" else None
    assert case.run().code == "CUT-FENCE-5"


def test_i5_late_writes_are_drained_and_proved_again() -> None:
    """A write after the end position leads to another drain and proof."""
    case = Case()
    case.world.late = 1
    assert case.run().result == "completed"
    assert case.world.proofs == 2
    case.check_ended()


def test_i5_writes_that_do_not_end_prevent_the_opening() -> None:
    """The fence leaks: way back."""
    case = Case()
    case.world.late = 100
    attempt = case.run()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-PROOF-2")
    case.check_ended()


def test_i6_a_source_found_read_only_stays_so() -> None:
    """The former mode is the one recorded before the fence."""
    case = Case()
    case.world.mode = "readonly"
    case.world.differences = ["something"]
    case.run()
    assert case.state == record.NONE
    assert case.world.mode == "readonly"
    assert "set_mode default" not in case.world.calls


def test_i6_the_recorded_mode_counts_after_a_restart() -> None:
    """While an intent is open, a mode read from a server is never taken for the former one."""
    case = Case()
    case.hook("before", fail_once("drain", Crash()))
    with pytest.raises(Crash):
        case.run()
    assert case.world.mode == "readonly"
    case.calm()
    case.agent().recover()
    case.check_ended()


def test_i6_way_back_that_fails_is_repeated() -> None:
    """The source cannot be reached for a while."""
    case = Case()
    tries = [0]

    def hook(name: str) -> None:
        if name == "prove":
            raise CutoverError("CUT-HTTP-1", "gone")
        if name == "set_mode default":
            tries[0] += 1
            if tries[0] < 3:
                raise CutoverError("CUT-FENCE-1", "not yet")

    case.world.before = hook
    assert case.run().result == "rolled-back"
    assert tries[0] == 3
    assert "CUT-CUTOVER-5" in case.world.warnings
    case.check_ended()


def test_i6_max_downtime_is_enforced() -> None:
    """Time is over when everything is proved: still no opening."""
    case = Case()
    assert case.run(max_downtime=0.0).code == "CUT-CUTOVER-1"
    case.check_ended()


def test_i6_a_target_that_is_gone_does_not_keep_the_source_fenced(monkeypatch: pytest.MonkeyPatch) -> None:
    """No opening was ever tried from here, so the source is given back; the record follows when it can."""
    monkeypatch.setattr(
        "ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover._RECORD_PATIENCE", 0.2
    )
    case = Case()
    stop = threading.Event()
    agent = case.agent(stop)

    def hook(name: str) -> None:
        if name == "prove":
            case.store.before = lambda called: (_ for _ in ()).throw(unreachable())
            raise CutoverError("CUT-HTTP-4", "the target is gone")
        if name == "set_mode default":
            stop.set()

    case.world.before = hook
    with pytest.raises(StoppedError):
        agent.run(1, 60.0)
    assert case.world.mode == "default"
    assert case.state == record.FENCED
    case.calm()
    assert case.agent().recover() == record.NONE
    case.check_ended()


def test_i7_after_an_opening_was_tried_the_record_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer is lost and the target is gone: the source must stay fenced until the record can be read."""
    monkeypatch.setattr(
        "ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover._RECORD_PATIENCE", 0.0
    )
    case = Case()
    stop = threading.Event()
    reads = [0]

    def gone(name: str) -> None:
        reads[0] += 1
        if reads[0] > 4:
            stop.set()
        raise unreachable()

    def hook(name: str) -> None:
        if name == "note_opening":
            case.store.lose = "now"

    def after(name: str) -> None:
        if name == "note_opening":
            case.store.before = lambda called: gone(called) if called.startswith("read") else None

    case.world.before, case.world.after = hook, after
    with pytest.raises(StoppedError):
        case.agent(stop).run(1, 60.0)
    assert case.world.mode == "readonly"
    case.calm()
    assert case.agent().recover() == record.COMPLETED
    case.check_ended()


def test_i7_another_agents_fence_is_not_lifted_without_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its disk may hold the note of an opening that was tried: the source waits for the record."""
    monkeypatch.setattr(
        "ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover._RECORD_PATIENCE", 0.0
    )
    case = Case()
    case.hook("before", fail_once("drain", Crash()))
    with pytest.raises(Crash):
        case.run()
    case.world.name = "second"
    stop = threading.Event()
    calls = [0]

    def gone(name: str) -> None:
        calls[0] += 1
        if calls[0] > 4:
            stop.set()
        if name.startswith("replace"):
            raise unreachable()

    case.calm()
    case.store.before = gone
    with pytest.raises(StoppedError):
        case.agent(stop).recover()
    assert case.world.mode == "readonly"
    case.calm()
    assert case.agent().recover() == record.NONE
    case.check_ended()


def _taken_over_in(case: Case, name: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """The agent fails in a step and finds itself without its lease."""

    def hook(called: str) -> None:
        if called == name:
            case.world.taken_over = True
            case.world.before = lambda name: None
            meanwhile()
            raise unreachable()

    case.world.before = hook
    with pytest.raises(LeaseLostError):
        case.run()
    case.world.taken_over, case.world.name, case.world.fence_note = False, "second", None


def test_i7_an_agent_that_was_taken_over_leaves_the_opening_to_the_other_one() -> None:
    """It touches nothing more."""
    case = Case()
    _taken_over_in(case, "open_users")
    assert (case.state, case.world.users_open) == (record.OPENING, False)
    assert case.agent().recover() == record.COMPLETED
    case.check_ended()


def test_i7_an_agent_that_was_taken_over_leaves_the_other_ones_fence_alone() -> None:
    """The other one has taken the way back and fenced for an attempt of its own."""
    case = Case()

    def other() -> None:
        rival = Decision(case.store)
        rival.read()
        roll_back(rival, case.world, "taken over", "second")
        rival.advance(record.FENCING, agent="second", former_mode="default")
        case.world.mode = "readonly"

    _taken_over_in(case, "prove", other)
    assert (case.state, case.world.mode) == (record.FENCING, "readonly")


def test_i6_an_agent_that_was_taken_over_does_not_leave_its_own_fence_behind() -> None:
    """The other one may be gone again, and would not know of a fence that goes up late."""
    case = Case()
    _taken_over_in(case, "prove")
    assert (case.state, case.world.mode) == (record.NONE, "default")


def test_i6_a_fence_that_goes_up_after_somebody_took_the_way_back_is_lifted() -> None:
    """The agent was stopped just before it fenced; meanwhile the guard has ended the attempt."""
    case = Case()

    def hook(name: str) -> None:
        if name == "set_mode readonly":
            guard = Decision(case.store)
            guard.read()
            roll_back(guard, case.world, "the guard", case.world.name)

    case.world.before = hook
    assert case.run().result == "rolled-back"
    case.check_ended()


def test_i6_a_fence_that_went_up_after_the_way_back_is_lifted_by_a_restart() -> None:
    """As before, and the agent dies with its fence up: the note on its disk tells."""
    case = Case()

    def hook(name: str) -> None:
        if name == "set_mode readonly":
            guard = Decision(case.store)
            guard.read()
            roll_back(guard, case.world, "the guard", case.world.name)

    case.world.before = hook
    case.world.after = fail_once("set_mode readonly", Crash())
    with pytest.raises(Crash):
        case.run()
    assert (case.state, case.world.mode) == (record.NONE, "readonly")
    case.calm()
    assert case.agent().recover() == record.NONE
    case.check_ended()


def test_i7_an_old_fence_is_not_lifted_without_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """By then another agent may have taken over and fenced for an attempt of its own."""
    monkeypatch.setattr(
        "ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover._RECORD_PATIENCE", 0.0
    )
    case = Case()
    case.hook("before", fail_once("drain", Crash()))
    with pytest.raises(Crash):
        case.run()
    case.calm()
    case.world.young = False
    stop = threading.Event()
    writes = [0]

    def gone(name: str) -> None:
        if name.startswith("replace"):
            writes[0] += 1
            if writes[0] > 2:
                stop.set()
            raise unreachable()

    case.store.before = gone
    with pytest.raises(StoppedError):
        case.agent(stop).recover()
    assert case.world.mode == "readonly"


def test_i7_after_another_agents_attempt_the_source_is_left_in_peace_for_a_while() -> None:
    """Its host may lift its fence without the record; a fence of ours must not be met by that."""
    case = Case()
    case.hook("before", fail_once("drain", Crash()))
    with pytest.raises(Crash):
        case.run()
    case.calm()
    case.world.name, case.world.fence_note = "second", None
    assert case.agent().recover() == record.NONE
    values = case.store.documents[record.KEY].body
    assert [quiet_seconds(values, name) for name in ("first", "second", "third")] == [70.0, 70.0, 70.0]
    assert case.run().result == "completed"
    values = case.store.documents[record.KEY].body
    assert [quiet_seconds(values, name) for name in ("first", "second")] == [0.0, 0.0]


def test_i7_who_took_its_own_way_back_alone_may_try_again_at_once() -> None:
    """Nobody else has a request under way; another agent cannot know that."""
    case = Case()
    case.world.differences = ["something"]
    assert case.run().result == "rolled-back"
    values = case.store.documents[record.KEY].body
    assert [quiet_seconds(values, name) for name in ("first", "second")] == [0.0, 70.0]


def test_i7_nobody_lifts_a_fence_unnamed() -> None:
    """Two take the way back at once: both are in the record before either touches the source."""
    case = Case()
    case.hook("before", fail_once("drain", Crash()))
    with pytest.raises(Crash):
        case.run()
    case.calm()
    slow, seen = Decision(case.store), []
    slow.read()
    slow.advance(record.ROLLING_BACK, participants=["first"])

    def named(name: str) -> None:
        if name == "set_mode default":
            seen.append(case.store.documents[record.KEY].body["participants"])

    case.world.before = named
    guard = Decision(case.store)
    guard.read()
    roll_back(guard, case.world, "the guard", "guard")
    assert seen == [["first", "guard"]]
    values = case.store.documents[record.KEY].body
    assert [quiet_seconds(values, name) for name in ("first", "second")] == [70.0, 70.0]
    with pytest.raises(DecisionChangedError):
        slow.advance(record.NONE)


def test_i7_a_lost_race_is_obeyed() -> None:
    """Somebody else has decided the way back meanwhile."""
    case = Case()

    def hook(name: str) -> None:
        if name == "note_opening":
            rival = Decision(case.store)
            rival.read()
            rival.advance(record.ROLLING_BACK, reason="rescue")

    case.world.before = hook
    assert case.run().result == "rolled-back"
    case.check_ended()


def test_an_opening_is_repeated_until_it_succeeds() -> None:
    """Users cannot be written at first; there is no way back."""
    case = Case()
    case.world.before = fail_once("open_users", unreachable(), nth=1)
    assert case.run().result == "completed"
    assert case.world.calls.count("open_users") == 2
    assert "set_mode default" not in case.world.calls
    case.check_ended()


def test_users_that_stay_odd_are_told_and_do_not_block_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The target is open; they are tried again beside it, and a human may look at them."""
    monkeypatch.setattr(
        "ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover._USERS_PATIENCE", 0.3
    )
    case = Case()
    case.world.user_problems = [("app", "the user should be active")]
    assert case.run().result == "completed"
    assert case.world.warnings.count("CUT-USER-5") == 1


def test_users_that_are_refused_for_a_while_are_opened_before_the_end() -> None:
    """More often than a passing refusal lasts; those who can log in already are left alone."""
    case = Case()
    case.world.user_problems = [("app", "the user should be active")]
    case.world.before = lambda name: case.world.user_problems.clear() if len(case.world.users_asked) == 5 else None
    assert case.run().result == "completed"
    assert case.world.users_asked == [None, *[{"app"}] * 5]
    assert case.world.warnings == []


def test_i7_a_revocation_does_not_wait_for_users_that_are_refused() -> None:
    """It closes the target again: nobody has to be opened."""
    case = Case()
    case.world.user_problems = [("app", "the user should be active")]
    agent = case.agent()
    case.world.after = lambda name: agent.revoked.set() if name == "open_users" else None
    with pytest.raises(OpeningRevokedError):
        agent.run(1, 60.0)
    assert case.state == record.OPENING


def test_an_abort_cancels_before_the_opening() -> None:
    """As soon as the step that runs is over."""
    case = Case()
    agent = case.agent()
    case.world.before = lambda name: agent.cancelled.set() if name == "drain" else None
    attempt = agent.run(1, 60.0)
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-CUTOVER-4")
    case.check_ended()


def test_a_graceful_end_takes_the_way_back() -> None:
    """An agent that is stopped in the middle does not leave the source fenced."""
    case = Case()
    stop = threading.Event()
    case.world.before = lambda name: stop.set() if name == "drain" else None
    with pytest.raises(StoppedError):
        case.agent(stop).run(1, 60.0)
    case.check_ended()


def test_an_unexpected_error_takes_the_way_back() -> None:
    """A defect of ours is no reason to leave the source fenced."""
    case = Case()
    case.world.before = fail_once("prove", KeyError("oops"))
    attempt = case.run()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-ENGINE-1")
    case.check_ended()


def test_servers_of_different_modes_are_left_alone() -> None:
    """No fence before it is known what to go back to."""
    case = Case()
    case.world.read_modes = lambda: {"CRDN-1": "default", "CRDN-2": "readonly"}  # type: ignore[method-assign]
    attempt = case.run()
    assert (attempt.result, attempt.code) == ("rolled-back", "CUT-GATE-7")
    assert "set_mode readonly" not in case.world.calls


def test_i7_an_opening_that_is_revoked_is_not_continued() -> None:
    """Asked for while the users cannot be written: whoever asked closes the target."""
    case = Case()
    agent = case.agent()

    def hook(name: str) -> None:
        if name == "open_users":
            agent.revoked.set()
            raise unreachable()

    case.world.before = hook
    with pytest.raises(OpeningRevokedError):
        agent.run(1, 60.0)
    assert case.state == record.OPENING


def test_i7_a_revocation_in_the_record_is_obeyed() -> None:
    """Another agent revokes: this one neither completes the record nor gives the source back."""
    case = Case()

    def hook(name: str) -> None:
        if name == "open_users":
            rival = Decision(case.store)
            rival.read()
            rival.advance(record.REVOKING)

    case.world.after = hook
    with pytest.raises(OpeningRevokedError):
        case.agent().run(1, 60.0)
    assert case.state == record.REVOKING
    assert case.world.completed is None
    with pytest.raises(OpeningRevokedError):
        case.agent().recover()
    assert "set_mode default" not in case.world.calls


def test_i5_i6_a_rehearsal_ends_with_the_way_back() -> None:
    """Everything but the opening is done and timed; nothing of it is noted as an opening."""
    case = Case()
    decision = Decision(case.store)
    decision.read()
    attempt = Cutover(case.world, decision, threading.Event(), rehearsal=True).run(1, 60.0)
    assert (attempt.result, attempt.reason) == ("rehearsed", None)
    assert {item.name for item in attempt.steps if item.state == "done"} == set(Cutover.STEPS[:6])
    assert attempt.fenced_seconds is not None
    assert not case.world.noted
    case.check_ended()


def test_the_target_is_warmed_before_the_source_is_fenced() -> None:
    """Only if that was asked for; it is no part of the downtime."""
    case = Case()
    decision = Decision(case.store)
    decision.read()
    attempt = Cutover(case.world, decision, threading.Event(), warm_up=True).run(1, 60.0)
    assert attempt.warm_up == {"queries": 1}
    assert attempt.steps[0].name == "warm-up"
    assert case.world.calls.index("warm_up") < case.world.calls.index("set_mode readonly")
    case.check_ended()
    assert "warm_up" not in Case().world.calls
