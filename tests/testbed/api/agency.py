# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Plan and Current as the agency has them, and numbers of servers and shards (facts §2.2, §12.12)."""

from __future__ import annotations

from typing import Any

from tests.testbed.api.inventory import entry
from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.model import Database, Deployment
from tests.testbed.routing import route


@route("GET", "/_api/cluster/agency-dump", level="admin", on=("coordinator",))
def agency_dump(request: Request) -> Response:
    """Everything in one document; its shape is unconfirmed (facts §12.12)."""
    deployment = request.deployment
    tree = {
        "Cluster": deployment.id,
        "Plan": _plan(deployment),
        "Current": _current(deployment),
        "Supervision": {"State": {"Mode": "Normal"}},
        "Target": {"CleanedServers": sorted(deployment.cleaned), "NumberOfDBServers": None},
        "Readonly": bool(deployment.objects.get("readonly", False)),
    }
    return reply({"index": deployment.reserve_ids(0), "term": 1, "agency": {"arango": tree}})


def _plan(deployment: Deployment) -> dict[str, Any]:
    databases = deployment.databases.values()
    return {
        "Databases": {database.name: database.describe() for database in databases},
        "Collections": {database.name: _planned(database) for database in databases},
        "DBServers": {server.id: "none" for server in deployment.by_role("dbserver")},
        "Coordinators": {server.id: "none" for server in deployment.by_role("coordinator")},
    }


def _planned(database: Database) -> dict[str, Any]:
    found = {}
    for collection in database.collections.values():
        described = entry(collection)
        found[collection.id] = {**described["parameters"], "indexes": described["indexes"]}
    return found


def _current(deployment: Deployment) -> dict[str, Any]:
    servers = deployment.servers.values()
    return {
        "Collections": {
            database.name: {collection.id: _shards(collection) for collection in database.collections.values()}
            for database in deployment.databases.values()
        },
        "ServersRegistered": {server.id: {"endpoint": server.endpoint} for server in servers if server.running},
        "ServersKnown": {server.id: {"rebootId": server.reboot_id} for server in servers},
    }


def _shards(collection: Collection) -> dict[str, Any]:
    return {
        shard.name: {"servers": [name for name in shard.servers if name not in shard.lagging], "error": False}
        for shard in collection.shards
    }


@route("GET", "/_admin/cluster/shardStatistics", level="admin", on=("coordinator",))
def shard_statistics(request: Request) -> Response:
    """How many shards there are, of one database or of all; `DBserver=all` by server."""
    deployment = request.deployment
    wanted = request.query.get("DBserver")
    if wanted is None:
        return result(result=shard_figures(request.database, deployment, None))
    servers = [server.id for server in deployment.by_role("dbserver")]
    if wanted != "all" and wanted not in servers:
        raise ArangoError(400, "unknown DBserver")
    by_server = {name: shard_figures(None, deployment, name) for name in servers}
    return result(result=by_server if wanted == "all" else by_server[wanted])


def shard_figures(database: Database | None, deployment: Deployment, server: str | None) -> dict[str, int]:
    """How many shards, leaders and followers there are, of one database or all, on one server or all."""
    databases = [database] if database is not None else list(deployment.databases.values())
    collections = [collection for entry in databases for collection in entry.collections.values()]
    shards = [shard for collection in collections for shard in collection.shards]
    placed = [shard.servers for shard in shards if server is None or server in shard.servers]
    leaders = [names for names in placed if server in (None, names[0])]
    followers = sum(len(names) - 1 if server is None else names[0] != server for names in placed)
    return {
        "databases": len(databases),
        "collections": len(collections),
        "shards": len(placed),
        "leaders": len(leaders),
        "realLeaders": len(leaders),
        "followers": followers,
        "servers": 1 if server else len(deployment.by_role("dbserver")),
    }


@route("PUT", "/_admin/cluster/numberOfServers", level="admin", on=("coordinator",))
def plan_servers(request: Request) -> Response:
    """Set how many servers are planned; nothing starts or stops by it."""
    body = request.json_object()
    for name in ("numberOfCoordinators", "numberOfDBServers"):
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ArangoError(400, f"{name}: expecting a number")
    return result(200)
