# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/wal` over HTTP (facts §5.1 to §5.3, §5.6, §5.7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.testbed.client import Answer, Client
from tests.testbed.launch import TestCluster

Leader = tuple[str, Client]


@pytest.fixture(scope="module")
def leader(cluster: TestCluster, client: Client) -> Iterator[Leader]:
    """The name of the only shard of collection `walled` (two copies), and the superuser on its leader."""
    client("POST", "/_api/collection", {"name": "walled", "replicationFactor": 2})
    shards = client("GET", "/_api/collection/walled/shards?details=true").json["shards"]
    name, servers = next(iter(shards.items()))
    with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
        yield name, server


def last_tick(server: Client) -> int:
    return int(server("GET", "/_api/wal/lastTick").json["tick"])


def markers(answer: Answer) -> list[dict[str, object]]:
    return [json.loads(line) for line in answer.body.splitlines()]


def header(answer: Answer, name: str) -> str:
    return answer.headers[f"x-arango-replication-{name}"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["tail", "range", "lastTick", "nothing"])
def test_5_1_a_coordinator_refuses_before_any_check_of_rights(cluster: TestCluster, method: str, path: str) -> None:
    with Client(cluster.coordinators[0], cluster.ca_path, None) as nobody:
        answer = nobody(method, f"/_api/wal/{path}")
    assert (answer.status, answer.json["errorNum"]) == (501, 1470)
    assert answer.json["errorMessage"] == "'/_api/wal' is not yet supported in a cluster"


def test_5_1_a_db_server_knows_no_users(cluster: TestCluster, leader: Leader) -> None:
    url = next(iter(cluster.dbservers.values()))
    root = Client.root(cluster)
    with Client(url, cluster.ca_path, root.authorization) as refused:
        assert refused("GET", "/_api/wal/lastTick").status == 401


def test_5_1_range_and_last_tick_show_texts(leader: Leader) -> None:
    _, server = leader
    tick, span = server("GET", "/_api/wal/lastTick").json, server("GET", "/_api/wal/range").json
    assert set(tick) == {"time", "tick", "server"}
    assert set(span) == {"time", "tickMin", "tickMax", "server"}
    assert tick["tick"].isdecimal() and span["tickMin"].isdecimal()
    assert set(tick["server"]) == {"version", "serverId"}
    assert tick["server"]["serverId"].isdecimal()


def test_5_1_unknown_sub_path_is_400(leader: Leader) -> None:
    assert leader[1]("GET", "/_api/wal/nothing").status == 400


@pytest.mark.parametrize(
    ("query", "status", "number"),
    [
        ("from=5&to=4", 400, 400),
        ("to=0", 400, 400),
        ("from=x", 400, 400),
        ("syncerId=0", 400, 400),
        ("syncerId=07", 400, 400),
        ("syncerId=-1", 400, 400),
        ("collection=s0", 404, 1203),
    ],
)
def test_5_2_bad_parameters(leader: Leader, query: str, status: int, number: int) -> None:
    answer = leader[1]("GET", f"/_api/wal/tail?{query}")
    assert (answer.status, answer.json["errorNum"]) == (status, number)


def test_5_2_global_only_in_system(client: Client, leader: Leader) -> None:
    client("POST", "/_api/database", {"name": "elsewhere"})
    answer = leader[1]("GET", "/_db/elsewhere/_api/wal/tail?global=true")
    assert (answer.status, answer.json["errorNum"]) == (403, 11)


def test_5_3_markers_and_headers(client: Client, leader: Leader) -> None:
    shard, server = leader
    before = last_tick(server)
    client("POST", "/_api/document/walled", {"_key": "a", "n": 1})
    client("POST", "/_api/document/walled", [{"_key": "b"}, {"_key": "c"}])
    client("DELETE", "/_api/document/walled/a")
    answer = server("GET", f"/_api/wal/tail?global=true&from={before}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-arango-dump"
    mine = [line for line in markers(answer) if str(line.get("cuid", "")).endswith(f"/{shard}") or "cuid" not in line]
    assert [line["type"] for line in mine] == [2300, 2200, 2300, 2300, 2201, 2302]
    assert mine[0]["data"]["n"] == 1  # type: ignore[index]
    assert set(mine[-1]["data"]) == {"_key", "_rev"}  # type: ignore[call-overload]
    assert int(header(answer, "lastincluded")) == max(int(str(line["tick"])) for line in markers(answer))
    assert int(header(answer, "lasttick")) >= int(header(answer, "lastincluded"))
    assert header(answer, "frompresent") == "true"
    assert header(answer, "checkmore") in ("true", "false")


def test_5_3_204_with_its_headers(leader: Leader) -> None:
    _, server = leader
    answer = server("GET", f"/_api/wal/tail?from={last_tick(server)}")
    assert (answer.status, answer.body) == (204, b"")
    assert header(answer, "lastincluded") == "0"
    assert header(answer, "checkmore") == "false"
    assert answer.headers["content-type"] == "application/x-arango-dump"


def test_5_6_followers_log_the_same_under_their_own_ticks(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "copied", "replicationFactor": 2})
    servers = next(iter(client("GET", "/_api/collection/copied/shards?details=true").json["shards"].values()))
    seen = []
    for number in range(3):
        client("POST", "/_api/document/copied", {"_key": f"k{number}"})
    for identifier in servers:
        with Client.superuser(cluster, cluster.dbservers[identifier]) as server:
            lines = markers(server("GET", "/_api/wal/tail?global=true"))
            seen.append([line for line in lines if '"_id": "copied/' in json.dumps(line)])
    assert [[line["data"], line["cuid"]] for line in seen[0]] == [[line["data"], line["cuid"]] for line in seen[1]]
    assert len(seen[0]) == 3
    assert [line["tick"] for line in seen[0]] != [line["tick"] for line in seen[1]]


def test_5_6_lost_markers_of_a_dropped_shard(client: Client, leader: Leader, cluster: TestCluster) -> None:
    client("POST", "/_api/collection", {"name": "gone"})
    shard, servers = next(iter(client("GET", "/_api/collection/gone/shards?details=true").json["shards"].items()))
    with Client.superuser(cluster, cluster.dbservers[servers[0]]) as server:
        before = last_tick(server)
        client("POST", "/_api/document/gone", {"_key": "a"})
        client("DELETE", "/_api/collection/gone")
        lines = [line for line in markers(server("GET", f"/_api/wal/tail?from={before}")) if shard in str(line)]
    assert [line["type"] for line in lines] == [2001]


def test_5_7_tailing_registers_in_every_database(client: Client, leader: Leader) -> None:
    _, server = leader
    client("POST", "/_api/database", {"name": "second"})
    server("GET", "/_api/wal/tail?global=true&from=3&syncerId=4242&clientInfo=test")
    for database in ("_system", "second"):
        state = server("GET", f"/_db/{database}/_api/replication/logger-state").json
        mine = [entry for entry in state["clients"] if entry["syncerId"] == "4242"]
        assert [entry["lastServedTick"] for entry in mine] == ["3"]
        assert mine[0]["clientInfo"] == "test"
    assert state["server"]["engine"] == "rocksdb"


def test_5_2_server_id_counts_where_no_syncer_id_is(leader: Leader) -> None:
    _, server = leader

    def registered(name: str) -> dict[str, str]:
        clients = server("GET", "/_api/replication/logger-state").json["clients"]
        return {entry["syncerId"]: entry["lastServedTick"] for entry in clients if entry["serverId"] == name}

    server("GET", "/_api/wal/tail?global=true&from=2&serverId=9001")
    assert registered("9001") == {"": "2"}
    server("GET", "/_api/wal/tail?global=true&from=3&serverId=9001&syncerId=77")  # another client
    assert registered("9001") == {"": "2", "77": "3"}
    server("GET", "/_api/wal/tail?global=true&from=4")
    assert "" not in registered("")  # neither: nobody is kept


@pytest.mark.parametrize(
    ("body", "status"), [([], 200), (["17"], 400), ({}, 400), (b"", 400), (b"[", 400), (b"null", 400)]
)
def test_5_1_put_takes_an_empty_array_of_transactions(leader: Leader, body: object, status: int) -> None:
    answer = leader[1]("PUT", "/_api/wal/tail?global=true", body)
    assert answer.status == status
    if status == 200:
        assert answer.body == leader[1]("GET", "/_api/wal/tail?global=true").body


def test_5_7_a_purge_shows_as_from_present_false(start: Callable[..., TestCluster]) -> None:
    cluster = start(coordinators=1, dbservers=1)
    with Client.root(cluster) as client:
        client("POST", "/_api/collection", {"name": "c"})
        client("POST", "/_api/document/c", {"_key": "a"})
        with Client.superuser(cluster, next(iter(cluster.dbservers.values()))) as server:
            before = last_tick(server)
            client("POST", "/_api/document/c", {"_key": "b"})
            cluster.control.fault("purge_wal")
            client("POST", "/_api/document/c", {"_key": "d"})
            answer = server("GET", f"/_api/wal/tail?from={before}")
    assert header(answer, "frompresent") == "false"
    assert [line["data"]["_key"] for line in markers(answer) if line["type"] == 2300] == ["d"]  # type: ignore[index]
