# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_admin/metrics`: Prometheus text with the metrics that facts §2.4 name."""

from __future__ import annotations

import random

from tests.testbed.api.forwarding import target
from tests.testbed.errors import ArangoError
from tests.testbed.message import TEXT, Request, Response
from tests.testbed.model import Server
from tests.testbed.routing import EVERYWHERE, route
from tests.testbed.snapshots import snapshots

_ROLE = {"coordinator": "COORDINATOR", "dbserver": "PRIMARY", "single": "SINGLE"}
_TOTAL_DISK = 155_897_610_240
_FREE_DISK = 138_230_530_048
_OVERHEAD = 60  # bytes of a document's index entries and keys in storage


_CONSTANT: dict[str, int | float] = {
    "rocksdb_free_inodes": 9_000_000,
    "rocksdb_live_wal_files": 1,
    "rocksdb_live_wal_files_size": 65536,
    "rocksdb_prunable_wal_files": 0,
    "rocksdb_wal_pruning_active": 1,
    "rocksdb_read_only": 0,
    "rocksdb_engine_throttle_bps": 0,
    "arangodb_shards_not_replicated": 0,
    "arangodb_vocbase_shards_read_only_by_write_concern": 0,
    "arangodb_document_writes_replication_total": 0,
    "arangodb_dump_memory_usage": 0,
    "arangodb_dump_threads_blocked_total": 0,
    "arangodb_sync_tree_rebuilds_total": 0,
}
_SINCE = {  # of those that facts §2.4 give a version for
    "arangodb_replication_clients": (3, 10, 5),
    "arangodb_vocbase_shards_read_only_by_write_concern": (3, 12, 1),
    "arangodb_dump_ongoing": (3, 12, 0),
    "arangodb_dump_memory_usage": (3, 12, 0),
    "arangodb_dump_threads_blocked_total": (3, 12, 0),
}


def stored_bytes(server: Server) -> int:
    """About how many bytes a server stores, by a sample of each shard."""
    total = 0
    for shard in server.shards.values():
        docs = shard.replicas[server.id].docs
        if docs:
            names = list(docs)
            sample = random.Random(0).sample(names, min(20, len(names)))
            total += len(docs) * (sum(len(docs[name]) for name in sample) // len(sample) + _OVERHEAD)
    return total


def values(server: Server) -> dict[str, int | float]:
    """Name and value of each metric of a server of this version."""
    version = server.deployment.version_tuple
    return {name: value for name, value in _all_values(server).items() if version >= _SINCE.get(name, version)}


def _all_values(server: Server) -> dict[str, int | float]:
    options = server.deployment.options
    metrics: dict[str, int | float] = {
        "arangodb_scheduler_queue_length": 0,
        "arangodb_scheduler_queue_full_failures_total": 0,
        "arangodb_scheduler_queue_time_violations_total": 0,
        "arangodb_scheduler_low_prio_queue_last_dequeue_time": 0,
        "arangodb_license_expires": 365 * 86400,
    }
    if server.role == "coordinator":
        return metrics
    log = server.log
    stored = stored_bytes(server)
    leading = sum(shard.servers[0] == server.id for shard in server.shards.values())
    behind = sum(
        shard.servers[0] == server.id and not all(replica.server.running for replica in shard.replicas.values())
        for shard in server.shards.values()
    )
    low, high = log.tick_range()
    archived = log.archived_files()
    total = int(options.extra.get("disk_total", _TOTAL_DISK))
    free = 0 if server.disk_full else int(options.extra.get("disk_free", _FREE_DISK - stored))
    clients = {(c.syncer_id, c.server_id) for name in log.databases() for c in log.clients.of(name)}
    return (
        metrics
        | _CONSTANT
        | {
            "rocksdb_free_disk_space": max(free, 0),
            "rocksdb_total_disk_space": total,
            "rocksdb_estimate_live_data_size": stored,
            "rocksdb_live_sst_files_size": stored,
            "rocksdb_total_sst_files_size": stored,
            "rocksdb_wal_sequence": high,
            "rocksdb_wal_sequence_lower_bound": low,
            "rocksdb_wal_released_tick_replication": log.clients.lowest_tick() or high,
            "rocksdb_wal_released_tick_flush": high,
            "rocksdb_archived_wal_files": archived,
            "rocksdb_archived_wal_files_size": log.archived_bytes(),
            "arangodb_replication_clients": len(clients),
            "arangodb_shards_leader_number": leading,
            "arangodb_shards_number": len(server.shards),
            "arangodb_shards_out_of_sync": behind,
            "arangodb_document_writes_total": log.operations(),
            "arangodb_dump_ongoing": len(snapshots(server).dumps),
        }
    )


def render(server: Server) -> bytes:
    """The text of all metrics of a server."""
    label = f'{{role="{_ROLE[server.role]}",shortname="{server.short_name}"}}'
    lines = []
    for name, value in values(server).items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines.append(f"# HELP {name} {name}\n# TYPE {name} {kind}\n{name}{label} {value}\n\n")
    return "".join(lines).encode()


def _metrics(request: Request) -> Response:
    server = target(request, "serverId") if request.query.get("serverId") else request.server
    return Response(200, render(server), content_type=TEXT)


@route("GET", "/_admin/metrics", level="hardened", on=EVERYWHERE)
def metrics(request: Request) -> Response:
    """A coordinator fetches those of a DB-Server by `serverId` (facts §2.4)."""
    return _metrics(request)


@route("GET", "/_admin/metrics/v2", level="hardened", on=EVERYWHERE)
def metrics_v2(request: Request) -> Response:
    """The same, removed in 4.x (facts §2.4)."""
    if request.deployment.version_tuple >= (4, 0, 0):
        raise ArangoError(404, f"unknown path '{request.path}'")
    return _metrics(request)
