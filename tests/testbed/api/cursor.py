# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/cursor`: results in batches (recordings). A cursor lives on the server that was asked and dies with it."""

from __future__ import annotations

import time
from typing import Any

from tests.testbed.api.documents import TRANSACTION_HEADER, transaction_of
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, dumps, result
from tests.testbed.model import Deployment
from tests.testbed.queries import RunningQuery
from tests.testbed.routing import route

_DEFAULT_BATCH = 1000
_DEFAULT_TTL = 30.0


class Cursor:
    """What is left of a result; a streaming one makes it as it is asked for."""

    def __init__(self, request: Request, query: RunningQuery, body: dict[str, Any]) -> None:
        self.id = str(request.server.unique_id())
        self.query = query
        self._server, self._boot = request.server, request.server.reboot_id
        self.database_name, self.user = request.database_name, request.caller.user
        size = body.get("batchSize", _DEFAULT_BATCH)
        if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
            raise ArangoError(10, "expecting a positive batchSize")
        self._size = size
        self._ttl = float(body.get("ttl") or _DEFAULT_TTL)
        self._counting = bool(body.get("count"))
        self._retry = bool((body.get("options") or {}).get("allowRetry"))
        self._pieces: list[bytes] = []
        self._position = 0
        self.batch = 0
        self._last: Response | None = None
        self.touch()

    def touch(self) -> None:
        """Begin the time to live anew."""
        self._expires = time.monotonic() + self._ttl

    @property
    def alive(self) -> bool:
        """Whether its time has not run out and its server has not been restarted."""
        return time.monotonic() < self._expires and self._server.running and self._server.reboot_id == self._boot

    async def run(self) -> None:
        """Make the result, or for a stream the first batch and the knowledge whether there is more."""
        self._pieces = await self.query.take(self._size + 1 if self.query.stream else None)

    async def next(self, status: int) -> Response:
        """The next batch."""
        pieces = self._pieces[self._position : self._position + self._size]
        if self.query.stream:
            self._pieces = self._pieces[self._size :]
            if not self.query.done:
                self._pieces += await self.query.take(self._size + 1 - len(self._pieces))
            more = bool(self._pieces)
        else:
            self._position += self._size
            more = self._position < len(self._pieces)
        self.batch += 1
        self.touch()
        self._last = Response(status, self._body(pieces, more, status))
        return self._last

    def _body(self, pieces: list[bytes], more: bool, status: int) -> bytes:
        parts = [b'{"result":[', b",".join(pieces), b'],"hasMore":', b"true" if more else b"false"]
        rest: dict[str, Any] = {}
        if more or self.batch > 1:
            rest["id"] = self.id
        if self._counting and not self.query.stream:
            rest["count"] = len(self._pieces)
        extra = {} if self.query.stream and more else {"extra": self.query.extra()}
        if more:
            rest |= extra | {"cached": False}
            if self._server.deployment.version_tuple >= (3, 11, 0):
                rest["nextBatchId"] = str(self.batch + 1)
        else:
            rest |= {"cached": False} | extra
        rest |= {"error": False, "code": status}
        return b"".join((*parts, b",", dumps(rest)[1:]))

    @property
    def finished(self) -> bool:
        """Whether the last batch was given and need not be given again."""
        return not self._retry and self.query.done and self._position >= len(self._pieces)

    def again(self) -> Response:
        """The last batch once more; errorNum 1600 unless `allowRetry` was set."""
        if not self._retry or self._last is None:
            raise ArangoError(1600)
        self.touch()
        return self._last


def _cursors(deployment: Deployment) -> dict[str, Cursor]:
    found: dict[str, Cursor] = deployment.objects.setdefault("cursors", {})
    for cursor in [entry for entry in found.values() if not entry.alive]:
        _close(found, cursor)
    return found


def _close(cursors: dict[str, Cursor], cursor: Cursor) -> None:
    del cursors[cursor.id]
    if not cursor.query.done:
        cursor.query.abort()


def _find(request: Request) -> Cursor:
    found = _cursors(request.deployment).get(request.params["id"])
    if found is None or found.database_name != request.database_name or found.user != request.caller.user:
        raise ArangoError(1600)
    return found


@route("POST", "/_api/cursor")
async def create(request: Request) -> Response:
    """Run a query and answer its first batch."""
    body = request.json()
    if not isinstance(body, dict):
        raise ArangoError(1502)
    transaction = None
    if TRANSACTION_HEADER in request.headers:
        transaction = transaction_of(request, single=False)[0]
    query = RunningQuery(request, body, transaction)
    try:
        cursor = Cursor(request, query, body)
    except ArangoError:
        query.abort()
        raise
    await cursor.run()
    answer = await cursor.next(201)
    if not cursor.finished:
        _cursors(request.deployment)[cursor.id] = cursor
    return answer


@route("PUT|POST", "/_api/cursor/{id}")
async def more(request: Request) -> Response:
    """The next batch."""
    cursor = _find(request)
    answer = await cursor.next(200)
    if cursor.finished:
        _cursors(request.deployment).pop(cursor.id, None)
    return answer


@route("POST", "/_api/cursor/{id}/{batch}")
async def batch(request: Request) -> Response:
    """A batch by its number: the next one, or the last one again."""
    cursor = _find(request)
    wanted = request.params["batch"]
    if wanted == str(cursor.batch):
        return cursor.again()
    if wanted != str(cursor.batch + 1):
        raise ArangoError(1600)
    return await cursor.next(200)


@route("DELETE", "/_api/cursor/{id}")
def close(request: Request) -> Response:
    """Forget a cursor."""
    cursor = _find(request)
    _close(_cursors(request.deployment), cursor)
    return result(202, id=cursor.id)


@route("PUT", "/_api/cursor")
def missing(_request: Request) -> Response:
    """No id given."""
    raise ArangoError(400, "expecting POST /_api/cursor/<cursor-id>")
