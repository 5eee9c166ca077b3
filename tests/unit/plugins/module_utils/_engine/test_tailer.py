# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Following a server's log: positions, batch boundaries, gaps, other data directories (facts §5.4)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Settings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ledger import Chunk
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import (
    BEGIN,
    COMMIT,
    TRUNCATE,
    Marker,
    parse,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Stopped, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.tailer import Tailer
from tests.unit.plugins.module_utils._engine.logs import insert, line_of

LOST = TransportError("CUT-HTTP-1", "no answer", outcome_unknown=True)


def answer(
    lines: list[Marker], included: int, scanned: int, last: int, present: bool = True
) -> Response:
    names = ("lastincluded", "lastscanned", "lasttick", "frompresent")
    values = (str(included), str(scanned), str(last), "true" if present else "false")
    headers = {f"x-arango-replication-{name}": value for name, value in zip(names, values)}
    body = b"".join(line_of(marker) + b"\n" for marker in lines)
    return Response(200 if lines else 204, headers, body)


class FakeServer:
    """Gives scripted answers of ``tail``; the last one is repeated as an empty one."""

    label = "server"

    def __init__(self, end: int, answers: list[Response | Exception]) -> None:
        self.end = end
        self.data_directory = "1"
        self.answers = answers
        self.asked: list[tuple[int, int]] = []
        self.exhausted = threading.Event()

    def json(self, method: str, path: str, **options: object) -> Any:
        return {"tick": str(self.end), "server": {"serverId": self.data_directory}}

    def request(self, method: str, path: str, *, query: Mapping[str, Any], **options: object) -> Response:
        self.asked.append((query["from"], query["lastScanned"]))
        if not self.answers:
            self.exhausted.set()
            return answer([], 0, query["from"], query["from"])
        step = self.answers.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


class Record:
    """A router that keeps what it gets."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []
        self.data: list[bytes] = []
        self.flushed = 0
        self.doubts: list[str] = []
        self.room = True
        self.on_flush: Callable[[], None] = lambda: None
        self.on_doubt: Callable[[], None] = lambda: None

    def take(self, marker: Marker, line: bytes, before: int) -> None:
        self.taken.append((marker.type, marker.tick))
        self.data.append(marker.data)

    def flush(self, chunk: Chunk) -> None:
        self.flushed = len(self.taken)
        self.on_flush()

    def has_room(self) -> bool:
        return self.room

    def doubt(self, kind: str, text: str) -> None:
        self.doubts.append(kind)
        self.on_doubt()


@contextmanager
def following(
    server: FakeServer,
    restart: int | None = 100,
    on_flush: Callable[[Tailer, Record], None] | None = None,
    on_doubt: Callable[[Tailer], None] = bool,
    directory: str | None = None,
    poll_interval: float = 0.001,
) -> Iterator[tuple[Tailer, Record]]:
    stop = threading.Event()
    settings = Settings(poll_interval=poll_interval)
    patience = Patience(stop, Troubles(), 0.001)
    tailer = Tailer("S", server, 7, patience, settings)  # type: ignore[arg-type]
    record = Record()
    if on_flush is not None:
        record.on_flush = lambda: on_flush(tailer, record)
    record.on_doubt = lambda: on_doubt(tailer)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            tailer.run(restart, record, directory)
        except Stopped:
            return
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield tailer, record
    finally:
        stop.set()
        tailer.at_boundary(bool)  # wakes it
        thread.join(10)
    assert not errors


def begin(tick: int) -> Marker:
    return Marker(tick, BEGIN, tid=b"9")


def commit(tick: int) -> Marker:
    return Marker(tick, COMMIT, tid=b"9")


def test_positions_follow_the_facts() -> None:
    inside = insert(113, b"b", tid=b"9")
    server = FakeServer(
        200,
        [
            answer([insert(105, b"a")], 105, 108, 200),
            answer([], 0, 108, 200),
            answer([], 0, 110, 200),
            answer([begin(112), insert(112, b"b", tid=b"9"), inside], 113, 111, 200),
            answer([commit(120)], 120, 120, 200),
        ],
    )
    with following(server) as (_tailer, record):
        assert server.exhausted.wait(10)
    assert server.asked[:6] == [
        (100, 100),
        (105, 108),
        (107, 108),  # an empty answer: never lastscanned itself
        (109, 110),
        (113, 111),  # inside a transaction: the batch is re-read from its beginning
        (120, 120),
    ]
    assert [tick for kind, tick in record.taken] == [105, 112, 112, 113, 120]


def test_i4_the_restart_tick_is_a_batch_end_only() -> None:
    server = FakeServer(
        200,
        [
            answer([insert(105, b"a"), begin(112), insert(112, b"b", tid=b"9")], 112, 111, 200),
            answer([insert(115, b"c", tid=b"9")], 115, 111, 200),
        ],
    )
    with following(server) as (tailer, _record):
        assert server.exhausted.wait(10)
        assert tailer.ledger is not None
        assert tailer.ledger.restart_tick == 105


def test_i4_what_belongs_to_a_batch_that_began_before_is_no_restart_position() -> None:
    server = FakeServer(200, [answer([insert(105, b"a"), insert(112, b"b", tid=b"9")], 112, 111, 200)])
    with following(server) as (tailer, _record):
        assert server.exhausted.wait(10)
        assert tailer.ledger is not None
        assert tailer.ledger.restart_tick == 105


def test_i4_definitions_and_truncates_are_no_restart_positions() -> None:
    server = FakeServer(200, [answer([insert(105, b"a"), Marker(110, TRUNCATE), Marker(111, 2000)], 111, 111, 200)])
    with following(server) as (tailer, _record):
        assert server.exhausted.wait(10)
        assert tailer.ledger is not None
        assert tailer.ledger.restart_tick == 105


def test_without_a_restart_tick_reading_begins_at_the_end() -> None:
    server = FakeServer(321, [])
    with following(server, None) as (tailer, _record):
        assert server.exhausted.wait(10)
        assert tailer.ledger is not None
        assert tailer.ledger.restart_tick == 321
    assert server.asked[0] == (321, 321)


def test_controls_wait_for_the_end_of_a_batch() -> None:
    server = FakeServer(200, [answer([begin(101), insert(101, b"a", tid=b"9")], 101, 100, 200)])
    gate = threading.Event()
    original = server.request

    def request(*arguments: Any, **options: Any) -> Response:
        if options["query"]["from"] == 101:
            gate.wait(10)
            if not server.answers:
                server.answers.append(
                    answer([insert(103, b"b", tid=b"9"), commit(110), insert(112, b"c")], 112, 112, 200)
                )
        return original(*arguments, **options)

    server.request = request  # type: ignore[method-assign]
    seen: list[tuple[int, int, int]] = []
    with following(server) as (tailer, record):
        while not record.flushed:
            pass
        ticket = tailer.at_boundary(lambda: seen.append((tailer.boundary, len(record.taken), record.flushed)))
        assert not ticket.wait(Patience(threading.Event(), Troubles()), Deadline(0.1)), "a batch is open"
        gate.set()
        assert ticket.wait(Patience(threading.Event(), Troubles()), Deadline(10))
    assert seen == [(110, 4, 4)], "right after the commit, with everything before it handed on"


def test_i4_controls_do_not_run_between_the_parts_of_a_batch() -> None:
    server = FakeServer(
        200,
        [
            answer([begin(101), insert(101, b"a", tid=b"9")], 101, 100, 200),
            answer([insert(103, b"b", tid=b"9"), commit(110)], 110, 110, 200),
        ],
    )
    seen: list[list[tuple[int, int]]] = []

    def ask(tailer: Tailer, record: Record) -> None:
        if len(record.taken) == 2:
            tailer.at_boundary(lambda: seen.append(list(record.taken)))

    with following(server, on_flush=ask):
        assert server.exhausted.wait(10)
    assert [taken[-1] for taken in seen] == [(COMMIT, 110)]


def test_a_batch_whose_end_has_the_tick_of_its_last_marker_does_not_stay_open() -> None:
    server = FakeServer(
        200, [answer([begin(101), insert(101, b"a", tid=b"9")], 101, 100, 200), answer([], 0, 101, 200)]
    )
    with following(server) as (tailer, _record):
        assert server.exhausted.wait(10)
        ticket = tailer.at_boundary(lambda: None)
        assert ticket.wait(Patience(threading.Event(), Troubles()), Deadline(5))
        assert tailer.ledger is not None
        assert tailer.ledger.restart_tick == 100


def test_an_idle_log_is_asked_at_once_by_whoever_waits_for_it() -> None:
    answered = threading.Event()
    server = FakeServer(100, [answer([insert(101, b"a")], 101, 101, 101)])
    with following(server, on_flush=lambda *_: answered.set(), poll_interval=3600.0) as (tailer, _record):
        assert answered.wait(10)
        assert tailer.read_to(200, Deadline(20), threading.Event()), "an empty answer to a new question will do"


def test_errors_of_controls_reach_the_one_who_waits() -> None:
    with following(FakeServer(100, [])) as (tailer, _record):
        ticket = tailer.at_boundary(lambda: [1, 2].remove(3))
        with pytest.raises(ValueError):
            ticket.wait(Patience(threading.Event(), Troubles()), Deadline(10))


@pytest.mark.parametrize(
    ("response", "doubts"),
    [
        (answer([insert(150, b"a")], 150, 150, 200, present=False), ["log-gap"]),
        (answer([], 0, 100, 100, present=False), []),
        (answer([], 0, 0, 60, present=False), ["new-data-directory"]),
        (answer([], 0, 99, 100), []),
    ],
)
def test_i3_gaps_and_other_logs_are_told(response: Response, doubts: list[str]) -> None:
    server = FakeServer(200, [response])
    with following(server) as (_tailer, record):
        assert server.exhausted.wait(10)
    assert record.doubts == doubts


def test_i3_another_data_directory_is_noticed_after_an_error() -> None:
    server = FakeServer(200, [answer([insert(105, b"a")], 105, 105, 200), LOST])
    original = server.request

    def request(*arguments: Any, **options: Any) -> Response:
        if len(server.asked) == 1:
            server.data_directory = "2"
            server.end = 900
        return original(*arguments, **options)

    server.request = request  # type: ignore[method-assign]
    with following(server) as (_tailer, record):
        assert server.exhausted.wait(10)
    assert record.doubts == ["new-data-directory"]
    assert server.asked[-1] == (900, 900)


@pytest.mark.parametrize(
    ("journaled", "shown"),
    [(None, ("1", True)), ("0", (None, False))],
    ids=["replaced-while-it-is-read", "replaced-before"],
)
def test_i3_whoever_is_shown_another_data_directory_is_shown_its_doubt(journaled: str | None, shown: object) -> None:
    """Else a checkpoint in between journals shards as in sync with the id of a log of which they lack something."""
    server = FakeServer(200, [LOST])
    seen: list[object] = []

    def look(tailer: Tailer) -> None:
        seen.append((tailer.data_directory, tailer.ledger is not None))

    with following(server, on_doubt=look, directory=journaled) as (tailer, _record):
        assert server.exhausted.wait(10)
        if journaled is None:
            server.data_directory = "2"
            server.exhausted.clear()
            server.answers.append(LOST)
            assert server.exhausted.wait(10)
        assert tailer.data_directory == server.data_directory
    assert seen == [shown]


def test_i3_i4_nothing_that_was_read_counts_in_another_log() -> None:
    """Its numbers are smaller: what was read of the old log must not pass for having read the new one."""
    found = [answer([insert(105, b"a")], 105, 105, 200), answer([], 0, 0, 60, present=False)]
    server = FakeServer(200, list(found))
    with following(server) as (tailer, record):
        assert server.exhausted.wait(10)
        assert record.doubts == ["new-data-directory"]
        assert not tailer.reading.wait(61, Deadline(0), threading.Event()), "this was not read yet"
        assert tailer.boundary == 60, "holds begin here"
        assert tailer.ledger is not None
        assert tailer.ledger.restart_tick == 60
        assert tailer.ledger.applied_through == 60, "the lag is measured from here"


def test_the_same_data_directory_after_an_error_is_no_doubt() -> None:
    server = FakeServer(200, [LOST, LOST, answer([insert(105, b"a")], 105, 105, 200)])
    with following(server) as (tailer, record):
        assert server.exhausted.wait(10)
        assert tailer.reading.error is None
    assert record.doubts == []
    assert server.asked[:3] == [(100, 100)] * 3


def test_i8_reading_stops_while_too_much_is_queued() -> None:
    server = FakeServer(200, [])
    with following(server) as (tailer, record):
        assert server.exhausted.wait(10)
        record.room = False
        ticket = tailer.at_boundary(lambda: None)
        assert ticket.wait(Patience(threading.Event(), Troubles()), Deadline(10)), "controls still run"
        asked = len(server.asked)
        threading.Event().wait(0.1)
        assert len(server.asked) <= asked + 1
        record.room = True
        server.exhausted.clear()
        assert server.exhausted.wait(10)


def test_a_server_with_another_order_of_members_is_cut_slowly() -> None:
    extra = json.dumps({"later": {"x": 1}})[1:-1].encode()

    def strange(marker: Marker) -> bytes:
        return line_of(marker)[:-1] + b"," + extra + b"}"

    lines = b"".join(strange(insert(tick, b"k")) + b"\n" for tick in (105, 106))
    server = FakeServer(200, [Response(200, answer([], 106, 106, 200).headers, lines)])
    with following(server) as (_tailer, record):
        assert server.exhausted.wait(10)
    seen = record.data
    assert seen == [insert(105, b"k").data, insert(106, b"k").data]
    assert parse(strange(insert(105, b"k"))).data != seen[0]
