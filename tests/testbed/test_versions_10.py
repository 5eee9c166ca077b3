# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Differences of versions in data, indexes, options and errors: facts §10, each row over the same list of versions.

Endpoints that came or went: test_endpoints_10.py; which test each row has: test_rows_10.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.testbed import exactness
from tests.testbed.api.transactions import StreamTransaction, live
from tests.testbed.by_version import VERSIONS, create, over, status
from tests.testbed.errors import CATALOGUE
from tests.testbed.inprocess import Direct


def test_write_concern_error() -> None:
    def probe(direct: Direct) -> tuple[int, int]:
        create(direct, replicationFactor=2, writeConcern=2)
        shard = direct.deployment.database("_system").collection("c").shards[0]
        direct.deployment.servers[shard.servers[1]].down = True
        answer = direct("POST", "/_api/document/c", {})
        return answer.status, answer.json["errorNum"]

    assert over(VERSIONS, probe) == [(403, 1004), (403, 1429), (403, 1429), (403, 1429)]
    option = {"failed_write_concern_status_code": 503}
    assert over(VERSIONS, probe, options=option) == [(403, 1004), (503, 1429), (503, 1429), (503, 1429)]


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


def test_secret_on_the_command_line() -> None:
    def probe(direct: Direct) -> bool:
        return "server.jwt-secret" in direct("GET", "/_admin/options").json

    assert over(VERSIONS, probe, options={"options_api": "public"}) == [True, True, True, False]


def test_license_of_community_builds() -> None:
    def probe(direct: Direct) -> Any:
        answer = direct("GET", "/_admin/license").json
        return answer.get("license") or answer["diskUsage"]["bytesLimit"]

    names = ("3.11.14", "3.12.4", "3.12.5", "4.0")
    limit = 100 << 30
    assert over(names, probe, options={"license": "community"}) == ["none", "none", limit, limit]


SIZES = [128 << 20, 128 << 20, 512 << 20, 512 << 20]


@pytest.mark.parametrize(("option", "sizes"), [(None, SIZES), (5000, [5000] * 4)])
def test_size_of_stream_transactions(option: int | None, sizes: list[int]) -> None:
    """What a transaction has written already is counted, not sent: the last document passes the limit."""

    def probe(direct: Direct, size: int) -> list[int]:
        create(direct)
        begun = direct("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
        transaction = live(direct.deployment)[begun]
        assert isinstance(transaction, StreamTransaction)
        transaction.grow(size - 1000)
        answers = [
            direct("POST", "/_api/document/c", {"v": "x" * 900}, headers={"x-arango-trx-id": begun}) for _ in range(2)
        ]
        return [int(answer.json.get("errorNum", 0)) for answer in answers]

    options = {} if option is None else {"stream_transaction_limit": option}
    for version, size in zip(VERSIONS, sizes, strict=True):
        with Direct(version=version, options=options) as direct:
            assert probe(direct, size) == [0, 32], version


# From which version on an error number is known, and from which it is not any more (facts §10).
CAME = {(3, 11, 0): {39, 420, 1242, 1428, 1429, 1576}, (4, 0, 0): {1564}}
CAME[3, 12, 0] = {40, *range(1430, 1435), 1554, 1555, 1584, 1942, 1949}
WENT = {(3, 12, 0): {12, 1217, 1473, *range(1800, 1821), 1909, *range(2200, 2300), 6002}}
WENT[4, 0, 0] = {1571, *range(3000, 3100)}


def test_error_numbers_that_came_and_went() -> None:
    """Two of them are answered here, each from its version on; the others belong to what is not emulated."""
    known = set(CATALOGUE)
    assert known & set().union(*WENT.values()) == set()
    assert known & set().union(*CAME.values()) == {1429, 1949}

    def probe(direct: Direct) -> int:
        body = {"name": "g", "edgeDefinitions": [{"collection": "e", "from": ["v"], "to": ["v"]}]}
        direct("POST", "/_api/gharial", body)
        return int(direct("POST", "/_api/gharial/g/vertex/none", {}).json["errorNum"])

    assert over(VERSIONS, probe) == [1947, 1947, 1949, 1949]  # 1429: test_write_concern_error


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
