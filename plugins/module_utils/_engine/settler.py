# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading back the keys of requests whose outcome was unknown, and repairing them in order (design §4.5)."""

from __future__ import annotations

import logging
import time
from typing import Callable, Iterable, Mapping, Sequence

from .._core.arango import Coordinators, segment
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .applier import ApplierPool, Unit
from .bulk import remove_all
from .coalesce import MemoryBatch
from .likeness import State, States, alike
from .marker import REMOVE, Marker
from .patience import Patience
from .reads import Reader
from .recheck import Entry, Recheck
from .shards import Shard, ShardBook, ShardId, ShardPlan, ShardState
from .sweep import Sweeper
from .tailer import Tailer
from .target import TargetWriter
from .unit import UnitWriter
from .wal import log_end

LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
_AGAIN_SECONDS = 1.0
_APPLIED_SECONDS = 30.0
_GROUP = 100
# How often a unique value may be found taken before it is no passing state any more.
_CONFLICTS = 10


class Settler:
    """One thread; ``repaired`` counts the documents that were found stale and corrected."""

    def __init__(
        self,
        recheck: Recheck,
        book: ShardBook,
        pool: ApplierPool,
        tailers: Mapping[str, Tailer],
        source: Reader,
        target: Reader,
        writer: TargetWriter,
        units: UnitWriter,
        sweeper: Sweeper,
        coordinators: Coordinators,
        patience: Patience,
        time_scale: float,
    ) -> None:
        self._recheck = recheck
        self._book = book
        self._pool = pool
        self._tailers = tailers
        self._source = source
        self._target = target
        self._writer = writer
        self._units = units
        self._sweeper = sweeper
        self._coordinators = coordinators
        self._patience = patience
        self._again = max(0.05, _AGAIN_SECONDS * time_scale)
        self._conflicts: dict[tuple[ShardId, bytes], int] = {}
        self.repaired = 0

    def run(self) -> None:
        """The thread's work; ends by ``Stopped``."""
        while True:
            entry = self._recheck.due(time.monotonic())
            if entry is None:
                self._patience.sleep(_POLL_SECONDS)
            else:
                self._treat(entry)

    def _treat(self, entry: Entry) -> None:
        shard = self._book.get(entry.shard)
        # After a restart the plans come only once the inventory is read; a collection that is gone is forgotten.
        if shard is None or shard.gone or shard.state is not ShardState.IN_SYNC:
            self._recheck.postpone(entry, self._again)
            return
        try:
            self._settle(shard, entry)
        except CutoverError:
            # The collection is being dropped on one side: it will be forgotten, or the next try succeeds.
            self._recheck.postpone(entry, self._again)
        except OSError as error:
            LOG.warning("%s: what may have been written is noted when the disk has room: %s", shard.plan.id, error)
            self._recheck.postpone(entry, self._again)

    def _settle(self, shard: Shard, entry: Entry) -> None:
        if entry.keys:
            self._read_back(shard, entry)
        else:
            self._sweeper.compare(shard.plan, lambda keys: self._differing(shard.plan, entry, keys))
            self._recheck.settled(entry)

    def _differing(self, plan: ShardPlan, entry: Entry, keys: list[bytes]) -> None:
        """Note keys of a collection under the shards that hold them: each is repaired in its own order."""
        for key in keys:
            document = self._source.document(plan.id.database, plan.collection, key.decode("utf-8"))
            if document is not None:
                place = plan.id._replace(shard=self._responsible(plan, document))
                self._recheck.found(entry, place, [key], delay=0)

    def _responsible(self, plan: ShardPlan, document: Marker) -> str:
        path = f"/_api/collection/{segment(plan.collection)}/responsibleShard"
        answer = self._patience.call(
            lambda: self._coordinators.json(
                "PUT", path, database=plan.id.database, body=document.data, idempotent=True
            )
        )
        return str(answer["shardId"])

    def _read_back(self, shard: Shard, entry: Entry) -> None:
        keys = self._recheck.keys(entry)
        unsettled: list[bytes] = []
        for start in range(0, len(keys), _GROUP):
            unsettled.extend(self._group(shard, keys[start : start + _GROUP]))
        if unsettled:
            self._recheck.found(entry, shard.id, unsettled, delay=self._again)
        self._recheck.settled(entry)

    def _group(self, shard: Shard, keys: list[bytes]) -> list[bytes]:
        """Compare some keys; gives those about which nothing can be said yet.

        The source is read first, then everything in its log up to that moment is applied: from then on the target
        may only be as new as that reading, or newer.
        """
        plan = shard.plan
        names = [key.decode("utf-8") for key in keys]
        here = self._states(self._source, plan, names)
        if not self._applied(shard):
            return keys
        there = self._states(self._target, plan, names)
        stale = self._wrong(plan, keys, here, there)
        if not stale:
            return []
        # A shard that gets in doubt meanwhile does none of this: its keys are read back later then.
        unsettled: list[list[bytes]] = [stale]

        def repair() -> None:
            try:
                unsettled[0] = self._repair(plan, stale, here)
            except CutoverError:
                unsettled[0] = stale

        self._in_order(shard, repair)
        return unsettled[0]

    @staticmethod
    def _states(side: Reader, plan: ShardPlan, names: Sequence[str]) -> States:
        return plan.likeness.states(side, plan.id.database, plan.collection, names)

    def _wrong(self, plan: ShardPlan, keys: list[bytes], here: States, there: States) -> list[bytes]:
        """Keys whose state on the target is none that the log has left there."""
        names = [key.decode("utf-8") for key in keys]
        unlike = [name for name in names if not alike(here.get(name, ()), there.get(name, ()))]
        if not unlike:
            return []
        later = self._states(self._source, plan, unlike)
        wrong = {
            name
            for name in unlike
            if plan.likeness.wrong(
                here.get(name, ()), there.get(name, ()), later.get(name, ()), plan.key_determines_shard
            )
        }
        return [key for key, name in zip(keys, names) if name in wrong]

    def restore(self, shards: Sequence[Shard], keys: Sequence[bytes]) -> None:
        """Bring keys of a collection to what the source has, whatever the target holds; what the log has yet to speak
        about is left to it.
        """
        places: dict[str, list[bytes]] = {}
        for key in keys:
            plan = shards[0].plan
            document = self._source.document(plan.id.database, plan.collection, key.decode("utf-8"))
            place = plan.id.shard if document is None else self._responsible(plan, document)
            places.setdefault(place, []).append(key)
        for shard in shards:
            mine = places.get(shard.id.shard, [])
            for start in range(0, len(mine), _GROUP):
                self._restore_group(shard, mine[start : start + _GROUP])

    def _restore_group(self, shard: Shard, keys: list[bytes]) -> None:
        plan = shard.plan
        here = self._states(self._source, plan, [key.decode("utf-8") for key in keys])
        if self._applied(shard):
            self._in_order(shard, lambda: self._overwrite(plan, keys, here))

    def _overwrite(self, plan: ShardPlan, keys: list[bytes], before: States) -> None:
        """Whatever the source does not have goes; what it has had all the time is written."""
        documents: list[Marker] = []
        for key in keys:
            name = key.decode("utf-8")
            there = self._states(self._target, plan, [name]).get(name, [])
            document = self._source.document(plan.id.database, plan.collection, name)
            known = before.get(name, [])
            if document is None and known:
                continue
            if document is not None and not _is_known(document, known):
                continue
            self._remove(plan, key, plan.likeness.strays(there, known, document is not None))
            if document is not None:
                documents.append(document)
        self._write(plan, documents)

    def _applied(self, shard: Shard) -> bool:
        """Wait until the log as it is now is applied; False when that takes too long."""
        tailer = self._tailers.get(shard.plan.leader)
        if tailer is None:
            return False
        # Not with patience: other shards must not wait for a server that is down.
        tick = log_end(tailer.server).tick
        deadline = Deadline(_APPLIED_SECONDS)
        if not tailer.reading.wait(tick, deadline, self._patience.stop) or tailer.ledger is None:
            return False
        done = tailer.ledger.wait_completed(deadline, self._patience.stop)
        return done and shard.state is ShardState.IN_SYNC

    def _in_order(self, shard: Shard, action: Callable[[], None]) -> None:
        """Run something in the shard's applier, where nothing else writes to the shard, and wait for it."""
        finished: list[bool] = []
        self._pool.submit(Unit(shard, action=action, done=lambda: finished.append(True)))
        self._patience.until(lambda: bool(finished), 0.01)

    def _repair(self, plan: ShardPlan, keys: list[bytes], before: States) -> list[bytes]:
        """Write or remove what is stale; gives the keys about which the log has yet to speak."""
        unsettled: list[bytes] = []
        documents: list[Marker] = []
        for key in keys:
            name = key.decode("utf-8")
            there = self._states(self._target, plan, [name]).get(name, [])
            document = self._source.document(plan.id.database, plan.collection, name)
            if document is None:
                self._remove(plan, key, [state.revision for state in there])
                continue
            if plan.likeness.settled(plan.likeness.state(document), there, plan.key_determines_shard):
                continue
            if _is_known(document, before.get(name, ())):
                documents.append(document)
            else:
                unsettled.append(key)
        return [*unsettled, *self._write(plan, documents)]

    def _write(self, plan: ShardPlan, documents: list[Marker]) -> list[bytes]:
        """Write the source's documents; gives those that must wait for a unique value."""
        refused = self._units.write(plan, MemoryBatch(documents))
        self.repaired += len(documents) - len(refused)
        waiting: list[bytes] = []
        for one in refused:
            name = (plan.id, one.marker.key)
            self._conflicts[name] = self._conflicts.get(name, 0) + 1
            if self._conflicts[name] < _CONFLICTS:
                waiting.append(one.marker.key)
            else:
                del self._conflicts[name]
                self._units.report_conflicts(plan, [one])
        return waiting

    def _remove(self, plan: ShardPlan, key: bytes, revisions: list[str]) -> None:
        guarded = ShardPlan(plan.id, plan.collection, plan.cuid, plan.leader, key_determines_shard=False)
        for revision in revisions:
            remove_all(self._writer, guarded, [Marker(0, REMOVE, key=key, rev=revision.encode("ascii"))], 1)
            self.repaired += 1


def _is_known(document: Marker, states: Iterable[State]) -> bool:
    """Whether the source has had this document all the time."""
    return document.rev.decode("ascii") in [state.revision for state in states]
