# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far the data path is: counters and positions put together from its parts, from memory."""

from __future__ import annotations

from .applier import ApplierPool
from .copier import Copiers
from .dataplane_types import Progress, ServerPosition
from .lanes import Lanes
from .patience import Rate, Troubles
from .repair import Repairs
from .router import Observations
from .settler import Settler
from .shards import ShardBook, ShardState
from .tailer import Tailer


class Overview:
    """Thread safe."""

    def __init__(
        self,
        book: ShardBook,
        lanes: Lanes,
        pool: ApplierPool,
        copiers: Copiers,
        repairs: Repairs,
        settler: Settler,
        troubles: Troubles,
        observations: Observations,
        applied: Rate,
    ) -> None:
        self._book = book
        self._lanes = lanes
        self._pool = pool
        self._copiers = copiers
        self._repairs = repairs
        self._settler = settler
        self._troubles = troubles
        self._observations = observations
        self._applied = applied

    def progress(self) -> Progress:
        """The lag is that of the servers whose log matters: one that is gone and leads nothing holds nobody up."""
        servers = {name: _position(tailer) for name, tailer in list(self._lanes.tailers.items())}
        lags = [servers[name].lag_seconds for name in self._lanes.needed() if name in servers]
        known = [shard.documents for shard in self._book.all() if shard.documents is not None]
        # One in sync has no spool.
        spooling = self._book.out_of(ShardState.IN_SYNC, ShardState.PENDING)
        return Progress(
            bytes_copied=self._copiers.transfer.bytes.total,
            documents_copied=self._copiers.transfer.documents.total,
            documents_total=sum(known) if known else None,
            bytes_per_second=self._copiers.transfer.bytes.per_second(),
            operations_applied=self._applied.total,
            operations_per_second=self._applied.per_second(),
            lag_seconds=None if None in lags else max((lag for lag in lags if lag is not None), default=None),
            queued_bytes=self._pool.queued_bytes,
            spooled_bytes=sum(max(0, shard.spool.size - shard.offset) for shard in spooling),
            errors=self._troubles.errors,
            retries=self._troubles.retries,
            recopies=self._copiers.recopies,
            repaired=self._settler.repaired + self._repairs.documents.total,
            discarded_markers=self._observations.discarded,
            waiting=self._troubles.waiting(),
            servers=servers,
        )


def _position(tailer: Tailer) -> ServerPosition:
    ledger, reading = tailer.ledger, tailer.reading
    applied = None if ledger is None else ledger.applied_through
    return ServerPosition(
        read_tick=reading.through,
        last_tick=reading.last_tick,
        applied_tick=applied,
        restart_tick=None if ledger is None else ledger.restart_tick,
        lag_seconds=None if applied is None else reading.lag(applied),
        error=reading.error,
    )
