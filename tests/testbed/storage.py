# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents of a shard on each of its servers, and the transactions that change them.

The leader and its followers share the bytes of a document, and each of their servers writes the operation to its own
log (facts §5.6).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Union

from tests.testbed import indexes
from tests.testbed.errors import ArangoError
from tests.testbed.exactness import inexact, is_exact
from tests.testbed.replica import Insertions, Operation, Operations, Replica, Version
from tests.testbed.wal import WalInserts, WalOp
from tests.testbed.wal_markers import COLLECTION_CREATE, COLLECTION_DROP, INSERT, REMOVE, removal

if TYPE_CHECKING:
    from tests.testbed.collection import Collection
    from tests.testbed.model import Database, Deployment, Server

Entry = Union[tuple[str, int, bytes, bool], WalInserts]  # the fields of a WalOp, or those of many insertions


class Shard:
    """A shard: its planned servers, leader first, and their replicas."""

    __slots__ = ("collection", "guid", "held", "lagging", "locks", "name", "replicas", "servers", "unique")

    def __init__(self, name: str, guid: str, collection: Collection, servers: list[Server]) -> None:
        self.name = name
        self.guid = guid  # the `cuid` of its markers
        self.collection = collection
        self.servers = [server.id for server in servers]
        by_revision = collection.by_revision
        self.replicas = {server.id: Replica(server, by_revision) for server in servers}
        self.lagging: set[str] = set()  # followers that missed writes while they were down
        self.held: set[str] = set()  # followers that get nothing although they are up (faults)
        self.locks: dict[str, Transaction] = {}
        self.unique: dict[str, dict[object, str]] = {}  # index id → values → key (kept by indexes.py)

    @property
    def leader(self) -> Replica:
        """The replica that serves reads and orders writes."""
        return self.replicas[self.servers[0]]

    def __len__(self) -> int:
        return len(self.leader.keys)

    def place(self, servers: list[Server]) -> None:
        """Change the servers of the shard (leader first); new followers are filled from the present leader.

        The copy shows in the new server's log as inserts (facts §5.6).
        """
        for server in servers:
            if server.id not in self.replicas:
                replica = Replica(server, self.collection.by_revision)
                replica.copy_from(self.leader)
                self.replicas[server.id] = replica
                self._created_on(server)
                inserts = [WalOp(self.guid, INSERT, self.local_form(raw)) for _revision, raw in replica.snapshot()]
                server.log.append_transaction(self.database_name, server.next_tid(), inserts)
        for identifier in [name for name in self.replicas if name not in {server.id for server in servers}]:
            self._dropped_from(self.replicas.pop(identifier).server)
        if self.servers[0] != servers[0].id:
            servers[0].clock.observe(self._deployment.servers[self.servers[0]].clock.last)
        self.servers = [server.id for server in servers]

    @property
    def _deployment(self) -> Deployment:
        return self.collection.database.deployment

    def unfit(self) -> ArangoError | None:
        """Why writes are refused: a full disk, or too few replicas up for the write concern (facts §7.8)."""
        if self.leader.server.disk_full:
            return ArangoError(1104)
        up = sum(replica.server.writable for replica in self.replicas.values())
        if up >= min(int(self.collection.properties["writeConcern"]), len(self.servers)):
            return None
        if self._deployment.version_tuple < (3, 11, 0):
            return ArangoError(1004)
        return ArangoError(1429, status=self._deployment.options.failed_write_concern_status_code)

    def live_replicas(self) -> list[Replica]:
        """The replicas that get a write now; followers that are down, full or held fall behind."""
        held = self.held
        live = [entry for name, entry in self.replicas.items() if entry.server.writable and name not in held]
        if len(live) < len(self.replicas):
            self.lagging |= self.replicas.keys() - {replica.server.id for replica in live}
        return live

    def catch_up(self, server: Server) -> None:
        """Bring a follower that fell behind to the state of the leader; its log shows the differences."""
        replica, leader = self.replicas.get(server.id), self.leader
        if server.id not in self.lagging or server.id in self.held or replica is None or replica is leader:
            return
        self.lagging.discard(server.id)
        gone = [(key, place) for key, place in replica.keys.items() if key not in leader.keys]
        missed = [(key, place) for key, place in leader.keys.items() if replica.keys.get(key) != place]
        entries = [WalOp(self.guid, REMOVE, removal(key, place.partition("\0")[0])) for key, place in gone]
        present = [leader.docs[place] for _key, place in missed if place in leader.docs]
        entries += [WalOp(self.guid, INSERT, self.local_form(raw)) for raw in present]
        replica.copy_from(leader)
        server.log.append_transaction(self.database_name, server.next_tid(), entries)

    def local_form(self, raw: bytes) -> bytes:
        """A document as this shard's servers print it in dumps and logs.

        In one reading `_id` has the shard's name (facts §12.2); old versions print large doubles inexactly (§5.8).
        """
        deployment = self._deployment
        if deployment.prints_raw:
            return raw
        if not is_exact(deployment.version_tuple):
            raw = inexact(raw)
        if not deployment.options.reads(2, "shard-ids"):
            return raw
        head = b'"_id":"%b/'
        return raw.replace(head % self.collection.name.encode(), head % self.name.encode(), 1)

    def printed(self, documents: list[bytes]) -> list[bytes]:
        """Documents of a dump."""
        return documents if self._deployment.prints_raw else [self.local_form(raw) for raw in documents]

    @property
    def database_name(self) -> str:
        """Name of the database it is in."""
        return self.collection.database.name

    def create(self) -> None:
        """Make the shard known on each of its servers."""
        for replica in self.replicas.values():
            self._created_on(replica.server)

    def drop(self) -> None:
        """Take the shard from all its servers."""
        for replica in self.replicas.values():
            self._dropped_from(replica.server)

    def log(self, kind: int, data: object | None = None) -> None:
        """Write a definition marker (2003, 2004, 21xx) to the log of each server that holds the shard."""
        for replica in self.replicas.values():
            replica.server.log.append_ddl(kind, self.database_name, self.guid, data)

    def _created_on(self, server: Server) -> None:
        server.shards[self.name] = self
        definition = self.collection.local_definition(self)
        server.log.append_ddl(COLLECTION_CREATE, self.database_name, self.guid, definition, self.name)

    def _dropped_from(self, server: Server) -> None:
        server.shards.pop(self.name, None)
        server.log.append_ddl(COLLECTION_DROP, self.database_name, self.guid)


class ShardWriter:
    """Pending changes of one transaction on one shard: it sees its own writes, others see them after the commit."""

    __slots__ = ("_base", "_unfit", "changed", "clock", "ops", "shard", "transaction", "unique")

    def __init__(self, transaction: Transaction, shard: Shard) -> None:
        self.transaction = transaction
        self.shard = shard
        self.clock = shard.leader.server.clock
        self._base = shard.leader
        self._unfit = shard.unfit()
        self.changed: dict[str, Version | None] = {}
        self.ops: Operations = []
        self.unique: dict[tuple[str, object], str | None] = {}  # pending entries of unique indexes (indexes.py)

    def get(self, key: str) -> Version | None:
        """The version of a key that this transaction sees."""
        if key in self.changed:
            return self.changed[key]
        return self._base.get(key)

    def put(self, key: str, revision: str, raw: bytes) -> None:
        """Write a document; errorNum 1200 for a write-write conflict, 1429 without write concern."""
        if self._unfit is not None:
            raise self._unfit
        if self.shard.locks or self.transaction.stream:
            self._lock(key)
        self.changed[key] = (revision, raw)
        self.ops.append((INSERT, key, revision, raw))

    def takes_as_new(self, documents: Insertions) -> bool:
        """Whether `insert` may be used: nothing stands in the way of a write, and no key is there or comes twice."""
        keys = set(documents.keys)
        return (
            self._unfit is None
            and not (self.shard.locks or self.transaction.stream)
            and len(keys) == len(documents.keys)
            and self._base.keys.keys().isdisjoint(keys)
            and self.changed.keys().isdisjoint(keys)
        )

    def insert(self, documents: Insertions) -> None:
        """Write documents that are new."""
        self.changed.update(zip(documents.keys, zip(documents.revisions, documents.raws)))
        self.ops.append(documents)

    def remove(self, key: str, revision: str) -> None:
        """Remove a document whose present revision is given; errors as of `put`."""
        if self._unfit is not None:
            raise self._unfit
        if self.shard.locks or self.transaction.stream:
            self._lock(key)
        self.changed[key] = None
        self.ops.append((REMOVE, key, revision, removal(key, revision)))

    def keys(self) -> Iterator[str]:
        """Keys that this transaction sees."""
        changed = self.changed
        for key in self._base.keys:
            if changed.get(key, True) is not None:
                yield key
        for key, version in changed.items():
            if version is not None and key not in self._base.keys:
                yield key

    def versions(self) -> Iterator[Version]:
        """Documents that this transaction sees, in the engine's order and without those a clash has torn away."""
        if not self.changed:
            yield from self._base.snapshot()
            return
        for key in list(self.keys()):
            version = self.get(key)
            if version is not None:
                yield version

    def _lock(self, key: str) -> None:
        holder = self.shard.locks.get(key)
        if holder is not None and holder is not self.transaction:
            raise ArangoError(1200, "write-write conflict", status=409)
        if self.transaction.stream:
            self.shard.locks[key] = self.transaction


class Transaction:
    """A group of operations.

    A plain one is framed per shard, as a coordinator sends one request per shard; `single` marks an operation on one
    document, which has no frame; a `stream` transaction is framed per server and keeps its id over intermediate commits
    (facts §5.5).
    """

    def __init__(
        self, database: Database, *, tid: str | None = None, single: bool = False, stream: bool = False
    ) -> None:
        self.database = database
        self.tid = tid
        self.single = single
        self.stream = stream
        self._writers: dict[str, ShardWriter] = {}
        self._local_tids: dict[str, str] = {}

    def writer(self, shard: Shard) -> ShardWriter:
        """The pending changes of a shard."""
        writer = self._writers.get(shard.name)
        if writer is None:
            _check_leader(shard)
            writer = self._writers[shard.name] = ShardWriter(self, shard)
        return writer

    def pending(self) -> int:
        """Operations that were not committed yet."""
        return sum(len(writer.ops) for writer in self._writers.values())

    def commit(self) -> None:
        """Make everything visible, write it to the logs, and release the locks; nothing of it when that is refused."""
        try:
            self.intermediate_commit()
        finally:
            self.abort()

    def abort(self) -> None:
        """Forget what is pending and release the locks."""
        for writer in self._writers.values():
            locks = writer.shard.locks
            for key in [key for key, holder in locks.items() if holder is self]:
                del locks[key]
        self._writers.clear()

    def intermediate_commit(self) -> None:
        """Make what is pending visible and write it to the logs as a frame of its own; locks stay.

        Refused as a whole when a leader went down or ran full since the first write.
        """
        for writer in self._writers.values():
            if writer.ops:
                _check(writer.shard)
        framed: dict[str, tuple[Server, list[Entry]]] = {}
        for writer in self._writers.values():
            if not writer.ops:
                continue
            replicas = writer.shard.live_replicas()
            entries = _apply(writer, replicas)
            for replica in replicas:
                if self.stream:
                    framed.setdefault(replica.server.id, (replica.server, []))[1].extend(entries)
                else:
                    self._log(replica.server, entries)
            writer.ops = []
            writer.changed = {}
        for server, entries in framed.values():
            self._log(server, entries)

    def _log(self, server: Server, entries: list[Entry]) -> None:
        if self.single and len(entries) == 1:
            server.log.append_single(self.database.name, *entries[0])
        else:
            server.log.append_transaction(self.database.name, self._tid_on(server), entries)

    def _tid_on(self, server: Server) -> str:
        """The id that a frame on this server gets (facts §12.3)."""
        options = self.database.deployment.options
        if self.tid is None or options.reads(3, "tid-per-frame"):
            return server.next_tid()
        if not options.reads(3, "local-tid"):
            return self.tid
        if server.id not in self._local_tids:
            self._local_tids[server.id] = server.next_tid()
        return self._local_tids[server.id]


def _check_leader(shard: Shard) -> None:
    """errorNum 1478 when nobody can reach it."""
    if shard.leader.server.down:
        raise ArangoError(1478, f"no connection to the leader of shard {shard.name}")


def _check(shard: Shard) -> None:
    """Whether a commit is possible: errorNum 1478, 1104, 1429."""
    _check_leader(shard)
    refusal = shard.unfit()
    if refusal is not None:
        raise refusal


def _apply(writer: ShardWriter, replicas: list[Replica]) -> list[Entry]:
    """Change every replica; answers what each of their logs gets."""
    shard = writer.shard
    entries = [_entry(shard, operation) for operation in writer.ops]
    for replica in replicas:
        replica.apply(writer.ops)
    if writer.unique:
        indexes.settle(writer)
    return entries


def _entry(shard: Shard, operation: Operation | Insertions) -> Entry:
    if isinstance(operation, Insertions):
        return WalInserts(shard.guid, shard.printed(operation.raws))
    kind, key, _revision, data = operation
    return shard.guid, kind, shard.local_form(data), kind == INSERT and key in shard.leader.keys
