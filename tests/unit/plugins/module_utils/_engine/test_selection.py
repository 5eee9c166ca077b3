# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What include and exclude choose, what they tear apart, and that nothing of what is left out reaches the target."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine import inventory as inv
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.definitions import problems
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ordering import migrated
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.running import subjects_of
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.selection import Selection
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shape import shape_of
from tests.unit.schema_fakes import VERSION, Case, collection, inv_of, source


def choose(include: list[str] | None = None, exclude: list[str] | None = None) -> Selection:
    """As the start request gives it."""
    return shape_of({"include": include, "exclude": exclude}).selection


@pytest.mark.parametrize(
    ("include", "exclude", "taken", "left"),
    [
        ([], [], ["shop/a", "_system/a"], []),
        (["shop"], [], ["shop/a", "shop/_graphs"], ["crm/a", "crm/_graphs", "_system/a", "Shop/a"]),
        (["s*"], ["shop"], ["store/a"], ["shop/a", "shop/_graphs"]),
        (["shop/log_*"], [], ["shop/log_1", "shop/_graphs"], ["shop/a", "crm/log_1"]),
        ([], ["shop/log_*"], ["shop/a", "crm/log_1", "shop/_graphs"], ["shop/log_1"]),
        ([], ["*/tmp?"], ["shop/tmp", "shop/_graphs"], ["shop/tmp1", "crm/tmp2"]),
        (["shop", "crm/a"], ["shop/b"], ["shop/a", "crm/a"], ["shop/b", "crm/b"]),
        (["shop/[ab]"], [], ["shop/a", "shop/b"], ["shop/c", "shop/[ab]"]),
    ],
)
def test_patterns(include: list[str], exclude: list[str], taken: list[str], left: list[str]) -> None:
    """Whole databases, collections, both; exclude wins; system collections go with their database."""
    chosen = choose(include, exclude)
    for name in taken + left:
        assert chosen.collection(*name.split("/")) is (name in taken), name


def test_what_is_left_out_is_neither_made_nor_copied_nor_compared() -> None:
    """Its shards in the logs are known all the same; a view goes with the only collection that it shows."""
    case = Case()
    schema = case.schema()
    wanted = choose(exclude=["shop/things"]).apply(source())
    schema.follow(wanted)
    shop = case.target.databases["shop"]
    assert set(shop["collections"]) == {"follower", "edges", "_graphs"}
    assert shop["views"] == {}
    assert "distributeShardsLike" not in shop["collections"]["follower"]["parameters"]
    assert {plan.collection for plan in case.plane.plans.values()} == {"follower", "edges", "_graphs"}
    assert ("shop", "s10") in case.plane.ignored
    assert schema.gone(wanted, [("shop", "s10")]) == []
    assert problems(wanted, inv_of(case.target), VERSION) == []
    assert "things" not in {item.collection for item in subjects_of(wanted, VERSION)}


def test_a_database_that_is_left_out() -> None:
    """It is not made, its shards are known, and it may not be on the target."""
    case = Case()
    wanted = choose(include=["_system"]).apply(source())
    case.schema().follow(wanted)
    assert set(case.target.databases) == {"_system"}
    assert ("shop", "s10") in case.plane.ignored
    assert problems(wanted, inv_of(case.target), VERSION) == []
    case.target.databases["shop"] = case.target._empty("9")
    assert problems(wanted, inv_of(case.target), VERSION) == ["database shop is not on the source"]


def test_what_another_choice_has_left_on_the_target_is_dropped() -> None:
    """After an abort: its leavings are known as ours, and are not to stay."""
    case = Case()
    case.schema().follow(source())
    wanted = choose(exclude=["shop/edges"]).apply(source())
    case.schema().follow(wanted)
    assert "edges" not in case.target.databases["shop"]["collections"]
    case.schema().follow(choose(exclude=["shop"]).apply(source()))
    assert set(case.target.databases) == {"_system"}


def test_system_is_always_there() -> None:
    """Without its data; its analyzers are seen everywhere."""
    wanted = choose(include=["shop"]).apply(source())
    assert wanted["_system"].selected
    assert [item.name for item in wanted["_system"].collections.values() if migrated(item, VERSION)] == []


def torn_of(chosen: Selection, graphs: Any = None, **changes: Any) -> list[str]:
    """Everything that is torn apart, as text."""
    return [item.text for item in chosen.torn(source(**changes), {"shop": graphs or []})]


GRAPH = {
    "_key": "net",
    "edgeDefinitions": [{"collection": "edges", "from": ["things"], "to": ["follower"]}],
    "orphanCollections": ["alone"],
}
ALIAS = {"name": "al", "type": "search-alias", "indexes": [{"collection": "things", "index": "i"}]}


@pytest.mark.parametrize(
    ("exclude", "texts"),
    [
        ("other", []),
        ("shop", []),
        ("shop/edges", ["graph shop/net needs edges"]),
        ("shop/alone", ["graph shop/net needs alone"]),
        ("shop/follower", ["graph shop/net needs follower", "view shop/v needs follower"]),
        ("shop/things", ["collection shop/follower needs things", "graph shop/net needs things"]),
        ("shop/[te]*", ["collection shop/follower needs things", "graph shop/net needs edges, things"]),
    ],
)
def test_what_is_torn_apart(exclude: str, texts: list[str]) -> None:
    """Graphs, views, prototypes; a view of which nothing is left goes with its collections."""
    views = [ALIAS, {"name": "v", "type": "arangosearch", "links": {"edges": {}, "follower": {}}}]
    if exclude in ("shop/edges", "shop/things", "shop/[te]*"):
        views = [ALIAS]
    assert torn_of(choose(exclude=[exclude]), [GRAPH], views=views) == texts


def test_a_view_keeps_what_is_migrated() -> None:
    """Links and aliases of what is left out are not sent."""
    views = [
        {"name": "v", "type": "arangosearch", "links": {"edges": {}, "things": {"a": 1}}},
        {**ALIAS, "indexes": [*ALIAS["indexes"], {"collection": "edges", "index": "j"}]},
    ]
    chosen = choose(exclude=["shop/edges"])
    assert torn_of(chosen, views=views) == ["view shop/al needs edges", "view shop/v needs edges"]
    found = chosen.apply(source(views=views))["shop"].views
    assert found["v"]["links"] == {"things": {"a": 1}}
    assert found["al"]["indexes"] == ALIAS["indexes"]


def test_what_is_left_out_is_named() -> None:
    """By kind, without system collections."""
    assert choose().left_out(source()) == {"databases": [], "collections": [], "views": []}
    assert choose(exclude=["shop"]).left_out(source())["databases"] == ["shop"]
    found = choose(exclude=["shop/things"]).left_out(source())
    assert found == {"databases": [], "collections": ["shop/things"], "views": ["shop/v"]}
    own = inv.parse("_system", {"properties": {"id": "1"}, "collections": [collection("own", "7")]}, {"result": []})
    assert choose(include=["shop"]).left_out({"_system": own})["collections"] == ["_system/own"]


def test_patterns_that_match_nothing() -> None:
    """A system collection alone is nothing that a pattern can choose."""
    assert choose(["shop"], ["shop/thnigs", "shop/_g*"]).unmatched(source()) == ["shop/thnigs", "shop/_g*"]
    assert choose(["shop/things", "_system"]).unmatched(source()) == []


def test_grants_on_what_is_left_out_are_not_given() -> None:
    """A database or collection of that name would be another one on the target."""
    rights = {"permissions": {"read": True}}
    user = {
        "user": "app",
        "databases": {
            "*": rights,
            "_system": {**rights, "collections": {"*": rights, "_users": rights, "own": rights}},
            "crm": rights,
            "shop": {**rights, "collections": {"*": rights, "things": rights, "edges": rights}},
        },
    }
    assert choose().user(user) == user
    assert choose(["shop"], ["shop/edges"]).user(user) == {
        "user": "app",
        "databases": {
            "*": rights,
            "_system": {**rights, "collections": {"*": rights, "_users": rights}},
            "shop": {**rights, "collections": {"*": rights, "things": rights}},
        },
    }
    assert choose(["shop"]).user({"user": "bare"}) == {"user": "bare"}
