# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One connection: what its socket is told about time."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core import http_connection
from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline, SystemClock
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import parse_endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http_connection import Connection
from ansible_collections.cutover.arangodb.plugins.module_utils._core.tls import client_context
from tests.unit.plugins.module_utils._core.scripted_server import answer


class ShiftedClock(SystemClock):
    """Real time plus what a test adds."""

    shift = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.shift


class TalkativeSocket(socket.socket):
    """Keeps what it is told about time."""

    def settimeout(self, value: float | None) -> None:
        self.__dict__.setdefault("told", []).append(value)
        super().settimeout(value)


def test_a_socket_is_told_its_time_only_when_that_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ShiftedClock()
    ours, theirs = socket.socketpair()
    with theirs, TalkativeSocket(fileno=ours.detach()) as sock:
        told: list[float] = sock.__dict__.setdefault("told", [])
        connection = Connection(sock)

        def exchange(deadline: Deadline) -> int:
            told.clear()
            connection.send(b"x", [], deadline)
            theirs.sendall(answer(b"abc"))
            connection.receive("GET", 100, deadline)
            return len(told)

        monkeypatch.setattr(http_connection, "_INEXACT", 3600.0)
        deadline = Deadline(100.0, clock)
        assert exchange(deadline) == 1
        assert exchange(deadline) == 0
        assert exchange(Deadline(1000.0, clock)) == 1, "another deadline"
        assert told[0] == pytest.approx(1000.0, abs=50.0)
        monkeypatch.setattr(http_connection, "_INEXACT", 0.0)
        clock.shift = 60.0
        assert exchange(deadline) >= 2, "each time"
        assert told[-1] == pytest.approx(40.0, abs=20.0)
        clock.shift = 200.0
        with pytest.raises(TimeoutError):
            exchange(deadline)


def test_the_time_on_the_way_counts_what_is_still_underway() -> None:
    """The kernel takes much at once: when the last byte is handed over, a large part may not have arrived."""
    size, unread = 2_000_000, 400_000
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock = socket.create_connection(listener.getsockname())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * unread)
        theirs = listener.accept()[0]

        def take() -> None:
            threading.Event().wait(0.05)
            left = size - unread
            while left > 0:
                left -= len(theirs.recv(min(left, 65536)))

        with theirs, sock:
            peer = threading.Thread(target=take)
            peer.start()
            began = time.monotonic()
            seconds = Connection(sock).send(b"", [bytes(size)], Deadline(60.0))
            took = time.monotonic() - began
            peer.join()
            assert seconds is not None
            assert seconds > 1.1 * took >= 0.05


@pytest.mark.parametrize("size", [0, 1000, 1_000_000])
def test_what_the_kernel_may_have_taken_at_once_says_nothing_about_the_way(size: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = threading.Thread(target=lambda: list(iter(lambda: theirs.recv(65536), b"")))
        peer.start()
        assert Connection(ours).send(b"x", [bytes(size)], Deadline(60.0)) is None
        ours.shutdown(socket.SHUT_WR)
        peer.join()


def test_a_handshake_that_comes_byte_by_byte_ends_at_the_deadline() -> None:
    """Each byte is in time, the whole never would be."""
    enough = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as theirs:
                theirs.sendall(b"\x16\x03\x03\x40\x00\x02")
                while not enough.wait(0.01):
                    theirs.sendall(b"\0")

        peer = threading.Thread(target=drip)
        peer.start()
        giving_up = threading.Timer(20, enough.set)
        giving_up.start()
        endpoint = parse_endpoint(f"https://localhost:{listener.getsockname()[1]}", "endpoint")
        with pytest.raises(TransportError, match="no answer in time"):
            http_connection.connect(endpoint, client_context(None), Deadline(0.3))
        assert not enough.is_set()
        enough.set()
        giving_up.cancel()
        peer.join()
