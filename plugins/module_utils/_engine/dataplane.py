# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facade of the data path: tailers, copiers and appliers of one migration (design §4.1 to §4.6)."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Callable, Iterable, Mapping, Optional, Sequence

from .._core.arango import Coordinators, Server
from .._core.clock import Deadline
from .applier import ApplierPool
from .brake import Brake
from .catchup import CatchUp
from .coalesce import Batch
from .copier import Copiers
from .dataplane_types import LateMarkers, Progress, Settings, Source, TargetGate, TopologyChange
from .doubts import Doubts
from .drain import Drain
from .exactness import ExactNumbers
from .findings import Finding
from .holds import Holds
from .index_marks import IndexMarks
from .inspection import Inspection
from .lanes import Lanes
from .ledger import Ledger
from .overview import Overview
from .packing import Packing
from .patience import Patience, Rate, Troubles, WriteGate
from .reads import Reader
from .recheck import Recheck
from .repair import Repairs
from .replayer import Replayer
from .restore import Restorer
from .retention import Retention, syncer_ids
from .router import Observations, ShardRouter, name_of
from .settler import Settler
from .shards import Shard, ShardBook, ShardId, ShardPlan, ShardState
from .sizes import Sizes
from .sweep import Sweeper
from .target import TargetWriter
from .unit import UnitWriter
from .workers import Workers

_SYNCER_IDS = "syncer-ids.json"


class DataPlane:
    """Moves documents from the source to the target; everything about definitions is the control path's.

    After a restart: ``register(plans, in_sync=True)`` for what the journal calls in-sync or held, and ``suspect=True``
    for what is on the target but in doubt, then ``start``; all other shards are registered at any time and copied. A
    checkpoint is: ``restart_ticks()``, then ``states()``; states are journaled first, then ticks; then
    ``checkpointed(ticks)``.
    """

    def __init__(
        self,
        *,
        source: Source,
        target: Coordinators,
        gate: TargetGate,
        state_dir: Path,
        settings: Settings,
        report: Callable[[Finding], None],
        took_over: bool = False,
    ) -> None:
        """``took_over``: another agent wrote before, and what it left without an answer is known to nobody here."""
        spools = state_dir / "spool"
        # Spools of an earlier process are of no use: their markers are read again (design §4.4).
        shutil.rmtree(spools, ignore_errors=True)
        spools.mkdir(parents=True, mode=0o700)
        self._settings = settings
        self._report = report
        self._stop = threading.Event()
        self._started = False
        # Requests of an earlier process may still run.
        self._took_over = took_over
        self._inherits = took_over or (state_dir / _SYNCER_IDS).exists()
        self._settled_at = time.monotonic() + (settings.settle_seconds if self._inherits else 0.0)
        self._troubles = Troubles()
        self._patience = patience = Patience(self._stop, self._troubles, settings.time_scale)
        self._gate = WriteGate(gate.check, patience)
        self._book = ShardBook(spools)
        self._recheck = Recheck(state_dir / "recheck.log", settings.settle_seconds)
        self._applied = Rate()
        self.brake = Brake()
        self._observations = Observations()
        self.index_marks = IndexMarks(settings.time_scale)
        self.packing = Packing(target, settings.compress)
        self._writer = TargetWriter(
            target, self._gate, patience, self._recheck, settings.batch_bytes, self.packing
        )
        self._source_reader = Reader(source.coordinators, patience)
        self._target_reader = Reader(target, patience)
        self._exact = ExactNumbers(source.coordinators, patience, report, needed=not settings.exact_numbers)
        self._units = UnitWriter(
            self._writer, self._target_reader, self._recheck, report, settings.batch_documents, self._exact
        )
        reading_id, retention_id = syncer_ids(state_dir / _SYNCER_IDS)
        self._lanes = Lanes(self._book, self._troubles, settings, reading_id, self._make_router)
        self._tailers, self._routers = self._lanes.tailers, self._lanes.routers
        self._doubts = Doubts(self._book, self._tailers, self._routers, report, patience.stop, patience.cap)
        self._workers = Workers(self._doubts.crash)
        self._pool = ApplierPool(
            settings.appliers, self._book, self._apply, self._doubts.shard, patience, settings.queue_bytes
        )
        self._retention = Retention(self._lanes.servers, retention_id, settings, patience, report)
        self.inspection = Inspection(
            self._book, self._tailers, self._lanes.needed, self._recheck, self._gate, patience
        )
        for name, server in source.servers.items():
            self._lanes.add(name, server)
        self._connect(source)

    def _make_router(self, name: str, patience: Patience, ledger: Callable[[], Ledger]) -> ShardRouter:
        return ShardRouter(
            name,
            self._book,
            self._pool,
            patience,
            self._observations,
            ledger,
            truncated=self._truncated,
            doubt=self._doubts.server,
            disk_full=self._disk_full,
            touched=self.inspection.touched,
            index=self.index_marks.saw,
        )

    def _connect(self, source: Source) -> None:
        """Build the parts that need the others."""
        settings, patience = self._settings, self._patience
        readers = (self._source_reader, self._target_reader)
        sweeper = Sweeper(*readers, self._writer, self._units.refuse, patience, settings.batch_documents)
        self._catch_up = CatchUp(
            self._book,
            self._pool,
            self._tailers,
            sweeper,
            self._units,
            self._recheck,
            patience,
            self._doubts.shard,
            self._doubts.recovered,
        )
        self._holds = Holds(self._book, self._tailers, self._routers, self._catch_up, self._recheck, patience)
        self._replayer = Replayer(self._book, self._tailers, self._routers, self._catch_up, patience)
        self._settler = Settler(
            self._recheck,
            self._book,
            self._pool,
            self._tailers,
            *readers,
            self._writer,
            self._units,
            sweeper,
            source.coordinators,
            patience,
            settings.time_scale,
        )
        self.inspection.connect(self._settler)
        ending = (settings, self._catch_up.begin, self._doubts.shard)
        self._copiers = Copiers(
            self._book,
            self._tailers,
            self._arm,
            Restorer(self._writer, self._target_reader, self._units.refuse, settings.batch_documents, self._exact),
            Sizes(source.coordinators, self._book),
            self.brake,
            *ending,
        )
        self._repairs = Repairs(
            self._book,
            self._tailers,
            self._arm,
            sweeper,
            self._target_reader,
            self._units,
            self._recheck,
            *ending,
        )
        self._drain = Drain(self._book, self._lanes, self._observations, self._stop)
        self._overview = Overview(
            self._book,
            self._lanes,
            self._pool,
            self._copiers,
            self._repairs,
            self._settler,
            self._troubles,
            self._observations,
            self._applied,
        )

    def _arm(self, shard: Shard) -> None:
        self._routers[shard.plan.leader].spool(shard)

    def register(self, plans: Sequence[ShardPlan], in_sync: bool = False, suspect: bool = False) -> None:
        """Add shards: to be copied, or (only before ``start``) in sync up to their server's restart tick, or to be
        compared and repaired. One whose leader is not followed waits for that.
        """
        if in_sync and self._started:
            raise ValueError("shards in sync are registered before the start")
        noted: set[tuple[str, str]] = set()
        for plan in plans:
            shard = self._book.add(plan, ShardState.SUSPECT if suspect else ShardState.PENDING)
            self._lanes.everywhere(lambda router, shard=shard: router.know(shard))  # type: ignore[misc]
            if in_sync:
                self._replayer.adopt(shard)
            # The copy that was broken off may have been this collection's; after a take-over any write may.
            doubtful = self._took_over if in_sync else self._inherits and not plan.first_copy_into_empty
            if doubtful and shard.collection not in noted:
                noted.add(shard.collection)
                self._recheck.note_collection(plan.id)

    def start(
        self, restart: Mapping[str, Optional[int]], directories: Optional[Mapping[str, str]] = None
    ) -> None:
        """Start all threads. A tick per DB-Server to read from; None = from the end of its log as it is now.

        ``directories`` are the data directories that the ticks belong to, as ``data_directories`` gave them.
        """
        missing = sorted(
            {shard.plan.leader for shard in self._replayer.adopted() if restart.get(shard.plan.leader) is None}
        )
        if missing:
            raise ValueError(f"no restart tick for {', '.join(missing)}, which lead shards in sync")
        self._started = True
        self._retention.keep({name: tick for name, tick in restart.items() if tick is not None})
        for name in self._tailers:
            self._start_lane(name, restart.get(name), (directories or {}).get(name))
        self._pool.start(self._workers)
        self._catch_up.start(self._workers)
        self._replayer.start(self._workers)
        self._workers.start("settler", self._settler.run)
        self._workers.start("retention", self._retention.run)

    def _start_lane(self, name: str, tick: Optional[int], directory: Optional[str]) -> None:
        tailer, router = self._tailers[name], self._routers[name]
        self._workers.start(f"tailer-{name}", lambda: tailer.run(tick, router, directory))
        self._copiers.start(self._workers, name)
        self._repairs.start(self._workers, name)

    def follow_servers(self, servers: Mapping[str, Server]) -> None:
        """Follow the log of these DB-Servers: new ones from now on; one that went and leads nothing is let go."""
        for name, server in servers.items():
            if name not in self._tailers:
                self._lanes.add(name, server)
                if self._started:
                    self._start_lane(name, None, None)
        for name in set(self._tailers) - set(servers) - self._lanes.leading():
            self._lanes.retire(name)
            self._retention.drop(name)

    def relocate(self, leaders: Mapping[ShardId, str]) -> None:
        """These shards are led by these servers now: what was read from another one may lack something."""
        self._doubts.relocated(leaders)

    def server_restarted(self, server: str, text: str) -> None:
        """A DB-Server was started anew: it may have lost the last of what was read from it."""
        self._doubts.server(server, "restart", text)

    @property
    def doubts(self) -> int:
        """Grows with every shard that gets in doubt."""
        return self._doubts.count

    def take_alarm(self) -> bool:
        """Whether something happened since the last call after which leaders should be looked at: a doubt, a server
        that does not answer, or does again, a shard that was dropped from its leader.
        """
        silence = self._lanes.silence_changed()
        alarm = self._doubts.alarm.is_set() or silence or self._observations.any_dropped()
        self._doubts.alarm.clear()
        return alarm

    def take_dropped(self) -> set[ShardId]:
        """Shards that were dropped from their leader since the last call: whoever still has them there must doubt them,
        since markers before a drop vanish without a sign (facts §5.6).
        """
        return self._observations.take_dropped()

    def data_directories(self) -> dict[str, str]:
        """The id of each server's data directory, for the ticks that are journaled; only of those that answered."""
        return self._lanes.data_directories()

    def restart_ticks(self) -> dict[str, int]:
        """What to journal per server, read before ``states()``; servers that never answered are left out."""
        self._doubts.published()
        return self._lanes.restart_ticks()

    def checkpointed(self, ticks: Mapping[str, int]) -> None:
        """These ticks, and the states handed out before them, are in the journal: retention follows."""
        self._retention.keep(ticks)
        self._doubts.journaled()

    def states(self) -> dict[ShardId, ShardState]:
        """Where every shard stands."""
        return {shard.id: shard.state for shard in self._book.all()}

    def unknown_cuids(self) -> set[tuple[str, str]]:
        """Databases and cuids of markers that nothing explains yet; a new copy is later than all of them."""
        return self._observations.unknown()

    def discard(self, database: str, cuid: str) -> None:
        """No inventory lists this cuid any more: its markers are discarded and counted."""
        self._observations.explain(name_of(database, cuid), discard=True)

    def ignore(self, database: str, cuid: str) -> None:
        """Known, but not migrated: its markers are of no concern."""
        name = name_of(database, cuid)
        self._lanes.ignore(name)

    def watch_users(self, cuids: Iterable[tuple[str, str]]) -> None:
        """Known shards (database, cuid) that the control path moves: ``take_users_dirty`` tells of their changes."""
        for database, cuid in cuids:
            self._observations.watch(name_of(database, cuid))

    def take_users_dirty(self) -> set[tuple[str, str]]:
        """Those of them that have changed since the last call."""
        return self._observations.take_dirty()

    def hold(self, database: str, plan_id: str, reason: str, deadline: Deadline) -> None:
        """Stop applying a collection at a batch boundary; returns when everything before it is applied."""
        self._holds.hold(self._book.of(database, plan_id), reason, deadline)

    def release(self, database: str, plan_id: str, reason: str) -> None:
        """Go on; returns at once, the shards are in-sync again when their spools are drained."""
        self._holds.release(self._book.of(database, plan_id), reason)

    def quiesce(self, database: str, plan_id: str, deadline: Deadline) -> None:
        """Bring a collection to rest for good, requests without an answer included; then ``forget`` it."""
        self._holds.quiesce(self._book.of(database, plan_id), self._settled_at, deadline)

    def forget(self, database: str, plan_id: str) -> None:
        """The collection is no concern any more."""
        shards = self._book.of(database, plan_id)
        self._holds.forget(shards)
        self._doubts.forget(shards)
        self._recheck.forget(database, plan_id)

    def suspect(self, shards: Iterable[ShardId], where: str, reason: str) -> None:
        """The control path or the verification has a doubt: compare these shards with the source and repair them."""
        self._doubts.shards(shards, where, reason)

    def server_changed(self) -> list[TopologyChange]:
        """All doubts about servers' logs so far."""
        return self._doubts.changes()

    def drain(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """Return when everything up to these ticks is applied and all shards are in sync; else raise CUT-DATA-10.

        From then on ``late_markers`` tells of later writes to user collections.
        """
        self._drain.drain(upto, deadline)

    def apply_to(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """Return when everything up to these ticks was read and acknowledged, while writes go on; else CUT-DATA-10."""
        self._drain.apply_to(upto, deadline)

    def scan_to(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """Return when everything up to these ticks was looked at; raises CUT-DATA-10 at the deadline."""
        self._drain.scan_to(upto, deadline)

    def late_markers(self) -> LateMarkers:
        """Writes to user collections in leaders' logs after the last drain's ticks."""
        return self._drain.late_markers()

    def end_watch(self) -> None:
        """After a way back: writes are expected again."""
        self._drain.end_watch()

    def recheck_pending(self) -> int:
        """How many groups of keys wait to be read back; the gate needs 0."""
        return self._recheck.pending()

    def settle(self, deadline: Deadline) -> None:
        """Wait until nothing is left to be read back; raises CUT-DATA-11 at the deadline."""
        self._drain.settle(self._recheck, deadline)

    def pause(self) -> None:
        """Write nothing to the target; returns when no write is under way."""
        self._gate.pause()

    def begin_pause(self) -> None:
        """Begin no write to the target; some may still be under way until ``rests``."""
        self._gate.begin_pause()

    def await_rest(self, seconds: float) -> None:
        """Wait until ``rests``, or the pause is lifted, at most so long."""
        self._gate.await_rest(seconds)

    @property
    def rests(self) -> bool:
        """Whether nothing is written, because of a pause."""
        return self._gate.rests

    def resume(self) -> None:
        """Write again."""
        self._gate.resume()

    def progress(self) -> Progress:
        """Counters and positions, from memory."""
        return self._overview.progress()

    def close(self, timeout: float) -> list[str]:
        """Stop all threads at the next safe point; gives the names of those that have not ended in time.

        Threads that wait for an answer end at once when the clients of source and target are closed too.
        """
        self._stop.set()
        self._lanes.close()
        with self._book.changed:
            self._book.changed.notify_all()
        return self._workers.join(Deadline(timeout))

    def needed_servers(self) -> set[str]:
        """The DB-Servers whose log matters: they lead a shard, or answer."""
        return self._lanes.needed()

    def _apply(self, shard: Shard, batch: Batch, count: int) -> None:
        self._units.apply(shard.plan, batch)
        self._applied.add(count)
        self.brake.spent(0, count)

    def _truncated(self, shard: Shard) -> None:
        self._catch_up.begin(shard)

    def _disk_full(self, error: OSError) -> None:
        text = f"markers cannot be written to the agent's disk: {error}; reading waits, nothing is lost"
        remedy = "Free space in the agent's state directory."
        self._report(Finding("CUT-DATA-9", "warning", "agent", text, remedy))
