# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unique indexes while following: held while they are built, values that change hands, and true conflicts."""

from __future__ import annotations

import random

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardState
from tests.integration.pair import Pair, wait_for, wait_in_sync

UNIQUE = {"type": "persistent", "fields": ["u"], "unique": True}
COUNT = 40


def swap(pair: Pair, draw: random.Random, values: list[int]) -> None:
    """Let documents exchange their unique values by way of a free one, as an application must."""
    chosen = draw.sample(range(COUNT), draw.randrange(2, 8))
    first = values[chosen[0]]
    pair.insert("c", [{"_key": f"k{chosen[0]}", "u": -1}])
    for taker, giver in zip(chosen[1:], chosen, strict=False):
        wanted = first if giver == chosen[0] else values[giver]
        pair.insert("c", [{"_key": f"k{taker}", "u": -2}])
        pair.insert("c", [{"_key": f"k{giver}", "u": -1}])
        pair.insert("c", [{"_key": f"k{taker}", "u": wanted}])
        values[giver], values[taker] = values[taker], wanted
        pair.insert("c", [{"_key": f"k{giver}", "u": values[giver]}])


def test_unique_values_swap_while_the_index_is_built_and_after_a_restart(pair: Pair) -> None:
    pair.create("c", numberOfShards=1)
    pair.clients.coordinators.json("POST", "/_api/index", database="_system", query={"collection": "c"}, body=UNIQUE)
    values = list(range(COUNT))
    pair.insert("c", [{"_key": f"k{number}", "u": number} for number in range(COUNT)])
    draw = random.Random(11)
    [plan] = pair.plans("c")
    with pair.plane() as plane:
        plane.register([plan])
        plane.start(pair.fresh())
        wait_in_sync(plane)
        plane.hold("_system", plan.id.plan_id, "index", Deadline(10.0))
        assert plane.states()[plan.id] is ShardState.HELD
        held_at = plane.restart_ticks()[plan.leader]
        for _turn in range(10):
            swap(pair, draw, values)
        applied = plane.progress().operations_applied
        pair.clients.target.json("POST", "/_api/index", database="_system", query={"collection": "c"}, body=UNIQUE)
        wait_for(lambda: plane.progress().spooled_bytes > 0)
        assert plane.progress().operations_applied == applied
        assert plane.restart_ticks()[plan.leader] == held_at, "a held shard holds the restart position"
        plane.release("_system", plan.id.plan_id, "index")
        for _turn in range(20):
            swap(pair, draw, values)
        wait_in_sync(plane)
        pair.drain(plane)
        assert pair.differences("c") == []
        assert plane.restart_ticks()[plan.leader] > held_at
        ticks = plane.restart_ticks()
        for _turn in range(5):
            swap(pair, draw, values)
    for _turn in range(10):
        swap(pair, draw, values)
    with pair.plane() as plane:
        plane.register([plan], in_sync=True)
        plane.start(dict(ticks))
        wait_in_sync(plane)
        pair.drain(plane)
        assert pair.differences("c") == []
        assert pair.findings == []


def test_i9_a_foreign_document_on_the_target_is_named(pair: Pair) -> None:
    pair.create("c", numberOfShards=1)
    pair.create_index("c", UNIQUE)
    pair.clients.target.json("POST", "/_api/document/c", database="_system", body={"_key": "foreign", "u": 1})
    with pair.plane() as plane:
        plane.register(pair.plans("c"))
        plane.start(pair.fresh())
        wait_in_sync(plane)
        pair.insert("c", [{"_key": "ours", "u": 1}, {"_key": "free", "u": 2}])
        pair.drain(plane)
        assert [(finding.code, finding.key) for finding in pair.findings] == [("CUT-DATA-4", "ours")]
        assert "foreign" in pair.findings[0].message
        assert sorted(pair.target.control.documents("_system", "c")) == ["foreign", "free"]


def test_a_collection_that_is_not_in_sync_cannot_be_held(pair: Pair) -> None:
    pair.create("c")
    plans = pair.plans("c")
    with pair.plane() as plane:
        plane.register(plans)
        with pytest.raises(CutoverError) as caught:
            plane.hold("_system", plans[0].id.plan_id, "index", Deadline(1.0))
        assert caught.value.code == "CUT-DATA-13"
        plane.start(pair.fresh())
        wait_in_sync(plane)
        plane.hold("_system", plans[0].id.plan_id, "index", Deadline(10.0))
        plane.hold("_system", plans[0].id.plan_id, "other", Deadline(10.0))
        plane.release("_system", plans[0].id.plan_id, "index")
        assert set(plane.states().values()) == {ShardState.HELD}
        plane.release("_system", plans[0].id.plan_id, "other")
        wait_in_sync(plane)
