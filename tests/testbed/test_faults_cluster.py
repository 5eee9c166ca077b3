# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of shards and servers: fail-over with and without lag, moves, servers that join and leave."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster


@dataclass
class Case:
    """A cluster of four DB-Servers with a collection `c` of one shard and two copies."""

    cluster: TestCluster
    root: Client
    shard: str
    leader: str
    follower: str

    def order(self, kind: str, **fields: object) -> Any:
        return self.cluster.control.fault(kind, database="_system", **fields)["result"]

    def servers(self, collection: str = "c") -> dict[str, list[str]]:
        placed: dict[str, list[str]]
        placed = self.root("GET", f"/_api/collection/{collection}/shards?details=true").json["shards"]
        return placed

    def keys(self) -> set[str]:
        return set(self.cluster.control.documents("_system", "c"))

    def put(self, key: str, **values: object) -> str:
        answer = self.root("POST", "/_api/document/c?overwriteMode=replace", {"_key": key, **values})
        assert answer.status == 202
        return str(answer.json["_rev"])

    def markers(self, server: str) -> list[tuple[int, str]]:
        with Client.superuser(self.cluster, self.cluster.dbservers[server]) as client:
            lines = [json.loads(line) for line in client("GET", "/_api/wal/tail?global=true").body.splitlines()]
        mine = [line for line in lines if line.get("cuid", "").endswith(f"/{self.shard}") and "data" in line]
        return [(line["type"], line["data"]["_key"]) for line in mine if line["type"] in (2300, 2302)]

    def others(self) -> list[str]:
        return [name for name in self.cluster.dbservers if name not in (self.leader, self.follower)]


@pytest.fixture
def case(start: Callable[..., TestCluster]) -> Iterator[Case]:
    cluster = start(dbservers=4)
    with Client.root(cluster) as root:
        root("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        [(shard, (leader, follower))] = root("GET", "/_api/collection/c/shards?details=true").json["shards"].items()
        yield Case(cluster, root, shard, leader, follower)


def test_fail_over_without_lag_keeps_everything(case: Case) -> None:
    case.put("a")
    assert case.order("fail_over", shard=case.shard) == {case.shard: [case.follower, case.leader]}
    case.put("b")
    assert case.keys() == {"a", "b"}
    assert case.markers(case.follower) == case.markers(case.leader) == [(2300, "a"), (2300, "b")]


def test_a_new_leader_lacks_what_the_old_one_had_not_replicated(case: Case) -> None:
    case.put("kept")
    case.order("hold_replication", shard=case.shard)
    case.put("lost")
    case.put("kept", v=2)
    case.order("fail_over", shard=case.shard)
    assert case.keys() == {"kept"}
    assert "v" not in case.root("GET", "/_api/document/c/kept").json
    # The old leader's log had markers of what never was, and shows how it becomes equal to the new one.
    assert case.markers(case.leader)[1:3] == [(2300, "lost"), (2300, "kept")]
    assert sorted(case.markers(case.leader)[3:]) == [(2300, "kept"), (2302, "lost")]
    assert case.markers(case.follower) == [(2300, "kept")]


def test_followers_catch_up_when_released(case: Case) -> None:
    case.order("hold_replication", shard=case.shard)
    case.put("a")
    assert case.markers(case.follower) == []
    case.order("release_replication", shard=case.shard)
    assert case.markers(case.follower) == [(2300, "a")]


def test_unique_values_follow_the_new_leader(case: Case) -> None:
    case.root("POST", "/_api/index?collection=c", {"type": "persistent", "fields": ["u"], "unique": True})
    case.order("hold_replication", shard=case.shard)
    case.put("a", u=1)
    case.order("fail_over", shard=case.shard)
    case.put("b", u=1)
    assert case.keys() == {"b"}


def test_fail_over_of_a_killed_server_and_its_return(case: Case) -> None:
    case.put("a")
    case.order("kill_server", server=case.leader)
    case.order("fail_over", server=case.leader)
    case.put("b")
    case.root("DELETE", "/_api/document/c/a")
    case.order("restart_server", server=case.leader)
    assert case.servers()[case.shard] == [case.follower, case.leader]
    assert sorted(case.markers(case.leader)[1:]) == [(2300, "b"), (2302, "a")]


def test_supervision_fails_over_by_itself_but_not_in_maintenance(start: Callable[..., TestCluster]) -> None:
    cluster = start(options={"failover_after": 1.0, "time_scale": 0.2})
    with Client.root(cluster) as root:
        root("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        [(leader, follower)] = root("GET", "/_api/collection/c/shards?details=true").json["shards"].values()
        root("PUT", "/_admin/cluster/maintenance", "on")
        cluster.control.fault("kill_server", server=leader)
        time.sleep(0.6)
        assert root("POST", "/_api/document/c", {}).json["errorNum"] == 1478
        root("PUT", "/_admin/cluster/maintenance", "off")
        deadline = time.monotonic() + 10
        while root("POST", "/_api/document/c", {}).status != 202:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert root("GET", "/_api/collection/c/shards?details=true").json["shards"].popitem()[1] == [follower, leader]


def test_a_frozen_server_answers_nothing_and_goes_on_where_it_was(case: Case) -> None:
    case.put("a")
    with Client.superuser(case.cluster, case.cluster.dbservers[case.leader]) as server, ThreadPoolExecutor(1) as pool:
        tick = server("GET", "/_api/wal/lastTick").json["tick"]
        case.order("freeze_server", server=case.leader)
        waiting = pool.submit(server, "GET", f"/_api/wal/tail?global=true&from={tick}")
        health = case.root("GET", "/_admin/cluster/health").json["Health"]
        assert health[case.leader]["Status"] == "BAD"
        assert case.root("POST", "/_api/document/c", {"_key": "b"}).status == 503
        assert not waiting.done()
        assert case.order("thaw_server", server=case.leader) == 1  # the same process: the same rebootId
        assert waiting.result().status in (200, 204)
        case.put("b")
        assert case.keys() == {"a", "b"}


def test_a_frozen_server_loses_what_it_leads_and_catches_up(case: Case) -> None:
    case.order("freeze_server", server=case.leader)
    case.order("fail_over", server=case.leader)
    case.put("a")
    assert case.servers()[case.shard] == [case.follower, case.leader]
    case.order("thaw_server", server=case.leader)
    [replicas] = case.cluster.control.get("/state/replicas", database="_system", collection="c").values()
    assert replicas[case.leader] == replicas[case.follower] != {}


def test_a_frozen_coordinator_runs_late_what_it_was_asked(case: Case) -> None:
    overview = case.cluster.control.get("/state/overview")["servers"]
    front = next(name for name, entry in overview.items() if entry["url"] == case.cluster.coordinators[0])
    case.order("freeze_server", server=front)
    with ThreadPoolExecutor(1) as pool, Client.root(case.cluster, 1) as other:
        waiting = pool.submit(case.put, "k", v="old")
        assert other("POST", "/_api/document/c", {"_key": "k", "v": "new"}).status == 202
        case.order("thaw_server", server=front)
        waiting.result()
        assert other("GET", "/_api/document/c/k").json["v"] == "old"


def test_a_frozen_server_can_be_killed(case: Case) -> None:
    with Client.superuser(case.cluster, case.cluster.dbservers[case.follower]) as server, ThreadPoolExecutor(1) as pool:
        server("GET", "/_api/version")
        case.order("freeze_server", server=case.follower)
        waiting = pool.submit(server, "GET", "/_api/version")
        case.order("restart_server", server=case.follower)
        with pytest.raises(OSError):
            waiting.result()
    with pytest.raises(RuntimeError, match="400"):
        case.order("thaw_server", server=case.follower)


def test_a_shard_moves_and_takes_its_markers_along(case: Case) -> None:
    case.put("a")
    case.order("move_shard", shard=case.shard, to=case.others()[0])
    assert case.servers()[case.shard] == [case.others()[0], case.follower]
    assert case.markers(case.leader) == []  # facts §5.6: gone without a sign
    assert case.markers(case.others()[0]) == [(2300, "a")]
    case.order("move_shard", shard=case.shard, to=case.leader, **{"from": case.follower})
    assert case.servers()[case.shard] == [case.others()[0], case.leader]
    assert case.keys() == {"a"}


def test_a_slow_move_has_both_copies_meanwhile(case: Case) -> None:
    new = case.others()[0]
    case.order("move_shard", shard=case.shard, to=new, seconds=0.6)
    seen: list[list[str]] = []
    deadline = time.monotonic() + 10
    while not seen or seen[-1] != [new, case.follower]:
        assert time.monotonic() < deadline
        placed = case.servers()[case.shard]
        if placed not in seen:
            seen.append(placed)
        time.sleep(0.02)
    assert seen == [
        [case.leader, case.follower],
        [case.leader, case.follower, new],
        [new, case.follower, case.leader],
        [new, case.follower],
    ]


def test_what_is_distributed_alike_moves_together(case: Case) -> None:
    case.root("POST", "/_api/collection", {"name": "d", "distributeShardsLike": "c"})
    case.order("move_shard", shard=case.shard, to=case.others()[0])
    assert list(case.servers("d").values()) == list(case.servers().values())


def test_a_bad_move_is_refused(case: Case) -> None:
    with pytest.raises(RuntimeError, match="400"):
        case.order("move_shard", shard=case.shard, to=case.follower)
    with pytest.raises(RuntimeError, match="404"):
        case.order("move_shard", shard="s1", to=case.follower)


def test_rebalancing_moves_shards_and_loses_nothing(case: Case) -> None:
    case.root("POST", "/_api/collection", {"name": "many", "numberOfShards": 12, "replicationFactor": 2})
    case.root("POST", "/_api/document/many", [{"_key": f"k{n}"} for n in range(100)])
    before = case.servers("many")
    assert case.order("rebalance", seed=3) > 5
    assert case.servers("many") != before
    assert all(len(set(names)) == 2 for names in case.servers("many").values())
    assert case.root("GET", "/_api/collection/many/count").json["count"] == 100


def test_cleaning_out_a_server(case: Case) -> None:
    case.put("a")
    case.root("POST", "/_api/collection", {"name": "sat", "replicationFactor": "satellite"})
    case.order("clean_out_server", server=case.leader)
    assert case.leader not in case.servers()[case.shard]
    assert case.keys() == {"a"}
    for number in range(8):
        case.root("POST", "/_api/collection", {"name": f"n{number}", "replicationFactor": 2})
        assert case.leader not in next(iter(case.servers(f"n{number}").values()))
    assert case.root("GET", "/_admin/cluster/numberOfServers").json["cleanedServers"] == [case.leader]
    with Client.superuser(case.cluster, case.cluster.dbservers[case.leader]) as server:
        assert server("GET", "/_api/collection").json["result"] == []


def test_a_server_joins(case: Case) -> None:
    case.root("POST", "/_api/database", {"name": "other"})
    added = case.order("add_server")
    assert case.root("GET", "/_admin/cluster/health").json["Health"][added["id"]]["Status"] == "GOOD"
    case.put("a")
    case.order("move_shard", shard=case.shard, to=added["id"])
    with Client.superuser(case.cluster, added["url"]) as server:
        body = server("GET", "/_api/wal/tail?global=true").body
    assert [json.loads(line)["type"] for line in body.splitlines()[:2]] == [1100, 1100]
    assert b'"_key":"a"' in body
    front = case.order("add_server", role="coordinator")
    endpoints = case.root("GET", "/_api/cluster/endpoints").json["endpoints"]
    assert front["url"].replace("https", "ssl") in [entry["endpoint"] for entry in endpoints]
