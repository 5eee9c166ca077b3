# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clients that hold connections by saying as little as they can, and come again when they are cut."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

KINDS = ("silent", "hello", "half-open", "half-open with certificate", "request", "request with certificate")
_REQUEST = b"GET /v1/migration HTTP/1.1\r\nX: " + b"a" * 4000
_PATIENCE = 20.0
_BETWEEN_BYTES = 0.5
# Slow, not many: who is cut waits before coming again, so that it is no flood of handshakes.
_BETWEEN_VISITS = 5.0


class _Tls:
    """The client's side of TLS apart from its socket, so that a handshake can be left in the middle."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._from_server, self._to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._from_server, self._to_server, server_hostname="127.0.0.1")

    def hello(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._to_server.read()

    def rest(self, raw: socket.socket) -> bytes:
        """What is left to be said after the server's part, with the client's certificate if there is one."""
        while True:
            self._from_server.write(raw.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
                return self._to_server.read()

    def record(self, content: bytes) -> bytes:
        self._tls.write(content)
        return self._to_server.read()


def _open(port: int, kind: str, context: ssl.SSLContext) -> tuple[socket.socket, Iterator[bytes]]:
    """A connection as far as its kind goes at once, and what it says later, piece by piece."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
    if kind == "silent":
        return raw, iter(())
    tls = _Tls(context)
    hello = tls.hello()
    if kind == "hello":
        return raw, (hello[at : at + 1] for at in range(len(hello)))
    raw.sendall(hello)
    rest = tls.rest(raw)
    if kind.startswith("half-open"):
        return raw, (rest[at : at + 1] for at in range(len(rest)))
    raw.sendall(rest)
    return raw, (tls.record(_REQUEST[at : at + 1]) for at in range(len(_REQUEST)))


class SlowClients:
    """A context manager: while it lasts, ``count`` connections of all kinds are open or come again."""

    def __init__(self, port: int, ca_path: Path, client_keyfile: Path, count: int = 500) -> None:
        self._port, self._count = port, count
        self._plain = ssl.create_default_context(cafile=str(ca_path))
        self._certified = ssl.create_default_context(cafile=str(ca_path))
        self._certified.load_cert_chain(str(client_keyfile))
        self._held: dict[int, tuple[socket.socket, Iterator[bytes]]] = {}
        self._came = [-_BETWEEN_VISITS] * count
        self._end = threading.Event()
        self._all_open = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.opened = dict.fromkeys(KINDS, 0)

    def __enter__(self) -> SlowClients:
        """Returns when each of them has been open once."""
        self._thread.start()
        assert self._all_open.wait(_PATIENCE * 10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(_PATIENCE * 2)
        for raw, _pieces in self._held.values():
            raw.close()

    def _run(self) -> None:
        while not self._end.is_set():
            for number, kind in zip(range(self._count), itertools.cycle(KINDS)):
                if not self._goes_on(number) and time.monotonic() - self._came[number] > _BETWEEN_VISITS:
                    self._came[number] = time.monotonic()
                    self._begin(number, kind)
                if self._end.is_set():
                    return
            self._all_open.set()
            self._end.wait(_BETWEEN_BYTES)

    def _begin(self, number: int, kind: str) -> None:
        context = self._certified if kind.endswith("certificate") else self._plain
        with contextlib.suppress(OSError):
            self._held[number] = _open(self._port, kind, context)
            self._held[number][0].setblocking(False)
            self.opened[kind] += 1

    def _goes_on(self, number: int) -> bool:
        """Say the next piece; False when there is no connection, or when the agent has ended it."""
        if number not in self._held:
            return False
        raw, pieces = self._held[number]
        try:
            raw.sendall(next(pieces, b""))
            while raw.recv(65536):
                continue
        except BlockingIOError:
            return True
        except OSError:
            pass
        raw.close()
        del self._held[number]
        return False
