# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which collections were wholly compared since they were last copied or in doubt, kept on disk (design §5 step 7a)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional

from ..._core.errors import CutoverError
from ..files import read_json, write_json
from ..inspection import CollectionId

FORMAT = 1


@dataclass(frozen=True)
class Comparison:
    """One finished comparison: its round, when it began (seconds since 1970) and what each log had been read up to.

    ``hashed`` says that whole documents were compared, not only keys and revisions.
    """

    round: int
    at: float
    ticks: Mapping[str, int]
    documents: int
    hashed: bool


class State(NamedTuple):
    """All of it at one moment; ``number`` grows with every change."""

    number: int
    round: int
    repaired: int
    items: Mapping[CollectionId, Comparison]


class Coverage:
    """The last comparison of every collection; thread safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        # How many changes there were, and with how many of them the file was written last.
        self._changes = self._saved = 0
        self._items: dict[CollectionId, Comparison] = {}
        self.round = 1
        self.repaired = 0
        self._load()

    def _load(self) -> None:
        known = read_json(self._path)
        if known is None:
            return
        if known.get("format") != FORMAT:
            text = f"{self._path} has the format {known.get('format')}, this version knows {FORMAT}"
            raise CutoverError("CUT-DISK-2", text)
        self.round, self.repaired = int(known["round"]), int(known["repaired"])
        for item in known["collections"]:
            identity = (str(item.pop("database")), str(item.pop("plan_id")))
            self._items[identity] = Comparison(**item)

    def get(self, collection: CollectionId) -> Optional[Comparison]:
        """The last comparison of a collection."""
        with self._lock:
            return self._items.get(collection)

    def all(self) -> dict[CollectionId, Comparison]:
        """Every collection that is covered."""
        with self._lock:
            return dict(self._items)

    def put(self, collection: CollectionId, comparison: Comparison) -> None:
        """A comparison has ended."""
        with self._lock:
            self._items[collection] = comparison
            self._changes += 1

    def drop(self, collection: CollectionId) -> None:
        """What was compared says nothing any more."""
        with self._lock:
            self._changes += self._items.pop(collection, None) is not None

    def keep(self, collections: set[CollectionId]) -> None:
        """Forget all others."""
        with self._lock:
            gone = set(self._items) - collections
            for collection in gone:
                del self._items[collection]
            self._changes += bool(gone)

    def count_repaired(self, number: int) -> None:
        """Documents were put right."""
        with self._lock:
            self.repaired += number
            self._changes += 1

    def next_round(self) -> None:
        """All were compared in this round."""
        with self._lock:
            self.round += 1
            self._changes += 1

    def state(self) -> State:
        """What ``save`` is to write, as it is now."""
        with self._lock:
            return State(self._changes, self.round, self.repaired, dict(self._items))

    def save(self, state: State) -> None:
        """Write what ``state`` gave, unless it is on disk already; raises CUT-DISK-1."""
        if state.number == self._saved:
            return
        collections = [
            {"database": database, "plan_id": plan_id, **vars(item)}
            for (database, plan_id), item in state.items.items()
        ]
        write_json(
            self._path,
            {"format": FORMAT, "round": state.round, "repaired": state.repaired, "collections": collections},
        )
        self._saved = state.number
