# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Index definitions: what is asked for, checked, and as the server stores and prints it (recordings, facts §10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.testbed.errors import ArangoError

Definition = dict[str, Any]
Version = tuple[int, int, int]

_TREE = ("persistent", "hash", "skiplist", "rocksdb")
_MDI = ("zkd", "mdi", "mdi-prefixed")
_SAME = ("type", "fields", "unique", "sparse", "expireAfter", "geoJson", "prefixFields", "minLength", "storedValues")
_INVERTED_OPTIONS: Definition = {
    "analyzer": "identity",
    "cleanupIntervalStep": 2,
    "commitIntervalMsec": 1000,
    "features": ["frequency", "norm"],
    "includeAllFields": False,
    "primarySort": {"fields": [], "compression": "lz4"},
    "searchField": False,
    "storedValues": [],
    "trackListPositions": False,
    "writebufferActive": 0,
    "writebufferSizeMax": 33554432,
}


def consolidation(version: Version) -> Definition:
    """Consolidation settings of views and inverted indexes, which 3.12.7 changed (recordings)."""
    if version >= (3, 12, 7):
        policy: Definition = {"type": "tier", "segmentsBytesMax": 8589934592, "maxSkewThreshold": 0.4}
        return {"consolidationIntervalMsec": 5000, "consolidationPolicy": policy | {"minDeletionRatio": 0.5}}
    policy = {"type": "tier", "segmentsBytesFloor": 2097152, "segmentsBytesMax": 5368709120}
    policy |= {"segmentsMax": 10, "segmentsMin": 1, "minScore": 0}
    return {"consolidationIntervalMsec": 1000, "consolidationPolicy": policy}


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise ArangoError(10, text)


def _names(body: Mapping[str, Any], name: str, least: int, most: int) -> list[str]:
    values = body.get(name)
    _require(isinstance(values, list) and least <= len(values) <= most, f"invalid attribute '{name}'")
    names = [str(value) for value in values or [] if isinstance(value, str) and value]
    _require(len(names) == len(values or []), f"{name}: expecting non-empty attribute names")
    _require(len(set(names)) == len(names), f"duplicate attribute name in {name}")
    return names


def normalise(body: Mapping[str, Any], version: Version) -> Definition:
    """The stored definition without `id` and `name`; errorNum 10 for what the server refuses."""
    kind = str(body.get("type", ""))
    if kind in _TREE:
        return _tree(body, kind, version)
    if kind == "ttl":
        return _ttl(body, version)
    if kind in ("geo", "geo1", "geo2"):
        return _geo(body, kind, version)
    if kind == "fulltext" and version < (4, 0, 0):
        length = body.get("minLength", 2)
        fields = _names(body, "fields", 1, 1)
        return {"fields": fields, "minLength": max(1, length), "sparse": True, "type": kind, "unique": False}
    if kind in _MDI:
        return _mdi(body, kind, version)
    if kind == "inverted":
        return _inverted(body, version)
    if kind == "vector" and version >= (3, 12, 4):
        parameters = body.get("params")
        _require(isinstance(parameters, dict), "vector index needs params")
        fields = _names(body, "fields", 1, 1)
        return {"fields": fields, "params": parameters, "sparse": False, "type": kind, "unique": False}
    raise ArangoError(10, "invalid index type")


def _tree(body: Mapping[str, Any], kind: str, version: Version) -> Definition:
    values: Definition = {
        "cacheEnabled": bool(body.get("cacheEnabled", False)),
        "deduplicate": bool(body.get("deduplicate", True)),
        "estimates": bool(body.get("estimates", True)),
        "fields": _names(body, "fields", 1, 32),
        "sparse": bool(body.get("sparse", False)),
        "type": "persistent" if version >= (3, 12, 0) or kind == "rocksdb" else kind,
        "unique": bool(body.get("unique", False)),
    }
    if body.get("storedValues"):
        values["storedValues"] = _names(body, "storedValues", 1, 32)
    return values


def _ttl(body: Mapping[str, Any], version: Version) -> Definition:
    expire = body.get("expireAfter")
    _require(isinstance(expire, int | float) and not isinstance(expire, bool) and expire >= 0, "expireAfter invalid")
    values: Definition = {"expireAfter": expire, "fields": _names(body, "fields", 1, 1), "sparse": True}
    values |= {"type": "ttl", "unique": False}
    if version >= (3, 10, 0):
        values["estimates"] = False
    return values


def _geo(body: Mapping[str, Any], kind: str, version: Version) -> Definition:
    most = 1 if kind == "geo1" else 2
    fields = _names(body, "fields", 2 if kind == "geo2" else 1, most)
    values: Definition = {"bestIndexedLevel": 17, "fields": fields, "geoJson": bool(body.get("geoJson", False))}
    if version >= (3, 10, 0):
        values["legacyPolygons"] = bool(body.get("legacyPolygons", False))
    values |= {"maxNumCoverCells": 8, "sparse": True, "type": "geo", "unique": False, "worstIndexedLevel": 4}
    return values


def _mdi(body: Mapping[str, Any], kind: str, version: Version) -> Definition:
    modern = version >= (3, 12, 0)
    _require(modern or kind == "zkd", "invalid index type")
    _require(body.get("fieldValueTypes") == "double", "fieldValueTypes must be 'double'")
    values: Definition = {"fieldValueTypes": "double", "fields": _names(body, "fields", 1, 32)}
    prefixed = kind == "mdi-prefixed"
    if prefixed:
        values["prefixFields"] = _names(body, "prefixFields", 1, 32)
    if modern:
        values["estimates"] = bool(body.get("estimates", prefixed))
    values |= {"sparse": bool(body.get("sparse", False)), "unique": bool(body.get("unique", False))}
    return {**values, "type": "mdi" if modern and kind == "zkd" else kind}


def _inverted(body: Mapping[str, Any], version: Version) -> Definition:
    fields = body.get("fields", [])
    _require(isinstance(fields, list) and (bool(fields) or bool(body.get("includeAllFields"))), "fields are required")
    values = {name: body.get(name, default) for name, default in _INVERTED_OPTIONS.items()}
    values |= {name: body.get(name, default) for name, default in consolidation(version).items()}
    values["fields"] = [_inverted_field(field, values) for field in fields]
    values |= {"sparse": True, "type": "inverted", "unique": False, "version": 1}
    values["writebufferIdle"] = body.get("writebufferIdle", 64)
    if version >= (3, 12, 0):
        values["optimizeTopK"] = body.get("optimizeTopK", [])
    return values


def _inverted_field(field: object, defaults: Definition) -> Definition:
    if isinstance(field, str):
        return {"name": field}
    _require(isinstance(field, dict) and isinstance(field.get("name"), str), "invalid field of an inverted index")
    values: Definition = dict(field)  # type: ignore[call-overload]
    analyzer = values.get("analyzer", defaults["analyzer"])
    if "analyzer" in values and "features" not in values:
        features = ["frequency", "norm"] if analyzer == "identity" else ["frequency", "position", "norm"]
        values = {"features": features, **values}
    return values


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether an index that is asked for exists already: names do not count."""
    return all(one.get(name) == other.get(name) for name in _SAME)


def shown(definition: Mapping[str, Any], collection: str) -> Definition:
    """A definition as `/_api/index` prints it: attributes in the order of their names."""
    values = {**definition, "id": f"{collection}/{definition['id']}"}
    if definition["type"] in ("persistent", "hash", "skiplist", "mdi-prefixed") and definition.get("estimates", True):
        values["selectivityEstimate"] = 1
    return dict(sorted(values.items()))


def builtin(kind: int) -> list[Definition]:
    """The primary index, and the edge index of an edge collection."""
    primary = {"id": "0", "fields": ["_key"], "name": "primary", "sparse": False, "type": "primary", "unique": True}
    edge = {"id": "1", "fields": ["_from", "_to"], "name": "edge", "sparse": False, "type": "edge", "unique": False}
    estimate = {"selectivityEstimate": 1}
    return [{**primary, **estimate}, {**edge, **estimate}] if kind == 3 else [{**primary, **estimate}]
