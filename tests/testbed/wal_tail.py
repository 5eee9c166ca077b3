# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scanning a log: the parameters, the result, and which markers of a batch are printed (facts §5.2 to §5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from tests.testbed.wal_markers import (
    BEGIN,
    COLLECTION_DROP,
    COMMIT,
    DATABASE_DROP,
    VIEW_DROP,
    Batch,
    DatabaseRef,
    DdlBatch,
    FrameBatch,
    ObjectRef,
    SingleBatch,
    excluded,
)

MIN_CHUNK = 16 * 1024
DEFAULT_CHUNK = 1024 * 1024
MAX_CHUNK = 128 * 1024 * 1024


@dataclass(frozen=True)
class TailQuery:
    """The parameters of `/_api/wal/tail` after checking (facts §5.2); `database` None = global."""

    database: str | None
    from_tick: int = 0
    to_tick: int | None = None
    last_scanned: int = 0
    chunk_size: int = DEFAULT_CHUNK
    collection: str | None = None
    include_system: bool = False
    include_foxx_queues: bool = False


@dataclass(frozen=True)
class TailResult:
    """Pieces of the body, to be joined, and the values of the headers (facts §5.3)."""

    pieces: list[bytes]
    last_included: int
    last_scanned: int
    last_tick: int
    from_present: bool

    @property
    def check_more(self) -> bool:
        """Stays true after the last marker if later numbers belong to something that isn't printed."""
        return 0 < self.last_included < self.last_tick


class Printer:
    """Renders the markers of one tail call and knows when it has to stop."""

    def __init__(self, query: TailQuery, databases: dict[str, DatabaseRef]) -> None:
        self._query = query
        self._from = query.from_tick
        self._to = query.to_tick if query.to_tick is not None else 1 << 64
        self._database = databases.get(query.database) if query.database is not None else None
        self._only: ObjectRef | None = None
        if query.collection is not None:
            self._only = self._find(query.collection)
        self.chunk = min(max(query.chunk_size, MIN_CHUNK), MAX_CHUNK)
        self._wanted: dict[ObjectRef, bool] = {}
        self.pieces: list[bytes] = []
        self.size = 0
        self.last_included = 0

    def _find(self, name: str) -> ObjectRef:
        for obj in self._database.objects.values() if self._database else ():
            if obj.name == name:
                return obj
        raise KeyError(name)

    def scan(self, batches: Iterable[Batch], since: int) -> tuple[int | None, int]:
        """Print; returns the start of the first batch seen (None: none) and `lastscanned` (facts §5.3)."""
        first: int | None = None
        last_scanned = since
        for batch in batches:
            start = batch.start
            if first is None:
                first = start
            if start > self._to:
                break
            if start < since:
                last_scanned = start
                continue
            if type(batch) is SingleBatch:
                self._single(batch)
            elif type(batch) is FrameBatch:
                if not self._frame(batch):
                    return first, start
            elif type(batch) is DdlBatch:
                self._definition(batch)
            last_scanned = batch.end if batch.end > start else start
            if self.size >= self.chunk:
                break
        return first, last_scanned

    def _single(self, batch: SingleBatch) -> None:
        tick = batch.tick
        ref = batch.ref
        wanted = self._wanted.get(ref)
        if wanted is None:
            wanted = self._wants(ref)
        if wanted and self._from < tick <= self._to:
            data = batch.data
            self.pieces += (b'{"tick":"%d' % tick, ref.rest[batch.kind], b'0","data":', data, b"}\n")
            self.size += len(data) + 90
            self.last_included = tick

    def _frame(self, batch: FrameBatch) -> bool:
        """A transaction; False when the size was passed inside of it and the client can go on inside (§5.4)."""
        if not self._wants_database(batch.ref):
            return True
        self._mark(batch.start, batch.ref.frame % (batch.start, BEGIN, batch.tid))
        split = self._query.last_scanned > 0
        passed = False
        tid = batch.tid + b'","data":'
        for run in batch.runs:
            wanted = self._wanted.get(run.ref)
            if not (self._wants(run.ref) if wanted is None else wanted):
                continue
            middle = run.ref.rest[run.kind] + tid
            for tick, data in zip(run.ticks, run.data):
                if not self._from < tick <= self._to:
                    continue
                if passed:
                    return False
                self.pieces += (b'{"tick":"%d' % tick, middle, data, b"}\n")
                self.size += len(data) + 90
                self.last_included = tick
                passed = split and self.size > self.chunk
        self._mark(batch.end, batch.ref.frame % (batch.end, COMMIT, batch.tid))
        return True

    def _mark(self, tick: int, line: bytes) -> None:
        if self._from < tick <= self._to:
            self.pieces.append(line)
            self.size += len(line)
            self.last_included = tick

    def _definition(self, batch: DdlBatch) -> None:
        """Markers of what no longer exists are silently left out; drops are always printed (facts §5.6)."""
        if batch.kind == DATABASE_DROP:
            wanted = self._query.database in (None, batch.database.name)
        elif batch.ref is None or batch.kind in (COLLECTION_DROP, VIEW_DROP):
            wanted = self._wants_database(batch.database) and self._only in (None, batch.ref)
        else:
            wanted = self._wants(batch.ref)
        if wanted:
            self._mark(batch.start, b'{"tick":"%d' % batch.start + batch.rest + b"\n")

    def _wants_database(self, ref: DatabaseRef) -> bool:
        return ref.alive and (self._query.database is None or ref is self._database)

    def _wants(self, ref: ObjectRef) -> bool:
        query = self._query
        answer = (
            ref.alive
            and self._wants_database(ref.database)
            and (self._only is None or ref is self._only)
            and not excluded(ref.name, query.include_system, query.include_foxx_queues)
        )
        self._wanted[ref] = answer
        return answer
