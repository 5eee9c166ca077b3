# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of definitions that the target cannot take, or that cannot be migrated exactly; each is named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Optional

from ..exactness import prints_exactly
from ..layout import REGENERATE
from .context import Context
from .measure import Collection, Version, collections_of
from .outcome import Outcome, Row, bad, good, listed

# Names that every version takes without extended names (facts §3.1, §10).
_PLAIN_DATABASE = re.compile(r"_system|[A-Za-z][A-Za-z0-9_-]{0,63}")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,255}")
_INDEX_SINCE = {"mdi": (3, 12, 0), "mdi-prefixed": (3, 12, 0), "vector": (3, 12, 4), "inverted": (3, 10, 0)}
_ENTERPRISE_STRATEGIES = frozenset({"enterprise-compat", "enterprise-smart-edge-compat"}) | frozenset(
    {"enterprise-hash-smart-edge", "enterprise-hex-smart-vertex"}
)
_V8_GONE = (4, 0, 0)


def _named(what: str, names: list[str], right: str, remedy: Optional[str] = None) -> Outcome:
    if names:
        return bad(f"{what}: {listed(names)}", remedy=remedy, names=names[:100])
    return good(right)


def _indexes(context: Context, kinds: Iterable[str]) -> list[str]:
    wanted = frozenset(kinds)
    return [
        f"{one.label}/{index.get('name') or index.get('id')} ({index['type']})"
        for one in context.collections()
        for index in one.indexes
        if index["type"] in wanted
    ]


def _index_types(context: Context) -> Outcome:
    target = context.target.version()
    missing = {kind for kind, since in _INDEX_SINCE.items() if tuple(target) < since}
    if tuple(target) >= _V8_GONE:
        missing.add("fulltext")
    names = _indexes(context, missing)
    return _named(f"indexes that {target} does not know", names, "the target knows every index type")


def _old_geo(context: Context) -> Outcome:
    names = _indexes(context, ("geo1", "geo2"))
    return _named("these become indexes of type geo", names, "there are no indexes of type geo1 or geo2")


def _late_indexes(context: Context) -> Outcome:
    names = _indexes(context, ("ttl", "vector"))
    text = f"built after the opening: {listed(names)}" if names else "there are no TTL or vector indexes"
    return good(text, names=names[:100])


def _enterprise(context: Context, what: str, names: list[str]) -> Outcome:
    if context.target.enterprise():
        return good(f"the target takes {what}", names=names[:100])
    return _named(f"{what}, which the target's edition does not have", names, f"there are no {what}")


def _smart(context: Context) -> Outcome:
    keys = ("isSmart", "smartGraphAttribute", "smartJoinAttribute")
    names = [one.label for one in context.collections() if any(one.parameters.get(key) for key in keys)]
    return _enterprise(context, "smart collections", names)


def _smart_hidden(context: Context) -> Outcome:
    prefixes = ("_local_", "_from_", "_to_")
    names = [
        one.label
        for one in context.collections()
        if one.parameters.get("isSmartChild") or one.name.startswith(prefixes)
    ]
    return _named("hidden parts of smart edge collections", names, "there are no smart edge collections")


def _satellites(context: Context) -> Outcome:
    names = [one.label for one in context.collections() if one.parameters.get("replicationFactor") == "satellite"]
    return _enterprise(context, "satellite collections", names)


def _one_shard(context: Context) -> Outcome:
    names = [
        name
        for name, document in context.source.inventory().items()
        if (document.get("properties") or {}).get("sharding") == "single"
    ]
    return _enterprise(context, "OneShard databases", names)


def _strategies(context: Context) -> Outcome:
    names = [
        f"{one.label} ({one.parameters['shardingStrategy']})"
        for one in context.collections()
        if one.parameters.get("shardingStrategy") in _ENTERPRISE_STRATEGIES
    ]
    return _enterprise(context, "collections with an enterprise sharding strategy", names)


def _same_shards(context: Context) -> Outcome:
    names = []
    for one in context.collections():
        wanted, there = one.parameters.get("numberOfShards"), len(one.parameters.get("shards") or {})
        if not there or (wanted != there and not one.parameters.get("isSmart")):
            names.append(f"{one.label} ({wanted} declared, {there} listed)")
    return _named("the number of shards is not clear", names, "every collection can get the same number of shards")


def _like(context: Context) -> Outcome:
    collections = context.collections()
    there = {(one.database, one.name) for one in collections_of(context.source.whole_inventory())}
    names = [
        f"{one.label} like {one.parameters['distributeShardsLike']}"
        for one in collections
        if one.parameters.get("distributeShardsLike")
        and (one.database, one.parameters["distributeShardsLike"]) not in there
    ]
    return _named("the collection to distribute like is missing", names, "every distributeShardsLike can be followed")


def _revision_ids(context: Context) -> Outcome:
    policy = context.spec.rev_policy
    names = [
        one.label
        for one in context.collections()
        if one.parameters.get("usesRevisionsAsDocumentIds") is False
        and policy.collection(one.database, one.name) != REGENERATE
    ]
    return _named(
        "old collections whose revisions may not be unique within a shard", names, "revisions are unique in every shard"
    )


def _extended_names(context: Context) -> Outcome:
    if context.target.version() >= (3, 12, 0):
        return good("the target takes extended names")
    names = [name for name in context.source.inventory() if not _PLAIN_DATABASE.fullmatch(name)]
    names += [one.label for one in context.collections() if not _PLAIN_NAME.fullmatch(one.name)]
    return _named("extended names, which the target may refuse", names, "there are no extended names")


def _with_v8(context: Context, collection: str, what: str) -> Outcome:
    if tuple(context.target.version()) < _V8_GONE:
        return good(f"the target takes {what}")
    counts = context.source.counts(collection)
    names = [f"{database} ({count})" for database, count in counts.items() if count]
    return _named(f"{what}, which 4.x does not have, in", names, f"there are no {what}")


def _foxx(context: Context) -> Outcome:
    return _with_v8(context, "_apps", "Foxx services")


def _functions(context: Context) -> Outcome:
    return _with_v8(context, "_aqlfunctions", "user-defined AQL functions")


def _queues(context: Context) -> Outcome:
    counts = context.source.counts("_jobs")
    names = [f"{database} ({count})" for database, count in counts.items() if count]
    return _named("jobs of Foxx queues are not migrated", names, "there are no jobs in Foxx queues")


def _exact_numbers(context: Context) -> Outcome:
    version = context.source.version()
    if prints_exactly(str(version)):
        return good(f"{version} prints every number exactly", version=str(version))
    return bad(f"{version} rounds numbers beyond 2^53: such documents are read once more", version=str(version))


def _generated_keys(context: Context) -> Outcome:
    kinds = ("traditional", "padded")
    mine = [one for one in context.collections() if not one.name.startswith("_")]
    names = [one.label for one in mine if _key_type(one) in kinds]
    if not names:
        return good("no collection makes its own numeric keys")
    remedy = (
        "Give keys in the application, or use the key generator uuid."
        if not _can_reserve(context.target.version())
        else "Reserve ids on the target (PUT /_admin/cluster/uniqId?minimum=N) above the largest generated key."
    )
    return bad(
        f"keys generated on the target may meet migrated ones, in {len(names)} collections: {listed(names, 5)}",
        remedy=remedy,
        names=names[:100],
    )


def _key_type(collection: Collection) -> str:
    return str((collection.parameters.get("keyOptions") or {}).get("type", "traditional"))


def _can_reserve(version: Version) -> bool:
    return tuple(version) >= (3, 12, 5)


ROWS = (
    Row(
        "features-index-types", "features", "error", "The target knows every index type", _index_types,
        "Drop these indexes on the source, or choose a target of another version; for fulltext use an inverted index "
        "or a view.",
        why="mdi needs 3.12, vector 3.12.4; fulltext is gone in 4.x.",
    ),
    Row(
        "features-geo", "features", "info", "Old geo indexes become indexes of type geo", _old_geo,
        "Nothing has to be done.",
        why="geo1 and geo2 are old names of one type.",
    ),
    Row(
        "features-late-indexes", "features", "info", "TTL and vector indexes are built after the opening",
        _late_indexes, "Nothing has to be done.",
        why="Before the opening the target must not expire anything by itself, and no build may delay the "
        "opening.",
    ),
    Row(
        "features-smart", "features", "error", "The target's edition takes smart collections", _smart,
        "Use an Enterprise target, or Community 3.12.5 or newer.",
        why="Smart graphs and smart joins are Enterprise features before 3.12.5.",
    ),
    Row(
        "features-smart-edges", "features", "error", "There are no smart edge collections", _smart_hidden,
        "Migrate smart graphs by arangodump and arangorestore: how their hidden parts are logged is not proved.",
        why="Whether their hidden collections appear twice in inventory and log is not proved by any source.",
    ),
    Row(
        "features-satellites", "features", "error", "The target's edition takes satellite collections", _satellites,
        "Use an Enterprise target, or Community 3.12.5 or newer.",
        why="Satellite collections are an Enterprise feature before 3.12.5.",
    ),
    Row(
        "features-oneshard", "features", "error", "The target's edition takes OneShard databases", _one_shard,
        "Use an Enterprise target, or Community 3.12.5 or newer.",
        why="OneShard databases are an Enterprise feature before 3.12.5.",
    ),
    Row(
        "features-strategies", "features", "error", "The target's edition takes every sharding strategy", _strategies,
        "Use an Enterprise target, or Community 3.12.5 or newer.",
        why="With another strategy documents would live in other shards, where revisions can meet.",
    ),
    Row(
        "features-same-shards", "features", "error", "Every collection can get the same number of shards",
        _same_shards, "Look at the collection's definition on the source; re-create it if it is damaged.",
        why="A revision is unique only within a shard: with another number of shards two documents can meet "
        "and one is lost silently.",
    ),
    Row(
        "features-distribute-like", "features", "error", "Every distributeShardsLike can be followed", _like,
        "Re-create the collection on the source without distributeShardsLike.",
        why="Without the leading collection the shards cannot be placed alike.",
    ),
    Row(
        "features-revisions", "features", "error", "Revisions are unique within every shard", _revision_ids,
        "Re-create these collections on the source (made before 3.8): dump, drop and restore them. Or choose "
        "rev_policy regenerate for them.",
        why="Collections made before 3.8 may hold two documents with one revision in a shard; on the target "
        "one would overwrite the other silently.",
    ),
    Row(
        "features-extended-names", "features", "error", "The target takes every name", _extended_names,
        "Use a target of 3.12 or newer, or rename.",
        why="Before 3.12 names beyond ASCII are an option of the server that is off by default.",
    ),
    Row(
        "features-foxx", "features", "error", "The target takes Foxx services", _foxx,
        "Replace the Foxx services before migrating, choose a 3.12 target, or accept that they are left behind.",
        why="4.x has no JavaScript engine.",
    ),
    Row(
        "features-functions", "features", "error", "The target takes user-defined AQL functions", _functions,
        "Replace the functions, choose a 3.12 target, or accept that they are left behind.",
        why="4.x has no JavaScript engine.",
    ),
    Row(
        "features-queues", "features", "warning", "No Foxx queue jobs are left behind", _queues,
        "Let the queues run empty before the cutover.",
        why="Queued jobs would run twice if they were copied, so they are not.",
    ),
    Row(
        "features-exact-numbers", "features", "info", "The source prints every number exactly", _exact_numbers,
        "Nothing has to be done. An upgrade of the source to 3.11.12, 3.12.3 or newer saves the readings if many "
        "documents hold numbers beyond 2^53.",
        why="Before 3.11.12 and 3.12.3 doubles from 2^53 on were printed as rounded integers, in snapshots and logs "
        "alike. Documents that hold such a number are read by key in the server's own binary form.",
    ),
    Row(
        "features-generated-keys", "features", "warning", "New keys on the target cannot meet migrated ones",
        _generated_keys, "Give keys in the application, or use the key generator uuid.",
        why="A cluster makes numeric keys from one counter, and the target's counter starts low.",
    ),
)  # fmt: skip
