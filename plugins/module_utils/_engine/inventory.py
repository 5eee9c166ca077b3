# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All definitions of a cluster, read through a coordinator (facts §3.1, §3.2, §3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional, Union

from .._core.arango import Coordinators, Server
from .._core.errors import ArangoError, CutoverError
from .likeness import Likeness
from .parallel import gather

Front = Union[Server, Coordinators]
_TIMEOUT = 30.0
# A coordinator whose Plan is old names a collection of analyzers that is not there any more.
_NO_COLLECTION = 1203
# Implicit indexes come with the collection (facts §3.2).
_IMPLICIT_INDEXES = frozenset({"primary", "edge"})
_VIEW_IDENTITY = frozenset({"id", "globallyUniqueId", "planId", "isSystem", "deleted", "error", "code"})


@dataclass(frozen=True)
class CollectionDef:
    """A collection; ``plan_id`` is its identity: dropped and re-created under one name it has another one.

    ``selected``: the operator has not left it out. ``likeness``: whether the target is to keep its revisions.
    """

    name: str
    plan_id: str
    parameters: Mapping[str, Any]
    indexes: Mapping[str, Mapping[str, Any]]
    shards: Mapping[str, tuple[str, ...]]
    ready: bool
    in_sync: bool
    selected: bool = True
    likeness: Likeness = Likeness.REVISION

    @property
    def is_system(self) -> bool:
        """Whether the name begins with an underscore."""
        return self.name.startswith("_")

    @property
    def shard_keys(self) -> tuple[str, ...]:
        """The attributes that determine the shard."""
        return tuple(self.parameters.get("shardKeys") or ("_key",))

    @property
    def leaders(self) -> dict[str, str]:
        """The leading DB-Server of every shard; a resigned leader keeps its mark ``_`` (facts §3.2)."""
        return {shard: servers[0] if servers else "" for shard, servers in self.shards.items()}

    def cuid(self, shard: str) -> str:
        """How a marker names a shard (facts §5.6): by the name alone, see ``Marker``."""
        return shard


@dataclass(frozen=True)
class DatabaseDef:
    """A database with everything in it; collections, views and analyzers by name (analyzers without prefix).

    ``selected``: the operator has not left it out.
    """

    name: str
    id: str
    properties: Mapping[str, Any]
    collections: Mapping[str, CollectionDef]
    views: Mapping[str, Mapping[str, Any]]
    analyzers: Mapping[str, Mapping[str, Any]]
    selected: bool = True


Inventory = dict[str, DatabaseDef]


def read(front: Front) -> Inventory:
    """Every database. One that is dropped while being read is left out. Raises CUT-SCHEMA-8 for unexpected forms."""
    names = front.json("GET", "/_api/database", database="_system", timeout=_TIMEOUT)["result"]
    found = gather({str(name): partial(database_or_none, front, str(name)) for name in names}, width=4)
    return {name: database for name, database in found.items() if database is not None}


def database_or_none(front: Front, name: str) -> Optional[DatabaseDef]:
    """Like ``read_database``, but None for a database that is not there."""
    try:
        return read_database(front, name)
    except ArangoError as error:
        if error.error_num == 1228:
            return None
        raise


def read_database(front: Front, name: str) -> DatabaseDef:
    """One database; see ``read``. Raises CUT-SCHEMA-7 while it is being made or dropped, which passes."""
    query = {"includeSystem": True}
    answer = front.json(
        "GET", "/_api/replication/clusterInventory", database=name, query=query, timeout=_TIMEOUT
    )
    try:
        analyzers = front.json("GET", "/_api/analyzer", database=name, timeout=_TIMEOUT)
    except ArangoError as error:
        if error.error_num != _NO_COLLECTION:
            raise
        raise CutoverError(
            "CUT-SCHEMA-7", f"the database {name} is being made or dropped: {error.message}", retriable=True
        ) from error
    try:
        return parse(name, answer, analyzers)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CutoverError(
            "CUT-SCHEMA-8", f"the inventory of the database {name} is not as expected: {type(error).__name__} {error}"
        ) from error


def parse(name: str, answer: Mapping[str, Any], analyzers: Mapping[str, Any]) -> DatabaseDef:
    """The definitions in the answers of clusterInventory and of the analyzer list."""
    properties = dict(answer["properties"])
    collections = [_collection(entry) for entry in answer["collections"] if not entry["parameters"].get("deleted")]
    prefix = f"{name}::"
    return DatabaseDef(
        name=name,
        id=str(properties.get("id", "")),
        properties=properties,
        collections={item.name: item for item in collections},
        views={
            str(view["name"]): {key: value for key, value in view.items() if key not in _VIEW_IDENTITY}
            for view in answer.get("views", [])
        },
        analyzers={
            str(item["name"])[len(prefix):]: {
                "type": item["type"],
                "properties": item.get("properties") or {},
                "features": sorted(item.get("features") or []),
            }
            for item in analyzers["result"]
            if str(item["name"]).startswith(prefix)
        },
    )


def _collection(entry: Mapping[str, Any]) -> CollectionDef:
    parameters = entry["parameters"]
    indexes = [index for index in entry.get("indexes", []) if index.get("type") not in _IMPLICIT_INDEXES]
    return CollectionDef(
        name=str(parameters["name"]),
        plan_id=str(parameters.get("planId") or parameters["id"]),
        parameters=parameters,
        indexes={str(index.get("name") or index["id"]): index for index in indexes},
        shards={str(shard): tuple(servers) for shard, servers in sorted(parameters["shards"].items())},
        ready=bool(entry.get("isReady", True)),
        in_sync=bool(entry.get("allInSync", True)),
    )


# What changes by itself without being a change of the definition.
_VOLATILE = frozenset(
    {"tick", "lastValue", "selectivityEstimate", "figures", "count", "progress", "shards", "status", "statusString"}
)


def essence(value: Any) -> Any:
    """A definition as comparable values, without what changes by itself."""
    if isinstance(value, Mapping):
        return {str(key): essence(item) for key, item in value.items() if key not in _VOLATILE}
    if isinstance(value, (list, tuple)):
        return [essence(item) for item in value]
    return value


def database_essence(database: DatabaseDef) -> dict[str, Any]:
    """All definitions of a database without leaders and replicas, for comparing two readings."""
    return {
        "id": database.id,
        "properties": essence(database.properties),
        "collections": {
            name: {
                "plan_id": item.plan_id,
                "parameters": essence(item.parameters),
                "indexes": essence(item.indexes),
                "shards": sorted(item.shards),
            }
            for name, item in sorted(database.collections.items())
        },
        "views": essence(database.views),
        "analyzers": essence(database.analyzers),
    }


def same_database(one: DatabaseDef, other: DatabaseDef) -> bool:
    """Whether two readings have the same definitions; most are the same in everything, which is seen quickly."""
    return one == other or database_essence(one) == database_essence(other)


def inventory_essence(inventory: Inventory) -> dict[str, Any]:
    """``database_essence`` of every database."""
    return {name: database_essence(database) for name, database in sorted(inventory.items())}
