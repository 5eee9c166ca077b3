# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Differences of versions: the table of facts §10, one test a row, over the same list of versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.testbed import exactness, versions
from tests.testbed.inprocess import Direct, basic
from tests.testbed.options import parse_version

VERSIONS = ("3.10.14", "3.11.14", "3.12.10", "4.0")
Probe = Callable[[Direct], Any]
ADMIN = basic("root", "")
REMOVED_IN_4 = [
    ("GET", "/_admin/metrics/v2", None),
    ("GET", "/_admin/version", None),
    ("GET", "/_api/endpoint", None),
    ("PUT", "/_api/collection/_graphs/load", None),
    ("PUT", "/_api/simple/all", {"collection": "_graphs"}),
    ("GET", "/_admin/aardvark/index.html", None),
    ("PUT", "/_admin/wal/flush", None),
    ("GET", "/_admin/wal/properties", None),
    ("GET", "/_admin/wal/transactions", None),
    ("GET", "/_api/tasks", None),
    ("GET", "/_api/aqlfunction", None),
]


def over(names: Sequence[str], probe: Probe, **wishes: Any) -> list[Any]:
    """What a probe finds in each version."""
    found = []
    for name in names:
        with Direct(version=name, **wishes) as direct:
            found.append(probe(direct))
    return found


def status(method: str, target: str, body: object = None) -> Probe:
    return lambda direct: direct(method, target, body, login=ADMIN).status


def create(direct: Direct, **wishes: object) -> Any:
    return direct("POST", "/_api/collection", {"name": "c", **wishes}).json


def test_write_concern_error() -> None:
    def probe(direct: Direct) -> tuple[int, int]:
        create(direct, replicationFactor=2, writeConcern=2)
        shard = direct.deployment.database("_system").collection("c").shards[0]
        direct.deployment.servers[shard.servers[1]].down = True
        answer = direct("POST", "/_api/document/c", {})
        return answer.status, answer.json["errorNum"]

    assert over(VERSIONS, probe) == [(403, 1004), (403, 1429), (403, 1429), (403, 1429)]


def test_bulk_write_with_a_bad_key() -> None:
    def probe(direct: Direct) -> int:
        create(direct)
        return direct("POST", "/_api/document/c", [{"_key": "a b"}, {"_key": "a"}]).status

    assert over((*VERSIONS, "3.11.0", "3.11.1"), probe) == [400, 202, 202, 202, 400, 202]


def test_parallel_dump() -> None:
    def probe(direct: Direct) -> int:
        server, headers = direct.dbservers[0], {"x-arango-dump-auth-user": "u"}
        return direct("POST", "/_api/dump/start", {"shards": []}, on=server, headers=headers).status

    names = ("3.10.7", "3.10.8", "3.11.1", "3.11.2", "3.12.0", "4.0")
    assert over(names, probe) == [404, 201, 404, 201, 201, 201]


@pytest.mark.parametrize("number", ["9007199254740992.0", "1.2345678901234567e18", "-1.8446744073709550e19"])
def test_large_doubles_in_dumps_and_logs(number: str) -> None:
    def probe(direct: Direct) -> set[bool]:
        create(direct)
        server = direct.leader("c")
        shard = direct.deployment.database("_system").collection("c").shards[0].name
        direct("POST", "/_api/document/c", b'{"_key":"k","v":%b}' % number.encode())
        markers = direct("GET", "/_api/wal/tail?global=true", on=server).body.splitlines()
        batch = direct("POST", "/_api/replication/batch", {}, on=server).json["id"]
        dump = f"/_api/replication/dump?collection={shard}&batchId={batch}&useEnvelope=false"
        lines = [line for line in markers if b'"_key":"k"' in line]
        lines += [direct("GET", dump, on=server).body, direct("GET", "/_api/document/c/k").body]
        return {number.encode() in line for line in lines}

    names = ("3.10.14", "3.11.11", "3.11.12", "3.12.2", "3.12.3", "4.0")
    assert over(names, probe) == [{False}, {False}, {True}, {False}, {True}, {True}]


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        ('{"a":"1e17, 9007199254740993.0","b":1.5}', '{"a":"1e17, 9007199254740993.0","b":1.5}'),
        ('{"a":[1.2345678901234567e18]}', '{"a":[1234567890123460096]}'),
        ('{"a":9007199254740993}', '{"a":9007199254740993}'),
        ('{"a":1e300,"b":"\\"1e18"}', '{"a":1e300,"b":"\\"1e18"}'),
    ],
)
def test_only_large_doubles_are_printed_inexactly(raw: str, printed: str) -> None:
    assert exactness.inexact(raw.encode()).decode() == printed
    json.loads(printed)


def test_cluster_truncate_has_a_marker_of_its_own() -> None:
    def probe(direct: Direct) -> bool:
        create(direct)
        direct("POST", "/_api/document/c", [{} for _ in range(10)])
        direct("PUT", "/_api/collection/c/truncate")
        return b'"type":2004' in direct("GET", "/_api/wal/tail?global=true", on=direct.leader("c")).body

    assert over(VERSIONS, probe, options={"truncate_threshold": 5}) == [True] * 4


def test_default_replication_factor() -> None:
    def probe(direct: Direct) -> Any:
        return direct("GET", "/_admin/options").json["cluster.default-replication-factor"]

    assert over(VERSIONS, probe, options={"options_api": "public"}) == [0, 0, 1, 1]


@pytest.mark.parametrize(("option", "expected"), [(False, [400, 400, 201, 201]), (True, [201, 201, 201, 201])])
def test_extended_names_of_databases(option: bool, expected: list[int]) -> None:
    probe = status("POST", "/_api/database", {"name": "Größe 漢字"})
    assert over(VERSIONS, probe, options={"extended_names": option}) == expected


@pytest.mark.parametrize(("option", "expected"), [(False, [400, 400, 200, 200]), (True, [400, 200, 200, 200])])
def test_extended_names_of_collections(option: bool, expected: list[int]) -> None:
    probe = status("POST", "/_api/collection", {"name": "Größe"})
    assert over(VERSIONS, probe, options={"extended_names": option}) == expected


def test_system_collections() -> None:
    """Pregel until 3.11, Foxx, Web interface and statistics until 3.12."""

    def probe(direct: Direct) -> set[str]:
        return {entry["name"] for entry in direct("GET", "/_api/collection").json["result"]}

    first, second, third, fourth = over(VERSIONS, probe)
    assert first == second == third | {"_pregel_queries"}
    gone = {"_aqlfunctions", "_apps", "_appbundles", "_frontend", "_jobs", "_queues"}
    assert third - fourth == gone | {"_statistics", "_statistics15", "_statisticsRaw", "_routing"}


@pytest.mark.parametrize(
    "path",
    ["applier-config", "applier-state", "logger-first-tick", "logger-tick-ranges", "server-id", "logger-follow?from=1"],
)
def test_applier_and_old_logger(path: str) -> None:
    names = ("3.10.14", "3.11.14", "3.12.9", "3.12.10", "4.0")
    probe = status("GET", f"/_api/replication/{path}")
    assert [found // 100 for found in over(names, probe, flavour="single")] == [2, 2, 2, 4, 4]


def test_the_old_logger_shows_ids_of_collections() -> None:
    with Direct(version="3.11.14", flavour="single") as direct:
        create(direct)
        tick = direct("GET", "/_api/wal/lastTick").json["tick"]
        direct("POST", "/_api/document/c", {"_key": "k"})
        answer = direct("GET", f"/_api/replication/logger-follow?from={tick}")
        marker = json.loads(answer.body)
        collection = direct.deployment.database("_system").collection("c")
    assert list(marker) == ["tick", "type", "database", "tid", "cid", "cname", "data"]
    assert (marker["database"], marker["cid"], marker["cname"]) == ("1", collection.id, "c")
    assert answer.headers["x-arango-replication-active"] == "true"


@pytest.mark.parametrize("path", ["range", "lastTick", "tail"])
def test_the_log_is_read_in_the_same_way(path: str) -> None:
    assert over(VERSIONS, status("GET", f"/_api/wal/{path}"), flavour="single") == [200] * 4


def test_open_transactions() -> None:
    probe = status("GET", "/_api/wal/open-transactions")
    assert over(VERSIONS, probe, flavour="single") == [204, 204, 204, 400]


@pytest.mark.parametrize(("method", "target", "body"), REMOVED_IN_4)
def test_endpoints_removed_in_4(method: str, target: str, body: object) -> None:
    found = over(VERSIONS, status(method, target, body))
    assert [number // 100 for number in found[:3]] == [2, 2, 2]
    assert found[3] == 404


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("fulltext", {}, ["fulltext", "fulltext", "fulltext", 10]),
        ("hash", {}, ["hash", "hash", "persistent", "persistent"]),
        ("skiplist", {}, ["skiplist", "skiplist", "persistent", "persistent"]),
        ("zkd", {"fieldValueTypes": "double"}, ["zkd", "zkd", "mdi", "mdi"]),
        ("mdi", {"fieldValueTypes": "double"}, [10, 10, "mdi", "mdi"]),
        ("inverted", {}, ["inverted"] * 4),
        ("vector", {"params": {"metric": "cosine", "dimension": 3, "nLists": 1}}, [10, 10, 10, "vector"]),
    ],
)
def test_index_types(kind: str, more: dict[str, Any], expected: list[Any]) -> None:
    def probe(direct: Direct) -> Any:
        create(direct)
        answer = direct("POST", "/_api/index?collection=c", {"type": kind, "fields": ["a"], **more}).json
        return answer.get("errorNum") or answer["type"]

    assert over(VERSIONS, probe) == expected


def test_vector_indexes_by_option() -> None:
    def probe(direct: Direct) -> int:
        create(direct)
        params = {"metric": "cosine", "dimension": 3, "nLists": 1}
        body = {"type": "vector", "fields": ["a"], "params": params}
        return direct("POST", "/_api/index?collection=c", body).status

    assert over(("3.12.3", "3.12.4"), probe, options={"vector_index": True}) == [400, 201]


def test_properties_removed_in_4() -> None:
    def probe(direct: Direct) -> set[str]:
        create(direct)
        properties = direct("GET", "/_api/collection/c/properties").json
        return {name for name in ("minReplicationFactor", "status", "statusString") if name in properties}

    assert [len(found) for found in over(VERSIONS, probe)] == [3, 3, 3, 0]


def test_overwrite_parameter() -> None:
    def probe(direct: Direct) -> list[int]:
        create(direct)
        direct("POST", "/_api/document/c", {"_key": "a"})
        queries = ("overwrite=true", "overwriteMode=replace")
        return [direct("POST", f"/_api/document/c?{query}", {"_key": "a"}).status for query in queries]

    assert over(VERSIONS, probe) == [[202, 202], [202, 202], [202, 202], [409, 202]]


def test_next_batch_of_a_cursor_by_put() -> None:
    def probe(direct: Direct) -> list[int]:
        body = {"query": "FOR i IN 1..10 RETURN i", "batchSize": 2}
        cursor = direct("POST", "/_api/cursor", body).json["id"]
        return [direct(method, f"/_api/cursor/{cursor}").status for method in ("PUT", "POST")]

    assert over(VERSIONS, probe) == [[200, 200], [200, 200], [200, 200], [404, 200]]


def test_javascript_transactions() -> None:
    assert over(VERSIONS, status("POST", "/_api/transaction", {"collections": {}, "action": "x"}))[3] == 404


def test_secret_on_the_command_line() -> None:
    def probe(direct: Direct) -> bool:
        return "server.jwt-secret" in direct("GET", "/_admin/options").json

    assert over(VERSIONS, probe, options={"options_api": "public"}) == [True, True, True, False]


def test_deployment_id() -> None:
    assert over(("3.11.14", "3.12.5", "3.12.6", "4.0"), status("GET", "/_admin/deployment/id")) == [404, 404, 200, 200]


def test_unique_ids() -> None:
    names = ("3.11.14", "3.12.5", "3.12.5-2", "3.12.5-3", "3.12.6", "4.0")
    probe = status("PUT", "/_admin/cluster/uniqId?number=5")
    assert over(names, probe) == [404, 404, 404, 200, 200, 200]


def test_license_of_community_builds() -> None:
    def probe(direct: Direct) -> Any:
        answer = direct("GET", "/_admin/license").json
        return answer.get("license") or answer["diskUsage"]["bytesLimit"]

    names = ("3.11.14", "3.12.4", "3.12.5", "4.0")
    limit = 100 << 30
    assert over(names, probe, options={"license": "community"}) == ["none", "none", limit, limit]


def test_access_tokens() -> None:
    user = "root"

    def probe(direct: Direct) -> int:
        made = direct("POST", "/_api/token/root", {"name": "t", "valid_until": 1 << 33})
        if made.status != 200:
            return made.status
        token = made.json["token"]
        assert token not in direct("GET", "/_api/token/root").body.decode()
        assert direct("POST", "/_open/auth", {"username": "root", "password": token}, login="").status == 200
        used = direct("GET", "/_api/version", login=basic("root", token)).status
        direct("DELETE", f"/_api/token/{user}/{made.json['id']}")
        return used if direct("GET", "/_api/version", login=basic("root", token)).status == 401 else 0

    assert over(VERSIONS, probe) == [404, 404, 200, 200]


@pytest.mark.parametrize("limit", [None, 2000])
def test_size_of_stream_transactions(limit: int | None) -> None:
    def probe(direct: Direct) -> int:
        create(direct)
        begun = direct("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
        answers = [
            direct("POST", "/_api/document/c", {"v": "x" * 900}, headers={"x-arango-trx-id": begun}) for _ in range(3)
        ]
        return int(answers[-1].json.get("errorNum", 0))

    options = {} if limit is None else {"stream_transaction_limit": limit}
    assert over(VERSIONS, probe, options=options) == ([0] * 4 if limit is None else [32] * 4)


@pytest.mark.parametrize("options", [{"type": "uuid", "lastValue": 5}, {"type": "traditional", "increment": 5}])
def test_settings_of_other_key_generators(options: dict[str, Any]) -> None:
    """Facts §3.4: 3.12 refuses what 3.10 and 3.11 ignore."""
    body = {"name": "c", "keyOptions": options}
    assert over(VERSIONS, status("POST", "/_api/collection", body)) == [200, 200, 400, 400]


def test_health_loses_its_timestamp_in_4() -> None:
    def probe(direct: Direct) -> bool:
        return "Timestamp" in direct("GET", "/_admin/cluster/health").json["Health"][direct.front.id]

    assert over(VERSIONS, probe) == [True, True, True, False]


def test_mode_of_a_server_in_4() -> None:
    def probe(direct: Direct) -> tuple[bool, bool]:
        details = direct("GET", "/_api/version?details=true").json["details"]
        return "mode" in details, "foxxApi" in direct("GET", "/_admin/status").json

    assert over(VERSIONS, probe) == [(True, True)] * 3 + [(False, False)]


def test_spans_name_versions_that_follow_each_other() -> None:
    for span in versions.SPANS:
        assert span.since < span.until
    assert versions.missing(parse_version("3.12.10")).match("GET /_api/replication/server-id")
    assert not versions.missing(parse_version("3.12.10")).match("GET /_api/replication/server-identity")
