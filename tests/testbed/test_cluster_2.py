# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Identity, health, mode, license, metrics (facts §2), unique ids (§3.4)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.testbed.client import Client
from tests.testbed.inprocess import Direct
from tests.testbed.launch import TestCluster
from tests.testbed.supervision import DOWN, supervise


@pytest.fixture(scope="module")
def server(cluster: TestCluster) -> Iterator[Client]:
    """The superuser on the first DB-Server."""
    with Client.superuser(cluster, next(iter(cluster.dbservers.values()))) as connected:
        yield connected


def test_2_1_version(client: Client, server: Client) -> None:
    plain = client("GET", "/_api/version").json
    assert plain == {"server": "arango", "license": "enterprise", "version": "3.11.14"}
    details = client("GET", "/_api/version?details=true").json["details"]
    assert all(isinstance(value, str) for value in details.values())
    assert (details["role"], details["mode"]) == ("COORDINATOR", "server")
    assert server("GET", "/_api/version?details=true").json["details"]["role"] == "PRIMARY"


def test_2_1_role_and_id(cluster: TestCluster, client: Client, server: Client) -> None:
    expected = {"error": False, "code": 200, "role": "PRIMARY", "mode": "default"}
    assert server("GET", "/_admin/server/role").json == expected
    assert client("GET", "/_admin/server/role").json["role"] == "COORDINATOR"
    assert server("GET", "/_admin/server/id").json["id"] == next(iter(cluster.dbservers))
    assert client("GET", "/_admin/server/id").json["id"].startswith("CRDN-")


def test_2_1_endpoints_are_the_coordinators(cluster: TestCluster, client: Client) -> None:
    endpoints = [entry["endpoint"] for entry in client("GET", "/_api/cluster/endpoints").json["endpoints"]]
    assert endpoints == [url.replace("https://", "ssl://") for url in cluster.coordinators]


def test_2_1_deployment_id_since_3_12_6(client: Client, start: Callable[..., TestCluster]) -> None:
    assert client("GET", "/_admin/deployment/id").status == 404
    newer = start(coordinators=1, dbservers=1, version="3.12.10")
    with Client.root(newer) as root:
        assert root("GET", "/_admin/deployment/id").json == {"id": newer.id}
        assert root("GET", "/_api/version").json["apiVersions"] == ["v0"]
        ids = root("PUT", "/_admin/cluster/uniqId?number=10").json
        again = root("PUT", "/_admin/cluster/uniqId?number=10").json
    assert (ids["largest"] - ids["smallest"], again["smallest"] > ids["largest"]) == (9, True)


def test_3_4_no_unique_ids_before_3_12_5(client: Client) -> None:
    assert client("PUT", "/_admin/cluster/uniqId?number=1").status == 404


def test_2_2_health(cluster: TestCluster, client: Client) -> None:
    answer = client("GET", "/_admin/cluster/health").json
    members = answer["Health"]
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["ClusterId"])
    assert {name for name in members if name.startswith("PRMR-")} == set(cluster.dbservers)
    for name, member in members.items():
        agent = name.startswith("AGNT-")
        assert isinstance(member["LastAckedTime"], float if agent else str)
        assert member["Role"] == {"AGNT": "Agent", "CRDN": "Coordinator", "PRMR": "DBServer"}[name[:4]]
        assert member["Endpoint"].startswith("ssl://")
        assert ("AdvertisedEndpoint" in member) == name.startswith("CRDN-")
        assert member["Status"] == "GOOD"


def test_2_2_roles_in_capitals_in_one_reading(start: Callable[..., TestCluster]) -> None:
    with Client.root(start(coordinators=1, dbservers=1, options={"readings": {"12": "capitals"}})) as root:
        members = root("GET", "/_admin/cluster/health").json["Health"].values()
    assert {member["Role"] for member in members} == {"AGENT", "COORDINATOR", "DBSERVER"}


def test_2_2_shard_distribution_has_short_names(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "spread", "numberOfShards": 2, "replicationFactor": 2})
    entry = client("GET", "/_admin/cluster/shardDistribution").json["results"]["spread"]
    for part in ("Plan", "Current"):
        assert len(entry[part]) == 2
        for shard in entry[part].values():
            assert re.fullmatch(r"DBServer\d{4}", shard["leader"])
            assert len(shard["followers"]) == 1


def test_2_2_number_of_servers(client: Client) -> None:
    answer = client("GET", "/_admin/cluster/numberOfServers").json
    assert {"numberOfCoordinators", "numberOfDBServers", "cleanedServers"} <= set(answer)


@pytest.mark.parametrize(("body", "status"), [("on", 200), ("off", 200), ("7200", 200), ("soon", 400), (7200, 400)])
def test_2_3_maintenance(client: Client, body: object, status: int) -> None:
    assert client("PUT", "/_admin/cluster/maintenance", body).status == status


@pytest.mark.parametrize(("body", "seconds"), [("on", 3600), ("7200", 7200)])
def test_2_3_maintenance_ends_by_itself(monkeypatch: pytest.MonkeyPatch, body: str, seconds: int) -> None:
    """After an hour, or the seconds of the body, each shortened as every time of the emulated world."""
    scale = 0.01
    with Direct(options={"failover_after": 1.0, "time_scale": scale}) as direct:
        direct("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        leader = direct.leader("c")
        assert direct("PUT", "/_admin/cluster/maintenance", body).status == 200
        begun = time.time()
        leader.down, leader.running = True, False
        direct.deployment.objects[DOWN] = {leader.id: time.monotonic() - 60}
        for passed, leads in ((0, True), (seconds * scale - 1, True), (seconds * scale + 1, False)):
            monkeypatch.setattr(time, "time", lambda passed=passed: begun + passed)
            supervise(direct.deployment)
            assert (direct.leader("c") is leader) is leads, passed


def test_2_2_status_of_a_coordinator(client: Client) -> None:
    answer = client("GET", "/_admin/status").json
    info = answer["serverInfo"]
    assert (info["role"], info["state"], info["readOnly"]) == ("COORDINATOR", "SERVING", False)
    assert isinstance(info["rebootId"], int)
    assert answer["agency"]["agencyComm"]["endpoints"]


def test_2_4_metrics_of_a_db_server_also_through_a_coordinator(
    cluster: TestCluster, client: Client, server: Client
) -> None:
    names = (
        "rocksdb_free_disk_space rocksdb_total_disk_space rocksdb_estimate_live_data_size rocksdb_wal_sequence"
        " rocksdb_archived_wal_files_size arangodb_shards_leader_number arangodb_shards_out_of_sync"
        " arangodb_replication_clients"
    )
    forwarded = client("GET", f"/_admin/metrics?serverId={next(iter(cluster.dbservers))}").body.decode()
    for text in (server("GET", "/_admin/metrics").body.decode(), forwarded):
        found = dict(re.findall(r"^(\w+)\{[^}]*\} (\S+)$", text, re.M))
        assert set(names.split()) <= set(found)
        assert float(found["rocksdb_free_disk_space"]) > 0.5 * float(found["rocksdb_total_disk_space"])


def test_2_4_license_by_version(client: Client, start: Callable[..., TestCluster]) -> None:
    assert "features" in client("GET", "/_admin/license").json
    for version, expected in (("3.11.14", {"license": "none"}), ("3.12.10", None)):
        other = start(coordinators=1, dbservers=1, version=version, options={"license": "community"})
        with Client.root(other) as root:
            answer = root("GET", "/_admin/license").json
            assert answer == expected or answer["diskUsage"]["bytesLimit"] == 107_374_182_400
            assert root("GET", "/_api/version").json["license"] == "community"


def test_support_information_of_a_cluster_and_of_one_server() -> None:
    """What stands in it is compared with the recordings; here: who is in it, and what it cannot be had without."""
    with Direct(options={"license": "community"}) as direct:
        shown = direct("GET", "/_admin/support-info").json["deployment"]
        assert list(shown["servers"]) == list(direct.deployment.servers)
        assert (shown["coordinators"], shown["dbServers"], shown["agents"]) == (2, 3, 3)
        assert shown["shards"] == direct("GET", "/_admin/cluster/shardStatistics").json["result"]
        for server in (direct.front, direct.dbservers[0]):
            host = direct("GET", "/_admin/support-info?local=true", on=server).json["host"]
            assert (host["id"], host["license"]) == (server.id, "community")
            assert ("engineStats" in host) == (server is not direct.front)
        direct("POST", "/_api/database", {"name": "d"})
        assert direct("GET", "/_db/d/_admin/support-info").json["errorNum"] == 1230
        direct.dbservers[0].running = False
        assert direct("GET", "/_admin/support-info").json["errorNum"] == 1478


def test_1_2_availability_needs_no_login(cluster: TestCluster) -> None:
    with Client(cluster.coordinators[0], cluster.ca_path, None) as nobody:
        assert nobody("GET", "/_admin/server/availability").json["mode"] == "default"
        assert nobody("GET", "/_admin/server/role").status == 401


def test_9_a_managed_cluster_is_reached_by_coordinators_only(start: Callable[..., TestCluster]) -> None:
    managed = start(flavour="managed", coordinators=1, dbservers=1)
    with Client.root(managed) as root:
        assert set(managed.dbservers) <= set(root("GET", "/_admin/cluster/health").json["Health"])
    with pytest.raises(OSError), Client.superuser(managed, next(iter(managed.dbservers.values()))) as server:
        server("GET", "/_api/version")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"readonly"', b'{"mode":"on"}', b""])
def test_2_3_bad_modes(client: Client, body: bytes) -> None:
    answer = client("PUT", "/_admin/server/mode", body)
    assert (answer.status, answer.json["errorNum"]) == (400, 400)


def test_2_3_mode_needs_rw_on_system(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/user", {"user": "reader", "passwd": "r"})
    client("PUT", "/_api/user/reader/database/_system", {"grant": "ro"})
    with Client.user(cluster, "reader", "r") as reader:
        assert reader("GET", "/_admin/server/mode").json == {"error": False, "code": 200, "mode": "default"}
        answer = reader("PUT", "/_admin/server/mode", {"mode": "readonly"})
    assert (answer.status, answer.json["errorNum"]) == (403, 11)


def test_2_3_the_flag_reaches_every_server_by_its_heartbeat_and_the_call_is_slow(
    start: Callable[..., TestCluster],
) -> None:
    cluster = start(options={"mode_delay": 0.4, "mode_put_delay": 0.8})
    servers = [Client.superuser(cluster, url) for url in [*cluster.coordinators, *cluster.dbservers.values()]]
    with Client.root(cluster) as root, ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        seen: set[tuple[str, ...]] = set()
        answer = pool.submit(root, "PUT", "/_admin/server/mode", {"mode": "readonly"})
        while time.monotonic() - begun < 0.75:
            seen.add(tuple(server("GET", "/_admin/server/mode").json["mode"] for server in servers))
        assert answer.result().json == {"error": False, "code": 200, "mode": "readonly"}
        assert time.monotonic() - begun >= 0.8
        assert len(seen) > 3  # some servers know it before others
        assert {server("GET", "/_admin/server/mode").json["mode"] for server in servers} == {"readonly"}
        assert root("GET", "/_admin/server/availability").json["mode"] == "readonly"


def test_2_3_what_read_only_refuses_and_whom_it_does_not(start: Callable[..., TestCluster]) -> None:
    cluster = start(options={"mode_delay": 0.01, "mode_put_delay": 0.05})
    with Client.root(cluster) as root, Client.superuser(cluster, cluster.coordinators[0]) as superuser:
        root("POST", "/_api/collection", {"name": "c"})
        root("PUT", "/_admin/server/mode", {"mode": "readonly"})
        refused = root("POST", "/_api/document/c", {"_key": "a"})
        assert (refused.status, refused.json["errorNum"]) == (403, 1004)
        for method, target, body in (
            ("POST", "/_api/collection", {"name": "d"}),
            ("DELETE", "/_api/collection/c", None),
            ("POST", "/_api/database", {"name": "d"}),
        ):
            refused = root(method, target, body)
            assert (refused.status, refused.json["errorNum"]) == (403, 11), target
        assert superuser("POST", "/_api/document/c", {"_key": "a"}).status == 202
        assert root("GET", "/_api/document/c/a").status == 200
        root("PUT", "/_admin/server/mode", {"mode": "default"})
        assert root("POST", "/_api/document/c", {"_key": "b"}).status == 202


def test_3_4_a_minimum_of_unique_ids_counts_after_a_restart_only(start: Callable[..., TestCluster]) -> None:
    newer = start(coordinators=1, dbservers=1, version="3.12.10")

    def new_key(client: Client) -> int:
        return int(client("POST", "/_api/document/c", {}).json["_key"])

    with Client.root(newer) as root:
        root("POST", "/_api/collection", {"name": "c", "numberOfShards": 2, "replicationFactor": 1})
        before = new_key(root)
        wanted = before + 5_000_000
        assert root("PUT", f"/_admin/cluster/uniqId?minimum={wanted}").json["code"] == 200
        assert new_key(root) < before + 1000
        name = root("GET", "/_admin/server/id").json["id"]
    newer.control.fault("restart_server", server=name)
    with Client.root(newer) as root:
        assert new_key(root) >= wanted
