# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP client of one server: a pool of keep-alive connections and a precise word on what may have been processed."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from typing import Callable, Optional, Union

from .clock import SYSTEM_CLOCK, Clock, Deadline
from .endpoint import Endpoint
from .errors import CutoverError, TransportError
from .http_answer import AnswerGarbledError, AnswerIncompleteError, AnswerTooLargeError, Response
from .http_connection import Buffer, Connection, connect, nbytes, reason

DEFAULT_MAX_BODY = 64 * 1024 * 1024
_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# A peer may close an idle connection at the very moment of the next request. Requests that cannot be repeated
# therefore take only connections used a moment ago.
_MAX_IDLE = 30.0
_MAX_IDLE_ONCE = 3.0

__all__ = ["DEFAULT_MAX_BODY", "Buffer", "HttpClient", "Response"]


class HttpClient:
    """Sends requests to one endpoint. Thread safe; every request has a connection of its own while it runs.

    ``authorization`` gives the Authorization header's value for each request. ``pool`` is how many idle connections
    are kept. Time-outs are seconds: ``connect_timeout`` for TCP and TLS together, ``timeout`` for the whole of
    sending and answering.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        context: Optional[ssl.SSLContext] = None,
        authorization: Optional[Callable[[], str]] = None,
        pool: int = 8,
        connect_timeout: float = 10.0,
        timeout: float = 60.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if endpoint.scheme == "https" and context is None:
            raise ValueError("https needs a TLS context")
        self.endpoint = endpoint
        self._context = context
        self._authorization = authorization
        self._pool = pool
        self._connect_timeout = connect_timeout
        self._timeout = timeout
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._closed = False

    def trust(self, context: ssl.SSLContext) -> None:
        """Verify every further connection with another context; idle ones made with the old one are ended."""
        with self._lock:
            self._context = context
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def request(
        self,
        method: str,
        target: str,
        *,
        body: Union[Buffer, Sequence[Buffer]] = b"",
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
        max_body: int = DEFAULT_MAX_BODY,
        idempotent: Optional[bool] = None,
    ) -> Response:
        """One request and its answer, whatever its status.

        ``target`` is path and query, already encoded. ``idempotent`` (default: by method) allows one repetition when
        a kept connection turns out to be closed. Raises ``TransportError``.
        """
        repeatable = method in _IDEMPOTENT_METHODS if idempotent is None else idempotent
        parts: Sequence[Buffer] = [body] if isinstance(body, (bytes, bytearray, memoryview)) else body
        head = self._head(method, target, parts, headers or {})
        deadline = Deadline(self._timeout if timeout is None else timeout, self._clock)
        connection = self._take(_MAX_IDLE if repeatable else _MAX_IDLE_ONCE)
        if connection is not None:
            before = connection.received
            try:
                return self._exchange(connection, method, target, head, parts, max_body, deadline)
            except TransportError:
                if not repeatable or connection.received > before or deadline.expired or self._closed:
                    raise
        fresh = self._connect(deadline)
        return self._exchange(fresh, method, target, head, parts, max_body, deadline)

    def close(self) -> None:
        """Close every connection, also those in use: their callers get a ``TransportError``."""
        with self._lock:
            self._closed = True
            connections = [*self._idle, *self._busy]
            self._idle.clear()
        for connection in connections:
            connection.close()

    def _head(self, method: str, target: str, parts: Sequence[Buffer], headers: Mapping[str, str]) -> bytes:
        length = sum(nbytes(part) for part in parts)
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.endpoint.origin}"]
        if self._authorization is not None:
            lines.append(f"Authorization: {self._authorization()}")
        if length or method not in _IDEMPOTENT_METHODS:
            lines.append(f"Content-Length: {length}")
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        if any(character in line for line in lines for character in "\r\n\0") or " " in target or " " in method:
            raise self._not_sendable(f"{method}: control characters or blanks in target or headers")
        try:
            return "\r\n".join([*lines, "", ""]).encode("ascii")
        except UnicodeEncodeError as error:
            raise self._not_sendable(f"{method}: target or headers are not plain ASCII") from error

    def _not_sendable(self, message: str) -> CutoverError:
        return CutoverError("CUT-HTTP-7", f"{self.endpoint.url}: {message}")

    def _take(self, max_idle: float) -> Optional[Connection]:
        """The connection used last, if it is fresh enough; those that are not are closed."""
        now = self._clock.monotonic()
        with self._lock:
            if self._closed:
                raise self._lost("CUT-HTTP-8", "the client is closed", sent=False)
            old = [one for one in self._idle if now - one.idle_since > _MAX_IDLE]
            self._idle = [one for one in self._idle if now - one.idle_since <= _MAX_IDLE]
            taken = self._idle.pop() if self._idle and now - self._idle[-1].idle_since <= max_idle else None
            if taken is not None:
                self._busy.add(taken)
        for connection in old:
            connection.close()
        if taken is not None and taken.is_stale():
            self._drop(taken)
            return None
        return taken

    def _connect(self, deadline: Deadline) -> Connection:
        connection = connect(self.endpoint, self._context, deadline.within(self._connect_timeout))
        with self._lock:
            closed = self._closed
            if not closed:
                self._busy.add(connection)
        if closed:
            connection.close()
            raise self._lost("CUT-HTTP-8", "the client is closed", sent=False)
        return connection

    def _give_back(self, connection: Connection) -> None:
        connection.idle_since = self._clock.monotonic()
        with self._lock:
            self._busy.discard(connection)
            keep = not self._closed and len(self._idle) < self._pool
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    def _drop(self, connection: Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
        connection.close()

    def _exchange(
        self,
        connection: Connection,
        method: str,
        target: str,
        head: bytes,
        parts: Sequence[Buffer],
        max_body: int,
        deadline: Deadline,
    ) -> Response:
        """Send and receive on one connection, which is given back or closed whatever happens."""
        reusable = False
        where = f"{method} {target.partition('?')[0]}"
        try:
            sending, unsent = _send(connection, head, parts, deadline)
            response, reusable = connection.receive(method, max_body, deadline)
            if unsent is not None:
                reusable = False
                if response.status < 400:
                    raise unsent
            return Response(response.status, response.headers, response.body, sending)
        except AnswerTooLargeError as error:
            raise self._lost("CUT-HTTP-6", f"{where}: {error}", retriable=False) from error
        except (TimeoutError, socket.timeout) as error:
            raise self._lost("CUT-HTTP-5", f"{where}: no answer in time") from error
        except (AnswerIncompleteError, OSError) as error:
            raise self._broken(where, error) from error
        except AnswerGarbledError as error:
            raise self._lost("CUT-HTTP-9", f"{where}: {error}") from error
        finally:
            if reusable:
                self._give_back(connection)
            else:
                self._drop(connection)

    def _broken(self, where: str, error: Exception) -> TransportError:
        if self._closed:
            return self._lost("CUT-HTTP-8", f"{where}: the client was closed")
        return self._lost("CUT-HTTP-4", f"{where}: {reason(error)}")

    def _lost(self, code: str, message: str, *, sent: bool = True, retriable: bool = True) -> TransportError:
        return TransportError(
            code,
            f"{self.endpoint.url}: {message}",
            outcome_unknown=sent,
            retriable=retriable,
            details={"endpoint": self.endpoint.url},
        )


def _send(
    connection: Connection, head: bytes, parts: Sequence[Buffer], deadline: Deadline
) -> tuple[Optional[float], Optional[OSError]]:
    """Send; a peer that stopped reading may have answered already (413 of a front-end), so its error is returned."""
    try:
        return connection.send(head, parts, deadline), None
    except (BrokenPipeError, ConnectionResetError) as error:
        return None, error
