# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every reading of facts §12 shows what it says, and its default the opposite."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.testbed import heartbeat, readings
from tests.testbed.inprocess import Direct, basic
from tests.testbed.model import Server

Make = Callable[..., Direct]
ROOT = Path(__file__).resolve().parent.parent.parent
HEADER = {"x-arango-dump-auth-user": "tests"}


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes a deployment that reads one number in one variant; `options` and others as of Direct."""
    made: list[Direct] = []

    def begin(number: int, variant: str, options: dict[str, Any] | None = None, **wishes: Any) -> Direct:
        made.append(Direct({**(options or {}), "readings": {number: variant}}, **wishes))
        return made[-1]

    yield begin
    for entry in made:
        entry.close()


def collection(direct: Direct, **wishes: object) -> Server:
    """Make `c` and answer the leader of its first shard."""
    answer = direct("POST", "/_api/collection", {"name": "c", **wishes})
    assert answer.status == 200
    return direct.leader("c")


def markers(direct: Direct, server: Server, query: str = "global=true") -> list[dict[str, Any]]:
    body = direct("GET", f"/_api/wal/tail?{query}", on=server).body
    return [json.loads(line) for line in body.splitlines()]


def documents(direct: Direct, server: Server) -> list[dict[str, Any]]:
    return [marker["data"] for marker in markers(direct, server) if marker["type"] == 2300]


def own(direct: Direct, server: Server) -> list[dict[str, Any]]:
    """Markers of inserts of keys that start with `k`; users' documents have numbers."""
    found = [marker for marker in markers(direct, server) if marker["type"] == 2300]
    return [marker for marker in found if marker["data"]["_key"].startswith("k")]


@pytest.mark.parametrize(("variant", "local"), [("collection-ids", False), ("shard-ids", True)])
def test_2_ids_on_db_servers(make: Make, variant: str, local: bool) -> None:
    direct = make(2, variant)
    server = collection(direct)
    direct("POST", "/_api/document/c", {"_key": "k"})
    shard = direct.deployment.database("_system").collection("c").shards[0].name
    expected = f"{shard}/k" if local else "c/k"
    assert [marker["data"]["_id"] for marker in own(direct, server)] == [expected]
    dump = direct("POST", "/_api/dump/start", {"shards": [shard]}, on=server, headers=HEADER)
    name = dump.headers["x-arango-dump-id"]
    assert direct("POST", f"/_api/dump/next/{name}?batchId=1", on=server, headers=HEADER).json["_id"] == expected
    batch = direct("POST", "/_api/replication/batch", {}, on=server).json["id"]
    query = f"collection={shard}&batchId={batch}&useEnvelope=false"
    assert direct("GET", f"/_api/replication/dump?{query}", on=server).json["_id"] == expected
    assert direct("GET", "/_api/document/c/k").json["_id"] == "c/k"


@pytest.mark.parametrize(("variant", "form"), [("plan-guids", "c{id}/{shard}"), ("plain-guids", "{shard}")])
def test_2_guids_of_shards(make: Make, variant: str, form: str) -> None:
    direct = make(2, variant)
    server = collection(direct)
    direct("POST", "/_api/document/c", {"_key": "k"})
    entry = direct.deployment.database("_system").collection("c")
    expected = form.format(id=entry.id, shard=entry.shards[0].name)
    assert [marker["cuid"] for marker in own(direct, server)] == [expected]
    listed = direct("GET", "/_api/collection", on=server).json["result"]
    assert expected in [entry["globallyUniqueId"] for entry in listed]


@pytest.mark.parametrize(
    ("variant", "several", "shared"),
    [("same-tid", False, True), ("tid-per-frame", True, False), ("local-tid", False, False)],
)
def test_3_tids_of_intermediate_commits(make: Make, variant: str, several: bool, shared: bool) -> None:
    direct = make(3, variant, {"intermediate_commit_count": 2})
    collection(direct, numberOfShards=2)
    begun = direct("POST", "/_api/transaction/begin", {"collections": {"write": ["c"]}}).json["result"]["id"]
    for number in range(9):
        answer = direct("POST", "/_api/document/c", {"_key": f"k{number}"}, headers={"x-arango-trx-id": begun})
        assert answer.status == 202
    direct("PUT", f"/_api/transaction/{begun}")
    found = [
        {marker["tid"] for marker in own(direct, server)}
        for server in {shard.leader.server for shard in direct.deployment.database("_system").collection("c").shards}
    ]
    assert len(found) == 2
    assert [len(tids) > 1 for tids in found] == [several, several]
    assert bool(found[0] & found[1]) is shared


@pytest.mark.parametrize(("variant", "present"), [("missing", "false"), ("present", "true")])
def test_4_from_present_after_a_restart(make: Make, variant: str, present: str) -> None:
    direct = make(4, variant)
    server = collection(direct)
    tick = direct("GET", "/_api/wal/lastTick", on=server).json["tick"]
    tail = f"/_api/wal/tail?global=true&from={tick}"
    assert direct("GET", tail, on=server).headers["x-arango-replication-frompresent"] == "true"
    server.log.restarted()
    answer = direct("GET", tail, on=server)
    assert answer.headers["x-arango-replication-frompresent"] == present
    assert answer.headers["x-arango-replication-lasttick"] == tick
    earlier = direct("GET", "/_api/wal/tail?global=true&from=1", on=server)
    assert (earlier.status, earlier.headers["x-arango-replication-frompresent"]) == (200, "true")
    direct("POST", "/_api/document/c", {"_key": "k"})
    assert direct("GET", tail, on=server).headers["x-arango-replication-frompresent"] == "true"


def test_5_registering_only(make: Make) -> None:
    direct = make(5, "present")
    server = collection(direct)
    assert direct("PUT", "/_api/wal/tail?trackOnly=true&syncerId=7&from=5&clientInfo=x", on=server).status == 200
    clients = direct("GET", "/_api/replication/logger-state", on=server).json["clients"]
    assert [(entry["syncerId"], entry["lastServedTick"], entry["clientInfo"]) for entry in clients] == [("7", "5", "x")]
    assert direct("DELETE", "/_api/wal/tail?syncerId=7", on=server).status == 200
    assert direct("GET", "/_api/replication/logger-state", on=server).json["clients"] == []
    other = make(5, "absent")
    server = collection(other)
    assert other("PUT", "/_api/wal/tail?trackOnly=true&syncerId=7&from=5", b"[]", on=server).body.count(b"tick") > 1
    assert other("DELETE", "/_api/wal/tail?syncerId=7", on=server).status == 405
    assert len(other("GET", "/_api/replication/logger-state", on=server).json["clients"]) == 1


@pytest.mark.parametrize(
    ("variant", "license_name", "version", "status"),
    [
        ("no-community-dump", "community", "3.12.4", 404),
        ("no-community-dump", "community", "3.12.5", 201),
        ("no-community-dump", "enterprise", "3.12.4", 201),
        ("community-dump", "community", "3.12.4", 201),
    ],
)
def test_7_dump_of_community_builds(make: Make, variant: str, license_name: str, version: str, status: int) -> None:
    direct = make(7, variant, {"license": license_name}, version=version)
    server = collection(direct)
    assert direct("POST", "/_api/dump/start", {"shards": []}, on=server, headers=HEADER).status == status


@pytest.mark.parametrize(
    ("variant", "version", "status"),
    [("auth-required", "3.11.14", 400), ("auth-optional", "3.11.14", 201), ("auth-optional", "3.12.10", 400)],
)
def test_7_the_owners_header(make: Make, variant: str, version: str, status: int) -> None:
    direct = make(7, variant, version=version)
    server = collection(direct)
    assert direct("POST", "/_api/dump/start", {"shards": []}, on=server).status == status


@pytest.mark.parametrize(("variant", "seen"), [("one-snapshot", 1), ("shard-snapshots", 2)])
def test_7_when_the_snapshot_of_a_shard_is_taken(make: Make, variant: str, seen: int) -> None:
    direct = make(7, variant, dbservers=1)
    server = collection(direct, numberOfShards=2)
    for number in range(2):
        direct("POST", "/_api/document/c", [{"_key": f"k{number}{other}"} for other in range(20)])
        if number == 0:
            shards = [shard.name for shard in direct.deployment.database("_system").collection("c").shards]
            before = direct("GET", "/_api/collection/c/count?details=true").json["count"][shards[1]]
            body = {"shards": shards, "batchSize": 1, "docsPerBatch": 1}
            name = direct("POST", "/_api/dump/start", body, on=server, headers=HEADER).headers["x-arango-dump-id"]
            direct("POST", f"/_api/dump/next/{name}?batchId=0", on=server, headers=HEADER)
    later = direct("GET", "/_api/collection/c/count?details=true").json["count"][shards[1]]
    answers = [
        direct("POST", f"/_api/dump/next/{name}?batchId={number}", on=server, headers=HEADER) for number in range(1, 99)
    ]
    found = [answer.headers.get("x-arango-dump-shard-id") for answer in answers].count(shards[1])
    assert found == (before if seen == 1 else later) and before < later


@pytest.mark.parametrize(("variant", "kept"), [("revisions-kept", True), ("revisions-anew", False)])
def test_9_kept_revisions(make: Make, variant: str, kept: bool) -> None:
    direct = make(9, variant)
    collection(direct)
    line = b'{"_key":"k","_id":"c/k","_rev":"_jt3aNJe---"}\n'
    direct("PUT", "/_api/replication/restore-data?collection=c&preserveRevisionIds=true", line)
    assert (direct("GET", "/_api/document/c/k").json["_rev"] == "_jt3aNJe---") is kept


@pytest.mark.parametrize(
    ("variant", "version", "status"), [("ignored", "4.0", 200), ("refused", "4.0", 400), ("refused", "3.12.10", 200)]
)
def test_10_removed_properties(make: Make, variant: str, version: str, status: int) -> None:
    direct = make(10, variant, version=version)
    body = {"parameters": {"name": "c", "type": 2, "minReplicationFactor": 1, "status": 3}, "indexes": []}
    assert direct("PUT", "/_api/replication/restore-collection", body).status == status


@pytest.mark.parametrize(("variant", "same"), [("equal", True), ("by-version", False)])
def test_11_checksums_of_versions(make: Make, variant: str, same: bool) -> None:
    sums = []
    for version in ("3.11.14", "3.12.10"):
        direct = make(11, variant, version=version)
        collection(direct)
        direct("POST", "/_api/document/c", {"_key": "k", "v": 1})
        sums.append(direct("GET", "/_api/collection/c/checksum?withData=true").json["checksum"])
    assert (sums[0] == sums[1]) is same


def test_12_cleaned_servers(make: Make) -> None:
    assert "cleanedServers" in make(12, "cleaned-listed")("GET", "/_admin/cluster/numberOfServers").json
    assert "cleanedServers" not in make(12, "cleaned-missing")("GET", "/_admin/cluster/numberOfServers").json


@pytest.mark.parametrize(("variant", "status"), [("source", 200), ("docs", 503)])
def test_13_availability(make: Make, variant: str, status: int) -> None:
    direct = make(13, variant)
    direct.front.mode_readonly = True
    assert direct("GET", "/_admin/server/availability", login="").status == status


@pytest.mark.parametrize(
    ("variant", "version", "error"), [("1004", "4.0", 1004), ("11", "4.0", 11), ("11", "3.12.10", 1004)]
)
def test_14_read_only_error(make: Make, variant: str, version: str, error: int) -> None:
    direct = make(14, variant, version=version)
    collection(direct)
    direct.front.mode_readonly = True
    assert direct("POST", "/_api/document/c", {}).json["errorNum"] == error


@pytest.mark.parametrize(("variant", "written"), [("quiet", False), ("statistics", True)])
def test_14_internal_writes_in_read_only(make: Make, variant: str, written: bool) -> None:
    direct = make(14, variant)
    for server in direct.deployment.servers.values():
        server.mode_readonly = True
    heartbeat.beat_all(direct.deployment, 1)
    server = direct.leader("_statisticsRaw")
    assert bool(documents(direct, server)) is written


@pytest.mark.parametrize(("variant", "body"), [("silent-array", []), ("silent-object", {})])
def test_15_silent_answers(make: Make, variant: str, body: object) -> None:
    direct = make(15, variant)
    collection(direct)
    assert direct("POST", "/_api/document/c?silent=true", [{"_key": "k"}]).json == body
    assert direct("POST", "/_api/document/c?silent=true", [{"_key": "k"}]).json[0]["errorNum"] == 1210


@pytest.mark.parametrize(("variant", "named"), [("bare-conflicts", False), ("named-conflicts", True)])
def test_15_conflicts_in_arrays(make: Make, variant: str, named: bool) -> None:
    direct = make(15, variant)
    collection(direct)
    direct("POST", "/_api/document/c", {"_key": "k"})
    item = direct("DELETE", "/_api/document/c?ignoreRevs=false", [{"_key": "k", "_rev": "_aaaaaaa---"}]).json[0]
    assert item["errorNum"] == 1200
    assert ("_key" in item) is named


@pytest.mark.parametrize(("variant", "left"), [("overwritten", 1), ("kept", 2)])
def test_15_two_documents_with_one_revision(make: Make, variant: str, left: int) -> None:
    direct = make(15, variant)
    collection(direct)
    body = [{"_key": key, "_rev": "_jt3aNJe---"} for key in "ab"]
    direct("POST", "/_api/document/c?isRestore=true", body)
    assert len({direct("GET", f"/_api/document/c/{key}").json["_key"] for key in "ab"}) == left


@pytest.mark.parametrize(
    ("variant", "method", "target"),
    [
        ("no-mode", "PUT", "/_admin/server/mode"),
        ("no-users", "PUT", "/_api/replication/restore-data?collection=_users"),
        ("no-health", "GET", "/_admin/cluster/health"),
        ("no-metrics", "GET", "/_admin/metrics"),
    ],
)
def test_17_what_a_front_end_blocks(make: Make, variant: str, method: str, target: str) -> None:
    body = {"mode": "default"} if variant == "no-mode" else None
    answer = make(17, variant, flavour="managed")(method, target, body)
    assert (answer.status, answer.headers["server"]) == (403, "nginx")
    for other in (make(17, "open", flavour="managed"), make(17, variant)):
        assert other(method, target, body).status == 200


def test_17_bodies_that_a_front_end_does_not_take(make: Make) -> None:
    direct = make(17, "open", {"front_end_max_body": 100}, flavour="managed")
    assert direct("POST", "/_api/collection", {"name": "c"}).status == 200
    assert direct("POST", "/_api/document/c", {"v": "x" * 100}).status == 413


@pytest.mark.parametrize(("variant", "free"), [("blind", False), ("observant", True)])
def test_19_numeric_keys(make: Make, variant: str, free: bool) -> None:
    direct = make(19, variant)
    collection(direct, numberOfShards=3)
    following = int(direct("POST", "/_api/document/c", {}).json["_key"])
    lines = "".join(f'{{"_key":"{following + number}"}}\n' for number in range(1, 10))
    direct("PUT", "/_api/replication/restore-data?collection=c", lines.encode())
    assert (direct("POST", "/_api/document/c", {}).status == 202) is free


@pytest.mark.parametrize(("variant", "error"), [("license-1004", 1004), ("license-11", 11)])
def test_20_read_only_by_license(make: Make, variant: str, error: int) -> None:
    direct = make(20, variant)
    collection(direct)
    direct.deployment.license_readonly = True
    assert direct("POST", "/_api/document/c", {}).json["errorNum"] == error


def test_every_number_is_read_or_said_to_be_invisible() -> None:
    numbers = {reading.number for reading in readings.READINGS}
    assert numbers | readings.NOT_OBSERVABLE.keys() == set(range(1, 23))
    assert not numbers & readings.NOT_OBSERVABLE.keys()


@pytest.mark.parametrize(
    ("values", "text"), [({"5": "none"}, "absent, present"), ({"99": "x"}, "reading 99"), ({"7": "a+b"}, "reading 7")]
)
def test_unknown_readings_are_refused(values: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        readings.parse(values)


def test_several_variants_of_a_number() -> None:
    words = readings.parse_words(["7=auth-optional", "7=shard-snapshots", "5=present"])
    assert readings.parse(words) == {7: frozenset({"auth-optional", "shard-snapshots"}), 5: frozenset({"present"})}


def test_the_command_line_refuses_and_prints_readings() -> None:
    command = [sys.executable, "-m", "tests.testbed"]
    done = subprocess.run([*command, "readings"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == readings.table()
    done = subprocess.run(
        [*command, "serve", "--reading", "5=x"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "absent, present" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_a_user_of_another_database_is_no_reading(make: Make) -> None:
    """The helper of these tests logs in as asked."""
    assert make(5, "present")("GET", "/_api/version", login=basic("root", "wrong")).status == 401


def test_the_page_has_the_table() -> None:
    page = (ROOT / "docs" / "testbed.md").read_text(encoding="utf-8")
    assert f"<!-- readings: begin -->\n{readings.table()}<!-- readings: end -->" in page
