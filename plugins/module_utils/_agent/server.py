# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTPS listener: one thread per connection, everything bounded in size, number and time.

TLS is made per connection in its own thread: on the listening socket one silent client would block everybody.
"""
from __future__ import annotations

import http.server
import io
import logging
import socket
import socketserver
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from .._core.errors import CutoverError
from .connections import Connections
from .messages import Request, Response, error_response
from .tls import subject_of

LOG = logging.getLogger(__name__)
DISCARD_BYTES = 8 << 20


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and counts that bound what a client can make the agent hold."""

    connections: int = 128
    grace: float = 0.25
    streams: int = 32
    handshake: float = 5.0
    idle: float = 30.0
    request: float = 10.0
    body_bytes: int = 1 << 20
    target_bytes: int = 8192
    headers: int = 64
    header_bytes: int = 16384


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a monotonic deadline: a client that sends byte by byte does not stay longer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("the request took too long")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Parses requests of one connection and answers each with the application's response."""

    protocol_version = "HTTP/1.1"
    # Without these two, header and body leave in two packets and Nagle's algorithm adds 40 ms to each answer.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: AgentServer

    def __init__(self, request: ssl.SSLSocket, client_address: Any, server: AgentServer, name: int) -> None:
        self._name = name
        super().__init__(request, client_address, server)

    def setup(self) -> None:
        super().setup()
        self._timed = _TimedReader(self.connection)
        self.rfile = io.BufferedReader(self._timed)

    def handle_one_request(self) -> None:
        limits = self.server.limits
        self._timed.deadline = time.monotonic() + limits.idle
        self.server.connections.waiting(self._name)
        try:
            line = self.rfile.readline(limits.target_bytes + 2)
            self._timed.deadline = time.monotonic() + limits.request
            self._serve(line)
        except (OSError, ValueError) as error:
            LOG.debug("connection from %s ended: %s", self.client_address[0], error)
            self.close_connection = True

    def _serve(self, line: bytes) -> None:
        self.close_connection = True
        self.command = ""
        if not line:
            return
        if not line.endswith(b"\n"):
            self._answer(error_response(CutoverError("CUT-AGENT-17", "the request line is too long")))
            return
        self.raw_requestline = line
        if not self.parse_request():
            return
        try:
            request = self._request()
            self.server.connections.answering(self._name)
            response = self.server.application(request)
        except CutoverError as error:
            # The body may be unread: what follows on this connection would be taken for a request.
            self.close_connection = True
            self._answer(error_response(error))
            self._discard()
            return
        self._answer(response)

    def _discard(self) -> None:
        """Read what the client still sends, within bounds: closing on unread data would destroy the answer."""
        left = DISCARD_BYTES
        while left > 0:
            chunk = self.rfile.read1(65536)
            if not chunk:
                return
            left -= len(chunk)

    def handle_expect_100(self) -> bool:
        """Flush the interim answer, which the buffered writer would keep."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _request(self) -> Request:
        split = urllib.parse.urlsplit(self.path)
        pairs = urllib.parse.parse_qsl(split.query, keep_blank_values=True, max_num_fields=32)
        size = sum(len(name) + len(value) for name, value in self.headers.items())
        if len(self.headers) > self.server.limits.headers or size > self.server.limits.header_bytes:
            raise CutoverError("CUT-AGENT-17", "too many or too large header fields")
        connection = self.connection
        return Request(
            method=self.command,
            path=urllib.parse.unquote(split.path),
            query=dict(pairs),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
            peer=f"{self.client_address[0]}:{self.client_address[1]}",
            client_subject=subject_of(connection) if isinstance(connection, ssl.SSLSocket) else None,
        )

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding"):
            raise CutoverError("CUT-AGENT-16", "a body must come with Content-Length, not in chunks")
        declared = self.headers.get("content-length", "0").strip()
        if not declared.isdigit():
            raise CutoverError("CUT-AGENT-16", "Content-Length is not a number")
        length = int(declared) if len(declared) < 16 else self.server.limits.body_bytes + 1
        if length > self.server.limits.body_bytes:
            raise CutoverError(
                "CUT-AGENT-14",
                f"the body is {declared} bytes long, at most {self.server.limits.body_bytes} are taken",
                details={"limit": self.server.limits.body_bytes},
            )
        body = self.rfile.read(length)
        if len(body) != length:
            raise OSError("the connection ended inside the body")
        return body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Parsing errors of the base class, in the agent's error form."""
        self.close_connection = True
        error_code = "CUT-AGENT-17" if code in (414, 431) else "CUT-AGENT-16"
        broken = CutoverError(error_code, f"the request cannot be read: {message or explain or code}")
        self._answer(error_response(broken))

    def _answer(self, response: Response) -> None:
        self.connection.settimeout(self.server.limits.request)
        # The base class would answer a request that it could not read in the headless form of HTTP/0.9.
        self.request_version = self.protocol_version
        self.send_response_only(response.status)
        self.send_header("Content-Type", response.content_type)
        if response.stream is None:
            self.send_header("Content-Length", str(len(response.body)))
        else:
            self.close_connection = True
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()
        if response.stream is not None and self.command != "HEAD":
            self._send_stream(response.stream)

    def _send_stream(self, stream: Iterator[bytes]) -> None:
        """Until either side ends; only so many at a time, so that watchers leave connections for control."""
        if not self.server.streams.acquire(blocking=False):
            LOG.warning("refused a stream to %s: %d are open", self.client_address[0], self.server.limits.streams)
            return
        try:
            for chunk in stream:
                self.wfile.write(chunk)
                self.wfile.flush()
        finally:
            self.server.streams.release()

    def log_message(self, *_arguments: Any) -> None:
        """Nothing here: the application keeps the audit log."""


class AgentServer(socketserver.TCPServer):
    """Accepts, bounds the number of connections, and serves each in its own thread."""

    allow_reuse_address = True
    # Where new connections wait for room; a full queue would have them try again after a second.
    request_queue_size = 1024

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        application: Callable[[Request], Response],
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.application = application
        self._context = context
        self.connections = Connections(self.limits.connections, self.limits.grace)
        self.streams = threading.BoundedSemaphore(self.limits.streams)
        try:
            family = socket.getaddrinfo(address[0], address[1], type=socket.SOCK_STREAM)[0][0]
            self.address_family = family
            super().__init__(address, socketserver.BaseRequestHandler)
        except OSError as error:
            raise CutoverError(
                "CUT-AGENT-3",
                f"port {address[1]}: the agent cannot listen on {address[0]}:{address[1]}: {error.strerror or error}",
                details={"host": address[0], "port": address[1]},
            ) from error

    @property
    def port(self) -> int:
        """The port really bound (of use when 0 was asked for)."""
        return int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand the connection to a thread; when there are too many, the one that idles longest makes room for it."""
        name = self.connections.admit(request)
        if name is None:
            LOG.warning("refused a connection from %s: %d are open", client_address[0], self.limits.connections)
            self.shutdown_request(request)
            return
        thread = threading.Thread(target=self._serve, args=(request, client_address, name), name="http", daemon=True)
        thread.start()

    def _serve(self, raw: socket.socket, client_address: Any, name: int) -> None:
        connection: socket.socket = raw
        try:
            raw.settimeout(self.limits.handshake)
            secured = self._context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
            connection = secured
            self.connections.becomes(name, secured)
            secured.do_handshake()
            _Handler(secured, client_address, self, name)
        except OSError as error:
            LOG.debug("no TLS with %s: %s", client_address[0], error)
        except Exception:
            LOG.exception("serving %s failed", client_address[0])
        finally:
            self.connections.left(name)
            connection.close()

    def use(self, context: ssl.SSLContext) -> None:
        """Greet new connections with other certificates; those that are open go on."""
        self._context = context

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """A connection that could not be handed to a thread is logged, and the agent goes on."""
        LOG.exception("a connection from %s was lost", client_address)

    def close(self) -> None:
        """Stop accepting and cut what is open; the listening port is free afterwards."""
        self.connections.close()
        self.shutdown()
        self.server_close()
        self.connections.cut_all()
