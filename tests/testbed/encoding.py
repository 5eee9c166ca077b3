# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compressed bodies of requests (facts §7.8b): from 3.12 on, of callers who have logged in; before, they are noise."""

from __future__ import annotations

import zlib

from tests.testbed.errors import ArangoError
from tests.testbed.http_server import MAX_BODY
from tests.testbed.message import Request

SINCE = (3, 12, 0)
# How zlib is told of the two containers.
_WINDOWS = {"deflate": zlib.MAX_WBITS, "gzip": zlib.MAX_WBITS | 16}


def decode(request: Request) -> None:
    """Put what the body says in its place; 400 for what does not decode, 413 for what grows too large."""
    window = _WINDOWS.get(request.headers.get("content-encoding", "").lower())
    if window is None or request.deployment.version_tuple < SINCE:
        return
    decoder = zlib.decompressobj(window)
    try:
        body = decoder.decompress(request.body, MAX_BODY)
    except zlib.error as error:
        raise ArangoError(400, f"failed to decode the request body: {error}") from error
    if decoder.unconsumed_tail:
        raise ArangoError(413)
    if not decoder.eof:
        raise ArangoError(400, "failed to decode the request body: it is cut")
    request.body = body
    del request.headers["content-encoding"]
