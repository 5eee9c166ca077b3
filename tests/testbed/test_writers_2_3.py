# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Long writers go on in read-only mode until they are cancelled; what they committed in between stays (facts §2.3)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.testbed.client import Answer, Client
from tests.testbed.launch import TestCluster

LONG = "FOR i IN 1..400 LET x = SLEEP(0.02) INSERT {_key: CONCAT(@p, i)} INTO c"


@pytest.fixture
def cluster(start: Callable[..., TestCluster]) -> TestCluster:
    """A cluster whose mode is switched fast and whose stream transactions commit in between after five operations."""
    options = {"mode_delay": 0.05, "mode_put_delay": 0.1, "intermediate_commit_count": 5}
    started = start(options=options)
    Client.root(started)("POST", "/_api/collection", {"name": "c", "numberOfShards": 3, "replicationFactor": 2})
    return started


@pytest.fixture
def root(cluster: TestCluster) -> Iterator[Client]:
    """`root` on the first coordinator."""
    with Client.root(cluster) as client:
        yield client


def begin(root: Client, prefix: str) -> str:
    """Start a long writer; answers its job."""
    body = {"query": LONG, "bindVars": {"p": prefix}, "options": {"intermediateCommitCount": 3}}
    return root("POST", "/_api/cursor", body, {"x-arango-async": "store"}).headers["x-arango-async-id"]


def count(root: Client) -> int:
    """Documents now."""
    return int(root("GET", "/_api/collection/c/count").json["count"])


def wait(condition: Callable[[], Any]) -> Any:
    """Wait until something is true."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def outcome(root: Client, job: str) -> Answer:
    """The answer of a job."""

    def ended() -> Answer | None:
        answer = root("PUT", f"/_api/job/{job}")
        return None if answer.status == 204 else answer

    found: Answer = wait(ended)
    return found


def fence(cluster: TestCluster, root: Client) -> None:
    """Read-only on every server."""
    root("PUT", "/_admin/server/mode", {"mode": "readonly"})
    servers = [*cluster.coordinators, *cluster.dbservers.values()]
    watchers = [Client.superuser(cluster, url) for url in servers]
    wait(lambda: all(entry("GET", "/_admin/server/mode").json["mode"] == "readonly" for entry in watchers))


def test_a_long_query_writes_on_behind_the_fence_until_it_is_cancelled(cluster: TestCluster, root: Client) -> None:
    job = begin(root, "a")
    wait(lambda: count(root) >= 3)
    fence(cluster, root)
    assert root("POST", "/_api/document/c", {}).json["errorNum"] == 1004
    behind = count(root)
    wait(lambda: count(root) > behind)
    superuser = Client.superuser(cluster, cluster.coordinators[0])
    running = superuser("GET", "/_api/query/current?all=true").json
    assert [entry["modificationQuery"] for entry in running] == [True]
    assert superuser("DELETE", "/_api/transaction/write").status == 200
    assert outcome(root, job).json["errorNum"] == 1500
    assert superuser("GET", "/_api/query/current?all=true").json == []
    stopped = count(root)
    assert stopped > behind
    time.sleep(0.2)
    assert count(root) == stopped


def test_its_frames_carry_one_transaction_id_and_followers_log_them_too(cluster: TestCluster, root: Client) -> None:
    job = begin(root, "b")
    wait(lambda: count(root) >= 9)
    Client.superuser(cluster, cluster.coordinators[0])("DELETE", "/_api/transaction/write")
    outcome(root, job)
    frames: dict[str, int] = {}
    inserts = 0
    for url in cluster.dbservers.values():
        lines = Client.superuser(cluster, url)("GET", "/_api/wal/tail?global=true&from=0").body.splitlines()
        inserts += sum(b'"type":2300' in line and b'"_key":"b' in line for line in lines)
        for line in lines:
            if b'"type":2200' in line:
                tid = line.partition(b'"tid":"')[2].partition(b'"')[0].decode()
                frames[tid] = frames.get(tid, 0) + 1
    assert max(frames.values()) > 3
    assert inserts == 2 * count(root)


def test_the_last_commit_of_a_query_fails_in_read_only_mode(cluster: TestCluster, root: Client) -> None:
    query = "FOR i IN 1..10 LET x = SLEEP(0.1) INSERT {} INTO c"
    job = root("POST", "/_api/cursor", {"query": query}, {"x-arango-async": "store"}).headers["x-arango-async-id"]
    fence(cluster, root)
    refused = outcome(root, job)
    assert (refused.status, refused.json["errorNum"]) == (403, 1004)
    assert count(root) == 0


def test_a_stream_transaction_commits_in_between_and_fails_at_its_end(cluster: TestCluster, root: Client) -> None:
    begun = root("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
    inside = {"x-arango-trx-id": begun}
    root("POST", "/_api/document/c", [{} for _ in range(3)], inside)
    assert count(root) == 0
    root("POST", "/_api/document/c", [{} for _ in range(3)], inside)
    assert count(root) == 6
    root("POST", "/_api/document/c", {"_key": "pending"}, inside)
    fence(cluster, root)
    assert root("POST", "/_api/document/c", {}, inside).json["errorNum"] == 1004
    assert root("PUT", f"/_api/transaction/{begun}").json["errorNum"] == 1004
    assert root("GET", f"/_api/transaction/{begun}").json["result"]["status"] == "aborted"
    assert count(root) == 6


def test_cancelling_is_per_coordinator(cluster: TestCluster, root: Client) -> None:
    other = Client.root(cluster, 1)
    begun = other("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
    job = begin(other, "d")
    first, second = (Client.superuser(cluster, url) for url in cluster.coordinators)
    first("DELETE", "/_api/transaction/write")
    assert [entry["id"] for entry in first("GET", "/_api/transaction").json["transactions"]] == [begun]
    second("DELETE", "/_api/transaction/write")
    assert first("GET", "/_api/transaction").json["transactions"] == []
    assert outcome(other, job).json["errorNum"] == 1500


def test_users_cancel_only_their_own_writers(cluster: TestCluster, root: Client) -> None:
    root("POST", "/_api/user", {"user": "writer", "passwd": "pw"})
    root("PUT", "/_api/user/writer/database/_system", {"grant": "rw"})
    writer = Client.user(cluster, "writer", "pw")
    begun = writer("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
    assert root("GET", f"/_api/transaction/{begun}").json["errorNum"] == 1655
    root("DELETE", "/_api/transaction/write")
    assert writer("GET", f"/_api/transaction/{begun}").json["result"]["status"] == "running"
    writer("DELETE", "/_api/transaction/write")
    assert writer("PUT", f"/_api/transaction/{begun}").json["errorNum"] == 1653


def test_a_query_dies_with_its_coordinator(cluster: TestCluster, root: Client) -> None:
    begin(root, "k")
    wait(lambda: count(root) >= 3)
    cluster.control.fault("kill_server", server="Coordinator0001")
    with Client.root(cluster, 1) as other:
        before = count(other)
        time.sleep(0.3)
        assert count(other) == before
        servers = [Client.superuser(cluster, url) for url in cluster.dbservers.values()]
        assert all(entry("GET", "/_admin/server/id").status == 200 for entry in servers)


def test_two_transactions_on_one_document_conflict(cluster: TestCluster, root: Client) -> None:
    root("POST", "/_api/document/c", {"_key": "hot"})
    begun = root("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
    inside = {"x-arango-trx-id": begun}
    assert root("PATCH", "/_api/document/c/hot", {"a": 1}, inside).status == 202
    refused = root("PATCH", "/_api/document/c/hot", {"a": 2})
    assert (refused.status, refused.json["errorNum"]) == (409, 1200)
    query = {"query": "FOR d IN c FILTER d._key == 'hot' RETURN d.a"}
    assert root("POST", "/_api/cursor", query).json["result"] == [None]
    assert root("POST", "/_api/cursor", query, inside).json["result"] == [1]
    assert root("PUT", f"/_api/transaction/{begun}").json["result"]["status"] == "committed"
    assert root("POST", "/_api/cursor", query).json["result"] == [1]
