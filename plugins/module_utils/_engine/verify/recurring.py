# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Repairs that keep coming back: a collection that is put right round after round is not left to it for ever (I9).

Rounds are those of the verification, over all collections. Rounds are in a row when none between them has found the
collection equal; what an operator has accepted counts as equal.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Callable

from ..._core.catalogue import lookup as catalogued
from ..findings import Finding, Findings
from ..inspection import CollectionId

RECURS = "CUT-VERIFY-5"
ROUNDS_IN_VAIN = 3


@dataclass
class _Series:
    """Rounds in a row that have repaired a collection; ``last`` is the newest one."""

    where: str
    rounds: int
    last: int


class Recurring:
    """All collections that were repaired lately; thread safe."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._lock = threading.Lock()
        self._series: dict[CollectionId, _Series] = {}

    def may_repair(self, collection: CollectionId, name: str, round_number: int) -> bool:
        """A repair is due in this round: notes it, or answers False and blocks the cutover when it would be in vain."""
        with self._lock:
            series = self._series.setdefault(collection, _Series(f"{collection[0]}/{name}", 0, 0))
            if round_number == series.last:
                return True
            if series.rounds < ROUNDS_IN_VAIN:
                series.rounds, series.last = series.rounds + 1, round_number
                return True
        text = f"repaired in {series.rounds} rounds in a row, and different again: no further repair is tried"
        self._findings.report(Finding(RECURS, "error", series.where, text, catalogued(RECURS).remedy))
        return False

    def recall(self, collection: CollectionId, where: str, round_number: int) -> None:
        """An earlier process has told of this one; ``round_number`` says nothing yet, the next one does."""
        with self._lock:
            self._series[collection] = _Series(where, ROUNDS_IN_VAIN, round_number - 1)

    def round_ended(self, round_number: int, is_equal: Callable[[CollectionId], bool]) -> None:
        """Everything was compared and read back: collections that are equal begin anew."""
        with self._lock:
            ended = [one for one, series in self._series.items() if series.last < round_number and is_equal(one)]
        self.forget(ended)

    def forget(self, collections: Collection[CollectionId]) -> None:
        """These are equal, or gone."""
        with self._lock:
            gone = [self._series.pop(one) for one in collections if one in self._series]
        for series in gone:
            self._findings.resolve(RECURS, series.where)
