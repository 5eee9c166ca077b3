# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Named graphs: documents of `_graphs` and the collections behind them (facts §3.5, recordings)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.testbed.api.collections import create_collection
from tests.testbed.documents import WriteOptions, Writer
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request
from tests.testbed.model import Database
from tests.testbed.rawjson import Element
from tests.testbed.storage import Transaction

Graph = dict[str, Any]
_OPTION_NAMES = ("numberOfShards", "replicationFactor", "minReplicationFactor", "writeConcern")
_SMART = ("isSmart", "isSatellite", "initial", "initialCid", "smartGraphAttribute", "isDisjoint")


def graphs(database: Database) -> dict[str, Graph]:
    """Graph documents by name."""
    found = {}
    for _revision, raw in database.collection("_graphs").shards[0].leader.snapshot():
        document = json.loads(raw)
        found[document["_key"]] = document
    return found


def find(database: Database, name: str) -> Graph:
    """A graph's document; errorNum 1924."""
    found = graphs(database).get(name)
    if found is None:
        raise ArangoError(1924, f"graph '{name}' not found")
    return found


def definition(body: object) -> Graph:
    """An edge definition, its collections sorted; errorNum 1923-like bad parameters as 10."""
    value = body if isinstance(body, dict) else {}
    ends = value.get("from"), value.get("to")
    name = value.get("collection")
    if not isinstance(name, str) or not all(isinstance(end, list) and end for end in ends):
        raise ArangoError(10, "edge definition is invalid")
    return {"collection": name, "from": sorted(value["from"]), "to": sorted(value["to"])}


def vertex_collections(graph: Mapping[str, Any]) -> list[str]:
    """Collections of vertices, orphans included, sorted."""
    return sorted(set(_used(graph)) | set(graph.get("orphanCollections", [])))


def edge_collections(graph: Mapping[str, Any]) -> list[str]:
    """Collections of edges, sorted."""
    return sorted(entry["collection"] for entry in graph.get("edgeDefinitions", []))


def _used(graph: Mapping[str, Any]) -> list[str]:
    return [name for entry in graph.get("edgeDefinitions", []) for name in (*entry["from"], *entry["to"])]


def create(request: Request, body: Mapping[str, Any]) -> Graph:
    """Create a graph and the collections that it lacks; errorNum 1925, 1921, 1920."""
    name = body.get("name")
    database = request.database
    if not isinstance(name, str) or not name:
        raise ArangoError(1901, "missing graph name", status=400)
    if name in graphs(database):
        raise ArangoError(1925)
    entries = [definition(entry) for entry in body.get("edgeDefinitions") or []]
    names = [entry["collection"] for entry in entries]
    if len(set(names)) != len(names):
        raise ArangoError(1922)
    for entry in entries:
        check_same_elsewhere(database, entry, name)
    options = body.get("options") or {}
    document = _document(database, name, entries, list(body.get("orphanCollections") or []), body, options)
    ensure_collections(request, document)
    if document.get("initial") is not None and database.deployment.version_tuple < (3, 12, 0):
        document["initialCid"] = int(database.collection(document["initial"]).id)
    return store(request, document)


def _document(
    database: Database,
    name: str,
    entries: list[Graph],
    orphans: list[str],
    body: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Graph:
    document: Graph = {"_key": name}
    satellite = options.get("replicationFactor") == "satellite"
    smart = bool(body.get("isSmart"))
    if database.deployment.clustered or smart or satellite:
        concern = options.get("writeConcern", options.get("minReplicationFactor", 1))
        document["numberOfShards"] = options.get("numberOfShards", 1)
        document["replicationFactor"] = options.get("replicationFactor", database.replication_factor)
        if not satellite:
            document |= {"minReplicationFactor": concern, "writeConcern": concern}
        document |= {"isSmart": smart, "isSatellite": satellite}
    document |= {
        "edgeDefinitions": entries,
        "orphanCollections": sorted(set(orphans) - set(_used({"edgeDefinitions": entries}))),
    }
    if smart or satellite:
        document["initial"] = entries[0]["from"][0] if entries else (orphans[0] if orphans else None)
    if smart:
        if options.get("smartGraphAttribute") is not None:
            document["smartGraphAttribute"] = options["smartGraphAttribute"]
        document["isDisjoint"] = bool(body.get("isDisjoint", False))
    return document


def check_same_elsewhere(database: Database, entry: Mapping[str, Any], name: str) -> None:
    """errorNum 1921 when another graph uses the edge collection with other ends."""
    for other in graphs(database).values():
        for known in other.get("edgeDefinitions", []):
            if other["_key"] != name and known["collection"] == entry["collection"] and known != entry:
                raise ArangoError(1921, f"{entry['collection']} collection used in more than one edge definition")


def ensure_collections(request: Request, graph: Mapping[str, Any]) -> None:
    """Create the collections of a graph that do not exist; errorNum 1218 where one has the wrong type."""
    database = request.database
    options = {name: graph[name] for name in (*_OPTION_NAMES, "smartGraphAttribute", "isDisjoint") if name in graph}
    options["isSmart"] = bool(graph.get("isSmart"))
    wanted = dict.fromkeys(vertex_collections(graph), 2) | dict.fromkeys(edge_collections(graph), 3)
    for name, kind in wanted.items():
        known = database.collections.get(name)
        if known is None:
            create_collection(database, {"name": name, "type": kind, **options})
            request.deployment.authenticator.collection_created(database.name, name, request.caller)
        elif kind == 3 and known.type != 3:
            raise ArangoError(1218, f"{name} is not an edge collection", status=400)


def store(request: Request, document: Graph) -> Graph:
    """Write a graph's document; answers it as stored."""
    collection = request.database.collection("_graphs")
    transaction = Transaction(request.database, single=True)
    writer = Writer(transaction, collection, request.server, WriteOptions(overwrite="replace"))
    body = {name: value for name, value in document.items() if name not in ("_id", "_rev")}
    outcome = writer.insert(Element.of(body))
    transaction.commit()
    stored: Graph = json.loads(outcome.new[1]) if outcome.new else {}
    return stored


def drop(request: Request, graph: Graph, *, collections: bool) -> None:
    """Drop a graph, and with `collections` those that no other graph uses."""
    database = request.database
    transaction = Transaction(database, single=True)
    Writer(transaction, database.collection("_graphs"), request.server).remove(graph["_key"])
    transaction.commit()
    if not collections:
        return
    kept = {
        name for other in graphs(database).values() for name in (*vertex_collections(other), *edge_collections(other))
    }
    for name in {*vertex_collections(graph), *edge_collections(graph)} - kept:
        if name in database.collections:
            drop_collection(request, name)


def drop_collection(request: Request, name: str) -> None:
    """Drop a collection of a graph."""
    request.database.collection(name).drop()
    request.deployment.authenticator.collection_dropped(request.database.name, name)


def remove_definition(graph: Graph, name: str) -> None:
    """Take an edge definition out; vertex collections that nothing uses any more become orphans; errorNum 1930."""
    entries = graph["edgeDefinitions"]
    found = next((entry for entry in entries if entry["collection"] == name), None)
    if found is None:
        raise ArangoError(1930)
    entries.remove(found)
    left = set(found["from"]) | set(found["to"])
    graph["orphanCollections"] = sorted(set(graph["orphanCollections"]) | (left - set(_used(graph))))


def set_definition(graph: Graph, entry: Graph) -> None:
    """Put an edge definition in the place of the one with its collection; errorNum 1930."""
    names = [known["collection"] for known in graph["edgeDefinitions"]]
    if entry["collection"] not in names:
        raise ArangoError(1930)
    before = set(_used(graph))
    graph["edgeDefinitions"][names.index(entry["collection"])] = entry
    orphans = (set(graph["orphanCollections"]) | (before - set(_used(graph)))) - set(_used(graph))
    graph["orphanCollections"] = sorted(orphans)


def shown(graph: Mapping[str, Any]) -> Graph:
    """A graph as answers print it: bookkeeping first, `_rev`, `_id` and `name` last."""
    names = ("_key", *_OPTION_NAMES, "isSmart", "isSatellite", "edgeDefinitions", "orphanCollections", *_SMART[2:])
    values = {name: graph[name] for name in names if name in graph}
    return {**values, "_rev": graph["_rev"], "_id": graph["_id"], "name": graph["_key"]}
