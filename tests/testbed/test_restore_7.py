# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""restore-collection, -indexes, -data (facts §7.1 to §7.4, §2.3) and the inventory that feeds them (§3.2)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.testbed.client import Answer, Client
from tests.testbed.launch import TestCluster

_NAMES = (f"r{number}" for number in itertools.count())


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return next(_NAMES)


def restore(client: Client, parameters: Mapping[str, object], query: str = "", database: str = "_system") -> Answer:
    body = {"parameters": {"type": 2, **parameters}, "indexes": [{"type": "persistent", "fields": ["ignored"]}]}
    return client("PUT", f"/_db/{database}/_api/replication/restore-collection{query}", body)


def data(client: Client, collection: str, body: str, query: str = "&preserveRevisionIds=true") -> Answer:
    return client("PUT", f"/_api/replication/restore-data?collection={collection}{query}", body.encode())


def properties(client: Client, name: str) -> dict[str, object]:
    return dict(client("GET", f"/_api/collection/{name}/properties").json)


def inventory(client: Client, database: str = "_system", query: str = "") -> dict[str, dict[str, object]]:
    answer = client("GET", f"/_db/{database}/_api/replication/clusterInventory{query}")
    assert answer.status == 200
    return {entry["parameters"]["name"]: entry for entry in answer.json["collections"]}


def test_7_1_creates_from_parameters_and_ignores_indexes_ids_and_shards(client: Client, name: str) -> None:
    wishes = {"name": name, "id": "1", "numberOfShards": 3, "replicationFactor": 2, "shards": {"s1": []}}
    answer = restore(client, wishes | {"shardKeys": ["a"], "keyOptions": {"type": "uuid"}, "waitForSync": True})
    assert (answer.status, answer.json) == (200, {"result": True})
    made = properties(client, name)
    assert made["numberOfShards"] == 3
    assert made["replicationFactor"] == 2
    assert made["shardKeys"] == ["a"]
    assert made["waitForSync"] is True
    assert made["id"] != "1"
    assert [i["type"] for i in client("GET", f"/_api/index?collection={name}").json["indexes"]] == ["primary"]


def test_7_1_shards_are_counted_only_without_a_number(client: Client, name: str) -> None:
    restore(client, {"name": name, "shards": {"s1": [], "s2": []}})
    assert properties(client, name)["numberOfShards"] == 2


def test_7_1_bad_replication_factor_becomes_the_default_and_write_concern_falls_back(client: Client, name: str) -> None:
    restore(client, {"name": name, "replicationFactor": "bad", "minReplicationFactor": 1})
    assert properties(client, name)["replicationFactor"] == 1
    assert properties(client, name)["writeConcern"] == 1


def test_7_1_existing_names(client: Client, name: str) -> None:
    restore(client, {"name": name})
    client("POST", f"/_api/document/{name}", {"_key": "a"})
    again = restore(client, {"name": name})
    assert (again.status, again.json["errorNum"]) == (409, 1207)
    assert restore(client, {"name": "_graphs"}).status == 200
    before = properties(client, name)["id"]
    assert restore(client, {"name": name}, "?overwrite=true").status == 200
    assert properties(client, name)["id"] != before
    assert client("GET", f"/_api/collection/{name}/count").json["count"] == 0


def test_7_1_overwrite_truncates_where_a_drop_is_impossible(client: Client, name: str) -> None:
    restore(client, {"name": name})
    restore(client, {"name": f"{name}follower", "distributeShardsLike": name})
    client("POST", f"/_api/document/{name}", {"_key": "a"})
    before = properties(client, name)["id"]
    assert restore(client, {"name": name}, "?overwrite=true").status == 200
    assert properties(client, name)["id"] == before
    assert client("GET", f"/_api/collection/{name}/count").json["count"] == 0


def test_7_1_hidden_and_deleted_are_skipped(client: Client, name: str) -> None:
    for parameters in ({"name": f"_local_{name}"}, {"name": name, "deleted": True}):
        assert restore(client, parameters).json == {"result": True}
        assert client("GET", f"/_api/collection/{parameters['name']}").status == 404


def test_7_1_distribute_shards_like(client: Client, name: str) -> None:
    missing = restore(client, {"name": name, "distributeShardsLike": "nothing"})
    assert (missing.status, missing.json["errorNum"]) == (500, 1486)
    relaxed = {"name": name, "distributeShardsLike": "nothing"}
    assert restore(client, relaxed, "?ignoreDistributeShardsLikeErrors=true").status == 200


@pytest.mark.parametrize("body", [{}, {"parameters": {}}, {"parameters": {"name": "x", "type": "document"}}, []])
def test_7_1_bad_bodies(client: Client, body: object) -> None:
    assert client("PUT", "/_api/replication/restore-collection", body).status == 400


def test_7_2_indexes_keep_their_ids_and_names(client: Client, name: str) -> None:
    restore(client, {"name": name})
    indexes = [
        {"id": "0", "type": "primary", "fields": ["_key"]},
        {"id": "987654", "type": "persistent", "name": "by_a", "fields": ["a"], "unique": False, "sparse": True},
        {"id": "987655", "type": "geo1", "name": "where", "fields": ["place"], "geoJson": True},
    ]
    answer = client("PUT", "/_api/replication/restore-indexes", {"parameters": {"name": name}, "indexes": indexes})
    assert (answer.status, answer.json) == (200, {"result": True})
    made = {entry["name"]: entry for entry in inventory(client)[name]["indexes"]}  # type: ignore[attr-defined]
    assert (made["by_a"]["id"], made["by_a"]["sparse"]) == ("987654", True)
    assert made["where"]["type"] == "geo"
    assert "primary" not in made


def test_7_3_views(client: Client, name: str) -> None:
    restore(client, {"name": name})
    link = {name: {"includeAllFields": True}}
    definition = {"name": f"v{name}", "type": "arangosearch", "links": link, "id": "77"}
    made = client("PUT", "/_api/replication/restore-view", definition)
    assert (made.status, made.json) == (200, {"result": True})
    again = client("PUT", "/_api/replication/restore-view", definition)
    assert (again.status, again.json["errorNum"]) == (409, 1207)
    assert client("PUT", "/_api/replication/restore-view?overwrite=true", definition).status == 200
    shown = client("GET", "/_api/replication/clusterInventory").json["views"]
    assert [list(view["links"]) for view in shown if view["name"] == f"v{name}"] == [[name]]
    assert client("PUT", "/_api/replication/restore-view", {"type": "arangosearch"}).status == 400


def test_7_4_accepted_lines(client: Client, name: str) -> None:
    restore(client, {"name": name})
    data(client, name, '{"_key":"gone"}\n{"_key":"gone2"}\n')
    body = (
        '{"_key":"a","_id":"other/a","_rev":"_jt3aNJe---","n":1e-7}\n\n'
        '{"type":2300,"data":{"_key":"b","_rev":"_jt3aNJf---","n":12345678901234567890}}\n'
        '{"type":2302,"key":"gone"}\n{"type":2302,"data":{"_key":"gone2"}}\n{"type":2302,"key":"never"}'
    )
    answer = data(client, name, body)
    assert (answer.status, answer.json) == (200, {"result": True})
    assert (
        client("GET", f"/_api/document/{name}/a").body
        == f'{{"_key":"a","_id":"{name}/a","_rev":"_jt3aNJe---","n":1e-7}}'.encode()
    )
    assert client("GET", f"/_api/document/{name}/b").body.endswith(b'"n":12345678901234567890}')
    assert client("GET", f"/_api/collection/{name}/count").json["count"] == 2


def test_7_4_revisions_are_kept_only_on_request(client: Client, name: str) -> None:
    restore(client, {"name": name})
    data(client, name, '{"_key":"a","_rev":"_jt3aNJe---"}', "")
    document = client("GET", f"/_api/document/{name}/a").json
    assert set(document) == {"_key", "_id", "_rev"}
    assert document["_rev"] != "_jt3aNJe---"


def test_7_4_replaces_by_key(client: Client, name: str) -> None:
    restore(client, {"name": name})
    data(client, name, '{"_key":"a","old":1}\n{"_key":"a","new":1}')
    assert set(client("GET", f"/_api/document/{name}/a").json) == {"_key", "_id", "_rev", "new"}


def test_7_4_the_first_error_is_the_answer_and_the_others_are_written(client: Client, name: str) -> None:
    restore(client, {"name": name})
    client("POST", f"/_api/index?collection={name}", {"type": "persistent", "fields": ["u"], "unique": True})
    answer = data(client, name, '{"_key":"a","u":1}\n{"_key":"b","u":1}\n{"_key":"/","u":2}\n{"_key":"c","u":3}')
    assert (answer.status, answer.json["errorNum"]) == (409, 1210)
    assert client("GET", f"/_api/collection/{name}/count").json["count"] == 2


@pytest.mark.parametrize(("body", "number"), [("{", 600), ('{"no":"key"}', 400), ("[1]", 400), ('{"_key":1}', 400)])
def test_7_4_bad_lines(client: Client, name: str, body: str, number: int) -> None:
    restore(client, {"name": name})
    answer = data(client, name, body)
    assert (answer.status, answer.json["errorNum"]) == (400, number)


def test_7_4_unknown_collection_and_missing_parameter(client: Client) -> None:
    assert data(client, "nothing", "").json["errorNum"] == 1203
    assert client("PUT", "/_api/replication/restore-data", b"").status == 400


def test_7_4_an_own_key_where_the_shard_key_is_another(client: Client, name: str) -> None:
    restore(client, {"name": name, "shardKeys": ["region"], "numberOfShards": 3})
    assert client("POST", f"/_api/document/{name}", {"_key": "a", "region": 1}).json["errorNum"] == 1466
    assert data(client, name, '{"_key":"a","region":1}').status == 200


def test_7_4_users_are_upserted_by_name_and_the_cache_is_reloaded(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/user", {"user": "anna", "passwd": "first"})
    documents = cluster.control.documents("_system", "_users").values()
    mine = next(raw for _, raw in documents if b'"user":"anna"' in raw).decode()
    assert data(client, "_users", mine.replace('"anna"', '"bert"').replace('"_key":"', '"_key":"9')).status == 200
    login = {"username": "bert", "password": "first"}
    assert client("POST", "/_open/auth", login).status == 200
    assert client("GET", "/_api/user/bert").json["user"] == "bert"
    assert data(client, "_users", "").status == 200


def test_2_3_root_is_not_escalated_while_read_only(start: Callable[..., TestCluster]) -> None:
    cluster = start(coordinators=1, dbservers=1, options={"mode_delay": 0.01, "mode_put_delay": 0.1})
    with Client.root(cluster) as root, Client.superuser(cluster, cluster.coordinators[0]) as superuser:
        restore(root, {"name": "c"})
        root("PUT", "/_admin/server/mode", {"mode": "readonly"})
        refused = restore(root, {"name": "d"})
        assert (refused.status, refused.json["errorNum"]) == (403, 11)
        refused = data(root, "c", '{"_key":"a"}')
        assert (refused.status, refused.json["errorNum"]) == (403, 1004)
        assert data(superuser, "c", '{"_key":"a"}').status == 200


@pytest.fixture(scope="module")
def stocked(client: Client) -> Iterator[dict[str, dict[str, object]]]:
    """The inventory of a database with two collections."""
    client("POST", "/_api/database", {"name": "stock"})
    restore(client, {"name": "things", "numberOfShards": 2, "replicationFactor": 2}, database="stock")
    restore(client, {"name": "links", "type": 3, "distributeShardsLike": "things"}, database="stock")
    client("POST", "/_db/stock/_api/index?collection=things", {"type": "persistent", "fields": ["a"], "name": "ia"})
    yield inventory(client, "stock")


def test_3_2_keys_of_an_entry(stocked: dict[str, dict[str, object]]) -> None:
    entry = stocked["things"]
    assert set(entry) == {"parameters", "indexes", "planVersion", "isReady", "allInSync"}
    assert (entry["planVersion"], entry["isReady"], entry["allInSync"]) == (1, True, True)
    parameters = entry["parameters"]
    wanted = (
        "id planId name type status deleted isSystem globallyUniqueId waitForSync cacheEnabled keyOptions schema"
        " computedValues internalValidatorType isDisjoint isSmart isSmartChild usesRevisionsAsDocumentIds"
        " syncByRevision numberOfShards replicationFactor minReplicationFactor writeConcern shardKeys"
        " shardingStrategy shards"
    )
    assert set(wanted.split()) <= set(parameters)  # type: ignore[call-overload]
    assert parameters["globallyUniqueId"] == f"c{parameters['planId']}/"  # type: ignore[index]
    assert [len(servers) for servers in parameters["shards"].values()] == [2, 2]  # type: ignore[index]


def test_3_2_distribute_shards_like_is_a_name_and_places_alike(stocked: dict[str, dict[str, object]]) -> None:
    things, links = stocked["things"]["parameters"], stocked["links"]["parameters"]
    assert links["distributeShardsLike"] == "things"  # type: ignore[index]
    assert list(links["shards"].values()) == list(things["shards"].values())  # type: ignore[index]


def test_3_2_indexes_without_primary_and_edge(stocked: dict[str, dict[str, object]]) -> None:
    assert [i["name"] for i in stocked["things"]["indexes"]] == ["ia"]  # type: ignore[attr-defined]
    assert stocked["links"]["indexes"] == []


def test_3_2_include_system_is_the_default(client: Client, stocked: dict[str, dict[str, object]]) -> None:
    assert "_graphs" in stocked
    assert set(inventory(client, "stock", "?includeSystem=false")) == {"things", "links"}


def test_3_2_only_on_coordinators(cluster: TestCluster) -> None:
    with Client.superuser(cluster, next(iter(cluster.dbservers.values()))) as server:
        answer = server("GET", "/_api/replication/clusterInventory")
    assert (answer.status, answer.json["errorNum"]) == (403, 1471)


def test_6_the_revisions_api_is_refused_by_coordinators(client: Client) -> None:
    answer = client("GET", "/_api/replication/revisions/tree?collection=s1")
    assert (answer.status, answer.json["errorNum"]) == (501, 1470)
