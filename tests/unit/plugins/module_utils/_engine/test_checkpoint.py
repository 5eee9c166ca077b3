# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is journaled for a restart: positions and states that fit together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SYSTEM_CLOCK, Clock
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.running import Running
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema_map import Made, SchemaMap
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardState
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import Spec
from tests.unit.control_fakes import FakeStore, HandClocks

SHARDS = {state: ShardId("shop", "10", f"s{number}") for number, state in enumerate(ShardState)}
LEADERS = dict.fromkeys(SHARDS.values(), "PRMR-a")


class Plane:
    """A data path whose only shard falls out of step between two questions, and whose position goes on then."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.dropped: set[ShardId] = set()
        self.suspected: list[ShardId] = []
        self.unanswered = 0

    def recheck_pending(self) -> int:
        return self.unanswered

    def take_dropped(self) -> set[ShardId]:
        dropped, self.dropped = self.dropped, set()
        return dropped

    def suspect(self, shards: Sequence[ShardId], where: str, reason: str) -> None:
        self.suspected += shards

    def unknown_cuids(self) -> set[tuple[str, str]]:
        return set()

    def take_users_dirty(self) -> set[tuple[str, str]]:
        return set()

    def take_alarm(self) -> bool:
        return False

    def _asked(self, name: str) -> bool:
        """Whether something was asked before."""
        self.events.append(name)
        return len(self.events) > 1

    def restart_ticks(self) -> dict[str, int]:
        return {"PRMR-a": 200 if self._asked("positions") else 100}

    def states(self) -> dict[ShardId, ShardState]:
        return {SHARDS[ShardState.IN_SYNC]: ShardState.SUSPECT if self._asked("states") else ShardState.IN_SYNC}

    def data_directories(self) -> dict[str, str]:
        return {"PRMR-a": "77"}

    def checkpointed(self, ticks: dict[str, int]) -> None:
        self.events.append("let go")


class Journal:
    """Keeps the last states and positions; `broken` ones cannot be written."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.broken = False
        self.in_sync: set[ShardId] = set()
        self.ticks: dict[str, str] = {}
        self.directories: dict[str, str] = {}
        self.number = 0
        self.journaling: Callable[[], None] = bool

    def load(self) -> dict[str, int]:
        return {"checkpoint": self.number}

    def note_states(self, states: dict[ShardId, ShardState], leaders: dict[ShardId, str]) -> None:
        self._write("states journaled")
        self.in_sync = {shard for shard, state in states.items() if state is ShardState.IN_SYNC}

    def save(self, body: dict[str, Any]) -> None:
        self.journaling()
        self._write("positions journaled")
        self.ticks, self.number = body["ticks"], body["checkpoint"]
        self.directories = body["data_directories"]

    def _write(self, name: str) -> None:
        if self.broken:
            raise CutoverError("CUT-JOURNAL-1", "no answer", retriable=True)
        self.plane.events.append(name)


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return make(tmp_path, Journal(Plane()))


def make(
    directory: Path, journal: Journal, *, inherits: bool = False, migration: str = "m1", clock: Clock = SYSTEM_CLOCK
) -> Running:
    """An agent that begins with this state directory and journal."""
    plane = journal.plane
    world: Any = SimpleNamespace(
        spec=Spec((), (), "secret"),
        source=SimpleNamespace(coordinators=None, labels=dict, unconnected=list),
        settings=SimpleNamespace(time_scale=1.0),
        paths=SimpleNamespace(data=directory),
        migration=SimpleNamespace(values={"id": migration}),
        map=journal,
        ticks=journal,
        inherits=inherits,
        journal=SimpleNamespace(stop=None, collection="_cutover"),
        **dict.fromkeys(("target", "lease", "admin", "target_version")),
    )
    verifier: Any = SimpleNamespace(save=lambda: plane.events.append("touched keys saved"), keys=None, set_rate=None)
    return Running(
        world,
        Findings(),
        make_plane=lambda **parts: vars(plane).update(parts) or plane,  # type: ignore[arg-type,return-value]
        make_verifier=lambda *parts: verifier,
        clock=clock,
    )


def test_i4_positions_are_read_before_states(running: Running) -> None:
    running.checkpoint()
    journal: Any = running.world.map
    assert not (journal.in_sync and journal.ticks == {"PRMR-a": "200"}), "a restart would pass its markers over"
    assert journal.ticks == {"PRMR-a": "100"}


def test_i3_data_directories_are_read_before_states(running: Running) -> None:
    """A log that is replaced after that is found to be another one after a restart, and its shards are compared."""
    plane = cast(Plane, running.plane)
    plane.data_directories = lambda: {"PRMR-a": "78" if "states" in plane.events else "77"}  # type: ignore[method-assign]
    running.checkpoint()
    assert cast(Journal, running.world.map).directories == {"PRMR-a": "77"}


def test_i4_states_are_journaled_before_positions(running: Running) -> None:
    running.checkpoint()
    events: list[str] = running.plane.events  # type: ignore[attr-defined]
    assert events[3:] == ["states journaled", "positions journaled", "let go"]


def test_i5_keys_to_be_read_back_are_on_disk_before_the_position_that_passes_them_over(running: Running) -> None:
    running.checkpoint()
    events: list[str] = running.plane.events  # type: ignore[attr-defined]
    assert events.index("positions") < events.index("touched keys saved") < events.index("positions journaled")


def test_i4_the_log_is_let_go_after_the_journal(running: Running) -> None:
    journal: Any = running.world.map
    journal.broken = True
    with pytest.raises(CutoverError):
        running.checkpoint()
    assert "let go" not in journal.plane.events


class Definitions:
    """A source whose definitions can be read only when it is not `broken`, and a target that follows them."""

    def __init__(self, running: Running) -> None:
        self.broken = True
        self.read_times = 0
        self.reading: Callable[[], object] = bool
        self.leaders = dict(LEADERS)
        self.missing: dict[str, Any] = {}
        running.choice = running.schema = self  # type: ignore[assignment]
        running.watch = SimpleNamespace(missing=lambda leaders: [], refresh=bool, reboots={})  # type: ignore[assignment]
        running.world.users = SimpleNamespace(sync=bool, audit=lambda repair: None)  # type: ignore[assignment]
        self.map = SimpleNamespace(databases=())

    def read(self) -> dict[str, Any]:
        self.read_times += 1
        self.reading()
        if self.broken:
            raise CutoverError("CUT-HTTP-3", "no answer", retriable=True)
        return {}

    def follow(self, source: dict[str, Any]) -> None:
        """All shards are led where they were."""

    def gone(self, source: dict[str, Any], unknown: set[tuple[str, str]]) -> set[tuple[str, str]]:
        return set()


def test_i4_a_shard_that_was_dropped_from_its_leader_is_not_in_sync_for_a_restart(running: Running) -> None:
    plane, journal = cast(Plane, running.plane), cast(Journal, running.world.map)
    plane.states = lambda: dict.fromkeys(SHARDS.values(), ShardState.IN_SYNC)  # type: ignore[method-assign]
    plane.dropped = {SHARDS[ShardState.IN_SYNC]}
    running.checkpoint()
    others = set(SHARDS.values()) - {SHARDS[ShardState.IN_SYNC]}
    assert journal.in_sync == others, "it may have been led by another server, whose markers nobody took"


def test_i4_a_dropped_shard_is_remembered_until_the_definitions_could_be_read(running: Running) -> None:
    plane, definitions = cast(Plane, running.plane), Definitions(running)
    plane.dropped = {SHARDS[ShardState.IN_SYNC]}
    with pytest.raises(CutoverError):
        running.poll()
    definitions.broken = False
    running.poll()
    assert plane.suspected == [SHARDS[ShardState.IN_SYNC]]
    running.poll()
    assert plane.suspected == [SHARDS[ShardState.IN_SYNC]], "once is enough"


def test_what_could_not_be_read_is_read_again_at_once_and_checkpoints_go_on(running: Running) -> None:
    """A wait that ends between two tries would let a cutover begin that cannot succeed."""
    definitions = Definitions(running)
    for times in (1, 2):
        with pytest.raises(CutoverError):
            running.tick()
        assert definitions.read_times == times
    assert "positions journaled" in running.plane.events  # type: ignore[attr-defined]
    definitions.broken = False
    running.tick()
    running.tick()
    assert definitions.read_times == 3, "what went well is due again later"


def test_definitions_whose_reading_takes_long_are_read_more_seldom(tmp_path: Path) -> None:
    """Those of ten thousand collections are megabytes for source and agent, though nothing changes."""
    clocks = HandClocks()
    running = make(tmp_path, Journal(Plane()), clock=clocks)
    definitions = Definitions(running)
    definitions.broken = False
    before = running.poll_seconds
    for taken, pause in ((0.01, before), (2.0, 20.0), (60.0, 60.0), (0.01, before)):
        definitions.reading = partial(clocks.pass_by, taken)
        running.poll()
        assert running.poll_seconds == pause


def test_i3_only_what_needs_no_copy_is_journaled_as_such() -> None:
    store = FakeStore()
    written = SchemaMap(store)
    written.add_database("shop", "77").collections["10"] = Made("10", "things", "t1")
    written.note_states({shard: state for state, shard in SHARDS.items()}, LEADERS)
    known = SchemaMap(store)
    known.load()
    entry = known.collection("shop", "10")
    assert entry is not None
    kept = {shard.shard for state, shard in SHARDS.items() if state in (ShardState.IN_SYNC, ShardState.HELD)}
    assert entry.in_sync == dict.fromkeys(kept, "PRMR-a")


def _checkpoints(running: Running, number: int) -> None:
    """So many, each with another position."""
    for _time in range(number):
        plane = cast(Plane, running.plane)
        plane.unanswered += 1
        running.checkpoint()


def _agent(directory: Path, journal: Journal, **options: Any) -> Running:
    journal.plane = Plane()
    return make(directory, journal, **options)


def _set_back(directory: Path, running: Running) -> Running:
    """The host is set back to what it was two checkpoints ago."""
    file = directory / "checkpoint.json"
    _checkpoints(running, 3)
    before = file.read_bytes()
    _checkpoints(running, 2)
    file.write_bytes(before)
    return _agent(directory, cast(Journal, running.world.map))


def test_i1_i5_a_state_directory_that_is_older_than_the_journal_is_not_believed(
    running: Running, tmp_path: Path
) -> None:
    """What it had noted since is lost: every collection is compared, as after a take-over."""
    again = _set_back(tmp_path, running)
    assert again.plane.took_over is True  # type: ignore[attr-defined]
    (found,) = again.findings.all()
    assert (found["code"], found["severity"]) == ("CUT-STATE-11", "warning")
    assert "of checkpoint 3, the journal of 5" in found["message"]
    _checkpoints(again, 1)
    later = _agent(tmp_path, cast(Journal, again.world.map))
    assert later.plane.took_over is False  # type: ignore[attr-defined]
    assert later.findings.all() == []


def test_i5_a_doubt_about_the_state_directory_stays_until_it_was_noted(running: Running, tmp_path: Path) -> None:
    """An agent that dies before its first checkpoint leaves it to the next one."""
    again = _set_back(tmp_path, running)
    assert _agent(tmp_path, cast(Journal, again.world.map)).plane.took_over is True  # type: ignore[attr-defined]


def test_i5_a_state_directory_that_is_newer_than_the_journal_is_not_believed_either(
    running: Running, tmp_path: Path
) -> None:
    """The target was restored from a backup: what was compared there says nothing."""
    _checkpoints(running, 5)
    journal = cast(Journal, running.world.map)
    journal.number = 3
    again = _agent(tmp_path, journal)
    assert again.plane.took_over is True  # type: ignore[attr-defined]
    assert "newer" in again.findings.all()[0]["message"]


def test_a_crash_between_disk_and_journal_is_nothing_special(running: Running, tmp_path: Path) -> None:
    """However often it comes."""
    journal = cast(Journal, running.world.map)
    _checkpoints(running, 2)
    for _time in range(2):
        journal.broken = True
        agent = _agent(tmp_path, journal)
        with pytest.raises(CutoverError):
            _checkpoints(agent, 1)
        journal.broken = False
        assert _agent(tmp_path, journal).plane.took_over is False  # type: ignore[attr-defined]


def test_i4_the_number_is_on_disk_before_it_is_in_the_journal(running: Running, tmp_path: Path) -> None:
    journal = cast(Journal, running.world.map)
    seen: list[str] = []
    journal.journaling = lambda: seen.append((tmp_path / "checkpoint.json").read_text())
    _checkpoints(running, 2)
    assert ['"number":1' in text for text in seen] == [True, False]
    assert '"number":2' in seen[1]


def test_the_state_directory_of_an_earlier_migration_is_not_believed(running: Running, tmp_path: Path) -> None:
    """It has the same number by chance."""
    _checkpoints(running, 2)
    again = _agent(tmp_path, cast(Journal, running.world.map), migration="m2")
    assert again.plane.took_over is True  # type: ignore[attr-defined]


def test_a_take_over_is_no_finding(running: Running, tmp_path: Path) -> None:
    """Another host's disk is a different one by nature."""
    _checkpoints(running, 2)
    again = _agent(tmp_path / "other", cast(Journal, running.world.map), inherits=True)
    assert again.plane.took_over is True  # type: ignore[attr-defined]
    assert again.findings.all() == []


def test_i1_a_write_without_an_answer_makes_a_checkpoint(running: Running) -> None:
    """Though no position has moved: a disk from before it must be known as such."""
    plane, journal = cast(Plane, running.plane), cast(Journal, running.world.map)
    plane.restart_ticks = lambda: {"PRMR-a": 100}  # type: ignore[method-assign]
    running.checkpoint()
    running.checkpoint()
    assert journal.number == 1
    plane.unanswered = 1
    running.checkpoint()
    assert journal.number == 2
