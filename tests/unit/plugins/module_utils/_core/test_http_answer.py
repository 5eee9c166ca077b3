# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers as servers and what stands in between send them, and what is none."""

from __future__ import annotations

import io

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.http_answer import (
    AnswerGarbledError,
    AnswerIncompleteError,
    AnswerTooLargeError,
    Response,
    read_answer,
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(raw: bytes, method: str = "GET", max_body: int = 1000) -> tuple[Response, bool, bytes]:
    """The answer, whether the connection can be used again, and what was left of the bytes."""
    stream = io.BytesIO(raw)
    response, reusable = read_answer(stream, method, max_body)
    return response, reusable, stream.read()


def test_exactly_one_answer_is_read() -> None:
    raw = OK + b"Content-Length: 3\r\nX-A:  b c \t\r\nX-Empty:\r\n\r\nabc"
    response, reusable, rest = read(raw + b"HTTP/1.1 500")
    assert response == Response(200, {"content-length": "3", "x-a": "b c", "x-empty": ""}, b"abc")
    assert (reusable, rest) == (True, b"HTTP/1.1 500")


@pytest.mark.parametrize(
    ("version", "connection", "reusable"),
    [
        ("1.1", "", True), ("1.1", "Connection: Keep-Alive\r\n", True), ("1.1", "Connection: x, Close\r\n", False),
        ("1.0", "", False), ("1.0", "Connection: keep-alive\r\n", True),
    ],
)
def test_whether_the_connection_stays(version: str, connection: str, reusable: bool) -> None:
    raw = f"HTTP/{version} 200 OK\r\n{connection}Content-Length: 0\r\n\r\n".encode()
    assert read(raw)[1] is reusable


def test_interim_answers_are_passed_over() -> None:
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    response, _reusable, rest = read(raw + OK + b"Content-Length: 1\r\n\r\ny")
    assert (response.status, response.body, rest) == (200, b"y", b"")
    assert "link" not in response.headers


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_no_body_is_read_where_there_is_none(method: str, status: int) -> None:
    response, reusable, rest = read(f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\nnext".encode(), method)
    assert (response.status, response.body, reusable, rest) == (status, b"", True, b"next")


def test_bare_line_ends_folded_headers_and_a_missing_reason_are_understood() -> None:
    response, _reusable, _rest = read(b"HTTP/1.1 200\nX-A: 1\n  2\nx-a: 3\nContent-Length: 1\n\nz")
    assert (response.headers["x-a"], response.body) == ("1 2, 3", b"z")


def test_chunks_with_extensions_and_trailers() -> None:
    response, reusable, rest = read(CHUNKED + b"3;a=b\r\nabc\r\nA \r\n0123456789\r\n0\r\nX-T: 1\r\n\r\nnext")
    assert (response.body, reusable, rest) == (b"abc0123456789", True, b"next")


def test_chunks_and_a_length_end_the_connection() -> None:
    raw = OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    response, reusable, _rest = read(raw)
    assert (response.body, reusable) == (b"ab", False)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/0.9 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b"X A: blank\r\n\r\n",
        OK + b": no name\r\n\r\n",
        OK + b" folded nothing\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 5 \xb2\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Transfer-Encoding: gzip\r\n\r\n",
        OK + b"X: " + b"x" * 70_000 + b"\r\n\r\n",
        OK + b"X: x\r\n" * 20_000,
        CHUNKED + b"\r\n",
        CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
        CHUNKED + b"x" * 70_000,
    ],
    ids=lambda raw: raw[:60].decode("latin-1"),
)
def test_what_is_not_http_is_refused(raw: bytes) -> None:
    with pytest.raises(AnswerGarbledError):
        read(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"HTTP/1.1 200", OK, OK + b"Content-Length: 5\r\n", OK + b"Content-Length: 5\r\n\r\nabcd",
        OK + b"\r\nabc", CHUNKED, CHUNKED + b"3\r\nab", CHUNKED + b"3\r\nabc", CHUNKED + b"3\r\nabc\r\n",
        CHUNKED + b"0\r\n", CHUNKED + b"0\r\nX: 1\r\n",
    ],
)
def test_what_breaks_off_is_refused(raw: bytes) -> None:
    with pytest.raises(AnswerIncompleteError):
        read(raw)


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"Content-Length: 11\r\n\r\n", CHUNKED + b"b\r\n", CHUNKED + b"6\r\nabcdef\r\n5\r\n",
        CHUNKED + b"fffffffffffffff\r\n", b"HTTP/1.1 500 X\r\n\r\n" + b"x" * 11,
    ],
)
def test_what_is_too_large_is_refused(raw: bytes) -> None:
    with pytest.raises(AnswerTooLargeError):
        read(raw, max_body=10)


def test_an_error_may_end_with_its_connection() -> None:
    response, reusable, _rest = read(b"HTTP/1.1 502 X\r\n\r\n<html>", max_body=6)
    assert (response.body, reusable) == (b"<html>", False)
