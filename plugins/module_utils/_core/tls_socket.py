# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The client's side of TLS over a connected socket, with few calls of the kernel (docs/performance.md).

``ssl.SSLSocket`` makes two of them for each record of 16 KB that it receives, and one for each that it sends. Here they
move what is there, up to 256 KiB, and the records are made and read in memory.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Any, Callable

# A connection with small answers only never needs more memory than this; it doubles while it is filled.
_LEAST = 16 * 1024
_MOST = 256 * 1024


class TlsSocket:
    """What ``Connection`` needs of a socket. Not thread safe, but another thread may ``shutdown`` it.

    Time-outs are the socket's, for each call of the kernel; ``before_waiting`` is called before each that waits for the
    peer, as a peer may send a record byte by byte. Raises ``OSError``, of which ``ssl.SSLError`` is one.
    """

    def __init__(
        self, sock: socket.socket, context: ssl.SSLContext, host: str, before_waiting: Callable[[], object] = bool
    ) -> None:
        self._sock = sock
        self._before_waiting = before_waiting
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=host)
        # Encrypted bytes on their way from the kernel; used again and again, as new memory for each call is dear.
        self._inbox = bytearray(_LEAST)
        self.fileno = sock.fileno
        self.shutdown = sock.shutdown
        self.close = sock.close

    def handshake(self) -> None:
        """Agree on keys and verify the peer. Raises ``ssl.SSLCertVerificationError`` and other ``OSError``."""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._fill()
            except ssl.SSLError:
                with contextlib.suppress(OSError):  # the alert, which tells the peer why
                    self._flush()
                raise
        self._flush()

    def recv_into(self, buffer: Any) -> int:
        """Receive into a buffer that is not empty what is there, at least a byte; 0 = the peer sends no more."""
        view = memoryview(buffer)
        size, filled = len(view), 0
        read = self._tls.read
        while filled < size:
            try:
                count = read(size - filled, view[filled:])
            except ssl.SSLWantReadError:
                if filled:
                    break
                self._fill()
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                # An end without TLS's own is common. HTTP knows whether something is missing.
                break
            if not count:
                break
            filled += int(count)
        return filled

    def send(self, data: memoryview) -> int:
        """Send the beginning of something, and tell how much that was; what comes back must be whole."""
        while True:
            try:
                sent = self._tls.write(data[:_MOST])
                break
            except ssl.SSLWantReadError:
                self._fill()
        self._flush()
        return sent

    def pending(self) -> int:
        """Bytes that came and were not asked for yet, encrypted or not."""
        return self._tls.pending() + self._came.pending

    def _flush(self) -> None:
        data = self._goes.read()
        if data:
            self._sock.sendall(data)

    def _fill(self) -> None:
        """Wait for more, when all that the peer may wait for is sent."""
        self._flush()
        self._before_waiting()
        count = self._sock.recv_into(self._inbox)
        if not count:
            self._came.write_eof()
            return
        with memoryview(self._inbox) as view:
            self._came.write(view[:count])
        if count == len(self._inbox) < _MOST:
            self._inbox = bytearray(2 * count)
