# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copying snapshots: groups of shards of one DB-Server, bodies undecoded (design §4.3)."""

from __future__ import annotations

import time
from typing import Callable, Iterable, Mapping, Sequence

from .brake import Brake
from .dataplane_types import Settings
from .grouping import failed, grouped, share
from .patience import Stopped
from .restore import Restorer
from .shards import Shard, ShardBook, ShardState
from .sizes import Sizes
from .snapshot import SnapshotLostError
from .tailer import Tailer
from .transfer import Transfer
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
        self._settings = settings
        self._copied = copied
        self._fail = fail
        self.transfer = Transfer(brake, settings.batch_bytes)
        self.recopies = 0
        # How many other agents copy, too: what one takes at once leaves something to the others.
        self.others = 0

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
                self.lost(group, pauses.next())
            except Stopped:
                raise
            except Exception as error:  # noqa: BLE001 - the thread goes on; the shards begin anew, loudly
                for shard in group:
                    self._fail(shard, error)
            else:
                pauses.reset()
            finally:
                self.unclaim(group)

    def _choose(self, tailer: Tailer) -> list[Shard]:
        """The largest shard that waits, and others of its database; waits until there is one."""
        while True:
            with self._book.changed:
                while True:
                    tailer.patience.check()
                    shards = self.waiting(tailer.server_id)
                    if shards:
                        break
                    self._book.changed.wait(0.5)
            group = self.claim(shards)
            if group:
                return group

    def waiting(self, server_id: str) -> list[Shard]:
        """Shards of a server that somebody may begin to copy now."""
        with self._book.changed:
            now = time.monotonic()
            return [
                shard
                for shard in self._book.led_by(server_id, *_TO_COPY)
                if not (shard.gone or shard.claimed) and shard.not_before <= now and shard.rested
            ]

    def claim(self, shards: list[Shard]) -> list[Shard]:
        """Those of these shards of one server that the caller is to copy next; empty when others were quicker."""
        self._sizes.learn(shards)
        with self._book.changed:
            free = [shard for shard in shards if not (shard.gone or shard.claimed)]
            free.sort(key=lambda shard: -(shard.documents or 0))
            agents = 1 + max(self.others, int(self._settings.shared))
            group = share(grouped(free, self._settings.shards_per_context), agents) if free else []
            for shard in group:
                shard.claimed = True
            return group

    def unclaim(self, group: Iterable[Shard]) -> None:
        """The caller does nothing with them any more."""
        with self._book.changed:
            for shard in group:
                shard.claimed = False
            self._book.changed.notify_all()

    def lost(self, group: Sequence[Shard], pause: float) -> None:
        """Their snapshot is lost: they are copied again."""
        self.recopies += len(group)
        failed(group, pause)

    def _copy(self, tailer: Tailer, group: Sequence[Shard]) -> None:
        self.begin(tailer, group)
        shards = {shard.id.shard: shard for shard in group}
        self.transfer.copy(
            tailer.server_id, tailer.server, group[0].id.database, list(shards), tailer.patience,
            lambda name, body: self._take(shards[name], body),
        )  # fmt: skip
        for shard in group:
            self.end(shard)

    def begin(self, tailer: Tailer, group: Sequence[Shard]) -> None:
        """Arm the spools, then note a position that any snapshot opened from now on is later than."""
        tailer.at_boundary(lambda: self._begin(group)).wait(tailer.patience)
        tick = tailer.patience.call(lambda: log_end(tailer.server)).tick
        with self._book.changed:
            for shard in group:
                # A repeated copy keeps its first position: its spool holds everything since then.
                if shard.start_tick is None:
                    shard.start_tick = tick

    def _begin(self, group: Iterable[Shard]) -> None:
        """In the tailer's thread: arm the spools."""
        for shard in group:
            if shard.state is ShardState.PENDING and not shard.gone:
                self._arm(shard)
                self._book.move(shard, ShardState.COPYING)

    def end(self, shard: Shard) -> None:
        """All of its snapshot is on the target: what came since is next."""
        with self._book.changed:
            if shard.gone or shard.state is not ShardState.COPYING:
                return
            shard.sweep_first = not shard.plan.first_copy_into_empty
            self._book.move(shard, ShardState.CATCHING_UP)
        self._copied(shard)

    def _take(self, shard: Shard, body: bytes) -> bool:
        with self._book.changed:
            if shard.gone:
                return False
            shard.writing += 1
        try:
            self._restorer.restore(shard.plan, body)
        finally:
            with self._book.changed:
                shard.writing -= 1
                self._book.changed.notify_all()
        return True
