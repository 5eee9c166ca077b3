# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removing from the target what the source does not have (design §4.3, §4.5, §4.6).

A key is looked up on the source after it was seen on the target, and removed only in the revision in which it was
seen there: whatever the appliers write meanwhile stays. So a pass is right at any moment, for every shard of a
collection.

After a truncate everything from before it must go, also documents that the source has again by now: their old unique
values would meet documents that come before them in the log. A document that is not like the source's any more may
always go: the marker of its newer state is still on the way. Where contents are compared, one that has become like the
source's again stays.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Callable, Optional

from .bulk import REVISION_CONFLICT, Refused, remove_all
from .likeness import differs
from .marker import REMOVE, Marker
from .patience import Patience
from .reads import Reader
from .shards import ShardPlan
from .target import TargetWriter

Differing = Callable[[list[bytes]], None]


class _Passes:
    """Counts the passes over one collection, so that one that begins now serves everybody who waits for it."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.running = False
        self.users = 0


class Sweeper:
    """Sweeps target collections; calls for the same collection share a pass that begins after them."""

    def __init__(
        self,
        source: Reader,
        target: Reader,
        writer: TargetWriter,
        refuse: Callable[[ShardPlan, Refused], None],
        patience: Patience,
        largest: int,
    ) -> None:
        self._source = source
        self._target = target
        self._writer = writer
        self._refuse = refuse
        self._patience = patience
        self._largest = largest
        self._changed = threading.Condition()
        self._passes: dict[tuple[str, str, bool], _Passes] = {}

    def sweep(self, plan: ShardPlan, *, truncated: bool = False) -> None:
        """Returns when a pass that began after this call has ended; ``truncated`` takes old documents as well."""
        name = (plan.id.database, plan.collection, truncated)
        with self._changed:
            passes = self._passes.setdefault(name, _Passes())
            passes.users += 1
            needed = passes.begun + 1
        try:
            while not self._served(passes, needed):
                self._lead(passes, plan, truncated)
        finally:
            with self._changed:
                passes.users -= 1
                if not passes.users:
                    self._passes.pop(name, None)

    def compare(self, plan: ShardPlan, differing: Differing) -> None:
        """A pass of its own that also gives the keys that are not like the source's, or that the target lacks."""
        self._pass(plan, differing, False)
        for page in self._source.keys(plan.id.database, plan.collection):
            self._patience.check()
            there = self._target.revisions(plan.id.database, plan.collection, [key for key, _revision in page])
            missing = [key.encode("utf-8") for key, _revision in page if key not in there]
            if missing:
                differing(missing)

    def _served(self, passes: _Passes, needed: int) -> bool:
        """Wait for a running pass; True when one that is late enough has ended, False when one must be begun."""
        with self._changed:
            while passes.running and passes.ended < needed:
                self._changed.wait(0.2)
                self._patience.check()
            if passes.ended >= needed:
                return True
            passes.running = True
            passes.begun += 1
            return False

    def _lead(self, passes: _Passes, plan: ShardPlan, truncated: bool) -> None:
        ended = False
        try:
            self._pass(plan, None, truncated)
            ended = True
        finally:
            with self._changed:
                passes.running = False
                # A pass that failed serves nobody; its number is given back.
                if ended:
                    passes.ended = passes.begun
                else:
                    passes.begun -= 1
                self._changed.notify_all()

    def _pass(self, plan: ShardPlan, differing: Optional[Differing], truncated: bool) -> None:
        guarded = replace(plan, key_determines_shard=False)
        place = (plan.id.database, plan.collection)
        for page in plan.likeness.pages(self._target, *place):
            self._patience.check()
            here = plan.likeness.states(self._source, *place, [key for key, state in page])
            gone = [
                Marker(0, REMOVE, key=key.encode("utf-8"), rev=state.revision.encode("ascii"))
                for key, state in page
                if key not in here or (truncated and differs(state, here[key]))
            ]
            if gone:
                self._remove(guarded, gone)
            if differing is not None:
                others = [key.encode("utf-8") for key, state in page if key in here and differs(state, here[key])]
                if others:
                    differing(others)

    def _remove(self, plan: ShardPlan, markers: list[Marker]) -> None:
        for refused in remove_all(self._writer, plan, markers, self._largest):
            if refused.failure.number != REVISION_CONFLICT:
                self._refuse(plan, refused)
