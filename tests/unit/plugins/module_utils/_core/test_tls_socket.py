# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS by way of memory, against the standard library's server side and against OpenSSL's own."""

from __future__ import annotations

import contextlib
import random
import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from ansible_collections.cutover.arangodb.plugins.module_utils._core.tls_socket import TlsSocket

_AUTHORITY = trustme.CA()
_IDENTITY = _AUTHORITY.issue_cert("localhost")
Serve = Callable[[ssl.SSLSocket], None]


def client(authority: trustme.CA = _AUTHORITY) -> ssl.SSLContext:
    """A context that trusts an authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@contextlib.contextmanager
def served(serve: Serve, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Iterator[tuple[socket.socket, list[str]]]:
    """A connected socket whose other end does TLS and then this; and what went wrong there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    _IDENTITY.configure_cert(context)
    errors: list[str] = []

    def run() -> None:
        raw = listener.accept()[0]
        try:
            with context.wrap_socket(raw, server_side=True) as theirs:
                serve(theirs)
        except OSError as error:
            errors.append(str(error))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        with socket.create_connection(listener.getsockname()) as sock:
            sock.settimeout(20)
            yield sock, errors
        thread.join(20)


def nothing(theirs: ssl.SSLSocket) -> None:
    """The handshake was all."""


def connected(sock: socket.socket) -> TlsSocket:
    """After the handshake."""
    secured = TlsSocket(sock, client(), "localhost")
    secured.handshake()
    return secured


def received(secured: TlsSocket, size: int, draw: random.Random) -> bytes:
    """So many bytes, by buffers of all sizes."""
    found = bytearray()
    while len(found) < size:
        buffer = bytearray(draw.choice((1, 5, 1000, 16 * 1024, 100_000, 1_000_000)))
        count = secured.recv_into(buffer)
        assert count, f"the end after {len(found)} of {size} bytes"
        found += buffer[:count]
    return bytes(found)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_large_and_small_pieces_arrive_as_they_were_sent(version: ssl.TLSVersion) -> None:
    draw = random.Random(5)
    sizes = [1, 7, 16 * 1024, 300_000, 5_000_000, 2]

    def echo(theirs: ssl.SSLSocket) -> None:
        for size in sizes:
            body = bytearray()
            while len(body) < size:
                body += theirs.recv(size - len(body))
            theirs.sendall(body)

    with served(echo, version) as (sock, errors):
        secured = connected(sock)
        for size in sizes:
            body, sent = memoryview(draw.randbytes(size)), 0
            while sent < size:
                count = secured.send(body[sent:])
                assert 0 < count <= 256 * 1024
                sent += count
            assert received(secured, size, draw) == body
        assert secured.pending() == 0
        assert secured.recv_into(bytearray(10)) == 0
    assert errors == []


def test_an_unknown_authority_is_refused_and_the_server_is_told() -> None:
    with served(nothing) as (sock, errors), pytest.raises(ssl.SSLCertVerificationError):
        TlsSocket(sock, client(trustme.CA()), "localhost").handshake()
    assert "unknown ca" in errors[0].lower()


def test_another_name_is_refused() -> None:
    with served(nothing) as (sock, _errors), pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        TlsSocket(sock, client(), "elsewhere").handshake()


def test_a_peer_without_tls_is_an_error() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(ssl.SSLError):
            TlsSocket(ours, client(), "localhost").handshake()


def test_a_peer_that_ends_in_the_handshake_is_an_error() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        with pytest.raises(OSError):
            TlsSocket(ours, client(), "localhost").handshake()


@pytest.mark.parametrize("polite", [True, False])
def test_the_end_is_seen_with_and_without_a_farewell(polite: bool) -> None:
    def serve(theirs: ssl.SSLSocket) -> None:
        theirs.sendall(b"abc")
        if polite:
            theirs.setblocking(False)
            with contextlib.suppress(ssl.SSLWantReadError):
                theirs.unwrap()

    with served(serve) as (sock, _errors):
        secured = connected(sock)
        buffer = bytearray(100)
        assert secured.recv_into(buffer) == 3
        assert [secured.recv_into(buffer) for _time in range(2)] == [0, 0]


def cut(record: bytes) -> bytes:
    """Half of it."""
    return record[: len(record) // 2]


def changed(record: bytes) -> bytes:
    """Another last byte."""
    return record[:-1] + bytes([record[-1] ^ 1])


@pytest.mark.parametrize("spoil", [cut, changed])
def test_a_record_that_was_cut_or_changed_is_no_data(spoil: Callable[[bytes], bytes]) -> None:
    """Neither bytes that never were sent nor a half of a record reach the caller."""
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _IDENTITY.configure_cert(context)
    server = context.wrap_bio(came, goes, server_side=True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        secured = TlsSocket(ours, client(), "localhost")
        thread = threading.Thread(target=secured.handshake)
        thread.start()
        while thread.is_alive() or not server.version():
            try:
                came.write(theirs.recv(65536))
                server.do_handshake()
                theirs.sendall(goes.read())
                thread.join(20)
            except ssl.SSLWantReadError:
                theirs.sendall(goes.read())
        server.write(b"x" * 10_000)
        theirs.sendall(spoil(goes.read()))
        theirs.shutdown(socket.SHUT_WR)
        buffer = bytearray(20_000)
        if spoil is cut:
            assert secured.recv_into(buffer) == 0
        else:
            with pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):
                secured.recv_into(buffer)
        assert not any(buffer)


def test_time_is_over_and_another_thread_may_end_it() -> None:
    done = threading.Event()

    def wait_for_the_end(theirs: ssl.SSLSocket) -> None:
        done.wait(20)

    with served(wait_for_the_end) as (sock, _errors):
        secured = connected(sock)
        sock.settimeout(0.05)
        with pytest.raises(OSError, match="timed out"):
            secured.recv_into(bytearray(10))
        sock.settimeout(None)
        ended: list[object] = []

        def wait() -> None:
            try:
                ended.append(secured.recv_into(bytearray(10)))
            except OSError as error:
                ended.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
        secured.shutdown(socket.SHUT_RDWR)
        waiting.join(20)
        assert len(ended) == 1
        done.set()


def test_what_nobody_asked_for_is_pending() -> None:
    with served(lambda theirs: theirs.sendall(b"abc" * 10_000)) as (sock, _errors):
        secured = connected(sock)
        assert secured.recv_into(bytearray(1)) == 1
        assert secured.pending() > 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_keys_change_whenever_the_server_wants(tmp_path: Path) -> None:
    """A server that asks for new keys (TLS 1.3, K) is answered in between."""
    (tmp_path / "both.pem").write_bytes(_IDENTITY.private_key_and_cert_chain_pem.bytes())
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(tmp_path / "both.pem")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
    )
    assert server.stdin is not None and server.stdout is not None
    try:
        port = next(int(line.rpartition(":")[2]) for line in server.stdout if line.startswith("ACCEPT"))
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.settimeout(20)
            secured = connected(sock)
            for text in ("one\n", "two\n", "three\n"):
                if text != "one\n":  # which came behind the tickets of the session
                    server.stdin.write("K\n")
                    assert select.select([secured], [], [], 20)[0], "the server asks for new keys"
                server.stdin.write(text)
                assert received(secured, len(text), random.Random(1)) == text.encode()
                assert secured.send(memoryview(text.encode())) == len(text)
                assert any(text.strip() == line.strip() for line in iter(server.stdout.readline, ""))
    finally:
        server.kill()
        server.wait()
