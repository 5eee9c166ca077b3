# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The book of shards: however they are found, it is the same ones."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    NEXT,
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)

SERVERS = ("S1", "S2", "S3")


def plan(number: int, leader: str = "S1") -> ShardPlan:
    return ShardPlan(ShardId("d", str(number // 3), f"s{number}"), "c", f"s{number}", leader)


def check(book: ShardBook) -> None:
    """Every way to find shards agrees with a look at all of them."""
    shards = book.all()
    for server in SERVERS:
        assert set(book.led_by(server)) == {shard for shard in shards if shard.plan.leader == server}
        for state in ShardState:
            found = {shard for shard in shards if (shard.plan.leader, shard.state) == (server, state)}
            assert set(book.led_by(server, state)) == found
    assert book.counts() == Counter(shard.state for shard in shards)
    assert book.leaders() == {shard.plan.leader for shard in shards}
    calm = (ShardState.IN_SYNC, ShardState.PENDING)
    assert set(book.out_of(*calm)) == {shard for shard in shards if shard.state not in calm}
    for collection in {shard.collection for shard in shards}:
        assert set(book.of(*collection)) == {shard for shard in shards if shard.collection == collection}


@pytest.mark.parametrize("seed", range(5))
def test_shards_are_found_wherever_they_stand(tmp_path: Path, seed: int) -> None:
    draw, book, number = random.Random(seed), ShardBook(tmp_path), 0
    ended: list[Shard] = []
    for _step in range(150):
        shards = book.all()
        what = draw.choice(("add", "move", "move", "move", "begin anew", "remove", "adopt", "late"))
        if what == "add" or not shards:
            number += 1
            book.add(plan(number, draw.choice(SERVERS)), draw.choice((ShardState.PENDING, ShardState.SUSPECT)))
        elif what == "move":
            shard = draw.choice(shards)
            book.move(shard, draw.choice(sorted(NEXT[shard.state])))
        elif what == "begin anew":
            ended.append(draw.choice(shards))
            book.begin_anew(ended[-1], draw.choice((None, *SERVERS)))
        elif what == "remove":
            book.remove([draw.choice(shards)])
        elif what == "adopt":
            book.adopt(draw.choice(shards))
        elif ended:
            # Whoever still works on a life that a doubt has ended changes nothing for the next one.
            late = draw.choice(ended)
            book.move(late, draw.choice(sorted(NEXT[late.state])))
        check(book)


def test_a_collection_is_altered_by_whatever_changes_how_it_stands(tmp_path: Path) -> None:
    book = ShardBook(tmp_path)
    shard = book.add(plan(1))
    other = book.add(plan(9))
    assert book.take_altered() == {shard.collection, other.collection}
    assert book.take_altered() == set()
    book.move(shard, ShardState.COPYING)
    assert book.take_altered() == {shard.collection}
    fresh = book.begin_anew(shard)
    assert book.take_altered() == {shard.collection}
    book.let_go(fresh)
    assert book.take_altered() == {shard.collection}
    book.remove([fresh])
    assert book.take_altered() == {shard.collection}
    assert book.of(*shard.collection) == []
