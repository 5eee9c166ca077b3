# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/replication/revisions`: trees, ranges and documents by revision, of servers with data (facts §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.testbed import hlc
from tests.testbed.errors import ArangoError
from tests.testbed.merkle import Tree, text, within
from tests.testbed.message import JSON, Request, Response, dumps, reply
from tests.testbed.rights import may_read
from tests.testbed.routing import route
from tests.testbed.snapshots import snapshots
from tests.testbed.storage import Shard

DAMAGE = "damaged_trees"  # (server id, shard) → what its stored tree has too much
RANGE_LIMIT = 1 << 16  # revisions of an answer
DOCUMENTS_LIMIT = 16 << 20  # bytes of an answer, about
_ON_DATA: tuple[str, str] = ("dbserver", "single")


@dataclass
class _Scope:
    """The shard of a request and its documents in the batch, by revision."""

    shard: Shard
    documents: dict[int, bytes]


def _shard(request: Request) -> Shard:
    name = request.query.get("collection", "")
    if not name:
        raise ArangoError(400, "invalid collection parameter")
    found = request.server.shards.get(name)
    if found is None or found.collection.database is not request.database:
        raise ArangoError(1203)
    may_read(request, found.collection)
    if not found.collection.properties["syncByRevision"]:
        raise ArangoError(501, "this collection doesn't support revision-based replication")
    return found


def _scope(request: Request) -> _Scope:
    """Errors: 400 without `collection`, 404 for an unknown batch or collection, 501 for old collections."""
    shard = _shard(request)
    batch = snapshots(request.server).batch(request.query.get("batchId", ""))
    if batch is None or shard.name not in batch.shards:
        raise ArangoError(404, "replication batch not found")
    documents = batch.shards[shard.name]
    return _Scope(shard, {hlc.decode(place.partition("\0")[0]): raw for place, raw in documents.items()})


def damage(request: Request) -> dict[tuple[str, str], int]:
    """The stored trees that are wrong."""
    trees: dict[tuple[str, str], int] = request.deployment.objects.setdefault(DAMAGE, {})
    return trees


@route("GET", "/_api/replication/revisions/tree", on=_ON_DATA)
def tree(request: Request) -> Response:
    """The stored tree; with `verification` also one made of the documents, and whether both are equal."""
    scope = _scope(request)
    levels = request.deployment.options.reads(6, "levels")
    computed, stored = Tree.of(scope.documents), Tree.of(scope.documents)
    wrong = damage(request).get((request.server.id, scope.shard.name), 0)
    if wrong:
        stored.add(0, 0, wrong)
    if not request.flag("verification"):
        return Response(200, stored.render(levels=levels), content_type=JSON)
    parts = (b'{"computed":', computed.render(levels=levels), b',"stored":', stored.render(levels=levels))
    return Response(200, b"".join(parts) + b',"equal":' + (b"false}" if wrong else b"true}"), content_type=JSON)


@route("POST", "/_api/replication/revisions/tree", on=_ON_DATA)
def rebuild(request: Request) -> Response:
    """Make the stored tree anew."""
    shard = _shard(request)
    damage(request).pop((request.server.id, shard.name), None)
    return Response(204)


@route("PUT", "/_api/replication/revisions/ranges", on=_ON_DATA)
def ranges(request: Request) -> Response:
    """The revisions in ranges; an answer that isn't complete says where to `resume`."""
    scope = _scope(request)
    wanted = _ranges(request.json())
    resume = hlc.decode(request.query.get("resume", ""))
    present = sorted(scope.documents)
    left = RANGE_LIMIT
    answers: list[list[str]] = []
    for low, high in wanted:
        found = within(present, max(low, resume), high)
        if len(found) > left:
            answers.append([text(value) for value in found[:left]])
            return reply({"ranges": answers, "resume": text(found[left])})
        left -= len(found)
        answers.append([text(value) for value in found])
    return reply({"ranges": answers})


def _ranges(body: Any) -> list[tuple[int, int]]:
    if not isinstance(body, list):
        raise ArangoError(400, "expecting an array of ranges")
    pairs = [tuple(_revisions(entry, "a range")) for entry in body]
    if any(len(pair) != 2 for pair in pairs):
        raise ArangoError(400, "a range needs two revisions")
    flat = [value for pair in pairs for value in pair]
    inner = zip(flat[1::2], flat[2::2], strict=False)
    if any(low > high for low, high in pairs) or any(high >= following for high, following in inner):
        raise ArangoError(400, "ranges must be ascending and disjoint")
    return [(low, high) for low, high in pairs]


def _revisions(body: Any, what: str) -> list[int]:
    if not isinstance(body, list) or not all(isinstance(entry, str) and entry for entry in body):
        raise ArangoError(400, f"expecting an array of revisions as {what}")
    return [hlc.decode(entry) for entry in body]


@route("PUT", "/_api/replication/revisions/documents", on=_ON_DATA)
def documents(request: Request) -> Response:
    """Documents by revision, `{}` for a missing one; the answer ends early when it has become large."""
    scope = _scope(request)
    wanted = _revisions(request.json(), "a body")
    if any(first >= second for first, second in pairwise(wanted)):
        raise ArangoError(400, "revisions must be ascending")
    return Response(200, b"[" + b",".join(_until_large(wanted, scope.documents.get, scope.shard)) + b"]")


def _until_large(wanted: list[int], get: Callable[[int], bytes | None], shard: Shard) -> Iterable[bytes]:
    size = 0
    for revision in wanted:
        raw = get(revision)
        yield dumps({}) if raw is None else shard.local_form(raw)
        size += len(raw or b"")
        if size >= DOCUMENTS_LIMIT:
            return
