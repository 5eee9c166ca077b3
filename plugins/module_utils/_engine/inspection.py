# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the verification asks of the data path: how collections stand, which keys were written, that all is applied."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, AbstractSet, Callable, Mapping, Optional, Sequence

from .._core.clock import Deadline
from .likeness import Likeness
from .parallel import gather
from .patience import Patience, WriteGate
from .recheck import Recheck
from .shards import Shard, ShardBook, ShardState
from .tailer import Tailer
from .wal import log_end

if TYPE_CHECKING:
    from .settler import Settler

CollectionId = tuple[str, str]
Touched = Callable[[CollectionId, Optional[AbstractSet[bytes]]], None]


@dataclass(frozen=True)
class Standing:
    """A collection on the data path.

    ``calm``: all its shards are in sync; ``adopted``: they go on where an earlier process was, and are not copied;
    ``disturbance`` is larger after each copy or doubt of one of them; ``likeness``: how its documents are compared.
    """

    name: str
    calm: bool
    adopted: bool
    disturbance: int
    likeness: Likeness = Likeness.REVISION


class Inspection:
    """Thread safe; reads, and hands repairs to the settler."""

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        needed: Callable[[], AbstractSet[str]],
        recheck: Recheck,
        gate: WriteGate,
        patience: Patience,
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._needed = needed
        self._recheck = recheck
        self._gate = gate
        self._patience = patience
        self._settler: Optional[Settler] = None
        self._observer: Optional[Touched] = None
        self._one_at_a_time = threading.Lock()
        self._known: dict[CollectionId, Standing] = {}

    def connect(self, settler: Settler) -> None:
        """Who repairs."""
        self._settler = settler

    def observe(self, observer: Touched) -> None:
        """From now on the observer is told, in tailers' threads, of the keys of watched collections; None = all."""
        self._observer = observer

    def touched(self, shard: Shard, keys: Optional[AbstractSet[bytes]]) -> None:
        """Called by the routers when markers of a watched shard were read."""
        if self._observer is not None:
            self._observer(shard.collection, keys)

    @property
    def paused(self) -> bool:
        """Whether nothing is applied by the operator's wish."""
        return self._gate.paused

    def standings(self) -> dict[CollectionId, Standing]:
        """Every collection that the data path knows."""
        with self._one_at_a_time:
            for identity in self._book.take_altered():
                standing = self.standing(identity)
                if standing is None:
                    self._known.pop(identity, None)
                else:
                    self._known[identity] = standing
            return dict(self._known)

    def standing(self, collection: CollectionId) -> Optional[Standing]:
        """One of them; None when it is gone."""
        shards = self._book.of(*collection)
        return _standing(shards) if shards else None

    def watch(self, collection: CollectionId) -> None:
        """Tell the observer of every marker that is read from now on."""
        for shard in self._book.of(*collection):
            shard.watched = True

    def ticks(self) -> dict[str, int]:
        """How far each log was read; the observer was told of everything before."""
        through = {name: tailer.reading.through for name, tailer in list(self._tailers.items())}
        return {name: tick for name, tick in through.items() if tick is not None}

    def applied(self, deadline: Deadline) -> bool:
        """Wait until everything that the logs hold at this moment is applied or waits for a shard that is not calm."""
        tailers = {name: tailer for name, tailer in list(self._tailers.items()) if name in self._needed()}
        ends = gather({name: partial(log_end, tailer.server) for name, tailer in tailers.items()})
        for name, end in ends.items():
            tailer = tailers[name]
            if not tailer.read_to(end.tick, deadline, self._patience.stop) or tailer.ledger is None:
                return False
            if not tailer.ledger.wait_completed(deadline, self._patience.stop):
                return False
        return True

    def doubtful(self, collection: CollectionId) -> bool:
        """Whether writes of unknown outcome of this collection wait to be read back: they repair themselves."""
        return self._recheck.last_due(*collection) is not None

    def repair(self, collection: CollectionId, keys: Sequence[bytes]) -> None:
        """Write what the source has, remove what it lacks; returns when it was tried."""
        shards = self._book.of(*collection)
        if shards and self._settler is not None:
            self._settler.restore(shards, keys)


def _standing(shards: Sequence[Shard]) -> Standing:
    calm = all(shard.state is ShardState.IN_SYNC and not shard.gone for shard in shards)
    adopted = all(shard.state in (ShardState.IN_SYNC, ShardState.HELD) for shard in shards)
    plan = shards[0].plan
    return Standing(plan.collection, calm, adopted, max(shard.disturbance for shard in shards), plan.likeness)
