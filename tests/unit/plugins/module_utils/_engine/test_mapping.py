# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a source definition becomes on a target."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine import mapping
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.inventory import CollectionDef
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ordering import (
    creation_order,
    drop_order,
    migrated,
)


def collection(name: str, **parameters: Any) -> CollectionDef:
    """A definition with the parameters that matter."""
    return CollectionDef(name, f"p-{name}", {"name": name, "type": 2, **parameters}, {}, {}, True, True)


def test_only_known_properties_are_sent() -> None:
    """Identity, shards, status, removed and unknown properties stay behind (facts §7.1, §10)."""
    body = mapping.collection_body(
        {
            "id": "1",
            "planId": "1",
            "globallyUniqueId": "c1/",
            "name": "c",
            "type": 2,
            "status": 3,
            "deleted": False,
            "shards": {"s1": []},
            "shadowCollections": [],
            "minReplicationFactor": 1,
            "supportsRBAC": True,
            "numberOfShards": 3,
            "shardKeys": ["a"],
            "schema": None,
            "keyOptions": {"type": "uuid", "allowUserKeys": True, "lastValue": 5, "increment": 1},
        }
    )
    assert body == {
        "name": "c",
        "type": 2,
        "numberOfShards": 3,
        "shardKeys": ["a"],
        "keyOptions": {"type": "uuid", "allowUserKeys": True},
    }


def test_key_options_keep_what_the_generator_takes() -> None:
    """A 3.12 target refuses the others (facts §3.4)."""
    options = {"type": "autoincrement", "allowUserKeys": False, "increment": 2, "offset": 7, "lastValue": 99}
    assert "lastValue" not in mapping.collection_body({"keyOptions": options})["keyOptions"]
    assert mapping.collection_body({"keyOptions": options})["keyOptions"]["offset"] == 7


@pytest.mark.parametrize(
    ("kind", "target", "result"),
    [
        ("hash", (3, 11), "persistent"),
        ("skiplist", (4, 0), "persistent"),
        ("geo1", (3, 11), "geo"),
        ("zkd", (3, 11), "zkd"),
        ("zkd", (3, 12), "mdi"),
        ("fulltext", (3, 12), "fulltext"),
        ("fulltext", (4, 0), None),
    ],
)
def test_index_types(kind: str, target: tuple[int, int], result: str | None) -> None:
    """By the target's version."""
    body = mapping.index_body({"id": "5", "type": kind, "fields": ["a"], "selectivityEstimate": 1}, target)
    assert (body and body["type"]) == result
    assert body is None or "selectivityEstimate" not in body


def test_when_indexes_are_built() -> None:
    """TTL and vector after the opening, also if they were unique; unique ones when all is in sync."""
    assert mapping.is_late({"type": "ttl"})
    assert mapping.is_late({"type": "vector"})
    assert mapping.is_unique({"type": "persistent", "unique": True})
    assert not mapping.is_unique({"type": "persistent", "unique": False})
    assert not mapping.is_unique({"type": "ttl", "unique": True})


def test_definitions_agree_where_both_say_something() -> None:
    """Versions differ in what they show; what both show must be equal."""
    wanted = {"id": "1", "type": "persistent", "fields": ["a"], "unique": True, "deduplicate": True}
    assert mapping.index_agrees(wanted, {"id": "2", "type": "persistent", "fields": ["a"], "unique": True, "new": 1})
    assert not mapping.index_agrees(wanted, {"type": "persistent", "fields": ["a", "b"], "unique": True})
    assert not mapping.index_agrees(wanted, {"type": "persistent", "fields": ["a"]})
    assert not mapping.index_agrees(wanted, {**wanted, "deduplicate": False})


def test_a_view_that_lost_a_link_does_not_agree() -> None:
    """Even though every link that both have is equal."""
    wanted = {"type": "arangosearch", "links": {"a": {"includeAllFields": True}, "b": {}}}
    assert mapping.view_agrees(wanted, {**wanted, "consolidationIntervalMsec": 1000})
    assert not mapping.view_agrees(wanted, {"type": "arangosearch", "links": {"a": {"includeAllFields": True}}})
    assert not mapping.view_agrees(wanted, {"type": "arangosearch", "links": {"a": {}, "b": {}, "c": {}}})


def test_a_view_that_lost_a_field_does_not_agree() -> None:
    """Fields are the user's names, at any depth; what else one side says alone is a setting of its version."""
    wanted = {"type": "arangosearch", "links": {"a": {"fields": {"b": {"fields": {"c": {}}}}}}}
    more = {"type": "arangosearch", "links": {"a": {"fields": {"b": {"fields": {"c": {}, "d": {}}}}}}}
    assert not mapping.view_agrees(wanted, more)
    assert not mapping.view_agrees(more, wanted)
    assert mapping.view_agrees(wanted, {**wanted, "optimizeTopK": []})


def test_a_search_alias_agrees_in_any_order() -> None:
    """Its indexes are a set."""
    one, other = ({"collection": name, "index": "i"} for name in ("a", "b"))
    view = {"type": "search-alias", "indexes": [one, other]}
    assert mapping.view_agrees(view, {**view, "indexes": [other, one]})
    assert not mapping.view_agrees(view, {**view, "indexes": [one]})
    assert not mapping.view_agrees({**view, "indexes": [one]}, view)


def test_an_index_that_lost_what_only_the_target_still_says_does_not_agree() -> None:
    """Stored values are not shown where there are none."""
    wanted = {"type": "persistent", "fields": ["a"]}
    assert not mapping.index_agrees(wanted, {**wanted, "storedValues": ["b"]})
    assert not mapping.index_agrees(wanted, {**wanted, "cacheEnabled": True})
    assert not mapping.index_agrees(wanted, {**wanted, "deduplicate": False})
    assert mapping.index_agrees(wanted, {**wanted, "storedValues": [], "cacheEnabled": False, "deduplicate": True})


def test_layout() -> None:
    """Shards, keys, strategy and type must be the same, whatever is defaulted."""
    wanted = {"type": 2, "numberOfShards": 3, "shardingStrategy": "hash"}
    assert mapping.layout_differences(wanted, {**wanted, "shardKeys": ["_key"], "replicationFactor": 3}) == []
    found = {"type": 3, "numberOfShards": 4, "shardingStrategy": "community-compat", "shardKeys": ["a"]}
    assert mapping.layout_differences(wanted, found) == ["type", "numberOfShards", "shardKeys", "shardingStrategy"]


def test_changed_properties() -> None:
    """Only those that can be changed."""
    wanted = {"waitForSync": True, "schema": None, "replicationFactor": 2, "cacheEnabled": False, "type": 2}
    found = {"waitForSync": False, "schema": {"rule": {}}, "replicationFactor": 3, "cacheEnabled": False, "type": 3}
    assert mapping.changed_properties(wanted, found) == {"waitForSync": True, "schema": None, "replicationFactor": 2}


@pytest.mark.parametrize(
    "special",
    [{"replicationFactor": "satellite"}, {"distributeShardsLike": "prototype"}, {"name": "_graphs"}],
)
@pytest.mark.parametrize("side", ["source", "target"])
def test_copies_are_followed_only_where_a_collection_has_them_of_its_own(special: dict[str, Any], side: str) -> None:
    """A request for anything else would be refused, or would change what belongs to the target."""
    wanted: dict[str, Any] = {"name": "c", "replicationFactor": 2, "writeConcern": 2}
    found: dict[str, Any] = {"name": "c", "replicationFactor": 1, "writeConcern": 1}
    assert mapping.changed_properties(wanted, found) == {"replicationFactor": 2, "writeConcern": 2}
    (wanted if side == "source" else found).update(special)
    assert mapping.changed_properties(wanted, found) == {}


def test_versions() -> None:
    """Nightlies too; nonsense is older than everything."""
    assert mapping.parse_version("3.12.10-nightly") == (3, 12)
    assert mapping.parse_version("x") == (0, 0)


def test_order_of_creation_and_drop() -> None:
    """Prototypes first, documents before edges, system before user, then by name (facts §3.6)."""
    items = [
        collection("z"),
        collection("follower", distributeShardsLike="z"),
        collection("edges", type=3),
        collection("_graphs"),
        collection("a"),
    ]
    assert [item.name for item in creation_order(items)] == ["_graphs", "a", "z", "edges", "follower"]
    assert [item.name for item in drop_order(items)] == ["follower", "edges", "z", "a", "_graphs"]


def test_which_collections_are_copied() -> None:
    """User collections, some of the system's, never the journal (facts §3.6)."""
    copied = ["things", "_graphs", "_aqlfunctions", "_apps", "_appbundles"]
    left = ["_users", "_analyzers", "_statistics", "_routing", "_jobs", "_queues", "_cutover", "cutover_journal"]
    assert all(migrated(collection(name), (3, 12)) for name in copied)
    assert not any(migrated(collection(name), (3, 12)) for name in left)
    assert [name for name in copied if migrated(collection(name), (4, 0))] == ["things", "_graphs"]
