# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the workload was told: the last acknowledged state of each key on each side, and what stayed unknown."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = ["Document", "Entry", "Fields", "Place", "Record", "Side", "Thing"]

Document = dict[str, Any]
Side = Literal["source", "target"]
Place = tuple[str, str]  # (database, collection)
Thing = tuple[str, ...]  # a definition as the comparison names it: ("index", database, collection, name)
Fields = dict[str, Any]


@dataclass
class Entry:
    """One key: documents carry `_key` and `_rev`, None is an acknowledged removal, a side without answer is absent.

    `unknown`: for each side the states that lost answers may have left there, now or later.
    """

    acknowledged: dict[str, Document | None] = field(default_factory=dict)
    unknown: dict[str, list[Document | None]] = field(default_factory=dict)


class Record:
    """Thread-safe; times are seconds of this process's monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[Place, dict[str, Entry]] = {}
        self.definitions: dict[Thing, Fields | None] = {}
        self.doubtful: set[Thing] = set()
        self.changes = 0
        self.writes: dict[str, int] = {"source": 0, "target": 0}
        self.by_collection: Counter[str] = Counter()
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}

    def acknowledge(self, side: Side, place: Place, states: Mapping[str, Document | None]) -> None:
        """Note that ``side`` has acknowledged the new states of these keys just now."""
        now = time.monotonic()
        with self._lock:
            entries = self._places.setdefault(place, {})
            for key, document in states.items():
                entries.setdefault(key, Entry()).acknowledged[side] = document
            self._count(side, place, len(states), now)

    def emptied(self, side: Side, place: Place, *, dropped: bool = False) -> None:
        """Note an acknowledged truncate, or the drop of a collection (then its keys are forgotten altogether)."""
        now = time.monotonic()
        with self._lock:
            entries = self._places.setdefault(place, {})
            if dropped:
                entries.clear()
            for entry in entries.values():
                entry.acknowledged[side] = None
            self._count(side, place, 1, now)

    def lost(self, side: Side, place: Place, states: Mapping[str, Document | None]) -> None:
        """Note that a write had no answer from ``side``: each key may or may not be in this state there."""
        with self._lock:
            entries = self._places.setdefault(place, {})
            for key, document in states.items():
                entries.setdefault(key, Entry()).unknown.setdefault(side, []).append(document)

    def forget(self, place: Place) -> None:
        """Nothing is known about a collection any more: its drop had no answer."""
        with self._lock:
            self._places.pop(place, None)

    def define(self, thing: Thing, fields: Fields | None) -> None:
        """Note that the source has acknowledged a definition: it has these fields, or is gone with all that it held."""
        with self._lock:
            self.changes += 1
            if fields is None:
                self.definitions = {one: state for one, state in self.definitions.items() if not within(one, thing)}
            self.definitions[thing] = fields
            if fields is None and thing[0] in ("database", "collection"):
                for place in [place for place in self._places if within(("collection", *place), thing)]:
                    del self._places[place]

    def doubt(self, thing: Thing) -> None:
        """Note that a change of a definition had no answer."""
        with self._lock:
            self.doubtful.add(thing)

    def _count(self, side: Side, place: Place, writes: int, now: float) -> None:
        self.writes[side] += writes
        self.by_collection[place[1]] += writes
        self.first.setdefault(side, now)
        self.last[side] = now

    def downtime(self) -> float | None:
        """Seconds from the last acknowledgement of the source to the first one of the target; None before both."""
        with self._lock:
            if "source" not in self.last or "target" not in self.first:
                return None
            return self.first["target"] - self.last["source"]

    def lines(self) -> Iterator[str]:
        """The record as JSON lines, one per key."""
        for (database, collection), entries in sorted(self._places.items()):
            for key, entry in entries.items():
                yield json.dumps([database, collection, key, entry.acknowledged, entry.unknown])

    def save(self, path: Path) -> None:
        """Write the record to a file."""
        path.write_text("".join(f"{line}\n" for line in self.lines()), encoding="utf-8")

    @staticmethod
    def load(path: Path) -> dict[Place, dict[str, Entry]]:
        """Read what ``save`` wrote."""
        return parse(path.read_text(encoding="utf-8").splitlines())

    def entries(self) -> dict[Place, dict[str, Entry]]:
        """The record of a workload in this process."""
        return parse(self.lines())


def within(thing: Thing, whole: Thing) -> bool:
    """Whether a definition goes away with another one: a database with all in it, a user with his grants."""
    if whole[0] == "database":
        return thing[0] != "user" and thing[0] != "grant" and thing[1] == whole[1]
    if whole[0] == "collection":
        return thing[0] in ("collection", "index") and thing[1:3] == whole[1:3]
    return thing[1] == whole[1] and (thing[0], whole[0]) == ("grant", "user")


def parse(lines: Iterable[str]) -> dict[Place, dict[str, Entry]]:
    """The entries of a record's lines."""
    places: dict[Place, dict[str, Entry]] = {}
    for line in lines:
        database, collection, key, acknowledged, unknown = json.loads(line)
        places.setdefault((database, collection), {})[key] = Entry(acknowledged, unknown)
    return places
