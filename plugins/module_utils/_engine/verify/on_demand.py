# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A verification that somebody asked for: counts, checksums, keys or documents of everything, now (design §6).

While the migration runs, keys that differ are read back like those of the rounds, so that lag is no difference; counts
and checksums are what they are at this moment. Without a running migration nothing is applied any more: both sides
are read as they are.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Optional, Union

from ..._core.arango import Coordinators
from ..._core.clock import Deadline
from ..._core.errors import CutoverError
from .. import proof
from ..findings import Findings
from ..inspection import CollectionId, Inspection, Standing
from ..likeness import Likeness
from ..parallel import gather
from ..spec_values import VERIFICATION_MODES
from .differences import Differences
from .matching import Matching
from .readback import ReadBack
from .rows import Found, Front, lookup, lookup_documents, scan, scan_documents
from .scanning import HaltedError, compare
from .touched import Touched

COUNTS, CHECKSUMS, KEYS, DOCUMENTS = VERIFICATION_MODES
_SHOWN = 1000
_PAUSE = 0.05


class Still:
    """Both sides when no migration runs; stands in for ``Inspection``. ``collections``: name and likeness of each."""

    def __init__(self, collections: Mapping[CollectionId, tuple[str, Likeness]]) -> None:
        self._standings = {
            identity: Standing(name, True, True, 0, likeness) for identity, (name, likeness) in collections.items()
        }

    def standings(self) -> dict[CollectionId, Standing]:
        """See ``Inspection``."""
        return dict(self._standings)

    def standing(self, collection: CollectionId) -> Optional[Standing]:
        """See ``Inspection``."""
        return self._standings.get(collection)

    def ticks(self) -> dict[str, int]:
        """See ``Inspection``."""
        return {}

    def applied(self, _deadline: Deadline) -> bool:
        """See ``Inspection``."""
        return True

    def doubtful(self, _collection: CollectionId) -> bool:
        """See ``Inspection``."""
        return False

    def repair(self, _collection: CollectionId, _keys: Sequence[bytes]) -> None:
        """Never asked for."""


@dataclass(frozen=True)
class Wish:
    """What was asked for; ``timeout`` in seconds."""

    mode: str
    repair: bool
    timeout: float


class OnDemand:
    """One run; ``directory`` is its own."""

    def __init__(
        self,
        source: Coordinators,
        target: Coordinators,
        inspection: Union[Inspection, Still],
        directory: Path,
        wish: Wish,
    ) -> None:
        self._fronts: tuple[Coordinators, Coordinators] = (source, target)
        self._inspection = inspection
        self._directory = directory
        self._wish = wish
        self._deadline = Deadline(wish.timeout)
        self._touched = Touched(directory / "touched")
        self._differences = Differences(Findings())
        self._repaired = 0

    def run(self) -> dict[str, Any]:
        """The result document. Raises CUT-VERIFY-12 at the deadline, or what a server answered."""
        began = time.monotonic()
        known = self._inspection.standings()
        calm = {identity: standing for identity, standing in known.items() if standing.calm}
        by_rows = self._wish.mode in (KEYS, DOCUMENTS)
        collections = self._by_rows(calm) if by_rows else self._by_figures(calm)
        different = [item for item in collections if not item["equal"]]
        staying = self._differences.staying()
        return {
            "mode": self._wish.mode,
            "equal": not different and len(calm) == len(known),
            "collections": collections,
            "not_in_sync": sorted(f"{identity[0]}/{item.name}" for identity, item in known.items() if not item.calm),
            "differences": [
                {"database": item.collection[0], "collection": item.name, "key": item.key, "kind": item.kind}
                for item in staying[:_SHOWN]
            ],
            "differences_total": len(staying) if by_rows else len(different),
            "repaired": self._repaired,
            "seconds": round(time.monotonic() - began, 3),
        }

    def _by_figures(self, known: Mapping[CollectionId, Standing]) -> list[dict[str, Any]]:
        """Counts, and checksums if asked for."""
        subjects = {identity: proof.Subject(identity[0], item.name, item.likeness) for identity, item in known.items()}
        sides, deadline = self._fronts, self._deadline
        counted = gather({one: partial(proof.counts, *sides, one, deadline) for one in subjects.values()}, 6)
        sums: dict[proof.Subject, bool] = {}
        if self._wish.mode == CHECKSUMS:
            sums = gather({one: partial(proof.checksums_equal, *sides, one, deadline) for one in subjects.values()}, 6)
        found = []
        for one in sorted(subjects.values()):
            left, right = counted[one]
            equal = left == right and sums.get(one, True)
            found.append(_line(one.database, one.collection, left, right, equal))
        return found

    def _by_rows(self, known: Mapping[CollectionId, Standing]) -> list[dict[str, Any]]:
        """Every key on both sides."""
        documents = {identity: self._scan(identity, known[identity]) for identity in sorted(known)}
        self._read_back()
        differing: dict[CollectionId, int] = {}
        for item in self._differences.staying():
            differing[item.collection] = differing.get(item.collection, 0) + 1
        return [
            _line(identity[0], item.name, documents[identity], None, identity not in differing)
            for identity, item in sorted(known.items(), key=lambda entry: (entry[0][0], entry[1].name))
        ]

    def _scan(self, identity: CollectionId, standing: Standing) -> int:
        matching = Matching(self._directory / "matching")
        try:
            streams = [self._stream(front, identity[0], standing) for front in self._fronts]
            count = compare(streams, matching, _nothing, lambda: self._deadline.expired, _nothing)
            for keys in matching.leftovers():
                self._touched.note(identity, [key.encode("utf-8", "surrogateescape") for key in keys])
            return count
        except HaltedError:
            raise self._too_late(f"{identity[0]}/{standing.name} was not compared") from None
        finally:
            matching.close()

    def _stream(self, front: Front, database: str, standing: Standing) -> Any:
        if self._reads_documents(standing.likeness):
            return scan_documents(front, database, standing.name, standing.likeness)
        return scan(front, database, standing.name, False)

    def _reads_documents(self, likeness: Likeness) -> bool:
        """Where the target makes revisions of its own, whole documents are read in either mode."""
        return self._wish.mode == DOCUMENTS or not likeness.keeps_revisions

    def _look_up(
        self, front: Front, collection: CollectionId, name: str, keys: Sequence[str], likeness: Likeness
    ) -> Found:
        if self._reads_documents(likeness):
            return lookup_documents(front, collection[0], name, keys, likeness)
        return lookup(front, collection[0], name, keys, False)

    def _reader(self) -> ReadBack:
        return ReadBack(
            *self._fronts,
            self._inspection,
            self._touched,
            self._differences,
            read=self._look_up,
            inexact=_nothing,
            needed=bool,
            invalidate=_nothing,
            repaired=self._count_repaired,
            confirm_seconds=0.0,
            may_repair=lambda _collection, _name: self._wish.repair,
        )

    def _count_repaired(self, number: int) -> None:
        self._repaired += number

    def _read_back(self) -> None:
        """Until every key that differed is equal, put right, or stays."""
        reader = self._reader()
        while True:
            complete = reader.cycle(patient=False)
            staying = len(self._differences.staying())
            if complete and len(self._differences) == staying and self._touched.count <= staying:
                return
            if self._deadline.expired:
                raise self._too_late(f"{self._touched.count} keys were not read back")
            time.sleep(_PAUSE)

    def _too_late(self, text: str) -> CutoverError:
        return CutoverError("CUT-VERIFY-12", f"{text} within {self._wish.timeout:g} s", retriable=True)


def _nothing(_what: object) -> None:
    """Nobody needs to know."""


def _line(database: str, collection: str, source: int, target: Optional[int], equal: bool) -> dict[str, Any]:
    return {
        "database": database,
        "collection": collection,
        "source_documents": source,
        "target_documents": target,
        "equal": equal,
    }
