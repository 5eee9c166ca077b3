# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One connection: what its socket is told about time."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core import http_connection
from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline, SystemClock
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http_connection import Connection
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
