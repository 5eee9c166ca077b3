# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The replication applier of servers with data, until 3.12.10 (facts §10): it can be configured, and never runs.

What it would do, copying another server and following its log, would be a second engine. So the calls that begin it
check what they are sent, and a good order is answered with 501.
"""

from __future__ import annotations

from typing import Any

from tests.testbed.api.wal import iso
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply
from tests.testbed.routing import route

_ON_DATA: tuple[str, str] = ("dbserver", "single")
_NEVER_RUNS = "replication from other servers is not emulated"
_CONFIG = "applier_config"
_APPLIER: dict[str, Any] = {
    "requestTimeout": 600,
    "connectTimeout": 10,
    "ignoreErrors": 0,
    "maxConnectRetries": 100,
    "lockTimeoutRetries": 0,
    "sslProtocol": 0,
    "chunkSize": 0,
    "skipCreateDrop": False,
    "autoStart": False,
    "adaptivePolling": True,
    "autoResync": False,
    "autoResyncRetries": 2,
    "maxPacketSize": 536_870_912,
    "includeSystem": True,
    "includeFoxxQueues": False,
    "requireFromPresent": True,
    "verbose": False,
    "incremental": False,
    "restrictType": "",
    "restrictCollections": [],
    "connectionRetryWaitTime": 15,
    "initialSyncMaxWaitTime": 300,
    "idleMinWaitTime": 1,
    "idleMaxWaitTime": 2.5,
}
_COUNTERS = ("Requests", "FailedConnects", "Events", "Documents", "Removals", "Resyncs", "OperationsExcluded")
_TICKS = ("lastAppliedContinuousTick", "lastProcessedContinuousTick", "lastAvailableContinuousTick", "safeResumeTick")


def _config(request: Request) -> dict[str, Any]:
    configs: dict[str, dict[str, Any]] = request.deployment.objects.setdefault(_CONFIG, {})
    return configs.setdefault(request.database.name, {})


def _shown(config: dict[str, Any]) -> dict[str, Any]:
    return {**_APPLIER, **{name: value for name, value in config.items() if name != "password"}}


@route("GET", "/_api/replication/applier-config", level="admin", on=_ON_DATA)
def applier_config(request: Request) -> Response:
    """How the applier is configured; the password is never shown."""
    return reply(_shown(_config(request)))


@route("PUT", "/_api/replication/applier-config", level="admin", on=_ON_DATA)
def configure_applier(request: Request) -> Response:
    """Configure the applier."""
    config = _config(request)
    config |= {**request.json_object(), "database": request.database.name}
    return reply(_shown(config))


@route("GET", "/_api/replication/applier-state", level="admin", on=_ON_DATA)
def applier_state(request: Request) -> Response:
    """An applier that does not run."""
    now = iso(request.server.log.now())
    state: dict[str, Any] = {"started": now, "running": False, "phase": "inactive", **dict.fromkeys(_TICKS)}
    state["progress"] = {"time": now, "message": "applier shut down", "failedConnects": 0}
    state |= {f"total{name}": 0 for name in _COUNTERS}
    state |= {"totalApplyTime": 0, "averageApplyTime": 0, "totalFetchTime": 0, "averageFetchTime": 0}
    server = {"version": request.deployment.version, "serverId": request.server.log.server_id}
    values: dict[str, Any] = {"state": {**state, "lastError": {"errorNum": 0}, "time": now}, "server": server}
    config = _config(request)
    return reply(values | {name: config[name] for name in ("endpoint", "database") if name in config})


@route("PUT", "/_api/replication/applier-stop", level="admin", on=_ON_DATA)
def stop_applier(request: Request) -> Response:
    """Nothing runs."""
    return applier_state(request)


@route("PUT", "/_api/replication/applier-start", level="admin", on=_ON_DATA)
def start_applier(request: Request) -> Response:
    """errorNum 1410 without a configuration."""
    _check_endpoint(_config(request))
    raise ArangoError(9, _NEVER_RUNS)


@route("PUT", "/_api/replication/make-follower", level="admin", on=_ON_DATA)
def make_follower(request: Request) -> Response:
    """Copy another server, then follow it; errorNum 1410 for an incomplete configuration (3.11 http:replication)."""
    _check_endpoint(request.json_object())
    raise ArangoError(9, _NEVER_RUNS)


@route("PUT", "/_api/replication/sync", level="admin", on=_ON_DATA)
def sync(request: Request) -> Response:
    """Copy another server once; errorNum 400 without its endpoint (3.11 http:replication)."""
    if not _has_endpoint(request.json_object()):
        raise ArangoError(400, "<endpoint> must be a valid endpoint")
    raise ArangoError(9, _NEVER_RUNS)


def _has_endpoint(config: dict[str, Any]) -> bool:
    return isinstance(config.get("endpoint"), str) and bool(config["endpoint"])


def _check_endpoint(config: dict[str, Any]) -> None:
    if not _has_endpoint(config):
        raise ArangoError(1410)
