# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cluster as it describes itself: health, servers, distribution of shards, maintenance (facts §2.2, §3.4)."""

from __future__ import annotations

import time
import uuid
from typing import Any

from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, result
from tests.testbed.model import Deployment, Server
from tests.testbed.routing import FRONT, route
from tests.testbed.supervision import DOWN, MAINTENANCE
from tests.testbed.versions import release

_FAILED_AFTER = 15.0
_ROLE = {"coordinator": "Coordinator", "dbserver": "DBServer"}
AGENTS = 3
_UNIQUE_IDS = (3, 12, 5, 3)  # 3.12.5-3


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _coordinator_only(request: Request) -> None:
    if request.server.role != "coordinator":
        raise ArangoError(501, "this functionality is only available on a coordinator in a cluster")


@route("GET", "/_admin/cluster/health", level="any", on=FRONT)
def health(request: Request) -> Response:
    """Every server of the cluster with its status; times are texts, but a number for agents (facts §2.2)."""
    if request.server.role != "coordinator":
        raise ArangoError(403, "only allowed on coordinators")
    deployment = request.deployment
    servers = {server.id: _member(server) for server in deployment.servers.values()}
    return result(ClusterId=deployment.id, Health=_agents(deployment) | servers)


def _agents(deployment: Deployment) -> dict[str, dict[str, Any]]:
    names = [f"AGNT-{uuid.uuid5(uuid.UUID(deployment.id), str(number))}" for number in range(AGENTS)]
    return {
        name: {
            "Role": _cased(deployment, "Agent"),
            "Status": "GOOD",
            "Endpoint": f"ssl://agent{number + 1}.internal:8531",
            "Engine": "rocksdb",
            "Version": deployment.version,
            "Leader": names[0],
            "Leading": number == 0,
            "LastAckedTime": 0.0 if number == 0 else 0.05 * number,
            "CanBeDeleted": False,
        }
        for number, name in enumerate(names)
    }


def _cased(deployment: Deployment, role: str) -> str:
    """Some documentation has roles in capitals (facts §2.2, reading 12)."""
    return role.upper() if deployment.options.reads(12, "capitals") else role


def status_of(server: Server) -> str:
    """GOOD, BAD after missed heartbeats, FAILED when they have been missing for long."""
    if server.running:
        return "GOOD"
    since: float = server.deployment.objects.get(DOWN, {}).get(server.id, 0.0)
    return "FAILED" if time.monotonic() - since > server.deployment.scaled(_FAILED_AFTER) else "BAD"


def _member(server: Server) -> dict[str, Any]:
    now = _iso(time.time())
    status = status_of(server)
    values: dict[str, Any] = {
        "Role": _cased(server.deployment, _ROLE[server.role]),
        "Status": status,
        "SyncStatus": "SERVING",
        "ShortName": server.short_name,
        "Endpoint": server.endpoint,
        "Host": f"{server.short_name.lower()}.internal",
        "Engine": "rocksdb",
        "Version": server.deployment.version,
        "LastAckedTime": now,
        "SyncTime": now,
        "CanBeDeleted": status == "FAILED",
    }
    if server.deployment.version_tuple < (4, 0, 0):
        values["Timestamp"] = now
    if server.role == "coordinator":
        values["AdvertisedEndpoint"] = server.endpoint
    return values


@route("GET", "/_api/cluster/endpoints", level="authenticated", on=FRONT)
def endpoints(request: Request) -> Response:
    """Coordinators only; 501 elsewhere."""
    _coordinator_only(request)
    running = [server for server in request.deployment.by_role("coordinator") if server.running]
    return result(endpoints=[{"endpoint": server.endpoint} for server in running])


@route("GET", "/_admin/cluster/numberOfServers", level="any", on=("coordinator",))
def number_of_servers(request: Request) -> Response:
    """No numbers are planned unless somebody set them; `cleanedServers` is unconfirmed (facts §12.12)."""
    deployment = request.deployment
    numbers: dict[str, object] = {"numberOfCoordinators": None, "numberOfDBServers": None}
    if not deployment.options.reads(12, "cleaned-missing"):
        numbers["cleanedServers"] = sorted(deployment.cleaned)
    return result(**numbers)


@route("GET", "/_admin/cluster/shardDistribution", level="admin", on=("coordinator",))
def shard_distribution(request: Request) -> Response:
    """Planned and current servers of each shard, by short names (facts §2.2)."""
    return result(results={entry.name: _distribution(entry) for entry in request.database.collections.values()})


@route("GET|PUT", "/_admin/cluster/collectionShardDistribution", level="admin", on=("coordinator",))
def collection_shard_distribution(request: Request) -> Response:
    """The same for one collection."""
    name = str(request.json_object().get("collection") or request.query.get("collection", ""))
    return result(results={name: _distribution(request.database.collection(name))})


def _distribution(collection: Collection) -> dict[str, Any]:
    servers = collection.deployment.servers
    plan, current = {}, {}
    for shard in collection.shards:
        leader, *followers = [servers[identifier] for identifier in shard.servers]
        plan[shard.name] = {"leader": leader.short_name, "followers": [server.short_name for server in followers]}
        alive = [server.short_name for server in followers if server.running]
        current[shard.name] = {"leader": leader.short_name, "followers": alive}
    return {"Plan": plan, "Current": current}


@route("PUT", "/_admin/cluster/maintenance", level="admin", on=FRONT)
def maintenance(request: Request) -> Response:
    """`"on"` (an hour), `"off"`, or seconds as text: no fail-over by the supervision meanwhile (facts §2.3)."""
    _coordinator_only(request)
    value = request.json()
    if value == "on":
        seconds = 3600
    elif value == "off":
        seconds = 0
    elif isinstance(value, str) and value.isdecimal() and int(value) > 0:
        seconds = int(value)
    else:
        raise ArangoError(400, 'expecting "on", "off" or a number of seconds as text')
    request.deployment.objects[MAINTENANCE] = time.time() + request.deployment.scaled(seconds)
    text = "Cluster supervision deactivated." if seconds else "Cluster supervision reactivated."
    return result(warning=text)


@route("PUT", "/_admin/cluster/uniqId", level="admin", on=("coordinator",))
def unique_ids(request: Request) -> Response:
    """Reserve ids, out of the range that this server has fetched (facts §3.4; exists from 3.12.5-3 on).

    `minimum` is for ranges that are fetched from now on: servers that have one use it up, unless they are restarted.
    """
    deployment = request.deployment
    if (*deployment.version_tuple, release(deployment.version)) < _UNIQUE_IDS:
        raise ArangoError(404, f"unknown path '{request.path}'")
    number = request.number("number", 1) or 1
    minimum = request.number("minimum")
    if not 1 <= number <= 1_000_000:
        raise ArangoError(400, "number must be between 1 and 1000000")
    if minimum is not None:
        missing = minimum - deployment.reserve_ids(0)
        if missing > 0:
            deployment.reserve_ids(missing)
    smallest = request.server.unique_ids(number)
    return result(smallest=smallest, largest=smallest + number - 1)
