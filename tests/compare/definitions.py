# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything but documents, as one flat table per cluster: databases, collections, indexes, graphs, views, users …"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from arango.database import StandardDatabase
from arango.exceptions import ArangoError

from tests.compare.side import Difference, Side
from tests.workload.clients import Connection
from tests.workload.record import Place

__all__ = ["check_recorded", "compare_definitions", "definitions"]

Table = dict[tuple[str, ...], Any]
COLLECTION_FIELDS = (
    "edge", "system", "sync", "shard_count", "shard_fields", "replication_factor", "write_concern", "sharding_strategy",
    "schema", "computedValues", "smart", "disjoint", "cache",
)
INDEX_FIELDS = (
    "type", "fields", "unique", "sparse", "expireAfter", "expiry_time", "storedValues", "deduplicate", "estimates",
    "cacheEnabled", "analyzer", "features",
)
SAME_TYPES = {"zkd": "mdi", "hash": "persistent", "skiplist": "persistent"}  # since 3.12 (facts §10)
OWN_NUMBERS = ("id", "globallyUniqueId", "global_id")
SINCE_3_12: dict[str, Any] = {"optimizeTopK": []}  # of views, with the value that older ones have without saying so


def collection_table(database: StandardDatabase, name: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A collection and its indexes."""
    collection = database.collection(name)
    properties = collection.properties()
    shape = {field: properties.get(field) for field in COLLECTION_FIELDS}
    keys = properties.get("key_options") or {}
    shape["keys"] = {field: keys.get(field) for field in ("key_generator", "user_keys")}
    yield ("collection", database.name, name), shape
    for index in collection.indexes():
        fields = {field: index.get(field) for field in INDEX_FIELDS}
        fields["type"] = SAME_TYPES.get(index["type"], index["type"])
        if fields["type"] == "mdi":
            fields["estimates"] = bool(fields["estimates"])  # older ones have none and do not say so
        yield ("index", database.name, name, str(index["name"])), fields


def database_table(database: StandardDatabase, collections: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A database with collections, graphs, views and analyzers."""
    yield ("database", database.name), True
    for name in collections:
        yield from collection_table(database, name)
    for graph in database.graphs():
        fields = {name: value for name, value in graph.items() if name not in ("id", "revision")}
        yield ("graph", database.name, graph["name"]), fields
    for view in database.views():
        fields = dict(database.view(view["name"]))
        fields = {**SINCE_3_12, **fields} if view["type"] == "arangosearch" else fields
        yield ("view", database.name, view["name"]), {k: v for k, v in fields.items() if k not in OWN_NUMBERS}
    for analyzer in database.analyzers():
        if "::" in analyzer["name"]:
            yield ("analyzer", database.name, analyzer["name"]), normalized(analyzer)


def normalized(analyzer: Mapping[str, Any]) -> dict[str, Any]:
    """An analyzer with its features in order: they are a set."""
    return {**analyzer, "features": sorted(analyzer.get("features", []))}


def user_table(connection: Connection) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All users but root, whose password each cluster keeps, and their grants."""
    system = connection.database()
    for user in system.users():
        name = user["username"]
        if name == "root":
            continue
        yield ("user", name), {"active": user["active"], "extra": user["extra"]}
        for database, grant in system.permissions(name).items():
            # System collections follow their database and differ by version; one is the migration's own journal.
            listed = {one: level for one, level in grant.get("collections", {}).items() if not one.startswith("_")}
            yield ("grant", name, database), {"permission": grant.get("permission"), "collections": listed}


def definitions(side: Side) -> Table:
    """The table of a cluster."""
    table: Table = dict(user_table(side.root))
    for name in side.databases():
        table.update(database_table(side.root.database(name), side.collections(name)))
    return table


def with_shards(table: Table, shards: Mapping[Place, int]) -> Table:
    """A table in which collections have another number of shards."""
    changed = {("collection", *place): number for place, number in shards.items() if ("collection", *place) in table}
    return {**table, **{name: {**table[name], "shard_count": number} for name, number in changed.items()}}


def compare_definitions(source: Side, target: Side, shards: Mapping[Place, int]) -> Iterator[Difference]:
    """Yield what one cluster has otherwise than the other; ``shards``: of collections that are to have other ones."""
    try:
        wanted, found = with_shards(definitions(source), shards), definitions(target)
    except ArangoError as error:
        yield Difference("definitions", "reading", str(error))
        return
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            here, there = apart(wanted.get(name), found.get(name))
            yield Difference(name[0], "/".join(name[1:]), f"source {here}, target {there}")


def apart(here: Any, there: Any) -> tuple[str, str]:
    """Both sides of a difference, without the fields that are equal."""
    if isinstance(here, dict) and isinstance(there, dict):
        names = [name for name in sorted(here.keys() | there.keys(), key=str) if here.get(name) != there.get(name)]
        here, there = ({name: side.get(name) for name in names} for side in (here, there))
    return str(here)[:600], str(there)[:600]


def check_recorded(
    source: Table, recorded: Mapping[tuple[str, ...], Mapping[str, Any] | None], doubtful: Iterable[tuple[str, ...]]
) -> Iterator[Difference]:
    """Yield what the source acknowledged and doesn't have; whatever hangs on a doubtful thing may be either way."""
    doubts = list(doubtful)
    for thing, fields in sorted(recorded.items()):
        if thing[0] == "grant" or any(hangs_on(thing, doubt) for doubt in doubts):
            continue
        found = source.get(thing)
        if fields is None:
            wrong = found is not None
        else:
            wrong = found is None or any(found.get(name) != value for name, value in fields.items())
        if wrong:
            yield Difference("lost definition", "/".join(thing), f"expected {fields}, found {str(found)[:300]}")


def hangs_on(thing: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether what became of one thing decides about another one."""
    if other[0] in ("user", "grant"):
        return thing[:2] == ("user", other[1])
    if other[0] == "database":
        return thing[0] != "user" and thing[1] == other[1]
    if other[0] == "collection":
        return thing[0] in ("collection", "index") and thing[1:3] == other[1:3]
    return thing == other
