# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/transaction`: stream transactions, and cancelling everything that writes (facts §2.3).

They live on the server that was asked: cancelling writers is per coordinator. A transaction whose pending operations
pass a limit commits them on the leaders before its end, also in read-only mode (facts §5.5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from tests.testbed.api.documents import TRANSACTION_HEADER
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.model import Deployment, Server
from tests.testbed.queries import running
from tests.testbed.rights import may_read, may_write
from tests.testbed.routing import Handler, middleware, route
from tests.testbed.storage import Transaction

_IDLE_SECONDS = 60.0  # --transaction.streaming-idle-timeout
_SIZE_LIMIT_OLD, _SIZE_LIMIT = 128 << 20, 512 << 20
_KEPT = 1000  # finished transactions whose end is still known
_COMMIT_COUNT = 10_000  # pending operations, unless the option `intermediate_commit_count` says otherwise


class StreamTransaction(Transaction):
    """A stream transaction with its owner, its size and its idle timer."""

    def __init__(self, request: Request, writes: bool) -> None:
        identifier = str(request.server.unique_id())
        super().__init__(request.database, tid=identifier, stream=True)
        self.id = identifier
        self.server: Server = request.server
        self.user = request.caller.user
        self.superuser = request.caller.superuser
        self.writes = writes
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self.touch()

    def touch(self) -> None:
        """Begin the idle time anew."""
        if self._timer is not None:
            self._timer.cancel()
        seconds = self.server.deployment.scaled(_IDLE_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(seconds, finish, self, "aborted")

    def grow(self, number: int) -> None:
        """Count bytes written; errorNum 32 above the limit of the version (facts §10)."""
        deployment = self.server.deployment
        limit = _SIZE_LIMIT_OLD if deployment.version_tuple < (3, 12, 0) else _SIZE_LIMIT
        self._size += number
        if self._size > int(deployment.options.extra.get("stream_transaction_limit", limit)):
            raise ArangoError(32, "aborting transaction because it exceeds the memory limit")

    def stop_timer(self) -> None:
        """It has ended."""
        if self._timer is not None:
            self._timer.cancel()


def live(deployment: Deployment) -> dict[str, Transaction]:
    """Running stream transactions by id, as the document API looks them up."""
    found: dict[str, Transaction] = deployment.objects.setdefault("transactions", {})
    return found


def _ended(deployment: Deployment) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = deployment.objects.setdefault("ended_transactions", {})
    return found


def finish(transaction: StreamTransaction, status: str) -> None:
    """Commit or abort, and remember how it ended."""
    deployment = transaction.server.deployment
    if live(deployment).pop(transaction.id, None) is None:
        return
    transaction.stop_timer()
    if status == "committed":
        transaction.commit()
    else:
        transaction.abort()
    ended = _ended(deployment)
    ended[transaction.id] = (transaction.user, status)
    while len(ended) > _KEPT:
        del ended[next(iter(ended))]


@middleware
def after_request(request: Request, following: Handler) -> Response | Awaitable[Response | None] | None:
    """Keep a used transaction alive, and let a large one commit in between."""
    name = request.headers.get(TRANSACTION_HEADER)
    transaction = live(request.deployment).get(name) if name else None
    if not isinstance(transaction, StreamTransaction):
        return following(request)
    transaction.touch()
    transaction.grow(len(request.body))
    answer = following(request)
    return _later(transaction, answer) if isinstance(answer, Awaitable) else _now(transaction, answer)


async def _later(transaction: StreamTransaction, answer: Awaitable[Response | None]) -> Response | None:
    return _now(transaction, await answer)


def _now(transaction: StreamTransaction, answer: Response | None) -> Response | None:
    limit = int(transaction.server.deployment.options.extra.get("intermediate_commit_count", _COMMIT_COUNT))
    if transaction.pending() >= limit:
        transaction.intermediate_commit()
    return answer


def _names(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ArangoError(10, "invalid 'collections'")
    return names


@route("POST", "/_api/transaction/begin")
def begin(request: Request) -> Response:
    """Begin a transaction on named collections; errorNum 1203, 11, 1004."""
    body = request.json_object()
    collections = body.get("collections")
    if not isinstance(collections, dict):
        raise ArangoError(10, "missing/invalid collections definition for transaction")
    timeout = body.get("lockTimeout", 0)
    if isinstance(timeout, int | float) and timeout < 0:
        raise ArangoError(10, "<lockTimeout> needs to be positive")
    writing = [*_names(collections.get("write") or []), *_names(collections.get("exclusive") or [])]
    for name in _names(collections.get("read") or []):
        may_read(request, request.database.collection(name))
    for name in writing:
        may_write(request, request.database.collection(name))
    transaction = StreamTransaction(request, bool(writing))
    live(request.deployment)[transaction.id] = transaction
    return _status(201, transaction.id, "running")


def _status(status: int, identifier: str, state: str) -> Response:
    return reply({"code": status, "error": False, "result": {"id": identifier, "status": state}}, status)


def _mine(request: Request) -> StreamTransaction | str:
    """A transaction of the caller, or how it ended; errorNum 1655."""
    name = request.params["id"]
    found = live(request.deployment).get(name)
    if isinstance(found, StreamTransaction):
        if found.user == request.caller.user and found.database is request.database:
            return found
    elif name in _ended(request.deployment) and _ended(request.deployment)[name][0] == request.caller.user:
        return _ended(request.deployment)[name][1]
    if not name.isdecimal() or int(name) == 0:
        raise ArangoError(10, "Illegal transaction ID" if request.method == "GET" else "bad transaction ID")
    raise ArangoError(1655, None if request.method == "GET" else f"transaction '{name}' not found")


@route("GET", "/_api/transaction")
def list_transactions(request: Request) -> Response:
    """Running transactions of the database: one's own, all for the superuser."""
    everything = request.caller.superuser
    found = [
        {"id": transaction.id, "state": "running"}
        for transaction in live(request.deployment).values()
        if isinstance(transaction, StreamTransaction)
        and (everything or (transaction.user == request.caller.user and transaction.database is request.database))
    ]
    return reply({"transactions": found})


@route("GET", "/_api/transaction/{id}")
def read(request: Request) -> Response:
    """State of a transaction."""
    found = _mine(request)
    return _status(200, request.params["id"], found if isinstance(found, str) else "running")


@route("PUT", "/_api/transaction/{id}")
def commit(request: Request) -> Response:
    """Commit; in read-only mode errorNum 1004, and the transaction is gone."""
    found = _mine(request)
    if isinstance(found, str):
        if found == "committed":
            return _status(200, request.params["id"], found)
        raise ArangoError(1653, "transaction was already aborted")
    if found.writes and found.server.readonly and not found.superuser:
        finish(found, "aborted")
        raise ArangoError(1004, "server is in read-only mode")
    finish(found, "committed")
    return _status(200, found.id, "committed")


@route("DELETE", "/_api/transaction/write")
def cancel_writers(request: Request) -> Response:
    """Abort write transactions and kill write queries of this server: one's own, all of them for the superuser."""
    caller, server = request.caller, request.server

    def meant(user: str, where: Server) -> bool:
        return where is server and (caller.superuser or user == caller.user)

    for transaction in list(live(request.deployment).values()):
        if not isinstance(transaction, StreamTransaction) or not transaction.writes:
            continue
        if meant(transaction.user, transaction.server):
            finish(transaction, "aborted")
    for query in list(running(request.deployment).values()):
        if query.modifies and meant(query.user, query.server):
            query.kill()
    return result()


@route("DELETE", "/_api/transaction/{id}")
def abort(request: Request) -> Response:
    """Abort."""
    found = _mine(request)
    if isinstance(found, str):
        if found == "aborted":
            return _status(200, request.params["id"], found)
        raise ArangoError(1653, "transaction was already committed")
    finish(found, "aborted")
    return _status(200, found.id, "aborted")


@route("POST", "/_api/transaction")
def javascript(_request: Request) -> Response:
    """JavaScript transactions need an engine that is not here."""
    raise ArangoError(9, "JavaScript operations are disabled on this server")
