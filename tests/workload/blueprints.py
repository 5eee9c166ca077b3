# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Definitions and documents that the architect draws, as arguments of python-arango."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["analyzer", "collection", "document", "edges", "index", "properties", "stored", "view"]

Options = dict[str, Any]
NUMBERED = {"properties": {"n": {"type": "number"}}, "required": ["n"]}
SCHEMAS = (
    None,
    {"rule": NUMBERED, "level": "strict", "message": "n is missing"},
    {"rule": {"type": "object"}, "level": "none", "message": "anything goes"},
)
COMPUTED = (
    None,
    [{"name": "made", "expression": "RETURN 1", "overwrite": True, "computeOn": ["insert"]}],
)
FAR_FUTURE = 4102444800


def collection(draw: random.Random, like: str | None) -> Options:
    """Options of a new collection; ``like``: the one that it may be distributed like."""
    replicas = draw.choice([1, 2, 2, 3])
    options: Options = {
        "edge": draw.random() < 0.2, "shard_count": draw.randint(1, 4), "replication_factor": replicas,
        "write_concern": draw.randint(1, min(2, replicas)), "sync": draw.random() < 0.3,
        "schema": draw.choice(SCHEMAS), "computedValues": draw.choice(COMPUTED),
        "shard_fields": None, "key_generator": draw.choice(["traditional", "padded", "uuid"]),
    }
    kind = draw.random()
    if kind < 0.15:
        options |= {"shard_fields": ["region"], "key_generator": "uuid"}
    elif kind < 0.25:
        options |= {"replication_factor": "satellite", "shard_count": 1, "write_concern": None}
    elif kind < 0.35:
        options |= {"key_generator": "autoincrement", "shard_count": 1, "key_increment": 5, "key_offset": 3}
    elif like and kind < 0.5:
        for name in ("shard_count", "replication_factor", "write_concern"):
            del options[name]
        options |= {"shard_like": like, "replication_factor": None}
    return options


def properties(draw: random.Random) -> Options:
    """A change of what can be changed."""
    return draw.choice(
        [
            {"sync": draw.random() < 0.5},
            {"schema": draw.choice(SCHEMAS[1:])},
            {"computed_values": draw.choice(COMPUTED[1:])},
        ]
    )


def document(draw: random.Random, options: Mapping[str, Any], key: str) -> Options:
    """A document that every drawn schema and index takes; the server makes keys where shards hang on other fields."""
    number = draw.randrange(10**6)
    made: Options = {
        "n": number, "u": key, "region": f"r{number % 5}", "text": f"words {number}", "expires": FAR_FUTURE,
        "place": [number % 90, number % 180], "x": number / 7, "y": -number / 3,
    }
    if not options["shard_fields"]:
        made["_key"] = key if options["key_generator"] != "autoincrement" else key.lstrip("k")
    if options["edge"]:
        made |= {"_from": "n/1", "_to": f"n/{number}"}
    return made


def stored(document: Mapping[str, Any]) -> Options:
    """A document as the record keeps it."""
    return {name: value for name, value in document.items() if name != "_id"}


def index(draw: random.Random, options: Mapping[str, Any], version: tuple[int, int]) -> Options:
    """An index of any kind that documents like ours fit."""
    shard_fields = list(options["shard_fields"] or [])
    kinds: list[Options] = [
        {"type": "persistent", "fields": ["n", "region"], "sparse": draw.random() < 0.5},
        {"type": "persistent", "fields": ["text"], "storedValues": ["n"], "cacheEnabled": True},
        {"type": "persistent", "fields": ["n", "u"], "deduplicate": False, "estimates": False, "inBackground": True},
        {"type": "ttl", "fields": ["expires"], "expireAfter": draw.randint(0, 1000)},
        {"type": "geo", "fields": ["place"], "geoJson": draw.random() < 0.5},
        {"type": "inverted", "fields": ["text"]},
        {"type": "mdi" if version >= (3, 12) else "zkd", "fields": ["x", "y"], "fieldValueTypes": "double"},
    ]
    if shard_fields or options.get("shard_count") == 1:
        kinds.append({"type": "persistent", "fields": [*shard_fields, "u"], "unique": True})
    if version < (3, 12):
        kinds.append({"type": "hash", "fields": ["n"]})
    return draw.choice(kinds)


def view(draw: random.Random, kind: str, linked: str, inverted: Sequence[str]) -> Options:
    """Properties of a view over a collection or its inverted indexes."""
    if kind == "search-alias":
        return {"indexes": [{"collection": linked, "index": draw.choice(inverted)}]}
    links: list[Options] = [{"includeAllFields": True}, {"fields": {"text": {"analyzers": ["text_en"]}}}]
    return {"links": {linked: draw.choice(links)}}


def analyzer(draw: random.Random) -> tuple[str, Options, list[str]]:
    """Type, properties and features of an analyzer."""
    kinds: list[tuple[str, Options, list[str]]] = [
        ("identity", {}, []),
        ("norm", {"locale": "en", "case": draw.choice(["lower", "upper"]), "accent": False}, ["frequency"]),
        ("delimiter", {"delimiter": ","}, ["frequency", "position"]),
        ("ngram", {"min": 2, "max": 3, "preserveOriginal": False}, []),
    ]
    return draw.choice(kinds)


def edges(name: str, vertices: str) -> Options:
    """An edge definition between vertices of one collection."""
    return {"edge_collection": name, "from_vertex_collections": [vertices], "to_vertex_collections": [vertices]}
