# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where markers go: leaders only, spools while held, truncates, unknown names, late writes."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.applier import Unit
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ledger import Ledger
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import (
    INDEX_CREATE,
    INDEX_DROP,
    TRUNCATE,
    Marker,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.router import (
    Observations,
    ShardRouter,
    name_of,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Route,
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)
from tests.unit.plugins.module_utils._engine.logs import insert, line_of


class FakePool:
    """Keeps the units; acknowledges when told."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self.has_room = True

    def submit(self, unit: Unit) -> None:
        self.units.append(unit)

    def ticks(self) -> list[list[int]]:
        return [[marker.tick for marker in unit.markers] for unit in self.units]

    def acknowledge(self) -> None:
        for unit in self.units:
            if unit.done is not None:
                unit.done()


class World:
    """One router with one shard that its server leads and one that another server leads."""

    def __init__(self, directory: Path) -> None:
        self.book = ShardBook(directory)
        self.pool = FakePool()
        self.observations = Observations()
        self.ledger = Ledger(100)
        self.truncated: list[Shard] = []
        self.full: list[OSError] = []
        self.touched: list[tuple[Shard, set[bytes] | None]] = []
        self.indexes: list[tuple[ShardId, int]] = []
        self.stop = threading.Event()
        self.router = ShardRouter(
            "S1",
            self.book,
            self.pool,  # type: ignore[arg-type]
            Patience(self.stop, Troubles(), 0.001),
            self.observations,
            lambda: self.ledger,
            truncated=self.truncated.append,
            doubt=lambda server, kind, text: None,
            disk_full=self.full.append,
            touched=lambda shard, keys: self.touched.append((shard, None if keys is None else set(keys))),
            index=lambda shard, marker: self.indexes.append((shard, marker.tick)),
        )
        self.led = self.book.add(ShardPlan(ShardId("d", "1", "s2"), "c", "s2", "S1"))
        self.other = self.book.add(ShardPlan(ShardId("d", "1", "s3"), "c", "s3", "S2"))
        for shard in (self.led, self.other):
            self.router.know(shard)

    def live(self) -> None:
        self.led.route = Route.LIVE
        for state in (ShardState.COPYING, ShardState.CATCHING_UP, ShardState.IN_SYNC):
            self.book.move(self.led, state)

    def take(self, *markers: Marker, before: int = 100) -> None:
        chunk = self.ledger.open()
        for marker in markers:
            whole = marker._replace(database=b"d", cuid=marker.cuid or b"s2")
            self.router.take(whole, line_of(whole), before)
        self.router.flush(chunk)
        self.ledger.seal(chunk, markers[-1].tick, markers[-1].tick)

    def spooled(self) -> list[bytes]:
        return [record.line for record in self.led.spool.read()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_i1_only_the_leaders_markers_count(world: World) -> None:
    world.live()
    world.other.route = Route.LIVE
    world.take(insert(101, b"a"), insert(102, b"b")._replace(cuid=b"s3"), insert(103, b"c"))
    assert world.pool.ticks() == [[101, 103]]
    assert world.observations.unknown() == set()


def test_i3_a_shard_that_is_dropped_from_its_leader_is_told(world: World) -> None:
    """From a follower it may go, and of a shard that nobody knows it means nothing."""
    world.live()
    world.take(*(Marker(tick, 2001, cuid=cuid) for tick, cuid in ((101, b"c1/s3"), (102, b"c9/s9"))))
    assert not world.observations.any_dropped()
    assert world.observations.unknown() == set()
    world.take(Marker(103, 2001))
    assert world.observations.any_dropped()
    assert world.observations.take_dropped() == {world.led.id}
    assert world.observations.take_dropped() == set()
    world.led.gone = True
    world.take(Marker(104, 2001))
    assert not world.observations.any_dropped()


def test_i3_indexes_are_told_of_by_the_leaders_log(world: World) -> None:
    world.live()
    world.take(Marker(101, INDEX_CREATE), Marker(102, INDEX_CREATE, cuid=b"s3"), Marker(103, INDEX_DROP))
    assert world.indexes == [(world.led.id, 101), (world.led.id, 103)]
    assert world.pool.ticks() == []


def test_ticks_of_another_log_are_no_late_writes(world: World) -> None:
    world.live()
    world.take(insert(900, b"a"))
    world.router.doubt("new-data-directory", "replaced")
    world.router.watch_late(50)
    assert world.observations.late().count == 0


def test_pending_shards_drop_and_copying_ones_spool(world: World) -> None:
    world.take(insert(101, b"a"))
    world.router.spool(world.led)
    world.take(insert(102, b"b"), insert(103, b"c"))
    assert world.pool.units == []
    assert [line.split(b'"')[3] for line in world.spooled()] == [b"102", b"103"]
    assert world.ledger.restart_tick == 103, "a shard that a take-over copies anew holds nothing back"


def test_i4_live_markers_hold_the_restart_position_until_acknowledged(world: World) -> None:
    world.live()
    world.take(insert(101, b"a"))
    assert world.ledger.restart_tick == 100
    world.pool.acknowledge()
    assert world.ledger.restart_tick == 101


def test_i4_a_held_shard_pins_its_boundary(world: World) -> None:
    world.live()
    world.router.hold(world.led, 100)
    world.take(insert(101, b"a"))
    assert world.led.state is ShardState.HELD
    assert world.pool.units == []
    assert len(world.spooled()) == 1
    assert world.ledger.restart_tick == 100
    world.router.hold(world.led, 999)
    assert len(world.spooled()) == 1, "held twice, its spool stays"


def test_a_truncate_is_held_where_it_stands(world: World) -> None:
    world.live()
    world.take(insert(101, b"a"), Marker(105, TRUNCATE), insert(107, b"b"))
    assert world.pool.ticks() == [[101]]
    assert world.truncated == [world.led]
    assert [line.split(b'"')[3] for line in world.spooled()] == [b"105", b"107"]
    assert world.led.state is ShardState.HELD
    world.pool.acknowledge()
    assert world.ledger.restart_tick == 100, "the truncate is not done yet"


def test_unknown_names_are_counted_until_they_are_explained(world: World) -> None:
    strange = insert(101, b"a")._replace(cuid=b"s9")
    world.take(strange, strange._replace(tick=102))
    assert world.observations.unknown() == {("d", "s9")}
    world.observations.explain(name_of("d", "s9"), discard=True)
    assert world.observations.discarded == 2
    assert world.observations.unknown() == set()
    world.router.ignore(name_of("d", "s9"))
    world.take(strange)
    assert world.observations.unknown() == set()


def test_watched_names_are_told_once_per_change(world: World) -> None:
    world.observations.watch(name_of("d", "s7"))
    assert world.observations.take_dirty() == set()
    world.take(insert(101, b"u")._replace(cuid=b"s7"))
    assert world.observations.take_dirty() == {("d", "s7")}
    assert world.observations.take_dirty() == set()
    assert world.observations.unknown() == set()


def test_late_writes_are_told_even_if_they_were_read_before_the_watch(world: World) -> None:
    world.live()
    world.take(insert(101, b"a"), insert(105, b"late"))
    world.router.watch_late(103)
    assert [(late.key, late.tick) for late in world.observations.late().samples] == [("late", 105)]
    world.take(insert(107, b"later"), insert(108, b"x")._replace(cuid=b"s3"))
    assert world.observations.late().count == 2, "a follower's copy is not another write"
    world.observations.forget_late()
    world.router.watch_late(None)
    world.take(insert(109, b"welcome"))
    assert world.observations.late().count == 0


def test_i5_late_writes_to_graphs_and_services_are_told_too(world: World) -> None:
    """Nobody but a superuser can make them behind the fence, and they would not be on the target."""
    graphs = ShardPlan(ShardId("d", "20", "s20"), "_graphs", "s20", "S1")
    world.router.know(world.book.add(graphs, ShardState.PENDING))
    world.router.watch_late(100)
    world.take(insert(105, b"routes")._replace(cuid=b"s20"))
    assert [(late.collection, late.key) for late in world.observations.late().samples] == [("_graphs", "routes")]


def test_no_late_write_is_told_where_there_was_none(world: World) -> None:
    world.live()
    world.take(insert(101, b"a"))
    world.router.watch_late(101)
    assert world.observations.late().count == 0


def test_i8_a_full_disk_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.router.spool(world.led)
    append = world.led.spool.append
    tries: list[int] = []

    def full(lines: list[bytes]) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.ENOSPC, "no space left on device")
        append(lines)

    monkeypatch.setattr(world.led.spool, "append", full)
    world.take(insert(101, b"a"))
    assert len(world.full) == 2
    assert len(world.spooled()) == 1


def test_keys_of_watched_shards_are_told_before_the_chunk_counts_as_read(world: World) -> None:
    world.live()
    world.take(insert(101, b"a"))
    assert world.touched == []
    world.led.watched = world.other.watched = True
    world.take(insert(102, b"a"), insert(103, b"b"), insert(104, b"a"), insert(105, b"z")._replace(cuid=b"s3"))
    assert world.touched == [(world.led, {b"a", b"b"})]


def test_keys_that_are_spooled_are_told_too(world: World) -> None:
    world.led.watched = True
    world.router.spool(world.led)
    world.take(insert(102, b"a"))
    assert world.touched == [(world.led, {b"a"})]


def test_keys_before_and_after_a_truncate_are_told(world: World) -> None:
    world.live()
    world.led.watched = True
    world.take(insert(101, b"a"), insert(102, b"b"), Marker(105, TRUNCATE), insert(107, b"c"))
    assert world.pool.ticks() == [[101, 102]]
    assert world.touched == [(world.led, None), (world.led, {b"a", b"b", b"c"})]


def test_i5_every_late_write_is_told_by_itself(world: World) -> None:
    world.live()
    world.take(insert(101, b"a"))
    world.router.watch_late(101)
    world.take(insert(105, b"b"), insert(106, b"c"))
    assert [late.key for late in world.observations.late().samples] == ["b", "c"]


def test_i1_a_held_shard_takes_nothing_of_what_follows_in_the_answer(world: World) -> None:
    world.live()
    chunk = world.ledger.open()
    first, second = (one._replace(database=b"d", cuid=b"s2") for one in (insert(101, b"a"), insert(102, b"b")))
    world.router.take(first, line_of(first), 100)
    world.router.flush(chunk)
    world.router.hold(world.led, 101)
    world.router.take(second, line_of(second), 101)
    world.router.flush(chunk)
    assert world.pool.ticks() == [[101]]
    assert world.spooled() == [line_of(second)]


def test_a_truncate_touches_every_key(world: World) -> None:
    world.live()
    world.led.watched = True
    world.take(Marker(102, TRUNCATE))
    assert (world.led, None) in world.touched
