# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Applier threads: stretches of shards' logs in order, each shard always in the same thread (invariant I1)."""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict, deque
from typing import Callable, Optional, Sequence

from .coalesce import Batch, MemoryBatch
from .marker import Marker
from .patience import Patience, Stopped
from .shards import Shard, ShardBook, ShardState
from .workers import Workers

_MERGE_BYTES = 4 * 1024 * 1024
_MERGE_MARKERS = 10_000


class Unit:
    """A stretch of one shard's log, or something to do between two of them (``action``).

    ``done`` is called when the target has acknowledged it, or when the shard needs it no more.
    """

    __slots__ = ("action", "done", "markers", "shard", "size")

    def __init__(
        self,
        shard: Shard,
        markers: Sequence[Marker] = (),
        size: int = 0,
        done: Optional[Callable[[], None]] = None,
        action: Optional[Callable[[], None]] = None,
    ) -> None:
        self.shard = shard
        self.markers = markers
        self.size = size
        self.done = done
        self.action = action


class ApplierPool:
    """Units queue here without limit in number; ``has_room`` tells the tailers when to stop reading."""

    def __init__(
        self,
        count: int,
        book: ShardBook,
        apply: Callable[[Shard, Batch, int], None],
        fail: Callable[[Shard, Exception], None],
        patience: Patience,
        limit: int,
    ) -> None:
        self._book = book
        self._apply = apply
        self._fail = fail
        self._patience = patience
        self._limit = limit
        self._bytes = 0
        self._queues: list[OrderedDict[Shard, deque[Unit]]] = [OrderedDict() for index in range(count)]
        self._ready = [threading.Condition(book.lock) for queue in self._queues]

    def start(self, workers: Workers) -> None:
        """Start the threads."""
        for index in range(len(self._queues)):
            workers.start(f"applier-{index}", lambda index=index: self._run(index))  # type: ignore[misc]

    @property
    def queued_bytes(self) -> int:
        """Bytes of all units that wait or are being applied."""
        return self._bytes

    @property
    def has_room(self) -> bool:
        """Whether the tailers may read on."""
        return self._bytes < self._limit

    def submit(self, unit: Unit) -> None:
        """Queue a unit behind all others of its shard."""
        index = zlib.crc32(repr(unit.shard.id).encode("utf-8")) % len(self._queues)
        with self._book.changed:
            unit.shard.queued_units += 1
            unit.shard.queued_bytes += unit.size
            self._bytes += unit.size
            self._queues[index].setdefault(unit.shard, deque()).append(unit)
            self._ready[index].notify()

    def _run(self, index: int) -> None:
        while True:
            self._work(self._take(index))

    def _take(self, index: int) -> list[Unit]:
        """The next units of the shard that has waited longest, as many as make one batch."""
        queue = self._queues[index]
        with self._book.changed:
            while not queue:
                self._patience.check()
                self._ready[index].wait(0.5)
            self._patience.check()
            shard, waiting = queue.popitem(last=False)
            units = [waiting.popleft()]
            size, count = units[0].size, len(units[0].markers)
            while waiting and units[0].action is None and waiting[0].action is None:
                size, count = size + waiting[0].size, count + len(waiting[0].markers)
                if size > _MERGE_BYTES or count > _MERGE_MARKERS:
                    break
                units.append(waiting.popleft())
            if waiting:
                queue[shard] = waiting
            return units

    def _work(self, units: list[Unit]) -> None:
        shard = units[0].shard
        try:
            if not shard.gone:
                self._do(shard, units)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - an applier must survive: the shard is given up, loudly
            self._fail(shard, error)
        for unit in units:
            if unit.done is not None:
                unit.done()
        with self._book.changed:
            size = sum(unit.size for unit in units)
            shard.queued_units -= len(units)
            shard.queued_bytes -= size
            self._bytes -= size
            # Nobody waits for the end of a write to a shard that is in sync, and waking all who wait for any change
            # of any shard costs more than a small write.
            if shard.gone or shard.state is not ShardState.IN_SYNC:
                self._book.changed.notify_all()

    def _do(self, shard: Shard, units: list[Unit]) -> None:
        action = units[0].action
        if action is not None:
            action()
            return
        batch = MemoryBatch(marker for unit in units for marker in unit.markers)
        self._apply(shard, batch, sum(len(unit.markers) for unit in units))
