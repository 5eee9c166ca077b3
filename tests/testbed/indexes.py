# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Enforcement of unique indexes, per shard (facts §7.7)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests.testbed.errors import ArangoError

if TYPE_CHECKING:
    from tests.testbed.storage import Shard, ShardWriter


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


def _holder(writer: ShardWriter, index_id: str, value: object) -> str | None:
    place = (index_id, value)
    if place in writer.unique:
        return writer.unique[place]
    return writer.shard.unique.get(index_id, {}).get(value)


def _values(index: Mapping[str, Any], document: Mapping[str, Any] | None) -> Iterator[object]:
    if document is None:
        return
    values = [_attribute(document, path) for path in index["fields"]]
    if index.get("sparse") and any(value is None for value in values):
        return
    yield json.dumps(values, sort_keys=True)


def _attribute(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _message(index: Mapping[str, Any], key: str) -> str:
    fields = ", ".join(f"'{name}'" for name in index["fields"])
    return (
        f"unique constraint violated - in index {index.get('name')} of type {index.get('type')} over {fields};"
        f" conflicting key: {key}"
    )
