# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/wal`: range, last tick, tailing (facts §5.1 to §5.3)."""

from __future__ import annotations

import re
import time

from tests.testbed.errors import ArangoError
from tests.testbed.message import DUMP, Request, Response, reply, result
from tests.testbed.routing import route
from tests.testbed.wal_tail import DEFAULT_CHUNK, TailQuery

_SYNCER_ID = re.compile(r"[1-9][0-9]*\Z")
_ON_DATA: tuple[str, str] = ("dbserver", "single")


def iso(seconds: float) -> str:
    """UTC time as the server prints it, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@route("GET|PUT|POST|DELETE", "/_api/wal/{rest*}", level="none", on=("coordinator",))
def on_coordinator(_request: Request) -> Response:
    """Refused before any check of rights (facts §5.1)."""
    raise ArangoError(1470, "'/_api/wal' is not yet supported in a cluster", status=501)


@route("GET", "/_api/wal/{rest*}", level="admin", on=_ON_DATA)
def unknown(_request: Request) -> Response:
    """An unknown sub-path (facts §5.1)."""
    raise ArangoError(400, "expected GET _api/wal/[tail|range|lastTick|open-transactions]>")


def _server_info(request: Request) -> dict[str, str]:
    return {"version": request.deployment.version, "serverId": request.server.log.server_id}


@route("GET", "/_api/wal/range", level="admin", on=_ON_DATA)
def tick_range(request: Request) -> Response:
    """Oldest and newest tick kept."""
    log = request.server.log
    low, high = log.tick_range()
    info = _server_info(request)
    return reply({"time": iso(log.now()), "tickMin": str(low), "tickMax": str(high), "server": info})


@route("GET", "/_api/wal/lastTick", level="admin", on=_ON_DATA)
def last_tick(request: Request) -> Response:
    """The newest tick; the call flushes the log, so everything up to it can be scanned."""
    log = request.server.log
    return reply({"time": iso(log.now()), "tick": str(log.last_tick()), "server": _server_info(request)})


@route("GET", "/_api/wal/open-transactions", level="admin", on=_ON_DATA)
def open_transactions(request: Request) -> Response:
    """Always empty with this storage engine; removed in 4.x (facts §5.1)."""
    if request.deployment.version_tuple >= (4, 0, 0):
        return unknown(request)
    headers = {"x-arango-replication-frompresent": "true", "x-arango-replication-lastincluded": "0"}
    return Response(204, b"", headers | {"content-type": DUMP})


@route("GET|PUT", "/_api/wal/tail", level="admin", on=_ON_DATA)
def tail(request: Request) -> Response:
    """Markers after a tick; registers the client in every database of this server (facts §5.2, §5.3, §5.7)."""
    if request.method == "PUT" and request.flag("trackOnly") and _tracks(request):
        return _track_only(request)
    if request.method == "PUT":
        _check_transactions(request)
    query = _query(request)
    syncer_id = syncer(request)
    log = request.server.log
    try:
        found = log.tail(query)
    except KeyError as error:
        raise ArangoError(1203) from error
    _register(request, syncer_id, query.from_tick)
    headers = {
        "x-arango-replication-checkmore": "true" if found.check_more else "false",
        "x-arango-replication-lastincluded": str(found.last_included),
        "x-arango-replication-lastscanned": str(found.last_scanned),
        "x-arango-replication-lasttick": str(found.last_tick),
        "x-arango-replication-frompresent": "true" if found.from_present else "false",
    }
    if not found.pieces:
        return Response(204, b"", headers | {"content-type": DUMP})
    return Response(200, b"".join(found.pieces), headers, DUMP)


def _register(request: Request, syncer_id: str, tick: int) -> None:
    """Keep the log from a tick on for this client, in every database of the server (facts §5.7)."""
    log = request.server.log
    log.clients.track(
        log.databases(),
        syncer_id=syncer_id,
        server_id=request.query.get("serverId", ""),
        client_info=request.query.get("clientInfo", ""),
        tick=tick,
        now=log.now(),
    )


def _tracks(request: Request) -> bool:
    """Whether this release has the calls that only register and unregister a client (facts §12.5)."""
    return request.deployment.options.reads(5, "present")


def _track_only(request: Request) -> Response:
    _register(request, syncer(request), request.number("from", 0) or 0)
    return result(200)


@route("DELETE", "/_api/wal/tail", level="admin", on=_ON_DATA)
def untrack(request: Request) -> Response:
    """Forget a client, in one reading (facts §5.1)."""
    if not _tracks(request):
        raise ArangoError(405)
    log = request.server.log
    log.clients.untrack(log.databases(), syncer_id=syncer(request), server_id=request.query.get("serverId", ""))
    return result(200)


def syncer(request: Request) -> str:
    """`syncerId`, a positive decimal number without leading zero; errorNum 400 for anything else (facts §5.2)."""
    text = request.query.get("syncerId", "")
    if text and not _SYNCER_ID.match(text):
        raise ArangoError(400, "invalid value for 'syncerId'")
    return text


def _check_transactions(request: Request) -> None:
    if request.json() != []:
        raise ArangoError(400, "expecting an empty array of transaction ids")


def _query(request: Request) -> TailQuery:
    everything = request.flag("global")
    if everything and request.database_name != "_system":
        raise ArangoError(11, "global tailing is only possible in the _system database")
    database = None if everything else request.database.name
    from_tick = request.number("from", 0) or 0
    to_tick = request.number("to")
    if to_tick is not None and (to_tick == 0 or from_tick > to_tick):
        raise ArangoError(400, "invalid from/to values")
    chunk = request.number("chunkSize", DEFAULT_CHUNK)
    return TailQuery(
        database,
        from_tick,
        to_tick,
        request.number("lastScanned", 0) or 0,
        DEFAULT_CHUNK if chunk is None else chunk,
        None if everything else request.query.get("collection") or None,
        request.flag("includeSystem"),
        request.flag("includeFoxxQueues"),
    )
