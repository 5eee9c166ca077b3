# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Collections at rest: nothing of them is written any more, requests without an answer included."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.holds import Holds
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.recheck import Recheck
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)


class World:
    """One shard of a collection that is to be dropped."""

    def __init__(self, directory: Path) -> None:
        self.book = ShardBook(directory)
        self.recheck = Recheck(directory / "recheck.log", 0.3)
        self.shard: Shard = self.book.add(ShardPlan(ShardId("d", "1", "s2"), "c", "s2", "S1"))
        patience = Patience(threading.Event(), Troubles(), 0.001)
        self.holds = Holds(self.book, {}, {}, None, self.recheck, patience)  # type: ignore[arg-type]

    def quiesce(self, seconds: float, settled_at: float = 0.0) -> None:
        self.holds.quiesce([self.shard], settled_at, Deadline(seconds))


@pytest.mark.parametrize("activity", ["writing", "queued_units", "working"])
def test_i1_a_collection_is_let_go_only_when_nothing_of_it_is_written(tmp_path: Path, activity: str) -> None:
    world = World(tmp_path)
    setattr(world.shard, activity, True)
    with pytest.raises(CutoverError) as busy:
        world.quiesce(0.05)
    assert busy.value.code == "CUT-DATA-13"
    assert world.shard.gone, "and nothing new is begun"
    setattr(world.shard, activity, False)
    world.quiesce(5.0)


def test_i1_requests_without_an_answer_are_waited_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.recheck.note(world.shard.id, [b"k"])
    with pytest.raises(CutoverError) as busy:
        world.quiesce(0.05)
    assert "without an answer" in str(busy.value)
    world.quiesce(5.0)
    with pytest.raises(CutoverError):
        world.quiesce(0.05, settled_at=1e12)


def test_a_hold_that_a_doubt_ended_is_not_left_behind(tmp_path: Path) -> None:
    """The next life of the shard would wait for ever to be compared (soak 31007)."""
    world = World(tmp_path)
    world.book.move(world.shard, ShardState.COPYING)
    world.book.move(world.shard, ShardState.CATCHING_UP)
    world.book.move(world.shard, ShardState.IN_SYNC)
    held = threading.Event()

    def doubt() -> None:
        with world.book.changed:
            while not world.shard.holds:
                world.book.changed.wait(0.01)
            world.book.begin_anew(world.shard)
        held.set()

    threading.Thread(target=doubt, daemon=True).start()
    with pytest.raises(CutoverError, match="there is a doubt about it"):
        world.holds.hold([world.shard], "unique index", Deadline(10.0))
    assert held.wait(10)
    fresh = world.book.get(world.shard.id)
    assert fresh is not None
    assert fresh.holds == set()
