# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which databases and collections are migrated: ``include`` and ``exclude`` (design §4.7).

What is left out stays in the inventory, marked, so that its shards in the logs are known; ``ordering.migrated`` says
no to it. System collections go with their database. ``_system`` is always there, and its analyzers are seen everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .inventory import CollectionDef, DatabaseDef, Inventory
from .patterns import Pattern

SYSTEM = "_system"
# ``accept`` takes what is torn apart one by one: this row's id, a colon, and what the row names.
TORN_ROW = "features-torn"


@dataclass(frozen=True, order=True)
class Torn:
    """A graph, view or collection that depends on collections which are left out."""

    kind: str
    place: str
    lacks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.place}"

    @property
    def accepted_as(self) -> str:
        """The id by which the start request accepts it."""
        return f"{TORN_ROW}:{self}"

    @property
    def text(self) -> str:
        """For people."""
        return f"{self} needs {', '.join(self.lacks[:5])}{' and more' if len(self.lacks) > 5 else ''}"


@dataclass(frozen=True)
class Selection:
    """What the start request chooses; no patterns choose everything. ``exclude`` wins over ``include``."""

    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing can be left out."""
        return not self.include and not self.exclude

    def database(self, name: str) -> bool:
        """Whether a database is migrated, wholly or in part."""
        if self.include and not any(item.takes_database(name) for item in self.include):
            return False
        return not any(item.is_whole and item.takes_database(name) for item in self.exclude)

    def collection(self, database: str, name: str) -> bool:
        """Whether a collection is migrated, if it is of a kind that is."""
        if not self.database(database):
            return False
        if name.startswith("_"):
            return True
        if self.include and not any(item.takes(database, name) for item in self.include):
            return False
        return not any(item.takes(database, name) for item in self.exclude)

    def apply(self, source: Inventory) -> Inventory:
        """The inventory with what is left out marked as such, and with nothing else that depends on it."""
        if self.is_everything:
            return source
        return {name: self._database(item) for name, item in source.items()}

    def _database(self, item: DatabaseDef) -> DatabaseDef:
        collections = {
            name: replace(
                collection,
                selected=self.collection(item.name, name),
                parameters=self._parameters(item.name, collection.parameters),
            )
            for name, collection in item.collections.items()
        }
        views = {
            name: self._view(item.name, view) for name, view in item.views.items() if self._keeps_view(item.name, view)
        }
        selected = item.name == SYSTEM or self.database(item.name)
        return replace(item, selected=selected, collections=collections, views=views)

    def _parameters(self, database: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        like = parameters.get("distributeShardsLike")
        if not like or self.collection(database, str(like)):
            return parameters
        return {name: value for name, value in parameters.items() if name != "distributeShardsLike"}

    def _keeps_view(self, database: str, view: Mapping[str, Any]) -> bool:
        """A view goes with its collections; one of none goes with its database."""
        names = _seen_by(view)
        if not names:
            return self.database(database)
        return any(self.collection(database, name) for name in names)

    def _view(self, database: str, view: Mapping[str, Any]) -> Mapping[str, Any]:
        links, indexes = view.get("links"), view.get("indexes")
        changes: dict[str, Any] = {}
        if links:
            changes["links"] = {name: link for name, link in links.items() if self.collection(database, name)}
        if indexes:
            changes["indexes"] = [item for item in indexes if self.collection(database, str(item.get("collection")))]
        return {**view, **changes}

    def torn(self, source: Inventory, graphs: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[Torn]:
        """Everything that depends on what is left out, of an inventory as it was read; ``graphs`` by database."""
        found = []
        for database in source.values():
            if not self.database(database.name):
                continue
            for name, view in database.views.items():
                if self._keeps_view(database.name, view):
                    found.append(self._torn("view", database.name, name, _seen_by(view)))
            for item in database.collections.values():
                if self.collection(database.name, item.name):
                    found.append(self._torn("collection", database.name, item.name, _prototype_of(item)))
            for graph in graphs.get(database.name, ()):
                # Its document is copied with the others of ``_graphs``, even if all of its collections are left out.
                found.append(self._torn("graph", database.name, str(graph.get("_key")), _joined_by(graph)))
        return sorted(item for item in found if item.lacks)

    def _torn(self, kind: str, database: str, name: str, needs: set[str]) -> Torn:
        lacks = sorted(item for item in needs if not self.collection(database, item))
        return Torn(kind, f"{database}/{name}", tuple(lacks))

    def divides(self, database: DatabaseDef) -> bool:
        """Whether some of a database's collections are migrated and others are not."""
        return self.database(database.name) and any(
            not self.collection(database.name, name) for name in database.collections
        )

    def left_out(self, source: Inventory) -> dict[str, list[str]]:
        """Names of what is not migrated by the operator's choice, of an inventory as it was read."""
        whole = [name for name in sorted(source) if not self.database(name)]
        rest = [source[name] for name in sorted(source) if self.database(name) or name == SYSTEM]
        return {
            "databases": [name for name in whole if name != SYSTEM],
            "collections": [
                f"{database.name}/{name}"
                for database in rest
                for name in sorted(database.collections)
                if not name.startswith("_") and not self.collection(database.name, name)
            ],
            "views": [
                f"{database.name}/{name}"
                for database in rest
                for name, view in sorted(database.views.items())
                if not self._keeps_view(database.name, view)
            ],
        }

    def user(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A user's document without grants on what is left out: a database of that name may be another one there."""
        databases = {
            name: self._grants(name, entry)
            for name, entry in (document.get("databases") or {}).items()
            if name in ("*", SYSTEM) or self.database(name)
        }
        return {**document, "databases": databases} if "databases" in document else dict(document)

    def _grants(self, database: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        if database == "*" or not entry.get("collections"):
            return entry
        collections = {
            name: grant
            for name, grant in entry["collections"].items()
            if name.startswith(("*", "_")) or self.collection(database, name)
        }
        return {**entry, "collections": collections}

    def unmatched(self, source: Inventory) -> list[str]:
        """Patterns that no database, or no collection that could be left out, matches: most likely misspelt."""
        names = [(name, collection) for name, item in source.items() for collection in item.collections]
        return [
            str(pattern)
            for pattern in (*self.include, *self.exclude)
            if not any(
                pattern.takes(database, name) for database, name in names if pattern.is_whole or name[0] != "_"
            )
        ]


EVERYTHING = Selection()


def _seen_by(view: Mapping[str, Any]) -> set[str]:
    aliases = {str(item.get("collection")) for item in view.get("indexes") or []}
    return aliases | set(view.get("links") or {})


def _prototype_of(item: CollectionDef) -> set[str]:
    like = item.parameters.get("distributeShardsLike")
    return {str(like)} if like else set()


def _joined_by(graph: Mapping[str, Any]) -> set[str]:
    names = set(map(str, graph.get("orphanCollections") or []))
    for edge in graph.get("edgeDefinitions") or []:
        names |= {str(edge.get("collection")), *map(str, edge.get("from") or []), *map(str, edge.get("to") or [])}
    return names
