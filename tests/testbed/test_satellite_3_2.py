# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Satellite collections: one shard with a copy on every DB-Server (facts §3.1, §3.2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.testbed.client import Client
from tests.testbed.inprocess import Direct
from tests.testbed.launch import TestCluster
from tests.testbed.model import Server


@pytest.fixture
def direct() -> Iterator[Direct]:
    """A cluster of four DB-Servers with a satellite collection `sat` of two documents."""
    with Direct(version="3.12.10", dbservers=4) as started:
        started("POST", "/_api/collection", {"name": "sat", "replicationFactor": "satellite", "numberOfShards": 3})
        started("POST", "/_api/document/sat", [{"_key": "a"}, {"_key": "b"}])
        yield started


def test_3_2_one_shard_with_a_copy_on_every_server(direct: Direct) -> None:
    properties = direct("GET", "/_api/collection/sat/properties").json
    assert (properties["replicationFactor"], properties["numberOfShards"]) == ("satellite", 1)
    [servers] = direct("GET", "/_api/collection/sat/shards?details=true").json["shards"].values()
    assert sorted(servers) == sorted(server.id for server in direct.dbservers)
    shown = direct("GET", "/_api/replication/clusterInventory").json["collections"]
    [entry] = [entry for entry in shown if entry["parameters"]["name"] == "sat"]
    assert entry["parameters"]["replicationFactor"] == "satellite"
    assert list(entry["parameters"]["shards"].values()) == [servers]
    assert (entry["isReady"], entry["allInSync"]) == (True, True)


def test_3_2_every_copy_logs_what_is_written(direct: Direct) -> None:
    def keys(server: Server) -> list[str]:
        lines = direct("GET", "/_api/wal/tail?global=true", on=server).body.splitlines()
        return [json.loads(line)["data"]["_key"] for line in lines if b'"_id":"sat/' in line]

    assert [keys(server) for server in direct.dbservers] == [["a", "b"]] * 4


def test_3_1_a_database_can_make_satellites_of_its_collections(direct: Direct) -> None:
    direct("POST", "/_api/database", {"name": "d", "options": {"replicationFactor": "satellite"}})
    assert direct("GET", "/_db/d/_api/database/current").json["result"]["replicationFactor"] == "satellite"
    direct("POST", "/_db/d/_api/collection", {"name": "c"})
    [servers] = direct("GET", "/_db/d/_api/collection/c/shards?details=true").json["shards"].values()
    assert len(servers) == 4


def test_7_1_a_satellite_is_restored_as_one(direct: Direct) -> None:
    shown = direct("GET", "/_api/replication/clusterInventory").json["collections"]
    [entry] = [entry for entry in shown if entry["parameters"]["name"] == "sat"]
    entry["parameters"]["name"] = "again"
    assert direct("PUT", "/_api/replication/restore-collection", entry).json == {"result": True}
    properties = direct("GET", "/_api/collection/again/properties").json
    assert (properties["replicationFactor"], properties["numberOfShards"]) == ("satellite", 1)


def test_copies_follow_the_servers_of_the_cluster(start: Callable[..., TestCluster]) -> None:
    """A server that joins gets a copy, one that is cleaned out loses it, and its leadership."""
    cluster = start(dbservers=3)
    with Client.root(cluster) as root:

        def servers() -> list[str]:
            placed: list[str]
            [placed] = root("GET", "/_api/collection/sat/shards?details=true").json["shards"].values()
            return placed

        root("POST", "/_api/collection", {"name": "sat", "replicationFactor": "satellite"})
        root("POST", "/_api/document/sat", [{"_key": "a"}, {"_key": "b"}])
        before = servers()
        added = cluster.control.fault("add_server")["result"]["id"]
        assert servers() == [*before, added]
        cluster.control.fault("clean_out_server", server=before[0])
        assert servers() == [*before[1:], added]
        root("POST", "/_api/document/sat", {"_key": "c"})
        copies = next(iter(cluster.control.get("/state/replicas", database="_system", collection="sat").values()))
        assert {name: set(keys) for name, keys in copies.items()} == {name: {"a", "b", "c"} for name in servers()}
