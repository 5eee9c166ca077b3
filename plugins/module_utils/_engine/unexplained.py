# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shards in the logs that no definition explains: new ones whose definition is not read yet, or ones that are gone."""

from __future__ import annotations

from collections import Counter
from typing import Optional

from .._core.errors import ArangoError
from .dataplane import DataPlane
from .inventory import Inventory, database_or_none
from .ordering import migrated
from .schema import Schema, plans_of
from .topology import Source


class Unexplained:
    """For the supervisor's thread."""

    def __init__(self, source: Source, plane: DataPlane, schema: Schema) -> None:
        self._source = source
        self._plane = plane
        self._schema = schema
        self._suspects: Counter[tuple[str, str]] = Counter()

    def explain(self, source: Inventory) -> None:
        """Forget shards of the logs that nobody knows: every coordinator and the servers' own lists must lack them."""
        gone = self._schema.gone(source, self._plane.unknown_cuids())
        self._suspects = Counter({item: self._suspects[item] + 1 for item in gone})
        for database in {item[0] for item, times in self._suspects.items() if times > 1}:
            cuids = [cuid for name, cuid in gone if name == database]
            listed = self._listed(database)
            for cuid in cuids:
                if cuid not in listed:
                    self._plane.discard(database, cuid)

    def not_copied(self, source: Inventory) -> list[str]:
        """Those that the definitions know, or any server has now, but the data path does not copy."""
        unknown = self._plane.unknown_cuids()
        gone = set(self._schema.gone(source, unknown))
        listed = {database: self._listed(database) for database in {database for database, _cuid in gone}}
        return [
            f"{database} {cuid}"
            for database, cuid in sorted(unknown)
            if (database, cuid) not in gone or cuid in listed[database]
        ]

    def apart(self, source: Inventory) -> Optional[str]:
        """Which shards only the definitions, or only the data path, have; None when both have the same."""
        wanted = {
            plan.id
            for database in source.values()
            for collection in database.collections.values()
            if migrated(collection, self._schema.target_version)
            for plan in plans_of(database.name, collection, empty=False)
        }
        followed = set(self._plane.states())
        for shards, text in ((wanted - followed, "not copied"), (followed - wanted, "copied without a definition")):
            if shards:
                first = min(shards)
                return f"{len(shards)} shards are {text}, the first one is {first.shard} in {first.database}"
        return None

    def _listed(self, database: str) -> set[str]:
        """A server that the cluster itself has given up knows of nothing that the others do not."""
        found: set[str] = set()
        source = self._source
        for front in source.present(source.fronts).values():
            definition = database_or_none(front, database)
            for collection in definition.collections.values() if definition else ():
                found.update(collection.cuid(shard) for shard in collection.shards)
        for server in source.present(source.servers).values():
            try:
                answer = server.json("GET", "/_api/collection", database=database, timeout=30.0)
            except ArangoError as error:
                if error.error_num != 1228:
                    raise
                continue
            found.update(str(item.get("name", "")) for item in answer["result"])
        return found
