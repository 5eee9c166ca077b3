# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of the data path, and which of them tells what to which other (design §4.1 to §4.6)."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Callable

from .._core.arango import Coordinators
from .applier import ApplierPool
from .brake import Brake
from .catchup import CatchUp
from .coalesce import Batch
from .copier import Copiers
from .dataplane_types import Settings, Source, TargetGate
from .doubts import Doubts
from .drain import Drain
from .exactness import ExactNumbers
from .findings import Finding
from .holds import Holds
from .index_marks import IndexMarks
from .inspection import Inspection
from .lanes import Lanes
from .ledger import Ledger
from .lending import Lender
from .overview import Overview
from .packing import Packing
from .patience import Patience, Rate, Troubles, WriteGate
from .reads import Reader
from .recheck import Recheck
from .repair import Repairs
from .replayer import Replayer
from .restore import Restorer
from .retention import Retention, syncer_ids
from .router import Observations, ShardRouter
from .settler import Settler
from .shards import Shard, ShardBook
from .sizes import Sizes
from .sweep import Sweeper
from .target import TargetWriter
from .unit import UnitWriter
from .workers import Workers

SYNCER_IDS = "syncer-ids.json"


class Parts:
    """Everything of one data path, connected; nothing runs yet."""

    def __init__(
        self,
        source: Source,
        target: Coordinators,
        gate: TargetGate,
        state_dir: Path,
        settings: Settings,
        report: Callable[[Finding], None],
    ) -> None:
        spools = state_dir / "spool"
        # Spools of an earlier process are of no use: their markers are read again (design §4.4).
        shutil.rmtree(spools, ignore_errors=True)
        spools.mkdir(parents=True, mode=0o700)
        self._settings = settings
        self._report = report
        self.stop = threading.Event()
        self.troubles = Troubles()
        self.patience = patience = Patience(self.stop, self.troubles, settings.time_scale)
        self.gate = WriteGate(gate.check, patience)
        self.book = ShardBook(spools)
        self.recheck = Recheck(state_dir / "recheck.log", settings.settle_seconds)
        self.applied = Rate()
        self.brake = Brake()
        self.observations = Observations()
        self.index_marks = IndexMarks(settings.time_scale)
        self.packing = Packing(target, settings.compress)
        self._writer = TargetWriter(target, self.gate, patience, self.recheck, settings.batch_bytes, self.packing)
        self._source_reader = Reader(source.coordinators, patience)
        self._target_reader = Reader(target, patience)
        self._exact = ExactNumbers(source.coordinators, patience, report, needed=not settings.exact_numbers)
        self._units = UnitWriter(
            self._writer, self._target_reader, self.recheck, report, settings.batch_documents, self._exact
        )
        reading_id, retention_id = syncer_ids(state_dir / SYNCER_IDS)
        self.lanes = Lanes(self.book, self.troubles, settings, reading_id, self._make_router)
        self.tailers, self.routers = self.lanes.tailers, self.lanes.routers
        self.doubts = Doubts(self.book, self.tailers, self.routers, report, patience.stop, patience.cap)
        self.workers = Workers(self.doubts.crash)
        self.pool = ApplierPool(
            settings.appliers, self.book, self._apply, self.doubts.shard, patience, settings.queue_bytes
        )
        self.retention = Retention(self.lanes.servers, retention_id, settings, patience, report)
        self.inspection = Inspection(self.book, self.tailers, self.lanes.needed, self.recheck, self.gate, patience)
        for name, server in source.servers.items():
            self.lanes.add(name, server)
        self._connect(source)

    def _make_router(self, name: str, patience: Patience, ledger: Callable[[], Ledger]) -> ShardRouter:
        return ShardRouter(
            name,
            self.book,
            self.pool,
            patience,
            self.observations,
            ledger,
            truncated=self._truncated,
            doubt=self.doubts.server,
            disk_full=self._disk_full,
            touched=self.inspection.touched,
            index=self.index_marks.saw,
        )

    def _connect(self, source: Source) -> None:
        """Build the parts that need the others."""
        settings, patience = self._settings, self.patience
        readers = (self._source_reader, self._target_reader)
        sweeper = Sweeper(*readers, self._writer, self._units.refuse, patience, settings.batch_documents)
        self.catch_up = CatchUp(
            self.book,
            self.pool,
            self.tailers,
            sweeper,
            self._units,
            self.recheck,
            patience,
            self.doubts.shard,
            self.doubts.recovered,
        )
        self.holds = Holds(self.book, self.tailers, self.routers, self.catch_up, self.recheck, patience)
        self.replayer = Replayer(self.book, self.tailers, self.routers, self.catch_up, patience)
        self.settler = Settler(
            self.recheck,
            self.book,
            self.pool,
            self.tailers,
            *readers,
            self._writer,
            self._units,
            sweeper,
            source.coordinators,
            patience,
            settings.time_scale,
        )
        self.inspection.connect(self.settler)
        ending = (settings, self.catch_up.begin, self.doubts.shard)
        self.copiers = Copiers(
            self.book,
            self.tailers,
            self._arm,
            Restorer(self._writer, self._target_reader, self._units.refuse, settings.batch_documents, self._exact),
            Sizes(source.coordinators, self.book),
            self.brake,
            *ending,
        )
        self.lender = Lender(
            self.book, self.tailers, self.copiers, self.recheck, self.doubts.shards, self.patience
        )
        self.brake.others_rest = lambda: self.lender.rests
        self.repairs = Repairs(
            self.book,
            self.tailers,
            self._arm,
            sweeper,
            self._target_reader,
            self._units,
            self.recheck,
            *ending,
        )
        self.drain = Drain(self.book, self.lanes, self.observations, self.stop)
        self.overview = Overview(
            self.book,
            self.lanes,
            self.pool,
            self.copiers,
            self.repairs,
            self.settler,
            self.troubles,
            self.observations,
            self.applied,
        )

    def _arm(self, shard: Shard) -> None:
        self.routers[shard.plan.leader].spool(shard)

    def _apply(self, shard: Shard, batch: Batch, count: int) -> None:
        self._units.apply(shard.plan, batch)
        self.applied.add(count)
        self.brake.spent(0, count)

    def _truncated(self, shard: Shard) -> None:
        self.catch_up.begin(shard)

    def _disk_full(self, error: OSError) -> None:
        text = f"markers cannot be written to the agent's disk: {error}; reading waits, nothing is lost"
        remedy = "Free space in the agent's state directory."
        self._report(Finding("CUT-DATA-9", "warning", "agent", text, remedy))
