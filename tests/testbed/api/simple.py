# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/simple/*`, which drivers still use; each is an AQL query, as on the server. Gone in 4.x."""

from __future__ import annotations

import json
from typing import Any

from tests.testbed.api import cursor
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, dumps, result
from tests.testbed.queries import RunningQuery
from tests.testbed.routing import route


def _body(request: Request) -> dict[str, Any]:
    if request.deployment.version_tuple >= (4, 0, 0):
        raise ArangoError(404, f"unknown path '{request.path}'")
    body = request.json_object()
    if not isinstance(body.get("collection"), str):
        raise ArangoError(400, "expecting string for <collection>")
    return body


def _window(body: dict[str, Any]) -> str:
    skip, limit = int(body.get("skip") or 0), body.get("limit")
    if limit is None and not skip:
        return ""
    return f" LIMIT {skip}, {int(limit if limit is not None else 1 << 40)}"


def _conditions(example: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(example, dict):
        raise ArangoError(400, "expecting object for <example>")
    binds: dict[str, Any] = {}
    texts: list[str] = []
    for number, (path, value) in enumerate(example.items()):
        names = path.split(".")
        for place, name in enumerate(names):
            binds[f"n{number}_{place}"] = name
        binds[f"v{number}"] = value
        attribute = "".join(f".@n{number}_{place}" for place in range(len(names)))
        texts.append(f" FILTER d{attribute} == @v{number}")
    return "".join(texts), binds


async def _cursor(request: Request, body: dict[str, Any], query: str, binds: dict[str, Any]) -> Response:
    settings: dict[str, Any] = {name: body[name] for name in ("batchSize", "ttl") if name in body}
    bound: dict[str, Any] = {"@c": body["collection"], **binds}
    asked: dict[str, Any] = {"query": query, "bindVars": bound, "count": True}
    request.body = dumps(asked | settings)
    return await cursor.create(request)


async def _values(request: Request, body: dict[str, Any], query: str, binds: dict[str, Any]) -> list[Any]:
    bound: dict[str, Any] = {"@c": body["collection"], **binds}
    running = RunningQuery(request, {"query": query, "bindVars": bound}, None)
    return [json.loads(piece) for piece in await running.take(None)]


@route("PUT", "/_api/simple/all")
async def everything(request: Request) -> Response:
    """All documents."""
    body = _body(request)
    return await _cursor(request, body, f"FOR d IN @@c{_window(body)} RETURN d", {})


@route("PUT", "/_api/simple/all-keys")
async def keys(request: Request) -> Response:
    """All keys, ids or paths."""
    body = _body(request)
    prefix = {"key": "", "id": f"{body['collection']}/"}.get(str(body.get("type")))
    if prefix is None:
        prefix = f"/_db/{request.database_name}/_api/document/{body['collection']}/"
    return await _cursor(request, body, "FOR d IN @@c RETURN CONCAT(@p, d._key)", {"p": prefix})


@route("PUT", "/_api/simple/by-example")
async def by_example(request: Request) -> Response:
    """Documents with given attributes."""
    body = _body(request)
    conditions, binds = _conditions(body.get("example"))
    return await _cursor(request, body, f"FOR d IN @@c{conditions}{_window(body)} RETURN d", binds)


@route("PUT", "/_api/simple/first-example")
async def first_example(request: Request) -> Response:
    """The first document with given attributes."""
    body = _body(request)
    conditions, binds = _conditions(body.get("example"))
    found = await _values(request, body, f"FOR d IN @@c{conditions} LIMIT 1 RETURN d", binds)
    if not found:
        raise ArangoError(404, "no match")
    return result(document=found[0])


@route("PUT", "/_api/simple/any")
async def any_document(request: Request) -> Response:
    """A document by chance."""
    body = _body(request)
    found = await _values(request, body, "FOR d IN @@c SORT RAND() LIMIT 1 RETURN d", {})
    return result(document=found[0] if found else None)


@route("PUT", "/_api/simple/lookup-by-keys")
async def by_keys(request: Request) -> Response:
    """Documents by their keys; missing ones are left out."""
    body = _body(request)
    query = "FOR k IN @keys LET d = DOCUMENT(@name, k) FILTER d != null RETURN d"
    binds = {"keys": body.get("keys") or [], "name": body["collection"]}
    running = RunningQuery(request, {"query": query, "bindVars": binds}, None)
    return result(documents=[json.loads(piece) for piece in await running.take(None)])


@route("PUT", "/_api/simple/remove-by-keys")
async def remove_by_keys(request: Request) -> Response:
    """Remove documents by their keys; missing ones are counted."""
    body = _body(request)
    wanted = body.get("keys") or []
    query = "FOR k IN @keys REMOVE k IN @@c OPTIONS { ignoreErrors: true } RETURN OLD._key"
    removed = await _values(request, body, query, {"keys": wanted})
    return result(removed=len(removed), ignored=len(wanted) - len(removed))


@route("PUT", "/_api/simple/remove-by-example")
async def remove_by_example(request: Request) -> Response:
    """Remove documents with given attributes."""
    body = _body(request)
    conditions, binds = _conditions(body.get("example"))
    query = f"FOR d IN @@c{conditions}{_limit(body)} REMOVE d IN @@c RETURN 1"
    return result(deleted=len(await _values(request, body, query, binds)))


@route("PUT", "/_api/simple/update-by-example")
async def update_by_example(request: Request) -> Response:
    """Update documents with given attributes."""
    return await _change(request, "UPDATE", "updated")


@route("PUT", "/_api/simple/replace-by-example")
async def replace_by_example(request: Request) -> Response:
    """Replace documents with given attributes."""
    return await _change(request, "REPLACE", "replaced")


async def _change(request: Request, kind: str, counted: str) -> Response:
    body = _body(request)
    conditions, binds = _conditions(body.get("example"))
    value = body.get("newValue")
    if not isinstance(value, dict):
        raise ArangoError(400, "expecting object for <newValue>")
    options = body.get("options") or {}
    settings = {name: bool(options.get(name, body.get(name, True))) for name in ("keepNull", "mergeObjects")}
    query = (
        f"FOR d IN @@c{conditions}{_limit(body)} {kind} d WITH @value IN @@c OPTIONS {json.dumps(settings)} RETURN 1"
    )
    found = await _values(request, body, query, {**binds, "value": value})
    return result(**{counted: len(found)})


def _limit(body: dict[str, Any]) -> str:
    limit = body.get("limit", (body.get("options") or {}).get("limit"))
    return "" if limit is None else f" LIMIT {int(limit)}"
