# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the logs say of indexes that no definitions have confirmed yet (facts §5.5: 2100 and 2101).

The definitions are the truth (facts §5.6), but a coordinator whose Plan is old shows old ones, and when it is the only
one there is nobody to contradict it: at the cutover an index that was made a second ago would be lost. So an index
that a log has and the definitions have not, or the other way round, leaves them unsettled for a while. Not for ever:
what follows a move of a shard may be read in any order from the two logs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from .._core.clock import SYSTEM_CLOCK, Clock
from .inventory import CollectionDef, Inventory
from .marker import INDEX_DROP, Marker
from .shards import ShardId

# How long a coordinator's Plan may be old, in seconds.
_OLD_PLAN_SECONDS = 30.0
_MOST = 10_000
# Links of views are indexes of shards, not of collections (facts §5.6); the others come with the collection.
_NO_DEFINITION = frozenset({"arangosearch", "primary", "edge"})


class _Mark(NamedTuple):
    there: bool
    name: str
    at: float


class IndexMarks:
    """The last word of the logs on each index, until definitions agree or it is old; thread safe, bounded."""

    def __init__(self, time_scale: float = 1.0, clock: Clock = SYSTEM_CLOCK) -> None:
        self._patience = _OLD_PLAN_SECONDS * time_scale
        self._clock = clock
        self._lock = threading.Lock()
        self._marks: dict[tuple[str, str, str], _Mark] = {}

    def saw(self, shard: ShardId, marker: Marker) -> None:
        """A marker of an index from the log of the shard's leader."""
        index = _definition(marker.data)
        if "id" not in index or index.get("type") in _NO_DEFINITION:
            return
        identifier = str(index["id"])
        mark = _Mark(marker.type != INDEX_DROP, str(index.get("name") or identifier), self._clock.monotonic())
        with self._lock:
            place = (shard.database, shard.plan_id, identifier)
            self._marks.pop(place, None)
            self._marks[place] = mark
            if len(self._marks) > _MOST:
                self._marks.pop(next(iter(self._marks)))

    def unexplained(self, source: Inventory, read_at: float) -> list[str]:
        """Indexes on which definitions whose reading began at ``read_at`` (monotonic seconds) contradict the logs.

        Marks on which they agree, and those so old that the definitions must know better, are forgotten.
        """
        found: list[str] = []
        with self._lock:
            for place, mark in list(self._marks.items()):
                database, plan_id, identifier = place
                collection = _collection(source, database, plan_id)
                old = read_at - mark.at > self._patience
                if collection is None or old or mark.there == _has(collection, identifier, mark):
                    del self._marks[place]
                else:
                    change = "was made" if mark.there else "was dropped"
                    found.append(f"{database}/{collection.name}: index {mark.name} {change} a moment ago")
        return found


def _definition(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _collection(source: Inventory, database: str, plan_id: str) -> Optional[CollectionDef]:
    definition = source.get(database)
    collections = definition.collections.values() if definition is not None else ()
    return next((item for item in collections if item.plan_id == plan_id), None)


def _has(collection: CollectionDef, identifier: str, mark: _Mark) -> bool:
    if any(str(index.get("id", "")).rpartition("/")[2] == identifier for index in collection.indexes.values()):
        return True
    return mark.there and mark.name in collection.indexes
