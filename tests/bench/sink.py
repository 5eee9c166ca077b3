# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A coordinator that stands before an emulated one and throws the large bodies of ``restore-data`` away.

Storing documents takes the emulator several times as long as sending them takes anybody, and what is measured is the
sending. Everything else, and the small bodies whose effect the agent looks at, are the emulator's.

``python -m tests.bench.sink KEYFILE URL CA`` prints its own address, and serves until its standard input ends.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from tests.controller.serving import served
from tests.testbed.launch import TestCluster

_KEPT = 64 * 1024  # bytes
_AT_ONCE = 1 << 20  # bytes
_RECEIVED = "/received"
_DONE = b'{"error":false,"code":200,"result":true}'
_OF_ONE_WAY = ("connection", "keep-alive", "transfer-encoding", "content-length")


class Sink:
    """A context manager: the process, with its ``url`` and ``pid``."""

    def __init__(self, cluster: TestCluster) -> None:
        order = [str(cluster.ca_path.with_name("server.keyfile")), cluster.coordinators[0], str(cluster.ca_path)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sink", *order], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.url = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not self.url:
            raise RuntimeError("the sink did not start")
        self._context = ssl.create_default_context(cafile=str(cluster.ca_path))

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def received(self) -> int:
        """Bytes that it has thrown away so far, as they were sent."""
        connection = http.client.HTTPSConnection(urlsplit(self.url).netloc, context=self._context, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", _RECEIVED)
            return int(connection.getresponse().read())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: tuple[str, int, ssl.SSLContext]
    _connection: http.client.HTTPSConnection | None = None
    _wakes_at = 1
    _counting = threading.Lock()
    _received = 0

    def handle(self) -> None:
        """Clients that are stopped leave their connections as they are."""
        with contextlib.suppress(OSError):
            super().handle()

    def _serve(self) -> None:
        if self.path == _RECEIVED:
            self._reply(200, [], str(_Handler._received).encode())
            return
        length = int(self.headers.get("content-length", 0))
        if length > _KEPT and urlsplit(self.path).path.endswith("/_api/replication/restore-data"):
            self._discard(length)
            with self._counting:
                _Handler._received += length
            self._reply(200, [("content-type", "application/json")], _DONE)
            return
        answer, body = self._forward(self.rfile.read(length))
        self._reply(answer.status, answer.getheaders(), body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  (names of http.server)

    def _discard(self, length: int) -> None:
        buffer = memoryview(bytearray(_AT_ONCE))
        while length:
            # Who is woken for each packet has the sender pay for it; near the end there may be no more to come.
            self._sleep_until(_KEPT if length > _AT_ONCE else 1)
            count = self.rfile.readinto1(buffer[:length])
            if not count:
                raise ConnectionError("the body broke off")
            length -= count

    def _sleep_until(self, size: int) -> None:
        """Wake when so many bytes are there."""
        if size != self._wakes_at:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
            self._wakes_at = size

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        if self._connection is None:
            host, port, context = self.upstream
            self._connection = http.client.HTTPSConnection(host, port, context=context, timeout=120)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_WAY}
        self._connection.request(self.command, self.path, body or None, headers)
        answer = self._connection.getresponse()
        return answer, answer.read()

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in (*_OF_ONE_WAY, "server", "date"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """A benchmark has no use for a log of requests."""


def main(keyfile: str, url: str, ca: str) -> None:
    """Serve until standard input ends."""
    parts = urlsplit(url)
    _Handler.upstream = (parts.hostname or "", parts.port or 443, ssl.create_default_context(cafile=ca))
    with served(_Handler, Path(keyfile)) as own:
        sys.stdout.write(f"{own}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
