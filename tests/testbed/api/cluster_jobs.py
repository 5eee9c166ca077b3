# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Orders to the supervision: moving shards, emptying servers, maintenance of one server, and what became of it.

By published documentation (`http:cluster.md`) and source (RestAdminClusterHandler); facts §1.3 and §2.3 have levels and
what maintenance stops. What is asked for is begun at the supervision's next beat.
"""

from __future__ import annotations

import time
from typing import Any

from tests.testbed import agency_jobs
from tests.testbed.agency_jobs import Job
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.model import Database, Server
from tests.testbed.routing import EVERYWHERE, route
from tests.testbed.storage import Shard
from tests.testbed.supervision import SERVER_MAINTENANCE, in_maintenance, spared_until

_HOUR = 3600
_MOVE = ("collection", "shard", "fromServer", "toServer")


def coordinator_only(request: Request) -> None:
    """403 elsewhere."""
    if request.server.role != "coordinator":
        raise ArangoError(403, "only allowed on coordinators")


def _server_id(request: Request, name: str) -> str:
    """The id of a server that may be named by its short name; an unknown name stays what it is."""
    servers = request.deployment.servers.values()
    return next((server.id for server in servers if name == server.short_name), name)


def _dbserver(request: Request, name: str) -> Server:
    server = request.deployment.servers.get(_server_id(request, name))
    if server is None or server.role != "dbserver":
        raise ArangoError(404, "one or both dbservers not found")
    return server


def _accepted(job: Job) -> Response:
    return result(202, id=job.id)


@route("POST", "/_admin/cluster/moveShard", level="any", on=EVERYWHERE)
def move_shard(request: Request) -> Response:
    """Take a copy, or the leadership, from one server to another; errorNum 10, 403, 404.

    Administrators may, and who may write to the collection.
    """
    coordinator_only(request)
    body = request.json_object()
    if not all(isinstance(body.get(name), str) for name in _MOVE):
        keys = "`database`, `collection`, `shard`, `fromServer` and `toServer`"
        raise ArangoError(10, f"object with keys {keys} (all strings) expected")
    name = body.get("database") or request.database_name
    _check_move(request, str(name), body["collection"])
    old, new = (_dbserver(request, body[field]) for field in ("fromServer", "toServer"))
    shard = _shard(request.deployment.databases.get(name), body)
    if old.id not in shard.servers:
        raise ArangoError(404, "shard is not located on the server")
    leads = shard.servers[0] == old.id
    return _accepted(agency_jobs.move_shard(request.deployment, request.server.id, shard, old.id, new.id, leads))


def _check_move(request: Request, database: str, collection: str) -> None:
    caller, authenticator = request.caller, request.deployment.authenticator
    if caller.superuser or authenticator.database_level(caller, "_system") == "rw":
        return
    if authenticator.collection_level(caller, database, collection) != "rw":
        raise ArangoError(403, "insufficent permissions on database to move shard")


def _shard(database: Database | None, body: dict[str, Any]) -> Shard:
    collection = database.collections.get(body["collection"]) if database is not None else None
    if collection is None:
        raise ArangoError(404, "database/collection not found")
    if collection.prototype is not None:
        raise ArangoError(403, "MoveShard only allowed for collections which have distributeShardsLike unset.")
    for shard in collection.shards:
        if shard.name == body["shard"]:
            return shard
    raise ArangoError(404, "shard not found")


def _server_of_body(request: Request) -> str:
    coordinator_only(request)
    name = request.json_object().get("server")
    if not isinstance(name, str):
        raise ArangoError(10, "object with key `server`")
    return _server_id(request, name)


@route("POST", "/_admin/cluster/cleanOutServer", level="admin", on=EVERYWHERE)
def clean_out_server(request: Request) -> Response:
    """Take everything away from a DB-Server; the job of an unknown one fails."""
    server = _server_of_body(request)
    return _accepted(agency_jobs.clean_out_server(request.deployment, request.server.id, server))


@route("POST", "/_admin/cluster/resignLeadership", level="admin", on=EVERYWHERE)
def resign_leadership(request: Request) -> Response:
    """Let others lead what a DB-Server leads."""
    server = _server_of_body(request)
    return _accepted(agency_jobs.resign_leadership(request.deployment, request.server.id, server))


@route("GET", "/_admin/cluster/queryAgencyJob", level="admin", on=EVERYWHERE)
def query_job(request: Request) -> Response:
    """A job as the agency has it, and its status; errorNum 10 without an id, 404."""
    coordinator_only(request)
    identifier = request.query.get("id", "")
    if not identifier:
        raise ArangoError(10, "missing id parameter")
    job = agency_jobs.jobs(request.deployment).get(identifier)
    if job is None:
        raise ArangoError(404)
    return reply({**job.fields, "error": False, "job": job.id, "status": job.status})


@route("GET", "/_admin/cluster/maintenance", level="admin", on=EVERYWHERE)
def cluster_maintenance(request: Request) -> Response:
    """`Maintenance` or `Normal`."""
    coordinator_only(request)
    return reply({"error": False, "result": "Maintenance" if in_maintenance(request.deployment) else "Normal"})


@route("GET", "/_admin/cluster/maintenance/{server}", level="admin", on=EVERYWHERE)
def server_maintenance(request: Request) -> Response:
    """Until when a DB-Server is in maintenance; no `result` when it is not."""
    coordinator_only(request)
    until = spared_until(_dbserver(request, request.params["server"]))
    if until is None:
        return result()
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
    return result(result={"Mode": "maintenance", "Until": shown})


@route("PUT", "/_admin/cluster/maintenance/{server}", level="admin", on=EVERYWHERE)
def spare_server(request: Request) -> Response:
    """`mode` = `maintenance` or `normal`, `timeout` in seconds (3600): no leadership goes to it meanwhile."""
    coordinator_only(request)
    server = _dbserver(request, request.params["server"])
    body = request.json_object()
    mode, timeout = body.get("mode"), body.get("timeout", _HOUR)
    if mode not in ("maintenance", "normal"):
        raise ArangoError(10, "mode: expecting `maintenance` or `normal`")
    if isinstance(timeout, bool) or not isinstance(timeout, int) or timeout < 0:
        raise ArangoError(10, "timeout: expecting a number of seconds")
    seconds = request.deployment.scaled(timeout) if mode == "maintenance" else 0.0
    until: dict[str, float] = request.deployment.objects.setdefault(SERVER_MAINTENANCE, {})
    until[server.id] = time.time() + seconds
    return result()
