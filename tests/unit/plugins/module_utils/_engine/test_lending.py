# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots that others copy: what stays the lead's, and what it believes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.grouping import share
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lending import Carried, Lender
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Stopped
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Shard,
    ShardId,
    ShardPlan,
    ShardState,
)
from tests.unit.plugins.module_utils._engine.test_copier import World as CopyWorld

NAME = "s2"


class World(CopyWorld):
    """One shard, its copiers, a lender; it is its own only carrier, for as many jobs as ``outcomes`` has."""

    agent = "the agent on host other.example"
    rests = False

    def __init__(self, directory: Path, *outcomes: Carried | Callable[[], Carried], empty: bool = True) -> None:
        super().__init__(directory, empty=empty)
        self.outcomes = list(outcomes)
        self.tailer.patience = self.patience
        self.tailer.reading = SimpleNamespace(error=None)  # type: ignore[attr-defined]
        sizes: Any = SimpleNamespace(learn=lambda shards: None)
        self.copiers._sizes = sizes
        self.doubted: list[ShardId] = []
        self.lender = Lender(
            self.book, {"S1": self.tailer}, self.copiers, self, self._doubt, self.patience,  # type: ignore[dict-item,arg-type]
        )
        self.lender.allowed = True

    @property
    def present(self) -> bool:
        """Until its last job."""
        return bool(self.outcomes)

    def carry(
        self, server: str, plans: Sequence[ShardPlan], wanted: Callable[[], bool], patience: Patience
    ) -> Carried:
        """See ``Carrier``."""
        self.events.append("carried")
        assert (server, [plan.id.shard for plan in plans], wanted()) == ("S1", [NAME], True)
        outcome = self.outcomes.pop(0)
        return outcome() if callable(outcome) else outcome

    def note_collection(self, shard: ShardId) -> None:
        """See ``Recheck``."""
        assert not self.shard.idle, "nobody may let go of the shard before this is noted"
        self.events.append("noted")

    def _doubt(self, shards: Iterable[ShardId], where: str, reason: str) -> None:
        self.doubted.extend(shards)
        for identity in shards:
            shard = self.book.get(identity)
            assert shard is not None
            self.book.begin_anew(shard)

    def lend(self) -> Shard:
        """All jobs; gives the shard as it is then."""
        self.lender._carriers.append(self)
        self.lender._serve(self)
        shard = self.book.get(self.shard.id)
        assert shard is not None
        assert not shard.claimed
        return shard


def test_i3_spool_and_position_are_the_leads_and_come_first(tmp_path: Path) -> None:
    """Whatever snapshot is opened later holds every marker up to that position."""
    world = World(tmp_path, Carried(copied=frozenset({NAME})))
    shard = world.lend()
    assert world.events == ["spool", "position", "carried", "copied"]
    assert shard.start_tick == 110
    assert shard.state is ShardState.CATCHING_UP
    assert shard.idle


def test_i3_a_copy_into_what_may_hold_something_is_swept(tmp_path: Path) -> None:
    """As one of its own."""
    assert World(tmp_path, Carried(copied=frozenset({NAME})), empty=False).lend().sweep_first


def test_i1_nobody_else_begins_while_others_may_write(tmp_path: Path) -> None:
    """Neither the lead's own copier, nor a new life of the shard, nor whoever drops the collection."""
    world = World(tmp_path)

    def looks() -> Carried:
        assert world.copiers.waiting("S1") == []
        assert not world.shard.idle
        assert world.lender.open_jobs == 1
        fresh = world.book.begin_anew(world.shard)
        assert not fresh.rested
        assert world.copiers.waiting("S1") == []
        return Carried(error="withdrawn")

    world.outcomes = [looks]
    assert world.lend().rested
    assert world.lender.open_jobs == 0
    assert len(world.copiers.waiting("S1")) == 1


def test_i1_what_a_lost_agent_was_copying_begins_anew_with_a_sweep_and_is_read_back(tmp_path: Path) -> None:
    """Whatever it has sent may still run."""
    world = World(tmp_path, Carried(unsettled=frozenset({NAME}), error="lost"))
    fresh = world.lend()
    assert world.events[-1] == "noted"
    assert world.doubted == [fresh.id]
    assert fresh.state is ShardState.PENDING
    assert not fresh.plan.first_copy_into_empty, "its next copy ends with a sweep"


def test_i1_a_request_without_an_answer_is_read_back_though_the_copy_is_complete(tmp_path: Path) -> None:
    """It may run behind its own repetition."""
    world = World(tmp_path, Carried(copied=frozenset({NAME}), unsettled=frozenset({NAME})))
    assert world.lend().state is ShardState.CATCHING_UP
    assert world.events[-2:] == ["noted", "copied"]
    assert world.doubted == []


def test_i8_a_full_disk_lets_nobody_go_before_it_is_noted(tmp_path: Path) -> None:
    world = World(tmp_path, Carried(unsettled=frozenset({NAME}), error="lost"))
    note, refused = world.note_collection, [OSError(28, "no space left on device")]

    def full(shard: ShardId) -> None:
        if refused:
            raise refused.pop()
        note(shard)

    world.note_collection = full  # type: ignore[method-assign]
    world.lend()
    assert world.events[-1] == "noted"
    assert world.lender.open_jobs == 0


@pytest.mark.parametrize("carried", [Carried(refused=frozenset({NAME})), Carried(error="no way to that server")])
def test_i9_the_lead_copies_itself_what_others_cannot(tmp_path: Path, carried: Carried) -> None:
    """So that it tells of the document by its key."""
    world = World(tmp_path, carried)
    shard = world.lend()
    assert shard.state is ShardState.COPYING
    assert world.copiers.waiting("S1") == [shard]
    assert world.lender._choose() == (None, [])
    assert shard.start_tick == 110


def test_a_lost_snapshot_is_tried_again(tmp_path: Path) -> None:
    """By whoever comes, from the first position on."""
    world = World(tmp_path, Carried(lost=True), Carried(copied=frozenset({NAME})))
    shard = world.lend()
    assert shard.state is ShardState.CATCHING_UP
    assert shard.start_tick == 110
    assert world.copiers.recopies == 1


def test_nothing_is_given_away_during_a_cutover(tmp_path: Path) -> None:
    """What is born then is small, and must not wait for others."""
    world = World(tmp_path, Carried())
    world.lender.allowed = False
    assert world.lender._choose() == (None, [])


def test_i1_a_carrier_that_breaks_keeps_its_shards(tmp_path: Path) -> None:
    """Nothing is known of what it still writes."""

    def breaks() -> Carried:
        raise Stopped

    world = World(tmp_path, breaks)
    world.lender._carriers.append(world)
    with pytest.raises(Stopped):
        world.lender._serve(world)
    assert not world.shard.idle
    assert world.copiers.waiting("S1") == []


def test_what_is_taken_at_once_leaves_work_to_others(tmp_path: Path) -> None:
    """The largest first, and less the less there is left."""
    world = CopyWorld(tmp_path)
    shards = [world.book.add(ShardPlan(ShardId("d", "1", f"t{number}"), "c", "x", "S1")) for number in range(12)]
    assert share(shards, 1) == shards
    assert share(shards, 2) == shards[:3]
    assert share(shards[9:], 3) == shards[9:10]
    for shard in shards:
        shard.documents = 1
    shards[0].documents = 1000
    assert share(shards, 2) == shards[:1]
    assert share(shards[1:], 2) == shards[1:3]
