# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A collection: its properties as each kind of server prints them, shards, keys, indexes (facts §3.2 to §3.4)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests.testbed import keygen
from tests.testbed.errors import ArangoError
from tests.testbed.storage import Shard, Transaction
from tests.testbed.wal_markers import TRUNCATE

if TYPE_CHECKING:
    from tests.testbed.model import Database, Deployment

DOCUMENT, EDGE = 2, 3
_MAX_SHARDS = 1000
_DEFAULTS: dict[str, Any] = {
    "waitForSync": False,
    "usesRevisionsAsDocumentIds": True,
    "syncByRevision": True,
    "schema": None,
    "cacheEnabled": False,
    "computedValues": None,
    "internalValidatorType": 0,
    "isSmart": False,
    "isSmartChild": False,
    "isDisjoint": False,
    "shardingStrategy": "hash",
}
_EVERYWHERE = [
    "waitForSync",
    "usesRevisionsAsDocumentIds",
    "syncByRevision",
    "schema",
    "cacheEnabled",
    "computedValues",
    "internalValidatorType",
    "isSmartChild",
    "writeConcern",
]
CHANGEABLE = ("waitForSync", "cacheEnabled", "schema", "computedValues", "replicationFactor", "writeConcern")
ON_DROP: list[Callable[[Database, str], None]] = []  # what else knows collections by name
_OPTIONAL = ("smartGraphAttribute", "smartJoinAttribute")


class Collection:
    """One collection and its shards."""

    def __init__(self, database: Database, wishes: Mapping[str, Any]) -> None:
        deployment = database.deployment
        self.database = database
        self.name: str = wishes["name"]
        self.type: int = wishes.get("type", DOCUMENT)
        self.is_system = bool(wishes.get("isSystem", False))
        self.id = deployment.new_id()
        defaults = {**_DEFAULTS, "writeConcern": database.write_concern}
        self.properties = {name: wishes.get(name, default) for name, default in defaults.items()}
        for name in _OPTIONAL:
            if wishes.get(name) is not None:
                self.properties[name] = wishes[name]
        self.shard_keys: list[str] = list(wishes.get("shardKeys") or ["_key"])
        self.prototype: Collection | None = wishes.get("prototype")
        self.replication_factor: int | str = wishes.get("replicationFactor") or database.replication_factor
        self.keys = keygen.make(wishes.get("keyOptions") or {})
        self.indexes: list[dict[str, Any]] = []  # beyond primary and edge; kept by the index API
        self.unique_indexes: list[dict[str, Any]] = []
        self.parts: list[Collection] = []  # the hidden collections behind one of smart edges
        number = int(wishes.get("numberOfShards") or 1)
        self.shards = [] if self.has_parts else self._make_shards(number)
        for shard in self.shards:
            shard.create()

    @property
    def deployment(self) -> Deployment:
        """The cluster it is in."""
        return self.database.deployment

    @property
    def guid(self) -> str:
        """`globallyUniqueId` as the coordinator or the single server shows it (facts §5.6)."""
        if self.deployment.clustered:
            return f"c{self.id}/"
        if self.is_system:
            return self.name
        return f"h{int(self.deployment.data_servers[0].replication_id):X}/{self.id}"

    @property
    def has_parts(self) -> bool:
        """Whether its documents are in hidden collections: smart edges in a cluster (facts §3.3)."""
        own = self.properties
        return self.deployment.clustered and self.type == EDGE and own["isSmart"] and not own["isSmartChild"]

    @property
    def placed_shards(self) -> list[Shard]:
        """The shards that belong to it, those of its hidden collections included."""
        return [shard for part in self.parts for shard in part.shards] if self.has_parts else self.shards

    def _shown_number(self) -> int:
        """`numberOfShards`; that of smart edges is 0 before 3.11 (facts §10)."""
        if not self.has_parts:
            return len(self.shards)
        return len(self.parts[0].shards) if self.parts and self.deployment.version_tuple >= (3, 11, 0) else 0

    @property
    def by_revision(self) -> bool:
        """Whether revisions identify documents in storage, so that equal ones clash."""
        options = self.deployment.options
        return bool(self.properties["usesRevisionsAsDocumentIds"]) and options.nasty and not options.reads(15, "kept")

    @property
    def sharded_by_key(self) -> bool:
        """Whether `_key` alone says in which shard a document is."""
        return self.shard_keys == ["_key"]

    @property
    def tracks_keys(self) -> bool:
        """Whether given keys move the generator on; with several shards it knows only the agency's ids (facts §3.4)."""
        return len(self.shards) == 1 or self.deployment.options.reads(19, "observant")

    def _make_shards(self, number: int) -> list[Shard]:
        deployment = self.deployment
        if not deployment.clustered:
            return [Shard(self.name, self.guid, self, deployment.data_servers)]
        if self.prototype is not None:
            placements = [[shard.replicas[name].server for name in shard.servers] for shard in self.prototype.shards]
            self.replication_factor = self.prototype.replication_factor
        else:
            factor = len(deployment.data_servers) if self.satellite else int(self.replication_factor)
            placements = [deployment.choose_servers(factor) for _ in range(1 if self.satellite else number)]
        names = [f"s{deployment.new_id()}" for _ in placements]
        prefix = "" if deployment.options.reads(2, "plain-guids") else f"c{self.id}/"
        return [Shard(name, prefix + name, self, servers) for name, servers in zip(names, placements, strict=True)]

    @property
    def satellite(self) -> bool:
        """Whether every DB-Server has a copy."""
        return self.replication_factor == "satellite"

    def local_definition(self, shard: Shard) -> dict[str, Any]:
        """The definition of a shard as its server knows it."""
        return {**self.describe(), "id": self.id, "planId": self.id, "name": shard.name, "globallyUniqueId": shard.guid}

    def head(self) -> dict[str, Any]:
        """The short description of lists."""
        values: dict[str, Any] = {"id": self.id, "name": self.name, "status": 3, "type": self.type}
        if self.deployment.version_tuple >= (4, 0, 0):
            del values["status"]
        return {**values, "isSystem": self.is_system, "globallyUniqueId": self.guid}

    def describe(self) -> dict[str, Any]:
        """Properties as this kind of deployment prints them (facts §3.3, recordings)."""
        version = self.deployment.version_tuple
        own = self.properties
        values: dict[str, Any] = {name: own[name] for name in _EVERYWHERE}
        values |= {"id": self.id, "name": self.name, "type": self.type, "isSystem": self.is_system}
        values |= {
            "globallyUniqueId": self.guid,
            "keyOptions": self.keys.describe(show_last=not self.deployment.clustered),
        }
        if version < (4, 0, 0):
            values |= {"status": 3, "statusString": "loaded"}
        if version >= (3, 12, 10):
            values["supportsRBAC"] = True
        if not self.deployment.clustered:
            values["objectId"] = str(int(self.id) + 1)
            return values
        values |= {"numberOfShards": self._shown_number(), "replicationFactor": self.replication_factor}
        values |= {name: own[name] for name in ("shardingStrategy", "isSmart", "isDisjoint")}
        values["shardKeys"] = self.shard_keys
        if version < (4, 0, 0):
            values["minReplicationFactor"] = own["writeConcern"]
        if self.prototype is not None:
            values["distributeShardsLike"] = self.prototype.name
        return values | {name: own[name] for name in _OPTIONAL if name in own}

    def shard_of(self, document: Mapping[str, Any], key: str) -> Shard:
        """The shard that a document with these shard key values belongs to."""
        if len(self.shards) == 1:
            return self.shards[0]
        if self.shard_keys == ["_key"]:
            return self.shards[zlib.crc32(key.encode()) % len(self.shards)]
        text = json.dumps(self.shard_key_values(document, key), sort_keys=True, separators=(",", ":"))
        return self.shards[zlib.crc32(text.encode()) % len(self.shards)]

    def shard_key_values(self, document: Mapping[str, Any], key: str) -> list[Any]:
        """What decides in which shard a document is; a missing attribute counts as null."""
        return [key if name == "_key" else _attribute(document, name) for name in self.shard_keys]

    def shards_for_key(self, key: str) -> list[Shard]:
        """Where a key can be when nothing but the key is known."""
        if self.sharded_by_key or len(self.shards) == 1:
            return [self.shard_of({}, key)]
        return self.shards

    def count(self) -> int:
        """Number of documents."""
        return sum(len(shard) for shard in self.shards)

    def truncate(self, *, alone: bool = True) -> None:
        """Remove all documents: by range where a shard is large enough, else one by one in a frame (facts §5.5)."""
        for shard in self.shards:
            if alone and len(shard) >= self.deployment.options.truncate_threshold:
                self._truncate_range(shard)
                continue
            transaction = Transaction(self.database)
            writer = transaction.writer(shard)
            for key, place in list(shard.leader.keys.items()):
                writer.remove(key, place.partition("\0")[0])
            transaction.commit()
            shard.unique.clear()

    def _truncate_range(self, shard: Shard) -> None:
        shard.unique.clear()
        for replica in shard.replicas.values():
            replica.clear()
        shard.log(TRUNCATE)

    def rename(self, name: str) -> None:
        """Give the collection another name (single servers only)."""
        del self.database.collections[self.name]
        self.name = name
        self.database.collections[name] = self

    def drop(self) -> None:
        """Take the collection away; errorNum 1485 while others are distributed like it."""
        others = self.database.collections.values()
        if any(other.prototype is self for other in others) and not self.is_system:
            raise ArangoError(1485)
        self.database.collections.pop(self.name, None)
        for part in self.parts:
            part.drop()
        for shard in self.shards:
            shard.drop()
        for forget in ON_DROP:
            forget(self.database, self.name)


def _attribute(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def check_shards(number: int) -> None:
    """errorNum 1450 for more shards than a cluster allows (`--cluster.max-number-of-shards`)."""
    if number > _MAX_SHARDS:
        raise ArangoError(1450)


def system_collections(deployment: Deployment, database: Database) -> Iterator[dict[str, Any]]:
    """Properties of the system collections of a new database, the one that the others are distributed like first."""
    names = ["_graphs", "_analyzers"]
    if deployment.version_tuple < (4, 0, 0):
        names += ["_aqlfunctions", "_apps", "_appbundles", "_frontend", "_jobs", "_queues"]
    if database.name == "_system":
        names.insert(0, "_users")
        if deployment.version_tuple < (4, 0, 0):
            names += ["_statistics", "_statistics15", "_statisticsRaw", "_routing"]
        if deployment.version_tuple < (3, 12, 0):
            names.append("_pregel_queries")
    factor = min(2, len(deployment.data_servers))
    first = names[0]
    for name in names:
        prototype = None if name == first or not deployment.clustered else database.collections[first]
        yield {"name": name, "isSystem": True, "replicationFactor": factor, "prototype": prototype}
