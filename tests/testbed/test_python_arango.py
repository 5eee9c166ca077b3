# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""python-arango, the users' own driver, works unchanged on collections and documents."""

from __future__ import annotations

from typing import Any

from arango.client import ArangoClient
from arango.exceptions import DocumentInsertError, DocumentRevisionError

from tests.testbed.launch import TestCluster


def test_databases_collections_and_documents(cluster: TestCluster) -> None:
    arango = ArangoClient(hosts=cluster.coordinators, verify_override=str(cluster.ca_path))
    system: Any = arango.db("_system", username="root", password="secret", verify=True)
    assert system.create_database("driver")
    database: Any = arango.db("driver", username="root", password="secret", verify=True)
    collection = database.create_collection("c", shard_count=3, replication_factor=2)
    assert collection.properties()["shard_count"] == 3
    first = collection.insert({"_key": "1", "v": 1.5}, return_new=True)
    assert first["new"]["v"] == 1.5
    results = collection.insert_many([{"_key": str(number)} for number in range(1, 5)])
    assert [isinstance(entry, DocumentInsertError) for entry in results] == [True, False, False, False]
    assert collection.count() == 4
    assert collection.update({"_key": "2", "x": {"y": 1}})["_rev"]
    assert collection.replace({"_key": "2", "z": 2}, return_old=True)["old"]["x"] == {"y": 1}
    assert {entry["_key"] for entry in collection.get_many(["2", "3", "9"])} == {"2", "3"}
    stale = {"_key": "2", "_rev": first["_rev"]}
    try:
        collection.delete(stale, check_rev=True)
        raise AssertionError("a stale revision was accepted")
    except DocumentRevisionError as error:
        assert error.error_code == 1200
    assert collection.delete("2")
    assert collection.get("2") is None
    assert collection.has("3")
    assert len(collection.delete_many([{"_key": "3"}])) == 1
    assert collection.truncate()
    assert collection.count() == 0
    edges = database.create_collection("e", edge=True)
    edges.insert({"_from": "c/1", "_to": "c/2"})
    assert edges.count() == 1
    assert {entry["name"] for entry in database.collections() if not entry["system"]} == {"c", "e"}
    assert database.delete_collection("c")
    assert system.delete_database("driver")
