# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A coordinator that has an old Plan for a while: it shows what was, and does not know what has come since.

Documents it writes reach the leaders all the same, which are found again after refusals; what it defines goes through
the agency, which is never stale.
"""

from __future__ import annotations

import copy
import time

from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError
from tests.testbed.model import Database, Deployment

_WITH_DOCUMENTS = ("/_api/document", "/_api/cursor", "/_api/import", "/_api/simple")


class StaleDatabase(Database):
    """A database as it was: `collections` holds frozen copies, `collection` answers the living one."""

    def __init__(self, living: Database) -> None:
        self.__dict__.update(living.__dict__)
        self.living = living
        self.collections = {name: _frozen(entry) for name, entry in living.collections.items()}
        self.objects = {kind: dict(entries) for kind, entries in living.objects.items()}

    def collection(self, name: str) -> Collection:
        """The living collection, if the old Plan knew it; errorNum 1203 also when it is gone by now."""
        return self.living.collection(self.planned(name).id)

    def planned(self, name: str) -> Collection:
        """The collection as the old Plan has it."""
        return super().collection(name)


class StalePlan:
    """The Plan of one coordinator, frozen until a moment of `time.monotonic()`."""

    def __init__(self, deployment: Deployment, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.databases = {name: StaleDatabase(entry) for name, entry in deployment.databases.items()}

    def applies(self, method: str, path: str) -> bool:
        """Whether a request is answered by the old Plan."""
        return time.monotonic() < self.until and (method in ("GET", "HEAD") or path.startswith(_WITH_DOCUMENTS))

    def database(self, name: str) -> Database:
        """A database as the old Plan has it; errorNum 1228."""
        found = self.databases.get(name)
        if found is None:
            raise ArangoError(1228)
        return found


def _frozen(collection: Collection) -> Collection:
    frozen = copy.copy(collection)
    frozen.properties = dict(collection.properties)
    frozen.indexes = list(collection.indexes)
    frozen.shards = []
    for shard in collection.shards:
        kept = copy.copy(shard)
        kept.replicas = dict(shard.replicas)
        kept.servers = list(shard.servers)
        frozen.shards.append(kept)
    return frozen
