# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP/1.1 on asyncio: keep-alive, pipelining, Content-Length and chunked bodies, limits, bodies as raw bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from tests.testbed.errors import ArangoError
from tests.testbed.message import JSON, TEXT, Delivery, Incoming, Response, failure

MAX_HEAD = 2 << 20  # facts §7.8
MAX_BODY = 1 << 30
_SLICE = 256 << 10  # bytes written at once: what fits the processor's cache is encrypted and copied at twice the speed
_DRIP = 0.05  # seconds between the pieces of a slow answer
_PAUSE_ABOVE = 4 << 20  # pipelined bytes kept while an answer is being made
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.([01])\Z")
_HEADER_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?\Z")
_LENGTH = re.compile(r"[0-9]{1,19}\Z")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_COMMON = (  # facts §11: every answer carries these
    "server: ArangoDB\r\nconnection: {connection}\r\nx-arango-queue-time-seconds: 0.000000\r\n"
    "x-content-type-options: nosniff\r\n"
    "cache-control: no-cache, no-store, must-revalidate, pre-check=0, post-check=0, max-age=0, s-maxage=0\r\n"
    "expires: 0\r\npragma: no-cache\r\n"
    "content-security-policy: frame-ancestors 'self'; form-action 'self';\r\n"
    "strict-transport-security: max-age=31536000 ; includeSubDomains\r\n"
)
_NO_QUEUE = "0.000000"

Answer = Response | None  # None: the connection is cut instead of answered
R = TypeVar("R", bound=Incoming)
Make = Callable[[str, str, dict[str, str], bytes, str], R]  # method, target, headers, body, peer → request


@dataclass(frozen=True)
class Face:
    """What the answers of a kind of server have in common: the headers, and how bad framing is answered."""

    keep: str
    close: str
    failure: Callable[[ArangoError], Response]


ARANGODB = Face(_COMMON.format(connection="Keep-Alive"), _COMMON.format(connection="Close"), failure)


def serialise(response: Response, face: Face, *, head_only: bool, close: bool, length_error: int = 0) -> bytes:
    """Bytes of a response, in one piece or without its body; `length_error` makes its Content-Length wrong."""
    lines = [
        _STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} Unknown\r\n",
        face.close if close else face.keep,
    ]
    if response.queue_time:
        lines[1] = lines[1].replace(_NO_QUEUE, f"{response.queue_time:.6f}")
    lines += [f"{name}: {value}\r\n" for name, value in response.headers.items()]
    body = response.body
    if "content-type" not in response.headers:
        kind = response.content_type if body or response.content_type != JSON else TEXT  # as recorded
        lines.append(f"content-type: {kind}\r\n")
    framing = f"content-length: {max(0, len(body) + length_error)}"
    lines.append(f"{framing if response.stream is None else 'transfer-encoding: chunked'}\r\n\r\n")
    head = "".join(lines).encode("utf-8", "replace")
    return head if head_only else head + body


class HttpProtocol(asyncio.Protocol, Generic[R]):
    """One connection: requests, made by `make`, are answered in the order in which they came."""

    def __init__(
        self,
        make: Make[R],
        dispatch: Callable[[R], Answer | Awaitable[Answer]],
        connections: set[HttpProtocol[R]],
        face: Face = ARANGODB,
    ) -> None:
        self._make = make
        self._face = face
        self._dispatch = dispatch
        self._connections = connections
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer known to hold no end of head
        self._head: tuple[str, str, dict[str, str], bool] | None = None
        self._length: int | None = None  # None: chunked
        self._chunks: list[bytes] = []
        self._chunked_bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._closing = False
        self._writable = asyncio.Event()
        self._writable.set()
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection so that a killed server can cut it."""
        self._transport = transport  # type: ignore[assignment]
        self._connections.add(self)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if peer else ""

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; a request that is being answered runs on, as on a real server."""
        self._transport = None
        self._writable.set()
        self._connections.discard(self)

    def pause_writing(self) -> None:
        """The client reads more slowly than is written."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable.set()

    def abort(self) -> None:
        """Cut the connection without an answer."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes and run every request that is complete."""
        self._buffer += data
        if self._task is None:
            self._advance()
        elif len(self._buffer) > _PAUSE_ABOVE and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _advance(self) -> None:
        try:
            while self._task is None and not self._closing and self._transport is not None:
                request = self._next_request()
                if request is None:
                    return
                answer = self._dispatch(request)
                if isinstance(answer, Awaitable) or (answer is not None and len(answer.body) > _SLICE):
                    self._task = asyncio.ensure_future(self._finish(request, answer))
                    return
                self._send(request, answer)
        except ArangoError as error:
            self._closing = True
            self._write(serialise(self._face.failure(error), self._face, head_only=False, close=True))

    async def _finish(self, request: R, answer: Answer | Awaitable[Answer]) -> None:
        try:
            response = await answer if isinstance(answer, Awaitable) else answer
            if response is not None and response.stream is not None:
                await self._relay(response, response.stream)
            elif response is not None and response.delivery is not None:
                await self._deliver(response, response.delivery)
            elif response is not None and len(response.body) > _SLICE and request.method != "HEAD":
                await self._send_large(request, response)
            else:
                self._send(request, response)
        finally:
            self._task = None
            if self._paused and self._transport is not None:
                self._paused = False
                self._transport.resume_reading()
        self._advance()

    def _send(self, request: R, response: Answer) -> None:
        if response is None:
            self._closing = True
            self.abort()
            return
        self._closing = request.headers.get("connection", "").lower() == "close"
        head_only = request.method == "HEAD"
        self._write(serialise(response, self._face, head_only=head_only, close=self._closing))

    async def _relay(self, response: Response, stream: AsyncIterator[bytes]) -> None:
        """Send a body as it comes, until it ends or the client is gone; the connection ends with it.

        Empty pieces are not sent: with them a stream that has nothing to say finds out that nobody listens.
        """
        self._write(serialise(response, self._face, head_only=False, close=True))
        async for piece in stream:
            if self._transport is None:
                return
            if piece:
                self._write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self._closing = True
        self._write(b"0\r\n\r\n")

    async def _send_large(self, request: R, response: Response) -> None:
        """Send a large response in pieces, each when the one before has left."""
        closing = request.headers.get("connection", "").lower() == "close"
        body = memoryview(response.body)
        self._write(serialise(response, self._face, head_only=True, close=closing))
        for start in range(0, len(body), _SLICE):
            await self._writable.wait()
            self._write(body[start : start + _SLICE])
        self._closing = closing
        self._write(b"")

    async def _deliver(self, response: Response, delivery: Delivery) -> None:
        """Send a response slowly, in part, or with a wrong length; the connection ends with it."""
        self._closing = True
        data = serialise(response, self._face, head_only=False, close=False, length_error=delivery.length_error)
        if delivery.cut is not None:
            data = data[: len(data) - int(len(response.body) * (1 - delivery.cut))]
        piece = len(data) if not delivery.rate else max(1, int(delivery.rate * _DRIP))
        for start in range(0, len(data), piece):
            if self._transport is None:
                return
            self._transport.write(data[start : start + piece])
            if delivery.rate:
                await asyncio.sleep(_DRIP)
        await asyncio.sleep(delivery.stall)
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is None:
            return
        self._transport.write(data)
        if self._closing:
            self._transport.close()

    def _next_request(self) -> R | None:
        if self._head is None and not self._read_head():
            return None
        body = self._read_chunked() if self._length is None else self._read_sized(self._length)
        if body is None or self._head is None:
            return None
        method, target, headers, keep = self._head
        self._head = None
        if not keep:
            headers["connection"] = "close"
        return self._make(method, target, headers, body, self.peer)

    def _read_head(self) -> bool:
        buffer = self._buffer
        while buffer[:2] == b"\r\n":  # empty lines between requests
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if max(end, len(buffer) if end < 0 else 0) > MAX_HEAD:
            raise ArangoError(400, "headers too large", status=431)
        if end < 0:
            self._searched = len(buffer)
            return False
        head = bytes(buffer[:end])
        del buffer[: end + 4]
        self._searched = 0
        self._head, self._length = parse_head(head)
        if self._head[2].get("expect", "").lower() == "100-continue":
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _read_sized(self, length: int) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < length:
            return None
        if length == 0:
            return b""
        body = bytes(memoryview(buffer)[:length])
        del buffer[:length]
        return body

    def _read_chunked(self) -> bytes | None:
        buffer = self._buffer
        while True:
            end = buffer.find(b"\r\n")
            if end < 0:
                if len(buffer) > MAX_HEAD:
                    raise ArangoError(400, "chunk header too large")
                return None
            match = _CHUNK_LINE.match(bytes(buffer[:end]))
            if match is None:
                raise ArangoError(400, "bad chunk length")
            size = int(match.group(1), 16)
            if size == 0:
                return self._end_of_chunks(end)
            if self._chunked_bytes + size > MAX_BODY:
                raise ArangoError(413)
            start = end + 2
            if len(buffer) < start + size + 2:
                return None
            if buffer[start + size : start + size + 2] != b"\r\n":
                raise ArangoError(400, "bad chunk end")
            self._chunked_bytes += size
            self._chunks.append(bytes(memoryview(buffer)[start : start + size]))
            del buffer[: start + size + 2]

    def _end_of_chunks(self, end: int) -> bytes | None:
        """The body, when the empty line after the last chunk and its trailers has come; `end` = end of its line."""
        buffer = self._buffer
        last = buffer.find(b"\r\n\r\n", end)  # trailers are allowed and ignored
        if last < 0:
            if len(buffer) > MAX_HEAD:
                raise ArangoError(400, "headers too large", status=431)
            return None
        del buffer[: last + 4]
        body = b"".join(self._chunks)
        self._chunks, self._chunked_bytes = [], 0
        return body


def parse_head(head: bytes) -> tuple[tuple[str, str, dict[str, str], bool], int | None]:
    """Method, target, headers and keep-alive of a request head, and its body length (None = chunked)."""
    first, *lines = head.split(b"\r\n")
    match = _REQUEST_LINE.match(first)
    if match is None:
        raise ArangoError(400, "bad request line")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _HEADER_NAME.match(name):
            raise ArangoError(400, "bad header line")
        key, text = name.decode("ascii").lower(), value.strip().decode("utf-8", "replace")
        if key == "content-length" and headers.get(key, text) != text:
            raise ArangoError(400, "bad content-length")
        headers[key] = text
    connection = headers.get("connection", "").lower()
    keep = connection != "close" and (match.group(3) == b"1" or connection == "keep-alive")
    parsed = (match.group(1).decode("ascii"), match.group(2).decode("ascii", "replace"), headers, keep)
    return parsed, body_length(headers)


def body_length(headers: dict[str, str]) -> int | None:
    """Length of a request's body by its headers; None = chunked. Errors: 400, 413.

    A body framed in two ways, or in one that is not known, is refused: what follows it could not be told from it.
    """
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked" or "content-length" in headers:
            raise ArangoError(400, "bad transfer-encoding")
        return None
    text = headers.get("content-length", "0")
    if not _LENGTH.match(text):
        raise ArangoError(400, "bad content-length")
    length = int(text)
    if length > MAX_BODY:
        raise ArangoError(413)
    return length
