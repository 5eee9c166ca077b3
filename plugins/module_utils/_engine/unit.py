# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Applying one batch of one shard to the target, with guarded removes and unique conflicts (design §4.5)."""

from __future__ import annotations

import re
from typing import Callable, Iterator, Optional, Protocol, Sequence

from .._core.revision import decode
from .bulk import REVISION_CONFLICT, UNIQUE_VIOLATED, Refused, insert_all, remove_all, slices
from .coalesce import Batch
from .exactness import ExactNumbers
from .findings import Finding
from .marker import REMOVE, Marker
from .reads import Reader
from .shards import ShardId, ShardPlan
from .target import TargetWriter

_CONFLICTING = re.compile(r"conflicting key: (\S+)")
_OVERHEAD = 64


class UnsettledKeys(Protocol):
    """Keys whose last write has an unknown outcome."""

    def note(self, shard: ShardId, keys: Sequence[bytes]) -> None:
        """Read these keys back later."""

    def last_due(self, database: str, plan_id: str) -> Optional[float]:
        """Until when late requests may run; None when there are none."""


class UnitWriter:
    """Writes batches; a document that the target refuses becomes a finding with its key (invariant I9)."""

    def __init__(
        self,
        writer: TargetWriter,
        reader: Reader,
        recheck: UnsettledKeys,
        report: Callable[[Finding], None],
        largest: int,
        exact: ExactNumbers,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._recheck = recheck
        self._report = report
        self._largest = largest
        self._exact = exact

    def apply(self, plan: ShardPlan, batch: Batch) -> None:
        """Do all of it; returns when the target has acknowledged everything or its refusal is reported.

        While requests of the collection may still run late, one of them can have brought an old unique value back:
        then the documents are read back later instead.
        """
        unsolved = self.write(plan, batch)
        if unsolved and self._recheck.last_due(plan.id.database, plan.id.plan_id) is not None:
            self._recheck.note(plan.id, [one.marker.key for one in unsolved])
        else:
            self.report_conflicts(plan, unsolved)

    def write(self, plan: ShardPlan, batch: Batch) -> list[Refused]:
        """Do all of it; gives the documents whose unique values are held by documents that the batch does not write."""
        for removes in self._slices(batch.removes()):
            self._remove(plan, removes)
        conflicts: list[bytes] = []
        for inserts in self._slices(batch.inserts()):
            exact = self._exact.markers(plan, inserts)
            for refused in insert_all(self._writer, plan, exact, self._largest):
                if refused.failure.number == UNIQUE_VIOLATED:
                    conflicts.append(refused.marker.key)
                else:
                    self.refuse(plan, refused)
        return self._solve(plan, batch, conflicts)

    def refuse(self, plan: ShardPlan, refused: Refused) -> None:
        """Report an operation that the target does not take."""
        verb = "remove" if refused.marker.type == REMOVE else "take"
        self._report(
            Finding(
                "CUT-DATA-3",
                "error",
                f"{plan.id.database}/{plan.collection}",
                f"the target does not {verb} a document: errorNum {refused.failure.number}, {refused.failure.message}",
                "Change the document on the source so that the target takes it, or accept that it is missing there.",
                key=refused.marker.key.decode("utf-8", "replace"),
            )
        )

    def _slices(self, markers: Iterator[Marker]) -> Iterator[list[Marker]]:
        return slices(markers, lambda marker: len(marker.data) + _OVERHEAD, self._writer.size.bytes, self._largest)

    def _remove(self, plan: ShardPlan, markers: list[Marker]) -> None:
        refused = remove_all(self._writer, plan, markers, self._largest)
        conflicts = [one.marker for one in refused if one.failure.number == REVISION_CONFLICT]
        for one in refused:
            if one.failure.number != REVISION_CONFLICT:
                self.refuse(plan, one)
        if conflicts:
            self._remove_older(plan, conflicts)

    def _remove_older(self, plan: ShardPlan, markers: list[Marker]) -> None:
        """Guarded removes that met another revision: it goes only if it is not newer than the removed one."""
        keys = [marker.key.decode("utf-8") for marker in markers]
        present = self._reader.revisions(plan.id.database, plan.collection, keys)
        for marker in markers:
            limit = decode(marker.rev.decode("ascii"))
            for revision in present.get(marker.key.decode("utf-8"), ()):
                if decode(revision) <= limit:
                    # What is refused now was replaced or removed in between by another shard's applier.
                    remove_all(self._writer, plan, [marker._replace(rev=revision.encode("ascii"))], self._largest)

    def _solve(self, plan: ShardPlan, batch: Batch, keys: list[bytes]) -> list[Refused]:
        """Documents that met a unique value of another one.

        As every prefix of the log is a valid state, the other one gives its value up in this very batch, or in a
        cycle waits for it: then it is removed and written again. Another one that this batch does not write is never
        touched.
        """
        removed: set[bytes] = set()
        while keys:
            refused = self._insert(plan, batch, keys)
            if len(refused) < len(keys):
                keys = [one.marker.key for one in refused]
                continue
            neighbours = {_neighbour(one) or one.marker.key for one in refused}
            fresh = [key for key in sorted(neighbours - removed) if batch.insert_of(key) is not None]
            if not fresh:
                return refused
            removed.update(fresh)
            self._make_room(plan, batch, fresh)
            keys = list(dict.fromkeys([*(one.marker.key for one in refused), *fresh]))
        return []

    def _insert(self, plan: ShardPlan, batch: Batch, keys: list[bytes]) -> list[Refused]:
        """Write these documents of the batch again; gives those that still meet a unique value."""
        still: list[Refused] = []
        markers = (found for found in map(batch.insert_of, keys) if found is not None)
        for part in self._slices(markers):
            exact = self._exact.markers(plan, part)
            for refused in insert_all(self._writer, plan, exact, self._largest):
                if refused.failure.number == UNIQUE_VIOLATED:
                    # Only key and reason are kept: many conflicts must not hold many documents.
                    still.append(refused._replace(marker=refused.marker._replace(data=b"")))
                else:
                    self.refuse(plan, refused)
        return still

    def _make_room(self, plan: ShardPlan, batch: Batch, keys: list[bytes]) -> None:
        """Remove documents that this batch writes again."""
        unguarded = ShardPlan(plan.id, plan.collection, plan.cuid, plan.leader)
        markers = (Marker(found.tick, REMOVE, key=found.key) for found in map(batch.insert_of, keys) if found)
        for part in self._slices(markers):
            for refused in remove_all(self._writer, unguarded, part, self._largest):
                self.refuse(plan, refused)

    def report_conflicts(self, plan: ShardPlan, refused: Sequence[Refused]) -> None:
        """Report documents whose unique values are held by others, with the keys of both."""
        for one in refused:
            other = _neighbour(one)
            holder = f"document {other.decode('utf-8')}" if other else "another document"
            self._report(
                Finding(
                    "CUT-DATA-4",
                    "error",
                    f"{plan.id.database}/{plan.collection}",
                    f"on the target {holder} holds a unique value of this document: {one.failure.message}",
                    "Compare both documents on source and target; whichever is not on the source was written by "
                    "somebody else and must go before the migration is started anew.",
                    key=one.marker.key.decode("utf-8", "replace"),
                )
            )


def _neighbour(refused: Refused) -> Optional[bytes]:
    """The key that the target names in its refusal; the text is free, so it may be missing."""
    found = _CONFLICTING.search(refused.failure.message)
    return found.group(1).encode("utf-8") if found else None
