# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has changed between two readings of the source's definitions."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine import inventory as inv
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.definitions import changes
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patterns import parse_pattern
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.selection import Selection

VERSION = (3, 12)


def collection(name: str, number: int) -> dict[str, Any]:
    """As clusterInventory shows it."""
    return {
        "parameters": {
            "id": str(number), "planId": str(number), "name": name, "type": 2, "schema": None, "computedValues": None,
            "cacheEnabled": False, "shards": {f"s{number}1": ["PRMR-a", "PRMR-b"]},
        },
        "indexes": [{"id": "13", "type": "persistent", "name": "n", "fields": ["n"], "selectivityEstimate": 0.5}],
    }  # fmt: skip


def answers() -> tuple[dict[str, Any], dict[str, Any]]:
    """Inventory and analyzers of the database shop."""
    inventory = {
        "properties": {"id": "77", "name": "shop"},
        "collections": [collection("things", 10), collection("orders", 20), collection("_jobs", 30)],
        "views": [{"id": "99", "name": "v", "type": "arangosearch", "links": {"things": {}}}],
    }
    analyzers = {"result": [{"name": "shop::low", "type": "norm", "properties": {"case": "lower"}, "features": []}]}
    return inventory, analyzers


def parsed(inventory: dict[str, Any], analyzers: dict[str, Any], *exclude: str) -> inv.Inventory:
    """As the cutover has it, without what is left out."""
    selection = Selection((), tuple(map(parse_pattern, exclude)))
    return selection.apply({"shop": inv.parse("shop", inventory, analyzers)})


def _things(inventory: dict[str, Any]) -> Any:
    return inventory["collections"][0]


def _schema(inventory: Any, _analyzers: Any) -> None:
    _things(inventory)["parameters"]["schema"] = {"rule": {}, "level": "strict"}


def _computed(inventory: Any, _analyzers: Any) -> None:
    _things(inventory)["parameters"]["computedValues"] = [{"name": "at"}]


def _property(inventory: Any, _analyzers: Any) -> None:
    _things(inventory)["parameters"]["cacheEnabled"] = True


def _made_again(inventory: Any, _analyzers: Any) -> None:
    _things(inventory)["parameters"].update(id="11", planId="11")


def _dropped(inventory: Any, _analyzers: Any) -> None:
    del inventory["collections"][0]


def _index(inventory: Any, _analyzers: Any) -> None:
    _things(inventory)["indexes"].append({"id": "14", "type": "ttl", "name": "t", "fields": ["t"], "expireAfter": 5})


def _index_dropped(inventory: Any, _analyzers: Any) -> None:
    _things(inventory)["indexes"].clear()


def _view(inventory: Any, _analyzers: Any) -> None:
    inventory["views"][0]["links"]["things"]["includeAllFields"] = True


def _view_dropped(inventory: Any, _analyzers: Any) -> None:
    inventory["views"].clear()


def _analyzer(_inventory: Any, analyzers: Any) -> None:
    analyzers["result"][0]["properties"]["case"] = "upper"


def _analyzer_made(_inventory: Any, analyzers: Any) -> None:
    analyzers["result"].append({"name": "shop::new", "type": "identity", "properties": {}, "features": []})


def _database(inventory: Any, _analyzers: Any) -> None:
    inventory["properties"]["id"] = "78"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_schema, "collection shop/things"),
        (_computed, "collection shop/things"),
        (_property, "collection shop/things"),
        (_made_again, "collection shop/things"),
        (_dropped, "collection shop/things"),
        (_index, "collection shop/things"),
        (_index_dropped, "collection shop/things"),
        (_view, "view shop/v"),
        (_view_dropped, "view shop/v"),
        (_analyzer, "analyzer shop/low"),
        (_analyzer_made, "analyzer shop/new"),
        (_database, "database shop"),
    ],
)
def test_i5_every_kind_of_change_is_told(change: Any, told: str) -> None:
    before, now = answers(), answers()
    change(*now)
    assert changes(parsed(*before), parsed(*now), VERSION) == [told]
    assert changes(parsed(*now), parsed(*before), VERSION) == [told]


def test_a_database_that_came_or_went_is_told() -> None:
    source = parsed(*answers())
    assert changes(source, {}, VERSION) == changes({}, source, VERSION) == ["database shop"]


def test_what_changes_by_itself_or_is_not_migrated_is_no_change() -> None:
    """Leaders, estimates, collections of the system, and what the operator has left out."""
    before, now = answers(), answers()
    things = _things(now[0])
    things["parameters"]["shards"]["s101"] = ["PRMR-b", "PRMR-a"]
    things["indexes"][0]["selectivityEstimate"] = 0.7
    now[0]["collections"][1]["parameters"]["cacheEnabled"] = True
    now[0]["collections"][2]["parameters"]["cacheEnabled"] = True
    assert changes(parsed(*before, "shop/orders"), parsed(*now, "shop/orders"), VERSION) == []
    other = copy.deepcopy(now)
    _view(*other)
    assert changes(parsed(*before, "shop"), parsed(*other, "shop"), VERSION) == []
