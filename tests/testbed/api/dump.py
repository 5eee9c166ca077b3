# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/dump`: the parallel dump, which can be asked again after a lost answer (facts §4.3)."""

from __future__ import annotations

from tests.testbed.api.forwarding import target
from tests.testbed.errors import ArangoError
from tests.testbed.message import DUMP, Request, Response, result
from tests.testbed.routing import EVERYWHERE, route
from tests.testbed.snapshots import DumpContext, snapshots

_DEFAULT_TTL = 600.0
_MAX_BATCH = 1 << 30
_MAX_DOCS = 1_000_000
_SINCE = {(3, 10): (3, 10, 8), (3, 11): (3, 11, 2)}


def _check_version(request: Request) -> None:
    version = request.deployment.version_tuple
    if version < _SINCE.get(version[:2], (3, 12, 0)):
        raise ArangoError(404, f"unknown path '{request.path}'")
    options = request.deployment.options
    community = options.extra.get("license") == "community" and version < (3, 12, 5)
    if community and options.reads(7, "no-community-dump"):
        raise ArangoError(404, f"unknown path '{request.path}'")


def _owner(request: Request) -> str:
    """Who owns the context; straight to a DB-Server only the header can say it (facts §4.3)."""
    if request.server.role != "dbserver":
        return request.caller.user
    name = request.headers.get("x-arango-dump-auth-user")
    deployment = request.deployment
    if name is None and deployment.version_tuple < (3, 12, 0) and deployment.options.reads(7, "auth-optional"):
        return ""
    if name is None:
        raise ArangoError(400, "missing authorization header")
    return name


@route("POST", "/_api/dump/start", level="any", on=EVERYWHERE)
def start(request: Request) -> Response:
    """Open a context over some shards; nothing here says at which tick it was taken."""
    _check_version(request)
    server = target(request, "dbserver")
    owner = _owner(request)
    body = request.json_object()
    shards = body.get("shards")
    if not isinstance(shards, list) or not all(isinstance(name, str) for name in shards):
        raise ArangoError(400, "expecting an array of shard names in 'shards'")
    _check_rights(request, shards)
    present = {name for name, shard in server.shards.items() if shard.collection.database is request.database}
    missing = [name for name in shards if name not in present]
    if missing:
        raise ArangoError(1203, f"collection or view not found: {missing[0]}")
    ttl = _number(body, "ttl", _DEFAULT_TTL)
    late = request.deployment.options.reads(7, "shard-snapshots")
    context = snapshots(server).open_dump(owner, request.database.name, shards, ttl, late=late)
    context.batch_size = min(int(_number(body, "batchSize", 16 * 1024)), _MAX_BATCH)
    docs = _MAX_DOCS if request.deployment.version_tuple < (3, 12, 0) else int(_number(body, "docsPerBatch", 10_000))
    context.docs_per_batch = min(docs, _MAX_DOCS)
    return result(201, {"x-arango-dump-id": context.id})


def _number(body: dict[str, object], name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ArangoError(400, f"expecting a positive number in '{name}'")
    return value


def _check_rights(request: Request, shards: list[str]) -> None:
    collections = {shard.name: entry for entry in request.database.collections.values() for shard in entry.shards}
    authenticator = request.deployment.authenticator
    for name in shards:
        collection = collections.get(name)
        if collection is None:
            continue
        if authenticator.collection_level(request.caller, request.database_name, collection.name) == "none":
            raise ArangoError(11, f"insufficient permissions to access shard {name}")


def _context(request: Request) -> DumpContext:
    context = snapshots(target(request, "dbserver")).dump(request.params["id"])
    owner = _owner(request)
    if context is None or context.database != request.database.name:
        raise ArangoError(1600, "requested dump context not found")
    if context.owner != owner:
        raise ArangoError(11, "insufficient permissions")
    return context


@route("POST", "/_api/dump/next/{id}", level="any", on=EVERYWHERE)
def next_batch(request: Request) -> Response:
    """The batch of a number, one document a line; 204 when nothing is left."""
    _check_version(request)
    context = _context(request)
    number = request.number("batchId")
    if number is None:
        raise ArangoError(400, "missing 'batchId'")
    batch = context.next(number, request.number("lastBatch"))
    if batch is None:
        return Response(204)
    name, chunk = batch
    headers = {"x-arango-dump-shard-id": name, "x-arango-dump-block-counts": str(chunk.documents)}
    return Response(200, chunk.body, headers, DUMP)


@route("DELETE", "/_api/dump/{id}", level="any", on=EVERYWHERE)
def delete(request: Request) -> Response:
    """Free a context."""
    _check_version(request)
    context = _context(request)
    snapshots(target(request, "dbserver")).dumps.pop(context.id, None)
    return result(200)
