# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots of a server for readers: batches of the old dump, and contexts of the parallel dump (facts §4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from tests.testbed import hlc

if TYPE_CHECKING:
    from tests.testbed.model import Server
    from tests.testbed.replica import Replica

BATCH_TTL = 7200.0
# Documents that are measured and printed at once: they are still in the processor's cache then, which makes a dump
# three times faster than measuring a whole batch first.
_PORTION = 256
MIN_CHUNK, DEFAULT_CHUNK, MAX_CHUNK = 16 * 1024, 128 * 1024, 128 * 1024 * 1024
Printed = Callable[[list[bytes]], list[bytes]]
Open = Callable[[], "Documents"]


def as_stored(documents: list[bytes]) -> list[bytes]:
    """Documents as they are."""
    return documents


class Chunk(NamedTuple):
    """Some documents as a body."""

    documents: int
    body: bytes


class Documents:
    """The documents of one shard in the engine's order, taken piece by piece."""

    def __init__(self, docs: dict[str, bytes]) -> None:
        self._raw: list[bytes] | None = None
        self._docs = docs
        self._position = 0

    @classmethod
    def of(cls, replica: Replica) -> Documents:
        """Those of a replica as they are now; the bytes are shared."""
        if not replica.in_order:
            return cls(dict(replica.docs))
        documents = cls({})
        documents._raw = list(replica.docs.values())
        return documents

    def _all(self) -> list[bytes]:
        if self._raw is None:
            self._raw, self._docs = ordered(self._docs), {}
        return self._raw

    @property
    def done(self) -> bool:
        """Whether everything was taken."""
        return self._position >= len(self._all())

    def take(
        self, size: int, limit: int, printed: Printed = as_stored, before: bytes = b"", after: bytes = b"\n"
    ) -> Chunk:
        """The next documents: at least one, until `size` bytes are reached, at most `limit`.

        `printed` prints them, `before` and `after` stand around each.
        """
        raw = self._all()
        start = end = self._position
        last = min(start + limit, len(raw))
        between = after + before
        missing = size
        pieces = []
        while end < last and (missing > 0 or end == start):
            part = raw[end : min(end + _PORTION, last)]
            sizes = list(map(len, part))
            total = sum(sizes)
            if total >= missing:
                part = part[: bisect_left(list(accumulate(sizes)), missing) + 1]
            end += len(part)
            missing -= total
            pieces.append(between.join(printed(part)))
        self._position = end
        if pieces:  # a body is copied once only
            pieces[0] = before + pieces[0]
            pieces[-1] += after
        return Chunk(end - start, between.join(pieces))


def ordered(docs: dict[str, bytes]) -> list[bytes]:
    """Documents of a replica in the order of their revisions."""
    revisions = list(docs)
    if revisions and "\0" in revisions[0]:  # then all have a serial number
        revisions = [place.partition("\0")[0] for place in revisions]
    documents = list(docs.values())
    if hlc.is_ordered(revisions):
        return documents
    keys = list(map(hlc.sort_key, revisions))
    return [documents[index] for index in sorted(range(len(keys)), key=keys.__getitem__)]


@dataclass
class Batch:
    """A snapshot handle over all shards of a server (facts §4.1); `expires` and `ttl` in seconds."""

    id: str
    last_tick: int
    ttl: float
    expires: float
    shards: dict[str, dict[str, bytes]]
    readers: dict[str, Documents] = field(default_factory=dict)

    def reader(self, shard: str) -> Documents:
        """The iterator of a shard; it goes on where the last call stopped (facts §4.2)."""
        if shard not in self.readers:
            self.readers[shard] = Documents(self.shards.get(shard, {}))
        return self.readers[shard]


class DumpContext:
    """One snapshot of some shards, handed out in batches that clients name by numbers (facts §4.3).

    `shards` = what opens the documents of each, called at its first reading, and how they are printed.
    """

    def __init__(self, identifier: str, owner: str, database: str, shards: dict[str, tuple[Open, Printed]]) -> None:
        self.id = identifier
        self.owner = owner
        self.database = database
        self.batch_size = 0
        self.docs_per_batch = 0
        self.ttl = 0.0
        self.expires = 0.0
        self._served: dict[int, tuple[str, Chunk] | None] = {}
        self._batches = self._produce(shards)

    def _produce(self, shards: dict[str, tuple[Open, Printed]]) -> Iterator[tuple[str, Chunk]]:
        """Batches of different shards come mixed: several workers of the server read side by side."""
        readers: dict[str, Documents | None] = dict.fromkeys(shards)
        while readers:
            for name, known in list(readers.items()):
                opened, printed = shards[name]
                documents = known or opened()
                readers[name] = documents
                if documents.done:
                    del readers[name]
                    continue
                yield name, documents.take(self.batch_size, self.docs_per_batch, printed)

    def next(self, number: int, last: int | None) -> tuple[str, Chunk] | None:
        """Batch `number`: the same one when asked again; frees batch `last`; None when nothing is left."""
        if last is not None:
            self._served.pop(last, None)
        if number not in self._served:
            self._served[number] = next(self._batches, None)
        return self._served[number]


class Snapshots:
    """What readers hold open on one server; a restart loses it all."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._next_batch = 100
        self._next_dump = 0
        self.batches: dict[str, Batch] = {}
        self.dumps: dict[str, DumpContext] = {}

    def copy(self, shards: list[str] | None = None) -> dict[str, dict[str, bytes]]:
        """The documents of shards as they are now; the bytes are shared."""
        own = self._server.shards
        names = list(own) if shards is None else shards
        return {name: dict(own[name].replicas[self._server.id].docs) for name in names}

    def open_batch(self, ttl: float) -> Batch:
        """A new snapshot of the whole server."""
        now = self._server.log.now()
        self.expire(now)
        self._next_batch += 1
        batch = Batch(str(self._next_batch), self._server.log.last_tick(), ttl, now + ttl, self.copy())
        self.batches[batch.id] = batch
        return batch

    def batch(self, identifier: str, ttl: float = 0.0) -> Batch | None:
        """An open batch; its life is extended to the longer of its own and the given time (facts §4.1)."""
        now = self._server.log.now()
        self.expire(now)
        batch = self.batches.get(identifier)
        if batch is not None:
            batch.expires = now + max(batch.ttl, ttl)
        return batch

    def open_dump(self, owner: str, database: str, shards: list[str], ttl: float, *, late: bool = False) -> DumpContext:
        """A new context over some shards; raises KeyError for a shard that isn't here.

        `late`: each shard's documents are those of its first reading (facts §12.7).
        """
        now = self._server.log.now()
        self.expire(now)
        self._next_dump += 1
        shown: dict[str, tuple[Open, Printed]] = {}
        for name in shards:
            shard = self._server.shards[name]
            replica = shard.replicas[self._server.id]
            opened = partial(Documents.of, replica) if late else partial(_itself, Documents.of(replica))
            shown[name] = opened, shard.printed
        context = DumpContext(f"dump-{self._next_dump}", owner, database, shown)
        context.ttl = ttl
        context.expires = now + ttl
        self.dumps[context.id] = context
        return context

    def dump(self, identifier: str) -> DumpContext | None:
        """A context that still lives; asking for it extends its life."""
        now = self._server.log.now()
        self.expire(now)
        context = self.dumps.get(identifier)
        if context is not None:
            context.expires = now + context.ttl
        return context

    def expire(self, now: float) -> None:
        """Free what nobody asked for in time."""
        self.batches = {name: batch for name, batch in self.batches.items() if batch.expires > now}
        self.dumps = {name: context for name, context in self.dumps.items() if context.expires > now}

    def clear(self) -> None:
        """What a restart does."""
        self.batches.clear()
        self.dumps.clear()


def _itself(documents: Documents) -> Documents:
    return documents


def snapshots(server: Server) -> Snapshots:
    """The snapshots of a server."""
    store: dict[str, Snapshots] = server.deployment.objects.setdefault("snapshots", {})
    if server.id not in store:
        store[server.id] = Snapshots(server)
    return store[server.id]
