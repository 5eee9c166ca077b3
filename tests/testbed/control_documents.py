# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Silent damage to single documents: on every replica, and in no log. What a comparison has to find."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.testbed import hlc
from tests.testbed.api.revisions import DAMAGE
from tests.testbed.collection import Collection
from tests.testbed.control_api import action, server_named, shard_named
from tests.testbed.errors import ArangoError
from tests.testbed.replica import Version
from tests.testbed.storage import Shard
from tests.testbed.supervision import rebuild_unique

if TYPE_CHECKING:
    from tests.testbed.cluster import Cluster

_OWN = ("_key", "_id", "_from", "_to", "_rev")


def _collection(cluster: Cluster, spec: dict[str, Any]) -> Collection:
    return cluster.deployment.database(spec["database"]).collection(spec["collection"])


def _found(cluster: Cluster, spec: dict[str, Any]) -> tuple[Shard, Version]:
    for shard in _collection(cluster, spec).shards_for_key(spec["key"]):
        version = shard.leader.get(spec["key"])
        if version is not None:
            return shard, version
    raise ArangoError(1202)


def _raw(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _put(shard: Shard, key: str, revision: str, raw: bytes) -> str:
    for replica in shard.replicas.values():
        replica.put(key, revision, raw)
    rebuild_unique(shard)
    return revision


@action("alter_document")
def alter(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Other content (`body`) under an unchanged revision."""
    shard, (revision, raw) = _found(cluster, spec)
    before = json.loads(raw)
    kept = {name: before[name] for name in _OWN if name in before}
    return _put(shard, spec["key"], revision, _raw({**kept, **spec["body"]}))


@action("damage_tree")
def damage_tree(cluster: Cluster, spec: dict[str, Any]) -> object:
    """The stored revision tree of a `shard` on a `server` (its leader) is wrong until it is rebuilt."""
    shard = shard_named(cluster.deployment, spec)
    name = server_named(cluster.deployment, spec["server"]).id if "server" in spec else shard.servers[0]
    cluster.deployment.objects.setdefault(DAMAGE, {})[(name, shard.name)] = 1
    return name


@action("drop_document")
def drop(cluster: Cluster, spec: dict[str, Any]) -> object:
    """The document is gone."""
    shard, (revision, _raw_document) = _found(cluster, spec)
    for replica in shard.replicas.values():
        replica.remove(spec["key"])
    rebuild_unique(shard)
    return revision


@action("add_document")
def add(cluster: Cluster, spec: dict[str, Any]) -> object:
    """A document (`key`, `body`) that nobody wrote."""
    collection = _collection(cluster, spec)
    key, body = str(spec["key"]), dict(spec.get("body") or {})
    shard = collection.shard_of(body, key)
    revision = shard.leader.server.clock.tick_text()
    head = {"_key": key, "_id": f"{collection.name}/{key}"}
    ends = {name: body.pop(name) for name in ("_from", "_to") if name in body}
    return _put(shard, key, revision, _raw({**head, **ends, "_rev": revision, **body}))


@action("revert_document")
def revert(cluster: Cluster, spec: dict[str, Any]) -> object:
    """The document is as an earlier write left it: the last one but `steps` (1) that the leader's log still has."""
    shard, (revision, raw) = _found(cluster, spec)
    steps = int(spec.get("steps", 1))
    earlier = [entry for entry in shard.leader.server.log.writes(shard.guid, spec["key"]) if entry != raw]
    if len(earlier) < steps:
        raise ArangoError(400, f"the log of {shard.name} has no earlier version of {spec['key']}")
    old = earlier[-steps]
    former = str(json.loads(old)["_rev"])
    if hlc.decode(former) > hlc.decode(revision):
        raise ArangoError(400, "the log's version is newer")
    return _put(shard, spec["key"], former, old)
