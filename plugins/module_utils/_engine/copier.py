# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copying snapshots: groups of shards of one DB-Server, bodies undecoded (design §4.3)."""

from __future__ import annotations

import threading
import time
from typing import Callable, Iterable, Mapping, Sequence

from .brake import Brake
from .dataplane_types import Settings
from .grouping import failed, grouped
from .lines import line_count
from .patience import Rate, Stopped
from .restore import Restorer
from .shards import Shard, ShardBook, ShardState
from .sizes import Sizes
from .snapshot import Snapshot, SnapshotLostError, Snapshots
from .tailer import Tailer
from .wal import log_end
from .workers import Workers

_TO_COPY = (ShardState.PENDING, ShardState.COPYING)


class Copiers:
    """One thread per DB-Server chooses what to copy next; as many as the brake allows read and write it."""

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        arm: Callable[[Shard], None],
        restorer: Restorer,
        sizes: Sizes,
        brake: Brake,
        settings: Settings,
        copied: Callable[[Shard], None],
        fail: Callable[[Shard, Exception], None],
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._arm = arm
        self._restorer = restorer
        self._sizes = sizes
        self._brake = brake
        self._settings = settings
        self._copied = copied
        self._fail = fail
        self._snapshots = Snapshots(settings.batch_bytes)
        self.bytes = Rate()
        self.documents = Rate()
        self.recopies = 0

    def start(self, workers: Workers, server_id: str) -> None:
        """Start the thread of a server."""
        workers.start(f"copier-{server_id}", lambda: self._run(self._tailers[server_id]))

    def _run(self, tailer: Tailer) -> None:
        pauses = tailer.patience.pauses()
        while True:
            group = self._choose(tailer)
            try:
                self._copy(tailer, group)
            except SnapshotLostError:
                self.recopies += len(group)
                failed(group, pauses.next())
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001 - the thread goes on; the shards begin anew, loudly
                for shard in group:
                    self._fail(shard, error)
            else:
                pauses.reset()

    def _choose(self, tailer: Tailer) -> list[Shard]:
        """The largest shard that waits, and others of its database; waits until there is one."""
        with self._book.changed:
            while True:
                tailer.patience.check()
                now = time.monotonic()
                shards = [
                    shard
                    for shard in self._book.led_by(tailer.server_id, *_TO_COPY)
                    if not shard.gone and shard.not_before <= now and shard.rested
                ]
                if shards:
                    break
                self._book.changed.wait(0.5)
        self._sizes.learn(shards)
        shards.sort(key=lambda shard: -(shard.documents or 0))
        return grouped(shards, self._settings.shards_per_context)

    def _copy(self, tailer: Tailer, group: Sequence[Shard]) -> None:
        tailer.at_boundary(lambda: self._begin(group)).wait(tailer.patience)
        tick = tailer.patience.call(lambda: log_end(tailer.server)).tick
        with self._book.changed:
            for shard in group:
                # A repeated copy keeps its first position: its spool holds everything since then.
                if shard.start_tick is None:
                    shard.start_tick = tick
        names = [shard.id.shard for shard in group]
        database = group[0].id.database
        snapshot = self._snapshots.open(tailer.server_id, tailer.server, database, names, tailer.patience)
        try:
            self._read_all(snapshot, {shard.id.shard: shard for shard in group}, tailer)
        finally:
            snapshot.close()
        for shard in group:
            self._end(shard)

    def _begin(self, group: Iterable[Shard]) -> None:
        """In the tailer's thread: arm the spools."""
        for shard in group:
            if shard.state is ShardState.PENDING and not shard.gone:
                self._arm(shard)
                self._book.move(shard, ShardState.COPYING)

    def _end(self, shard: Shard) -> None:
        with self._book.changed:
            if shard.gone or shard.state is not ShardState.COPYING:
                return
            shard.sweep_first = not shard.plan.first_copy_into_empty
            self._book.move(shard, ShardState.CATCHING_UP)
        self._copied(shard)

    def _read_all(self, snapshot: Snapshot, shards: Mapping[str, Shard], tailer: Tailer) -> None:
        """Read and write with several threads; the first error of any of them is raised when all have ended."""
        errors: list[Exception] = []
        helpers: list[threading.Thread] = []

        def work(before: Callable[[], None]) -> None:
            batches = snapshot.batches()
            try:
                while not errors:
                    before()
                    with self._brake.passage(tailer.server_id, tailer.patience):
                        batch = next(batches, None)
                        if batch is None:
                            return
                        self._take(shards[batch.shard], batch.body)
            except Exception as error:  # noqa: BLE001 - raised again by the thread that started this one
                errors.append(error)

        def hire() -> None:
            while len(helpers) < self._brake.allowed(tailer.server_id) - 1:
                helper = threading.Thread(target=work, args=(_nothing,), name="copier", daemon=True)
                helpers.append(helper)
                helper.start()

        work(hire)
        for helper in helpers:
            helper.join()
        for error in errors:
            if isinstance(error, Stopped):
                raise error
        if errors:
            raise errors[0]

    def _take(self, shard: Shard, body: bytes) -> None:
        with self._book.changed:
            if shard.gone:
                return
            shard.writing += 1
        try:
            self._restorer.restore(shard.plan, body)
        finally:
            with self._book.changed:
                shard.writing -= 1
                self._book.changed.notify_all()
        documents = line_count(body)
        self._brake.spent(len(body), documents)
        self.bytes.add(len(body))
        self.documents.add(documents)


def _nothing() -> None:
    """A helper hires nobody."""
