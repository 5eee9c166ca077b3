# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading definitions, comparing two readings, and telling what the target lacks."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import inventory as inv
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.definitions import problems
from tests.unit.front_fake import FakeFront, refusal


def answer(**changes: Any) -> dict[str, Any]:
    """A clusterInventory with one collection, one index of each implicit kind, and one view (facts §3.2)."""
    return {
        "properties": {"id": "77", "name": "shop", "sharding": "", "replicationFactor": 2, "writeConcern": 1},
        "collections": [
            {
                "parameters": {
                    "id": "10",
                    "planId": "10",
                    "name": "things",
                    "type": 2,
                    "deleted": False,
                    "globallyUniqueId": "c10/",
                    "numberOfShards": 2,
                    "shardKeys": ["_key"],
                    "shardingStrategy": "hash",
                    "shards": {"s12": ["PRMR-b", "PRMR-a"], "s11": ["PRMR-a", "PRMR-b"]},
                },
                "indexes": [
                    {"id": "0", "type": "primary", "name": "primary", "fields": ["_key"]},
                    {"id": "13", "type": "persistent", "name": "n", "fields": ["n"], "selectivityEstimate": 0.5},
                    {"id": "14", "type": "ttl", "name": "t", "fields": ["t"], "expireAfter": 5},
                ],
                "isReady": True,
                "allInSync": False,
            }
        ],
        "views": [{"id": "99", "name": "v", "type": "arangosearch", "links": {"things": {}}}],
        "tick": "1",
        "state": "unused",
        **changes,
    }


ANALYZERS = {
    "result": [
        {"name": "text_en", "type": "text", "properties": {}, "features": []},
        {"name": "_system::mine", "type": "norm", "properties": {}, "features": []},
        {"name": "shop::low", "type": "norm", "properties": {"case": "lower"}, "features": ["norm", "frequency"]},
    ]
}


def parsed(**changes: Any) -> inv.DatabaseDef:
    """The database."""
    return inv.parse("shop", answer(**changes), ANALYZERS)


def test_what_is_read() -> None:
    """Identity, shards with leaders, indexes without implicit ones, the database's own analyzers."""
    database = parsed()
    things = database.collections["things"]
    assert (database.id, things.plan_id, things.ready, things.in_sync) == ("77", "10", True, False)
    assert things.leaders == {"s11": "PRMR-a", "s12": "PRMR-b"}
    assert things.cuid("s11") == "s11"
    assert set(things.indexes) == {"n", "t"}
    assert database.views == {"v": {"name": "v", "type": "arangosearch", "links": {"things": {}}}}
    assert set(database.analyzers) == {"low"}
    assert database.analyzers["low"]["features"] == ["frequency", "norm"]


def test_deleted_collections_are_not_there() -> None:
    """They are in the answer until the agency has forgotten them."""
    raw = answer()
    raw["collections"][0]["parameters"]["deleted"] = True
    assert inv.parse("shop", raw, ANALYZERS).collections == {}


def test_two_readings_are_equal_but_for_what_changes_by_itself() -> None:
    """Leaders, replicas in sync, selectivity, ticks; not identities or definitions."""
    raw = answer(tick="2")
    raw["collections"][0]["indexes"][1]["selectivityEstimate"] = 1
    raw["collections"][0]["parameters"]["shards"]["s11"].reverse()
    assert inv.database_essence(inv.parse("shop", raw, ANALYZERS)) == inv.database_essence(parsed())
    raw["collections"][0]["parameters"]["planId"] = "11"
    assert inv.database_essence(inv.parse("shop", raw, ANALYZERS)) != inv.database_essence(parsed())


def test_an_unexpected_form_is_told() -> None:
    """With the database's name; a dropped database is just not there."""
    front = FakeFront()
    front.on("GET _system /_api/database", {"result": ["shop", "gone"]})
    front.on("GET shop /_api/replication/clusterInventory", {"nothing": 1})
    front.on("GET shop /_api/analyzer", ANALYZERS)
    with pytest.raises(CutoverError) as refused:
        inv.read_database(front, "shop")
    assert refused.value.code == "CUT-SCHEMA-8"

    def gone(*_groups: str, **_options: object) -> None:
        raise refusal(404, 1228)

    front.on("GET gone .*", gone)
    front.on("GET shop /_api/replication/clusterInventory", answer())
    assert set(inv.read(front)) == {"shop"}


def test_a_database_that_is_being_dropped_passes() -> None:
    """An old Plan names a collection of analyzers that is gone: that ended a migration (soak seed 9032)."""
    front = FakeFront()
    front.on("GET shop /_api/replication/clusterInventory", answer())

    def gone(*_groups: str, **_options: object) -> None:
        raise refusal(404, 1203)

    front.on("GET shop /_api/analyzer", gone)
    with pytest.raises(CutoverError) as refused:
        inv.read_database(front, "shop")
    assert (refused.value.code, refused.value.retriable) == ("CUT-SCHEMA-7", True)


def test_a_target_that_has_everything() -> None:
    """Other identities, other estimates, and the late index still to come."""
    raw = answer()
    raw["properties"]["id"] = "5"
    raw["collections"][0]["parameters"].update(id="55", planId="55", globallyUniqueId="c55/", shards={"s9": []})
    raw["collections"][0]["indexes"].pop()
    target = inv.parse("shop", raw, ANALYZERS)
    assert problems({"shop": parsed()}, {"shop": target}, (3, 12)) == []


def _lose_collection(raw: dict[str, Any]) -> None:
    raw["collections"] = []


def _extra_collection(raw: dict[str, Any]) -> None:
    extra = copy.deepcopy(raw["collections"][0])
    extra["parameters"]["name"] = "extra"
    raw["collections"].append(extra)


def _lose_index(raw: dict[str, Any]) -> None:
    del raw["collections"][0]["indexes"][1]


def _extra_index(raw: dict[str, Any]) -> None:
    raw["collections"][0]["indexes"].append({"id": "1", "type": "persistent", "name": "more", "fields": ["m"]})


def _other_index(raw: dict[str, Any]) -> None:
    raw["collections"][0]["indexes"][1]["fields"] = ["m"]


def _lose_view(raw: dict[str, Any]) -> None:
    raw["views"] = []


def _other_layout(raw: dict[str, Any]) -> None:
    raw["collections"][0]["parameters"]["numberOfShards"] = 3


def _other_property(raw: dict[str, Any]) -> None:
    raw["collections"][0]["parameters"]["waitForSync"] = False


@pytest.mark.parametrize(
    "damage",
    [
        _lose_collection,
        _extra_collection,
        _lose_index,
        _extra_index,
        _other_index,
        _lose_view,
        _other_layout,
        _other_property,
    ],
)
def test_i5_whatever_differs_is_told_before_the_opening(damage: Any) -> None:
    """One damage at a time."""
    source = answer()
    source["collections"][0]["parameters"]["waitForSync"] = True
    raw = copy.deepcopy(source)
    raw["collections"][0]["indexes"].pop()
    wanted = {"shop": inv.parse("shop", source, ANALYZERS)}
    assert problems(wanted, {"shop": inv.parse("shop", raw, ANALYZERS)}, (3, 12)) == []
    damage(raw)
    assert len(problems(wanted, {"shop": inv.parse("shop", raw, ANALYZERS)}, (3, 12))) == 1
    assert len(problems(wanted, {}, (3, 12))) == 1
