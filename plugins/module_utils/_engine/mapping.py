# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a source definition becomes on a target of some version: one table (facts §3.4, §7.1 to §7.3, §10)."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any, Optional

Version = tuple[int, int]

# Only these are sent: unknown or removed properties may be refused by a newer target (facts §10, 4.x).
COLLECTION_PROPERTIES = (
    "name", "type", "isSystem", "waitForSync", "cacheEnabled", "schema", "computedValues", "numberOfShards",
    "replicationFactor", "writeConcern", "shardKeys", "shardingStrategy", "distributeShardsLike", "isSmart",
    "isSmartChild", "isDisjoint", "smartGraphAttribute", "smartJoinAttribute",
)  # fmt: skip
# What PUT …/properties can change later (facts §3.3); the last two only where a collection has them of its own.
CHANGEABLE = ("waitForSync", "cacheEnabled", "schema", "computedValues")
REPLICATION = ("replicationFactor", "writeConcern")
# A revision is unique only within a shard: these must be equal on both sides (design §4.7).
LAYOUT = ("type", "numberOfShards", "shardKeys", "shardingStrategy")

_KEY_OPTIONS = {
    "traditional": ("type", "allowUserKeys"),
    "padded": ("type", "allowUserKeys"),
    "uuid": ("type", "allowUserKeys"),
    "autoincrement": ("type", "allowUserKeys", "increment", "offset"),
}
_INDEX_ALIASES = {"hash": "persistent", "skiplist": "persistent", "geo1": "geo", "geo2": "geo"}
_LATE_TYPES = frozenset({"ttl", "vector"})
_INDEX_VOLATILE = frozenset(
    {"id", "selectivityEstimate", "figures", "isNewlyCreated", "objectId", "inBackground", "progress", "trainingState"}
)


def parse_version(text: str) -> Version:
    """``3.11.14`` as (3, 11); (0, 0) for something else."""
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def collection_body(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The ``parameters`` of restore-collection for a collection of the source."""
    body = {name: parameters[name] for name in COLLECTION_PROPERTIES if parameters.get(name) is not None}
    options = parameters.get("keyOptions") or {}
    keep = _KEY_OPTIONS.get(str(options.get("type")), ("type", "allowUserKeys"))
    body["keyOptions"] = {name: options[name] for name in keep if name in options}
    return body


def database_options(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The ``options`` of a new database (facts §3.1)."""
    names = ("sharding", "replicationFactor", "writeConcern")
    return {name: properties[name] for name in names if properties.get(name) not in (None, "")}


def index_body(index: Mapping[str, Any], target: Version) -> Optional[dict[str, Any]]:
    """The definition to send, or None for an index that the target's version does not know any more."""
    body = {name: value for name, value in index.items() if name not in _INDEX_VOLATILE or name == "id"}
    kind = str(index.get("type"))
    if kind == "fulltext" and target >= (4, 0):
        return None
    body["type"] = _INDEX_ALIASES.get(kind, "mdi" if kind == "zkd" and target >= (3, 12) else kind)
    return body


def is_late(index: Mapping[str, Any]) -> bool:
    """Whether an index is built after the opening: the target must not expire anything before."""
    return str(index.get("type")) in _LATE_TYPES


def is_unique(index: Mapping[str, Any]) -> bool:
    """Whether an index is built only when all shards of its collection are in sync (design §4.5)."""
    return bool(index.get("unique")) and not is_late(index)


def agrees(wanted: Any, found: Any) -> bool:
    """Whether a target's definition says the same, wherever both say something: versions differ in what they show."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(agrees(value, found[name]) for name, value in wanted.items() if name in found)
    if isinstance(wanted, (list, tuple)) and isinstance(found, (list, tuple)):
        return len(wanted) == len(found) and all(agrees(one, other) for one, other in zip(wanted, found))
    return bool(wanted == found)


def index_agrees(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether an index of the target is the one wanted; its id does not matter."""
    keep = {name: value for name, value in wanted.items() if name not in _INDEX_VOLATILE}
    same = [agrees(wanted.get(name, default), found.get(name, default)) for name, default in _INDEX_MUST]
    return all(same) and agrees(keep, found)


# With what a server means when it says nothing.
_INDEX_MUST: tuple[tuple[str, Any], ...] = (
    ("type", None), ("fields", []), ("unique", False), ("sparse", False),
    ("storedValues", []), ("cacheEnabled", False), ("deduplicate", True),
)  # fmt: skip


def view_agrees(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether a view of the target is the one wanted: the same collections with the same fields, the same indexes."""
    if wanted.get("type") != found.get("type") or aliased(wanted) != aliased(found):
        return False
    mine, theirs = (view.get("links") or {} for view in (wanted, found))
    rest = {name: value for name, value in wanted.items() if name != "indexes"}
    same_links = set(mine) == set(theirs) and all(_same_fields(mine[name], theirs[name]) for name in mine)
    return same_links and agrees(rest, found)


def aliased(view: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Collection and name of each inverted index of a search-alias view."""
    return sorted((str(item.get("collection")), str(item.get("index"))) for item in view.get("indexes") or ())


def _same_fields(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Fields of a link are the user's: one that is on one side only is a difference."""
    mine, theirs = (link.get("fields") or {} for link in (wanted, found))
    return set(mine) == set(theirs) and all(_same_fields(mine[name], theirs[name]) for name in mine)


def uses_analyzer(definition: Any, names: Container[str]) -> bool:
    """Whether a view or an inverted index names one of these analyzers anywhere."""
    if isinstance(definition, Mapping):
        named = [definition.get("analyzer"), *(definition.get("analyzers") or ())]
        return any(name in names for name in named if isinstance(name, str)) or any(
            uses_analyzer(value, names) for value in definition.values()
        )
    return isinstance(definition, (list, tuple)) and any(uses_analyzer(item, names) for item in definition)


def layout_differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Names of layout properties that differ between a source and a target collection."""
    defaults = {"shardKeys": ["_key"]}
    return [
        name for name in LAYOUT if wanted.get(name, defaults.get(name)) != found.get(name, defaults.get(name))
    ]


def changed_properties(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Properties that PUT …/properties has to set on the target.

    What the operator overrides is in ``wanted`` already: overrides change definitions when they are read.
    """
    names = CHANGEABLE + (REPLICATION if counts_copies(wanted) and counts_copies(found) else ())
    return {name: wanted.get(name) for name in names if name in wanted and wanted[name] != found.get(name)}


def counts_copies(parameters: Mapping[str, Any]) -> bool:
    """Whether copies are counted for this collection: those of the system have each cluster's own number, satellites
    are everywhere, and one that is distributed like another has what that one has.
    """
    counted = isinstance(parameters.get("replicationFactor"), int)
    own = not parameters.get("distributeShardsLike") and not str(parameters.get("name", "")).startswith("_")
    return counted and own
