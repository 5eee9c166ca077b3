# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Timed looks at the source for the forecast: metrics and logs some seconds apart, and a short reading of real shards.

Everything is bounded: the shards' reading by seconds and bytes per second, the log's by bytes. Nothing is registered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Optional

from ..._core.arango import Server
from ..._core.clock import Deadline
from ..._core.errors import CutoverError
from .. import fence
from ..dataplane_types import MIB
from ..marker import INSERT, REMOVE, parse
from ..parallel import gather
from ..patience import Patience, Stopped, Troubles
from ..snapshot import SnapshotLostError, Snapshots
from ..wal import Position, log_end, tail
from .measure import Collection
from .source_facts import TIMEOUT

# Bytes read in a second from all DB-Servers together.
MOST_PER_SECOND = 32 * MIB
_BATCH = 1 * MIB
_LOG_CHUNK = 4 * MIB
_MOST_LOG = 64 * MIB
_MOST_METRICS = 16 * MIB


class Reading(NamedTuple):
    """One look at a DB-Server: its metrics as text, the end of its log, monotonic seconds."""

    metrics: str
    tick: int
    at: float


@dataclass
class Read:
    """Documents and bytes that a reading gave, and the seconds in which the server was read."""

    documents: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def add(self, other: Read) -> None:
        """Count another reading in."""
        self.documents += other.documents
        self.bytes += other.bytes
        self.seconds += other.seconds


class Written(NamedTuple):
    """Writes and bytes of their markers."""

    writes: float
    bytes: float


@dataclass
class LogSample:
    """What a stretch of one log holds, by shard; ``share`` of the stretch was read."""

    by_shard: dict[str, Written] = field(default_factory=dict)
    share: float = 1.0


def reading(server: Server) -> Reading:
    """One look; raises the server's error."""
    answer = server.request("GET", "/_admin/metrics", timeout=TIMEOUT, max_body=_MOST_METRICS)
    return Reading(answer.body.decode("utf-8", "replace"), log_end(server).tick, time.monotonic())


def leaders_of(collections: list[Collection]) -> dict[tuple[str, str], Collection]:
    """Each shard's collection by the DB-Server that leads the shard and the shard's name."""
    return {
        (str(servers[0]), str(shard)): one
        for one in collections
        for shard, servers in (one.parameters.get("shards") or {}).items()
        if servers
    }


def read_shards(
    servers: Mapping[str, Server], collections: list[Collection], counts: Mapping[str, int], seconds: float
) -> dict[str, dict[str, Read]]:
    """Read documents on every DB-Server at once, the largest collections first; by server and collection's label."""
    leading: dict[str, list[tuple[Collection, str]]] = {}
    for (leader, shard), one in leaders_of(collections).items():
        leading.setdefault(leader, []).append((one, shard))
    most = MOST_PER_SECOND / max(1, len(servers))
    calls: dict[str, Callable[[], dict[str, Read]]] = {}
    for name, server in servers.items():
        mine = sorted(leading.get(name, []), key=lambda item: -counts.get(item[0].label, 0))
        calls[name] = partial(_read_server, name, server, mine, seconds, most)
    return gather(calls, width=max(1, len(calls)))


def _read_server(
    name: str, server: Server, shards: list[tuple[Collection, str]], seconds: float, most: float
) -> dict[str, Read]:
    found: dict[str, Read] = {}
    deadline, stop = Deadline(seconds), threading.Event()
    timer = threading.Timer(seconds + TIMEOUT, stop.set)
    timer.daemon = True
    timer.start()
    snapshots, patience = Snapshots(_BATCH), Patience(stop, Troubles())
    try:
        for collection, shard in shards:
            if deadline.expired:
                break
            total = found.setdefault(collection.label, Read())
            try:
                snapshot = snapshots.open(name, server, collection.database, [shard], patience)
            except SnapshotLostError:
                continue
            try:
                _read_some(snapshot.batches(), total, deadline, stop, most)
            except SnapshotLostError:
                continue
            finally:
                snapshot.close()
    except Stopped:
        return found
    finally:
        timer.cancel()
    return found


def _read_some(batches: Any, total: Read, deadline: Deadline, stop: threading.Event, most: float) -> None:
    """Batches until the deadline; waiting for the sake of the server does not count as reading."""
    while not deadline.expired:
        begun = time.monotonic()
        batch = next(batches, None)
        taken = time.monotonic() - begun
        total.seconds += taken
        if batch is None:
            return
        total.bytes += len(batch.body)
        total.documents += batch.body.count(b"\n")
        stop.wait(min(deadline.remaining(), max(0.0, len(batch.body) / most - taken)))


def read_logs(
    servers: Mapping[str, Server], before: Mapping[str, Reading], after: Mapping[str, Reading]
) -> dict[str, LogSample]:
    """What was written between two looks, by DB-Server."""
    return gather({
        name: partial(_read_log, server, before[name].tick, after[name].tick)
        for name, server in servers.items() if name in before and name in after
    })  # fmt: skip


def _read_log(server: Server, begin: int, end: int) -> LogSample:
    sample = LogSample()
    position, size = Position(begin, begin), 0
    while position.tick < end and size < _MOST_LOG:
        answer = tail(server, position, _LOG_CHUNK, None)
        for line in answer.lines:
            size += len(line)
            marker = parse(line)
            if marker.type in (INSERT, REMOVE) and marker.tick <= end:
                shard = marker.cuid.decode("utf-8", "replace")
                writes, bytes_ = sample.by_shard.get(shard, Written(0, 0))
                sample.by_shard[shard] = Written(writes + 1, bytes_ + len(line))
        reached = answer.last_included or answer.last_scanned
        if reached <= position.tick:
            return sample
        position = Position(reached, answer.last_scanned)
    if position.tick < end:
        sample.share = max(0.01, (position.tick - begin) / (end - begin))
    return sample


def running_queries(servers: Mapping[str, Server]) -> list[Mapping[str, Any]]:
    """Queries that run at this moment, of all coordinators; those that do not answer are left out."""

    def ask(server: Server) -> list[Mapping[str, Any]]:
        try:
            return fence.running_queries(server)
        except CutoverError:
            return []

    return [item for items in gather({name: partial(ask, one) for name, one in servers.items()}).values()
            for item in items]  # fmt: skip


@dataclass(frozen=True)
class Observed:
    """What was seen of the source between two looks.

    ``shards`` and ``logs`` are there only if a sample was asked for.
    """

    before: Mapping[str, Reading]
    after: Mapping[str, Reading]
    queries: list[Mapping[str, Any]]
    shards: Optional[Mapping[str, Mapping[str, Read]]] = None
    logs: Optional[Mapping[str, LogSample]] = None

    @property
    def seconds(self) -> float:
        """Between the two looks, at the least."""
        spans = [self.after[name].at - one.at for name, one in self.before.items() if name in self.after]
        return max(0.001, min(spans, default=0.001))


def observe(
    dbservers: Mapping[str, Server], coordinators: Mapping[str, Server], window: float,
    collections: list[Collection], counts: Mapping[str, int], sample_seconds: float,
) -> Observed:  # fmt: skip
    """Look, wait or read for a while, look again. Raises the first error of a DB-Server."""
    begun = Deadline(window)
    before = gather({name: partial(reading, server) for name, server in dbservers.items()})
    queries = running_queries(coordinators)
    shards = read_shards(dbservers, collections, counts, sample_seconds) if sample_seconds else None
    threading.Event().wait(begun.remaining())
    queries = [*queries, *running_queries(coordinators)]
    after = gather({name: partial(reading, server) for name, server in dbservers.items()})
    logs = read_logs(dbservers, before, after) if sample_seconds else None
    return Observed(before, after, queries, shards, logs)
