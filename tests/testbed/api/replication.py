# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/replication`: batches, the old dump, the logger's state (facts §4.1, §4.2, §5.7)."""

from __future__ import annotations

from tests.testbed.api.forwarding import target
from tests.testbed.api.wal import iso, syncer
from tests.testbed.errors import ArangoError
from tests.testbed.message import DUMP, Request, Response, reply
from tests.testbed.model import Server
from tests.testbed.routing import EVERYWHERE, route
from tests.testbed.snapshots import BATCH_TTL, DEFAULT_CHUNK, MAX_CHUNK, MIN_CHUNK, snapshots

_ENVELOPE = b'{"type":2300,"data":'
_NOT_FOUND = "replication batch not found"


def _body_ttl(request: Request) -> float:
    value = request.json_object().get("ttl")
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return BATCH_TTL
    return value


def _track(request: Request, server: Server, tick: int) -> None:
    server.log.clients.track(
        [request.database.name],
        syncer_id=syncer(request),
        server_id=request.query.get("serverId", ""),
        client_info=request.query.get("clientInfo", ""),
        tick=tick,
        now=server.log.now(),
    )


@route("POST", "/_api/replication/batch", level="any", on=EVERYWHERE)
def open_batch(request: Request) -> Response:
    """A snapshot of the whole server, registering the client at its tick (facts §4.1)."""
    server = target(request, "DBserver")
    batch = snapshots(server).open_batch(_body_ttl(request))
    _track(request, server, batch.last_tick)
    values: dict[str, object] = {"id": batch.id, "lastTick": str(batch.last_tick)}
    if request.flag("state") or request.json_object().get("state") is True:
        values["state"] = _state(server)
    return reply(values)


@route("PUT", "/_api/replication/batch/{id}", level="any", on=EVERYWHERE)
def extend_batch(request: Request) -> Response:
    """Extend the life of a batch and of the client's registration."""
    server = target(request, "DBserver")
    batch = snapshots(server).batch(request.params["id"], _body_ttl(request))
    if batch is None:
        raise ArangoError(1600, _NOT_FOUND)
    _track(request, server, batch.last_tick)
    return Response(204)


@route("DELETE", "/_api/replication/batch/{id}", level="any", on=EVERYWHERE)
def close_batch(request: Request) -> Response:
    """Free a batch; the client's registration stays (facts §4.1)."""
    server = target(request, "DBserver")
    batch = snapshots(server).batch(request.params["id"])
    if batch is None:
        raise ArangoError(1600, _NOT_FOUND)
    del snapshots(server).batches[batch.id]
    return Response(204)


@route("GET", "/_api/replication/dump", level="any", on=EVERYWHERE)
def dump(request: Request) -> Response:
    """The next lines of a shard; a lost answer cannot be had again (facts §4.2)."""
    name = request.query.get("collection", "")
    if not name:
        raise ArangoError(400, "invalid collection parameter")
    server = target(request, "DBserver")
    batch = snapshots(server).batch(request.query.get("batchId", ""))
    if batch is None:
        raise ArangoError(400, _NOT_FOUND, status=404)
    shard = server.shards.get(name)
    if shard is None or shard.collection.database is not request.database or name not in batch.shards:
        raise ArangoError(1203)
    _check_readable(request, shard.collection.name)
    wanted = request.number("chunkSize", DEFAULT_CHUNK) or DEFAULT_CHUNK
    reader = batch.reader(name)
    around = (_ENVELOPE, b"}\n") if request.flag("useEnvelope", True) else (b"", b"\n")
    chunk = reader.take(min(max(wanted, MIN_CHUNK), MAX_CHUNK), 1 << 62, shard.printed, *around)
    headers = {
        "x-arango-replication-checkmore": "false" if reader.done else "true",
        "x-arango-replication-lastincluded": str(chunk.documents),
    }
    if not chunk.documents:
        return Response(204, b"", headers)
    return Response(200, chunk.body, headers, f"{DUMP}; charset=utf-8")


def _check_readable(request: Request, collection: str) -> None:
    authenticator = request.deployment.authenticator
    caller = request.caller
    if authenticator.database_level(caller, "_system") == "rw":
        return  # ADMIN is escalated to superuser for the call (facts §1.3)
    if authenticator.collection_level(caller, request.database_name, collection) == "none":
        raise ArangoError(11)


def _state(server: Server) -> dict[str, object]:
    tick = server.log.last_tick()
    return {
        "running": True,
        "lastLogTick": str(tick),
        "lastUncommittedLogTick": str(tick),
        "totalEvents": tick,
        "time": iso(server.log.now()),
    }


@route("GET", "/_api/replication/logger-state", level="any", on=("dbserver", "single"))
def logger_state(request: Request) -> Response:
    """Newest tick, and the clients registered in this database (facts §5.7)."""
    log = request.server.log
    clients = [
        {
            "syncerId": client.syncer_id,
            "serverId": client.server_id,
            "clientInfo": client.client_info,
            "time": iso(client.time),
            "expires": iso(client.expires),
            "lastServedTick": str(client.last_served_tick),
        }
        for client in log.clients.of(request.database.name)
    ]
    version = request.deployment.version
    server = {"version": version, "serverId": log.server_id, "engine": "rocksdb"}
    return reply({"state": _state(request.server), "server": server, "clients": clients})


@route("GET|PUT|POST|DELETE", "/_api/replication/{rest*}", level="any", on=("coordinator",))
def unsupported_on_coordinator(_request: Request) -> Response:
    """The rest of the replication API exists on servers with data only (facts §6)."""
    raise ArangoError(1470, "replication API is not supported on a coordinator", status=501)
