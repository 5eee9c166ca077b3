# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The write-ahead log of one server as a pure model: sequence numbers, write batches, scanning rules (facts §5).

A tick is a sequence number; a write batch takes one for each entry it puts (old document, document, primary index,
every secondary index entry), so that ticks of markers have gaps. An *empty* batch takes none and shares its number with
the next write. Only committed writes get here.

Batches are kept in segments ("WAL files"), which is the unit of purging.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, NamedTuple

from tests.testbed.wal_clients import LogClients
from tests.testbed.wal_markers import (
    COLLECTION_CREATE,
    DATABASE_CREATE,
    DATABASE_DROP,
    INSERT,
    REMOVE,
    VIEW_CREATE,
    Batch,
    DatabaseRef,
    DdlBatch,
    FrameBatch,
    ObjectRef,
    Run,
    SilentBatch,
    SingleBatch,
    ddl_rest,
    json_bytes,
    local_name,
    without_object_ids,
)
from tests.testbed.wal_tail import Printer, TailQuery, TailResult

if TYPE_CHECKING:
    from tests.testbed.model import Server

FILE_TIMEOUT = 10.0
FILE_TIMEOUT_INITIAL = 60.0
_BYTES_PER_NUMBER = 100


class WalOp(NamedTuple):
    """One document operation: `kind` 2300 with the raw document, or 2302 with `removal(key, rev)`.

    `replaces` = an older version of the document is deleted first, which takes a number of its own.
    """

    cuid: str
    kind: int
    data: bytes
    replaces: bool = False


class WalInserts(NamedTuple):
    """Insertions of documents that replace nothing."""

    cuid: str
    data: list[bytes]


@dataclass
class Segment:
    """A WAL file: contiguous batches."""

    start: int
    opened: float
    batches: list[Batch] = field(default_factory=list)


def numbers(kind: int, replaces: bool, secondary: int) -> tuple[int, int]:
    """How many numbers an operation takes, and the offset of the one which its marker carries (facts §5.4).

    A removal deletes the document, then the primary index entry: the marker has the number of the second.
    """
    if kind == REMOVE:
        return 2 + secondary, 1
    return 2 + replaces + secondary, int(replaces)


class _Frame:
    """The operations of a transaction, by column; `position` = the next number."""

    def __init__(self, objects: dict[str, ObjectRef], position: int) -> None:
        self._objects = objects
        self.position = position
        self.runs: list[Run] = []
        self._last: tuple[str, int] | None = None
        self._plain = self._replacing = (0, 0)

    def _run(self, cuid: str, kind: int) -> Run:
        if (cuid, kind) != self._last:
            self._last = (cuid, kind)
            obj = self._objects[cuid]
            self._plain, self._replacing = numbers(kind, False, obj.secondary), numbers(kind, True, obj.secondary)
            self.runs.append(Run(obj, kind, array("Q"), []))
        return self.runs[-1]

    def add(self, cuid: str, kind: int, data: bytes, replaces: bool) -> None:
        """One operation."""
        run = self._run(cuid, kind)
        count, offset = self._replacing if replaces else self._plain
        run.ticks.append(self.position + offset)
        run.data.append(data)
        self.position += count

    def insert(self, cuid: str, data: list[bytes]) -> None:
        """Insertions that replace nothing."""
        run = self._run(cuid, INSERT)
        count, offset = self._plain
        end = self.position + count * len(data)
        run.ticks.extend(range(self.position + offset, end + offset, count))
        run.data.extend(data)
        self.position = end


class Wal:
    """The log of one server. `nasty` adds empty batches and writes that nobody sees (facts §5.4)."""

    def __init__(
        self,
        *,
        server_id: str,
        clock: Callable[[], float] = time.time,
        nasty: bool = True,
        empty_every: int = 5,
        segment_batches: int = 2048,
        segment_age: float = 5.0,
        time_scale: float = 1.0,
        missing_is_present: bool = False,
    ) -> None:
        self.server_id = server_id
        self.clients = LogClients()
        self._clock = clock
        self._nasty = nasty
        self._empty_every = empty_every
        self._appends = 0
        self._segment_batches = segment_batches
        self._segment_age = segment_age
        self._time_scale = time_scale
        self._missing_is_present = missing_is_present
        self._last = 0
        self._started = clock()
        self._restarted_at = -1  # the last number when the server came back
        self._databases: dict[str, DatabaseRef] = {}
        self._segments: list[Segment] = [Segment(1, clock())]

    @classmethod
    def for_server(cls, server: Server) -> Wal:
        """The log of a server of a deployment, as its options want it."""
        options = server.deployment.options
        return cls(
            server_id=server.replication_id,
            nasty=options.nasty,
            time_scale=options.time_scale,
            missing_is_present=options.reads(4, "present"),
        )

    # --- writing ---

    def append_single(self, db: str, cuid: str, kind: int, data: bytes, replaces: bool = False) -> int:
        """A stand-alone operation on one document (tid "0", no frame); returns its marker's tick."""
        obj = self._databases[db].objects[cuid]
        count, offset = numbers(kind, replaces, obj.secondary)
        start = self._last + 1
        self._add(SingleBatch(start, self._last + count, start + offset, obj, kind, data))
        return start + offset

    def append_transaction(
        self, db: str, tid: str, ops: Iterable[tuple[str, int, bytes, bool] | WalInserts]
    ) -> tuple[int, int]:
        """One frame 2200…2201; returns its first and last number. Without operations nothing is written."""
        start = self._last + 1
        ref = self._databases[db]
        frame = _Frame(ref.objects, start)
        for op in ops:
            if isinstance(op, WalInserts):
                frame.insert(*op)
            else:
                frame.add(*op)
        if frame.runs:
            self._add(FrameBatch(start, frame.position - 1, ref, tid.encode(), frame.runs))
        return start, frame.position - 1

    def append_ddl(self, kind: int, db: str, cuid: str | None = None, data: object = None, name: str = "") -> int:
        """A marker 1100 to 2112 (facts §5.5), also 2004. Keeps the log's idea of what exists on this server.

        `name` = name of the collection or shard on this server; without it that of `local_name`. `data` = what the
        marker shows (raw JSON or an object). Raises KeyError for a database or object that was not announced before.
        """
        if kind == DATABASE_CREATE:
            self._databases[db] = DatabaseRef(db)
        ref = self._databases[db]
        obj = None
        if cuid:
            if kind in (COLLECTION_CREATE, VIEW_CREATE):
                ref.objects[cuid] = ObjectRef(ref, cuid, name or local_name(cuid, data))
            obj = ref.objects[cuid]
        tick = self._last + 1
        raw = data if isinstance(data, bytes) else b"" if data is None else json_bytes(without_object_ids(data))
        self._add(DdlBatch(tick, tick, ref, obj, kind, ddl_rest(kind, db, cuid or "", raw)))
        if kind == DATABASE_DROP:
            ref.alive = False
            del self._databases[db]
            self.clients.forget_database(db)
        elif obj is not None:
            obj.follow(kind, data)
        return tick

    def append_internal(self, count: int) -> None:
        """Entries that no marker shows: statistics, settings, estimates. Ticks keep growing by them."""
        self._add(SilentBatch(self._last + 1, self._last + count))

    def append_empty(self) -> None:
        """A write batch without entries: its number is given again to the next write (facts §5.4)."""
        self._store(SilentBatch(self._last + 1, self._last))

    def _add(self, batch: Batch) -> None:
        self._last = batch.end
        self._store(batch)
        self._appends += 1
        if self._nasty and self._appends % self._empty_every == 0:
            self.append_empty()

    def _store(self, batch: Batch) -> None:
        segment = self._segments[-1]
        if len(segment.batches) >= self._segment_batches:
            segment = self._rotate()
        segment.batches.append(batch)

    def _rotate(self) -> Segment:
        segment = Segment(self._last + 1, self._clock())
        self._segments.append(segment)
        return segment

    # --- state ---

    def now(self) -> float:
        """The time of this server's clock, seconds since 1970."""
        return self._clock()

    def last_tick(self) -> int:
        """The newest sequence number."""
        return self._last

    def tick_range(self) -> tuple[int, int]:
        """Start of the oldest file kept, newest number (facts §5.1)."""
        return min(self._segments[0].start, self._last), self._last

    def databases(self) -> list[str]:
        """The databases that exist on this server."""
        return list(self._databases)

    def knows(self, db: str, name: str) -> bool:
        """Whether a collection or shard of that (local) name exists on this server."""
        ref = self._databases.get(db)
        return ref is not None and any(obj.name == name for obj in ref.objects.values())

    def operations(self) -> int:
        """Write batches so far."""
        return self._appends

    def archived_files(self) -> int:
        """Files that are no longer written to."""
        return len(self._segments) - 1

    def files(self) -> list[tuple[int, int]]:
        """First and last number of each file that is kept."""
        ends = [segment.start - 1 for segment in self._segments[1:]] + [self._last]
        return [(segment.start, end) for segment, end in zip(self._segments, ends, strict=True)]

    def archived_bytes(self) -> int:
        """About the size of the archived files, by the numbers they hold."""
        return (self._segments[-1].start - self._segments[0].start) * _BYTES_PER_NUMBER

    def writes(self, cuid: str, key: str) -> list[bytes]:
        """The documents that the log still has of one key of a shard, oldest first."""
        start = b'{"_key":' + json_bytes(key) + b","
        found: list[bytes] = []
        for batch in self._batches_from(0):
            if isinstance(batch, SingleBatch):
                found += [batch.data] if (batch.ref.cuid, batch.kind) == (cuid, INSERT) else []
            elif isinstance(batch, FrameBatch):
                for run in batch.runs:
                    found += run.data if (run.ref.cuid, run.kind) == (cuid, INSERT) else []
        return [data for data in found if data.startswith(start)]

    # --- retention ---

    def restarted(self) -> None:
        """The server came back with its data directory: registrations are gone, purging starts anew (facts §5.7)."""
        self.clients.clear()
        self._started = self._clock()
        self._restarted_at = self._last

    def purge(self) -> int:
        """Drop files that are archived, old enough and needed by no registered client; returns how many."""
        now = self._clock()
        self.clients.expire(now)
        if self._segments[-1].batches and now - self._segments[-1].opened > self._segment_age * self._time_scale:
            self._rotate()
        if now - self._started < FILE_TIMEOUT_INITIAL * self._time_scale:
            return 0
        oldest_needed = self.clients.lowest_tick()
        limit = now - FILE_TIMEOUT * self._time_scale
        dropped = 0
        while len(self._segments) > 1 and self._segments[1].opened <= limit:
            if oldest_needed is not None and self._segments[1].start > oldest_needed:
                break
            del self._segments[0]
            dropped += 1
        return dropped

    def purge_all(self) -> None:
        """Drop everything, whoever needs it: what an archive size limit may do (facts §5.7)."""
        self._segments = [Segment(self._last + 1, self._clock())]

    # --- reading ---

    def tail(self, query: TailQuery) -> TailResult:
        """Scan from a position; every rule of facts §5.3 and §5.4. Raises KeyError for an unknown collection."""
        since = query.from_tick
        if 0 < query.last_scanned < query.from_tick:
            since = query.last_scanned
        printer = Printer(query, self._databases)
        nothing_yet = self._last == self._restarted_at and query.from_tick >= self._last  # facts §5.4, §12.4
        first, last_scanned = printer.scan(() if nothing_yet else self._batches_from(since), since)
        present = first is not None and first <= query.from_tick
        if first is None:
            last_scanned = 0
            present = self._missing_is_present and query.from_tick == self._last
        return TailResult(printer.pieces, printer.last_included, last_scanned, self._last, present)

    def _batches_from(self, since: int) -> Iterator[Batch]:
        """From the batch that holds `since` (an empty one holds nothing), or the first one after it.

        A purge meanwhile takes nothing away from the reader (facts §5.4).
        """
        index = len(self._segments) - 1
        while index > 0 and self._segments[index].start > since:
            index -= 1
        first, *later = self._segments[index:]
        skip = bisect_left(first.batches, since, key=lambda batch: batch.end)
        yield from islice(first.batches, skip, None)
        for segment in later:
            yield from segment.batches
