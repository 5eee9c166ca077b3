# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots of a server for readers: batches of the old dump, and contexts of the parallel dump (facts §4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from tests.testbed import hlc

if TYPE_CHECKING:
    from tests.testbed.model import Server
    from tests.testbed.storage import Replica

Take = Callable[[], dict[str, bytes]]
BATCH_TTL = 7200.0
_PORTION = 1024  # documents whose sizes are added at once
MIN_CHUNK, DEFAULT_CHUNK, MAX_CHUNK = 16 * 1024, 128 * 1024, 128 * 1024 * 1024


class Documents:
    """The documents of one shard in the engine's order, taken piece by piece."""

    def __init__(self, docs: dict[str, bytes]) -> None:
        self._raw = ordered(docs)
        self._position = 0

    @property
    def done(self) -> bool:
        """Whether everything was taken."""
        return self._position >= len(self._raw)

    def take(self, size: int, limit: int) -> list[bytes]:
        """The next documents: at least one, until `size` bytes are reached, at most `limit`."""
        start = end = self._position
        last = min(start + limit, len(self._raw))
        missing = size
        while end < last and (missing > 0 or end == start):
            sizes = list(map(len, self._raw[end : min(end + _PORTION, last)]))
            total = sum(sizes)
            end += len(sizes) if total < missing else bisect_left(list(accumulate(sizes)), missing) + 1
            missing -= total
        self._position = end
        return self._raw[start:end]


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

    `shards` = what takes the documents of each; called at its first reading.
    """

    def __init__(self, identifier: str, owner: str, database: str, shards: dict[str, Take]) -> None:
        self.id = identifier
        self.owner = owner
        self.database = database
        self.batch_size = 0
        self.docs_per_batch = 0
        self.ttl = 0.0
        self.expires = 0.0
        self._served: dict[int, tuple[str, list[bytes]] | None] = {}
        self._batches = self._produce(shards)

    def _produce(self, shards: dict[str, Take]) -> Iterator[tuple[str, list[bytes]]]:
        """Batches of different shards come mixed: several workers of the server read side by side."""
        readers: dict[str, Documents | None] = dict.fromkeys(shards)
        while readers:
            for name, known in list(readers.items()):
                documents = known or Documents(shards[name]())
                readers[name] = documents
                if documents.done:
                    del readers[name]
                    continue
                yield name, documents.take(self.batch_size, self.docs_per_batch)

    def next(self, number: int, last: int | None) -> tuple[str, list[bytes]] | None:
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
        takes: dict[str, Take] = {}
        if late:
            replicas = {name: self._server.shards[name].replicas[self._server.id] for name in shards}
            takes = {name: partial(_documents_now, replica) for name, replica in replicas.items()}
        else:
            takes = {name: partial(_documents_then, docs) for name, docs in self.copy(shards).items()}
        context = DumpContext(f"dump-{self._next_dump}", owner, database, takes)
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


def _documents_then(docs: dict[str, bytes]) -> dict[str, bytes]:
    return docs


def _documents_now(replica: Replica) -> dict[str, bytes]:
    return dict(replica.docs)


def snapshots(server: Server) -> Snapshots:
    """The snapshots of a server."""
    store: dict[str, Snapshots] = server.deployment.objects.setdefault("snapshots", {})
    if server.id not in store:
        store[server.id] = Snapshots(server)
    return store[server.id]
