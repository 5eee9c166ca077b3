# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which indexes the target lacks, which of them can be built now, and which wait for the opening (design §4.5)."""

from __future__ import annotations

from . import mapping
from .dataplane import DataPlane
from .index_builder import IndexBuilder, IndexJob
from .inventory import Inventory
from .mapping import Version
from .ordering import migrated
from .schema import Schema


class WantedIndexes:
    """Of one migration; for the supervisor's thread, but for ``missing``."""

    def __init__(self, schema: Schema, plane: DataPlane, builder: IndexBuilder, version: Version) -> None:
        self._schema = schema
        self._plane = plane
        self._builder = builder
        self._version = version

    def hand_over(self) -> None:
        """Give the builder what can be built now: unique indexes only when all shards are in sync."""
        wanted = [item for items in list(self._schema.missing.values()) for item in items]
        jobs = []
        for missing in wanted:
            if missing.ordinary:
                jobs.append(IndexJob(missing.database, missing.plan_id, missing.collection, missing.ordinary, False))
            if missing.unique and self._calm(missing.database, missing.plan_id):
                jobs.append(IndexJob(missing.database, missing.plan_id, missing.collection, missing.unique, True))
        self._builder.want(jobs)

    def _calm(self, database: str, plan_id: str) -> bool:
        standing = self._plane.inspection.standing((database, plan_id))
        return standing is not None and standing.calm

    def missing(self) -> int:
        """How many indexes the target lacks, without those built after the opening."""
        missing = [item for items in list(self._schema.missing.values()) for item in items]
        return sum(len(item.unique) + len(item.ordinary) for item in missing)

    def late(self, source: Inventory) -> list[IndexJob]:
        """What is built after the opening."""
        jobs = []
        for database in source.values():
            for item in database.collections.values():
                bodies = [
                    mapping.index_body(index, self._version)
                    for index in item.indexes.values()
                    if mapping.is_late(index)
                ]
                late = tuple(body for body in bodies if body is not None)
                if late and migrated(item, self._version):
                    jobs.append(IndexJob(database.name, item.plan_id, item.name, late, False))
        return jobs
