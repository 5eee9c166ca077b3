# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every metric that facts §2.4 name, with its type, on the servers and in the versions that have it."""

from __future__ import annotations

import re

import pytest

from tests.testbed.by_version import VERSIONS
from tests.testbed.inprocess import Direct
from tests.testbed.message import TEXT
from tests.testbed.model import Server

EVERYWHERE = {
    "arangodb_license_expires": "gauge",
    "arangodb_scheduler_queue_length": "gauge",
    "arangodb_scheduler_queue_full_failures_total": "counter",
    "arangodb_scheduler_queue_time_violations_total": "counter",
    "arangodb_scheduler_low_prio_queue_last_dequeue_time": "gauge",
}
ON_DATA = {
    "rocksdb_free_disk_space": "gauge",
    "rocksdb_total_disk_space": "gauge",
    "rocksdb_free_inodes": "gauge",
    "rocksdb_estimate_live_data_size": "gauge",
    "rocksdb_live_sst_files_size": "gauge",
    "rocksdb_total_sst_files_size": "gauge",
    "rocksdb_wal_sequence": "gauge",
    "rocksdb_wal_sequence_lower_bound": "gauge",
    "rocksdb_wal_released_tick_replication": "gauge",
    "rocksdb_wal_released_tick_flush": "gauge",
    "rocksdb_archived_wal_files": "gauge",
    "rocksdb_archived_wal_files_size": "gauge",
    "rocksdb_live_wal_files": "gauge",
    "rocksdb_live_wal_files_size": "gauge",
    "rocksdb_prunable_wal_files": "gauge",
    "rocksdb_wal_pruning_active": "gauge",
    "rocksdb_read_only": "gauge",
    "rocksdb_engine_throttle_bps": "gauge",
    "arangodb_replication_clients": "gauge",
    "arangodb_shards_leader_number": "gauge",
    "arangodb_shards_number": "gauge",
    "arangodb_shards_out_of_sync": "gauge",
    "arangodb_shards_not_replicated": "gauge",
    "arangodb_vocbase_shards_read_only_by_write_concern": "gauge",
    "arangodb_document_writes_total": "counter",
    "arangodb_document_writes_replication_total": "counter",
    "arangodb_dump_ongoing": "gauge",
    "arangodb_dump_memory_usage": "gauge",
    "arangodb_dump_threads_blocked_total": "counter",
    "arangodb_sync_tree_rebuilds_total": "counter",
}
SINCE = {
    "arangodb_replication_clients": (3, 10, 5),
    "arangodb_vocbase_shards_read_only_by_write_concern": (3, 12, 1),
    "arangodb_dump_ongoing": (3, 12, 0),
    "arangodb_dump_memory_usage": (3, 12, 0),
    "arangodb_dump_threads_blocked_total": (3, 12, 0),
}
BY_OPTION = ("arangodb_collection_leader_reads_total", "arangodb_collection_leader_writes_total")


def kinds(direct: Direct, server: Server) -> dict[str, str]:
    """Name → type of each metric that has a value."""
    answer = direct("GET", "/_admin/metrics", on=server)
    assert answer.headers.get("content-type", TEXT) == TEXT
    text = answer.body.decode()
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    values = dict(re.findall(r"^(\w+)\{[^}]*\} (\S+)$", text, re.MULTILINE))
    assert all(float(value) >= 0 for value in values.values())
    return {name: types[name] for name in values}


@pytest.mark.parametrize("version", [*VERSIONS, "3.10.4", "3.10.5", "3.12.0", "3.12.1"])
def test_2_4_every_metric_with_its_type(version: str) -> None:
    with Direct(version=version) as direct:
        known = direct.deployment.version_tuple
        on_data = {name: kind for name, kind in ON_DATA.items() if SINCE.get(name, known) <= known}
        assert kinds(direct, direct.front) == EVERYWHERE
        assert kinds(direct, direct.dbservers[0]) == EVERYWHERE | on_data


def test_2_4_usage_of_shards_is_counted_by_an_option_only() -> None:
    with Direct(version="3.12.10") as direct:
        assert not kinds(direct, direct.dbservers[0]).keys() & set(BY_OPTION)


def test_2_4_metrics_of_a_single_server_are_those_of_both() -> None:
    with Direct(version="3.12.10", flavour="single") as direct:
        assert kinds(direct, direct.front) == EVERYWHERE | ON_DATA
