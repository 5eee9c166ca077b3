# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""python-arango, unchanged, on everything that an application and its administrators use."""

from __future__ import annotations

import time
from typing import Any

import pytest
from arango.client import ArangoClient
from arango.exceptions import (
    AnalyzerDeleteError,
    AQLQueryExecuteError,
    AsyncJobResultError,
    CursorNextError,
    DocumentInsertError,
    DocumentRevisionError,
    IndexCreateError,
    PermissionUpdateError,
)

from tests.testbed.launch import TestCluster


def test_indexes(database: Any) -> None:
    collection = database.create_collection("indexed")
    unique = collection.add_index({"type": "persistent", "fields": ["a"], "unique": True, "sparse": True})
    collection.add_index({"type": "ttl", "fields": ["at"], "expireAfter": 3600, "name": "later"})
    collection.add_index({"type": "geo", "fields": ["place"], "geoJson": True})
    collection.add_index({"type": "inverted", "fields": ["text"], "name": "words"})
    collection.add_index({"type": "persistent", "fields": ["x", "y"], "inBackground": True, "storedValues": ["z"]})
    assert {entry["type"] for entry in collection.indexes()} == {"primary", "persistent", "ttl", "geo", "inverted"}
    collection.insert({"a": 1})
    with pytest.raises(DocumentInsertError) as caught:
        collection.insert({"a": 1})
    assert caught.value.error_code == 1210
    with pytest.raises(IndexCreateError):
        collection.add_index({"type": "persistent", "fields": []})
    assert collection.delete_index(unique["id"])
    assert len(collection.indexes()) == 5


def test_import_and_simple_queries(database: Any) -> None:
    collection = database.create_collection("bulk", shard_count=3)
    documents = [{"_key": str(number), "v": number % 5, "deep": {"x": number}} for number in range(1000)]
    assert collection.import_bulk(documents)["created"] == 1000
    again = collection.import_bulk(documents[:10], on_duplicate="ignore")
    assert (again["created"], again["ignored"]) == (0, 10)
    assert collection.import_bulk([{"_key": "1", "v": 9}, {"_key": "n"}], on_duplicate="replace")["updated"] == 1
    assert collection.import_bulk([{"_key": "1"}], halt_on_error=False, details=True)["errors"] == 1
    assert {entry["_key"] for entry in collection.find({"deep.x": 7})} == {"7"}
    assert len(list(collection.find({"v": 2}, skip=10, limit=20))) == 20
    assert len(list(collection.keys())) == 1001
    assert next(iter(collection.ids())).startswith("bulk/")
    assert len(list(collection.all())) == 1001
    assert collection.random()["_key"]
    assert collection.update_match({"v": 2}, {"w": 1}, limit=3) == 3
    assert collection.delete_match({"v": 3}) == 200
    assert {entry["_key"] for entry in collection.get_many(["5", "6", "absent"])} == {"5", "6"}
    edges = database.create_collection("bulk_edges", edge=True)
    links = [{"_from": "1", "_to": "2"}, {"_from": "2", "_to": "4"}]
    assert edges.import_bulk(links, from_prefix="bulk", to_prefix="bulk")["created"] == 2
    assert edges.get(next(iter(edges.keys())))["_from"].startswith("bulk/")


def test_queries_cursors_and_bind_variables(database: Any) -> None:
    collection = database.create_collection("asked", shard_count=2)
    collection.insert_many([{"_key": str(number), "n": number} for number in range(300)])
    cursor = database.aql.execute(
        "FOR d IN @@c FILTER d.n >= @least SORT d.n RETURN d.n",
        bind_vars={"@c": "asked", "least": 10},
        batch_size=50,
        count=True,
        full_count=False,
    )
    assert cursor.count() == 290
    assert list(cursor) == list(range(10, 300))
    limited = database.aql.execute("FOR d IN asked SORT d.n LIMIT 5, 5 RETURN d.n", full_count=True)
    assert list(limited) == [5, 6, 7, 8, 9]
    assert limited.statistics()["fullCount"] == 300
    streamed = database.aql.execute("FOR d IN asked RETURN d", stream=True, batch_size=100)
    assert sum(1 for _ in streamed) == 300
    closed = database.aql.execute("FOR d IN asked RETURN d", batch_size=10)
    assert closed.close()
    with pytest.raises(CursorNextError):
        closed.fetch()
    with pytest.raises(AQLQueryExecuteError) as caught:
        database.aql.execute("FOR d IN asked FOO")
    assert caught.value.error_code == 1501
    changed = database.aql.execute("FOR d IN asked FILTER d.n < 3 UPDATE d WITH {low: true} IN asked RETURN NEW.low")
    assert list(changed) == [True, True, True]
    assert changed.statistics()["modified"] == 3
    assert database.aql.validate("FOR d IN asked FILTER d.n == @x RETURN d")["bind_vars"] == ["x"]
    assert database.aql.explain("FOR d IN asked RETURN d")["collections"] == [{"name": "asked", "type": "read"}]
    assert database.aql.queries() == []


def test_transactions(database: Any) -> None:
    database.create_collection("money", shard_count=3)
    work = database.begin_transaction(write=["money"], read=["asked"])
    inside = work.collection("money")
    inside.insert_many([{"_key": str(number)} for number in range(10)])
    assert list(work.aql.execute("RETURN LENGTH(FOR d IN money RETURN 1)")) == [10]
    assert database.collection("money").count() == 0
    assert {entry["state"] for entry in database.list_transactions()} == {"running"}
    assert work.commit_transaction()
    assert database.collection("money").count() == 10
    undone = database.begin_transaction(write="money")
    undone.collection("money").delete("1")
    assert undone.abort_transaction()
    assert undone.transaction_status() == "aborted"
    assert database.collection("money").has("1")


def test_graphs(database: Any) -> None:
    graph = database.create_graph("school", orphan_collections=["rooms"])
    teach = graph.create_edge_definition("teach", ["teachers"], ["lectures"])
    teachers, lectures = graph.vertex_collection("teachers"), graph.vertex_collection("lectures")
    teachers.insert({"_key": "jon"})
    lectures.insert({"_key": "CSC101"})
    edge = teach.insert({"_from": "teachers/jon", "_to": "lectures/CSC101", "online": False})
    assert teach.update({"_key": edge["_key"], "online": True})["_old_rev"] == edge["_rev"]
    assert teach.get(edge["_key"])["online"] is True
    assert set(graph.vertex_collections()) == {"teachers", "lectures", "rooms"}
    assert graph.edge_definitions()[0]["edge_collection"] == "teach"
    graph.replace_edge_definition("teach", ["teachers", "rooms"], ["lectures"])
    assert [entry["_key"] for entry in teach.edges("teachers/jon")["edges"]] == [edge["_key"]]
    assert teach.edges("teachers/jon", direction="in")["edges"] == []
    assert teachers.delete("jon")
    assert teach.count() == 0
    assert graph.delete_edge_definition("teach", purge=True)
    assert database.has_graph("school")
    assert database.delete_graph("school", drop_collections=True)
    assert not database.has_collection("rooms")


def test_views_and_analyzers(database: Any) -> None:
    database.create_collection("texts")
    properties = {"locale": "en", "case": "lower", "stopwords": [], "accent": False, "stemming": True}
    assert database.create_analyzer("mine", "text", properties, ["frequency", "norm"])["name"] == "broad::mine"
    assert len(database.analyzers()) >= 14
    links = {"texts": {"fields": {"body": {"analyzers": ["mine"]}}}}
    view = database.create_arangosearch_view("search", {"links": links})
    assert view["links"]["texts"]["fields"]["body"]["analyzers"] == ["mine"]
    with pytest.raises(AnalyzerDeleteError):
        database.delete_analyzer("mine")
    changed = database.update_arangosearch_view("search", {"cleanupIntervalStep": 7})
    assert changed["cleanup_interval_step"] == 7
    replaced = database.replace_arangosearch_view("search", {"links": {}})
    assert replaced["links"] == {}
    assert [entry["name"] for entry in database.views()] == ["search"]
    assert database.delete_view("search")
    assert database.delete_analyzer("mine")


def test_what_a_graph_refuses(database: Any) -> None:
    graph = database.create_graph("roads")
    road = graph.create_edge_definition("road", ["cities"], ["cities"])
    cities = graph.vertex_collection("cities")
    first = cities.insert({"_key": "a", "size": 1}, return_new=True)["new"]
    second = cities.update({"_key": "a", "name": "A"}, return_new=True)["new"]
    assert (second["size"], second["name"]) == (1, "A")
    with pytest.raises(DocumentRevisionError):
        cities.replace({"_key": "a", "_rev": first["_rev"]}, check_rev=True)
    assert "size" not in cities.replace({"_key": "a", "name": "B"}, return_new=True)["new"]
    with pytest.raises(DocumentInsertError) as caught:
        cities.insert({"_key": "a"})
    assert caught.value.error_code == 1210
    with pytest.raises(DocumentInsertError) as caught:
        road.insert({"_from": "cities/a", "_to": "texts/a"})
    assert caught.value.error_code == 1947
    assert cities.get("absent") is None
    assert cities.delete("absent", ignore_missing=True) is False
    assert database.delete_graph("roads", drop_collections=True)


def test_batches_that_can_be_retried_and_an_alias(database: Any) -> None:
    database.create_collection("kept").insert_many([{"n": number} for number in range(25)])
    cursor = database.aql.execute("FOR d IN kept RETURN d.n", batch_size=10, ttl=60, allow_retry=True)
    assert cursor.has_more()
    assert sorted(cursor) == list(range(25))
    assert not cursor.has_more()
    database.collection("kept").add_index({"type": "inverted", "name": "inv", "fields": ["n"]})
    indexes = {"indexes": [{"collection": "kept", "index": "inv"}]}
    assert database.create_view("alias", "search-alias", indexes)["type"] == "search-alias"
    assert database.view("alias")["indexes"][0]["index"] == "inv"
    assert database.delete_view("alias")


def test_users_and_permissions(arango: ArangoClient, database: Any) -> None:
    system: Any = arango.db("_system", "root", "secret")
    system.create_user("ann", "one", active=True, extra={"team": "x"})
    assert system.user("ann")["extra"] == {"team": "x"}
    assert system.update_user("ann", password="two")["username"] == "ann"
    assert system.update_permission("ann", "ro", "broad")
    database.create_collection("granted")
    assert system.update_permission("ann", "rw", "broad", "granted")
    assert system.permission("ann", "broad") == "ro"
    assert system.permission("ann", "broad", "granted") == "rw"
    assert system.permissions("ann")["broad"]["collections"]["granted"] == "rw"
    ann: Any = arango.db("broad", "ann", "two", verify=True)
    ann.collection("granted").insert({"a": 1})
    with pytest.raises(DocumentInsertError):
        ann.collection("texts").insert({"a": 1})
    with pytest.raises(PermissionUpdateError):
        ann.update_permission("ann", "rw", "_system")
    token: Any = arango.db("broad", "ann", "two", auth_method="jwt")
    assert token.collection("granted").count() == 1
    assert system.reset_permission("ann", "broad", "granted")
    assert system.replace_user("ann", "three", active=False)["active"] is False
    assert system.delete_user("ann")
    assert not system.has_user("ann")


def test_async_jobs(database: Any) -> None:
    later = database.begin_async_execution(return_result=True)
    job = later.aql.execute("RETURN SLEEP(0.2)")
    assert job.status() == "pending"
    until = time.monotonic() + 10
    while job.status() != "done" and time.monotonic() < until:
        time.sleep(0.02)
    assert list(job.result()) == [None]
    failing = later.collection("absent").insert({})
    time.sleep(0.05)
    with pytest.raises(DocumentInsertError):
        failing.result()
    cancelled = later.aql.execute("RETURN SLEEP(30)")
    assert cancelled.cancel()
    time.sleep(0.5)
    with pytest.raises((AQLQueryExecuteError, AsyncJobResultError)):
        cancelled.result()
    assert database.clear_async_jobs()


def test_server_information(database: Any, deployment: TestCluster) -> None:
    assert database.version() in ("3.11.14", "3.12.10")
    assert database.status()["server"] == "arango"
    assert database.details()["role"] in ("COORDINATOR", "SINGLE")
    assert database.engine()["name"] == "rocksdb"
    assert database.properties()["name"] == "broad"
    assert database.databases_accessible_to_user() == ["_system", "broad"]
    assert database.tasks() == []
    assert database.aql.functions() == []
    assert database.time()
