# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many connections are open, and which one goes when another comes: slow clients never keep quick ones out."""
from __future__ import annotations

import itertools
import logging
import socket
import threading
import time
from dataclasses import dataclass

LOG = logging.getLogger(__name__)


@dataclass
class _Open:
    """One connection; ``since`` when it is waited for, None while a request is being answered."""

    socket: socket.socket
    since: float | None


class Connections:
    """A bounded set. Thread safe.

    When it is full, the connection that has let us wait longest for its handshake or request is cut for the new one:
    so whoever sends a request at once is always served, however many others only hold a connection. Each is left
    ``grace`` seconds, during which the new one waits: a burst of others does not cut who came just before it.
    """

    def __init__(self, most: int, grace: float) -> None:
        self._most, self._grace = most, grace
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._open: dict[int, _Open] = {}
        self._names = itertools.count()
        self._closed = False

    def admit(self, connection: socket.socket) -> int | None:
        """A name for the new connection; None when all others are being answered right now, or when it is closed."""
        with self._lock:
            while len(self._open) >= self._most and not self._closed:
                waited = [(entry.since, name) for name, entry in self._open.items() if entry.since is not None]
                if not waited:
                    return None
                since, oldest = min(waited)
                left = since + self._grace - time.monotonic()
                if left <= 0:
                    _cut(self._open.pop(oldest).socket)
                else:
                    self._room.wait(left)
            if self._closed:
                return None
            name = next(self._names)
            self._open[name] = _Open(connection, time.monotonic())
            return name

    def becomes(self, name: int, connection: socket.socket) -> None:
        """The connection goes on as this socket (TLS)."""
        with self._lock:
            entry = self._open.get(name)
            if entry is not None:
                entry.socket = connection
                return
        _cut(connection)

    def answering(self, name: int) -> None:
        """Its request is complete: it is not cut any more."""
        with self._lock:
            if name in self._open:
                self._open[name].since = None

    def waiting(self, name: int) -> None:
        """Its answer is sent: the next request is waited for."""
        with self._lock:
            if name in self._open:
                self._open[name].since = time.monotonic()

    def left(self, name: int) -> None:
        """It has ended."""
        with self._lock:
            self._open.pop(name, None)
            self._room.notify()

    def close(self) -> None:
        """Admit nobody any more."""
        with self._lock:
            self._closed = True
            self._room.notify()

    def cut_all(self) -> None:
        """End all of them."""
        with self._lock:
            remaining = list(self._open.values())
        for entry in remaining:
            _cut(entry.socket)


def _cut(connection: socket.socket) -> None:
    """Shut the transport down under whoever reads; the TLS object belongs to its own thread."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError as error:
        LOG.debug("a connection was gone already: %s", error)
