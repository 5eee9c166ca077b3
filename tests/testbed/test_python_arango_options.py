# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""python-arango, unchanged: databases, collections and documents, single and in bulk, with every option it has."""

from __future__ import annotations

from typing import Any

import pytest
from arango.client import ArangoClient
from arango.exceptions import (
    CollectionCreateError,
    CollectionDeleteError,
    DatabaseCreateError,
    DocumentInsertError,
    DocumentRevisionError,
)
from arango.request import Request

from tests.testbed.launch import TestCluster


def test_databases_with_options(arango: ArangoClient, database: Any, clustered: bool) -> None:
    system: Any = arango.db("_system", "root", "secret", verify=True)
    users = [{"username": "eve", "password": "one", "active": True, "extra": {"desk": 4}}]
    assert system.create_database("flexible", users, replication_factor=2, write_concern=2, sharding="flexible")
    assert system.user("eve")["extra"] == {"desk": 4}
    eve: Any = arango.db("flexible", "eve", "one", verify=True)
    made = eve.create_collection("c").properties()
    if clustered:
        shown = eve.properties()
        assert (shown["sharding"], shown["replication_factor"], shown["write_concern"]) == ("", 2, 2)
        assert (made["replication_factor"], made["write_concern"]) == (2, 2)
    assert system.create_database("one", sharding="single", replication_factor=3)
    one: Any = arango.db("one", "root", "secret")
    properties = [one.create_collection(name, shard_count=4).properties() for name in ("a", "b")]
    if clustered:
        assert one.properties()["sharding"] == "single"
        assert [entry["shard_count"] for entry in properties] == [1, 1]
        first, second = (list(one.collection(name).shards(details=True)["shards"].values()) for name in ("a", "b"))
        assert first == second
    assert system.create_database("everywhere", replication_factor="satellite")
    everywhere: Any = arango.db("everywhere", "root", "secret")
    inherited = everywhere.create_collection("c").properties()
    assert not clustered or inherited["replication_factor"] == "satellite"
    with pytest.raises(DatabaseCreateError) as caught:
        system.create_database("wrong", sharding="double")
    assert caught.value.http_code == 400
    assert all(system.delete_database(name) for name in ("flexible", "one", "everywhere"))
    assert system.delete_user("eve")


def test_collections_with_options(database: Any, clustered: bool) -> None:
    made = database.create_collection(
        "options",
        shard_count=4,
        replication_factor=2,
        write_concern=1,
        shard_fields=["region"],
        key_generator="padded",
        user_keys=True,
        schema={"rule": {"type": "object"}, "level": "none", "message": "x"},
    )
    properties = made.properties()
    if clustered:
        assert (properties["shard_count"], properties["replication_factor"]) == (4, 2)
        assert properties["shard_fields"] == ["region"]
    assert properties["key_options"]["key_generator"] == "padded"
    assert made.configure(sync=True)["sync"] is True
    if clustered:
        assert made.responsible_shard({"_key": "1", "region": "x"}) in made.shards()["shards"]
        assert len(made.shards(details=True)["shards"]) == 4
    keys = [entry["_key"] for entry in made.insert_many([{"region": str(number)} for number in range(5)])]
    assert all(len(key) == 16 for key in keys)
    assert made.count() == 5
    assert int(made.checksum(with_rev=True, with_data=True)) != 0
    assert made.revision()
    assert made.statistics()["indexes"]["count"] == 1

def test_collections_that_are_placed_like_another_or_everywhere(database: Any, clustered: bool) -> None:
    leader = database.create_collection("leader", shard_count=3, replication_factor=2, sharding_strategy="hash")
    wait = {"sync_replication": True, "enforce_replication_factor": True}
    like = database.create_collection("like", shard_like="leader", **wait)
    counted = database.create_collection("counted", key_generator="autoincrement", key_increment=7, key_offset=3)
    numbers = [int(counted.insert({})["_key"]) for _number in range(2)]
    assert numbers[1] - numbers[0] == 7
    closed = database.create_collection("closed", user_keys=False)
    with pytest.raises(DocumentInsertError) as refused:
        closed.insert({"_key": "mine"})
    assert refused.value.error_code == 1222
    everywhere = database.create_collection("everywhere", replication_factor="satellite")
    if not clustered:
        return
    assert like.properties()["shard_like"] == "leader"
    assert leader.properties()["sharding_strategy"] == "hash"
    assert list(like.shards(details=True)["shards"].values()) == list(leader.shards(details=True)["shards"].values())
    with pytest.raises(CollectionDeleteError) as held:
        database.delete_collection("leader")
    assert held.value.error_code == 1485
    with pytest.raises(CollectionCreateError) as unknown:
        database.create_collection("lost", shard_like="nowhere")
    assert unknown.value.error_code == 1486
    assert everywhere.properties()["replication_factor"] == "satellite"
    assert [len(copies) for copies in everywhere.shards(details=True)["shards"].values()] == [3]
    with pytest.raises(CollectionCreateError) as scarce:
        database.create_collection("scarce", replication_factor=4)
    assert scarce.value.http_code == 400
    changed = leader.configure(replication_factor=3, write_concern=2, computed_values=[])
    assert (changed["replication_factor"], changed["write_concern"]) == (3, 2)
    assert list(like.shards(details=True)["shards"].values()) == list(leader.shards(details=True)["shards"].values())


def test_caches_by_the_properties_api(database: Any) -> None:
    """The driver has no name for `cacheEnabled`; administrators send what it has none for through its connection."""
    database.create_collection("cached")
    body = {"cacheEnabled": True, "waitForSync": True}
    request = Request(method="put", endpoint="/_api/collection/cached/properties", data=body)
    answer = database.conn.send_request(request)
    assert (answer.body["cacheEnabled"], answer.body["waitForSync"]) == (True, True)
    assert database.collection("cached").properties()["cache"] is True
    assert database.collection("cached").load_indexes() is True


def test_documents_with_options(database: Any) -> None:
    collection = database.create_collection("documents", shard_count=2)
    first = collection.insert({"_key": "a", "n": 1, "deep": {"x": 1, "y": 2}}, return_new=True, sync=True)
    assert first["new"]["deep"]["y"] == 2
    assert collection.insert({"_key": "b"}, silent=True) is True
    assert collection.insert({"_key": "a", "n": 9}, overwrite_mode="ignore")["_rev"] == first["_rev"]
    merged = collection.insert({"_key": "a", "m": 3}, overwrite_mode="update", return_new=True, return_old=True)
    assert (merged["new"]["n"], merged["new"]["m"], merged["old"]["n"]) == (1, 3, 1)
    assert merged["_old_rev"] == first["_rev"]
    thinned = collection.update({"_key": "a", "deep": {"y": None}}, keep_none=False, return_new=True)
    assert thinned["new"]["deep"] == {"x": 1}
    flat = collection.update({"_key": "a", "deep": {"z": 0}}, merge=False, return_new=True)
    assert flat["new"]["deep"] == {"z": 0}
    with pytest.raises(DocumentRevisionError):
        collection.replace({"_key": "a", "_rev": first["_rev"]}, check_rev=True)
    assert collection.replace({"_key": "a", "only": 1}, return_new=True)["new"]["only"] == 1
    with pytest.raises(DocumentRevisionError):
        collection.get({"_key": "a"}, rev=first["_rev"], check_rev=True)
    assert collection.delete("a", return_old=True)["old"]["only"] == 1
    assert collection.delete("a", ignore_missing=True) is False


def test_many_documents_with_options(database: Any) -> None:
    collection = database.create_collection("many", shard_count=3)
    made = collection.insert_many([{"_key": str(number), "n": number} for number in range(50)], return_new=True)
    assert [entry["new"]["n"] for entry in made] == list(range(50))
    mixed = collection.insert_many([{"_key": "1"}, {"_key": "not good"}, {"_key": "x"}])
    assert [getattr(entry, "error_code", 0) for entry in mixed] == [1210, 1221, 0]
    replaced = collection.insert_many([{"_key": "1", "n": -1}], overwrite_mode="replace", return_old=True)
    assert replaced[0]["old"]["n"] == 1
    changed = collection.update_many([{"_key": "2", "u": 1}, {"_key": "absent"}], return_new=True)
    assert changed[0]["new"]["u"] == 1
    assert changed[1].error_code == 1202
    stale = {"_key": "3", "_rev": made[4]["_rev"]}
    assert collection.replace_many([stale], check_rev=True)[0].error_code == 1200
    assert collection.replace_many([stale], check_rev=False)[0]["_old_rev"] == made[3]["_rev"]
    assert collection.delete_many([{"_key": "4", "_rev": made[3]["_rev"]}], check_rev=True)[0].error_code == 1200
    gone = collection.delete_many(["4", "5", "absent"], return_old=True)
    assert [entry["old"]["n"] for entry in gone[:2]] == [4, 5]
    assert gone[2].error_code == 1202
    assert collection.count() == 49


def test_overwriting_by_mode(database: Any) -> None:
    collection = database.create_collection("modes", shard_count=2)
    first = collection.insert({"_key": "a", "n": 1, "deep": {"x": 1}, "gone": 0}, overwrite_mode="conflict")
    with pytest.raises(DocumentInsertError) as caught:
        collection.insert({"_key": "a"}, overwrite_mode="conflict")
    assert (caught.value.http_code, caught.value.error_code) == (409, 1210)
    patch = {"_key": "a", "deep": {"y": 2}, "gone": None}
    options = {"keep_none": False, "merge": False, "return_new": True, "refill_index_caches": True}
    updated = collection.insert(patch, overwrite_mode="update", **options)["new"]
    assert (updated["deep"], updated["n"], "gone" in updated) == ({"y": 2}, 1, False)
    replaced = collection.insert({"_key": "a", "r": 1}, overwrite=True, return_old=True)
    assert replaced["_old_rev"] == updated["_rev"] != first["_rev"]
    many = [{"_key": "a", "m": 1}, {"_key": "b", "m": 1}]
    conflicts = collection.insert_many(many, overwrite_mode="conflict", refill_index_caches=False)
    assert [getattr(entry, "error_code", 0) for entry in conflicts] == [1210, 0]
    kept = collection.insert_many(many, overwrite_mode="ignore")
    assert [entry["_rev"] for entry in kept] == [replaced["_rev"], conflicts[1]["_rev"]]
    merged = collection.insert_many(many, overwrite_mode="update", merge=True, keep_none=True, return_new=True)
    assert merged[0]["new"]["r"] == 1
    with pytest.raises(DocumentInsertError):
        collection.insert_many(many, raise_on_document_error=True)
    assert collection.insert_many(many, overwrite_mode="replace", silent=True, sync=True) is True


def test_versions_given_by_the_application(database: Any, deployment: TestCluster) -> None:
    """`versionAttribute` acts from 3.12 on: an older version is acknowledged and changes nothing."""
    collection = database.create_collection("versions", shard_count=2)
    modern = database.version().startswith("3.12")
    keys = ("insert", "update", "replace", "update_many", "replace_many", "insert_many")
    collection.insert_many([{"_key": key, "v": 5} for key in keys])
    option = {"version_attribute": "v"}
    collection.insert({"_key": "insert", "v": 3}, overwrite_mode="replace", **option)
    collection.insert_many([{"_key": "insert_many", "v": 3}], overwrite_mode="update", **option)
    collection.update({"_key": "update", "v": 3}, refill_index_caches=True, **option)
    collection.replace({"_key": "replace", "v": 3}, refill_index_caches=True, **option)
    collection.update_many([{"_key": "update_many", "v": 3}], refill_index_caches=True, **option)
    collection.replace_many([{"_key": "replace_many", "v": 3}], refill_index_caches=True, **option)
    assert {entry["v"] for entry in collection} == {5 if modern else 3}
    collection.update({"_key": "update", "v": 6}, **option)
    collection.update({"_key": "replace"}, **option)
    assert collection.get("update")["v"] == 6
    assert collection.delete("update", refill_index_caches=True, silent=True) is True
    assert collection.delete_many([{"_key": "insert"}], refill_index_caches=True, sync=True)[0]["_key"] == "insert"
    assert collection.get("replace", allow_dirty_read=True)["_key"] == "replace"
