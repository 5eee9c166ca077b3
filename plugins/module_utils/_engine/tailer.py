# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One DB-Server's log, read without interruption and routed to the shards that it leads (facts §5, design §4.4)."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Iterator, Optional, Protocol

from .._core.arango import Server
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .dataplane_types import Settings
from .ledger import Chunk, Ledger
from .marker import BEGIN, COMMIT, OPERATIONS, SINGLE, Marker, parse, parse_all, parse_slowly
from .patience import Patience
from .position import Reading, following
from .wal import Answer, LogEnd, Position, log_end, tail

NO_DEADLINE = Deadline(None)


class Router(Protocol):
    """Takes the markers of one server; all calls come from its tailer's thread."""

    def take(self, marker: Marker, line: bytes, before: int) -> None:
        """One marker; ``before`` is the last batch end before it."""

    def flush(self, chunk: Chunk) -> None:
        """Hand everything taken on to appliers and spools, accounted to this chunk."""

    def has_room(self) -> bool:
        """Whether more may be read."""

    def doubt(self, kind: str, text: str) -> None:
        """Something of the log is lost or means nothing any more."""


class Ticket:
    """The outcome of something done at a batch boundary."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._done = threading.Event()
        self._error: Optional[BaseException] = None

    def run(self) -> None:
        """Do it; an error is kept for the one who waits."""
        try:
            self._action()
        except Exception as error:  # noqa: BLE001 - raised again in ``wait``
            self._error = error
        finally:
            self._done.set()

    def wait(self, patience: Patience, deadline: Deadline = NO_DEADLINE) -> bool:
        """Wait until it is done; raises what it raised, or ``Stopped``. False when the deadline came first."""
        while not self._done.wait(min(0.2, deadline.remaining())):
            patience.check()
            if deadline.expired:
                return False
        if self._error is not None:
            raise self._error
        return True


class _OtherLogError(Exception):
    """The server has another log than before; ``tick`` is its end."""

    def __init__(self, tick: int) -> None:
        super().__init__(tick)
        self.tick = tick


class Tailer:
    """The thread of one server. ``ledger`` exists once the start position is known; ``idle_pause`` seconds are the
    longest between two questions to a log that has nothing new.
    """

    def __init__(
        self,
        server_id: str,
        server: Server,
        syncer_id: int,
        patience: Patience,
        settings: Settings,
    ) -> None:
        self.server_id = server_id
        self.server = server
        self.reading = Reading()
        self.ledger: Optional[Ledger] = None
        self._syncer_id = syncer_id
        self.patience = patience
        self.data_directory: Optional[str] = None
        self._chunk_bytes = settings.tail_chunk_bytes
        self._busy_pause = self.idle_pause = settings.poll_interval
        self._router: Optional[Router] = None
        self._controls: deque[Ticket] = deque()
        self._wake = threading.Event()
        self._in_transaction = False
        self._boundary = 0
        self._doubtful = False
        self._sliced = True

    @property
    def boundary(self) -> int:
        """The last batch end that was read; for use in the tailer's thread."""
        return self._boundary

    def at_boundary(self, action: Callable[[], None]) -> Ticket:
        """Have something done in the tailer's thread between two write batches; all read before is handed on."""
        ticket = Ticket(action)
        self._controls.append(ticket)
        self._wake.set()
        return ticket

    def read_to(self, tick: int, deadline: Deadline, stop: threading.Event) -> bool:
        """Like ``Reading.wait``; an idle log is asked at once."""
        self._wake.set()
        return self.reading.wait(tick, deadline, stop)

    def run(self, restart: Optional[int], router: Router, directory: Optional[str] = None) -> None:
        """The thread's work; ends by ``Stopped``. ``directory`` is the data directory that ``restart`` belongs to."""
        self._router = router
        try:
            end = self.patience.call(lambda: log_end(self.server), self._failed)
            replaced = restart is not None and directory not in (None, end.server_id)
            if replaced:
                router.doubt("new-data-directory", "its data directory was replaced while nobody read its log")
            # Shown, and a position with it, after the doubt: a checkpoint in between must not take it for the old one.
            self.data_directory = end.server_id
            start = end.tick if restart is None or replaced else restart
            self._boundary = start
            self.ledger = Ledger(start)
            self.reading.begin(start)
            self._follow(Position(start, start), router, self.ledger)
        finally:
            # Whoever waits for a boundary must not wait for a log that nobody reads any more.
            self._run_controls()

    def _follow(self, position: Position, router: Router, ledger: Ledger) -> None:
        pause = 0.0
        while True:
            self._between(router, pause)
            number, sent = self.reading.asking(), time.monotonic()
            try:
                answer = self._ask(position)
            except _OtherLogError as other:
                position = self._begin_anew(other.tick, ledger)
                continue
            self._examine(position, answer, router)
            self._route(answer, router, ledger)
            if answer.last_tick < position.tick:
                position = self._begin_anew(answer.last_tick, ledger)
                continue
            self.reading.answered(number, sent, answer)
            position = following(position, answer)
            if answer.lines and answer.last_scanned < answer.last_tick:
                pause = 0.0
            else:
                # What comes is gathered for a moment: a question, and a write for each shard, cost the same however
                # much they carry.
                pause = self._busy_pause if answer.lines else min(self.idle_pause, pause * 1.5 + 0.01)

    def _begin_anew(self, tick: int, ledger: Ledger) -> Position:
        """Another log: nothing of the old one can be read any more, and its numbers say nothing about this one."""
        self._in_transaction = False
        self._boundary = tick
        ledger.begin_anew(tick)
        self.reading.begin(tick)
        return Position(tick, tick)

    def _between(self, router: Router, pause: float) -> None:
        """Between two answers: controls, the pause of an idle log, and waiting while too much is queued."""
        if pause:
            self._wake.wait(pause)
        self._wake.clear()
        while True:
            self.patience.check()
            if not self._in_transaction:
                self._run_controls()
            if router.has_room():
                return
            self._wake.wait(0.02)
            self._wake.clear()

    def _ask(self, position: Position) -> Answer:
        def ask() -> Answer:
            if not self._in_transaction:
                self._run_controls()
            if self._doubtful:
                self._identify(log_end(self.server))
            return tail(self.server, position, self._chunk_bytes, self._syncer_id)

        return self.patience.call(ask, self._failed)

    def _failed(self, error: CutoverError) -> None:
        # A server that did not answer may come back with another data directory (facts §5.1).
        self._doubtful = True
        self.reading.failed(error.message)

    def _identify(self, end: LogEnd) -> None:
        self._doubtful = False
        if self.data_directory != end.server_id:
            if self._router is not None:
                self._router.doubt("new-data-directory", "its data directory was replaced")
            self.data_directory = end.server_id
            raise _OtherLogError(end.tick)

    def _examine(self, asked: Position, answer: Answer, router: Router) -> None:
        """A log that ends before our position is another one; one that begins after it has a gap (facts §5.4)."""
        if answer.last_tick < asked.tick:
            self._in_transaction = False
            router.doubt("new-data-directory", f"its log ends at {answer.last_tick}, before {asked.tick}")
        elif not answer.from_present and asked.tick < answer.last_tick:
            self._in_transaction = False
            router.doubt("log-gap", f"operations after tick {asked.tick} were purged before they were read")

    def _route(self, answer: Answer, router: Router, ledger: Ledger) -> None:
        chunk = ledger.open()
        end: Optional[int] = None
        take = router.take
        for marker, line in zip(self._markers(answer), answer.lines):
            take(marker, line, self._boundary)
            if self._in_transaction and marker.type in OPERATIONS and marker.tid != SINGLE:
                continue
            if self._ends_batch(marker):
                end = self._boundary = marker.tick
                if self._controls:
                    router.flush(chunk)
                    self._run_controls()
        if not answer.lines:
            # The rest of an open batch was scanned and holds nothing: its 2201 can have the last marker's very tick.
            self._in_transaction = False
        router.flush(chunk)
        ledger.seal(chunk, end, max(answer.last_included, answer.last_scanned))

    def _markers(self, answer: Answer) -> Iterator[Marker]:
        """One line of each answer is cut both ways: a server with another order of members is noticed at once."""
        if answer.lines and self._sliced:
            sample = answer.lines[len(answer.lines) // 2]
            if parse(sample) != parse_slowly(sample):
                self._sliced = False
        return parse_all(answer.lines) if self._sliced else map(parse_slowly, answer.lines)

    def _ends_batch(self, marker: Marker) -> bool:
        """Whether the log may be read from this marker's tick on: a 2201, or a tid of 0 (design §4.4).

        Markers of definitions and truncates have no tid: they change nothing here, and are no position.
        """
        if marker.type == BEGIN:
            self._in_transaction = True
        elif marker.type == COMMIT or marker.tid == SINGLE:
            self._in_transaction = False
            return True
        elif marker.tid:
            self._in_transaction = True
        return False

    def _run_controls(self) -> None:
        while self._controls:
            self._controls.popleft().run()
