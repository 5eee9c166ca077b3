# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading back keys that were written or found different (design §5 step 7b, §6).

The source is read first; then everything in the logs up to that moment is applied; then the target is read. A key that
differs is read on the source once more: if it has not changed there meanwhile, the target must have what was read. So
no lag and no write in between ever looks like a difference.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Protocol

from ..._core.arango import segment
from ..._core.clock import SYSTEM_CLOCK, Clock, Deadline
from ..._core.errors import ArangoError, CutoverError
from ..._core.retry import GONE
from ..._core.revision import decode
from ..aql import canonical
from ..inspection import CollectionId, Standing
from ..likeness import Likeness
from .differences import ALTERED, Difference, Differences
from .rows import Found, Front, same
from .touched import Group, Touched

LOG = logging.getLogger(__name__)
_KEYS_AT_ONCE = 20_000
_BODIES_AT_ONCE = 50
_APPLIED_SECONDS = 30.0
_LOOKS = 2


class View(Protocol):
    """What reading back needs of the data path; see ``Inspection``."""

    def standing(self, collection: CollectionId) -> Optional[Standing]:
        """How a collection stands."""

    def ticks(self) -> dict[str, int]:
        """How far each log was read."""

    def applied(self, deadline: Deadline) -> bool:
        """Wait until everything up to now is applied."""

    def doubtful(self, collection: CollectionId) -> bool:
        """Whether writes of unknown outcome wait."""

    def repair(self, collection: CollectionId, keys: Sequence[bytes]) -> None:
        """Write what the source has."""


Read = Callable[[Front, CollectionId, str, Sequence[str], Likeness], Found]


@dataclass(frozen=True)
class Position:
    """Up to where everything is verified: ticks by server, and when (seconds since 1970) they were read."""

    ticks: Mapping[str, int] = field(default_factory=dict)
    at: float = 0.0


@dataclass(frozen=True)
class _Asked:
    """Keys of one collection with what the source has."""

    collection: CollectionId
    name: str
    disturbance: int
    likeness: Likeness
    keys: Sequence[str]
    here: Found


class ReadBack:
    """One cycle after the other, each in one thread at a time."""

    def __init__(
        self,
        source: Front,
        target: Front,
        inspection: View,
        touched: Touched,
        differences: Differences,
        *,
        read: Read,
        inexact: Callable[[CollectionId], None],
        needed: Callable[[CollectionId], bool],
        invalidate: Callable[[CollectionId], None],
        repaired: Callable[[int], None],
        confirm_seconds: float,
        may_repair: Callable[[CollectionId, str], bool],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._source = source
        self._target = target
        self._inspection = inspection
        self._touched = touched
        self._differences = differences
        self._lookup = read
        self._inexact = inexact
        self._needed = needed
        self._invalidate = invalidate
        self._repaired = repaired
        self._confirm_seconds = confirm_seconds
        self._may_repair = may_repair
        self._clock = clock
        self.position = Position()

    def cycle(self, patient: bool = True) -> bool:
        """Read back everything noted so far; True when all of it could be looked at.

        Without patience a difference is taken for real the second time it is seen: nobody writes then. Raises what a
        server answered, or ``OSError``; nothing is forgotten then.
        """
        position = Position(self._inspection.ticks(), self._clock.wall())
        complete = True
        if not self._touched.empty:
            generation = self._touched.take()
            try:
                groups: list[Group] = []
                for group in generation.groups():
                    groups.append(group)
                    if sum(len(keys) for _collection, keys in groups) >= _KEYS_AT_ONCE:
                        complete = self._look(groups, patient) and complete
                        groups = []
                complete = self._look(groups, patient) and complete
            except BaseException:
                self._touched.give_back(generation)
                raise
            self._touched.done(generation)
        if complete:
            self.position = position
        return complete

    def _look(self, groups: Sequence[Group], patient: bool) -> bool:
        """Look at some keys; those about which nothing can be said now are noted again, and the answer is False."""
        asked: list[_Asked] = []
        complete = True
        for collection, keys in groups:
            standing = self._inspection.standing(collection)
            if standing is None or not self._needed(collection):
                # It will be compared as a whole again: what is known of single keys ends here, or nobody ends it.
                self._differences.forget({collection})
                continue
            names = [key.decode("utf-8", "surrogateescape") for key in keys]
            likeness = standing.likeness
            here = self._read(self._source, collection, standing.name, names, likeness) if standing.calm else None
            if here is None:
                self._touched.note(collection, keys)
                complete = False
            else:
                asked.append(_Asked(collection, standing.name, standing.disturbance, likeness, names, here))
        if not asked:
            return complete
        applied = self._inspection.applied(Deadline(_APPLIED_SECONDS))
        for item in asked:
            standing = self._inspection.standing(item.collection)
            if standing is None:
                continue
            still = applied and standing.calm and standing.disturbance == item.disturbance
            there = self._read(self._target, item.collection, item.name, item.keys, item.likeness) if still else None
            if there is None:
                self._note(item.collection, item.keys)
                complete = False
            else:
                self._judge(item, there, patient)
        return complete

    def _note(self, collection: CollectionId, keys: Sequence[str]) -> None:
        self._touched.note(collection, [key.encode("utf-8", "surrogateescape") for key in keys])

    def _read(
        self, front: Front, collection: CollectionId, name: str, keys: Sequence[str], likeness: Likeness
    ) -> Any:
        """What is there of these keys; None while the collection is being dropped or made."""
        try:
            return self._lookup(front, collection, name, keys, likeness)
        except ArangoError as error:
            if error.error_num not in GONE:
                raise
            return None

    def _judge(self, item: _Asked, there: Found, patient: bool) -> None:
        """Everything up to the reading of the source was applied before the target was read."""
        differing = [
            key
            for key in item.keys
            if item.here.get(key) != there.get(key)
            and not same(item.here.get(key, ()), there.get(key, ()), item.likeness)
        ]
        if self._differences.of(item.collection):
            for key in set(item.keys).difference(differing):
                self._settle(item.collection, key)
        if not differing:
            return
        self._note(item.collection, differing)
        again = self._read(self._source, item.collection, item.name, differing, item.likeness)
        if again is None:
            return
        confirmed: list[Difference] = []
        now = time.monotonic()
        for key in differing:
            here = item.here.get(key, ())
            if here != again.get(key, ()):
                self._differences.changed(item.collection, key, now)
                continue
            found = self._differences.see(
                item.collection, item.name, key, here, there.get(key, ()), now, item.likeness
            )
            if found is None:
                # Too many at once: the collection is compared anew when these are repaired.
                self._invalidate(item.collection)
            elif found.looks >= _LOOKS and (not patient or now - found.first_seen >= self._confirm_seconds):
                confirmed.append(found)
        # Writes of unknown outcome are read back and repaired by those who made them.
        if confirmed and not self._inspection.doubtful(item.collection):
            self._confirm(item, confirmed)

    def _settle(self, collection: CollectionId, key: str) -> None:
        known = self._differences.settle(collection, key)
        if known is not None and known.repairs:
            self._differences.tell_repaired(known, known.kind)
            self._repaired(1)

    def _confirm(self, item: _Asked, found: Sequence[Difference]) -> None:
        altered = [one.key for one in found if one.kind == ALTERED]
        equal = self._equal_bodies(item, altered) if altered else set()
        if equal:
            self._inexact(item.collection)
        for key in equal:
            self._differences.settle(item.collection, key)
        found = [one for one in found if one.key not in equal]
        for one in found:
            one.confirmed = True
        mended = [one for one in found if not (one.hopeless or self._differences.is_accepted(one))]
        if mended and not self._may_repair(item.collection, item.name):
            mended = []
        for one in found:
            if one not in mended:
                self._differences.tell_staying(one)
        if mended:
            self._mend(item.collection, mended)

    def _mend(self, collection: CollectionId, found: Sequence[Difference]) -> None:
        LOG.warning("%s: repairing %d documents that differ", found[0].where, len(found))
        for one in found:
            one.repairs += 1
        try:
            self._inspection.repair(collection, [one.key.encode("utf-8", "surrogateescape") for one in found])
        except CutoverError as error:
            LOG.warning("%s: the repair failed: %s", found[0].where, error)

    def _equal_bodies(self, item: _Asked, keys: Sequence[str]) -> set[str]:
        """Keys whose documents are the same as JSON: numbers may be stored differently and be printed alike."""
        equal: set[str] = set()
        for start in range(0, len(keys), _BODIES_AT_ONCE):
            some = keys[start : start + _BODIES_AT_ONCE]
            sides = [self._documents(front, item, some) for front in (self._source, self._target)]
            equal.update(key for key, left, right in zip(some, *sides) if left == right)
        return equal

    @staticmethod
    def _documents(front: Front, item: _Asked, keys: Sequence[str]) -> list[str]:
        found = front.json(
            "PUT",
            f"/_api/document/{segment(item.name)}",
            database=item.collection[0],
            query={"onlyget": True},
            body=list(keys),
            timeout=120.0,
            max_body=256 * 1024 * 1024,
            idempotent=True,
        )
        return [canonical({**entry, "_rev": decode(entry["_rev"])} if "_rev" in entry else None) for entry in found]
