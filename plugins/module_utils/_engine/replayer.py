# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After a restart: shards that were in sync are spooled from the restart position to the present end of their log, then
brought in sync by one unit each (design §4.5)."""

from __future__ import annotations

from typing import Mapping

from .._core.clock import Deadline
from .catchup import CatchUp
from .patience import Patience
from .router import ShardRouter
from .shards import REPLAY_HOLD, Route, Shard, ShardBook, ShardState
from .tailer import Tailer
from .wal import log_end
from .workers import Workers


class Replayer:
    """One short-lived thread per server that leads such shards."""

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        routers: Mapping[str, ShardRouter],
        catch_up: CatchUp,
        patience: Patience,
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._routers = routers
        self._catch_up = catch_up
        self._patience = patience
        self._adopted: dict[str, list[Shard]] = {}

    def adopt(self, shard: Shard) -> None:
        """A shard that was in sync when the restart position was journaled; before the start only."""
        self._book.adopt(shard)
        self._adopted.setdefault(shard.plan.leader, []).append(shard)
        tailer, router = self._tailers[shard.plan.leader], self._routers[shard.plan.leader]
        tailer.at_boundary(lambda: router.adopt(shard, tailer.boundary))

    def adopted(self) -> list[Shard]:
        """All such shards."""
        return [shard for shards in self._adopted.values() for shard in shards]

    def start(self, workers: Workers) -> None:
        """Start the threads."""
        for server_id in self._adopted:
            workers.start(f"replay-{server_id}", lambda server_id=server_id: self._run(server_id))  # type: ignore[misc]

    def _run(self, server_id: str) -> None:
        tailer = self._tailers[server_id]
        tick = self._patience.call(lambda: log_end(tailer.server)).tick
        if not tailer.reading.wait(tick, Deadline(None), self._patience.stop):
            self._patience.check()
        shards = self._adopted[server_id]
        tailer.at_boundary(lambda: self._release(shards, tailer)).wait(self._patience)

    def _release(self, shards: list[Shard], tailer: Tailer) -> None:
        """In the tailer's thread: the stretch ends here; shards without a marker in it are in sync already."""
        for shard in shards:
            with self._book.changed:
                shard.holds.discard(REPLAY_HOLD)
                if shard.gone or shard.state is not ShardState.HELD:
                    continue
                shard.replay_end = shard.spool.size
                quiet = not shard.spool.size and not shard.holds
                if quiet:
                    shard.replay_end = None
                    shard.route = Route.LIVE
                    self._book.move(shard, ShardState.IN_SYNC)
            if not quiet:
                self._catch_up.begin(shard)
            elif tailer.ledger is not None:
                tailer.ledger.unpin(shard.pin)
