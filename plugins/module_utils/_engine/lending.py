# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots that other agents copy for this one (design §4.8): everything else about a shard stays here.

As for a copy of one's own, the spool is armed and the position is read first, here: a snapshot that is opened anywhere
later holds every marker up to that position. Until a job is closed its shards count as being written, so that nobody
begins them anew, drops their collection or lets a cutover pass meanwhile.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Callable, Iterable, Mapping, Optional, Protocol, Sequence

from .._core.errors import CutoverError
from .copier import Copiers
from .patience import Patience, Stopped
from .recheck import Recheck
from .shards import Shard, ShardBook, ShardId, ShardPlan
from .tailer import Tailer
from .workers import Workers

LOG = logging.getLogger(__name__)
_NO_WORK_SECONDS = 0.5


@dataclass(frozen=True)
class Carried:
    """What came of a job, by names of shards, when nothing of it is under way any more.

    ``copied`` completely; ``unsettled``: some request got no answer and may still run; ``refused``: the target did not
    take a document, or nobody here would be told of its key. ``lost``: the snapshot was. ``error`` is for people.
    """

    copied: frozenset[str] = frozenset()
    unsettled: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    lost: bool = False
    error: Optional[str] = None


class Carrier(Protocol):
    """Another agent, as far as it does one job at a time."""

    @property
    def agent(self) -> str:
        """Its agent, for people."""

    @property
    def present(self) -> bool:
        """Whether it may be given work."""

    @property
    def rests(self) -> bool:
        """Whether it writes nothing, because of a pause."""

    def carry(self, server: str, plans: Sequence[ShardPlan], wanted: Callable[[], bool], patience: Patience) -> Carried:
        """Have one snapshot of these shards of one database copied; returns when nothing of it is under way.

        ``wanted`` turns false when the copy is of no use any more. Raises nothing but ``Stopped``.
        """


class Lender:
    """One thread per carrier gives it what waits, wherever most does."""

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        copiers: Copiers,
        recheck: Recheck,
        doubt: Callable[[Iterable[ShardId], str, str], None],
        patience: Patience,
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._copiers = copiers
        self._recheck = recheck
        self._doubt = doubt
        self._patience = patience
        self._carriers: list[Carrier] = []
        self._busy: set[Carrier] = set()
        # A cutover copies what is left by itself: it must not wait for others.
        self.allowed = False

    @property
    def open_jobs(self) -> int:
        """How many jobs others may be working on."""
        return len(self._busy)

    @property
    def rests(self) -> bool:
        """Whether nobody else writes, because of a pause."""
        with self._book.changed:
            return all(carrier.rests for carrier in self._busy)

    def hire(self, workers: Workers, carrier: Carrier) -> None:
        """Give work to this one from now on, until it is not present any more."""
        with self._book.changed:
            self._carriers.append(carrier)
        self._count()
        workers.start(f"lender-{carrier.agent}", lambda: self._serve(carrier))

    def _count(self) -> None:
        self._copiers.others = len({carrier.agent for carrier in self._carriers})

    def _serve(self, carrier: Carrier) -> None:
        pauses = self._patience.pauses()
        try:
            while carrier.present:
                self._patience.check()
                tailer, group = self._choose()
                if tailer is None or not self._begun(tailer, group):
                    with self._book.changed:
                        self._book.changed.wait(_NO_WORK_SECONDS)
                    continue
                carried = self._carried(carrier, tailer, group)
                self._judge(carrier, group, carried)
                if carried.lost:
                    self._copiers.lost([shard for shard in group if not shard.gone], pauses.next())
                else:
                    pauses.reset()
                self._copiers.unclaim(group)
        finally:
            with self._book.changed:
                self._carriers.remove(carrier)
            self._count()

    def _choose(self) -> tuple[Optional[Tailer], list[Shard]]:
        """What to give next: of the server of which most waits."""
        if not self.allowed:
            return None, []
        best: Optional[Tailer] = None
        most: list[Shard] = []
        for tailer in list(self._tailers.values()):
            if tailer.patience.stop.is_set() or tailer.reading.error is not None:
                continue
            shards = [shard for shard in self._copiers.waiting(tailer.server_id) if not shard.own]
            if _amount(shards) > _amount(most):
                best, most = tailer, shards
        group = self._copiers.claim(most)
        return (best, group) if group else (None, [])

    def _begun(self, tailer: Tailer, group: Sequence[Shard]) -> bool:
        """Whether a copy of them may begin anywhere; else they are let go."""
        try:
            self._copiers.begin(tailer, group)
        except Stopped:
            # Perhaps only that server is followed no more.
            self._copiers.unclaim(group)
            self._patience.check()
            return False
        except CutoverError as error:
            LOG.info("%s: its shards cannot be copied now: %s", tailer.server_id, error)
            self._copiers.unclaim(group)
            return False
        return True

    def _carried(self, carrier: Carrier, tailer: Tailer, group: Sequence[Shard]) -> Carried:
        """One job from beginning to end."""
        with self._book.changed:
            self._busy.add(carrier)
            for shard in group:
                shard.writing += 1
        # Whatever this raises, others may still write: then the shards must not be let go.
        carried = carrier.carry(
            tailer.server_id,
            [shard.plan for shard in group],
            lambda: not any(shard.gone for shard in group),
            self._patience,
        )
        self._note(group, carried)
        with self._book.changed:
            self._busy.discard(carrier)
            for shard in group:
                shard.writing -= 1
            self._book.changed.notify_all()
        return carried

    def _note(self, group: Sequence[Shard], carried: Carried) -> None:
        """Requests without an answer are known to another agent by their keys, and here by their collections."""
        unsettled = [shard for shard in group if shard.id.shard in carried.unsettled]
        for shard in {shard.collection: shard for shard in unsettled}.values():
            # The shards must not be let go before.
            self._patience.on_disk(lambda shard=shard: self._recheck.note_collection(shard.id))  # type: ignore[misc]

    def _judge(self, carrier: Carrier, group: Sequence[Shard], carried: Carried) -> None:
        if carried.error is not None:
            LOG.warning("%s: %s", carrier.agent, carried.error)
        doubtful: list[ShardId] = []
        for shard in group:
            name = shard.id.shard
            if name in carried.copied:
                self._copiers.end(shard)
            elif name in carried.unsettled:
                doubtful.append(shard.id)
            elif name in carried.refused or carried.error is not None:
                # Whoever leads can tell by its key what is refused, and why.
                shard.own = True
        if doubtful:
            self._doubt(doubtful, carrier.agent, "its copy broke off, and requests of it may still run")


def _amount(shards: Sequence[Shard]) -> tuple[int, int]:
    return sum(shard.documents or 0 for shard in shards), len(shards)
