# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the clusters of demo and tests hold, as data, and its creation through python-arango."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arango.database import StandardDatabase

from tests.workload.clients import Connection

__all__ = ["CollectionSpec", "DatabaseSpec", "GraphSpec", "UserSpec", "create_database", "create_users"]

Index = dict[str, Any]


@dataclass(frozen=True)
class CollectionSpec:
    """A collection; `shard_keys` empty means sharded by `_key`.

    `keys` is the key generator. A target's numeric keys start low, so that new ones may meet migrated ones, as the
    precheck `features-generated-keys` says; whoever lets the server make keys on both sides uses `uuid`.
    """

    name: str
    shards: int = 1
    edge: bool = False
    shard_keys: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    keys: str = "traditional"


@dataclass(frozen=True)
class GraphSpec:
    """A named graph of one edge definition."""

    name: str
    edges: str
    vertices: str


@dataclass(frozen=True)
class DatabaseSpec:
    """A database with everything that is created before data is loaded."""

    name: str
    collections: tuple[CollectionSpec, ...]
    analyzers: tuple[Index, ...] = ()
    views: tuple[tuple[str, Index], ...] = ()
    graphs: tuple[GraphSpec, ...] = ()


@dataclass(frozen=True)
class UserSpec:
    """A user; grants are (database, collection or "", level)."""

    name: str
    password: str
    grants: tuple[tuple[str, str, str], ...]
    active: bool = True
    extra: tuple[tuple[str, str], ...] = ()


def create_collection(database: StandardDatabase, spec: CollectionSpec, replication_factor: int) -> None:
    """Create one collection and its indexes."""
    collection = database.create_collection(
        spec.name, edge=spec.edge, shard_count=spec.shards, replication_factor=replication_factor, write_concern=1,
        shard_fields=list(spec.shard_keys) or None, key_generator=spec.keys,
    )
    for index in spec.indexes:
        collection.add_index(dict(index))


def create_database(connection: Connection, spec: DatabaseSpec, replication_factor: int) -> StandardDatabase:
    """Create a database with collections, indexes, graphs, analyzers and views; return a handle on it."""
    connection.database().create_database(spec.name)
    database = connection.database(spec.name)
    for collection in sorted(spec.collections, key=lambda one: one.edge):
        create_collection(database, collection, replication_factor)
    for graph in spec.graphs:
        definition = {
            "edge_collection": graph.edges,
            "from_vertex_collections": [graph.vertices],
            "to_vertex_collections": [graph.vertices],
        }
        database.create_graph(graph.name, edge_definitions=[definition])
    for analyzer in spec.analyzers:
        database.create_analyzer(analyzer["name"], analyzer["type"], analyzer["properties"], analyzer["features"])
    for name, properties in spec.views:
        database.create_arangosearch_view(name, properties)
    return database


def create_users(connection: Connection, users: Sequence[UserSpec]) -> None:
    """Create users with their grants."""
    system = connection.database()
    for user in users:
        system.create_user(user.name, user.password, active=user.active, extra=dict(user.extra))
        for database, collection, level in user.grants:
            system.update_permission(user.name, level, database, collection or None)
