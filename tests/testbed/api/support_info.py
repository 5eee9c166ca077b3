# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_admin/support-info`: what a server, or all of a cluster, says for support (recordings; source of its handler)."""

from __future__ import annotations

import time
from typing import Any

from tests.testbed.api.admin import BUILD, ROLE, edition
from tests.testbed.api.agency import shard_figures
from tests.testbed.api.cluster import AGENTS
from tests.testbed.api.metrics import values
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply
from tests.testbed.model import Server
from tests.testbed.routing import EVERYWHERE, route

_MEMORY, _CORES = 33_089_720_320, 8
_CACHE_LIMIT, _BLOCK_CACHE = 7_735_559_168, 9_282_671_001


@route("GET", "/_admin/support-info", level="admin", on=EVERYWHERE)
def support_info(request: Request) -> Response:
    """Of the whole cluster on a coordinator, unless `local`; errorNum 1230 outside of `_system`, 1478."""
    if request.database_name != "_system":
        raise ArangoError(1230)
    server, deployment = request.server, request.deployment
    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if server.role == "single":
        return reply({"deployment": {"type": "single"}, "host": _host(server), "date": date})
    if server.role == "dbserver" or request.flag("local"):
        return reply({"host": _host(server)})
    if not all(entry.running for entry in deployment.servers.values()):
        raise ArangoError(1478)
    described = {
        "type": "cluster",
        "servers": {entry.id: _host(entry) for entry in deployment.servers.values()},
        "agents": AGENTS,
        "coordinators": len(deployment.by_role("coordinator")),
        "dbServers": len(deployment.by_role("dbserver")),
        "shards": shard_figures(None, deployment, None),
    }
    return reply({"deployment": described, "date": date})


def _host(server: Server) -> dict[str, Any]:
    deployment = server.deployment
    texts: dict[str, Any] = {}
    if server.role != "single":
        texts = {"id": server.id, "alias": server.short_name, "endpoint": server.endpoint}
    texts |= {"role": ROLE[server.role], "maintenance": False, "readOnly": server.readonly}
    texts |= {"version": deployment.version, "build": f"refs/{deployment.version} {BUILD}"}
    texts |= {"license": edition(deployment), "os": "Linux version 6.8.0 (emulated)", "platform": "linux"}
    texts["physicalMemory"] = {"value": _MEMORY, "overridden": False}
    texts["numberOfCores"] = {"value": _CORES, "overridden": False}
    process: dict[str, Any] = {"processUptime": 60.0, "numberOfThreads": 51}
    process |= {"virtualSize": 2_269_138_944, "residentSetSize": 136_056_832}
    if deployment.version_tuple >= (3, 12, 0):
        process |= {"fileDescrtors": 24, "fileDescrtorsLimit": 1_048_576}
    texts["processStats"] = process
    texts["cpuStats"] = {"userPercent": 10.7, "systemPercent": 5.1, "idlePercent": 81.9, "iowaitPercent": 2.1}
    return texts if server.role == "coordinator" else texts | {"engineStats": _engine(server)}


def _engine(server: Server) -> dict[str, int | float]:
    measured = values(server)
    return {
        "cache.limit": _CACHE_LIMIT,
        "cache.allocated": 1_281_056,
        "rocksdb.estimate-num-keys": sum(len(shard.replicas[server.id].keys) for shard in server.shards.values()),
        "rocksdb.estimate-live-data-size": measured["rocksdb_estimate_live_data_size"],
        "rocksdb.live-sst-files-size": measured["rocksdb_live_sst_files_size"],
        "rocksdb.block-cache-capacity": _BLOCK_CACHE,
        "rocksdb.block-cache-usage": 96,
        "rocksdb.free-disk-space": measured["rocksdb_free_disk_space"],
        "rocksdb.total-disk-space": measured["rocksdb_total_disk_space"],
    }
