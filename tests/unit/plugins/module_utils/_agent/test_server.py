# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The listener against odd and hostile clients."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
import warnings
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.config import Client
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.messages import Request, Response
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.server import AgentServer, Limits
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.tls import server_context
from ansible_collections.cutover.arangodb.plugins.module_utils._core.agent_api import AgentError, AgentUnreachableError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.unit.agent_fakes import Certificates, RunningAgent, agent_config, make_certificates, running_agent
from tests.unit.slow_clients import KINDS, SlowClients


def tls_client(agent: RunningAgent, keyfile: Path | None = None) -> ssl.SSLSocket:
    """A connection to the agent, with a client certificate if one is given."""
    context = ssl.create_default_context(cafile=str(agent.certificates.ca))
    if keyfile is not None:
        context.load_cert_chain(str(keyfile))
    raw = socket.create_connection(("127.0.0.1", agent.port), timeout=10)
    return context.wrap_socket(raw, server_hostname="127.0.0.1")


def test_silent_clients_do_not_keep_others_waiting(agent: RunningAgent) -> None:
    silent = [socket.create_connection(("127.0.0.1", agent.port)) for count in range(40)]
    begun = time.monotonic()
    assert agent.api().status()["state"] == "inactive"
    assert time.monotonic() - begun < 2
    for client in silent:
        client.close()


def test_five_hundred_slow_clients_leave_the_status_quick(certificates: Certificates, tmp_path: Path) -> None:
    """The agent's own limit is far lower; tests/integration has them at an agent that has work to do."""
    config = agent_config(certificates, tmp_path, client_ca=certificates.ca)
    with running_agent(config, certificates) as agent:
        with SlowClients(agent.port, certificates.ca, certificates.client_keyfile) as clients:
            took = []
            for _count in range(9):
                begun = time.monotonic()
                assert agent.api().status()["state"] == "inactive"
                took.append(time.monotonic() - begun)
        assert all(clients.opened[kind] >= 500 // len(KINDS) for kind in KINDS)
    # One second is the promise; the middle one is asked, since the machine may be busy with others.
    assert sorted(took)[4] < 1


def test_plain_http_is_no_conversation(agent: RunningAgent) -> None:
    with socket.create_connection(("127.0.0.1", agent.port), timeout=10) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            answer = client.recv(100)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith(b"HTTP/")


def test_old_tls_is_refused(agent: RunningAgent) -> None:
    context = ssl.create_default_context(cafile=str(agent.certificates.ca))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", agent.port), timeout=10) as raw, pytest.raises(OSError):
        context.wrap_socket(raw, server_hostname="127.0.0.1")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(80)) + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 17000 + b"\r\n\r\n", b"431"),
        (b"rubbish\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (b"POST /v1/migration HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST /v1/migration HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /v1/migration HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", b"413"),
    ],
)
def test_malformed_requests_get_an_error_in_the_agents_form(
    agent: RunningAgent, request_bytes: bytes, status: bytes
) -> None:
    with tls_client(agent) as client:
        client.sendall(request_bytes)
        answer = client.recv(65536)
        while b'"code"' not in answer:
            answer += client.recv(65536)
    assert answer.split(b" ", 2)[1] == status
    assert b'{"error":{"code":"CUT-AGENT-' in answer


def test_expect_100_continue_is_answered(agent: RunningAgent) -> None:
    with tls_client(agent) as client:
        client.sendall(b"POST /v1/migration HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100")


def _echo(request: Request) -> Response:
    return Response(200, request.body or b"-")


def test_limits_of_time_and_number(certificates: Certificates) -> None:
    limits = Limits(connections=2, handshake=0.3, idle=0.3, request=0.3)
    server = AgentServer(("127.0.0.1", 0), server_context(certificates.server_keyfile, None, True), _echo, limits)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        address = ("127.0.0.1", server.port)
        first, second, third = (socket.create_connection(address, timeout=5) for count in range(3))
        assert third.recv(1) == b""
        assert first.recv(1) == b""
        assert second.recv(1) == b""
        context = ssl.create_default_context(cafile=str(certificates.ca))
        with context.wrap_socket(socket.create_connection(address, timeout=5), server_hostname="127.0.0.1") as slow:
            begun = time.monotonic()
            with pytest.raises(OSError):
                for _attempt in range(100):
                    slow.sendall(b"G")
                    time.sleep(0.05)
            assert time.monotonic() - begun < 3
        connection = http.client.HTTPSConnection(*address, context=context, timeout=5)
        connection.request("POST", "/x", b"body")
        assert connection.getresponse().read() == b"body"
        connection.close()
        for client in (first, second, third):
            client.close()
    finally:
        server.close()
        thread.join(5)
    assert not thread.is_alive()


def test_a_burst_does_not_cut_who_came_just_before(certificates: Certificates) -> None:
    """More connections than there is room for, while somebody is in the middle of a handshake; they have to wait."""
    limits = Limits(connections=4, grace=60.0, handshake=60.0)
    server = AgentServer(("127.0.0.1", 0), server_context(certificates.server_keyfile, None, True), _echo, limits)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    context = ssl.create_default_context(cafile=str(certificates.ca))
    burst: list[socket.socket] = []
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
            burst += [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _number in range(20)]
            with context.wrap_socket(raw, server_hostname="127.0.0.1") as client:
                client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        for silent in burst:
            silent.close()
        server.close()
        thread.join(10)
    assert not thread.is_alive()


def test_client_certificates(certificates: Certificates, tmp_path: Path) -> None:
    config = agent_config(certificates, tmp_path, tokens=(), client_ca=certificates.ca)
    with running_agent(config, certificates) as agent:
        known = agent.api(None, client_keyfile=str(certificates.client_keyfile))
        assert known.server_mode()["mode"] == "default"
        assert known.abort()[0] is False
        for keyfile in (None, str(certificates.foreign_keyfile)):
            with pytest.raises(AgentUnreachableError):
                agent.api(None, client_keyfile=keyfile).status()


def test_certificate_or_token_where_both_are_configured(certificates: Certificates, tmp_path: Path) -> None:
    for named, expected in (("ops", "CUT-AGENT-11"), ("others", "CUT-AGENT-10")):
        clients = (Client(named, "read"),)
        config = agent_config(certificates, tmp_path, tokens=(), client_ca=certificates.ca, clients=clients)
        with running_agent(config, certificates) as agent, pytest.raises(AgentError) as caught:
            agent.api(None, client_keyfile=str(certificates.client_keyfile)).abort()
        assert caught.value.code == expected
    config = agent_config(certificates, tmp_path, client_ca=certificates.ca)
    with running_agent(config, certificates) as agent:
        assert agent.api("read").status()["state"] == "inactive"
        assert agent.api(None, client_keyfile=str(certificates.client_keyfile)).status()["state"] == "inactive"
        with pytest.raises(AgentError) as caught:
            agent.api(None).status()
        assert caught.value.http_status == 401


def test_unusable_files_and_addresses_are_named(certificates: Certificates, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for keyfile, client_ca in ((tmp_path / "none", None), (empty, None), (certificates.server_keyfile, empty)):
        with pytest.raises(CutoverError) as caught:
            server_context(keyfile, client_ca, True)
        assert caught.value.code == "CUT-AGENT-4"
    context = server_context(certificates.server_keyfile, None, True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for host, port in (taken.getsockname(), ("192.0.2.1", 0), ("no.such.host.invalid", 0)):
            with pytest.raises(CutoverError) as caught:
                AgentServer((host, port), context, _echo)
            assert caught.value.code == "CUT-AGENT-3"
            assert str(port) in caught.value.message


def test_certificates_are_read_again_without_cutting_anybody(certificates: Certificates, tmp_path: Path) -> None:
    keyfile = tmp_path / "agent.keyfile"
    keyfile.write_bytes(certificates.server_keyfile.read_bytes())
    renewed = make_certificates(tmp_path)
    with running_agent(agent_config(certificates, tmp_path, tls_keyfile=keyfile), certificates) as agent:
        kept = http.client.HTTPSConnection(
            "127.0.0.1", agent.port, context=ssl.create_default_context(cafile=str(certificates.ca)), timeout=10
        )
        kept.request("GET", "/healthz")
        assert kept.getresponse().read()
        keyfile.write_text("no certificate")
        agent.service.reload()
        assert agent.api().status()["state"] == "inactive"
        keyfile.write_bytes(renewed.server_keyfile.read_bytes())
        agent.service.reload()
        context = ssl.create_default_context(cafile=str(renewed.ca))
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", agent.port), timeout=10) as raw:
                    context.wrap_socket(raw, server_hostname="127.0.0.1").close()
                break
            except ssl.SSLCertVerificationError:
                assert time.monotonic() < deadline
        kept.request("GET", "/healthz")
        assert kept.getresponse().status == 200
        kept.close()
