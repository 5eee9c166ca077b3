# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Collections as coordinators and DB-Servers show them (facts §3.3), databases (§3.1), key generators (§3.4)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.testbed.client import Client
from tests.testbed.inprocess import Direct
from tests.testbed.launch import TestCluster

KEYS_3_11 = {  # facts §3.3, without supportsRBAC, which came with 3.12.10
    "error", "code", "writeConcern", "waitForSync", "usesRevisionsAsDocumentIds", "syncByRevision", "shardingStrategy",
    "schema", "numberOfShards", "minReplicationFactor", "id", "isSmartChild", "name", "statusString", "isSmart",
    "replicationFactor", "type", "status", "cacheEnabled", "isSystem", "computedValues", "internalValidatorType",
    "globallyUniqueId", "shardKeys", "isDisjoint", "keyOptions",
}  # fmt: skip


def test_properties_of_a_coordinator(client: Client) -> None:
    wishes = {"name": "p", "numberOfShards": 3, "replicationFactor": 2, "writeConcern": 2, "shardKeys": ["a", "b"]}
    created = client("POST", "/_api/collection", {**wishes, "schema": None, "cacheEnabled": True})
    assert created.status == 200
    values = client("GET", "/_api/collection/p/properties").json
    assert set(values) == KEYS_3_11
    assert {name: values[name] for name in wishes} == wishes
    assert (values["minReplicationFactor"], values["cacheEnabled"], values["type"]) == (2, True, 2)
    assert values["globallyUniqueId"] == f"c{values['id']}/"
    assert values["keyOptions"] == {"type": "traditional", "allowUserKeys": True}
    assert client("GET", f"/_api/collection/{values['id']}").json["name"] == "p"


def test_shards_leader_first_and_spread(client: Client, cluster: TestCluster) -> None:
    client("POST", "/_api/collection", {"name": "sh", "numberOfShards": 3, "replicationFactor": 2})
    details = client("GET", "/_api/collection/sh/shards?details=true").json["shards"]
    assert client("GET", "/_api/collection/sh/shards").json["shards"] == list(details)
    assert {servers[0] for servers in details.values()} == set(cluster.dbservers)
    assert all(len(set(servers)) == 2 for servers in details.values())


def test_dbservers_list_the_shards_they_hold(client: Client, cluster: TestCluster) -> None:
    wishes = {"name": "held", "numberOfShards": 2, "replicationFactor": 2}
    identity = client("POST", "/_api/collection", wishes).json["id"]
    client("POST", "/_api/document/held", [{} for _ in range(40)])
    details = client("GET", "/_api/collection/held/shards?details=true").json["shards"]
    counts = client("GET", "/_api/collection/held/count?details=true").json["count"]
    assert sum(counts.values()) == client("GET", "/_api/collection/held/count").json["count"] == 40
    for name, url in cluster.dbservers.items():
        with Client.superuser(cluster, url) as server:
            listed = {entry["name"]: entry for entry in server("GET", "/_api/collection").json["result"]}
            for shard, servers in details.items():
                assert (shard in listed) == (name in servers)
                if shard in listed:
                    assert listed[shard]["globallyUniqueId"] == f"c{identity}/{shard}"
                    assert server("GET", f"/_api/collection/{shard}/count").json["count"] == counts[shard]


def test_responsible_shard_is_where_the_document_is(client: Client, cluster: TestCluster) -> None:
    client("POST", "/_api/collection", {"name": "resp", "numberOfShards": 5})
    client("POST", "/_api/document/resp", [{"_key": f"k{number}"} for number in range(60)])
    by_shard: dict[str, int] = {}
    for number in range(60):
        shard = client("PUT", "/_api/collection/resp/responsibleShard", {"_key": f"k{number}"}).json["shardId"]
        by_shard[shard] = by_shard.get(shard, 0) + 1
    counts = client("GET", "/_api/collection/resp/count?details=true").json["count"]
    assert {shard: number for shard, number in counts.items() if number} == by_shard
    assert len(by_shard) == 5


def test_distribute_shards_like_follows_its_prototype(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "proto", "numberOfShards": 3, "replicationFactor": 2})
    values = client("POST", "/_api/collection", {"name": "like", "distributeShardsLike": "proto"}).json
    assert (values["distributeShardsLike"], values["numberOfShards"], values["replicationFactor"]) == ("proto", 3, 2)
    layouts = [
        list(client("GET", f"/_api/collection/{name}/shards?details=true").json["shards"].values())
        for name in ("proto", "like")
    ]
    assert layouts[0] == layouts[1]
    assert client("DELETE", "/_api/collection/proto").json["errorNum"] == 1485
    assert client("DELETE", "/_api/collection/like").status == 200
    assert client("DELETE", "/_api/collection/proto").status == 200


def test_a_database_goes_with_prototypes_and_what_is_distributed_like_them(client: Client) -> None:
    client("POST", "/_api/database", {"name": "models"})
    client("POST", "/_db/models/_api/collection", {"name": "proto", "numberOfShards": 2})
    client("POST", "/_db/models/_api/collection", {"name": "like", "distributeShardsLike": "proto"})
    assert client("DELETE", "/_api/database/models").status == 200


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        ({"name": "dup"}, 1207),
        ({"name": "1x"}, 1208),
        ({"name": ""}, 1208),
        ({"name": " a "}, 1208),
        ({"name": "_hidden"}, 1208),
        ({}, 1208),
        ({"name": "t", "type": 4}, 1218),
        ({"name": "t", "numberOfShards": 1001}, 1450),
        ({"name": "t", "numberOfShards": 0}, 10),
        ({"name": "t", "replicationFactor": 9}, 10),
        ({"name": "t", "distributeShardsLike": "none"}, 1486),
        ({"name": "t", "keyOptions": {"type": "autoincrement"}, "numberOfShards": 2}, 1470),
        ({"name": "t", "keyOptions": {"type": "other"}}, 10),
    ],
)
def test_refused_collections(client: Client, wishes: dict[str, object], error: int) -> None:
    client("POST", "/_api/collection", {"name": "dup"})
    answer = client("POST", "/_api/collection", wishes)
    assert answer.json["errorNum"] == error
    assert answer.status == answer.json["code"] >= 400


def test_only_some_properties_change(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "ch", "numberOfShards": 2})
    wishes = {"waitForSync": True, "numberOfShards": 9, "writeConcern": 2, "replicationFactor": 3}
    values = client("PUT", "/_api/collection/ch/properties", wishes).json
    assert (values["waitForSync"], values["numberOfShards"], values["writeConcern"]) == (True, 2, 2)
    layout = client("GET", "/_api/collection/ch/shards?details=true").json["shards"]
    assert all(len(servers) == 3 for servers in layout.values())


def test_rename_is_not_for_clusters(client: Client, start: Callable[..., TestCluster]) -> None:
    client("POST", "/_api/collection", {"name": "rn"})
    assert client("PUT", "/_api/collection/rn/rename", {"name": "other"}).status == 501
    with Client.root(start(flavour="single")) as single:
        single("POST", "/_api/collection", {"name": "rn"})
        assert single("PUT", "/_api/collection/rn/rename", {"name": "other"}).json["name"] == "other"
        assert single("GET", "/_api/collection/rn").status == 404
        assert single("GET", "/_api/collection/other/shards").status == 501


def test_a_dropped_name_comes_back_as_another_collection(client: Client) -> None:
    first = client("POST", "/_api/collection", {"name": "again"}).json
    client("POST", "/_api/document/again", {"_key": "k"})
    assert client("DELETE", "/_api/collection/again").json["id"] == first["id"]
    second = client("POST", "/_api/collection", {"name": "again"}).json
    assert second["globallyUniqueId"] != first["globallyUniqueId"]
    assert client("GET", "/_api/document/again/k").status == 404


def test_system_collections_are_listed_and_protected(client: Client) -> None:
    listed = {entry["name"]: entry["isSystem"] for entry in client("GET", "/_api/collection").json["result"]}
    assert listed["_graphs"] is True
    assert "_users" not in listed  # not even root sees it (facts §1.3)
    assert client("GET", "/_api/collection?excludeSystem=true").json["result"] == [
        entry for entry in client("GET", "/_api/collection").json["result"] if not entry["isSystem"]
    ]
    assert client("DELETE", "/_api/collection/_graphs").status == 403


def test_databases(client: Client) -> None:
    wishes = {"name": "one", "options": {"sharding": "single", "replicationFactor": 2, "writeConcern": 2}}
    answer = client("POST", "/_api/database", wishes)
    assert (answer.status, answer.json) == (201, {"error": False, "code": 201, "result": True})
    assert client("POST", "/_api/database", wishes).json["errorNum"] == 1207
    values = client("GET", "/_db/one/_api/database/current").json["result"]
    assert (values["name"], values["isSystem"]) == ("one", False)
    assert (values["sharding"], values["replicationFactor"], values["writeConcern"]) == ("single", 2, 2)
    created = client("POST", "/_db/one/_api/collection", {"name": "c", "numberOfShards": 5}).json
    assert (created["numberOfShards"], created["distributeShardsLike"]) == (1, "_graphs")
    assert (created["replicationFactor"], created["writeConcern"]) == (2, 2)
    assert client("GET", "/_api/database").json["result"] == ["_system", "one"]
    assert client("GET", "/_db/one/_api/database").json["errorNum"] == 1230
    assert client("DELETE", "/_api/database/one").json["result"] is True
    assert client("DELETE", "/_api/database/one").json["errorNum"] == 1228
    assert client("POST", "/_api/database", {"name": "1x"}).json["errorNum"] == 1229


def test_what_is_distributed_like_another_follows_its_copies(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "model", "numberOfShards": 2, "replicationFactor": 1})
    client("POST", "/_api/collection", {"name": "alike", "distributeShardsLike": "model"})
    client("POST", "/_api/document/alike", [{"n": number} for number in range(20)])

    def placed(name: str) -> list[list[str]]:
        return list(client("GET", f"/_api/collection/{name}/shards?details=true").json["shards"].values())

    assert placed("alike") == placed("model")
    for factor in (3, 2):
        client("PUT", "/_api/collection/model/properties", {"replicationFactor": factor})
        assert [len(servers) for servers in placed("model")] == [factor, factor]
        assert placed("alike") == placed("model")
        assert client("GET", "/_api/collection/alike/properties").json["replicationFactor"] == factor
    assert client("GET", "/_api/collection/alike/count").json["count"] == 20


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"type": "traditional"}, r"\d+"),
        ({"type": "padded"}, r"[0-9a-f]{16}"),
        ({"type": "uuid"}, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)
def test_generated_keys_are_unique_over_coordinators(
    client: Client, cluster: TestCluster, options: dict[str, str], pattern: str
) -> None:
    name = f"g_{options['type']}"
    client("POST", "/_api/collection", {"name": name, "keyOptions": options, "numberOfShards": 2})
    with Client.root(cluster, 1) as other:
        keys = [
            entry["_key"]
            for caller in (client, other)
            for entry in caller("POST", f"/_api/document/{name}", [{} for _ in range(20)]).json
        ]
    assert len(set(keys)) == 40
    assert all(re.fullmatch(pattern, key) for key in keys)


def test_a_generated_key_can_collide_with_a_given_one(client: Client) -> None:
    """Keys come from a counter that knows nothing of numbers brought from elsewhere (facts §3.4)."""
    client("POST", "/_api/collection", {"name": "collide", "numberOfShards": 2})
    last = int(client("POST", "/_api/document/collide", {}).json["_key"])
    restored = [{"_key": str(last + number), "_rev": f"_a{number:09}"} for number in range(1, 30)]
    client("POST", "/_api/document/collide?isRestore=true", restored)
    assert client("POST", "/_api/document/collide", {}).json["errorNum"] == 1210


def test_autoincrement_goes_on_after_given_keys(client: Client) -> None:
    options = {"type": "autoincrement", "increment": 5, "offset": 2}
    client("POST", "/_api/collection", {"name": "auto", "keyOptions": options})
    keys = [client("POST", "/_api/document/auto", body).json["_key"] for body in ({}, {}, {"_key": "20"}, {})]
    assert keys == ["7", "12", "20", "22"]


def test_keys_of_users_can_be_forbidden(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "nokeys", "keyOptions": {"allowUserKeys": False}})
    assert client("POST", "/_api/document/nokeys", {"_key": "a"}).json["errorNum"] == 1222
    assert client("POST", "/_api/document/nokeys?isRestore=true", {"_key": "a"}).status == 202


@pytest.mark.parametrize(("version", "number"), [("3.10.14", 0), ("3.11.14", 2)])
def test_smart_edges_have_hidden_collections(version: str, number: int) -> None:
    """Names, places and counts of facts §3.3 and §10; documents are refused, never kept in another way."""
    names = {"_local_e", "_from_e", "_to_e"}
    with Direct(version=version) as server:
        smart = {"isSmart": True, "numberOfShards": 2}
        server("POST", "/_api/collection", {"name": "v", "smartGraphAttribute": "region", **smart})
        server("POST", "/_api/collection", {"name": "e", "type": 3, "distributeShardsLike": "v", **smart})
        shown = server("GET", "/_api/replication/clusterInventory").json["collections"]
        found = {entry["parameters"]["name"]: entry["parameters"] for entry in shown}
        hidden = [found[name] for name in names]
        assert all(part["isSmartChild"] and part["isSystem"] and part["type"] == 3 for part in hidden)
        assert set(found["e"]["shadowCollections"]) == {part["id"] for part in hidden}
        assert set(found["e"]["shards"]) == {shard for part in hidden for shard in part["shards"]}
        assert len(found["e"]["shards"]) == 6
        assert (found["e"]["numberOfShards"], found["e"]["isSmartChild"]) == (number, False)
        assert server("GET", "/_api/collection/e/shards?details=true").json["shards"] == found["e"]["shards"]
        assert "e" in server("GET", "/_api/collection?excludeSystem=true").body.decode()
        edge = {"_key": "a:1:b", "_from": "v/a:1", "_to": "v/b:1"}
        assert server("POST", "/_api/document/e", edge).json["errorNum"] == 9
        assert server("DELETE", "/_api/collection/e").status == 200
        left = {entry["name"] for entry in server("GET", "/_api/collection").json["result"]}
        assert not left & {"e", *names}


def test_a_database_goes_with_its_smart_edges() -> None:
    with Direct(version="3.12.10") as server:
        server("POST", "/_api/database", {"name": "d"})
        smart = {"isSmart": True, "numberOfShards": 2}
        server("POST", "/_db/d/_api/collection", {"name": "v", "smartGraphAttribute": "region", **smart})
        server("POST", "/_db/d/_api/collection", {"name": "e", "type": 3, "distributeShardsLike": "v", **smart})
        assert server("DELETE", "/_api/database/d").status == 200
        assert server("GET", "/_db/d/_api/collection").json["errorNum"] == 1228


def test_a_smart_graph_makes_smart_collections() -> None:
    with Direct(version="3.12.10") as server:
        body = {
            "name": "g",
            "isSmart": True,
            "edgeDefinitions": [{"collection": "e", "from": ["v"], "to": ["v"]}],
            "options": {"smartGraphAttribute": "region", "numberOfShards": 2, "replicationFactor": 1},
        }
        assert server("POST", "/_api/gharial", body).status == 202
        vertices = server("GET", "/_api/collection/v/properties").json
        assert (vertices["isSmart"], vertices["smartGraphAttribute"]) == (True, "region")
        assert server("GET", "/_api/collection/_local_e").json["isSystem"] is True
        assert server("DELETE", "/_api/gharial/g?dropCollections=true").status == 202
        assert server("GET", "/_api/collection/_local_e").status == 404
