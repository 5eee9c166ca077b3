# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shards in the logs that no definition explains: new ones whose definition is not read yet, or ones that are gone."""

from __future__ import annotations

from collections import Counter

from .._core.errors import ArangoError
from .dataplane import DataPlane
from .inventory import Inventory, database_or_none
from .schema import Schema
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
        """Those that the definitions know, but the data path does not copy."""
        unknown = self._plane.unknown_cuids()
        gone = set(self._schema.gone(source, unknown))
        return [f"{database} {cuid}" for database, cuid in sorted(unknown) if (database, cuid) not in gone]

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
