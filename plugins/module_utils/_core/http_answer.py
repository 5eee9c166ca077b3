# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One HTTP/1.1 answer, read from a connection whose next bytes are that answer (RFC 9112).

The standard library's own reading of an answer builds a mail message out of its head, which costs more than everything
else that a small request does (docs/performance.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, Optional

_LONGEST_HEAD = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?", re.DOTALL)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(r"[0-9]+")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_LINE = 65536
Headers = Mapping[str, str]


class AnswerTooLargeError(Exception):
    """The answer's body is longer than the caller allows."""


class AnswerIncompleteError(Exception):
    """The answer broke off, or it cannot be known whether it is whole."""


class AnswerGarbledError(Exception):
    """What came is not HTTP."""


@dataclass(frozen=True)
class Response:
    """An answer; header names are lower-case, a repeated header's values are joined by a comma.

    ``sending`` is how many seconds the request was on its way; see ``Connection.send``.
    """

    status: int
    headers: Headers
    body: bytes
    sending: Optional[float] = None

    @property
    def queue_time(self) -> Optional[float]:
        """``x-arango-queue-time-seconds``: how long requests wait in the server at the moment (facts §7.8)."""
        try:
            return float(self.headers["x-arango-queue-time-seconds"])
        except (KeyError, ValueError):
            return None


class _Head(NamedTuple):
    """Status and headers; ``stays`` = the server keeps the connection open."""

    status: int
    headers: Headers
    stays: bool


def read_answer(stream: BinaryIO, method: str, max_body: int) -> tuple[Response, bool]:
    """The answer to a request; the second value says whether the connection can be used for another one.

    Raises ``AnswerTooLargeError``, ``AnswerIncompleteError``, ``AnswerGarbledError``, and ``OSError`` of the stream.
    """
    head = _read_head(stream)
    # Interim answers announce another one; a protocol is never changed, as nobody asks for it.
    while head.status < 200:
        head = _read_head(stream)
    if method == "HEAD" or head.status in (204, 304):
        return Response(head.status, head.headers, b""), head.stays
    coding = head.headers.get("transfer-encoding")
    length = head.headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked":
            raise AnswerGarbledError(f"the unknown transfer encoding {coding[:40]!r}")
        body = _read_chunks(stream, max_body)
    elif length is not None:
        if not _LENGTH.fullmatch(length):
            raise AnswerGarbledError(f"no content length: {length[:40]!r}")
        body = _read_length(stream, int(length), max_body)
    else:
        # Such an answer may have been cut: it is taken only with an error status, as old proxies send it.
        if head.status < 400:
            raise AnswerIncompleteError("the answer has neither length nor chunks, so its end cannot be known")
        return Response(head.status, head.headers, _read_rest(stream, max_body)), False
    # Both of them together is what attacks by way of proxies are made of.
    return Response(head.status, head.headers, body), head.stays and (coding is None or length is None)


def _read_head(stream: BinaryIO) -> _Head:
    first = _line(stream, _LONGEST_HEAD)
    found = _STATUS.fullmatch(first)
    if found is None:
        raise AnswerGarbledError(f"an answer does not begin with {first[:40].decode('latin-1')!r}")
    headers: dict[str, str] = {}
    room = _LONGEST_HEAD
    name = ""
    while line := _line(stream, room):
        room -= len(line)
        text = line.decode("latin-1")
        if text[0] in " \t" and name:
            headers[name] += " " + text.strip(" \t")
            continue
        name, colon, value = text.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not _NAME.fullmatch(name):
            raise AnswerGarbledError(f"no header: {text[:40]!r}")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    options = headers.get("connection", "").lower()
    stays = "close" not in options if found.group(1) == b"1" else "keep-alive" in options
    return _Head(int(found.group(2)), headers, stays)


def _line(stream: BinaryIO, longest: int) -> bytes:
    """The next line without its end; raises ``AnswerGarbledError`` for a longer one."""
    line = stream.readline(longest + 1)
    if not line.endswith(b"\n"):
        if len(line) > longest:
            raise AnswerGarbledError("the answer's head is too long")
        raise AnswerIncompleteError("the answer broke off in its head" if line else "the connection was closed")
    return line[:-2] if line.endswith(b"\r\n") else line[:-1]


def _read_length(stream: BinaryIO, length: int, max_body: int) -> bytes:
    if length > max_body:
        raise AnswerTooLargeError(f"{length} bytes announced, {max_body} allowed")
    body = stream.read(length)
    if len(body) < length:
        raise AnswerIncompleteError(f"the answer broke off after {len(body)} of {length} bytes")
    return body


def _read_chunks(stream: BinaryIO, max_body: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        found = _CHUNK.fullmatch(_line(stream, _LINE))
        if found is None:
            raise AnswerGarbledError("a chunk without length")
        length = int(found.group(1), 16)
        size += length
        if size > max_body:
            raise AnswerTooLargeError(f"more than the {max_body} bytes allowed")
        if not length:
            break
        pieces.append(_read_length(stream, length, max_body))
        if _line(stream, _LINE):
            raise AnswerGarbledError("a chunk longer than its length")
    while _line(stream, _LINE):
        pass  # trailers
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _read_rest(stream: BinaryIO, max_body: int) -> bytes:
    body = stream.read(max_body + 1)
    if len(body) > max_body:
        raise AnswerTooLargeError(f"more than the {max_body} bytes allowed")
    return body
