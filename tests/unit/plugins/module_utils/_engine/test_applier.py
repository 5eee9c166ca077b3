# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Applier threads: the order of each shard, one place per shard, failures that give up one shard only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.applier import ApplierPool, Unit
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.coalesce import Batch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.workers import Workers
from tests.unit.plugins.module_utils._engine.logs import insert


class World:
    """A pool that records instead of writing."""

    def __init__(self, directory: Path, shards: int, limit: int = 10_000) -> None:
        self.book = ShardBook(directory)
        self.stop = threading.Event()
        self.applied: dict[str, list[bytes]] = {}
        self.busy: set[str] = set()
        self.overlaps = 0
        self.failed: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken: set[str] = set()
        patience = Patience(self.stop, Troubles(), 0.001)
        self.pool = ApplierPool(3, self.book, self._apply, self._fail, patience, limit)
        self.shards = [
            self.book.add(ShardPlan(ShardId("d", "1", f"s{number}"), "c", f"s{number}", "S"))
            for number in range(shards)
        ]
        self.crashes: list[str] = []
        self.workers = Workers(lambda name, error: self.crashes.append(f"{name}: {error}"))

    def _apply(self, shard: Shard, batch: Batch, count: int) -> None:
        name = shard.id.shard
        self.overlaps += name in self.busy
        self.busy.add(name)
        self.gate.wait(10)
        if name in self.broken:
            self.busy.discard(name)
            raise RuntimeError("broken")
        self.applied.setdefault(name, []).extend(marker.key for marker in batch.inserts())
        self.busy.discard(name)

    def _fail(self, shard: Shard, error: Exception) -> None:
        self.failed.append(shard.id.shard)

    def idle(self) -> bool:
        with self.book.changed:
            return self.book.changed.wait_for(lambda: all(shard.idle for shard in self.shards), 10)


@contextmanager
def world(directory: Path, shards: int = 4, limit: int = 10_000) -> Iterator[World]:
    made = World(directory, shards, limit)
    made.pool.start(made.workers)
    try:
        yield made
    finally:
        made.gate.set()
        made.stop.set()
        assert made.workers.join(Deadline(10)) == []
        assert made.crashes == []


@settings(max_examples=15)
@given(order=st.lists(st.integers(0, 3), max_size=60))
def test_i1_each_shard_is_applied_in_the_order_of_its_log(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    with world(tmp_path_factory.mktemp("applier")) as made:
        wanted: dict[str, list[bytes]] = {}
        for tick, number in enumerate(order, 1):
            marker = insert(tick, b"k%d" % tick)
            wanted.setdefault(f"s{number}", []).append(marker.key)
            made.pool.submit(Unit(made.shards[number], [marker], 10))
        assert made.idle()
        assert made.applied == wanted
        assert made.overlaps == 0


def test_i1_actions_keep_their_place_between_units(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        shard = made.shards[0]
        made.gate.clear()
        made.pool.submit(Unit(shard, [insert(1, b"before")], 1))
        made.pool.submit(Unit(shard, action=lambda: made.applied["s0"].append(b"action")))
        made.pool.submit(Unit(shard, [insert(2, b"after")], 1))
        made.gate.set()
        assert made.idle()
        assert made.applied["s0"] == [b"before", b"action", b"after"]


def test_i4_a_unit_is_done_only_after_it_was_applied(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        seen: list[list[bytes]] = []
        shard = made.shards[0]
        made.gate.clear()
        made.pool.submit(Unit(shard, [insert(1, b"k")], 1, done=lambda: seen.append(list(made.applied["s0"]))))
        threading.Event().wait(0.05)
        assert seen == []
        made.gate.set()
        assert made.idle()
        assert seen == [[b"k"]]


def test_i3_a_failure_gives_up_its_shard_and_the_others_go_on(tmp_path: Path) -> None:
    with world(tmp_path, shards=12) as made:
        made.broken = {"s0"}
        for shard in made.shards:
            made.pool.submit(Unit(shard, [insert(1, b"k")], 1))
        assert made.idle()
        assert made.failed == ["s0"]
        assert sorted(made.applied) == sorted(shard.id.shard for shard in made.shards[1:])


def test_shards_that_are_let_go_are_not_written(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        done: list[int] = []
        made.shards[0].gone = True
        made.pool.submit(Unit(made.shards[0], [insert(1, b"k")], 1, done=lambda: done.append(1)))
        assert made.idle()
        assert made.applied == {}
        assert done == [1]


def test_i8_room_is_measured_in_bytes(tmp_path: Path) -> None:
    with world(tmp_path, limit=100) as made:
        made.gate.clear()
        made.pool.submit(Unit(made.shards[0], [insert(1, b"k")], 60))
        assert made.pool.has_room
        made.pool.submit(Unit(made.shards[1], [insert(1, b"k")], 60))
        assert not made.pool.has_room
        made.gate.set()
        assert made.idle()
        assert made.pool.has_room
        assert made.pool.queued_bytes == 0


@pytest.mark.parametrize("gone", [False, True])
def test_the_end_of_a_write_wakes_only_those_who_may_wait_for_it(tmp_path: Path, gone: bool) -> None:
    """Every change of any shard wakes a dozen threads; to a shard in sync something is written all the time."""
    with world(tmp_path) as made:
        shard = made.shards[0]
        for state in (ShardState.COPYING, ShardState.CATCHING_UP, ShardState.IN_SYNC):
            made.book.move(shard, state)
        if gone:
            made.book.let_go(shard)
        woken: list[bool] = []

        class Watched(threading.Condition):
            def notify_all(self) -> None:
                woken.append(True)
                super().notify_all()

        made.book.changed = Watched(made.book.lock)
        made.pool.submit(Unit(shard, [insert(1, b"k")], 1))
        while shard.queued_units:
            threading.Event().wait(0.001)
        with made.book.lock:
            assert bool(woken) is gone
