# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The data path of one shard without threads: servers that lead in turn, and an agent that goes step by step."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.applier import ApplierPool
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.brake import Brake
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.catchup import CatchUp
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.copier import Copiers
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Settings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.doubts import Doubts
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ledger import Ledger
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import PRESETS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import INSERT, REMOVE, Marker
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.reads import as_insert
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.repair import Repairs
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.replayer import Replayer
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.router import Observations, ShardRouter
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    Shard,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.snapshot import SnapshotBatch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.sweep import Sweeper
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.tailer import Tailer, Ticket
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.wal import Answer, Position
from tests.unit.plugins.module_utils._engine.fake_target import Bench, FakeTarget
from tests.unit.plugins.module_utils._engine.logs import line_of

ID = ShardId("d", "1", "s2")
SERVERS = ("S1", "S2", "S3")
Documents = dict[str, bytes]


class Replica:
    """One server's copy of the shard and its log; also what the agent asks of the server."""

    label = "server"

    def __init__(self) -> None:
        self.documents: Documents = {}
        self.log: list[Marker] = []
        self.purged = 0
        self.directory = 1
        self.behind = False

    @property
    def end(self) -> int:
        """The newest tick."""
        return self.log[-1].tick if self.log else self.purged or 1

    def put(self, key: str, raw: bytes | None) -> None:
        """Store a document, or remove it, and log that."""
        data = raw if raw is not None else self.documents.get(key)
        if data is None:
            return
        if raw is None:
            del self.documents[key]
        else:
            self.documents[key] = raw
        revision = json.loads(data)["_rev"].encode()
        kind = REMOVE if raw is None else INSERT
        self.log.append(Marker(self.end + 2, kind, b"d", b"c1/s2", b"0", key.encode(), revision, data))

    def json(self, method: str, path: str, **_options: Any) -> Any:
        """Its log's end."""
        return {"tick": str(self.end), "server": {"serverId": str(self.directory)}}


class SourceShard:
    """The replicas of one shard, the first server leads; ``meanwhile`` runs before each look of the agent."""

    def __init__(self) -> None:
        self.replicas = {name: Replica() for name in SERVERS}
        self.leader = "S1"
        self.revision = 0
        self.meanwhile: Callable[[], None] = lambda: None

    @property
    def leading(self) -> Replica:
        """The leader's copy."""
        return self.replicas[self.leader]

    def write(self, key: str, **more: object) -> None:
        """A new state of a document on the leader and all followers that keep up."""
        self.revision += 1
        raw = json.dumps({"_key": key, "_rev": str(self.revision), **more}).encode()
        self._put(key, raw)

    def remove(self, key: str) -> None:
        """The same for a remove."""
        if key in self.leading.documents:
            self._put(key, None)

    def _put(self, key: str, raw: bytes | None) -> None:
        for name, replica in self.replicas.items():
            if name == self.leader or not replica.behind:
                replica.put(key, raw)

    def fail_over(self, new: str) -> None:
        """Another one leads as it is; the others become equal to it, which their logs show."""
        self.leader = new
        for replica in self.replicas.values():
            replica.behind = False
            for key in sorted(set(replica.documents) | set(self.leading.documents)):
                wanted = self.leading.documents.get(key)
                if replica.documents.get(key) != wanted:
                    replica.put(key, wanted)

    def lose(self, name: str) -> None:
        """A follower loses its data directory and is filled again."""
        replica = self.replicas[name]
        replica.documents, replica.log, replica.purged = {}, [], 0
        replica.directory += 1
        for key, raw in self.leading.documents.items():
            replica.put(key, raw)

    def purge(self, name: str) -> None:
        """Everything in a log is gone."""
        replica = self.replicas[name]
        replica.purged, replica.log = replica.end, []

    def revisions(self, _database: str, _collection: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """What the agent reads through a coordinator."""
        self.meanwhile()
        documents = self.leading.documents
        return {key: [json.loads(documents[key])["_rev"]] for key in keys if key in documents}


class Snapshots:
    """Opens the documents of a server as of now."""

    def __init__(self, source: SourceShard) -> None:
        self._source = source

    def open(self, name: str, *_arguments: Any) -> Snapshots:
        """A snapshot of one replica."""
        self._source.meanwhile()
        self._taken = list(self._source.replicas[name].documents.values())
        return self

    def batches(self) -> Iterator[SnapshotBatch]:
        """Two documents at a time."""
        for start in range(0, len(self._taken), 2):
            self._source.meanwhile()
            yield SnapshotBatch(ID.shard, b"\n".join(self._taken[start : start + 2]) + b"\n")

    def close(self) -> None:
        """Nothing is kept."""


class SteppedTailer(Tailer):
    """Reads when it is told to; between two reads there is always a boundary."""

    def at_boundary(self, action: Callable[[], None]) -> Ticket:
        """At once."""
        ticket = Ticket(action)
        ticket.run()
        return ticket


class SteppedPatience(Patience):
    """Whoever waits has the appliers work."""

    def __init__(self) -> None:
        super().__init__(threading.Event(), Troubles(), 0.001)
        self.pump: Callable[[], None] = lambda: None

    def check(self) -> None:
        """Work instead of waiting."""
        self.pump()


class Agent:
    """One life of an agent; ``journal`` outlives it."""

    def __init__(self, directory: Path, source: SourceShard, target: FakeTarget, journal: dict[str, Any]) -> None:
        self.source = source
        self.journal = journal
        self.findings: list[Any] = []
        bench = Bench(target)
        self.notes = bench.notes
        self.patience = SteppedPatience()
        self.patience.pump = self.pump
        self._pumping = False
        bench.writer.patience = self.patience
        self.book = ShardBook(directory)
        self.book.changed.wait = lambda timeout=None: True  # type: ignore[method-assign]
        self.tailers: dict[str, Tailer] = {}
        self.routers: dict[str, ShardRouter] = {}
        self.positions: dict[str, Position] = {}
        self.ending = threading.Event()
        self.doubts = Doubts(self.book, self.tailers, self.routers, self.findings.append, self.ending, 0.0)
        self.pool = ApplierPool(1, self.book, self._apply, self.doubts.shard, self.patience, 1 << 20)
        self.units = bench.units
        sweeper = Sweeper(source, bench.reader, bench.writer, bench.units.refuse, self.patience, 100)  # type: ignore[arg-type]
        self.catch_up = CatchUp(
            self.book, self.pool, self.tailers, sweeper, bench.units, bench.notes, self.patience,  # type: ignore[arg-type]
            self.doubts.shard, self.doubts.recovered,
        )
        ending = (Settings(), lambda shard: None, self.doubts.shard)
        sizes: Any = None
        brake = Brake()
        brake.tune(PRESETS["gentle"])
        self.copiers = Copiers(self.book, self.tailers, self._arm, self, sizes, brake, *ending)  # type: ignore[arg-type]
        self.repairs = Repairs(
            self.book, self.tailers, self._arm, sweeper, bench.reader, bench.units, bench.notes, *ending,  # type: ignore[arg-type]
        )
        self.copiers.transfer.snapshots = self.repairs._snapshots = Snapshots(source)  # type: ignore[assignment]
        self.replayer = Replayer(self.book, self.tailers, self.routers, self.catch_up, self.patience)
        for name in SERVERS:
            self._follow(name)
        self._register()

    def _follow(self, name: str) -> None:
        observations = Observations()
        self.routers[name] = ShardRouter(
            name, self.book, self.pool, self.patience, observations, lambda: self._ledger(name),
            truncated=self.catch_up.begin, doubt=self.doubts.server,
            disk_full=lambda error: None, touched=lambda shard, keys: None, index=lambda shard, marker: None,
        )
        replica: Any = self.source.replicas[name]
        tailer = SteppedTailer(name, replica, 1, self.patience, Settings())
        known = self.journal.get("ticks", {}).get(name)
        lost = self.journal.get("directories", {}).get(name, replica.directory) != replica.directory
        start = replica.end if known is None or lost else known
        tailer.ledger = Ledger(start)
        tailer.data_directory = str(replica.directory)
        tailer._boundary = start
        self.tailers[name] = tailer
        self.positions[name] = Position(start, start)

    def _ledger(self, name: str) -> Ledger:
        ledger = self.tailers[name].ledger
        assert ledger is not None
        return ledger

    def _register(self) -> None:
        """As ``Schema.resume`` and ``DataPlane.register`` do, with the leader of now."""
        leader, known = self.source.leader, self.journal.get("in_sync")
        replica = self.source.replicas[leader]
        trusted = leader in self.journal.get("ticks", {}) and (
            self.journal["directories"][leader] == replica.directory
        )
        kept = known == leader and trusted
        begun = "in_sync" in self.journal
        suspect = not kept and (known is not None or self.journal.get("suspect", False))
        plan = ShardPlan(ID, "c", "c1/s2", leader, first_copy_into_empty=not begun)
        shard = self.book.add(plan, ShardState.SUSPECT if suspect else ShardState.PENDING)
        for router in self.routers.values():
            router.know(shard)
        if kept:
            self.replayer.adopt(shard)

    def _arm(self, shard: Shard) -> None:
        self.routers[shard.plan.leader].spool(shard)

    def _apply(self, shard: Shard, batch: Any, count: int) -> None:
        self.units.apply(shard.plan, batch)

    def restore(self, plan: ShardPlan, body: bytes) -> None:
        """Stands for the restorer: writes what a copier read."""
        target: Any = self.units._writer.coordinators
        for line in body.split(b"\n"):
            if line:
                target.documents[as_insert(line).key.decode()] = line

    @property
    def shard(self) -> Shard:
        """Its present life."""
        shard = self.book.get(ID)
        assert shard is not None
        return shard

    def pump(self, count: int = 1000) -> None:
        """The applier works on so many batches."""
        if self._pumping:
            return
        self._pumping = True
        while count and self.pool._queues[0]:
            count -= 1
            self.pool._work(self.pool._take(0))
        self._pumping = False

    def read(self, name: str, count: int) -> None:
        """A tailer reads so many markers, as ``Tailer._follow`` does."""
        replica, tailer, position = self.source.replicas[name], self.tailers[name], self.positions[name]
        if tailer.data_directory != str(replica.directory):
            tailer.data_directory = str(replica.directory)
            self.routers[name].doubt("new-data-directory", "its data directory was replaced")
            self.positions[name] = Position(replica.end, replica.end)
            return
        markers = [marker for marker in replica.log if marker.tick > position.tick][:count]
        last = markers[-1].tick if markers else 0
        present = position.tick >= replica.purged
        answer = Answer([line_of(marker) for marker in markers], last, last or replica.end, replica.end, present)
        tailer._examine(position, answer, self.routers[name])
        tailer._route(answer, self.routers[name], self._ledger(name))
        reached = last or (position.tick if present else replica.end)
        self.positions[name] = Position(reached, reached)

    def read_all(self) -> None:
        """Every log to its end."""
        for name in SERVERS:
            while self.positions[name].tick < self.source.replicas[name].end or self._replaced(name):
                self.read(name, 3)

    def _replaced(self, name: str) -> bool:
        return self.tailers[name].data_directory != str(self.source.replicas[name].directory)

    def notice(self) -> None:
        """The inventory was read: who leads?"""
        self.doubts.relocated({ID: self.source.leader})

    def work(self) -> None:
        """Whatever is due for the shard: the replay's end, a copy, a comparison, its spool."""
        shard = self.shard
        tailer = self.tailers[shard.plan.leader]
        if shard.state is ShardState.HELD and shard.holds:
            self.read(shard.plan.leader, 1000)
            if self.shard is shard:
                self.replayer._release([shard], tailer)
        elif shard.state in (ShardState.PENDING, ShardState.COPYING):
            self.pump()
            self.copiers._copy(tailer, [shard])
        elif shard.state is ShardState.SUSPECT:
            self.repairs._repair(tailer, self.repairs._choose(tailer))
        if self.shard.waits and not self.shard.holds:
            self.catch_up._work(self.shard)

    def checkpoint(self) -> None:
        """As ``Running.checkpoint`` does."""
        self.doubts.published()
        ticks = {name: self._ledger(name).restart_tick for name in SERVERS}
        state = self.shard.state
        kept = state in (ShardState.IN_SYNC, ShardState.HELD)
        self.journal["in_sync"] = self.shard.plan.leader if kept else None
        self.journal["suspect"] = state in (ShardState.CATCHING_UP, ShardState.SUSPECT)
        self.journal["ticks"] = ticks
        self.journal["directories"] = {
            name: int(tailer.data_directory or 0) for name, tailer in self.tailers.items()
        }
        self.doubts.journaled()
