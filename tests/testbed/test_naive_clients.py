# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mistakes that would stay silent are punished: in each test a naive client loses data, a careful one does not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.testbed.client import Answer, Client
from tests.testbed.launch import TestCluster

WRITES = 25
DETAILS = "/_api/collection/c/shards?details=true"
Move = Callable[["Tailer", Answer], None]


@dataclass
class Source:
    """A cluster with one collection `c` of one shard; `server` = superuser on the shard's leader."""

    cluster: TestCluster
    root: Client
    server: Client
    shard: str
    servers: list[str]

    def put(self, key: str, **values: object) -> None:
        answer = self.root("POST", "/_api/document/c?overwriteMode=replace", {"_key": key, **values})
        assert answer.status == 202

    def leader(self) -> str:
        """Where the only shard's leader is."""
        [servers] = self.root("GET", DETAILS).json["shards"].values()
        return self.cluster.dbservers[servers[0]]

    def last_tick(self) -> int:
        return int(self.server("GET", "/_api/wal/lastTick").json["tick"])


@dataclass
class Tailer:
    """Reads a server's log and notes the keys it saw; `move` decides where the next request starts."""

    server: Client
    move: Move
    position: int
    scanned: int = 0
    options: str = ""
    seen: set[str] = field(default_factory=set)

    def poll(self) -> Answer:
        target = f"/_api/wal/tail?global=true&from={self.position}{self.options}"
        if self.scanned:
            target += f"&lastScanned={self.scanned}"
        answer = self.server("GET", target)
        assert answer.status in (200, 204)
        for line in answer.body.splitlines():
            marker = json.loads(line)
            if marker["type"] == 2300:
                self.seen.add(marker["data"]["_key"])
        self.move(self, answer)
        return answer

    def drain(self) -> None:
        while self.poll().status == 200:
            pass

    def read(self) -> set[str]:
        """Everything that the log still shows."""
        self.drain()
        return self.seen


def number(answer: Answer, name: str) -> int:
    return int(answer.headers[f"x-arango-replication-{name}"])


def by_last_scanned(tailer: Tailer, answer: Answer) -> None:
    """Naive: everything up to `lastscanned` has been looked at, so go on there."""
    tailer.position = max(tailer.position, number(answer, "lastscanned"))


def by_the_rules(tailer: Tailer, answer: Answer) -> None:
    """facts §5.4: after an empty answer one below `lastscanned`."""
    if answer.status == 200:
        tailer.position, tailer.scanned = number(answer, "lastincluded"), number(answer, "lastscanned")
    elif number(answer, "lastscanned") - 1 > tailer.position:
        tailer.position = tailer.scanned = number(answer, "lastscanned") - 1


def without_last_scanned(tailer: Tailer, answer: Answer) -> None:
    """Naive: splits big transactions, but goes on by `lastincluded` alone."""
    if answer.status == 200:
        tailer.position = number(answer, "lastincluded")
        tailer.scanned = 0


@pytest.fixture
def source(start: Callable[..., TestCluster]) -> Iterator[Source]:
    cluster = start(name="source", options={"mode_delay": 0.3, "mode_put_delay": 0.6, "late_delay": 0.4})
    with Client.root(cluster) as root:
        root("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        shard, servers = next(iter(root("GET", DETAILS).json["shards"].items()))
        with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
            yield Source(cluster, root, server, shard, servers)


@pytest.mark.parametrize(("move", "loses"), [(by_last_scanned, True), (by_the_rules, False)])
def test_empty_batches_share_their_number_with_the_next_write(source: Source, move: Move, loses: bool) -> None:
    tailer = Tailer(source.server, move, source.last_tick())
    for count in range(WRITES):
        source.put(f"k{count}")
        tailer.drain()
    missing = {f"k{count}" for count in range(WRITES)} - tailer.seen
    assert bool(missing) is loses


@pytest.mark.parametrize(("move", "loses"), [(without_last_scanned, True), (by_the_rules, False)])
def test_the_rest_of_a_batch_is_skipped_when_asked_from_inside(source: Source, move: Move, loses: bool) -> None:
    position = source.last_tick()
    tailer = Tailer(source.server, move, position, scanned=position, options="&chunkSize=16384")
    documents = [{"_key": f"k{count}", "pad": "x" * 4000} for count in range(WRITES)]
    assert source.root("POST", "/_api/document/c", documents).status == 202
    tailer.drain()
    missing = {f"k{count}" for count in range(WRITES)} - tailer.seen
    assert bool(missing) is loses


@pytest.mark.parametrize(("shards", "keep", "loses"), [(1, True, True), (1, False, False), (4, True, False)])
def test_revisions_of_different_shards_clash_in_one(
    start: Callable[..., TestCluster], source: Source, shards: int, keep: bool, loses: bool
) -> None:
    """Keeping revisions is safe only where the target has the same shards (facts §5.9)."""
    source.root("POST", "/_api/collection", {"name": "wide", "numberOfShards": 4})
    source.root("POST", "/_api/document/wide", [{"_key": f"k{count}"} for count in range(200)])
    documents = source.cluster.control.documents("_system", "wide")
    target = start(name="target", flavour="managed")
    with Client.root(target) as root:
        root("POST", "/_api/collection", {"name": "wide", "numberOfShards": shards})
        body = b"\n".join(raw for _, raw in documents.values())
        query = f"collection=wide&preserveRevisionIds={str(keep).lower()}"
        assert root("PUT", f"/_api/replication/restore-data?{query}", body).status == 200
        assert root("GET", "/_api/collection/wide/count").json["count"] == 200
        keys = [f"k{count}" for count in range(200)]
        found = root("PUT", "/_api/document/wide?onlyget=true", keys).json
    lost = [key for key, entry in zip(keys, found, strict=True) if entry.get("_key") != key]
    assert bool(lost) is loses


def cut_write(source: Source, version: int) -> None:
    """A write whose answer never comes; the request runs later."""
    source.cluster.control.fault("lost_answer", method="POST", path_regex="/_api/document/c", run="late")
    with pytest.raises(OSError), Client.root(source.cluster) as lost:
        lost("POST", "/_api/document/c?overwriteMode=replace", {"_key": "k", "version": version})


@pytest.mark.parametrize("careful", [False, True])
def test_a_lost_request_runs_after_its_own_repetition_and_later_writes(source: Source, careful: bool) -> None:
    cut_write(source, 1)
    source.put("k", version=1)  # the repetition
    source.put("k", version=2)
    time.sleep(0.8)  # the longest time that a request may wait in the server
    if careful and source.root("GET", "/_api/document/c/k").json["version"] != 2:  # read back, facts §7.8
        source.put("k", version=2)
    assert source.root("GET", "/_api/document/c/k").json["version"] == (2 if careful else 1)


@pytest.mark.parametrize("careful", [False, True])
def test_the_fence_reaches_servers_one_after_the_other(source: Source, careful: bool) -> None:
    """Naive: takes the end of the log when one coordinator is read-only, while the other still takes writes."""
    urls = source.cluster.coordinators
    observers = [Client.superuser(source.cluster, url) for url in urls]
    writers = [Client.root(source.cluster, index) for index in range(len(urls))]
    written: list[str] = []
    end: int | None = None
    with ThreadPoolExecutor(1) as pool:
        switched = pool.submit(source.root, "PUT", "/_admin/server/mode", {"mode": "readonly"})
        while writers and not switched.done():
            modes = [observer("GET", "/_admin/server/mode").json["mode"] for observer in observers]
            if end is None and (set(modes) == {"readonly"} if careful else "readonly" in modes):
                end = source.last_tick()
            for writer in list(writers):
                key = f"k{len(written)}"
                if writer("POST", "/_api/document/c", {"_key": key}).status == 202:
                    written.append(key)
                else:
                    writers.remove(writer)
    if end is None:
        end = source.last_tick()
    answer = source.server("GET", f"/_api/wal/tail?global=true&to={end}")
    seen = {json.loads(line)["data"]["_key"] for line in answer.body.splitlines() if b'"_id":"c/' in line}
    assert bool(set(written) - seen) is not careful


@pytest.mark.parametrize("careful", [False, True])
def test_the_fence_holds_at_coordinators_only(source: Source, careful: bool) -> None:
    """Naive: takes the end of the log when every server is read-only, while a long query goes on (facts §2.3)."""
    query = "FOR i IN 1..152 LET pause = SLEEP(0.01) INSERT {_key: CONCAT('q', i)} INTO c"
    cursor = {"query": query, "options": {"intermediateCommitCount": 5}}
    with ThreadPoolExecutor(1) as pool, Client.root(source.cluster, 1) as second:
        running = pool.submit(second, "POST", "/_api/cursor", cursor)
        source.root("PUT", "/_admin/server/mode", {"mode": "readonly"})
        if careful:
            for url in source.cluster.coordinators:
                with Client.superuser(source.cluster, url) as superuser:
                    superuser("DELETE", "/_api/transaction/write")
                    while superuser("GET", "/_api/query/current?all=true").json:
                        pass
        end = source.last_tick()
        answer = running.result()
    assert answer.status == (410 if careful else 403)
    assert answer.json["errorNum"] == (1500 if careful else 1004)
    log = source.server("GET", f"/_api/wal/tail?global=true&to={end}")
    seen = {json.loads(line)["data"]["_key"] for line in log.body.splitlines() if b'"_id":"c/' in line}
    stored = set(source.cluster.control.documents("_system", "c"))
    assert 0 < len(stored) < 152  # the last, incomplete portion needs the final commit
    assert bool(stored - seen) is not careful


@pytest.mark.parametrize("careful", [False, True])
def test_a_stream_transaction_commits_behind_the_fence(start: Callable[..., TestCluster], careful: bool) -> None:
    """Naive: leaves a transaction that began before the fence alone; the superuser's goes on (facts §2.3)."""
    cluster = start(options={"mode_delay": 0.1, "mode_put_delay": 0.2, "intermediate_commit_count": 3})
    urls = [*cluster.coordinators, *cluster.dbservers.values()]
    with Client.root(cluster) as root, Client.superuser(cluster, urls[1]) as writer:
        root("POST", "/_api/collection", {"name": "c"})
        begun = writer("POST", "/_api/transaction/begin", {"collections": {"write": "c"}}).json["result"]["id"]
        root("PUT", "/_admin/server/mode", {"mode": "readonly"})
        for url in urls:
            with Client.superuser(cluster, url) as one:
                assert one("GET", "/_admin/server/mode").json["mode"] == "readonly"
                if careful and url in cluster.coordinators:
                    one("DELETE", "/_api/transaction/write")
        copied = set(cluster.control.documents("_system", "c"))
        written = writer("POST", "/_api/document/c", [{"_key": f"k{n}"} for n in range(5)], {"x-arango-trx-id": begun})
        assert (written.status == 202) is not careful
    assert (set(cluster.control.documents("_system", "c")) == copied) is careful


@pytest.mark.parametrize("careful", [False, True])
@pytest.mark.parametrize("kind", ["move_leader", "move_shard"])
def test_markers_of_a_moved_shard_vanish_without_a_sign(source: Source, kind: str, careful: bool) -> None:
    tailer = Tailer(source.server, by_the_rules, source.last_tick())
    third = next(name for name in source.cluster.dbservers if name not in source.servers)
    source.put("before")
    source.cluster.control.fault(kind, database="_system", shard=source.shard, to=third)
    answer = tailer.poll()
    assert answer.headers["x-arango-replication-frompresent"] == "true"
    if careful and source.root("GET", DETAILS).json["shards"][source.shard] != source.servers:
        tailer.seen |= {entry["_key"] for entry in source.root("PUT", "/_api/document/c?onlyget=true", ["before"]).json}
    assert ("before" in tailer.seen) is careful


@pytest.mark.parametrize("careful", [False, True])
def test_markers_of_a_dropped_shard_vanish_without_a_sign(source: Source, careful: bool) -> None:
    """Naive: takes a collection of the same name, dropped and made anew between two reads, for the old one."""
    source.put("old")
    tailer = Tailer(source.server, by_the_rules, source.last_tick())
    target = {"old"}
    source.root("DELETE", "/_api/collection/c")
    source.root("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
    source.put("new")
    with Client.superuser(source.cluster, source.leader()) as leader:
        target |= Tailer(leader, by_the_rules, 0).read() & {"old", "new"}
    assert "old" not in tailer.read()  # neither its insertion nor its removal
    if careful and source.shard not in source.root("GET", DETAILS).json["shards"]:
        target -= {"old"}
    stored = set(source.cluster.control.documents("_system", "c"))
    assert (target == stored) is careful


@pytest.mark.parametrize("registered", [False, True])
def test_the_log_is_purged_behind_who_does_not_register(start: Callable[..., TestCluster], registered: bool) -> None:
    cluster = start(coordinators=1, dbservers=1, options={"time_scale": 0.02})
    with Client.root(cluster) as root, Client.superuser(cluster, next(iter(cluster.dbservers.values()))) as server:
        root("POST", "/_api/collection", {"name": "c"})
        position = int(server("GET", "/_api/wal/lastTick").json["tick"])
        query = "&syncerId=77" if registered else ""
        server("GET", f"/_api/wal/tail?global=true&from={position}&to={position}{query}")
        root("POST", "/_api/document/c", {"_key": "a"})
        deadline = time.monotonic() + (4 if registered else 20)
        present = "true"
        while present == "true" and time.monotonic() < deadline:
            time.sleep(0.2)
            root("POST", "/_api/document/c", {})
            answer = server("GET", f"/_api/wal/tail?global=true&from={position}{query}")
            present = answer.headers["x-arango-replication-frompresent"]
    assert present == ("true" if registered else "false")
    assert (b'"_key":"a"' in answer.body) is registered
