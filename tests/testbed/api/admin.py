# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server says about itself: role, id, version, engine, status, license, time (facts §2.1, §2.4)."""

from __future__ import annotations

import time
from typing import Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.model import Deployment
from tests.testbed.routing import EVERYWHERE, FRONT, route

BUILD = "d222a62c8"
ROLE = {"coordinator": "COORDINATOR", "dbserver": "PRIMARY", "single": "SINGLE"}
_ADDED = {"mdi": (3, 12, 0), "mdi-prefixed": (3, 12, 0), "inverted": (3, 10, 0)}
_COMMUNITY_LIMIT = 107_374_182_400
_TEN_YEARS = 315_569_520


def _older(request: Request, *version: int) -> bool:
    return request.deployment.version_tuple < version


_LEVELS = ("FATAL", "ERROR", "WARNING", "INFO", "DEBUG", "TRACE", "DEFAULT")
_LOG_LEVELS = {
    "agency": "INFO",
    "cluster": "INFO",
    "general": "INFO",
    "queries": "INFO",
    "replication": "INFO",
    "requests": "FATAL",
}


@route("GET", "/_admin/server/role", level="any", on=EVERYWHERE)
def role(request: Request) -> Response:
    """A DB-Server answers PRIMARY; `mode` has nothing to do with read-only (facts §2.1)."""
    return result(role=ROLE[request.server.role], mode="default")


@route("GET", "/_admin/server/id", level="any", on=EVERYWHERE)
def identity(request: Request) -> Response:
    """The server's id in the cluster; 500 where there is no cluster."""
    if request.server.role == "single":
        raise ArangoError(500)
    return result(id=request.server.id)


@route("GET", "/_admin/server/availability", level="none", on=EVERYWHERE)
def availability(request: Request) -> Response:
    """200 also when read-only by the source code; 503 by the documentation (facts §12.13, reading 13)."""
    readonly = request.server.readonly
    if readonly and request.deployment.options.reads(13, "docs"):
        raise ArangoError(503)
    return result(mode="readonly" if readonly else "default")


@route("GET", "/_admin/server/databaseDefaults", level="any", on=FRONT)
def database_defaults(request: Request) -> Response:
    """Defaults of new databases."""
    factor = request.deployment.default_replication_factor
    return reply({"sharding": "", "replicationFactor": factor, "writeConcern": 1})


@route("GET", "/_admin/deployment/id", level="any", on=FRONT)
def deployment_id(request: Request) -> Response:
    """Since 3.12.6 (facts §2.1)."""
    if _older(request, 3, 12, 6):
        raise ArangoError(404, f"unknown path '{request.path}'")
    return reply({"id": request.deployment.id})


def edition(deployment: Deployment) -> str:
    """`enterprise` or `community`."""
    return str(deployment.options.extra.get("license", "enterprise"))


def _license(request: Request) -> str:
    return edition(request.deployment)


@route("GET|PUT|POST", "/_api/version", level="any", on=EVERYWHERE)
def version(request: Request) -> Response:
    """Version, and with `details` what the server was built from; all values there are texts."""
    deployment = request.deployment
    values: dict[str, Any] = {"server": "arango", "license": _license(request), "version": deployment.version}
    harden = deployment.options.harden
    if harden and deployment.authenticator.database_level(request.caller, "_system") != "rw":
        return reply({"server": "arango", "license": _license(request)})
    if request.flag("details"):
        values["details"] = _details(request)
    if not _older(request, 3, 12, 10):
        known = "v0" if _older(request, 4, 0, 0) else "v1"
        values |= {"apiVersions": [known], "deprecatedApiVersions": [], "requestedApiVersion": known}
    return reply(values)


def _details(request: Request) -> dict[str, str]:
    deployment = request.deployment
    texts = {
        "architecture": "64bit",
        "build-date": "2026-08-04 14:46:15",
        "build-repository": f"refs/{deployment.version} {BUILD}",
        "compiler": "clang",
        "cplusplus": "202002",
        "debug": "false",
        "endianness": "little",
        "full-version-string": f"ArangoDB {deployment.version} {_license(request)} [linux] 64bit",
        "license": _license(request),
        "platform": "linux",
        "replication2-enabled": "false",
        "rocksdb-version": "7.2.0" if _older(request, 3, 12, 0) else "9.6.0",
        "server-version": deployment.version,
        "sizeof int": "4",
        "sizeof void*": "8",
        "vpack-version": "0.2.1",
    }
    if _older(request, 4, 0, 0):
        texts["mode"] = "server"
    if _license(request) == "enterprise":
        texts["enterprise-version"] = "enterprise"
    return texts | {"role": ROLE[request.server.role], "host": request.server.host}


@route("GET", "/_api/engine", level="any", on=EVERYWHERE)
def engine(request: Request) -> Response:
    """The storage engine and its kinds of indexes (facts §2.1, recordings)."""
    version_tuple = request.deployment.version_tuple
    kinds = ["primary", "edge", "hash", "skiplist", "ttl", "persistent", "geo", "fulltext"]
    if _older(request, 3, 12, 0):
        kinds += ["zkd", "inverted"]
        aliases = {"hash": "persistent", "skiplist": "persistent"}
        supports: dict[str, Any] = {"dfdb": False, "indexes": kinds, "aliases": {"indexes": aliases}}
        return reply({"name": "rocksdb", "supports": supports})
    if not _older(request, 4, 0, 0):
        kinds = [kind for kind in kinds if kind not in ("hash", "skiplist", "fulltext")]
    kinds += [kind for kind, since in _ADDED.items() if version_tuple >= since]
    aliases = {"hash": "persistent", "skiplist": "persistent", "zkd": "mdi"}
    supports = {"indexes": kinds, "aliases": {"indexes": aliases}}
    return reply({"name": "rocksdb", "supports": supports, "endianness": "big"})


@route("GET", "/_admin/status", level="hardened", on=EVERYWHERE)
def status(request: Request) -> Response:
    """State of the server; `rebootId` grows with each restart (facts §2.2, recordings)."""
    server, deployment = request.server, request.deployment
    modern = not _older(request, 4, 0, 0)
    values: dict[str, Any] = {
        "server": "arango",
        "version": deployment.version,
        "pid": 335,
        "license": _license(request),
    }
    info: dict[str, Any] = {
        "progress": {"phase": "in wait", "feature": "", "recoveryTick": 0},
        "maintenance": False,
        "role": ROLE[server.role],
        "readOnly": server.readonly,
    }
    if not modern:
        values |= {"mode": "server", "operationMode": "server", "foxxApi": True}
        info["writeOpsEnabled"] = not server.readonly
    values |= {"host": server.host, "hostname": server.short_name.lower(), "serverInfo": info}
    if server.role != "single":
        info |= {"persistedId": server.id, "rebootId": server.reboot_id, "address": server.endpoint}
        info |= {"serverId": server.id, "state": "SERVING"}
        if server.role == "coordinator" and not modern:
            first = deployment.by_role("coordinator")[0]
            values["coordinator"] = {"foxxmaster": first.id, "isFoxxmaster": first is server}
        agents = [f"ssl://agent{number}.internal:8531" for number in (1, 2, 3)]
        values["agency"] = {"agencyComm": {"endpoints": agents}}
    return reply(values)


@route("GET", "/_admin/license", level="hardened", on=EVERYWHERE)
def license_state(request: Request) -> Response:
    """Community before 3.12.5 has none, later a size limit; Enterprise shows its features (facts §2.4)."""
    over = request.deployment.license_readonly
    status = "read-only" if over else "good"
    if _license(request) == "enterprise" and _older(request, 3, 12, 5):
        features = {"expires": int(time.time()) + (-86400 if over else 86400 * 365)}
        return reply({"upgrading": False, "features": features, "license": "J" * 64, "version": 1, "status": status})
    if _older(request, 3, 12, 5):
        return reply({"license": "none"})
    usage = {
        "bytesUsed": _COMMUNITY_LIMIT + 1 if over else 366_555,
        "bytesLimit": _COMMUNITY_LIMIT,
        "limitReached": over,
        "secondsUntilReadOnly": 0 if over else _TEN_YEARS,
        "secondsUntilShutDown": _TEN_YEARS,
        "status": status,
    }
    return reply({"upgrading": False, "diskUsage": usage})


@route("GET", "/_admin/time", level="any", on=EVERYWHERE)
def server_time(request: Request) -> Response:
    """Seconds since 1970 with a fraction."""
    return result(time=time.time() + request.server.clock.skew)


@route("GET|PUT", "/_admin/log/level", level="admin", on=EVERYWHERE)
def log_level(request: Request) -> Response:
    """Levels of the log's topics by server; unknown topics and levels are not taken."""
    kept = request.deployment.objects.setdefault(f"log_levels/{request.server.id}", dict(_LOG_LEVELS))
    if request.method == "PUT":
        for topic, level in request.json_object().items():
            if str(level).upper() in _LEVELS:
                kept.update({name: str(level).upper() for name in (kept if topic == "all" else kept.keys() & {topic})})
    return reply(kept)


@route("GET", "/_admin/log/entries", level="admin", on=EVERYWHERE)
def log_entries(_request: Request) -> Response:
    """No server here writes a log."""
    return reply({"total": 0, "messages": []})


@route("GET", "/_admin/statistics", level="hardened", on=EVERYWHERE)
def statistics(request: Request) -> Response:
    """The smallest set that clients look for."""
    return result(
        time=time.time(),
        enabled=True,
        system={"minorPageFaults": 0, "residentSize": 136_056_832, "numberOfThreads": 51},
        client={"httpConnections": 1},
        http={"requestsTotal": sum(request.deployment.faults.requests.values())},
        server={"uptime": 60.0, "physicalMemory": 33_089_720_320},
    )
