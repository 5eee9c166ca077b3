# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bytes that are nearly HTTP: every answer is whole, errors are ArangoDB's, nothing depends on the packets."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.testbed import app
from tests.testbed.http_server import HttpProtocol
from tests.testbed.inprocess import Direct, basic
from tests.testbed.message import Request

LOGIN = b"authorization: " + basic("root", "").encode() + b"\r\n"


class Wire(asyncio.Transport):
    """A connection whose other end keeps what it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.open = True

    def write(self, data: Any) -> None:
        """Keep what is sent."""
        self.sent += bytes(data)

    def close(self) -> None:
        """Take nothing any more."""
        self.open = False

    abort = close

    def pause_reading(self) -> None:
        """Packets come one by one anyway."""

    resume_reading = pause_reading


def exchange(direct: Direct, packets: list[bytes]) -> tuple[list[tuple[int, bytes]], bool]:
    """Statuses and bodies of the answers to packets, and whether the connection is still open."""

    async def run() -> Wire:
        wire = Wire()
        connections: set[HttpProtocol[Request]] = set()
        protocol = HttpProtocol(partial(Request, direct.front), app.dispatch, connections)
        protocol.connection_made(wire)
        for packet in packets:
            if wire.open:
                protocol.data_received(packet)
            while protocol._task is not None:
                await protocol._task
        return wire

    wire = direct.loop.run_until_complete(run())
    return answers(wire.sent), wire.open


def answers(sent: bytes) -> list[tuple[int, bytes]]:
    """Status and body of each answer in a stream; AssertionError when it isn't made of whole answers."""
    found = []
    while sent:
        head, blank, sent = sent.partition(b"\r\n\r\n")
        assert blank, head[-200:]
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        assert first.startswith("HTTP/1.1 ")
        length = int(headers.get("content-length", "0"))
        assert len(sent) >= length
        if not first.startswith("HTTP/1.1 100 "):
            found.append((int(first.split()[1]), sent[:length]))
        sent = sent[length:]
    return found


def request(body: bytes, *lines: bytes, target: bytes = b"/_api/document/c") -> bytes:
    """A POST with header lines of its own before the body."""
    head = b"".join(line + b"\r\n" for line in lines)
    return b"POST " + target + b" HTTP/1.1\r\n" + LOGIN + head + b"\r\n" + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Chunks, and what ends them."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


CHUNKED = b"transfer-encoding: chunked"
DOCUMENT = b'{"a":1}'
GOOD = request(DOCUMENT, b"content-length: 7")


@pytest.fixture(scope="module")
def direct() -> Any:
    """A single server with a collection."""
    with Direct(flavour="single", version="3.12.10") as started:
        started("POST", "/_api/collection", {"name": "c"})
        yield started


@pytest.mark.parametrize(
    "data",
    [
        request(chunked(DOCUMENT), CHUNKED),
        request(chunked(b'{"a"', b":1}"), b"Transfer-Encoding: Chunked"),
        request(b"7;name=value\r\n" + DOCUMENT + b"\r\n0\r\n\r\n", CHUNKED),
        request(b"07 \r\n" + DOCUMENT + b"\r\n00;last\r\n\r\n", CHUNKED),
        request(chunked(DOCUMENT, end=b"0\r\nx-trailer: 1\r\ny: 2\r\n\r\n"), CHUNKED),
        request(DOCUMENT, b"content-length: 7", b"content-length: 7"),
        request(DOCUMENT, b"expect: 100-continue", b"content-length: 007"),
    ],
)
def test_a_body_is_whole_however_it_is_framed(direct: Direct, data: bytes) -> None:
    for packets in ([data + GOOD], [bytes([byte]) for byte in data + GOOD]):
        found, still_open = exchange(direct, packets)
        assert [status for status, _body in found] == [202, 202]
        assert still_open


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request(b"8\r\n" + DOCUMENT + b"\r\n0\r\n\r\n", CHUNKED), 400),  # longer than it is
        (request(b"6\r\n" + DOCUMENT + b"\r\n0\r\n\r\n", CHUNKED), 400),  # and shorter
        (request(b"7zz\r\n" + DOCUMENT + b"\r\n0\r\n\r\n", CHUNKED), 400),
        (request(b"0x7\r\n" + DOCUMENT + b"\r\n0\r\n\r\n", CHUNKED), 400),
        (request(b"\r\n" + DOCUMENT + b"\r\n0\r\n\r\n", CHUNKED), 400),
        (request(b"f" * 17 + b"\r\n", CHUNKED), 400),
        (request(b"f" * 16 + b"\r\n", CHUNKED), 413),
        (request(chunked(DOCUMENT), CHUNKED, b"content-length: 7"), 400),
        (request(DOCUMENT, b"transfer-encoding: gzip"), 400),
        (request(chunked(DOCUMENT), b"transfer-encoding: gzip, chunked"), 400),
        (request(DOCUMENT, b"content-length: 7", b"content-length: 8"), 400),
        (request(DOCUMENT, b"content-length:"), 400),
        (request(DOCUMENT, b"content-length: +7"), 400),
        (request(DOCUMENT, b"content-length: 7.0"), 400),
        (request(DOCUMENT, b"content-length: \xd9\xa7"), 400),  # a digit, but none of HTTP's
        (request(DOCUMENT, b"content-length: " + b"7" * 5000), 400),
        (request(DOCUMENT, b"content-length: 9999999999999999999"), 413),
    ],
)
def test_a_body_whose_end_is_not_known_ends_the_connection(direct: Direct, data: bytes, status: int) -> None:
    found, still_open = exchange(direct, [GOOD + data + GOOD])
    assert [number for number, _body in found] == [202, status]
    assert json.loads(found[-1][1])["code"] == status
    assert not still_open


PIECES = st.lists(
    st.one_of(
        st.sampled_from([GOOD, request(chunked(DOCUMENT), CHUNKED), b"GET /_api/version HTTP/1.1\r\n", LOGIN, b"\r\n"]),
        st.sampled_from([b"content-length: 3\r\n", CHUNKED + b"\r\n", b"expect: 100-continue\r\n", b"3\r\nabc\r\n"]),
        st.sampled_from([b"connection: close\r\n", b"content-encoding: gzip\r\n", b"0\r\n\r\n", b"\n", b"\x00", b":"]),
        st.sampled_from([b"content-type: text/html; charset=latin1\r\n", b"HEAD /_api/document/c/\xff HTTP/1.0\r\n"]),
        st.binary(max_size=6),
    ),
    max_size=7,
)


@settings(max_examples=400)
@given(pieces=PIECES, cuts=st.lists(st.integers(0, 600), max_size=5))
@example(pieces=[b"GET /_api/version HTTP/1.1\r\n", CHUNKED + b"\r\n", b"\r\n", b"0\r\n\r\n", GOOD], cuts=[])
def test_every_stream_of_bytes(direct: Direct, pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    packets = [data[start:end] for start, end in zip(bounds, bounds[1:])]
    at_once, split = exchange(direct, [data]), exchange(direct, packets)
    assert [status for status, _body in at_once[0]] == [status for status, _body in split[0]]
    assert at_once[1] == split[1]
    for status, body in at_once[0]:
        if status >= 400 and body:
            assert json.loads(body)["code"] == status
            assert json.loads(body)["errorNum"] != 4
