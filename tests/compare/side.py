# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One cluster as the comparison sees it: through the users' driver, and through what the emulator really stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from arango.exceptions import ArangoError

from tests.workload.clients import Connection

__all__ = ["Difference", "Side", "Stored"]

Stored = dict[str, tuple[str, bytes]]  # key → (revision, raw document)


class Storage(Protocol):
    """What the comparison wants from the emulator's control listener."""

    def documents(self, database: str, collection: str) -> Stored:
        """Key → revision and raw document of a collection, read behind every API."""
        raise AssertionError("a protocol has no body")


@dataclass(frozen=True)
class Difference:
    """Something that is not as it has to be."""

    kind: str
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.detail}"


@dataclass(frozen=True)
class Side:
    """A cluster, `label` for messages, `root` an administrator's connection."""

    label: str
    root: Connection
    storage: Storage

    def databases(self) -> list[str]:
        """Names of all databases."""
        return sorted(self.root.database().databases())

    def collections(self, database: str) -> list[str]:
        """Names of the users' collections of a database."""
        listed = self.root.database(database).collections()
        return sorted(one["name"] for one in listed if not one["system"])

    def read(self, database: str, collection: str) -> Iterator[dict[str, Any]]:
        """All documents through a cursor of the public API."""
        yield from self.root.database(database).aql.execute(
            "FOR d IN @@c RETURN d", bind_vars={"@c": collection}, batch_size=5000, stream=True, ttl=300
        )

    def check_reading(self, database: str, collection: str) -> tuple[Stored, list[Difference]]:
        """What is stored, and where the public API shows something else; a collection that isn't there is empty."""
        if database not in self.databases() or collection not in self.collections(database):
            return {}, []
        stored = self.storage.documents(database, collection)
        where = f"{database}/{collection}"
        found: list[Difference] = []
        seen = 0
        try:
            for document in self.read(database, collection):
                seen += 1
                revision, raw = stored.get(document["_key"], ("", b"null"))
                if revision != document["_rev"] or json.loads(raw) != document:
                    detail = f"the API shows {str(document)[:200]}, stored is {raw[:200]!r}"
                    found.append(Difference("reading", f"{self.label} {where}/{document['_key']}", detail))
        except ArangoError as error:
            found.append(Difference("reading", f"{self.label} {where}", str(error)))
        if seen != len(stored):
            found.append(
                Difference("reading", f"{self.label} {where}", f"{seen} documents by the API, {len(stored)} stored")
            )
        return stored, found
