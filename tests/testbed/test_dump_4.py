# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading snapshots: batches, the old dump, the parallel dump (facts §4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.testbed.client import Answer, Client
from tests.testbed.inprocess import Direct
from tests.testbed.launch import TestCluster
from tests.testbed.wal import Wal

OWNER = {"x-arango-dump-auth-user": "root"}
COUNT = 500


@dataclass
class Setup:
    """Collection `c` with one shard of 500 documents; `server` = superuser on its leader."""

    root: Client
    server: Client
    server_id: str
    shard: str


@pytest.fixture(scope="module")
def setup(cluster: TestCluster, client: Client) -> Iterator[Setup]:
    client("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
    client("POST", "/_api/document/c", [{"_key": f"k{n}", "pad": "x" * 200} for n in range(COUNT)])
    shard, servers = next(iter(client("GET", "/_api/collection/c/shards?details=true").json["shards"].items()))
    with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
        yield Setup(client, server, servers[0], shard)


def open_batch(server: Client, query: str = "", ttl: int = 60) -> dict[str, str]:
    answer = server("POST", f"/_api/replication/batch{query}", {"ttl": ttl})
    assert answer.status == 200
    return dict(answer.json)


def keys(answer: Answer) -> list[str]:
    return [json.loads(line)["_key"] for line in answer.body.splitlines()]


def test_4_1_a_batch_has_id_and_last_tick(setup: Setup) -> None:
    batch = open_batch(setup.server)
    assert set(batch) == {"id", "lastTick"}
    assert batch["lastTick"].isdecimal()
    with_state = open_batch(setup.server, "?state=true")
    assert set(with_state["state"]) >= {"running", "lastLogTick", "totalEvents", "time"}


def test_4_1_extend_delete_and_unknown(setup: Setup) -> None:
    server = setup.server
    target = f"/_api/replication/batch/{open_batch(server)['id']}"
    assert server("PUT", target, {"ttl": 60}).status == 204
    assert server("DELETE", target).status == 204
    for method in ("PUT", "DELETE"):
        answer = server(method, target, {"ttl": 60})
        assert (answer.status, answer.json["errorNum"]) == (404, 1600)


def test_4_1_a_batch_registers_its_client_beyond_its_own_life(setup: Setup) -> None:
    server = setup.server
    batch = open_batch(server, "?syncerId=9191")
    server("DELETE", f"/_api/replication/batch/{batch['id']}")
    clients = server("GET", "/_api/replication/logger-state").json["clients"]
    assert [c["lastServedTick"] for c in clients if c["syncerId"] == "9191"] == [batch["lastTick"]]


def test_4_1_a_coordinator_forwards_to_the_named_server(setup: Setup) -> None:
    assert setup.root("POST", "/_api/replication/batch", {"ttl": 60}).status == 400
    batch = setup.root("POST", f"/_api/replication/batch?DBserver={setup.server_id}", {"ttl": 60}).json
    target = f"/_api/replication/dump?collection={setup.shard}&batchId={batch['id']}&DBserver={setup.server_id}"
    answer = setup.root("GET", f"{target}&useEnvelope=false&chunkSize=1048576")
    assert len(keys(answer)) == COUNT


def test_4_2_old_dump_goes_on_where_it_stopped_and_ends_with_204(setup: Setup) -> None:
    server = setup.server
    batch = open_batch(server)["id"]
    target = f"/_api/replication/dump?collection={setup.shard}&batchId={batch}&chunkSize=20000&useEnvelope=false"
    got: list[str] = []
    while (answer := server("GET", target)).status == 200:
        assert answer.headers["content-type"] == "application/x-arango-dump; charset=utf-8"
        assert int(answer.headers["x-arango-replication-lastincluded"]) == len(keys(answer))
        assert answer.headers["x-arango-replication-checkmore"] == (
            "true" if len(got) + len(keys(answer)) < COUNT else "false"
        )
        assert len(keys(answer)) < COUNT
        got += keys(answer)
    assert answer.status == 204
    assert answer.headers["x-arango-replication-lastincluded"] == "0"
    assert sorted(got) == sorted(f"k{n}" for n in range(COUNT))


def test_4_2_envelope_is_the_default(setup: Setup) -> None:
    batch = open_batch(setup.server)["id"]
    answer = setup.server("GET", f"/_api/replication/dump?collection={setup.shard}&batchId={batch}")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert {line["type"] for line in lines} == {2300}
    assert {"_key", "_id", "_rev", "pad"} == set(lines[0]["data"])


def test_4_2_errors(setup: Setup) -> None:
    batch = open_batch(setup.server)["id"]
    assert setup.server("GET", f"/_api/replication/dump?batchId={batch}").status == 400
    assert setup.server("GET", f"/_api/replication/dump?collection={setup.shard}&batchId=1").status == 404
    unknown = setup.server("GET", f"/_api/replication/dump?collection=s1&batchId={batch}")
    assert (unknown.status, unknown.json["errorNum"]) == (404, 1203)


def test_4_2_a_lost_answer_cannot_be_had_again(cluster: TestCluster, setup: Setup) -> None:
    batch = open_batch(setup.server)["id"]
    target = f"/_api/replication/dump?collection={setup.shard}&batchId={batch}&chunkSize=20000&useEnvelope=false"
    first = keys(setup.server("GET", target))
    cluster.control.fault("lost_answer", path_regex=f"batchId={batch}", run="now")
    with pytest.raises(OSError), Client.superuser(cluster, cluster.dbservers[setup.server_id]) as cut:
        cut("GET", target)
    rest: list[str] = []
    while (answer := setup.server("GET", target)).status == 200:
        rest += keys(answer)
    assert 0 < len(first) + len(rest) < COUNT


def test_4_1_one_snapshot_for_all_shards_of_the_server(setup: Setup) -> None:
    setup.root("POST", "/_api/collection", {"name": "later"})
    batch = open_batch(setup.server)["id"]
    setup.root("POST", "/_api/document/c", {"_key": "afterwards"})
    target = f"/_api/replication/dump?collection={setup.shard}&batchId={batch}&chunkSize=1048576&useEnvelope=false"
    got = keys(setup.server("GET", target))
    setup.root("DELETE", "/_api/document/c/afterwards")
    assert "afterwards" not in got


def start_dump(server: Client, body: dict[str, object], query: str = "", headers: dict[str, str] = OWNER) -> Answer:
    return server("POST", f"/_api/dump/start{query}", body, headers)


def read_all(server: Client, identifier: str, query: str = "") -> list[tuple[str, list[str]]]:
    batches: list[tuple[str, list[str]]] = []
    number = 0
    while True:
        answer = server("POST", f"/_api/dump/next/{identifier}?batchId={number}{query}", None, OWNER)
        if answer.status == 204:
            return batches
        assert int(answer.headers["x-arango-dump-block-counts"]) == len(keys(answer))
        batches.append((answer.headers["x-arango-dump-shard-id"], keys(answer)))
        number += 1


def test_4_3_start_next_delete(setup: Setup) -> None:
    answer = start_dump(setup.server, {"shards": [setup.shard], "batchSize": 20000})
    assert answer.status == 201
    identifier = answer.headers["x-arango-dump-id"]
    batches = read_all(setup.server, identifier)
    assert len(batches) > 3
    assert sorted(key for _, part in batches for key in part) == sorted(f"k{n}" for n in range(COUNT))
    assert setup.server("DELETE", f"/_api/dump/{identifier}", None, OWNER).status == 200
    gone = setup.server("DELETE", f"/_api/dump/{identifier}", None, OWNER)
    assert (gone.status, gone.json["errorNum"]) == (404, 1600)


def test_4_3_the_same_batch_again_until_it_is_freed(setup: Setup) -> None:
    identifier = start_dump(setup.server, {"shards": [setup.shard], "batchSize": 20000}).headers["x-arango-dump-id"]
    target = f"/_api/dump/next/{identifier}?batchId="
    first = setup.server("POST", target + "7", None, OWNER)
    again = setup.server("POST", target + "7", None, OWNER)
    other = setup.server("POST", target + "8&lastBatch=7", None, OWNER)
    assert first.body == again.body != other.body
    assert setup.server("POST", target + "7", None, OWNER).body not in (first.body, other.body)


def test_4_3_straight_to_a_db_server_the_user_header_is_required(setup: Setup) -> None:
    refused = start_dump(setup.server, {"shards": [setup.shard]}, headers={})
    assert (refused.status, refused.json["errorMessage"]) == (400, "missing authorization header")
    identifier = start_dump(setup.server, {"shards": [setup.shard]}).headers["x-arango-dump-id"]
    assert setup.server("POST", f"/_api/dump/next/{identifier}?batchId=1").status == 400
    other = setup.server("POST", f"/_api/dump/next/{identifier}?batchId=1", None, {"x-arango-dump-auth-user": "eve"})
    assert (other.status, other.json["errorNum"]) == (403, 11)


def test_4_3_a_coordinator_needs_dbserver_in_lower_case(setup: Setup) -> None:
    body: dict[str, object] = {"shards": [setup.shard]}
    assert start_dump(setup.root, body, f"?DBserver={setup.server_id}").status == 400
    query = f"?dbserver={setup.server_id}"
    identifier = start_dump(setup.root, body, query, {}).headers["x-arango-dump-id"]
    assert sum(len(part) for _, part in read_all(setup.root, identifier, f"&dbserver={setup.server_id}")) == COUNT


@pytest.mark.parametrize("body", [{}, {"shards": "s1"}, {"shards": [1]}, {"shards": [], "batchSize": -1}])
def test_4_3_bad_bodies(setup: Setup, body: dict[str, object]) -> None:
    assert start_dump(setup.server, body).status == 400


def test_4_3_unknown_context(setup: Setup) -> None:
    answer = setup.server("POST", "/_api/dump/next/NOSUCHID?batchId=1", None, OWNER)
    assert (answer.status, answer.json["errorNum"]) == (404, 1600)


def test_4_3_one_snapshot_for_a_context(setup: Setup) -> None:
    identifier = start_dump(setup.server, {"shards": [setup.shard]}).headers["x-arango-dump-id"]
    setup.root("POST", "/_api/document/c", {"_key": "afterwards"})
    got = [key for _, part in read_all(setup.server, identifier) for key in part]
    setup.root("DELETE", "/_api/document/c/afterwards")
    assert "afterwards" not in got


def test_4_3_before_3_11_2_there_is_no_parallel_dump(start: Callable[..., TestCluster]) -> None:
    cluster = start(coordinators=1, dbservers=1, version="3.11.1")
    with Client.superuser(cluster, next(iter(cluster.dbservers.values()))) as server:
        assert start_dump(server, {"shards": []}).status == 404


class Time:
    """The clock of every log, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr(Wal, "now", lambda _log: moved.now)
    return moved


def alive(direct: Direct, batch: str) -> bool:
    """Whether a batch lives; asking by its dump extends its life."""
    target = f"/_api/replication/dump?collection=s1&batchId={batch}"
    answer = direct("GET", target, on=direct.dbservers[0])
    assert answer.json["errorNum"] in (1203, 400)
    return bool(answer.json["errorNum"] == 1203)  # the batch was found, and has no such shard


@pytest.mark.parametrize(
    ("body", "ttl"), [({"ttl": 60}, 60), ({"ttl": 0}, 7200), ({}, 7200), ({"ttl": None}, 7200), ({"ttl": -5}, 7200)]
)
def test_4_1_a_batch_ends_after_its_ttl(clock: Time, body: dict[str, object], ttl: int) -> None:
    with Direct() as direct:
        server = direct.dbservers[0]
        batch = direct("POST", "/_api/replication/batch", body, on=server).json["id"]
        for _ in range(3):  # each dump extends its life
            clock.now += ttl - 1
            assert alive(direct, batch)
        clock.now += ttl + 1
        assert not alive(direct, batch)
        answer = direct("PUT", f"/_api/replication/batch/{batch}", {"ttl": 60}, on=server)
        assert (answer.status, answer.json["errorNum"]) == (404, 1600)


@pytest.mark.parametrize(("extended", "ttl"), [(10, 60), (300, 300), (0, 7200)])
def test_4_1_extending_gives_the_longer_of_both_times(clock: Time, extended: int, ttl: int) -> None:
    with Direct() as direct:
        server = direct.dbservers[0]
        for over, living in ((-1, 204), (1, 404)):
            batch = direct("POST", "/_api/replication/batch", {"ttl": 60}, on=server).json["id"]
            target = f"/_api/replication/batch/{batch}"
            assert direct("PUT", target, {"ttl": extended}, on=server).status == 204
            clock.now += ttl + over
            assert direct("DELETE", target, on=server).status == living


def test_4_3_a_context_ends_after_its_ttl(clock: Time) -> None:
    with Direct() as direct:
        server = direct.dbservers[0]
        started = direct("POST", "/_api/dump/start", {"shards": [], "ttl": 60}, on=server, headers=OWNER)
        target = f"/_api/dump/next/{started.headers['x-arango-dump-id']}?batchId="
        for number in range(3):
            clock.now += 59
            assert direct("POST", f"{target}{number}", on=server, headers=OWNER).status == 204
        clock.now += 61
        answer = direct("POST", f"{target}9", on=server, headers=OWNER)
        assert (answer.status, answer.json["errorNum"]) == (404, 1600)
