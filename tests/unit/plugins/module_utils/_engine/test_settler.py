# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading back keys of unknown outcome: what is stale, lost or gone is put right in the shard's own order (I1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import Marker
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.reads import as_insert
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.recheck import Recheck
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.settler import Settler
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Shard,
    ShardBook,
    ShardPlan,
    ShardState,
)
from tests.unit.plugins.module_utils._engine.fake_target import PLAN, Bench, FakeTarget


def document(key: str, revision: int) -> bytes:
    return json.dumps({"_key": key, "_rev": str(revision), "v": revision}).encode()


class World:
    """A shard in sync whose leader may lose what it had."""

    def __init__(self, directory: Path, likeness: Likeness = Likeness.REVISION) -> None:
        self.bench = Bench(FakeTarget())
        self.source: dict[str, int] = {}
        self.book = ShardBook(directory)
        self.shard: Shard = self.book.add(replace(PLAN, likeness=likeness), ShardState.IN_SYNC)
        self.recheck = Recheck(directory / "recheck.log", 0.0)
        self.before_unit = lambda: None
        pool: Any = self
        self.settler = Settler(
            self.recheck,
            self.book,
            pool,
            {PLAN.leader: self},  # type: ignore[dict-item]
            self,  # type: ignore[arg-type]
            self.bench.reader,
            self.bench.writer,
            self.bench.units,
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            self.bench.patience,
            0.001,
        )

    # As a tailer whose log is applied to its end.
    server = property(lambda self: self)
    reading = property(lambda self: self)
    ledger = property(lambda self: self)
    label = "S1"

    def json(self, *_arguments: Any, **_options: Any) -> Any:
        return {"tick": "7", "server": {"serverId": "1"}}

    def wait(self, *_arguments: Any) -> bool:
        return True

    def wait_completed(self, *_arguments: Any) -> bool:
        return True

    # As the source's reader.
    def revisions(self, _database: str, _collection: str, keys: Any) -> dict[str, list[str]]:
        return {key: [str(self.source[key])] for key in keys if key in self.source}

    def documents(self, _database: str, _collection: str, keys: Any) -> Iterator[list[Any]]:
        yield [json.loads(document(key, self.source[key])) for key in keys if key in self.source]

    def document(self, _database: str, _collection: str, key: str) -> Marker | None:
        return as_insert(document(key, self.source[key])) if key in self.source else None

    # As the pool of appliers.
    def submit(self, unit: Any) -> None:
        self.before_unit()
        if not unit.shard.gone:
            unit.action()
        unit.done()

    def has(self, **revisions: int) -> None:
        self.bench.target.documents = {key: document(key, revision) for key, revision in revisions.items()}

    def settle(self, *keys: str) -> dict[str, int]:
        self.recheck.note(self.shard.id, [key.encode() for key in keys], delay=0)
        entry = self.recheck.due(float("inf"))
        assert entry is not None
        self.settler._treat(entry)
        return {key: int(json.loads(raw)["v"]) for key, raw in self.bench.target.documents.items()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("there", [{}, {"k": 3}, {"k": 5}, {"k": 9}])
def test_i1_the_target_gets_what_the_source_has(world: World, there: dict[str, int]) -> None:
    """Older, missing, right, or newer: the last was written late, and the leader that had it has lost it since."""
    world.source["k"] = 5
    world.has(**there)
    assert world.settle("k") == {"k": 5}
    assert world.recheck.pending() == 0


def test_i1_what_the_source_does_not_have_goes(world: World) -> None:
    world.has(k=9, other=4)
    assert world.settle("k") == {"other": 4}


def test_what_the_log_brought_meanwhile_is_newer_and_stays(world: World) -> None:
    """The source is at it too."""
    world.source["k"] = 9
    first = iter([{"k": ["5"]}])
    real = world.revisions
    world.revisions = lambda *arguments: next(first, None) or real(*arguments)  # type: ignore[method-assign]
    world.has(k=9)
    assert world.settle("k") == {"k": 9}
    assert world.settler.repaired == 0


def test_i1_a_shard_in_doubt_does_nothing_and_forgets_nothing(world: World) -> None:
    """Its keys are read back when it is in sync again."""
    world.source["k"] = 5
    world.has(k=3)
    world.before_unit = lambda: setattr(world.shard, "gone", True)
    assert world.settle("k") == {"k": 3}
    assert world.recheck.pending() == 1


def test_a_collection_that_is_dropped_while_it_is_read_back_leaves_nothing_behind(world: World) -> None:
    """Its keys could never be read back: no cutover would be possible any more, after a restart neither."""

    def drop() -> None:
        world.shard.gone = True
        world.recheck.forget(PLAN.id.database, PLAN.id.plan_id)

    world.source["k"] = 5
    world.has(k=3)
    world.before_unit = drop
    world.settle("k")
    assert world.recheck.pending() == 0


def test_a_collection_that_is_dropped_while_it_is_compared_leaves_nothing_behind(world: World) -> None:
    def compare(_plan: ShardPlan, differing: Callable[[list[bytes]], None]) -> None:
        world.recheck.forget(PLAN.id.database, PLAN.id.plan_id)
        differing([b"k"])

    world.source["k"] = 5
    world.settler._sweeper = SimpleNamespace(compare=compare)  # type: ignore[assignment]
    world.settler._coordinators = SimpleNamespace(json=lambda *_a, **_o: {"shardId": PLAN.id.shard})  # type: ignore[assignment]
    world.recheck.note_collection(PLAN.id)
    entry = world.recheck.due(float("inf"))
    assert entry is not None
    world.settler._treat(entry)
    assert world.recheck.pending() == 0


def test_i8_a_full_disk_ends_no_thread(world: World) -> None:
    """It goes on when there is room again."""

    def full(_action: Any) -> None:
        raise OSError(28, "no space left on device")

    world.source["k"] = 5
    submit, world.submit = world.submit, full  # type: ignore[method-assign]
    assert world.settle("k") == {}
    assert world.recheck.pending() == 1
    world.submit = submit  # type: ignore[method-assign]
    assert world.settle("k") == {"k": 5}


def test_a_server_that_is_down_holds_up_no_other_shard(world: World) -> None:
    def down(*_arguments: Any, **_options: Any) -> Any:
        raise TransportError("CUT-HTTP-1", "connection refused", outcome_unknown=False)

    world.source["k"] = 5
    world.json = down  # type: ignore[method-assign]
    assert world.settle("k") == {}
    assert world.recheck.pending() == 1


@pytest.fixture
def anew(tmp_path: Path) -> World:
    """The target makes revisions of its own."""
    return World(tmp_path, Likeness.CONTENT)


@pytest.mark.parametrize("there", [{}, {"k": 3}, {"k": 9}])
def test_i1_where_revisions_are_made_anew_the_target_gets_the_sources_content(
    anew: World, there: dict[str, int]
) -> None:
    """Whatever the target's own revision is: it says nothing."""
    anew.source["k"] = 5
    anew.has(**there)
    assert anew.settle("k") == {"k": 5}
    assert anew.recheck.pending() == 0
    assert json.loads(anew.bench.target.documents["k"])["_rev"] == "_made1"


def test_i1_equal_contents_are_not_written_again(anew: World) -> None:
    anew.source["k"] = 5
    anew.bench.target.documents["k"] = document("k", 5).replace(b'"_rev": "5"', b'"_rev": "99"')
    assert anew.settle("k") == {"k": 5}
    assert anew.settler.repaired == 0


def test_i1_what_the_source_does_not_have_goes_by_the_targets_own_revision(anew: World) -> None:
    anew.has(k=9, other=4)
    assert anew.settle("k") == {"other": 4}


@pytest.mark.parametrize("now", [{"k": 9}, {}])
def test_i1_a_content_that_the_source_has_changed_since_is_left_to_the_log(anew: World, now: dict[str, int]) -> None:
    """It would bring the target back to what the log has passed already, or ahead of it."""
    anew.source.update(now)
    first = iter([[json.loads(document("k", 5))]])
    real = anew.documents
    anew.documents = lambda *arguments: iter([next(first, None) or next(real(*arguments))])  # type: ignore[method-assign]
    anew.has(k=7)
    assert anew.settle("k") == {"k": 7}
    assert (anew.settler.repaired, anew.recheck.pending()) == (0, 0)


@pytest.mark.parametrize("likeness", list(Likeness))
def test_damage_is_overwritten_by_what_the_source_has(tmp_path: Path, likeness: Likeness) -> None:
    world = World(tmp_path, likeness)
    world.source.update(a=5, b=6)
    world.has(a=4, b=9, c=3)
    world.json = lambda *_arguments, **_options: {  # type: ignore[method-assign]
        "tick": "7", "server": {"serverId": "1"}, "shardId": world.shard.id.shard,
    }  # fmt: skip
    world.settler._coordinators = world  # type: ignore[assignment]
    world.settler.restore([world.shard], [b"a", b"b", b"c"])
    found = {key: json.loads(raw)["v"] for key, raw in world.bench.target.documents.items()}
    assert found == {"a": 5, "b": 6}
