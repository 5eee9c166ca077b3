# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Indexes of a collection: creation, removal, and enforcement of the unique ones per shard (facts §7.2, §7.7)."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests.testbed import index_definitions
from tests.testbed.errors import ArangoError
from tests.testbed.index_definitions import Definition
from tests.testbed.wal_markers import INDEX_CREATE, INDEX_DROP

if TYPE_CHECKING:
    from tests.testbed.collection import Collection
    from tests.testbed.model import Deployment
    from tests.testbed.storage import Shard, ShardWriter

_BUILD_RATE = 500_000  # documents/s of emulated time, unless the option `index_build_rate` says otherwise
_BUILDING = "building"
_ENFORCED = ("persistent", "hash", "skiplist", "mdi", "mdi-prefixed", "zkd")


def stage(writer: ShardWriter, key: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
    """Check the new version of a document against the unique indexes and note its entries; errorNum 1210."""
    released: dict[tuple[str, object], str | None] = {}
    taken: dict[tuple[str, object], str | None] = {}
    for index in writer.shard.collection.unique_indexes:
        for value in _values(index, old):
            released[(index["id"], value)] = None
        for value in _values(index, new):
            holder = _holder(writer, index["id"], value)
            if holder is not None and holder != key:
                raise ArangoError(1210, _message(index, holder))
            taken[(index["id"], value)] = key
    writer.unique.update(released)
    writer.unique.update(taken)


def settle(writer: ShardWriter) -> None:
    """Take over the entries of a transaction that is being committed."""
    for (index_id, value), key in writer.unique.items():
        entries = writer.shard.unique.setdefault(index_id, {})
        if key is None:
            entries.pop(value, None)
        else:
            entries[value] = key
    writer.unique = {}


def build(shard: Shard, index: Mapping[str, Any]) -> None:
    """Fill a unique index from the documents of a shard; errorNum 1210 where two documents have one value."""
    entries: dict[object, str] = {}
    for raw in shard.leader.docs.values():
        document = json.loads(raw)
        for value in _values(index, document):
            if value in entries:
                raise ArangoError(1210, _message(index, entries[value]))
            entries[value] = document["_key"]
    shard.unique[index["id"]] = entries


async def create(
    collection: Collection, wishes: Mapping[str, Any], *, keep_identity: bool = False
) -> tuple[Definition, bool]:
    """Create an index, or find the same one; answers the definition and whether it is new.

    `keep_identity` takes the id over, as a restore does. It is enforced from the first moment and shown when its
    building, which takes time in proportion to the documents, is done.
    """
    deployment = collection.deployment
    definition = index_definitions.normalise(wishes, deployment.version_tuple)
    known = next((index for index in collection.indexes if index_definitions.same(index, definition)), None)
    if known is not None:
        return known, False
    _check(collection, definition, wishes.get("name"))
    if definition["type"] == "vector" and deployment.version_tuple < (4, 0, 0):
        _require_vector(deployment)
    identifier = str(wishes.get("id", "")).rpartition("/")[2] if keep_identity else ""
    taken = {index["id"] for index in collection.indexes}
    definition["id"] = identifier if identifier.isdecimal() and identifier not in taken else deployment.new_id()
    definition["name"] = str(wishes.get("name") or f"idx_{_name_number(collection)}")
    if definition["unique"] and definition["type"] in _ENFORCED:
        _enforce(collection, definition)
    collection.indexes.append(definition)
    for shard in collection.shards:
        shard.log(INDEX_CREATE, definition)
    if definition["type"] == "ttl":
        from tests.testbed import ttl  # here, because it needs documents, which need this module

        ttl.start(deployment)
    await _wait_for_building(collection, definition)
    return definition, True


def _require_vector(deployment: Deployment) -> None:
    if not deployment.options.extra.get("vector_index"):
        raise ArangoError(10, "vector index feature is not enabled")  # `--vector-index`, facts §10


def visible(collection: Collection) -> list[Definition]:
    """The indexes beyond primary and edge that are built."""
    building: set[str] = collection.deployment.objects.get(_BUILDING, set())
    return [index for index in collection.indexes if index["id"] not in building]


def drop(collection: Collection, identifier: str) -> Definition:
    """Drop an index by id or name; errorNum 1212, and 11 for primary and edge."""
    if identifier in ("0", "primary") or (collection.type == 3 and identifier in ("1", "2", "edge")):
        raise ArangoError(11)
    found = next((index for index in collection.indexes if identifier in (index["id"], index["name"])), None)
    if found is None:
        raise ArangoError(1212)
    collection.indexes.remove(found)
    if found in collection.unique_indexes:
        collection.unique_indexes.remove(found)
    for shard in collection.shards:
        shard.unique.pop(found["id"], None)
        shard.log(INDEX_DROP, {"id": found["id"]})
    return found


def _name_number(collection: Collection) -> int:
    server = next(iter(collection.deployment.servers.values()))
    return server.clock.tick()


def _check(collection: Collection, definition: Definition, name: object) -> None:
    if name is not None and (not isinstance(name, str) or not name or name[0].isdecimal()):
        raise ArangoError(1208)
    if any(index["name"] == name for index in collection.indexes) or name in ("primary", "edge"):
        raise ArangoError(1207, "duplicate value: index name is in use")
    clustered = collection.deployment.clustered and len(collection.shards) > 1
    if clustered and definition["unique"]:
        missing = [key for key in collection.shard_keys if key not in definition["fields"]]
        if missing:
            raise ArangoError(1470, f"shard key '{missing[0]}' must be present in unique index")


def _enforce(collection: Collection, definition: Definition) -> None:
    try:
        for shard in collection.shards:
            build(shard, definition)
    except ArangoError:
        for shard in collection.shards:
            shard.unique.pop(definition["id"], None)
        raise
    collection.unique_indexes.append(definition)


async def _wait_for_building(collection: Collection, definition: Definition) -> None:
    deployment = collection.deployment
    rate = float(deployment.options.extra.get("index_build_rate", _BUILD_RATE))
    seconds = deployment.scaled(collection.count() / rate)
    if seconds < 0.001:
        return
    building: set[str] = deployment.objects.setdefault(_BUILDING, set())
    building.add(definition["id"])
    try:
        await asyncio.sleep(seconds)
    finally:
        building.discard(definition["id"])


def _holder(writer: ShardWriter, index_id: str, value: object) -> str | None:
    place = (index_id, value)
    if place in writer.unique:
        return writer.unique[place]
    return writer.shard.unique.get(index_id, {}).get(value)


def _values(index: Mapping[str, Any], document: Mapping[str, Any] | None) -> Iterator[object]:
    if document is None:
        return
    fields = [*index.get("prefixFields", ()), *index["fields"]]
    choices = [list(_expand(document, path)) for path in fields]
    found = set()
    for values in itertools.product(*choices):
        if index.get("sparse") and any(value == "null" for value in values):
            continue
        entry = "[" + ",".join(values) + "]"
        if entry not in found:  # `deduplicate` of array elements
            found.add(entry)
            yield entry


def _expand(document: Mapping[str, Any], path: str) -> Iterator[str]:
    """The values of a path as text; `a[*].b` gives one per element."""
    head, star, rest = path.partition("[*]")
    value: Any = document
    for part in head.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not star:
        yield json.dumps(_plain(value), sort_keys=True)
        return
    for element in value if isinstance(value, list) else ():
        if rest:
            inner = element if isinstance(element, dict) else {}
            yield from _expand(inner, rest[1:])
        else:
            yield json.dumps(_plain(element), sort_keys=True)


def _plain(value: Any) -> Any:
    """Numbers compare by value: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return value


def _message(index: Mapping[str, Any], key: str) -> str:
    fields = ", ".join(index["fields"])
    return (
        f"unique constraint violated - in index {index['name']} of type {index['type']} over '{fields}';"
        f" conflicting key: {key}"
    )
