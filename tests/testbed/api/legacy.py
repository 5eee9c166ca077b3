# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Endpoints that later versions removed (facts §10; versions.py says which), as far as a cluster has them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.testbed.api.admin import version
from tests.testbed.api.wal import syncer
from tests.testbed.message import DUMP, Request, Response, dumps, reply, result
from tests.testbed.model import Database
from tests.testbed.routing import EVERYWHERE, FRONT, route
from tests.testbed.wal_tail import DEFAULT_CHUNK, TailQuery

_ON_DATA: tuple[str, str] = ("dbserver", "single")


@route("GET|PUT|POST", "/_admin/version", level="any", on=EVERYWHERE)
def admin_version(request: Request) -> Response:
    """The old name of `/_api/version`."""
    return version(request)


@route("GET", "/_api/endpoint", level="admin", on=FRONT)
def endpoints(request: Request) -> Response:
    """The endpoint that this server listens on."""
    return reply([{"endpoint": f"ssl://0.0.0.0:{request.server.port}"}])


@route("GET", "/_admin/aardvark/{rest*}", level="none", on=EVERYWHERE)
def web_interface(_request: Request) -> Response:
    """A page in place of the web interface; needs no login (facts §1.2)."""
    return Response(200, b"<!doctype html><title>ArangoDB Web Interface</title>", content_type="text/html")


@route("PUT", "/_admin/wal/flush", level="any", on=EVERYWHERE)
def flush(_request: Request) -> Response:
    """Flush the log."""
    return result()


@route("GET|PUT", "/_admin/wal/properties", level="any", on=EVERYWHERE)
def log_properties(_request: Request) -> Response:
    """Nothing to set with this storage engine."""
    return reply({})


@route("GET", "/_admin/wal/transactions", level="any", on=EVERYWHERE)
def log_transactions(_request: Request) -> Response:
    """Nothing to see with this storage engine."""
    return reply({"runningTransactions": 0})


@route("GET", "/_api/replication/server-id", level="any", on=_ON_DATA)
def server_id(request: Request) -> Response:
    """The id of the data directory (facts §5.1)."""
    return reply({"serverId": request.server.log.server_id})


@route("GET", "/_api/replication/logger-first-tick", level="any", on=_ON_DATA)
def first_tick(request: Request) -> Response:
    """Where the oldest file begins."""
    return reply({"firstTick": str(request.server.log.tick_range()[0])})


@route("GET", "/_api/replication/logger-tick-ranges", level="any", on=_ON_DATA)
def tick_ranges(request: Request) -> Response:
    """The files of the log."""
    files = request.server.log.files()
    states = ["collected"] * (len(files) - 1) + ["open"]
    return reply(
        [
            {"datafile": f"/archive/{number:06}.log", "status": state, "tickMin": str(low), "tickMax": str(high)}
            for number, ((low, high), state) in enumerate(zip(files, states, strict=True), 4)
        ]
    )


@route("GET", "/_api/replication/logger-follow", level="any", on=_ON_DATA)
def follow(request: Request) -> Response:
    """The old form of tailing, of one database and with ids in place of names (facts §5.5)."""
    syncer(request)
    database, log = request.database, request.server.log
    chunk = request.number("chunkSize", DEFAULT_CHUNK) or DEFAULT_CHUNK
    start = request.number("from", 0) or 0
    found = log.tail(TailQuery(database.name, start, request.number("to"), 0, chunk, None, include_system=True))
    headers = {
        "x-arango-replication-active": "true",
        "x-arango-replication-checkmore": "true" if found.check_more else "false",
        "x-arango-replication-lastincluded": str(found.last_included),
        "x-arango-replication-lastscanned": str(found.last_scanned),
        "x-arango-replication-lasttick": str(found.last_tick),
        "x-arango-replication-frompresent": "true" if found.from_present else "false",
    }
    body = b"".join(_old_markers(database, b"".join(found.pieces)))
    if not body:
        return Response(204, b"", headers | {"content-type": DUMP})
    return Response(200, body, headers, DUMP)


def _old_markers(database: Database, body: bytes) -> Iterator[bytes]:
    known = {entry.guid: entry for entry in database.collections.values()}
    for line in body.splitlines():
        marker = json.loads(line)
        values = {"tick": marker["tick"], "type": marker["type"], "database": database.id}
        values |= {"tid": marker["tid"]} if "tid" in marker else {}
        collection = known.get(marker.get("cuid", ""))
        if collection is not None:
            values |= {"cid": collection.id, "cname": collection.name}
        yield dumps(values | ({"data": marker["data"]} if "data" in marker else {})) + b"\n"
