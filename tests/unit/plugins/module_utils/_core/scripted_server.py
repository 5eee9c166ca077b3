# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small threaded server that answers with exact bytes, for tests of what a network can do to a client."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Request:
    """What arrived, and on which connection (counted from 0) as its how manieth request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    number: int
    reads: int


@dataclass
class Reply:
    """What to do: send ``raw`` piece by piece with ``pause`` between, then keep, or close, the connection."""

    raw: bytes | list[bytes] = b""
    close: bool = False
    pause: float = 0.0
    hold: threading.Event | None = None


def answer(body: bytes = b"{}", status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """A plain answer with length."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class ScriptedServer:
    """Context manager; ``script`` decides for each request."""

    script: Callable[[Request], Reply]
    context: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> ScriptedServer:
        self._stop = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._thread.join(5)

    def cut_all(self) -> None:
        """Close every open connection from this side."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            number, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, connection: int) -> None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                sock = self.context.wrap_socket(sock, server_side=True)
            self._open.append(sock)
            number = 0
            while (request := _read(sock, connection, number)) is not None:
                self.requests.append(request)
                reply = self.script(request)
                pieces = [reply.raw] if isinstance(reply.raw, bytes) else reply.raw
                for index, piece in enumerate(pieces):
                    if index and self._stop.wait(reply.pause):
                        return
                    sock.sendall(piece)
                if reply.hold is not None:
                    reply.hold.wait(10)
                if reply.close:
                    break
                number += 1
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def _read(sock: socket.socket, connection: int, number: int) -> Request | None:
    data = b""
    reads = 0
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return None
        reads += 1
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        piece = sock.recv(65536)
        if not piece:
            return None
        reads += 1
        body += piece
    method, target, _version = first.split(" ")
    return Request(method, target, headers, body, connection, number, reads)
