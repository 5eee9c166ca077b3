# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to every request: faults, login, rights, route, errors."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.testbed import encoding, front_end, routing
from tests.testbed.control_answers import carried_out
from tests.testbed.errors import ArangoError
from tests.testbed.following import READING
from tests.testbed.load import QUEUE_TIME
from tests.testbed.message import Request, Response, failure
from tests.testbed.routing import Route

if TYPE_CHECKING:
    from tests.testbed.control import Faults

Answer = Response | None
_UNAUTHORIZED = {"www-authenticate": 'Basic realm="ArangoDB", Bearer token_type="JWT", realm="ArangoDB"'}


def dispatch(request: Request) -> Answer | Awaitable[Answer]:
    """Answer a request of a server's listener; None cuts the connection."""
    deployment = request.deployment
    if deployment.flavour == "managed":
        if deployment.sealed(request.server):
            return None
        refused = front_end.refusal(request)
        if refused is not None:
            return refused
    faults: Faults = deployment.faults
    faults.count(request)
    fault = faults.match(request)
    run = handle if request.server.load is None else loaded
    answer = run(request) if fault is None else fault.run(request, run)
    if faults.following.idle or request.method in READING:
        return answer
    return faults.following.answer(request, answer)


async def loaded(request: Request) -> Answer:
    """Answer a request of a server that is under load: after its time in the queue, unless it is refused."""
    load = request.server.load
    if load is None:
        return await carried_out(request, handle)
    try:
        wait = load.arrive(request.headers.get(QUEUE_TIME))
    except ArangoError as error:
        answer: Answer = failure(error)
        wait = load.waiting()
    else:
        await asyncio.sleep(wait)
        answer = await carried_out(request, handle)
    if answer is not None:
        answer.queue_time = wait
    return answer


def handle(request: Request) -> Answer | Awaitable[Answer]:
    """Answer a request without faults."""
    try:
        step = _guarded
        answer = _through(request, 0) if routing.MIDDLEWARE else step(request)
    except Exception as error:  # noqa: BLE001 - every failure becomes an answer
        return _error_answer(request, error)
    if isinstance(answer, Awaitable):
        return _finish(request, answer)
    return answer


def _through(request: Request, index: int) -> Answer | Awaitable[Answer]:
    if index == len(routing.MIDDLEWARE):
        return _guarded(request)
    return routing.MIDDLEWARE[index](request, lambda inner: _through(inner, index + 1))


def _guarded(request: Request) -> Answer | Awaitable[Answer]:
    if request.method == "OPTIONS":
        return Response(200, b"", {"allow": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"}, "text/plain")
    try:
        if request.deployment.missing.match(f"{request.method} {request.path}"):
            raise ArangoError(404, f"unknown path '{unquote(request.path)}'")
        entry, request.params = routing.find(request.method, request.path, request.server.role)
    except ArangoError:
        _login(request)
        raise
    if entry.level != "none":
        _login(request)
        encoding.decode(request)
        authorise(request, entry)
        request.deployment.database(request.database_name)
    return entry.handler(request)


def _login(request: Request) -> None:
    authenticator = request.deployment.authenticator
    request.principal = authenticator.authenticate(
        request.headers.get("authorization"), users=request.server.role != "dbserver", path=request.path
    )
    if request.principal is None:
        headers = {} if "x-omit-www-authenticate" in request.headers else _UNAUTHORIZED
        raise ArangoError(11, "not authorized to execute this request", status=401, headers=headers)


def authorise(request: Request, entry: Route) -> None:
    """Check the level of a route (facts §1.2, §1.3)."""
    principal, authenticator = request.caller, request.deployment.authenticator
    if principal.superuser:
        return
    if entry.level != "authenticated" and authenticator.database_level(principal, request.database_name) == "none":
        raise ArangoError(11, "not authorized to execute this request", status=401)
    options = request.deployment.options
    closed = ("jwt-all",) if request.method in ("GET", "HEAD") else ("jwt-all", "jwt-write")
    if options.api_jwt_policy in closed and request.path.startswith("/_admin/cluster/"):
        raise ArangoError(11)
    admin = entry.level == "admin" or (entry.level == "hardened" and options.harden)
    if entry.level == "super" or (admin and authenticator.database_level(principal, "_system") != "rw"):
        raise ArangoError(11)


async def _finish(request: Request, answer: Awaitable[Answer]) -> Answer:
    try:
        return await answer
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - every failure becomes an answer
        return _error_answer(request, error)


def _error_answer(request: Request, error: Exception) -> Response:
    if isinstance(error, ArangoError):
        return failure(error)
    if isinstance(error, RecursionError):
        return failure(ArangoError(600, "VPackError error: Too deep nesting in Array/Object"))
    sys.stderr.write(f"{request.method} {request.target}\n{''.join(traceback.format_exception(error))}")
    return failure(ArangoError(4, f"{type(error).__name__}: {error}"))
