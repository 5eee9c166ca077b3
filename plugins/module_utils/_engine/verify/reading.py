# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the rows of a collection are read: by hashes that both sides make alike, or decoded here (design §6)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Optional

from ..inspection import CollectionId, Standing
from ..likeness import Likeness
from .rows import Found, Front, hashes_alike, lookup, lookup_documents, scan, scan_documents


class Reading:
    """Reads source and target; what it learns of them on the way decides how it reads on."""

    def __init__(self, source: Front, target: Front) -> None:
        self._fronts = (source, target)
        self._hashed: Optional[bool] = None
        self._inexact: set[CollectionId] = set()

    def probe(self) -> None:
        """Ask both sides, once, whether they hash alike; raises what they answer."""
        if self._hashed is None:
            self._hashed = hashes_alike(*self._fronts)

    def inexact(self, collection: CollectionId) -> None:
        """Hashes differ in this collection though its documents do not."""
        self._inexact.add(collection)

    def is_hashed(self, collection: CollectionId) -> bool:
        """Whether equal contents have equal hashes on both sides."""
        return bool(self._hashed) and collection not in self._inexact

    def look_up(
        self, front: Front, collection: CollectionId, name: str, keys: Sequence[str], likeness: Likeness
    ) -> Found:
        """The rows of these keys on one side."""
        self.probe()
        if likeness.keeps_revisions and self.is_hashed(collection):
            return lookup(front, collection[0], name, keys, True)
        return lookup_documents(front, collection[0], name, keys, likeness)

    def streams(
        self, collection: CollectionId, standing: Standing, contents: bool
    ) -> list[Generator[list[str], None, None]]:
        """All rows of both sides; where hashes or revisions say nothing, contents are decoded here."""
        decoded = not standing.likeness.keeps_revisions or (contents and not self.is_hashed(collection))
        return [
            scan_documents(front, collection[0], standing.name, standing.likeness)
            if decoded
            else scan(front, collection[0], standing.name, contents)
            for front in self._fronts
        ]
