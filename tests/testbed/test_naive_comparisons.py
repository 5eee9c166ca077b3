# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Comparisons that a naive client trusts: in each test it loses data or does not see that it is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

KEYS = ["B", "C", "a", "b"]


def stored(cluster: TestCluster) -> set[str]:
    return set(cluster.control.documents("_system", "c"))


def sorted_keys(client: Client, query: str) -> list[str]:
    keys: list[str] = client("POST", "/_api/cursor", {"query": query}).json["result"]
    return keys


def extra(left: list[str], right: list[str]) -> list[str]:
    """What only `right` has, by merging two lists that are taken for sorted alike."""
    found, here, there = [], 0, 0
    while there < len(right):
        if here < len(left) and left[here] == right[there]:
            here, there = here + 1, there + 1
        elif here < len(left) and left[here] < right[there]:
            here += 1
        else:
            found.append(right[there])
            there += 1
    return found


@pytest.mark.parametrize("careful", [False, True])
def test_aql_sorts_by_collation_and_the_primary_index_is_bytewise(cluster: TestCluster, careful: bool) -> None:
    """Naive: merges keys in the order of the index with keys that AQL sorted, and removes what is only on one side."""
    with Client.root(cluster) as root:
        root("POST", "/_api/collection", {"name": "c"})
        root("POST", "/_api/document/c?overwriteMode=replace", [{"_key": key} for key in KEYS])
        left = sorted_keys(root, "FOR d IN c RETURN d._key")
        right = sorted_keys(root, "FOR d IN c SORT d._key RETURN d._key")
        if careful:
            right.sort(key=str.encode)
        root("DELETE", "/_api/document/c", extra(left, right))
    assert (stored(cluster) == set(KEYS)) is careful


@pytest.mark.parametrize("careful", [False, True])
def test_a_count_is_no_snapshot(start: Callable[..., TestCluster], careful: bool) -> None:
    """Naive: takes equal counts for equal data, while one shard is counted after the other and writes go on."""
    cluster = start(coordinators=1, dbservers=2, options={"time_scale": 2500, "nasty": False})
    with Client.root(cluster) as root, Client.root(cluster) as second, ThreadPoolExecutor(1) as pool:
        root("POST", "/_api/collection", {"name": "c", "numberOfShards": 2})
        shards = root("GET", "/_api/collection/c/shards").json["shards"]
        where = {
            key: root("PUT", "/_api/collection/c/responsibleShard", {"_key": key}).json["shardId"]
            for key in (f"k{number}" for number in range(20))
        }
        early = next(key for key, shard in where.items() if shard == shards[0])
        late = [key for key, shard in where.items() if shard == shards[1]][:2]
        root("POST", "/_api/document/c", [{"_key": key} for key in late])
        target = {late[0], early}  # what the client has copied; it knows nothing of the second
        counted = pool.submit(root, "GET", "/_api/collection/c/count")
        deadline = time.monotonic() + 20
        while "GET /_api/collection/c/count" not in cluster.control.get("/state/requests"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.6)  # the first shard has been counted
        second("POST", "/_api/document/c", {"_key": early})
        number = counted.result().json["count"]
        if careful:  # nothing is written any more
            number = root("GET", "/_api/collection/c/count").json["count"]
    assert stored(cluster) != target
    assert (number == len(target)) is not careful


@pytest.mark.parametrize("patience", [0.1, 60.0])
def test_a_checksum_takes_time_for_each_document(start: Callable[..., TestCluster], patience: float) -> None:
    """Naive: is content with equal counts when a checksum takes too long."""
    cluster = start(coordinators=1, dbservers=1, options={"time_scale": 500, "nasty": False})
    with Client.root(cluster) as root, ThreadPoolExecutor(1) as pool:
        root("POST", "/_api/collection", {"name": "c"})
        root("POST", "/_api/collection", {"name": "copy"})
        documents = [{"_key": f"k{number}", "v": number} for number in range(1000)]
        for name in ("c", "copy"):
            root("POST", f"/_api/document/{name}", documents)
        cluster.control.fault("alter_document", database="_system", collection="copy", key="k7", body={"v": 0})

        def equal(what: str, value: str) -> bool:
            answers = [root("GET", f"/_api/collection/{name}/{what}").json[value] for name in ("c", "copy")]
            return bool(answers[0] == answers[1])

        compared = pool.submit(equal, "checksum?withData=true", "checksum")
        try:
            found = compared.result(patience)
        except TimeoutError:
            compared.result()
            found = equal("count", "count")
    assert found is (patience < 1)


@pytest.mark.parametrize("careful", [False, True])
def test_a_new_leader_lacks_what_the_old_one_had_not_replicated(
    start: Callable[..., TestCluster], careful: bool
) -> None:
    """Naive: keeps what the old leader's log showed and goes on with the new one's at its end."""
    cluster = start()
    with Client.root(cluster) as root:
        root("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        [(shard, (leader, follower))] = root("GET", "/_api/collection/c/shards?details=true").json["shards"].items()
        root("POST", "/_api/document/c", {"_key": "kept"})
        where = {"database": "_system", "shard": shard}
        cluster.control.fault("hold_replication", **where)
        root("POST", "/_api/document/c", {"_key": "gone"})
        with Client.superuser(cluster, cluster.dbservers[leader]) as old:
            log = old("GET", "/_api/wal/tail?global=true").body
        target = {key for key in ("kept", "gone") if f'"_key":"{key}"'.encode() in log}
        cluster.control.fault("fail_over", **where)
        [servers] = root("GET", "/_api/collection/c/shards?details=true").json["shards"].values()
        assert servers == [follower, leader]
        if careful:  # the shard's servers have changed: what the target has is compared with the new leader
            target = set(sorted_keys(root, "FOR d IN c RETURN d._key"))
    assert (target == stored(cluster)) is careful
