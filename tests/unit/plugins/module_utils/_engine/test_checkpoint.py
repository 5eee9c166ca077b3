# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is journaled for a restart: positions and states that fit together."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.running import Running
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.schema_map import Made, SchemaMap
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardState
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import Spec
from tests.unit.control_fakes import FakeStore

SHARDS = {state: ShardId("shop", "10", f"s{number}") for number, state in enumerate(ShardState)}
LEADERS = dict.fromkeys(SHARDS.values(), "PRMR-a")


class Plane:
    """A data path whose only shard falls out of step between two questions, and whose position goes on then."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.dropped: set[ShardId] = set()
        self.suspected: list[ShardId] = []

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

    def note_states(self, states: dict[ShardId, ShardState], leaders: dict[ShardId, str]) -> None:
        self._write("states journaled")
        self.in_sync = {shard for shard, state in states.items() if state is ShardState.IN_SYNC}

    def save(self, body: dict[str, dict[str, str]]) -> None:
        self._write("positions journaled")
        self.ticks = body["ticks"]

    def _write(self, name: str) -> None:
        if self.broken:
            raise CutoverError("CUT-JOURNAL-1", "no answer", retriable=True)
        self.plane.events.append(name)


@pytest.fixture
def running() -> Running:
    plane = Plane()
    journal = Journal(plane)
    world: Any = SimpleNamespace(
        spec=Spec((), (), "secret"),
        source=SimpleNamespace(coordinators=None, labels=dict),
        settings=SimpleNamespace(time_scale=1.0),
        paths=SimpleNamespace(data=None),
        map=journal,
        ticks=journal,
        inherits=False,
        journal=SimpleNamespace(stop=None, collection="_cutover"),
        **dict.fromkeys(("target", "lease", "admin", "target_version")),
    )
    verifier: Any = SimpleNamespace(save=lambda: plane.events.append("touched keys saved"), keys=None, set_rate=None)
    return Running(
        world,
        Findings(),
        make_plane=lambda **parts: plane,  # type: ignore[arg-type,return-value]
        make_verifier=lambda *parts: verifier,
    )


def test_i4_positions_are_read_before_states(running: Running) -> None:
    running.checkpoint()
    journal: Any = running.world.map
    assert not (journal.in_sync and journal.ticks == {"PRMR-a": "200"}), "a restart would pass its markers over"
    assert journal.ticks == {"PRMR-a": "100"}


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
        self.leaders = dict(LEADERS)
        self.missing: dict[str, Any] = {}
        running.choice = running.schema = self  # type: ignore[assignment]
        running.watch = SimpleNamespace(missing=lambda leaders: [], refresh=bool, reboots={})  # type: ignore[assignment]
        running.world.users = SimpleNamespace(sync=bool, audit=lambda repair: None)  # type: ignore[assignment]
        self.map = SimpleNamespace(databases=())

    def read(self) -> dict[str, Any]:
        self.read_times += 1
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
