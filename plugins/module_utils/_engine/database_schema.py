# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One pass over one database: analyzers, collections, indexes, views, in the order of facts §3.6."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._core.errors import CutoverError
from . import inventory as inv
from . import mapping
from .inventory import CollectionDef, DatabaseDef
from .ordering import creation_order, drop_order, migrated
from .schema_map import Made, MadeDatabase

if TYPE_CHECKING:
    from .schema import Schema


_SYSTEM = "_system"


@dataclass(frozen=True)
class Missing:
    """Indexes that a collection of the target still lacks; ``unique`` ones need the collection held."""

    database: str
    plan_id: str
    collection: str
    unique: tuple[Mapping[str, Any], ...]
    ordinary: tuple[Mapping[str, Any], ...]


class DatabasePass:
    """Brings one database of the target to what the source has."""

    def __init__(self, schema: Schema, wanted: DatabaseDef, made: MadeDatabase) -> None:
        self._schema = schema
        self._wanted = wanted
        self._made = made
        self._name = wanted.name
        self._admin = schema.admin
        self._actual = inv.read_database(schema.admin.target, wanted.name)
        self._refused = False
        self._told: set[tuple[str, str]] = set()

    def run(self) -> bool:
        """Do what is missing; False when the target refused something, which is a finding then."""
        self._analyzers()
        self._views_removed()
        self._collections_removed()
        created = self._collections_created()
        missing = [entry for entry in (self._collection(item) for item in self._migrated()) if entry is not None]
        self._schema.missing[self._name] = missing
        self._views({(item.collection, str(index.get("name"))) for item in missing for index in item.ordinary})
        for collection, empty in created:
            self._schema.register_new(self._name, collection, empty=empty)
        self._schema.settle(self._name, self._told)
        return not self._refused

    def _where(self, kind: str, name: str) -> str:
        return f"{kind} {self._name}/{name}"

    def _refuse(self, where: str, error: CutoverError) -> None:
        """Report a definition that the target does not take; what passes by itself is raised instead."""
        if error.retriable:
            raise error
        self._report("CUT-SCHEMA-1", where, error.message)

    def _report(self, code: str, where: str, text: str, severity: str = "error") -> None:
        self._schema.tell(self._name, code, where, text, severity)
        self._told.add((code, where))
        self._refused = self._refused or severity == "error"

    def _migrated(self) -> list[CollectionDef]:
        version = self._schema.target_version
        return [
            item
            for item in creation_order(self._wanted.collections.values())
            if migrated(item, version) and item.plan_id in self._made.collections
        ]

    def _analyzers(self) -> None:
        for name in set(self._actual.analyzers) - set(self._wanted.analyzers):
            self._admin.drop_analyzer(self._name, name)
        for name, definition in sorted(self._wanted.analyzers.items()):
            actual = self._actual.analyzers.get(name)
            if actual is not None and mapping.agrees(definition, actual):
                continue
            where = self._where("analyzer", name)
            try:
                if actual is not None:
                    self._drop_users_of(name)
                    self._admin.drop_analyzer(self._name, name)
                self._admin.create_analyzer(self._name, name, definition)
            except CutoverError as error:
                self._refuse(where, error)

    def _drop_users_of(self, analyzer: str) -> None:
        """Views and inverted indexes keep the analyzer with which they were made: the passes make them anew.

        An analyzer of ``_system`` is used from every database, by its full name.
        """
        names = [f"{self._name}::{analyzer}"]
        if self._name == _SYSTEM:
            names.append(f"::{analyzer}")
            for other in self._schema.follow_others_anew(_SYSTEM):
                self._drop_what_names(inv.read_database(self._admin.target, other), names)
        self._drop_what_names(self._actual, [analyzer, *names])
        self._actual = inv.read_database(self._admin.target, self._name)

    def _drop_what_names(self, actual: DatabaseDef, analyzers: Container[str]) -> None:
        for name, view in actual.views.items():
            if mapping.uses_analyzer(view, analyzers):
                self._admin.drop_view(actual.name, name)
        for collection in actual.collections.values():
            for index in collection.indexes.values():
                if mapping.uses_analyzer(index, analyzers):
                    self._admin.drop_index(actual.name, collection.name, str(index["id"]))

    def _collections_removed(self) -> None:
        keep = {
            item.plan_id
            for item in self._wanted.collections.values()
            if migrated(item, self._schema.target_version)
        }
        gone = {plan_id: made for plan_id, made in self._made.collections.items() if plan_id not in keep}
        by_id = {str(item.parameters.get("id", item.plan_id)): item for item in self._actual.collections.values()}
        rank = {item.name: index for index, item in enumerate(drop_order(self._actual.collections.values()))}
        for plan_id, made in sorted(gone.items(), key=lambda pair: rank.get(pair[1].name, -1)):
            self._schema.quiesce(self._name, plan_id)
            target_id = made.target_id or self._unrecorded_id(made)
            if target_id in by_id:
                self._admin.drop_collection(self._name, str(target_id), system=made.name.startswith("_"))
            self._schema.forgotten(self._name, plan_id)
            del self._made.collections[plan_id]
        if gone:
            self._schema.map.save(self._name)
            self._actual = inv.read_database(self._admin.target, self._name)

    def _unrecorded_id(self, made: Made) -> str:
        """The id of a collection that was made just before the agent ended, before its id was recorded."""
        actual = self._actual.collections.get(made.name)
        return "" if actual is None else str(actual.parameters.get("id", actual.plan_id))

    def _collections_created(self) -> list[tuple[CollectionDef, bool]]:
        """Make what is new; returns the collections to copy, and whether each is certainly empty."""
        version = self._schema.target_version
        wanted = [item for item in creation_order(self._wanted.collections.values()) if migrated(item, version)]
        new = [item for item in wanted if item.plan_id not in self._made.collections]
        for item in new:
            self._made.collections[item.plan_id] = Made(item.plan_id, item.name)
        if new:
            self._schema.map.save(self._name)
        result = []
        for item in wanted:
            if (self._name, item.plan_id) in self._schema.registered:
                continue
            where = self._where("collection", item.name)
            try:
                empty, found = self._create(item)
            except CutoverError as error:
                self._refuse(where, error)
                continue
            if self._layout_kept(item, found):
                result.append((item, empty))
        if result:
            self._schema.map.save(self._name)
            self._actual = inv.read_database(self._admin.target, self._name)
        return result

    def _create(self, item: CollectionDef) -> tuple[bool, Mapping[str, Any]]:
        """Make a collection with its ordinary indexes; whether it is new and so certainly empty, and its properties."""
        entry = self._made.collections[item.plan_id]
        empty = False
        if item.name not in self._actual.collections:
            empty = self._admin.create_collection(self._name, item.parameters)
        properties = self._admin.properties(self._name, item.name)
        entry.target_id = str(properties["id"])
        if empty:
            version = self._schema.target_version
            bodies = [mapping.index_body(index, version) for index in item.indexes.values() if _early(index)]
            self._admin.create_indexes(self._name, item.name, [body for body in bodies if body is not None])
        else:
            self._admin.drop_unique_indexes(self._name, item.name)
        return empty, properties

    def _layout_kept(self, item: CollectionDef, found: Mapping[str, Any]) -> bool:
        """Report a layout with which revisions cannot be kept (design §4.7)."""
        where = self._where("collection", item.name)
        if item.parameters.get("isSmart") or item.parameters.get("isSmartChild"):
            self._report("CUT-SCHEMA-1", where, "collections of smart graphs cannot be migrated by this version")
            return False
        if item.parameters.get("usesRevisionsAsDocumentIds") is False and item.likeness.keeps_revisions:
            self._report("CUT-SCHEMA-4", where, "the source collection does not use revisions as document ids")
            return False
        differences = mapping.layout_differences(item.parameters, found)
        if differences:
            text = ", ".join(f"{name} {item.parameters.get(name)!r} is {found.get(name)!r}" for name in differences)
            self._report("CUT-SCHEMA-2", where, f"the layout on the target differs: {text}")
            return False
        return True

    def _collection(self, item: CollectionDef) -> Missing | None:
        """Properties and indexes of a collection that is there; returns what the index builder has to do."""
        actual = self._actual.collections.get(item.name)
        if actual is None:
            return None
        where = self._where("collection", item.name)
        if self._made.collections[item.plan_id].target_id != str(actual.parameters.get("id", actual.plan_id)):
            self._report("CUT-SCHEMA-3", where, "the collection on the target is not the one that was made")
            return None
        changes = mapping.changed_properties(item.parameters, actual.parameters)
        if changes:
            try:
                self._admin.set_properties(self._name, item.name, changes)
            except CutoverError as error:
                self._refuse(where, error)
        return self._indexes(item, actual)

    def _indexes(self, item: CollectionDef, actual: CollectionDef) -> Missing | None:
        wanted = {}
        for name, index in item.indexes.items():
            body = mapping.index_body(index, self._schema.target_version)
            if body is None:
                text = f"index {name}: the target's version has no {index.get('type')} indexes"
                self._report("CUT-SCHEMA-6", self._where("index", f"{item.name}/{name}"), text, "warning")
            elif not mapping.is_late(index):
                wanted[name] = body
        for name, index in actual.indexes.items():
            if name not in wanted or not mapping.index_agrees(wanted[name], index):
                self._admin.drop_index(self._name, item.name, str(index["id"]))
        absent = [
            body
            for name, body in wanted.items()
            if name not in actual.indexes or not mapping.index_agrees(body, actual.indexes[name])
        ]
        if not absent:
            return None
        unique = tuple(body for body in absent if mapping.is_unique(body))
        ordinary = tuple(body for body in absent if not mapping.is_unique(body))
        return Missing(self._name, item.plan_id, item.name, unique, ordinary)

    def _views_removed(self) -> None:
        for name in set(self._actual.views) - set(self._wanted.views):
            self._admin.drop_view(self._name, name)

    def _views(self, missing: Container[tuple[str, str]]) -> None:
        """Make views; one over ``missing`` indexes (collection, name) waits for the pass that follows each build."""
        for name, definition in sorted(self._wanted.views.items()):
            actual = self._actual.views.get(name)
            if actual is not None and mapping.view_agrees(definition, actual):
                continue
            if any(pair in missing for pair in mapping.aliased(definition)):
                continue
            where = self._where("view", name)
            try:
                self._admin.put_view(self._name, name, definition)
            except CutoverError as error:
                self._refuse(where, error)


def _early(index: Mapping[str, Any]) -> bool:
    return not mapping.is_late(index) and not mapping.is_unique(index)
