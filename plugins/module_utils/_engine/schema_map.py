# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What this migration has made on the target, kept in the journal: source identity to target identity (design §4.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .journal import Record, Store
from .shards import ShardId, ShardState

DATABASES_KEY = "databases"
# In these states everything up to the journaled tick is on the target; anything else is copied anew.
_KEPT = frozenset({ShardState.IN_SYNC, ShardState.HELD})
# These were wholly copied once: after a restart they are compared and repaired.
_COMPARED = frozenset({ShardState.CATCHING_UP, ShardState.SUSPECT})


@dataclass
class Made:
    """One collection; ``in_sync`` maps its shards that need no copy to the leaders they were read from, ``suspect`` are
    those that need to be compared only.
    """

    plan_id: str
    name: str
    target_id: Optional[str] = None
    in_sync: dict[str, str] = field(default_factory=dict)
    suspect: list[str] = field(default_factory=list)


@dataclass
class MadeDatabase:
    """One database; ``id`` is the source's."""

    name: str
    id: str
    collections: dict[str, Made] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The journal document."""
        return {
            "database": self.name,
            "id": self.id,
            "collections": {
                plan_id: {
                    "name": made.name,
                    "target_id": made.target_id,
                    "in_sync": dict(made.in_sync),
                    "suspect": list(made.suspect),
                }
                for plan_id, made in self.collections.items()
            },
        }


def database_key(name: str) -> str:
    """The journal key of a database: names may hold characters that keys may not."""
    return f"shards-{hashlib.sha256(name.encode('utf-8')).hexdigest()[:24]}"


class SchemaMap:
    """All databases and collections made. Only the supervisor's thread changes it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names = Record(store, DATABASES_KEY)
        self._records: dict[str, Record] = {}
        self.databases: dict[str, MadeDatabase] = {}
        self._noted: Optional[tuple[dict[ShardId, ShardState], dict[ShardId, str]]] = None

    def load(self) -> None:
        """Read the journal."""
        self.databases, self._noted = {}, None
        for name, source_id in self._names.load().get("databases", {}).items():
            values = self._record(name).load()
            made = MadeDatabase(name, str(source_id))
            if values.get("id") == source_id:
                made.collections = {
                    plan_id: Made(
                        plan_id,
                        item["name"],
                        item.get("target_id"),
                        dict(item.get("in_sync", {})),
                        list(item.get("suspect", ())),
                    )
                    for plan_id, item in values.get("collections", {}).items()
                }
            self.databases[name] = made

    def _record(self, name: str) -> Record:
        return self._records.setdefault(name, Record(self._store, database_key(name)))

    def add_database(self, name: str, source_id: str) -> MadeDatabase:
        """Record a database, before it is made."""
        self.databases[name] = MadeDatabase(name, source_id)
        self._save_names()
        self.save(name)
        return self.databases[name]

    def forget_database(self, name: str) -> None:
        """Record that a database is gone, after it was dropped."""
        self.databases.pop(name, None)
        self._save_names()

    def _save_names(self) -> None:
        self._names.save({"databases": {name: made.id for name, made in self.databases.items()}})

    def save(self, name: str) -> None:
        """Write one database's document if it differs from what was written last."""
        record = self._record(name)
        document = self.databases[name].document()
        known = record.values
        if any(known.get(field_name) != value for field_name, value in document.items()):
            record.save(document)

    def collection(self, database: str, plan_id: str) -> Optional[Made]:
        """The entry of a collection, None when it was never made."""
        made = self.databases.get(database)
        return made.collections.get(plan_id) if made else None

    def note_states(self, states: Mapping[ShardId, ShardState], leaders: Mapping[ShardId, str]) -> None:
        """Journal which shards need no copy after a restart."""
        noted = (dict(states), dict(leaders))
        if noted != self._noted:
            self._note(states, leaders)
            self._noted = noted
        for name in self.databases:
            self.save(name)

    def _note(self, states: Mapping[ShardId, ShardState], leaders: Mapping[ShardId, str]) -> None:
        kept: dict[tuple[str, str], dict[str, str]] = {}
        suspect: dict[tuple[str, str], list[str]] = {}
        for shard, state in sorted(states.items()):
            if state in _KEPT and shard in leaders:
                kept.setdefault((shard.database, shard.plan_id), {})[shard.shard] = leaders[shard]
            elif state in _COMPARED:
                suspect.setdefault((shard.database, shard.plan_id), []).append(shard.shard)
        for name, database in self.databases.items():
            for plan_id, made in database.collections.items():
                made.in_sync = kept.get((name, plan_id), {})
                made.suspect = suspect.get((name, plan_id), [])
