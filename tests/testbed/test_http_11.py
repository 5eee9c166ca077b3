# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The HTTP layer: framing, limits, and the headers that every answer carries (facts §7.8, §11)."""

from __future__ import annotations

import json
import socket
import ssl
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testbed.client import Client
from tests.testbed.errors import ArangoError
from tests.testbed.http_server import parse_head
from tests.testbed.launch import TestCluster

EVERY_ANSWER = {
    "server": "ArangoDB",
    "connection": "Keep-Alive",
    "x-arango-queue-time-seconds": "0.000000",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache, no-store, must-revalidate, pre-check=0, post-check=0, max-age=0, s-maxage=0",
    "pragma": "no-cache",
    "expires": "0",
    "content-security-policy": "frame-ancestors 'self'; form-action 'self';",
    "strict-transport-security": "max-age=31536000 ; includeSubDomains",
}


def _raw(cluster: TestCluster, data: bytes) -> bytes:
    """Send bytes on a connection of their own and read until the server closes it."""
    parts = urlsplit(cluster.coordinators[0])
    context = ssl.create_default_context(cafile=str(cluster.ca_path))
    with (
        socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as connection,
    ):
        connection.sendall(data)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received


def _authorization(client: Client) -> bytes:
    return f"Authorization: {client.authorization}\r\n".encode()


@pytest.mark.parametrize("target", ["/_api/version", "/_api/collection/none", "/nowhere"])
def test_every_answer_has_the_common_headers(client: Client, target: str) -> None:
    answer = client("GET", target)
    assert {name: answer.headers[name] for name in EVERY_ANSWER} == EVERY_ANSWER
    assert answer.headers["content-type"] == "application/json"


def test_pipelined_requests_are_answered_in_order(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "pipe"})
    head = b"Host: x\r\n" + _authorization(client)
    insert = b"POST /_api/document/pipe HTTP/1.1\r\n" + head + b"Content-Length: 12\r\n\r\n" + b'{"_key":"1"}'
    read = b"GET /_api/document/pipe/1 HTTP/1.1\r\n" + head + b"\r\n"
    last = b"DELETE /_api/document/pipe/1 HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n"
    answers = _raw(cluster, insert + read + read + last).split(b"HTTP/1.1 ")[1:]
    assert [int(answer[:3]) for answer in answers] == [202, 200, 200, 202]
    assert b"connection: Close\r\n" in answers[-1]


def test_chunked_bodies_and_continue(cluster: TestCluster, client: Client) -> None:
    client("POST", "/_api/collection", {"name": "chunked"})
    head = b"POST /_api/document/chunked HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + _authorization(client)
    body = b'5;ext=1\r\n{"_ke\r\n7\r\ny":"1"}\r\n0\r\n\r\n'
    answer = _raw(cluster, head + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 ")
    assert client("GET", "/_api/document/chunked/1").status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /_api/version HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /_api/version HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET /_api/version HTTP/1.1\r\nContent-Length: 2000000000\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n", 400),
        (b"GET /_api/version HTTP/1.1\r\nX: " + b"a" * (3 << 20) + b"\r\n\r\n", 431),
    ],
)
def test_bad_framing_is_answered_and_the_connection_closed(cluster: TestCluster, head: bytes, status: int) -> None:
    answer = _raw(cluster, head)
    assert int(answer[9:12]) == status
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] is True


@given(st.binary(max_size=60))
def test_no_head_makes_the_parser_fail_otherwise(noise: bytes) -> None:
    for head in (noise, b"GET / HTTP/1.1\r\n" + noise, b"GET / HTTP/1.1\r\nContent-Length: " + noise):
        try:
            (method, target, headers, _keep), _length = parse_head(head)
        except ArangoError:
            continue
        assert method
        assert target
        assert all(name == name.lower() for name in headers)


def test_head_has_the_length_but_no_body(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "heads"})
    client("POST", "/_api/document/heads", {"_key": "1"})
    answer = client("HEAD", "/_api/document/heads/1")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(client("GET", "/_api/document/heads/1").body)


def test_unknown_paths_and_methods(client: Client) -> None:
    unknown = client("GET", "/_api/nothing")
    assert (unknown.status, unknown.json["errorNum"], unknown.json["code"]) == (404, 404, 404)
    method = client("PATCH", "/_api/version")
    assert (method.status, method.json["errorNum"]) == (405, 405)
    assert client("OPTIONS", "/_api/version").status == 200


def test_without_a_login(cluster: TestCluster) -> None:
    with Client(cluster.coordinators[0], cluster.ca_path, None) as nobody:
        answer = nobody("GET", "/_api/version")
        assert answer.status == 401
        assert "www-authenticate" in answer.headers
        assert "www-authenticate" not in nobody("GET", "/_api/version", None, {"X-Omit-WWW-Authenticate": "1"}).headers
    with Client.user(cluster, "root", "wrong") as wrong:
        assert wrong("GET", "/_api/version").status == 401


def test_names_in_paths_are_percent_decoded(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "enc"})
    client("POST", "/_api/document/enc", {"_key": "a:b%c+d"})
    assert client("GET", "/_api/document/enc/a%3Ab%25c%2Bd").json["_key"] == "a:b%c+d"
    assert client("GET", "/_db/%5Fsystem/_api/document/enc/a:b%25c+d").status == 200
