# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Draining a spool: what the snapshot holds is skipped, truncates sweep in their place, then the shard goes live."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.applier import ApplierPool, Unit
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.catchup import CatchUp
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.coalesce import Batch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ledger import Ledger
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import TRUNCATE, Marker
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Stopped, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Route,
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)
from tests.unit.plugins.module_utils._engine.logs import insert, line_of

LONG = b',"text":"' + b"x" * 1000 + b'"'


class Immediately:
    """Stands for the tailer and its tickets: what is asked for at a boundary happens at once."""

    def __init__(self) -> None:
        self.ledger = Ledger(1)

    def at_boundary(self, action: Callable[[], None]) -> Immediately:
        action()
        return self

    def wait(self, *arguments: Any) -> bool:
        return True


class World:
    """A catch-up without threads; what happens is a list of ticks and words."""

    def __init__(self, directory: Path, state: ShardState) -> None:
        self.events: list[int | str] = []
        self.book = ShardBook(directory)
        self.shard = self.book.add(ShardPlan(ShardId("d", "1", "s2"), "c", "s2", "S1"), state)
        self.shard.route = Route.SPOOL
        self.tailer = Immediately()
        self.failures: list[Exception] = []
        self.catch_up = CatchUp(
            self.book,
            self,  # type: ignore[arg-type]
            {"S1": self.tailer},  # type: ignore[dict-item]
            self,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            Patience(threading.Event(), Troubles(), 0.001),
            self.fail,
            lambda shard: None,
        )

    def submit(self, unit: Unit) -> None:
        self.events.extend(marker.tick for marker in unit.markers)
        if unit.action is not None:
            unit.action()

    def fail(self, shard: Shard, error: Exception) -> None:
        self.failures.append(error)

    def sweep(self, plan: ShardPlan, *, truncated: bool) -> None:
        self.events.append("truncate" if truncated else "sweep")

    def run(self, *markers: Marker) -> list[int | str]:
        if markers:
            self.shard.spool.append([line_of(marker) for marker in markers])
        self.catch_up._work(self.shard)
        assert self.failures == []
        return self.events


@pytest.mark.parametrize("rest", [b"", LONG])
def test_what_the_snapshot_holds_is_skipped(tmp_path: Path, rest: bytes) -> None:
    world = World(tmp_path, ShardState.CATCHING_UP)
    world.shard.start_tick = 300
    events = world.run(*(insert(tick, b"k%d" % tick, rest) for tick in range(1, 601)))
    assert events == list(range(301, 601))
    assert world.shard.state is ShardState.IN_SYNC
    assert world.shard.route is Route.LIVE


def test_truncates_are_swept_in_their_place(tmp_path: Path) -> None:
    world = World(tmp_path, ShardState.HELD)
    events = world.run(Marker(5, TRUNCATE), insert(6, b"a"), insert(7, b"b"), Marker(8, TRUNCATE), insert(9, b"c"))
    assert events == ["truncate", 6, 7, "truncate", 9]
    assert world.shard.state is ShardState.IN_SYNC


def test_a_repeated_copy_sweeps_before_it_catches_up(tmp_path: Path) -> None:
    world = World(tmp_path, ShardState.CATCHING_UP)
    world.shard.sweep_first = True
    assert world.run(insert(5, b"a")) == ["sweep", 5]


def test_a_shard_that_somebody_holds_stays_spooled(tmp_path: Path) -> None:
    world = World(tmp_path, ShardState.HELD)
    world.shard.holds.add("index")
    assert world.run(insert(5, b"a")) == []
    assert (world.shard.state, world.shard.route) == (ShardState.HELD, Route.SPOOL)
    world.shard.holds.clear()
    assert world.run() == [5]
    assert world.shard.state is ShardState.IN_SYNC


def test_i4_the_pin_goes_only_when_the_rest_was_applied(tmp_path: Path) -> None:
    world = World(tmp_path, ShardState.HELD)
    ledger, shard = world.tailer.ledger, world.shard
    ledger.pin(shard.pin, 1)
    ledger.seal(ledger.open(), 9, 9)
    seen: list[int] = []
    submit = world.submit

    def watch(unit: Unit) -> None:
        if unit.markers:
            seen.append(ledger.restart_tick)
        submit(unit)

    world.submit = watch  # type: ignore[method-assign]
    world.run(insert(5, b"a"))
    assert seen == [1]
    assert ledger.restart_tick == 9


def test_a_shard_that_is_let_go_is_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path, ShardState.HELD)
    world.shard.gone = True
    assert world.run(insert(5, b"a")) == []


class Replay:
    """A stretch of 3,000 markers that an applier of its own writes, of which it stops after the first."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory, ShardState.HELD)
        self.shard, self.stop = self.world.shard, threading.Event()
        self.half, self.go_on = threading.Event(), threading.Event()
        self.written: list[int] = []
        self.shard.spool.append([line_of(insert(tick, b"k%d" % tick)) for tick in range(1, 3001)])
        patience = Patience(self.stop, Troubles(), 0.001)
        self.pool = ApplierPool(1, self.world.book, lambda *given: None, self.world.fail, patience, 1)
        catch_up = self.world.catch_up
        catch_up._pool, catch_up._patience = self.pool, patience
        catch_up._units = catch_up._recheck = self  # type: ignore[assignment]

    def note(self, shard: ShardId, keys: list[bytes]) -> None:
        """Keys to be read back."""

    def apply(self, plan: ShardPlan, batch: Batch) -> None:
        inserts = batch.inserts()
        self.written.append(next(inserts).tick)
        self.half.set()
        self.go_on.wait(30)
        self.written.extend(marker.tick for marker in inserts)

    def wait_for_it(self) -> None:
        with contextlib.suppress(Stopped):
            self.world.catch_up._replay(self.shard, self.shard.spool.size)

    def let_go(self) -> None:
        self.shard.gone = True


@pytest.mark.parametrize("end", [lambda replay: replay.stop.set(), Replay.let_go], ids=["stop", "let go"])
def test_a_replayed_stretch_outlives_the_wait_for_it(tmp_path: Path, end: Callable[[Replay], None]) -> None:
    """Its index was closed under the applier's hands, which took the whole process down (soak seed 130016)."""
    replay = Replay(tmp_path)
    waiting = threading.Thread(target=replay.wait_for_it)
    applier = threading.Thread(target=lambda: replay.pool._work(replay.pool._take(0)))
    waiting.start()
    applier.start()
    replay.half.wait(30)
    end(replay)
    waiting.join(30)
    replay.go_on.set()
    applier.join(30)
    assert replay.world.failures == []
    assert replay.written == list(range(1, 3001))
    assert list(tmp_path.glob("*.index")) == []


def test_the_index_of_a_stretch_goes_with_its_shard(tmp_path: Path) -> None:
    replay = Replay(tmp_path)
    replay.let_go()
    replay.wait_for_it()
    assert list(tmp_path.glob("*.index")) != []
    replay.pool._work(replay.pool._take(0))
    assert replay.written == []
    assert list(tmp_path.glob("*.index")) == []


def test_shard_states_follow_their_table(tmp_path: Path) -> None:
    world = World(tmp_path, ShardState.PENDING)
    shard: Shard = world.shard
    with pytest.raises(ValueError, match="cannot go from pending to in-sync"):
        world.book.move(shard, ShardState.IN_SYNC)
    for state in (ShardState.COPYING, ShardState.CATCHING_UP, ShardState.IN_SYNC, ShardState.HELD, ShardState.IN_SYNC):
        world.book.move(shard, state)
    world.book.move(shard, ShardState.SUSPECT)
    with pytest.raises(ValueError, match="cannot go from suspect"):
        world.book.move(shard, ShardState.IN_SYNC)
