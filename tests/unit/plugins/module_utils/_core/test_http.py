# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTP client against a server that loses, cuts and garbles answers."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SystemClock
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import parse_endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import HttpClient
from ansible_collections.cutover.arangodb.plugins.module_utils._core.tls import client_context
from tests.unit.plugins.module_utils._core.scripted_server import Reply, Request, ScriptedServer, answer

Script = Callable[[Request], Reply]


class ShiftedClock(SystemClock):
    """Real time plus what a test adds."""

    shift = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.shift


def client(server: ScriptedServer, **options: object) -> HttpClient:
    options.setdefault("timeout", 3.0)
    return HttpClient(parse_endpoint(server.url, "source_endpoints"), **options)  # type: ignore[arg-type]


def always(reply: bytes, **options: object) -> Script:
    return lambda _request: Reply(reply, **options)  # type: ignore[arg-type]


def test_request_and_answer_with_headers_and_authorization() -> None:
    with ScriptedServer(always(answer(b"abc", 201, {"X-Arango-Queue-Time-Seconds": "0.25"}))) as server:
        http = client(server, authorization=lambda: "bearer t")
        response = http.request("POST", "/_api/x?a=1", body=[b"one ", memoryview(b"two")], headers={"X-A": "b"})
    assert (response.status, response.body, response.queue_time) == (201, b"abc", 0.25)
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/_api/x?a=1", b"one two")
    assert request.headers["authorization"] == "bearer t"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["x-a"] == "b"


def test_head_and_small_body_leave_in_one_packet_and_are_quick() -> None:
    with ScriptedServer(always(answer())) as server:
        http = client(server)
        start = time.monotonic()
        for _ in range(50):
            http.request("POST", "/", body=[b"x" * 10] * 20)
        elapsed = time.monotonic() - start
    assert {request.reads for request in server.requests} == {1}
    assert server.connections == 1
    assert elapsed < 2.0


def test_large_bodies_arrive_unchanged_in_both_directions() -> None:
    body = bytes(range(256)) * 20_000
    with ScriptedServer(lambda request: Reply(answer(request.body))) as server:
        response = client(server, timeout=20.0).request("PUT", "/", body=[body[:7], body[7:300_000], body[300_000:]])
    assert response.body == body


def test_chunked_answers_are_read() -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    with ScriptedServer(always(raw)) as server:
        http = client(server)
        assert [http.request("GET", "/").body for _ in range(2)] == [b"abcdefg"] * 2
    assert server.connections == 1


def test_204_and_head_have_no_body_and_keep_the_connection() -> None:
    raws = {"GET": b"HTTP/1.1 204 No Content\r\n\r\n", "HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}
    with ScriptedServer(lambda request: Reply(raws[request.method])) as server:
        http = client(server)
        assert http.request("GET", "/").body == b""
        assert http.request("HEAD", "/").body == b""
        assert http.request("GET", "/").status == 204
    assert server.connections == 1


def test_repeated_headers_are_joined() -> None:
    raw = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n"
    with ScriptedServer(always(raw)) as server:
        assert client(server).request("GET", "/").headers["x-a"] == "1, 2"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_cut_in_its_body_is_an_unknown_outcome(method: str) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"
    with ScriptedServer(always(raw, close=True)) as server, pytest.raises(TransportError) as caught:
        client(server).request(method, "/x")
    assert caught.value.code == "CUT-HTTP-4"
    assert caught.value.outcome_unknown
    assert "9 of 100" in caught.value.message
    assert len(server.requests) == 1


def test_a_cut_chunked_answer_is_an_unknown_outcome() -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    with ScriptedServer(always(raw, close=True)) as server, pytest.raises(TransportError) as caught:
        client(server).request("POST", "/x")
    assert (caught.value.code, caught.value.outcome_unknown) == ("CUT-HTTP-4", True)


def test_a_cut_head_is_an_unknown_outcome() -> None:
    with ScriptedServer(always(b"HTTP/1.1 200", close=True)) as server, pytest.raises(TransportError) as caught:
        client(server).request("POST", "/x")
    assert caught.value.outcome_unknown


def test_a_success_without_a_marked_end_is_refused_but_an_old_proxys_error_page_is_taken() -> None:
    def script(request: Request) -> Reply:
        status = request.target[1:]
        return Reply(f"HTTP/1.0 {status} X\r\nContent-Type: text/html\r\n\r\n<html>".encode(), close=True)

    with ScriptedServer(script) as server:
        http = client(server)
        with pytest.raises(TransportError) as caught:
            http.request("POST", "/200")
        assert caught.value.outcome_unknown
        assert http.request("POST", "/503").body == b"<html>"


def test_more_bytes_than_announced_never_become_the_next_answer() -> None:
    def script(request: Request) -> Reply:
        extra = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        return Reply(answer(b"good") + (extra if request.connection == 0 else b""))

    with ScriptedServer(script) as server:
        http = client(server)
        assert [http.request("POST", "/").body for _ in range(3)] == [b"good"] * 3
    assert server.connections == 2


def test_an_answer_over_the_limit_is_refused_before_it_is_read() -> None:
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ff\r\n" + b"x" * 255 + b"\r\n0\r\n\r\n"
    for raw in (huge, chunks):
        with ScriptedServer(always(raw)) as server, pytest.raises(TransportError) as caught:
            client(server).request("GET", "/", max_body=200)
        assert caught.value.code == "CUT-HTTP-6"
        assert not caught.value.retriable


def test_no_answer_in_time() -> None:
    hold = threading.Event()
    with ScriptedServer(always(b"", hold=hold)) as server, pytest.raises(TransportError) as caught:
        start = time.monotonic()
        client(server).request("POST", "/slow", timeout=0.3)
    hold.set()
    assert (caught.value.code, caught.value.outcome_unknown) == ("CUT-HTTP-5", True)
    assert time.monotonic() - start < 3


def test_a_trickling_answer_cannot_outlast_the_deadline() -> None:
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"] + [b"x"] * 100
    with ScriptedServer(always(pieces, pause=0.05)) as server, pytest.raises(TransportError) as caught:  # type: ignore[arg-type]
        client(server).request("GET", "/", timeout=0.5)
    assert caught.value.code == "CUT-HTTP-5"


def test_nothing_listens_means_certainly_not_processed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TransportError) as caught:
        HttpClient(parse_endpoint(f"http://127.0.0.1:{port}", "x")).request("POST", "/")
    assert (caught.value.code, caught.value.outcome_unknown) == ("CUT-HTTP-1", False)
    assert f"127.0.0.1:{port}" in caught.value.message


def test_a_host_name_that_does_not_exist() -> None:
    with pytest.raises(TransportError) as caught:
        HttpClient(parse_endpoint("http://no-such-host.invalid:8529", "x")).request("GET", "/")
    assert (caught.value.code, caught.value.outcome_unknown) == ("CUT-HTTP-10", False)


def test_a_closed_kept_connection_is_noticed_before_a_write_is_sent() -> None:
    with ScriptedServer(lambda request: Reply(answer(), close=request.connection == 0)) as server:
        http = client(server)
        http.request("GET", "/")
        time.sleep(0.1)
        assert http.request("POST", "/w").status == 200
    assert [(request.method, request.connection) for request in server.requests] == [("GET", 0), ("POST", 1)]


def lose_second(request: Request) -> Reply:
    """The first connection is closed upon its second request, as a peer does whose idle time ends at that moment."""
    lost = request.connection == 0 and request.number == 1
    return Reply(b"" if lost else answer(), close=lost)


def test_a_get_on_a_connection_that_closes_is_repeated_once() -> None:
    with ScriptedServer(lose_second) as server:
        http = client(server)
        assert [http.request("GET", "/").status for _ in range(2)] == [200, 200]
    assert len(server.requests) == 3


def test_a_post_on_a_connection_that_closes_is_never_repeated() -> None:
    with ScriptedServer(lose_second) as server:
        http = client(server)
        http.request("POST", "/")
        with pytest.raises(TransportError) as caught:
            http.request("POST", "/")
    assert caught.value.outcome_unknown
    assert len(server.requests) == 2


def test_a_post_that_is_declared_idempotent_is_repeated_once() -> None:
    with ScriptedServer(lose_second) as server:
        http = client(server)
        http.request("POST", "/", idempotent=True)
        assert http.request("POST", "/", idempotent=True).status == 200
    assert len(server.requests) == 3


def test_a_get_is_not_repeated_when_a_fresh_connection_loses_its_answer() -> None:
    with ScriptedServer(always(b"", close=True)) as server, pytest.raises(TransportError):
        client(server).request("GET", "/")
    assert len(server.requests) == 1


def test_writes_do_not_use_connections_that_were_idle_for_long() -> None:
    clock = ShiftedClock()
    with ScriptedServer(always(answer())) as server:
        http = client(server, clock=clock)
        http.request("GET", "/")
        clock.shift = 5.0
        http.request("POST", "/")
        http.request("GET", "/")
        clock.shift = 100.0
        http.request("GET", "/")
    assert [request.connection for request in server.requests] == [0, 1, 1, 2]


def test_parallel_requests_have_connections_of_their_own_and_the_pool_is_bounded() -> None:
    together = threading.Barrier(6)

    def script(_request: Request) -> Reply:
        together.wait(5)
        return Reply(answer())

    with ScriptedServer(script) as server:
        http = client(server, pool=2, timeout=10.0)
        threads = [threading.Thread(target=http.request, args=("GET", "/")) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections == 6
        assert len(http._idle) == 2
        assert not http._busy


def test_a_front_end_that_answers_413_and_closes_before_the_body_is_read() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        sock, _ = listener.accept()
        sock.recv(1000)
        sock.sendall(answer(b"too large", 413, {"Connection": "close"}))
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 20):
            pass
        sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    http = HttpClient(parse_endpoint(f"http://127.0.0.1:{port}", "x"), timeout=10.0)
    assert http.request("PUT", "/", body=b"x" * 3_000_000).status == 413
    thread.join(5)
    listener.close()


def test_what_is_not_http_is_named() -> None:
    script = always(b"SSH-2.0-OpenSSH\r\n\r\n", close=True)
    with ScriptedServer(script) as server, pytest.raises(TransportError) as caught:
        client(server).request("GET", "/")
    assert caught.value.code == "CUT-HTTP-9"


@pytest.mark.parametrize(
    ("target", "headers"),
    [("/a b", {}), ("/a\r\nX: y", {}), ("/ä", {}), ("/", {"X": "a\r\nY: b"}), ("/", {"X": "ü"})],
)
def test_headers_and_targets_cannot_be_injected(target: str, headers: dict[str, str]) -> None:
    with ScriptedServer(always(answer())) as server, pytest.raises(CutoverError) as caught:
        client(server).request("GET", target, headers=headers)
    assert caught.value.code == "CUT-HTTP-7"
    assert server.connections == 0


def test_close_wakes_a_waiting_request_and_refuses_new_ones() -> None:
    hold, errors = threading.Event(), []
    with ScriptedServer(always(b"", hold=hold)) as server:
        http = client(server, timeout=30.0)

        def wait() -> None:
            with pytest.raises(TransportError) as caught:
                http.request("POST", "/")
            errors.append(caught.value)

        thread = threading.Thread(target=wait)
        thread.start()
        while not server.requests:
            time.sleep(0.01)
        http.close()
        thread.join(5)
        hold.set()
        with pytest.raises(TransportError) as refused:
            http.request("GET", "/")
    assert [(error.code, error.outcome_unknown) for error in errors] == [("CUT-HTTP-8", True)]
    assert (refused.value.code, refused.value.outcome_unknown) == ("CUT-HTTP-8", False)


class Certificates:
    """A CA and a server context for 127.0.0.1."""

    def __init__(self, directory: Path, *names: str) -> None:
        self.ca = trustme.CA()
        self.path = directory / "ca.pem"
        self.ca.cert_pem.write_to_path(self.path)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("127.0.0.1",))).configure_cert(self.context)


def test_tls_with_the_right_ca(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    body = b"y" * 1_000_000
    with ScriptedServer(lambda request: Reply(answer(request.body)), certificates.context) as server:
        http = client(server, context=client_context(str(certificates.path)), timeout=20.0)
        assert [http.request("POST", "/", body=body).body == body for _ in range(3)] == [True] * 3
    assert server.connections == 1


def test_tls_with_another_ca_or_name_does_not_verify(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    right, other = Certificates(tmp_path, "elsewhere.example"), Certificates(tmp_path / "other")
    with ScriptedServer(always(answer()), right.context) as server:
        for path in (right.path, other.path):
            with pytest.raises(TransportError) as caught:
                client(server, context=client_context(str(path))).request("POST", "/")
            assert (caught.value.code, caught.value.outcome_unknown) == ("CUT-HTTP-2", False)
            assert not caught.value.retriable
    assert not server.requests


def test_tls_against_a_plain_port_and_the_other_way_round(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    with ScriptedServer(always(answer(), close=True)) as plain:
        endpoint = parse_endpoint(plain.url.replace("http:", "https:"), "x")
        context = client_context(str(certificates.path))
        with pytest.raises(TransportError) as caught:
            HttpClient(endpoint, context=context, connect_timeout=0.5).request("GET", "/")
        assert (caught.value.code, caught.value.outcome_unknown) == ("CUT-HTTP-3", False)
    with ScriptedServer(always(answer()), certificates.context) as secure:
        endpoint = parse_endpoint(secure.url.replace("https:", "http:"), "x")
        with pytest.raises(TransportError):
            HttpClient(endpoint, timeout=2.0).request("GET", "/")


def test_https_without_a_context_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="TLS context"):
        HttpClient(parse_endpoint("https://h", "x"))
