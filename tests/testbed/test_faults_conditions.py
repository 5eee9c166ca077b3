# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conditions of servers, and silent damage to documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.testbed import hlc
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

Started = tuple[TestCluster, Client, str, list[str]]


@pytest.fixture
def started(start: Callable[..., TestCluster]) -> Iterator[Started]:
    """A cluster, `root`, and a collection `c` with its shard and that one's servers."""
    cluster = start(options={"mode_delay": 0.2, "mode_put_delay": 0.3})
    with Client.root(cluster) as root:
        root("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        [(shard, servers)] = root("GET", "/_api/collection/c/shards?details=true").json["shards"].items()
        yield cluster, root, shard, servers


def test_a_full_disk_of_a_leader_and_of_a_follower(started: Started) -> None:
    cluster, root, _shard, (leader, follower) = started
    cluster.control.fault("full_disk", server=leader)
    answer = root("POST", "/_api/document/c", {"_key": "a"})
    assert (answer.status, answer.json["errorNum"]) == (500, 1104)
    metrics = root("GET", f"/_admin/metrics?serverId={leader}").body.decode()
    assert [line[-2:] for line in metrics.splitlines() if line.startswith("rocksdb_free_disk_space")] == [" 0"]
    cluster.control.fault("full_disk", server=leader, on=False)
    cluster.control.fault("full_disk", server=follower)
    assert root("POST", "/_api/document/c", {"_key": "a"}).status == 202
    [replicas] = cluster.control.get("/state/replicas", database="_system", collection="c").values()
    assert (set(replicas[leader]), set(replicas[follower])) == ({"a"}, set())
    cluster.control.fault("full_disk", server=follower, on=False)
    [replicas] = cluster.control.get("/state/replicas", database="_system", collection="c").values()
    assert replicas[leader] == replicas[follower]


@pytest.mark.parametrize("fault", ["full_disk", "kill_server"])
def test_a_leader_that_cannot_write_any_more_refuses_the_commit(started: Started, fault: str) -> None:
    """On every copy: nothing of the transaction is anywhere, and its locks are gone."""
    cluster, root, _shard, (leader, follower) = started
    begun = root("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
    inside = {"x-arango-trx-id": begun}
    assert root("POST", "/_api/document/c", {"_key": "a"}, headers=inside).status == 202
    cluster.control.fault(fault, server=leader)
    assert root("PUT", f"/_api/transaction/{begun}").json["errorNum"] == (1104 if fault == "full_disk" else 1478)
    if fault == "full_disk":
        cluster.control.fault("full_disk", server=leader, on=False)
    else:
        cluster.control.fault("restart_server", server=leader)
    assert root("GET", "/_api/document/c/a").status == 404
    assert root("POST", "/_api/document/c", {"_key": "a"}).status == 202
    [replicas] = cluster.control.get("/state/replicas", database="_system", collection="c").values()
    assert replicas[leader] == replicas[follower]


def test_a_license_that_makes_everything_read_only(started: Started) -> None:
    cluster, root, _shard, _servers = started
    cluster.control.fault("license_readonly")
    answer = root("POST", "/_api/document/c", {"_key": "a"})
    assert (answer.status, answer.json["errorNum"]) == (403, 1004)
    assert root("GET", "/_admin/license").json["status"] == "read-only"
    with Client.superuser(cluster, cluster.coordinators[0]) as superuser:
        assert superuser("POST", "/_api/document/c", {"_key": "b"}).status == 202
    cluster.control.fault("license_readonly", on=False)
    assert root("POST", "/_api/document/c", {"_key": "a"}).status == 202


def test_clock_skew_shows_in_revisions_and_never_turns_a_key_back(started: Started) -> None:
    cluster, root, shard, (leader, follower) = started
    cluster.control.fault("clock_skew", server=leader, seconds=3600)
    ahead = hlc.decode(root("POST", "/_api/document/c", {"_key": "a"}).json["_rev"]) >> 20
    assert abs(ahead / 1000 - time.time() - 3600) < 60
    cluster.control.fault("clock_skew", server=follower, seconds=-3600)
    cluster.control.fault("fail_over", database="_system", shard=shard)
    later = hlc.decode(root("PUT", "/_api/document/c/a", {"v": 1}).json["_rev"])
    assert later >> 20 >= ahead
    with Client.superuser(cluster, cluster.dbservers[follower]) as server:
        assert abs(server("GET", "/_admin/time").json["time"] - time.time() + 3600) < 60


def test_queue_time_grows_under_load(started: Started) -> None:
    cluster, _root, _shard, _servers = started
    cluster.control.fault("load", capacity=4, limit=8)

    def ask(wait: str | None) -> tuple[int, float]:
        with Client.root(cluster) as one:
            headers = {} if wait is None else {"x-arango-queue-time-seconds": wait}
            answer = one("GET", "/_api/version", headers=headers)
        return answer.status, float(answer.headers["x-arango-queue-time-seconds"])

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, [None] * 16))
        impatient = list(pool.map(ask, ["0.01"] * 4))
    times = sorted(seconds for _status, seconds in answers)
    assert times[0] < 0.2 < times[-1]
    assert {status for status, _seconds in answers} == {200, 503}
    assert 412 in {status for status, _seconds in impatient}
    cluster.control.fault("load", capacity=0)
    assert ask("0.001") == (200, 0.0)


def test_a_stale_coordinator_shows_an_old_plan(started: Started) -> None:
    cluster, root, shard, servers = started
    old = cluster.control.get("/state/overview")["servers"]
    first = next(name for name, entry in old.items() if entry["url"] == cluster.coordinators[0])
    root("POST", "/_api/collection", {"name": "dropped"})
    cluster.control.fault("stale_coordinator", server=first, seconds=1.0)
    until = time.monotonic() + 1.0
    with Client.root(cluster, 1) as fresh:
        fresh("POST", "/_api/collection", {"name": "made"})
        fresh("DELETE", "/_api/collection/dropped")
        cluster.control.fault("move_leader", database="_system", shard=shard)
        assert fresh("GET", "/_api/collection/c/shards?details=true").json["shards"] == {shard: servers[::-1]}
        assert root("GET", "/_api/collection/c/shards?details=true").json["shards"] == {shard: servers}
        inventory = root("GET", "/_api/replication/clusterInventory").json["collections"]
        names = {entry["parameters"]["name"] for entry in inventory}
        assert ("made" in names, "dropped" in names) == (False, True)
        assert root("POST", "/_api/document/made", {}).json["errorNum"] == 1203
        assert root("POST", "/_api/document/dropped", {}).json["errorNum"] == 1203
        assert root("POST", "/_api/document/c", {"_key": "a"}).status == 202
        assert fresh("GET", "/_api/document/c/a").status == 200
    time.sleep(max(0.0, until - time.monotonic()) + 0.05)
    assert root("GET", "/_api/collection/c/shards?details=true").json["shards"] == {shard: servers[::-1]}
    assert root("POST", "/_api/document/made", {}).status == 202


def test_the_read_only_flag_can_reach_one_server_late(started: Started) -> None:
    cluster, root, _shard, servers = started
    cluster.control.fault("late_mode", server=servers[0], seconds=1.0)
    root("PUT", "/_admin/server/mode", {"mode": "readonly"})
    modes = {}
    for name, url in cluster.dbservers.items():
        with Client.superuser(cluster, url) as server:
            modes[name] = server("GET", "/_admin/server/mode").json["mode"]
    assert modes == {name: "default" if name == servers[0] else "readonly" for name in cluster.dbservers}
    with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
        deadline = time.monotonic() + 10
        while server("GET", "/_admin/server/mode").json["mode"] != "readonly":
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_changed_password(started: Started) -> None:
    cluster, root, *_rest = started
    cluster.control.fault("change_password", user="root", password="other")
    assert root("GET", "/_api/version").status == 401
    with Client.user(cluster, "root", "other") as other:
        assert other("GET", "/_api/version").status == 200


def test_silent_damage_to_documents(started: Started) -> None:
    cluster, root, _shard, servers = started
    first = root("POST", "/_api/document/c", {"_key": "a", "v": 1}).json["_rev"]
    root("PUT", "/_api/document/c/a", {"v": 2})
    with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
        before = server("GET", "/_api/wal/tail?global=true&includeSystem=true").body
        where = {"database": "_system", "collection": "c"}
        cluster.control.fault("revert_document", key="a", **where)
        reverted = root("GET", "/_api/document/c/a").json
        cluster.control.fault("add_document", key="b", body={"v": 3}, **where)
        added = root("GET", "/_api/document/c/b").json
        cluster.control.fault("drop_document", key="a", **where)
        after = server("GET", "/_api/wal/tail?global=true&includeSystem=true").body
    assert (reverted["v"], reverted["_rev"]) == (1, first)
    assert (added["_id"], added["v"]) == ("c/b", 3)
    assert root("GET", "/_api/document/c/a").status == 404
    assert root("GET", "/_api/collection/c/count").json["count"] == 1
    assert before == after
    [replicas] = cluster.control.get("/state/replicas", database="_system", collection="c").values()
    assert [set(keys) for keys in replicas.values()] == [{"b"}, {"b"}]


def test_a_unique_value_is_free_again_after_a_silent_drop(started: Started) -> None:
    cluster, root, *_rest = started
    root("POST", "/_api/index?collection=c", {"type": "persistent", "fields": ["u"], "unique": True})
    root("POST", "/_api/document/c", {"_key": "a", "u": 1})
    cluster.control.fault("drop_document", database="_system", collection="c", key="a")
    assert root("POST", "/_api/document/c", {"_key": "b", "u": 1}).status == 202


def test_a_damaged_tree_is_wrong_until_it_is_rebuilt(started: Started) -> None:
    cluster, root, shard, servers = started
    root("POST", "/_api/document/c", {"_key": "a"})
    cluster.control.fault("damage_tree", database="_system", shard=shard)
    with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
        batch = server("POST", "/_api/replication/batch", {"ttl": 600}).json["id"]
        tree = f"/_api/replication/revisions/tree?collection={shard}&batchId={batch}"
        assert server("GET", f"{tree}&verification=true").json["equal"] is False
        server("POST", tree)
        assert server("GET", f"{tree}&verification=true").json["equal"] is True
