# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The forecast: measured on clusters, and its formulas by numbers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.display import forecast_lines
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import Load
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import Asked
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.forecast import _copy, _log, make
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.sampling import (
    MOST_PER_SECOND,
    LogSample,
    Observed,
    Reading,
    Written,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.writers import (
    log_bytes_per_second,
    writers,
)
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster
from tests.unit.plugins.module_utils._engine.precheck.rig import PASSWORD, Rig, collection, inventory

DOCUMENTS = 600
TEXT = "x" * 400


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A source with some documents in two shards of two copies, and an empty target."""
    directory = tmp_path_factory.mktemp("forecast")
    with (
        TestCluster.start(directory, name="source") as source,
        TestCluster.start(directory, name="target", version="3.12.10", root_password=PASSWORD) as target,
    ):
        with Client.root(source) as root:
            root("POST", "/_api/collection", {"name": "things", "numberOfShards": 2, "replicationFactor": 2})
            root("POST", "/_api/document/things", [{"text": TEXT} for _number in range(DOCUMENTS)])
        yield Rig(source, target, directory)


def forecast(rig: Rig, seconds: float = 0.0, environment: Any = None, **changes: Any) -> dict[str, Any]:
    context = rig.context(environment, Asked(forecast=True, sample_seconds=seconds), **changes)
    try:
        return make(context)
    finally:
        context.close()


def test_without_a_sample_sizes_and_downtime_are_foreseen(filled: Rig) -> None:
    before = filled.source.control.get("/state/requests")
    found = forecast(filled)
    size = found["size"]
    assert size["documents"] >= DOCUMENTS
    assert size["stored_bytes"] == sum(size["stored_bytes_by_server"].values()) > 2 * DOCUMENTS * len(TEXT)
    assert (size["copied_bytes"], found["copy"]["seconds"], found["log"]["spool_bytes"]) == (None, None, None)
    target = found["target"]
    assert target["need_bytes_per_server"] == pytest.approx(size["stored_bytes"] * 1.3 / target["dbservers"], abs=1)
    assert target["fits"] is True
    assert target["deployment"] is None
    assert 0 < found["downtime"]["low"] < found["downtime"]["mid"] < found["downtime"]["high"]
    assert found["log"]["writes_per_second"] is not None
    assert found["notes"] == []
    after = filled.source.control.get("/state/requests")
    assert not [call for call in after if after[call] != before.get(call, 0) and not call.startswith("GET ")]


def test_a_sample_gives_bytes_seconds_and_the_top_writers(filled: Rig) -> None:
    stop = threading.Event()

    def write() -> None:
        with Client.root(filled.source) as root:
            while not stop.is_set():
                root("POST", "/_api/document/things", [{"text": TEXT}] * 5)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        found = forecast(filled, 1.0)
    finally:
        stop.set()
        thread.join()
    assert found["notes"] == []
    assert found["size"]["copied_bytes"] > DOCUMENTS * len(TEXT)
    assert found["copy"]["limited_by"] == "reading of the source"
    copied, rate = found["size"]["copied_bytes"], found["copy"]["bytes_per_second"]
    assert found["copy"]["seconds"] == pytest.approx(copied / rate, abs=0.1)
    top = found["writers"]["collections"][0]
    assert (top["collection"], found["writers"]["collections_from"]) == ("things", "logs")
    assert top["writes_per_second"] > 1
    assert top["bytes_per_second"] > len(TEXT)
    assert found["log"]["markers_bytes_per_second"] >= top["bytes_per_second"]
    assert found["log"]["spool_bytes"] is not None
    lines = forecast_lines(found)
    assert any(line.startswith("writes most") and "_system/things" in line for line in lines)
    assert any(line.startswith("who writes") for line in lines)
    clients = filled.source.control.get("/state/overview")
    assert "cutover" not in str(clients)


def test_a_limit_of_the_request_counts(filled: Rig) -> None:
    found = forecast(filled, 0.5, mb_per_second=0.001)
    assert found["copy"]["limited_by"] == "mb_per_second"
    assert found["copy"]["seconds"] == pytest.approx(found["size"]["copied_bytes"] / (0.001 * 1e6), rel=0.01)


@pytest.mark.parametrize(
    ("limits", "megabytes", "by"),
    [
        ({}, 50, "reading of the source"),
        ({"load": "gentle"}, 20, "load"),
        ({"load": "gentle", "mb_per_second": 30}, 30, "mb_per_second"),
        ({"load": "gentle", "mb_per_second": 0}, 50, "reading of the source"),
        ({"mb_per_second": 80}, 50, "reading of the source"),
    ],
)
def test_what_the_load_allows_counts(limits: dict[str, Any], megabytes: int, by: str) -> None:
    context: Any = SimpleNamespace(spec=SimpleNamespace(tuning=Load(**limits)))
    found = _copy(context, {"read_bytes_per_second": 50_000_000, "copied_bytes": 1_000_000_000})
    assert found == {"bytes_per_second": megabytes * 1e6, "limited_by": by, "seconds": round(1000 / megabytes, 1)}


def test_another_replication_factor_and_a_deployment(filled: Rig) -> None:
    two = forecast(filled)["target"]["need_bytes_per_server"]
    sizes = {"dbservers": 3, "dbserver_disk_size": 0.000001, "dbserver_memory_size": 4}
    about = {"deployment": {"deployment": {"size": sizes}}}
    one = forecast(filled, environment=about, replication_factor={"*": 1})["target"]
    assert one["need_bytes_per_server"] == pytest.approx(two / 2, rel=0.2)
    assert one["deployment"] == {
        "dbservers": 3, "disk_bytes_per_server": 1000.0, "memory_bytes_per_server": 4e9, "fits": False,
    }  # fmt: skip


def test_what_cannot_be_measured_is_unknown_and_noted(filled: Rig) -> None:
    filled.pretend("source", "/_admin/metrics", "", status=403)
    try:
        found = forecast(filled)
    finally:
        filled.source.control.clear()
    assert found["size"]["stored_bytes"] is None
    assert found["target"]["need_bytes_per_server"] is None
    assert found["writers"] is None
    assert any(note.startswith("writes:") for note in found["notes"])


def test_an_unreachable_source_leaves_everything_unknown(filled: Rig) -> None:
    found = forecast(filled, source_endpoints=["https://127.0.0.1:9"])
    assert found["size"]["documents"] in (0, None)
    assert found["copy"]["seconds"] is None
    assert found["notes"]


def metrics(**users: float) -> str:
    return "".join(
        "arangodb_collection_leader_writes_total{"
        f'role="DBSERVER",db="shop",collection="a}}b",shard="s1",user="{user}"}} {count}\n'
        for user, count in users.items()
    )


def observed(before: str, after: str, **more: Any) -> Observed:
    return Observed(
        {"PRMR-a": Reading(before, 1, 10.0)}, {"PRMR-a": Reading(after, 2, 12.0)}, more.pop("queries", []), **more
    )


@pytest.mark.parametrize(
    ("written", "archived", "growth"), [(40, 0, None), (0, 0, 0), (40, 600, 300), (40, -600, None)]
)
def test_files_that_did_not_move_under_writes_say_nothing(written: int, archived: int, growth: int | None) -> None:
    """RocksDB makes its files larger in steps: no growth would be a promise that the log does not keep."""
    texts = [
        f"arangodb_document_writes_total {100 + writes}\nrocksdb_archived_wal_files_size {1000 + size}\n"
        f"rocksdb_live_wal_files_size 64\nrocksdb_free_disk_space 9000\n"
        for writes, size in ((0, 0), (written, archived))
    ]
    found = _log(observed(*texts), [], 10.0)
    assert found["growth_bytes_per_second"] == growth
    kept = None if growth is None else {"PRMR-a": growth * 10}
    assert (found["kept_bytes_by_server"], found["runway_seconds"]) == (kept, 30.0 if growth else None)
    assert found["writes_per_second"] == written / 2


def test_users_are_named_where_servers_count_them() -> None:
    found = writers(observed(metrics(ann=10, ben=5), metrics(ann=14, ben=25)), [])
    assert [(item["user"], item["writes_per_second"]) for item in found["users"]] == [("ben", 10.0), ("ann", 2.0)]
    assert found["users"][0]["collection"] == "a}b"
    assert (found["users_from"], found["advice"]) == ("metrics", None)
    assert found["collections"][0]["writes_per_second"] == 12.0


def test_users_of_running_queries_are_better_than_nothing() -> None:
    writing = {"id": "1", "user": "ann", "database": "shop", "query": "INSERT {} INTO c", "modificationQuery": True}
    queries = [
        writing, writing,
        {"id": "2", "user": "ben", "database": "shop", "query": "RETURN 1"},
    ]  # fmt: skip
    found = writers(observed("", "", queries=queries), [])
    assert found["users"] == [{"user": "ann", "database": "shop", "collection": None, "queries": 1}]
    assert found["users_from"] == "running queries"
    assert "export-shard-usage-metrics" in found["advice"]
    nobody = writers(observed("", ""), [])
    assert (nobody["users"], nobody["users_from"], nobody["collections"]) == (None, None, None)


def test_only_the_leaders_markers_count_and_a_part_stands_for_the_whole(rig: Rig) -> None:
    rig.pretend("source", "clusterInventory", inventory(collection("c", shards={"s78": ["PRMR-a", "PRMR-b"]})))
    collections = [one for one in rig.context().collections() if one.name == "c"][:1]
    log = {
        "PRMR-a": LogSample({"s78": Written(10, 1000), "s99": Written(5, 5)}, share=0.5),
        "PRMR-b": LogSample({"s78": Written(10, 1000)}),
    }
    seen = observed("", "", logs=log)
    assert log_bytes_per_second(seen, collections) == 1000.0
    assert writers(seen, collections)["collections"][0]["writes_per_second"] == 10.0


def test_the_source_is_read_gently(filled: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck import sampling

    assert MOST_PER_SECOND == 32 * 2**20
    monkeypatch.setattr(sampling, "MOST_PER_SECOND", 1000)
    monkeypatch.setattr(sampling, "_BATCH", 16 * 1024)
    context = filled.context(None, Asked(forecast=True, sample_seconds=1.0))
    servers = context.source.dbservers()
    found = sampling.read_shards(servers, context.collections(), {"_system/things": 10**9}, 1.0)
    context.close()
    # One batch each, and then the pauses that its size asks for take the rest of the time.
    assert all(sum(read.bytes for read in one.values()) < 60_000 for one in found.values())
