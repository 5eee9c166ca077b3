# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to every request: faults, limits, route, login, messages, errors (platform facts §1)."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus

from tests.testbed.control import Faults
from tests.testbed.control_answers import HTML
from tests.testbed.following import READING
from tests.testbed.message import Response, dumps
from tests.testbed.platform import routing
from tests.testbed.platform.call import Call, Request
from tests.testbed.platform.errors import Code, PlatformError, invalid, text_answer
from tests.testbed.platform.routing import Method
from tests.testbed.platform.schema import Value
from tests.testbed.platform.world import World

PAGE = b'<!doctype html><html><head><title>Dashboard</title></head><body><div id="root"></div></body></html>'
_FORM_VERBS = ("POST", "PUT", "PATCH")


class App:
    """Answers requests of the platform's listeners."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self._second, self._calls = 0, 0

    async def dispatch(self, request: Request) -> Response | None:
        """Answer a request; None cuts the connection."""
        self.faults.count(request)
        fault = self.faults.match(request)
        answer = fault.run(request, self.handle) if fault is not None else self.handle(request)
        response = await answer if isinstance(answer, Awaitable) else answer
        if request.method not in READING:
            self.faults.following.done(request)
        if response is not None:
            response.headers.setdefault("date", formatdate(self.world.clock.now() + self.world.clock.skew, usegmt=True))
        return response

    async def dashboard(self, request: Request) -> Response | None:
        """Answer a request under the dashboard's host, which is no host of the API unless a reading says so."""
        if self.world.options.reads(1, "dashboard-api"):
            return await self.dispatch(request)
        return wrong_host()

    async def handle(self, request: Request) -> Response:
        """Answer a request without faults."""
        try:
            self._limit()
            await self.world.clock.settle()
            method, params, known = routing.find(request.method, request.path)
            if method is None:
                return text_answer(405, "Method Not Allowed") if known else text_answer(404, "Not Found")
            return await self._call(method, params, request)
        except PlatformError as error:
            return self.failure(error)
        except Exception as error:  # noqa: BLE001 - every failure becomes an answer
            sys.stderr.write(f"{request.method} {request.target}\n{''.join(traceback.format_exception(error))}")
            return self.failure(PlatformError(Code.INTERNAL, f"{type(error).__name__}: {error}"))

    async def _call(self, method: Method, params: dict[str, str], request: Request) -> Response:
        key = None
        if not method.public:
            key = self.world.keys.caller(request.headers.get("authorization", ""))
        call = Call(self.world, request, key)
        wish = self._read(method, params, request)
        if not method.public:
            self._check_readonly(call, method)
        answer = method.handler(call, wish)
        if isinstance(answer, AsyncIterator):
            return await self._stream(method, answer)
        value = await answer if isinstance(answer, Awaitable) else answer
        return Response(200, dumps(self.world.style().write(method.reply, value)))

    def _read(self, method: Method, params: dict[str, str], request: Request) -> Value:
        style = self.world.style()
        if method.body:
            return {**style.read(method.request, _json(request.body)), **style.fill(method.request, params.items())}
        pairs = request.pairs
        if request.method in _FORM_VERBS and not self.world.options.reads(2, "query-only"):
            pairs = request.form + pairs  # of a field that is in both the body's value is the first
        return {**style.fill(method.request, pairs), **style.fill(method.request, params.items())}

    def _check_readonly(self, call: Call, method: Method) -> None:
        """Read-only keys reach calls named List… and Get… only (platform facts §2.4)."""
        if not call.key.fields.get("is_readonly") or method.name.startswith(("List", "Get")):
            return
        questions = method.name == "HasPermissions" or method.name.startswith("IsBackup")
        if not (questions and self.world.options.reads(10, "questions")):
            raise PlatformError(Code.PERMISSION_DENIED, "This API key is read-only")

    def _limit(self) -> None:
        if not self.world.options.rate_limit:
            return
        second = int(self.world.clock.now())
        self._calls = self._calls + 1 if second == self._second else 1
        self._second = second
        if self._calls > self.world.options.rate_limit:
            raise PlatformError(Code.RESOURCE_EXHAUSTED, "too many requests")

    def failure(self, error: PlatformError) -> Response:
        """The answer of an error; how long to wait is told if a reading says so."""
        if error.code in (Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE):
            if self.world.options.reads(5, "retry-after"):
                error.headers.setdefault("retry-after", "1")
            elif self.world.options.reads(5, "retry-after-date"):
                moment = self.world.clock.now() + self.world.clock.skew + 1
                error.headers.setdefault("retry-after", formatdate(moment, usegmt=True))
        return error.answer()

    async def _stream(self, method: Method, messages: AsyncIterator[Value]) -> Response:
        """Messages one object a line; an error before the first has a status, a later one comes as a line."""

        def line(value: Value) -> bytes:
            return dumps({"result": self.world.style().write(method.reply, value)}) + b"\n" if value else b""

        lines = _lines(messages, line)
        try:
            first = await lines.__anext__()
        except StopAsyncIteration:
            return Response(200)
        except PlatformError as error:
            return Response(error.answer().status, _error_line(error))
        response = Response(200)
        response.stream = _later_lines(first, lines)
        return response


async def _lines(messages: AsyncIterator[Value], line: Callable[[Value], bytes]) -> AsyncIterator[bytes]:
    async for value in messages:
        yield line(value)


async def _later_lines(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    try:
        async for line in rest:
            yield line
    except PlatformError as error:
        yield _error_line(error)


def _error_line(error: PlatformError) -> bytes:
    """An error of a stream (platform facts §1.5)."""
    status = HTTPStatus(error.answer().status)
    told = {"grpc_code": int(error.code), "http_code": status.value, "message": error.message}
    return dumps({"error": {**told, "http_status": status.phrase}}) + b"\n"


def wrong_host() -> Response:
    """A page in place of an answer, as of a host that serves no API."""
    return Response(200, PAGE, content_type=HTML)


def _json(body: bytes) -> object:
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"{error}") from error
