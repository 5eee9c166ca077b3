# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facade of the data path: tailers, copiers and appliers of one migration (design §4.1 to §4.6)."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Callable, Iterable, Mapping, Optional, Sequence

from .._core.arango import Coordinators, Server
from .._core.clock import Deadline
from .dataplane_parts import SYNCER_IDS, Parts
from .dataplane_types import LateMarkers, Progress, Settings, Source, TargetGate, TopologyChange
from .drain import not_drained
from .findings import Finding
from .lending import Carrier
from .router import name_of
from .shards import ShardId, ShardPlan, ShardState


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
        self._started = False
        # Requests of an earlier process may still run.
        self._took_over = took_over
        self._inherits = took_over or (state_dir / SYNCER_IDS).exists()
        self._settled_at = time.monotonic() + (settings.settle_seconds if self._inherits else 0.0)
        self._parts = parts = Parts(source, target, gate, state_dir, settings, report)
        self.brake, self.index_marks = parts.brake, parts.index_marks
        self.packing, self.inspection = parts.packing, parts.inspection

    def register(self, plans: Sequence[ShardPlan], in_sync: bool = False, suspect: bool = False) -> None:
        """Add shards: to be copied, or (only before ``start``) in sync up to their server's restart tick, or to be
        compared and repaired. One whose leader is not followed waits for that.
        """
        if in_sync and self._started:
            raise ValueError("shards in sync are registered before the start")
        noted: set[tuple[str, str]] = set()
        # Nobody may begin to copy what a router does not know yet.
        with self._parts.book.changed:
            state = ShardState.SUSPECT if suspect else ShardState.PENDING
            shards = [self._parts.book.add(plan, state) for plan in plans]
            self._parts.lanes.know(shards)
        for plan, shard in zip(plans, shards):
            if in_sync:
                self._parts.replayer.adopt(shard)
            # The copy that was broken off may have been this collection's; after a take-over any write may.
            doubtful = self._took_over if in_sync else self._inherits and not plan.first_copy_into_empty
            if doubtful and shard.collection not in noted:
                noted.add(shard.collection)
                self._parts.recheck.note_collection(plan.id)

    def start(
        self, restart: Mapping[str, Optional[int]], directories: Optional[Mapping[str, str]] = None
    ) -> None:
        """Start all threads. A tick per DB-Server to read from; None = from the end of its log as it is now.

        ``directories`` are the data directories that the ticks belong to, as ``data_directories`` gave them.
        """
        missing = sorted(
            {shard.plan.leader for shard in self._parts.replayer.adopted() if restart.get(shard.plan.leader) is None}
        )
        if missing:
            raise ValueError(f"no restart tick for {', '.join(missing)}, which lead shards in sync")
        self._started = True
        self._parts.retention.keep({name: tick for name, tick in restart.items() if tick is not None})
        for name in self._parts.tailers:
            self._start_lane(name, restart.get(name), (directories or {}).get(name))
        parts = self._parts
        parts.pool.start(parts.workers)
        parts.catch_up.start(parts.workers)
        parts.replayer.start(parts.workers)
        parts.workers.start("settler", parts.settler.run)
        parts.workers.start("retention", parts.retention.run)

    def _start_lane(self, name: str, tick: Optional[int], directory: Optional[str]) -> None:
        parts = self._parts
        tailer, router = parts.tailers[name], parts.routers[name]
        parts.workers.start(f"tailer-{name}", lambda: tailer.run(tick, router, directory))
        parts.copiers.start(parts.workers, name)
        parts.repairs.start(parts.workers, name)

    def follow_servers(self, servers: Mapping[str, Server]) -> None:
        """Follow the log of these DB-Servers: new ones from now on; one that went and leads nothing is let go."""
        for name, server in servers.items():
            if name not in self._parts.tailers:
                self._parts.lanes.add(name, server)
                if self._started:
                    self._start_lane(name, None, None)
        for name in set(self._parts.tailers) - set(servers) - self._parts.lanes.leading():
            self._parts.lanes.retire(name)
            self._parts.retention.drop(name)

    def relocate(self, leaders: Mapping[ShardId, str]) -> None:
        """These shards are led by these servers now: what was read from another one may lack something."""
        self._parts.doubts.relocated(leaders)

    def server_restarted(self, server: str, text: str) -> None:
        """A DB-Server was started anew: it may have lost the last of what was read from it."""
        self._parts.doubts.server(server, "restart", text)

    @property
    def doubts(self) -> int:
        """Grows with every shard that gets in doubt."""
        return self._parts.doubts.count

    def take_alarm(self) -> bool:
        """Whether something happened since the last call after which leaders should be looked at: a doubt, a server
        that does not answer, or does again, a shard that was dropped from its leader.
        """
        silence = self._parts.lanes.silence_changed()
        alarm = self._parts.doubts.alarm.is_set() or silence or self._parts.observations.any_dropped()
        self._parts.doubts.alarm.clear()
        return alarm

    def take_dropped(self) -> set[ShardId]:
        """Shards that were dropped from their leader since the last call: whoever still has them there must doubt them,
        since markers before a drop vanish without a sign (facts §5.6).
        """
        return self._parts.observations.take_dropped()

    def data_directories(self) -> dict[str, str]:
        """The id of each server's data directory, for the ticks that are journaled; only of those that answered."""
        return self._parts.lanes.data_directories()

    def restart_ticks(self) -> dict[str, int]:
        """What to journal per server, read before ``states()``; servers that never answered are left out."""
        self._parts.doubts.published()
        return self._parts.lanes.restart_ticks()

    def checkpointed(self, ticks: Mapping[str, int]) -> None:
        """These ticks, and the states handed out before them, are in the journal: retention follows."""
        self._parts.retention.keep(ticks)
        self._parts.doubts.journaled()

    def states(self) -> dict[ShardId, ShardState]:
        """Where every shard stands."""
        return {shard.id: shard.state for shard in self._parts.book.all()}

    def counts(self) -> Counter[ShardState]:
        """How many shards stand where."""
        return self._parts.book.counts()

    def unknown_cuids(self) -> set[tuple[str, str]]:
        """Databases and cuids of markers that nothing explains yet; a new copy is later than all of them."""
        return self._parts.observations.unknown()

    def discard(self, database: str, cuid: str) -> None:
        """No inventory lists this cuid any more: its markers are discarded and counted."""
        self._parts.observations.explain(name_of(database, cuid), discard=True)

    def ignore(self, database: str, cuid: str) -> None:
        """Known, but not migrated: its markers are of no concern."""
        self._parts.lanes.ignore(name_of(database, cuid))

    def watch_users(self, cuids: Iterable[tuple[str, str]]) -> None:
        """Known shards (database, cuid) that the control path moves: ``take_users_dirty`` tells of their changes."""
        for database, cuid in cuids:
            self._parts.observations.watch(name_of(database, cuid))

    def take_users_dirty(self) -> set[tuple[str, str]]:
        """Those of them that have changed since the last call."""
        return self._parts.observations.take_dirty()

    def hold(self, database: str, plan_id: str, reason: str, deadline: Deadline) -> None:
        """Stop applying a collection at a batch boundary; returns when everything before it is applied."""
        self._parts.holds.hold(self._parts.book.of(database, plan_id), reason, deadline)

    def release(self, database: str, plan_id: str, reason: str) -> None:
        """Go on; returns at once, the shards are in-sync again when their spools are drained."""
        self._parts.holds.release(self._parts.book.of(database, plan_id), reason)

    def quiesce(self, database: str, plan_id: str, deadline: Deadline) -> None:
        """Bring a collection to rest for good, requests without an answer included; then ``forget`` it."""
        self._parts.holds.quiesce(self._parts.book.of(database, plan_id), self._settled_at, deadline)

    def forget(self, database: str, plan_id: str) -> None:
        """The collection is no concern any more."""
        shards = self._parts.book.of(database, plan_id)
        self._parts.holds.forget(shards)
        self._parts.doubts.forget(shards)
        self._parts.recheck.forget(database, plan_id)

    def suspect(self, shards: Iterable[ShardId], where: str, reason: str) -> None:
        """The control path or the verification has a doubt: compare these shards with the source and repair them."""
        self._parts.doubts.shards(shards, where, reason)

    def server_changed(self) -> list[TopologyChange]:
        """The last doubts about servers' logs."""
        return self._parts.doubts.changes()

    def drain(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """Return when everything up to these ticks is applied and all shards are in sync; else raise CUT-DATA-10.

        From then on ``late_markers`` tells of later writes to what is copied.
        """
        self._parts.drain.drain(upto, deadline)
        if self.open_jobs:
            raise not_drained("other agents may still be copying")

    def apply_to(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """Return when everything up to these ticks was read and acknowledged, while writes go on; else CUT-DATA-10."""
        self._parts.drain.apply_to(upto, deadline)

    def scan_to(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """Return when everything up to these ticks was looked at; raises CUT-DATA-10 at the deadline."""
        self._parts.drain.scan_to(upto, deadline)

    def late_markers(self) -> LateMarkers:
        """Writes to collections that are copied, in leaders' logs after the last drain's ticks."""
        return self._parts.drain.late_markers()

    def end_watch(self) -> None:
        """After a way back: writes are expected again."""
        self._parts.drain.end_watch()

    def recheck_pending(self) -> int:
        """How many groups of keys wait to be read back; the gate needs 0."""
        return self._parts.recheck.pending()

    def settle(self, deadline: Deadline) -> None:
        """Wait until nothing is left to be read back; raises CUT-DATA-11 at the deadline."""
        self._parts.drain.settle(self._parts.recheck, deadline)

    def pause(self) -> None:
        """Write nothing to the target; returns when no write is under way."""
        self._parts.gate.pause()

    def begin_pause(self) -> None:
        """Begin no write to the target; some may still be under way until ``rests``."""
        self._parts.gate.begin_pause()

    def await_rest(self, seconds: float) -> None:
        """Wait until ``rests``, or the pause is lifted, at most so long."""
        self._parts.gate.await_rest(seconds)

    @property
    def rests(self) -> bool:
        """Whether nothing is written, by anybody, because of a pause."""
        return self._parts.gate.rests and self._parts.lender.rests

    @property
    def copy_rests(self) -> bool:
        """Whether the copy is to rest, because of a pause or to protect somebody."""
        return self._parts.gate.paused or self.brake.held

    def hire(self, carrier: Carrier) -> None:
        """Have snapshots copied by this one, too, whenever it is allowed to ``lend``."""
        self._parts.lender.hire(self._parts.workers, carrier)

    def lend(self, allowed: bool) -> None:
        """Whether others may begin to copy for this agent; what they have begun goes on."""
        self._parts.lender.allowed = allowed

    @property
    def open_jobs(self) -> int:
        """How many snapshots others may be copying."""
        return self._parts.lender.open_jobs

    def copied_elsewhere(self, size: int, documents: int) -> None:
        """Another agent has copied so much: it counts as progress."""
        self._parts.copiers.transfer.bytes.add(size)
        self._parts.copiers.transfer.documents.add(documents)

    def resume(self) -> None:
        """Write again."""
        self._parts.gate.resume()

    def progress(self) -> Progress:
        """Counters and positions, from memory."""
        return self._parts.overview.progress()

    def close(self, timeout: float) -> list[str]:
        """Stop all threads at the next safe point; gives the names of those that have not ended in time.

        Threads that wait for an answer end at once when the clients of source and target are closed too.
        """
        self._parts.stop.set()
        self._parts.lanes.close()
        with self._parts.book.changed:
            self._parts.book.changed.notify_all()
        return self._parts.workers.join(Deadline(timeout))

    def needed_servers(self) -> set[str]:
        """The DB-Servers whose log matters: they lead a shard, or answer."""
        return self._parts.lanes.needed()
