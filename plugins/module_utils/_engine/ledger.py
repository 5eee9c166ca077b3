# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which part of one server's log has reached the target: the restart position (invariant I4, design §4.4)."""

from __future__ import annotations

import threading
from collections import deque
from typing import Hashable, Optional

from .._core.clock import Deadline


class Chunk:
    """One answer of the log; ``end_tick`` is its last batch end (None: it holds none), ``through`` how far it read."""

    __slots__ = ("end_tick", "number", "outstanding", "sealed", "through")

    def __init__(self, number: int) -> None:
        self.number = number
        self.outstanding = 0
        self.sealed = False
        self.end_tick: Optional[int] = None
        self.through = 0


class Ledger:
    """Chunks of one server in the order of its log.

    The restart tick is the last batch end of the completed beginning, and never beyond a pin: shards whose markers
    wait on disk pin the batch end before their first one.
    """

    def __init__(self, start_tick: int) -> None:
        self._changed = threading.Condition()
        self._chunks: deque[Chunk] = deque()
        self._pins: dict[Hashable, int] = {}
        self._next = 1
        self._completed_end = start_tick
        self._completed_through = start_tick
        self._last_number = 0

    def begin_anew(self, tick: int) -> None:
        """Another log is read from here: what is still outstanding of the old one is no position in it."""
        with self._changed:
            for chunk in self._chunks:
                chunk.end_tick, chunk.through = None, tick
            self._completed_end = self._completed_through = tick

    def open(self) -> Chunk:
        """A new last chunk; the tailer adds its items, then seals it."""
        with self._changed:
            chunk = Chunk(self._next)
            self._next += 1
            self._chunks.append(chunk)
            return chunk

    def add(self, chunk: Chunk) -> None:
        """One more item of this chunk must be acknowledged."""
        with self._changed:
            chunk.outstanding += 1

    def seal(self, chunk: Chunk, end_tick: Optional[int], through: int) -> None:
        """The chunk is wholly routed: no item will be added."""
        with self._changed:
            chunk.end_tick, chunk.through, chunk.sealed = end_tick, through, True
            self._last_number = chunk.number
            self._merge(chunk)
            self._advance()

    def done(self, chunk: Chunk) -> None:
        """The target has acknowledged one item of this chunk (or it needs none any more)."""
        with self._changed:
            chunk.outstanding -= 1
            if chunk.outstanding < 0:
                raise ValueError("an item of the log was acknowledged twice")
            self._advance()

    def pin(self, name: Hashable, tick: int) -> None:
        """Hold the restart position at or before ``tick``, a batch end; an earlier pin of this name stays."""
        with self._changed:
            self._pins.setdefault(name, tick)

    def unpin(self, name: Hashable) -> None:
        """Let go; unknown names are ignored."""
        with self._changed:
            self._pins.pop(name, None)

    @property
    def restart_tick(self) -> int:
        """The largest batch end before which everything that must not be lost has reached the target."""
        with self._changed:
            return min([self._completed_end, *self._pins.values()])

    @property
    def applied_through(self) -> int:
        """Every marker up to here is applied, spooled or of no concern; not a restart position."""
        with self._changed:
            return self._completed_through

    @property
    def outstanding_chunks(self) -> int:
        """How many answers are kept; bounded, as finished neighbours are merged."""
        with self._changed:
            return len(self._chunks)

    def wait_completed(self, deadline: Deadline, stop: threading.Event) -> bool:
        """Wait until all chunks sealed before this call are complete; False on deadline or stop."""
        with self._changed:
            number = self._last_number
            while self._chunks and self._chunks[0].number <= number:
                if deadline.expired or stop.is_set():
                    return False
                self._changed.wait(min(0.2, deadline.remaining()))
            return True

    def _advance(self) -> None:
        while self._chunks and self._chunks[0].sealed and not self._chunks[0].outstanding:
            chunk = self._chunks.popleft()
            if chunk.end_tick is not None:
                self._completed_end = chunk.end_tick
            self._completed_through = max(self._completed_through, chunk.through)
        self._changed.notify_all()

    def _merge(self, chunk: Chunk) -> None:
        """Join a finished chunk with a finished one before it, so that waiting for one item costs no memory."""
        if chunk.outstanding or len(self._chunks) < 2:
            return
        before = self._chunks[-2]
        if before.sealed and not before.outstanding:
            self._chunks.pop()
            before.number = chunk.number
            before.through = max(before.through, chunk.through)
            if chunk.end_tick is not None:
                before.end_tick = chunk.end_tick
