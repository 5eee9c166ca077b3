# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of servers and shards by the control API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster


@pytest.fixture
def shard(cluster: TestCluster, client: Client, request: pytest.FixtureRequest) -> Iterator[tuple[str, str, list[str]]]:
    """Collection, its only shard and that one's servers, leader first; three documents in it."""
    name = f"c{abs(hash(request.node.name))}"
    client("POST", "/_api/collection", {"name": name, "replicationFactor": 2})
    client("POST", f"/_api/document/{name}", [{"_key": key} for key in "abc"])
    shards = client("GET", f"/_api/collection/{name}/shards?details=true").json["shards"]
    yield (name, *next(iter(shards.items())))


def server_of(cluster: TestCluster, identifier: str) -> Client:
    return Client.superuser(cluster, cluster.dbservers[identifier])


def keys_in_log(cluster: TestCluster, identifier: str, shard: str) -> list[str]:
    with server_of(cluster, identifier) as server:
        lines = [json.loads(line) for line in server("GET", "/_api/wal/tail?global=true").body.splitlines()]
    return [line["data"]["_key"] for line in lines if line["type"] == 2300 and line["cuid"].endswith(f"/{shard}")]


def test_move_leader_to_the_follower(cluster: TestCluster, client: Client, shard: tuple[str, str, list[str]]) -> None:
    name, shard_name, servers = shard
    cluster.control.fault("move_leader", database="_system", shard=shard_name)
    placed = client("GET", f"/_api/collection/{name}/shards?details=true").json["shards"][shard_name]
    assert placed == servers[::-1]
    assert client("GET", f"/_api/collection/{name}/count").json["count"] == 3


def test_moving_a_shard_away_takes_its_markers_along(
    cluster: TestCluster, client: Client, shard: tuple[str, str, list[str]]
) -> None:
    name, shard_name, servers = shard
    third = next(identifier for identifier in cluster.dbservers if identifier not in servers)
    assert keys_in_log(cluster, servers[0], shard_name) == ["a", "b", "c"]
    cluster.control.fault("move_leader", database="_system", shard=shard_name, to=third)
    assert keys_in_log(cluster, servers[0], shard_name) == []  # facts §5.6: lost without a sign
    assert sorted(keys_in_log(cluster, third, shard_name)) == ["a", "b", "c"]
    assert client("GET", f"/_api/collection/{name}/count").json["count"] == 3


def test_restart_gives_a_new_reboot_id_and_forgets_clients_and_batches(cluster: TestCluster, client: Client) -> None:
    identifier = next(iter(cluster.dbservers))
    with server_of(cluster, identifier) as server:
        before = server("GET", "/_admin/status").json["serverInfo"]["rebootId"]
        data = server("GET", "/_api/wal/range").json
        server("GET", "/_api/wal/tail?from=1&syncerId=5")
        batch = server("POST", "/_api/replication/batch", {"ttl": 60}).json["id"]
    cluster.control.fault("restart_server", server=identifier)
    with server_of(cluster, identifier) as server:
        assert server("GET", "/_admin/status").json["serverInfo"]["rebootId"] == before + 1
        assert server("GET", "/_api/replication/logger-state").json["clients"] == []
        assert server("PUT", f"/_api/replication/batch/{batch}", {"ttl": 60}).status == 404
        after = server("GET", "/_api/wal/range").json
    assert after["server"] == data["server"]
    assert int(after["tickMax"]) >= int(data["tickMax"])


def test_a_killed_server_is_bad_until_it_is_back(cluster: TestCluster, client: Client) -> None:
    identifier = next(iter(cluster.dbservers))
    cluster.control.fault("kill_server", server=identifier)
    with pytest.raises(OSError), server_of(cluster, identifier) as server:
        server("GET", "/_api/version")
    assert client("GET", "/_admin/cluster/health").json["Health"][identifier]["Status"] == "BAD"
    cluster.control.fault("restart_server", server=identifier)
    assert client("GET", "/_admin/cluster/health").json["Health"][identifier]["Status"] == "GOOD"


def test_a_new_data_directory_has_another_server_id_and_its_followers_lead(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = tmp_path_factory.mktemp("wiped")
    with (
        TestCluster.start(directory, name="c", dbservers=2, root_password="x") as cluster,
        Client.root(cluster) as root,
    ):
        root("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        root("POST", "/_api/document/c", [{"_key": key} for key in "abc"])
        shard, servers = next(iter(root("GET", "/_api/collection/c/shards?details=true").json["shards"].items()))
        with server_of(cluster, servers[0]) as server:
            before = server("GET", "/_api/wal/range").json
        cluster.control.fault("kill_server", server=servers[0], new_data_dir=True)
        assert root("GET", "/_api/collection/c/shards?details=true").json["shards"][shard] == servers[1:]
        cluster.control.fault("restart_server", server=servers[0])
        with server_of(cluster, servers[0]) as server:
            after = server("GET", "/_api/wal/range").json
        assert after["server"]["serverId"] != before["server"]["serverId"]
        assert root("GET", "/_api/collection/c/shards?details=true").json["shards"][shard] == servers[::-1]
        assert sorted(keys_in_log(cluster, servers[0], shard)) == ["a", "b", "c"]


def test_the_only_copy_is_not_thrown_away(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "alone", "replicationFactor": 1})
    servers = next(iter(client("GET", "/_api/collection/alone/shards?details=true").json["shards"].values()))
    with pytest.raises(RuntimeError, match="only copy"):
        cluster.control.fault("kill_server", server=servers[0], new_data_dir=True)


def test_ticks_grow_by_internal_writes_that_no_marker_shows(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("idle")
    options = {"time_scale": 0.05}
    with (
        TestCluster.start(directory, name="c", coordinators=1, dbservers=1, options=options) as cluster,
        server_of(cluster, next(iter(cluster.dbservers))) as server,
    ):
        before = server("GET", "/_api/wal/lastTick").json["tick"]
        deadline = time.monotonic() + 10
        while (tick := server("GET", "/_api/wal/lastTick").json["tick"]) == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert int(tick) > int(before)
        assert server("GET", f"/_api/wal/tail?global=true&from={before}&to={tick}").status == 204
