# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Changes of definitions of every kind that a cluster knows; clusters rename nothing.

They are made on the source only: what becomes of a definition after the opening is no matter of the migration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from arango.database import StandardDatabase
from arango.exceptions import ArangoServerError

from tests.workload import blueprints
from tests.workload.actor import Actor
from tests.workload.record import Fields, Thing
from tests.workload.router import HalfDoneError, UnknownOutcomeError

__all__ = ["VERBS", "Architect", "Site"]

VERBS = {  # what is done, and how often
    "create_database": 4, "drop_database": 1, "recreate_database": 1,
    "create_collection": 12, "drop_collection": 3, "recreate_collection": 3, "change_collection": 5,
    "change_replication": 2,
    "create_index": 10, "drop_index": 5, "create_view": 6, "change_view": 3, "drop_view": 3,
    "create_analyzer": 4, "drop_analyzer": 3, "create_graph": 3, "change_graph": 2, "drop_graph": 2, "insert": 30,
}
# A definition is more than one write: after the collection its creator's grant in `_users` (facts §7.1), after the
# graph's collections its document. No room (1104) and too few replicas (1429) may stop the second one only.
HALF_DONE = (1104, 1429)
MOST = {"databases": 3, "collections": 8, "indexes": 5, "views": 4, "analyzers": 4, "graphs": 2}


@dataclass
class Built:
    """One collection as it was made; `bound`: a graph, a view or another collection needs it."""

    options: dict[str, Any]
    indexes: dict[str, dict[str, Any]] = field(default_factory=dict)
    bound: bool = False


@dataclass
class Site:
    """One database."""

    collections: dict[str, Built] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)  # name → type
    analyzers: set[str] = field(default_factory=set)
    graphs: dict[str, str] = field(default_factory=dict)  # name → vertex collection


def searchable(built: Built) -> bool:
    """Whether there is one copy of each shard to change or to search: satellites are everywhere."""
    return bool(built.options["replication_factor"] != "satellite")


class Architect(Actor):
    """Draws one change after the other; `verbs` says which, `most` how many at the very most.

    Without a limit whoever is slow gets ever more definitions to work through and grows slower still.
    """

    collection = "yard"
    most: int | None = None
    rate = 4.0
    verbs: tuple[str, ...] = tuple(VERBS)
    version: tuple[int, int] = (3, 11)  # of the source: older ones know fewer kinds of indexes

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.sites: dict[str, Site] = {}
        self.made = 0
        self._drawn = 0

    def step(self) -> None:
        if self._drawn == self.most:
            return
        self._drawn += 1
        if not self.sites:
            self.create_database()
        verb = self.random.choices(self.verbs, [VERBS[one] for one in self.verbs])[0]
        getattr(self, verb)()

    def fresh(self, prefix: str) -> str:
        """A name that was never used."""
        self.made += 1
        return f"{prefix}{self.made}"

    def change(self, thing: Thing, fields: Fields | None, operation: Callable[[StandardDatabase], object]) -> None:
        """Carry out one change and record it; after one without an answer, nobody touches the thing again."""
        database = "_system" if thing[0] == "database" else thing[1]

        def whole(handle: StandardDatabase) -> object:
            try:
                return operation(handle)
            except ArangoServerError as error:
                if error.error_code in HALF_DONE:
                    raise HalfDoneError(str(error)) from error
                raise

        try:
            self.router.write(database, whole)
        except UnknownOutcomeError:
            self.record.doubt(thing)
            raise
        self.record.define(thing, fields)

    def site(self) -> tuple[str, Site]:
        """One of the databases."""
        name = self.random.choice(sorted(self.sites))
        return name, self.sites[name]

    def some(self, wanted: Callable[[Built], bool] = lambda _built: True) -> tuple[str, str, Built] | None:
        """Database, name and state of a collection that is as wanted."""
        found = [
            (database, name, built)
            for database, site in sorted(self.sites.items())
            for name, built in site.collections.items()
            if wanted(built)
        ]
        return self.random.choice(found) if found else None

    def create_database(self) -> None:
        if len(self.sites) < MOST["databases"]:
            self._found(self.fresh("yard"))

    def _found(self, name: str) -> None:
        self.change(("database", name), {}, lambda system: system.create_database(name))
        self.sites[name] = Site()

    def drop_database(self) -> None:
        if len(self.sites) > 1:
            self._raze(self.site()[0])

    def _raze(self, name: str) -> None:
        del self.sites[name]
        self.change(("database", name), None, lambda system: system.delete_database(name))

    def recreate_database(self) -> None:
        if len(self.sites) > 1:
            name = self.site()[0]
            self._raze(name)
            self._found(name)

    def create_collection(self) -> None:
        database, site = self.site()
        if len(site.collections) < MOST["collections"]:
            model = self.some(lambda built: "shard_like" not in built.options and not built.options["shard_fields"])
            like = model[1] if model and model[0] == database else None
            self._build(database, self.fresh("c"), blueprints.collection(self.random, like))
            if like and site.collections[next(reversed(site.collections))].options.get("shard_like"):
                site.collections[like].bound = True

    def _build(self, database: str, name: str, options: dict[str, Any]) -> None:
        fields = {"edge": options["edge"]}
        thing = ("collection", database, name)
        self.change(thing, fields, lambda handle: handle.create_collection(name, **options))
        self.sites[database].collections[name] = Built(options)

    def drop_collection(self) -> None:
        found = self.some(lambda built: not built.bound)
        if found:
            self._demolish(found[0], found[1])

    def _demolish(self, database: str, name: str) -> None:
        del self.sites[database].collections[name]
        self.change(("collection", database, name), None, lambda handle: handle.delete_collection(name))

    def recreate_collection(self) -> None:
        found = self.some(lambda built: not built.bound)
        if found:
            database, name, _built = found
            self._demolish(database, name)
            self._build(database, name, blueprints.collection(self.random, None))

    def change_collection(self) -> None:
        found = self.some(searchable)
        if found:
            database, name, built = found
            changes = blueprints.properties(self.random)
            thing = ("collection", database, name)
            fields = {"edge": built.options["edge"]}
            self.change(thing, fields, lambda handle: handle.collection(name).configure(**changes))

    def change_replication(self) -> None:
        """More copies."""
        found = self.some(lambda built: searchable(built) and "shard_like" not in built.options)
        if found:
            database, name, built = found
            fields = {"replication_factor": 3}
            thing = ("collection", database, name)
            self.change(thing, fields, lambda handle: handle.collection(name).configure(**fields))
            built.options |= fields

    def insert(self) -> None:
        """Documents, too: a collection without any would hide what goes wrong with it."""
        found = self.some()
        if not found:
            return
        database, name, built = found
        document = blueprints.document(self.random, built.options, self.fresh("k"))

        def operation(handle: StandardDatabase) -> dict[str, Any]:
            return dict(handle.collection(name).insert(document, return_new=True))

        try:
            side, answer = self.router.write(database, operation)
        except UnknownOutcomeError:
            self.record.doubt(("collection", database, name))
            del self.sites[database].collections[name]
            raise
        self.record.acknowledge(side, (database, name), {answer["_key"]: blueprints.stored(answer["new"])})

    def create_index(self) -> None:
        """The server takes one with fields of an index that is there already for that one, whatever its name."""
        found = self.some(lambda built: len(built.indexes) < MOST["indexes"])
        if not found:
            return
        database, name, built = found
        definition = blueprints.index(self.random, built.options, self.version)
        if definition["fields"] in [one["fields"] for one in built.indexes.values()]:
            return
        definition["name"] = self.fresh("i")
        thing = ("index", database, name, definition["name"])
        fields = {} if definition["type"] == "inverted" else {"fields": definition["fields"]}
        built.indexes[definition["name"]] = definition
        self.change(thing, fields, lambda handle: handle.collection(name).add_index(dict(definition)))

    def drop_index(self) -> None:
        found = self.some(lambda built: any(one["type"] != "inverted" for one in built.indexes.values()))
        if not found:
            return
        database, name, built = found
        chosen = self.random.choice([one for one, index in built.indexes.items() if index["type"] != "inverted"])
        del built.indexes[chosen]

        def operation(handle: StandardDatabase) -> object:
            return handle.collection(name).delete_index(chosen)

        self.change(("index", database, name, chosen), None, operation)

    def create_view(self) -> None:
        database, site = self.site()
        found = self.some(searchable)
        if not found or found[0] != database or len(site.views) >= MOST["views"]:
            return
        view, (_database, linked, built) = self.fresh("v"), found
        inverted = [name for name, one in built.indexes.items() if one["type"] == "inverted"]
        kind = "search-alias" if inverted and self.random.random() < 0.7 else "arangosearch"
        properties = blueprints.view(self.random, kind, linked, inverted)
        built.bound = True
        site.views[view] = kind
        thing = ("view", database, view)
        self.change(thing, {}, lambda handle: handle.create_view(view, kind, properties))

    def change_view(self) -> None:
        database, site = self.site()
        views = [name for name, kind in site.views.items() if kind == "arangosearch"]
        linked = [name for name, built in site.collections.items() if searchable(built)]
        if views and linked:
            view, name = self.random.choice(views), self.random.choice(linked)
            site.collections[name].bound = True
            properties = blueprints.view(self.random, "arangosearch", name, [])
            self.change(("view", database, view), {}, lambda handle: handle.update_view(view, properties))

    def drop_view(self) -> None:
        database, site = self.site()
        if site.views:
            view = self.random.choice(sorted(site.views))
            del site.views[view]
            self.change(("view", database, view), None, lambda handle: handle.delete_view(view))

    def create_analyzer(self) -> None:
        database, site = self.site()
        if len(site.analyzers) < MOST["analyzers"]:
            name = self.fresh("a")
            arguments = blueprints.analyzer(self.random)
            thing = ("analyzer", database, f"{database}::{name}")
            self.change(thing, {}, lambda handle: handle.create_analyzer(name, *arguments))
            site.analyzers.add(name)

    def drop_analyzer(self) -> None:
        database, site = self.site()
        if site.analyzers:
            name = self.random.choice(sorted(site.analyzers))
            site.analyzers.remove(name)
            thing = ("analyzer", database, f"{database}::{name}")
            self.change(thing, None, lambda handle: handle.delete_analyzer(name))

    def create_graph(self) -> None:
        """The graph makes its collections."""
        database, site = self.site()
        if len(site.graphs) >= MOST["graphs"]:
            return
        graph, edges, vertices = self.fresh("g"), self.fresh("e"), self.fresh("n")
        definition = blueprints.edges(edges, vertices)
        thing = ("graph", database, graph)
        self.change(thing, {}, lambda handle: handle.create_graph(graph, edge_definitions=[definition]))
        site.graphs[graph] = vertices

    def change_graph(self) -> None:
        """One more edge definition, whose edge collection is made by it."""
        database, site = self.site()
        if site.graphs:
            graph, edges = self.random.choice(sorted(site.graphs)), self.fresh("e")
            arguments = (edges, [site.graphs[graph]], [site.graphs[graph]])
            thing = ("graph", database, graph)
            self.change(thing, {}, lambda handle: handle.graph(graph).create_edge_definition(*arguments))

    def drop_graph(self) -> None:
        database, site = self.site()
        if site.graphs:
            graph, whole = self.random.choice(sorted(site.graphs)), self.random.random() < 0.5
            del site.graphs[graph]
            thing = ("graph", database, graph)
            self.change(thing, None, lambda handle: handle.delete_graph(graph, drop_collections=whole))
