# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One keep-alive HTTP/1.1 connection with exact deadlines and bounded answers."""

from __future__ import annotations

import contextlib
import fcntl
import io
import select
import socket
import ssl
import struct
import termios
import time
from collections.abc import Sequence
from typing import Any, Optional, Union

from .clock import Deadline
from .endpoint import Endpoint
from .errors import TransportError
from .http_answer import Response, read_answer
from .tls_socket import TlsSocket

AnySocket = Union[socket.socket, TlsSocket]
Buffer = Union[bytes, bytearray, memoryview]
# Head and small bodies leave in one packet; what is larger is handed over in pieces, without a copy of the whole.
_COALESCE = 256 * 1024
_INEXACT = 0.05
# Less may be in the kernel's buffers as a whole, however slow the way is.
_LARGE = 1024 * 1024


def nbytes(part: Buffer) -> int:
    """Length of a buffer in bytes, whatever its items are."""
    return part.nbytes if isinstance(part, memoryview) else len(part)


class _Limit:
    """Gives the calls on a socket the time that is left until a deadline.

    To tell the socket is a call of the kernel by itself, for each 16 KB of a body: it is told again only
    when it would wait too long by more than ``_INEXACT`` seconds.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._deadline = Deadline(None)
        self._tell_at = 0.0

    def use(self, deadline: Deadline) -> None:
        """This one counts from now on."""
        if deadline is not self._deadline:
            self._deadline, self._tell_at = deadline, 0.0

    def keep(self) -> None:
        """Before a call on the socket; raises ``TimeoutError`` if there is no time left."""
        if time.monotonic() >= self._tell_at:
            limit(self._sock, self._deadline)
            self._tell_at = time.monotonic() + _INEXACT


class _Stream(io.RawIOBase):
    """The receiving side of a socket; every read gets only the time that is left until the deadline."""

    def __init__(self, sock: AnySocket, limited: _Limit) -> None:
        super().__init__()
        self._sock = sock
        self._limited = limited
        self.received = 0
        self.muted = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive once; while muted nothing is received, so that a look at the buffer does not block."""
        if self.muted:
            return 0
        self._limited.keep()
        count = self._sock.recv_into(buffer)
        self.received += count
        return count


def limit(sock: socket.socket, deadline: Deadline) -> None:
    """Give the next call on the socket the time that is left; raises ``TimeoutError`` if there is none."""
    remaining = deadline.remaining()
    if remaining <= 0:
        raise TimeoutError("deadline reached")
    sock.settimeout(None if remaining == float("inf") else remaining)


class Connection:
    """A connected socket. Not thread safe: the pool lends it to one caller at a time."""

    def __init__(
        self, sock: socket.socket, secured: Optional[TlsSocket] = None, limited: Optional[_Limit] = None
    ) -> None:
        """``secured`` = TLS over it, which waits within the same limit."""
        self._sock: AnySocket = secured or sock
        self._limited = limited or _Limit(sock)
        self._stream = _Stream(self._sock, self._limited)
        self._reader = io.BufferedReader(self._stream, 64 * 1024)
        self.idle_since = 0.0

    @property
    def received(self) -> int:
        """Bytes received since the connection was made."""
        return self._stream.received

    def is_stale(self) -> bool:
        """True if the peer has closed, or has sent something that nobody asked for."""
        self._stream.muted = True
        try:
            if self._reader.peek(1):
                return True
            if isinstance(self._sock, TlsSocket) and self._sock.pending():
                return True
            poller = select.poll()
            poller.register(self._sock, select.POLLIN | select.POLLHUP | select.POLLERR)
            return bool(poller.poll(0))
        except (OSError, ValueError):
            return True
        finally:
            self._stream.muted = False

    def send(self, head: bytes, body: Sequence[Buffer], deadline: Deadline) -> Optional[float]:
        """Send head and body, small ones in one call. Raises ``OSError``.

        Gives the seconds that the way takes for this much; None where that cannot be told, as for all that the kernel
        takes at once.
        """
        began = time.monotonic()
        pending: list[Buffer] = [head]
        size, total = len(head), 0
        for part in body:
            length = nbytes(part)
            total += length
            if size + length > _COALESCE:
                self._send_all(b"".join(pending), deadline)
                pending, size = [], 0
                if length > _COALESCE:
                    self._send_all(part, deadline)
                    continue
            pending.append(part)
            size += length
        if pending:
            self._send_all(b"".join(pending), deadline)
        return self._seconds_on_the_way(total, began)

    def _seconds_on_the_way(self, size: int, began: float) -> Optional[float]:
        if size < _LARGE:
            return None
        took = time.monotonic() - began
        try:
            (waiting,) = struct.unpack("i", fcntl.ioctl(self._sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))
        except OSError:
            return None
        # What the peer has not acknowledged yet goes at the same pace.
        return took * size / (size - waiting) if waiting < size else None

    def _send_all(self, data: Buffer, deadline: Deadline) -> None:
        self._limited.use(deadline)
        with memoryview(data) as whole, whole.cast("B") as view:
            sent = 0
            while sent < len(view):
                self._limited.keep()
                sent += self._sock.send(view[sent : sent + _COALESCE])

    def receive(self, method: str, max_body: int, deadline: Deadline) -> tuple[Response, bool]:
        """Read one answer; the second value says whether the connection can be used again.

        Raises what ``read_answer`` does.
        """
        self._limited.use(deadline)
        return read_answer(self._reader, method, max_body)

    def close(self) -> None:
        """End the connection; a thread that waits in it wakes with an error."""
        with contextlib.suppress(OSError):  # not connected any more
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def connect(endpoint: Endpoint, context: Optional[ssl.SSLContext], deadline: Deadline) -> Connection:
    """Connect and do the TLS handshake. Raises ``TransportError`` with ``outcome_unknown`` False."""
    sock = _connect_socket(endpoint, deadline)
    try:
        # Head and body may be several packets: never wait for the peer's acknowledgement in between.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if endpoint.scheme == "https":
            if context is None:
                raise ValueError("https needs a TLS context")
            limited = _Limit(sock)
            limited.use(deadline)
            secured = TlsSocket(sock, context, endpoint.host, limited.keep)
            secured.handshake()
            return Connection(sock, secured, limited)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise TransportError(
            "CUT-HTTP-2",
            f"the certificate of {endpoint.url} does not verify: {error.verify_message}",
            outcome_unknown=False,
            retriable=False,
            details={"endpoint": endpoint.url},
        ) from error
    except OSError as error:
        sock.close()
        raise _not_connected("CUT-HTTP-3", endpoint, "TLS handshake failed", error) from error
    except BaseException:
        sock.close()
        raise
    return Connection(sock)


def _connect_socket(endpoint: Endpoint, deadline: Deadline) -> socket.socket:
    try:
        addresses = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _not_connected("CUT-HTTP-10", endpoint, "the host name cannot be resolved", error) from error
    failure: OSError = OSError("no address")
    for family, kind, protocol, _name, address in addresses:
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            limit(sock, deadline)
            sock.connect(address)
        except OSError as error:
            failure = error
            if sock is not None:
                sock.close()
        else:
            return sock
    raise _not_connected("CUT-HTTP-1", endpoint, "cannot connect", failure) from failure


def _not_connected(code: str, endpoint: Endpoint, what: str, error: Exception) -> TransportError:
    return TransportError(
        code, f"{endpoint.url}: {what}: {reason(error)}", outcome_unknown=False, details={"endpoint": endpoint.url}
    )


def reason(error: BaseException) -> str:
    """A short text for what went wrong, without addresses of objects or whole records."""
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "no answer in time"
    if isinstance(error, ssl.SSLError) and error.reason:
        return str(error.reason).replace("_", " ").lower()
    text = getattr(error, "strerror", None) or str(error)
    return text[:200] if text else type(error).__name__
