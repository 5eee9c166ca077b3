# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare and repair: how a suspect shard becomes equal to its leader again (design §4.6, invariants I1, I3, I8).

In this order: nothing of the shard is queued or being written, and what has an unknown outcome is noted; the shard's
markers are spooled from a batch boundary of its present leader's log on; T0 is the end of that log; the target loses
what the source does not have, or has in another revision or content (see ``likeness``); the documents of a snapshot
that the target lacks are written; then the spool is drained as after a copy. Whatever changes after T0 is in the spool.
"""

from __future__ import annotations

import time
from typing import Callable, Iterable, Mapping, Sequence

from .._core.errors import ArangoError
from .._core.retry import GONE
from .bulk import slices
from .coalesce import MemoryBatch
from .dataplane_types import Settings
from .grouping import failed, grouped
from .likeness import differs
from .marker import Marker
from .patience import Patience, Rate, Stopped
from .reads import Reader, as_insert
from .recheck import Recheck
from .shards import Shard, ShardBook, ShardPlan, ShardState
from .snapshot import SnapshotLostError, Snapshots
from .sweep import Sweeper
from .tailer import Tailer
from .unit import UnitWriter
from .wal import log_end
from .workers import Workers

_LOOKUP = 1000


class Repairs:
    """One thread per DB-Server compares the suspect shards that it leads; ``documents`` counts what was written."""

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        arm: Callable[[Shard], None],
        sweeper: Sweeper,
        target: Reader,
        units: UnitWriter,
        recheck: Recheck,
        settings: Settings,
        repaired: Callable[[Shard], None],
        fail: Callable[[Shard, Exception], None],
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._arm = arm
        self._sweeper = sweeper
        self._target = target
        self._units = units
        self._recheck = recheck
        self._settings = settings
        self._repaired = repaired
        self._fail = fail
        self._snapshots = Snapshots(settings.batch_bytes)
        self.documents = Rate()

    def start(self, workers: Workers, server_id: str) -> None:
        """Start the thread of a server."""
        workers.start(f"repair-{server_id}", lambda: self._run(self._tailers[server_id]))

    def _run(self, tailer: Tailer) -> None:
        pauses = tailer.patience.pauses()
        while True:
            group = self._choose(tailer)
            try:
                self._repair(tailer, group)
            except Stopped:
                raise
            except SnapshotLostError:
                failed(group, pauses.next())
            except Exception as error:  # noqa: BLE001 - the thread goes on; the shards begin anew, loudly
                if isinstance(error, ArangoError) and error.error_num in GONE:
                    # The collection is gone on one side: the control path will say so, or bring it back.
                    failed(group, pauses.next())
                    continue
                for shard in group:
                    self._fail(shard, error)
            else:
                pauses.reset()

    def _choose(self, tailer: Tailer) -> list[Shard]:
        """Suspect shards of one database that are at rest; waits until there is one."""
        with self._book.changed:
            while True:
                tailer.patience.check()
                now = time.monotonic()
                shards = [
                    shard
                    for shard in self._book.led_by(tailer.server_id, ShardState.SUSPECT)
                    if not (shard.gone or shard.holds) and shard.not_before <= now and shard.idle
                ]
                if shards:
                    break
                self._book.changed.wait(0.2)
        return grouped(shards, self._settings.shards_per_context)

    def _repair(self, tailer: Tailer, group: Sequence[Shard]) -> None:
        tailer.at_boundary(lambda: self._begin(group)).wait(tailer.patience)
        tick = tailer.patience.call(lambda: log_end(tailer.server)).tick
        with self._book.changed:
            for shard in group:
                # A repeated comparison keeps its first position: the spool holds everything since then.
                if shard.start_tick is None:
                    shard.start_tick = tick
        for plan in {shard.collection: shard.plan for shard in group}.values():
            self._sweeper.sweep(plan, truncated=True)
        self._write_missing(tailer, {shard.id.shard: shard for shard in group})
        for shard in group:
            self._end(shard)

    def _begin(self, group: Iterable[Shard]) -> None:
        """In the tailer's thread: arm the spools."""
        for shard in group:
            if not shard.gone:
                self._arm(shard)

    def _end(self, shard: Shard) -> None:
        with self._book.changed:
            if shard.gone:
                return
            self._book.move(shard, ShardState.CATCHING_UP)
        self._repaired(shard)

    def _write_missing(self, tailer: Tailer, shards: Mapping[str, Shard]) -> None:
        database = next(iter(shards.values())).id.database
        snapshot = self._snapshots.open(tailer.server_id, tailer.server, database, list(shards), tailer.patience)
        try:
            for batch in snapshot.batches():
                self._compare(shards[batch.shard], batch.body, tailer.patience)
        finally:
            snapshot.close()

    def _compare(self, shard: Shard, body: bytes, patience: Patience) -> None:
        """Write those documents of a batch that the target does not have like this."""
        documents = [as_insert(line) for line in body.split(b"\n") if line]
        for part in slices(documents, lambda marker: len(marker.data), self._settings.batch_bytes, _LOOKUP):
            with self._book.changed:
                if shard.gone:
                    return
                shard.writing += 1
            try:
                patience.check()
                self._write(shard.plan, self._lacking(shard.plan, part))
            finally:
                with self._book.changed:
                    shard.writing -= 1
                    self._book.changed.notify_all()

    def _lacking(self, plan: ShardPlan, documents: Sequence[Marker]) -> list[Marker]:
        keys = [document.key.decode("utf-8") for document in documents]
        there = plan.likeness.states(self._target, plan.id.database, plan.collection, keys)
        return [
            document
            for document, key in zip(documents, keys)
            if differs(plan.likeness.state(document), there.get(key, ()))
        ]

    def _write(self, plan: ShardPlan, documents: Sequence[Marker]) -> None:
        if not documents:
            return
        refused = self._units.write(plan, MemoryBatch(documents))
        self.documents.add(len(documents) - len(refused))
        if refused:
            # The holder of a unique value has changed since it was swept: its marker is in the spool.
            self._recheck.note(plan.id, [one.marker.key for one in refused], delay=0)
