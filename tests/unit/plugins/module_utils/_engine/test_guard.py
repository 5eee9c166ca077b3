# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard gives a source back only where nobody can have opened the target, and alarms otherwise."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import fence_note
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.fence_note import (
    BLIND_SECONDS,
    GRACE_SECONDS,
    FenceNote,
    guard_seconds,
    read_note,
    write_note,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.guard import Guard, Outcome
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.guard_lock import (
    ENGINE_LOCK,
    GUARD_LOCK,
    end_agent,
    guard_lives,
    take,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.guard_watch import GuardWatch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Store
from tests.unit.control_fakes import FakeStore, FakeWorld, HandClocks, fail_once, unreachable

MAX_DOWNTIME = 100.0


class Case:
    """A host on which an agent has fenced the source and gone silent; it is also the guard's reach."""

    def __init__(self, directory: Path, state: str = record.FENCED, agent: str = "first") -> None:
        self.directory = directory
        self.clocks = HandClocks()
        self.store = FakeStore()
        self.world = FakeWorld(mode="readonly")
        self.journal_gone = False
        self.agent_stays = False
        self.ended = 0
        note = FenceNote.of("first", 1, "default", ("https://c1:8529",), MAX_DOWNTIME, self.clocks)
        write_note(directory, replace(note, recorded=True))
        self.store.create(record.KEY, {"state": state, "former_mode": "default", "agent": agent, "guard_seconds": 9.0})
        self.guard = Guard(directory, self, 1.0, self.clocks)

    @contextmanager
    def source(self, note: FenceNote) -> Iterator[FakeWorld]:
        """See ``Reach``."""
        yield self.world

    @contextmanager
    def journal(self) -> Iterator[Store]:
        """See ``Reach``."""
        if self.journal_gone:
            raise unreachable()
        yield self.store

    @contextmanager
    def hold_agent(self) -> Iterator[None]:
        """See ``Reach``."""
        if self.agent_stays:
            raise CutoverError("CUT-GUARD-3", "it does not end")
        self.ended += 1
        yield

    @property
    def state(self) -> str:
        """The record's."""
        return str(self.store.documents[record.KEY].body["state"])

    def note_opening(self) -> None:
        """What the agent writes before it tries to open."""
        (self.directory / "opening-attempted.json").write_text("{}")

    def late(self, seconds: float = 1.0) -> None:
        """The attempt's time is over since so long."""
        self.clocks.pass_by(MAX_DOWNTIME + GRACE_SECONDS + seconds)


@pytest.mark.parametrize("state", [record.FENCING, record.FENCED, record.ROLLING_BACK])
def test_i6_a_fence_whose_time_is_over_is_lifted_by_the_record(tmp_path: Path, state: str) -> None:
    """The record first; a living agent is not ended for it. Before that nothing happens."""
    case = Case(tmp_path, state)
    assert case.guard.round() is Outcome.WAITING
    assert (case.state, case.world.calls) == (state, [])
    case.late()
    case.world.before = lambda name: check_won(case) if name == "set_mode default" else None
    assert case.guard.round() is Outcome.GIVEN_BACK
    assert (case.state, case.world.mode, case.ended) == (record.NONE, "default", 0)


def check_won(case: Case) -> None:
    """The source is given back by whoever has won the record."""
    assert case.state == record.ROLLING_BACK


@pytest.mark.parametrize("state", [record.OPENING, record.COMPLETED, record.REVOKING, record.REVOKED])
def test_i7_a_decided_opening_is_left_alone(tmp_path: Path, state: str) -> None:
    """Whatever the deadline says."""
    case = Case(tmp_path, state)
    case.late(1e6)
    assert case.guard.round() is Outcome.DECIDED
    assert (case.state, case.world.mode) == (state, "readonly")


def test_i7_the_opening_that_is_faster_is_obeyed(tmp_path: Path) -> None:
    """Between reading and writing the record the agent has decided."""
    case = Case(tmp_path)
    case.late()

    def agent(name: str) -> None:
        if name.startswith("replace"):
            case.store.before = lambda name: None
            rival = Decision(case.store)
            rival.read()
            rival.advance(record.OPENING)

    case.store.before = agent
    assert case.guard.round() is Outcome.DECIDED
    assert case.world.mode == "readonly"


def test_i7_another_agents_fence_is_not_lifted(tmp_path: Path) -> None:
    """It has taken over, and fenced for an attempt of its own."""
    case = Case(tmp_path, record.FENCED, agent="second")
    case.late()
    assert case.guard.round() is Outcome.FOREIGN
    assert (case.state, case.world.mode) == (record.FENCED, "readonly")


def test_i6_a_fence_that_went_up_after_the_way_back_is_lifted(tmp_path: Path) -> None:
    """The agent was stopped between intent and fence, and died after it."""
    case = Case(tmp_path, record.NONE)
    case.late()
    assert case.guard.round() is Outcome.GIVEN_BACK
    assert (case.state, case.world.mode) == (record.NONE, "default")


def test_i6_a_source_that_was_found_read_only_stays_so(tmp_path: Path) -> None:
    """Its former mode is in the record, and in the note."""
    case = Case(tmp_path, record.FENCED)
    document = json.loads((tmp_path / fence_note.NAME).read_text())
    (tmp_path / fence_note.NAME).write_text(json.dumps({**document, "former_mode": "readonly"}))
    entry = case.store.documents[record.KEY]
    case.store.replace(record.KEY, {**entry.body, "former_mode": "readonly"}, entry.rev)
    case.late()
    assert case.guard.round() is Outcome.GIVEN_BACK
    assert case.world.mode == "readonly"
    case.journal_gone = True
    assert case.guard.round() is Outcome.GIVEN_BACK
    assert case.world.mode == "readonly"


def test_i6_without_the_journal_the_agent_is_ended_first(tmp_path: Path) -> None:
    """And the record follows when it can be reached again."""
    case = Case(tmp_path)
    case.journal_gone = True
    case.late()
    case.world.before = lambda name: check_ended(case)
    assert case.guard.round() is Outcome.GIVEN_BACK
    assert (case.state, case.world.mode) == (record.FENCED, "default")
    case.journal_gone = False
    case.world.before = lambda name: None
    assert case.guard.round() is Outcome.GIVEN_BACK
    assert case.state == record.NONE


def check_ended(case: Case) -> None:
    """No agent lives that could still open the target."""
    assert case.ended == 1


def test_i7_without_the_journal_an_opening_that_was_tried_keeps_the_fence(tmp_path: Path) -> None:
    """It may have been decided: the source stays read-only and the guard alarms."""
    case = Case(tmp_path)
    case.journal_gone = True
    case.note_opening()
    case.late()
    assert case.guard.round() is Outcome.ALARM
    assert (case.world.mode, case.ended) == ("readonly", 0)
    assert case.guard.alarm is not None
    assert case.guard.alarm.code == "CUT-GUARD-2"


def test_i7_the_agents_last_act_may_have_been_an_opening(tmp_path: Path) -> None:
    """The note of it appears while the agent is being ended."""
    case = Case(tmp_path)
    case.journal_gone = True
    case.late()
    real = case.hold_agent

    @contextmanager
    def hold() -> Iterator[None]:
        case.note_opening()
        with real():
            yield

    case.hold_agent = hold  # type: ignore[method-assign]
    assert case.guard.round() is Outcome.ALARM
    assert case.world.mode == "readonly"


@pytest.mark.parametrize("trouble", ["agent", "late", "unrecorded"])
def test_i7_without_the_journal_it_alarms_where_it_cannot_know(tmp_path: Path, trouble: str) -> None:
    """An agent that cannot be ended may open; later, or unknown to the record, another agent may have fenced."""
    case = Case(tmp_path)
    if trouble == "unrecorded":
        document = json.loads((tmp_path / fence_note.NAME).read_text())
        (tmp_path / fence_note.NAME).write_text(json.dumps({**document, "recorded": False}))
    case.journal_gone = True
    case.agent_stays = trouble == "agent"
    case.late(BLIND_SECONDS + 1 if trouble == "late" else 1.0)
    assert case.guard.round() is Outcome.ALARM
    assert case.world.mode == "readonly"


def test_the_alarm_is_a_file_until_it_is_over(tmp_path: Path) -> None:
    """With what happened and what to do, mode 0600."""
    case = Case(tmp_path)
    case.late()
    case.world.before = fail_once("set_mode default", CutoverError("CUT-FENCE-3", "no coordinator answers"))
    assert case.guard.round() is Outcome.ALARM
    assert case.ended == 0, "the agent is not to blame for a source that does not answer"
    path = tmp_path / "guard-alarm.json"
    alarm = json.loads(path.read_text())
    assert alarm["code"] == "CUT-FENCE-3"
    assert alarm["remedy"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert case.guard.round() is Outcome.GIVEN_BACK
    assert not path.exists()
    assert case.guard.alarm is None


def test_no_note_no_business(tmp_path: Path) -> None:
    """And a note that cannot be read is an alarm."""
    case = Case(tmp_path)
    fence_note.clear_note(tmp_path)
    assert case.guard.round() is Outcome.NO_FENCE
    (tmp_path / fence_note.NAME).write_text('{"format": 2}')
    assert case.guard.round() is Outcome.ALARM


def test_time_goes_on_while_the_machine_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reboot the calendar counts; a calendar that was set does nothing before."""
    clocks = HandClocks()
    note = FenceNote.of("first", 1, "default", (), MAX_DOWNTIME, clocks)
    clocks.wall_now += 1e6
    assert note.elapsed(clocks) == 0
    write_note(tmp_path, note)
    assert read_note(tmp_path) == note
    monkeypatch.setattr(fence_note, "boot_id", lambda: "another run")
    assert note.elapsed(clocks) == 1e6


def test_a_take_over_is_quiet_for_longer_than_the_guard_may_act_alone() -> None:
    """From the fence on: the guard's last blind act ends before the other agent's first fence."""
    clocks = HandClocks()
    note = FenceNote.of("first", 1, "default", (), MAX_DOWNTIME, clocks)
    note = replace(note, recorded=True)
    mode_seconds = 30.0
    clocks.pass_by(guard_seconds(MAX_DOWNTIME, 1.0, mode_seconds) - mode_seconds - 0.1)
    assert note.blind(clocks, 1.0)
    clocks.pass_by(0.2)
    assert not note.blind(clocks, 1.0)


def _hold(path: str, ready: object, stopped: bool) -> None:
    assert take(Path(path)) is not None
    ready.set()  # type: ignore[attr-defined]
    if stopped:
        os.kill(os.getpid(), signal.SIGSTOP)
    threading.Event().wait()


@pytest.mark.parametrize("stopped", [False, True])
def test_an_agent_is_ended_for_certain(tmp_path: Path, stopped: bool) -> None:
    """Also one that is stopped; the lock keeps another one from starting."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path / ENGINE_LOCK), ready, stopped), daemon=True)
    process.start()
    try:
        assert ready.wait(30.0)
        descriptor = end_agent(tmp_path, Deadline(30.0), threading.Event())
        process.join(10.0)
        assert process.exitcode == -signal.SIGKILL
        assert take(tmp_path / ENGINE_LOCK) is None
        os.close(descriptor)
    finally:
        process.kill()


def test_an_agent_that_cannot_be_ended_is_told(tmp_path: Path) -> None:
    """Its lock names no process of this machine."""
    descriptor = take(tmp_path / ENGINE_LOCK)
    assert descriptor is not None
    (tmp_path / ENGINE_LOCK).write_text("")
    with pytest.raises(CutoverError) as refused:
        end_agent(tmp_path, Deadline(0.1), threading.Event())
    assert refused.value.code == "CUT-GUARD-3"
    os.close(descriptor)


def test_a_guard_lives_while_it_holds_its_lock_and_shows_signs(tmp_path: Path) -> None:
    """A guard that was stopped long ago does not count."""
    assert not guard_lives(tmp_path)
    descriptor = take(tmp_path / GUARD_LOCK)
    assert descriptor is not None
    assert guard_lives(tmp_path)
    os.utime(tmp_path / GUARD_LOCK, (0, 0))
    assert not guard_lives(tmp_path)
    os.close(descriptor)
    os.utime(tmp_path / GUARD_LOCK)
    assert not guard_lives(tmp_path)


def test_a_missing_guard_is_a_warning_unless_it_is_required(tmp_path: Path) -> None:
    """Required, it blocks the cutover instead; a guard that comes takes the warning away."""
    clock = HandClocks()
    watch, required = GuardWatch(tmp_path, False, clock), GuardWatch(tmp_path, True, clock)
    first = watch.problems()[0]
    clock.pass_by(60.0)
    again = watch.problems()[0]
    assert (again["code"], again["severity"], again["first_at"]) == ("CUT-GUARD-1", "warning", first["first_at"])
    assert again["last_at"] != first["last_at"]
    assert (watch.blocks(), required.blocks(), required.problems()) == (False, True, [])
    descriptor = take(tmp_path / GUARD_LOCK)
    assert descriptor is not None
    assert (watch.problems(), required.blocks()) == ([], False)
    os.close(descriptor)
