# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents that are not the same on both sides: since when, what kind of difference it is, and what became of it."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Optional

from ..._core.catalogue import lookup as catalogued
from ..findings import Finding, Findings
from ..inspection import CollectionId
from ..likeness import Likeness
from .rows import revisions

MISSING, STALE, EXTRA, FOREIGN, ALTERED, OTHER = "missing", "stale", "extra", "foreign", "altered", "other"
_TEXTS = {
    MISSING: "the document was missing on the target",
    STALE: "the document was an older one on the target",
    EXTRA: "the target had a document that the source does not have",
    FOREIGN: "the document was replaced on the target by one that the source never had",
    ALTERED: "the document had another content on the target under the same revision",
    OTHER: "the document had another content on the target",
}
REPAIRED, STAYS, FOREIGN_WRITE = "CUT-VERIFY-1", "CUT-VERIFY-2", "CUT-VERIFY-3"
# What the target had refused is there now, or is nowhere.
_REFUSED = ("CUT-DATA-3", "CUT-DATA-4")
_LIMIT = 10_000
_REPAIRS = 3
Rests = tuple[str, ...]


@dataclass
class Difference:
    """One key. ``first_seen`` is monotonic and begins anew with any change of the key on the source.

    ``looks`` counts how often it was found so since then; ``confirmed``: it is no passing state; ``staying``: nobody
    repairs it.
    """

    collection: CollectionId
    name: str
    key: str
    here: Rests
    there: Rests
    first_seen: float
    looks: int = 0
    likeness: Likeness = Likeness.REVISION
    repairs: int = 0
    confirmed: bool = False
    staying: bool = False

    def begin_anew(self, now: float) -> None:
        """The key has changed on the source."""
        self.first_seen, self.looks, self.confirmed, self.staying = now, 0, False, False

    @property
    def kind(self) -> str:
        """What is wrong with the target's document."""
        if not self.there:
            return MISSING
        if not self.here:
            return EXTRA
        if not self.likeness.keeps_revisions:
            return OTHER
        left, right = revisions(self.here), revisions(self.there)
        if left == right:
            return ALTERED
        return STALE if right[-1] < left[-1] else FOREIGN

    @property
    def where(self) -> str:
        """Database and collection."""
        return f"{self.collection[0]}/{self.name}"

    @property
    def hopeless(self) -> bool:
        """Repairing has not helped."""
        return self.repairs >= _REPAIRS


class Differences:
    """All of them, at most a fixed number; thread safe. Tells findings of what stays and of what was repaired."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._lock = threading.Lock()
        self._items: dict[tuple[CollectionId, str], Difference] = {}
        self._places: Counter[CollectionId] = Counter()
        self.repaired_places: set[tuple[str, str]] = set()

    def see(
        self,
        collection: CollectionId,
        name: str,
        key: str,
        here: Rests,
        there: Rests,
        now: float,
        likeness: Likeness = Likeness.REVISION,
    ) -> Optional[Difference]:
        """A key was found different; None when there are too many to be kept."""
        with self._lock:
            known = self._items.get((collection, key))
            if known is None:
                if len(self._items) >= _LIMIT:
                    return None
                known = Difference(collection, name, key, here, there, now, likeness=likeness)
                self._add(known)
            elif known.here != here:
                known.begin_anew(now)
            known.here, known.there = here, there
            known.looks += 1
            return known

    def recall(self, collection: CollectionId, name: str, key: str, now: float) -> None:
        """An earlier process has told of this one."""
        with self._lock:
            self._add(Difference(collection, name, key, (), (), now, confirmed=True, staying=True))

    def _add(self, item: Difference) -> None:
        if (item.collection, item.key) not in self._items:
            self._places[item.collection] += 1
        self._items[(item.collection, item.key)] = item

    def changed(self, collection: CollectionId, key: str, now: float) -> None:
        """The key was written on the source meanwhile: what was found says nothing."""
        with self._lock:
            known = self._items.get((collection, key))
            if known is not None:
                known.begin_anew(now)

    def settle(self, collection: CollectionId, key: str) -> Optional[Difference]:
        """The key is the same on both sides now; gives the difference that it was."""
        with self._lock:
            known = self._items.pop((collection, key), None)
            if known is not None:
                self._places[collection] -= 1
        if known is not None:
            for code in (STAYS, *_REFUSED):
                self._findings.resolve(code, known.where, key)
        return known

    def tell_repaired(self, difference: Difference, kind: str) -> None:
        """It was put right: a warning, for the report."""
        self.repaired_places.add((difference.collection[0], difference.name))
        code = FOREIGN_WRITE if kind in (EXTRA, FOREIGN) else REPAIRED
        text = f"{_TEXTS[kind]} and was repaired"
        self._findings.report(
            Finding(code, "warning", difference.where, text, catalogued(code).remedy, difference.key)
        )

    def tell_staying(self, difference: Difference) -> None:
        """It is still there: blocks the cutover (invariants I5, I9)."""
        difference.staying = True
        tried = f", {difference.repairs} repairs have not helped" if difference.repairs else ""
        text = f"{_TEXTS[difference.kind]}{tried}"
        self._findings.report(
            Finding(STAYS, "error", difference.where, text, catalogued(STAYS).remedy, difference.key)
        )

    def forget(self, collections: set[CollectionId]) -> None:
        """These collections are gone."""
        with self._lock:
            gone = [item for item in self._items.values() if item.collection in collections]
        for item in gone:
            self.settle(item.collection, item.key)

    def counts(self) -> tuple[int, int]:
        """How many may pass by themselves, and how many are confirmed."""
        with self._lock:
            confirmed = sum(item.confirmed for item in self._items.values())
            return len(self._items) - confirmed, confirmed

    def of(self, collection: CollectionId) -> int:
        """How many a collection has."""
        with self._lock:
            return self._places[collection]

    def staying(self) -> list[Difference]:
        """Those that nobody repairs."""
        with self._lock:
            return [item for item in self._items.values() if item.staying]

    def is_accepted(self, difference: Difference) -> bool:
        """Whether the operator has accepted it by name."""
        return self._findings.is_accepted(STAYS, difference.where, difference.key)

    def accepted(self) -> list[Difference]:
        """Those that stay and were accepted."""
        return [item for item in self.staying() if self.is_accepted(item)]

    def equal(self, collection: CollectionId) -> bool:
        """Whether a collection has none but accepted ones."""
        with self._lock:
            own = [item for item in self._items.values() if item.collection == collection]
        return all(map(self.is_accepted, own))

    def __len__(self) -> int:
        with self._lock:
            return len(self._items)
