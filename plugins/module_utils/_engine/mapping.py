# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a source definition becomes on a target of some version: one table (facts §3.4, §7.1 to §7.3, §10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

Version = tuple[int, int]

# Only these are sent: unknown or removed properties may be refused by a newer target (facts §10, 4.x).
COLLECTION_PROPERTIES = (
    "name", "type", "isSystem", "waitForSync", "cacheEnabled", "schema", "computedValues", "numberOfShards",
    "replicationFactor", "writeConcern", "shardKeys", "shardingStrategy", "distributeShardsLike", "isSmart",
    "isSmartChild", "isDisjoint", "smartGraphAttribute", "smartJoinAttribute",
)  # fmt: skip
# What PUT …/properties can change later (facts §3.3), without what the operator may choose freely on the target.
CHANGEABLE = ("waitForSync", "cacheEnabled", "schema", "computedValues")
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


_INDEX_MUST: tuple[tuple[str, Any], ...] = (("type", None), ("fields", []), ("unique", False), ("sparse", False))


def view_agrees(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether a view of the target is the one wanted; the set of linked collections must be the same."""
    same_links = set(wanted.get("links") or {}) == set(found.get("links") or {})
    return same_links and wanted.get("type") == found.get("type") and agrees(wanted, found)


def layout_differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Names of layout properties that differ between a source and a target collection."""
    defaults = {"shardKeys": ["_key"]}
    return [
        name for name in LAYOUT if wanted.get(name, defaults.get(name)) != found.get(name, defaults.get(name))
    ]


def changed_properties(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Properties that PUT …/properties has to set on the target."""
    return {name: wanted.get(name) for name in CHANGEABLE if name in wanted and wanted[name] != found.get(name)}
