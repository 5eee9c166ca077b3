# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bringing a shard with a spool in sync: replay, sweep where one is due, drain the spool, go live (design §4.1)."""

from __future__ import annotations

import queue
from contextlib import closing
from typing import Callable, Mapping, Optional, Sequence

from .._core.clock import Deadline
from .._core.errors import ArangoError, CutoverError
from .._core.retry import GONE
from .applier import ApplierPool, Unit
from .marker import TRUNCATE, Marker, parse
from .patience import Patience, Stopped
from .recheck import Recheck
from .replay import SpoolBatch
from .shards import Route, Shard, ShardBook, ShardState
from .sweep import Sweeper
from .tailer import Tailer
from .unit import UnitWriter
from .workers import Workers

_UNIT_BYTES = 1024 * 1024
_WINDOW_BYTES = 4 * 1024 * 1024
# What may be left of a spool when the tailer hands it over in its own thread.
_LAST_BYTES = 256 * 1024
_GLANCE_SECONDS = 0.5


class CatchUp:
    """A few threads that work on shards whose spool is to be drained."""

    def __init__(
        self,
        book: ShardBook,
        pool: ApplierPool,
        tailers: Mapping[str, Tailer],
        sweeper: Sweeper,
        units: UnitWriter,
        recheck: Recheck,
        patience: Patience,
        fail: Callable[[Shard, Exception], None],
        recovered: Callable[[Shard], None],
    ) -> None:
        self._book = book
        self._pool = pool
        self._tailers = tailers
        self._sweeper = sweeper
        self._units = units
        self._recheck = recheck
        self._patience = patience
        self._fail = fail
        self._recovered = recovered
        self._todo: queue.Queue[Shard] = queue.Queue()

    def start(self, workers: Workers, count: int = 4) -> None:
        """Start the threads."""
        for index in range(count):
            workers.start(f"catch-up-{index}", self._run)

    def begin(self, shard: Shard) -> None:
        """Work on this shard as soon as a thread is free, unless one does already."""
        with self._book.changed:
            if shard.working or shard.gone:
                return
            shard.working = True
        self._todo.put(shard)

    def _run(self) -> None:
        while True:
            self._patience.check()
            try:
                shard = self._todo.get(timeout=0.5)
            except queue.Empty:
                continue
            try:
                self._work(shard)
            finally:
                with self._book.changed:
                    shard.working = False
                    self._book.changed.notify_all()
            self._again(shard)

    def _again(self, shard: Shard) -> None:
        """A reason to hold may have come and gone while the work ended."""
        with self._book.changed:
            due = shard.waits and not shard.holds
        if due:
            self.begin(shard)

    def _work(self, shard: Shard) -> None:
        try:
            while not shard.gone and not self._bring_in_sync(shard):
                self._patience.sleep(0.05)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - the thread goes on; the shard is given up, loudly
            self._fail(shard, error)

    def _bring_in_sync(self, shard: Shard) -> bool:
        """One try; True when the shard is live or must wait for whoever holds it."""
        try:
            if shard.replay_end is not None:
                self._replay(shard, shard.replay_end)
            if shard.sweep_first:
                self._sweep(shard, truncated=False)
                shard.sweep_first = False
            self._drain(shard)
        except CutoverError as error:
            # The collection is gone on one side: the control path will say so, or bring it back.
            if not isinstance(error, ArangoError) or error.error_num not in GONE:
                raise
            return False
        return self._go_live(shard)

    def _sweep(self, shard: Shard, *, truncated: bool) -> None:
        self._wait_idle(shard)
        self._sweeper.sweep(shard.plan, truncated=truncated)

    def _wait_idle(self, shard: Shard) -> None:
        with self._book.changed:
            while not (shard.idle or shard.gone):
                self._patience.check()
                self._book.changed.wait(0.2)

    def _replay(self, shard: Shard, end: int) -> None:
        """The stretch since the restart position as one unit; its keys are read back later (design §4.5)."""
        batch = SpoolBatch(shard.spool, end)
        try:
            for keys in batch.all_keys():
                self._recheck.note(shard.id, keys)
            if batch.truncated:
                self._sweep(shard, truncated=True)
        except BaseException:
            batch.close()
            raise
        # From here on it is the applier's: at a stop, or when the shard is let go, it may be in the middle of it.
        self._pool.submit(Unit(shard, done=batch.close, action=lambda: self._apply(shard, batch)))
        self._wait_idle(shard)
        shard.offset = end
        shard.replay_end = None

    def _apply(self, shard: Shard, batch: SpoolBatch) -> None:
        with closing(batch):
            self._units.apply(shard.plan, batch)

    def _drain(self, shard: Shard) -> None:
        """Submit the spool's units until little is left of it."""
        while not shard.gone and shard.state is not ShardState.SUSPECT:
            if shard.spool.size - shard.offset <= _LAST_BYTES and not self._truncate_ahead(shard):
                return
            markers: list[Marker] = []
            filled = 0
            for record in shard.spool.read(shard.offset):
                marker = parse(record.line)
                shard.offset = record.end
                if marker.tick <= (shard.start_tick or 0):
                    continue
                if marker.type == TRUNCATE:
                    self._submit(shard, markers, filled)
                    self._sweep(shard, truncated=True)
                    markers, filled = [], 0
                    continue
                markers.append(marker)
                filled += len(record.line)
                if filled >= _UNIT_BYTES:
                    break
            self._submit(shard, markers, filled)

    def _truncate_ahead(self, shard: Shard) -> bool:
        return any(parse(record.line).type == TRUNCATE for record in shard.spool.read(shard.offset))

    def _submit(self, shard: Shard, markers: Sequence[Marker], size: int) -> None:
        if markers:
            self._pool.submit(Unit(shard, markers, size))
        with self._book.changed:
            while shard.queued_bytes > _WINDOW_BYTES:
                self._patience.check()
                self._book.changed.wait(0.2)

    def _go_live(self, shard: Shard) -> bool:
        """Hand the rest of the spool over at a batch boundary; False when it has grown too much meanwhile."""
        tailer = self._tailers.get(shard.plan.leader)
        if tailer is None:
            return True
        outcome: list[bool] = []
        ticket = tailer.at_boundary(lambda: outcome.append(self._switch(shard, tailer)))
        # A server that is down may be in the middle of a batch: a doubt ends the waiting.
        while not ticket.wait(self._patience, Deadline(_GLANCE_SECONDS)):
            if shard.gone:
                return True
        return outcome[0]

    def _switch(self, shard: Shard, tailer: Tailer) -> bool:
        """In the tailer's thread: what follows in the log is queued behind what is left of the spool."""
        with self._book.changed:
            if shard.gone or shard.holds or shard.state is ShardState.SUSPECT:
                return True
        if shard.spool.size - shard.offset > _LAST_BYTES:
            return False
        markers = [parse(record.line) for record in shard.spool.read(shard.offset)]
        if any(marker.type == TRUNCATE for marker in markers):
            return False
        wanted = [marker for marker in markers if marker.tick > (shard.start_tick or 0)]
        pin = self._end_spool(shard)
        if pin is None:
            return True
        if wanted:
            self._pool.submit(Unit(shard, wanted, sum(len(marker.data) for marker in wanted)))
        self._pool.submit(Unit(shard, action=lambda: self._finish(shard, tailer, pin)))
        return True

    def _end_spool(self, shard: Shard) -> Optional[tuple[int, int]]:
        """From here on the shard's markers go straight to the appliers; None when it is let go."""
        with self._book.changed:
            if shard.gone:
                return None
            pin = shard.pin
            shard.renew_spool().delete()
            shard.route = Route.LIVE
            return pin

    def _finish(self, shard: Shard, tailer: Tailer, pin: object) -> None:
        """In the applier's thread, behind everything that was spooled."""
        in_sync = False
        with self._book.changed:
            if shard.state in (ShardState.CATCHING_UP, ShardState.HELD):
                in_sync = shard.route is Route.LIVE
                self._book.move(shard, ShardState.IN_SYNC if in_sync else ShardState.HELD)
        if tailer.ledger is not None:
            tailer.ledger.unpin(pin)
        if in_sync:
            self._recovered(shard)
