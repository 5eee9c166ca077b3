# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bodies that something in between has cut are read again, never taken for whole (I3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lines import is_whole, line_count
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.snapshot import BatchDump, SnapshotLostError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.wal import Position, tail

DOCUMENT = b'{"_key":"k","_rev":"_r","deep":{"text":"a } b"},"last":{"n":1}}'
MARKERS = [
    b'{"tick":"%d","type":2300,"db":"d","cuid":"c1/s2","tid":"0","data":%b}\n' % (tick, DOCUMENT) for tick in (7, 9)
]


class Scripted:
    """A server with answers in order."""

    label = "server"

    def __init__(self, *answers: Response) -> None:
        self._answers: Iterator[Response] = iter(answers)

    def request(self, *_where: str, **_options: object) -> Response:
        return next(self._answers)


def log(body: bytes, included: int = 9) -> Any:
    values = {"lastincluded": str(included), "lastscanned": "9", "lasttick": "9", "frompresent": "true"}
    headers = {f"x-arango-replication-{name}": value for name, value in values.items()}
    return Scripted(Response(200, headers, body))


@pytest.mark.parametrize("body", [b"", DOCUMENT, DOCUMENT + b"\n", DOCUMENT + b"\n" + DOCUMENT, b"\xff{}\n"])
def test_whole_bodies(body: bytes) -> None:
    assert is_whole(body)


def test_every_cut_within_a_line_is_seen() -> None:
    body = DOCUMENT + b"\n" + DOCUMENT + b"\n"
    ends = {len(DOCUMENT), len(DOCUMENT) + 1, len(body) - 1}
    assert {size for size in range(1, len(body)) if is_whole(body[:size])} == ends


def test_i3_a_log_whose_body_was_cut_is_asked_again() -> None:
    whole = b"".join(MARKERS)
    assert len(tail(log(whole), Position(5, 5), 1, 1).lines) == 2
    for size in range(1, len(whole) - 1):
        with pytest.raises(TransportError) as caught:
            tail(log(whole[:size]), Position(5, 5), 1, 1)
        assert caught.value.retriable


def test_i3_whole_lines_that_are_missing_at_the_end_are_seen_by_the_header() -> None:
    with pytest.raises(TransportError):
        tail(log(MARKERS[0]), Position(5, 5), 1, 1)
    assert tail(log(MARKERS[0], included=7), Position(5, 5), 1, 1).last_included == 7


def test_i3_the_old_dump_begins_anew_where_a_body_was_cut() -> None:
    """Its reader has moved on: the same answer is not to be had again (facts §4.2)."""
    server: Any = Scripted(Response(200, {"x-arango-replication-checkmore": "true"}, DOCUMENT[:-3]))
    with pytest.raises(SnapshotLostError):
        list(BatchDump(server, "d", ["s1"], 1000, "7").batches())


@pytest.mark.parametrize("size", [0, 1, 100, 511, 512, 513, 5_000, 70_000])
def test_lines_are_counted_whatever_their_length(size: int) -> None:
    line = b"x" * size + b"\n"
    for number in (0, 1, 2, 300):
        assert line_count(line * number) == number
        assert line_count(line * number + b"rest") == number
    assert line_count(b"y" * 70_000 + b"\n" + line * 300) == 301
