# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checksums of collections: independent of order and of sharding (facts §6).

Hashes of documents are kept as long as their bytes are the same, so that a second call costs little. Documents are
hashed in portions, between which other requests are answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import json

from tests.testbed import hlc
from tests.testbed.api.collection_info import local_shard
from tests.testbed.collection import Collection
from tests.testbed.message import Request, Response, result
from tests.testbed.rights import may_read
from tests.testbed.routing import FRONT, route
from tests.testbed.storage import Replica

_PORTION = 1000
_MASK = (1 << 64) - 1
Cache = dict[str, tuple[bytes, int]]


def _float(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


_SCAN = json.JSONDecoder(parse_float=_float).scan_once  # type: ignore[attr-defined]
_ENCODER = json.JSONEncoder(sort_keys=True, check_circular=False)
_NESTED = {dict, list}


def document_hash(raw: bytes, *, revisions: bool, data: bool, seed: int) -> int:
    """Hash of one document: its key, its revision if asked, its attributes if asked; 1 and 1.0 are the same.

    `_from` and `_to` are always included (facts §6); `seed` makes versions hash differently (facts §12.11).
    """
    document = _SCAN(raw.decode(), 0)[0]
    document.pop("_id", None)
    if not data:
        document = {name: document[name] for name in ("_key", "_rev", "_from", "_to") if name in document}
    if not revisions:
        document.pop("_rev", None)
    if _NESTED.isdisjoint(map(type, document.values())):
        text = repr(sorted(document.items()))
    else:
        text = _ENCODER.encode(document)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=b"%d" % seed).digest(), "big")


def _cache(collection: Collection, shard: str, mode: tuple[bool, bool]) -> Cache:
    store: dict[tuple[str, str, tuple[bool, bool]], Cache] = collection.deployment.objects.setdefault("checksums", {})
    return store.setdefault((collection.database.name, shard, mode), {})


async def replica_checksum(collection: Collection, shard: str, replica: Replica, mode: tuple[bool, bool]) -> int:
    """XOR over the documents of one replica."""
    cache = _cache(collection, shard, mode)
    seed = collection.deployment.options.checksum_seed
    revisions, data = mode
    total = fresh = 0
    for place, raw in list(replica.docs.items()):
        known = cache.get(place)
        if known is None or known[0] is not raw:
            known = cache[place] = (raw, document_hash(raw, revisions=revisions, data=data, seed=seed))
            fresh += 1
            if fresh % _PORTION == 0:
                await asyncio.sleep(0)
        total ^= known[1]
    if len(cache) > 2 * len(replica.docs) + _PORTION:
        for place in [place for place in cache if place not in replica.docs]:
            del cache[place]
    return total & _MASK


def _mode(request: Request) -> tuple[bool, bool]:
    return request.flag("withRevisions"), request.flag("withData")


def _newest(replicas: list[Replica]) -> str:
    revisions = (place.partition("\0")[0] for replica in replicas for place in replica.docs)
    return max(revisions, key=hlc.sort_key, default="0")


@route("GET", "/_api/collection/{name}/checksum", on=FRONT)
async def checksum(request: Request) -> Response:
    """Of a whole collection; not a snapshot, so only meaningful when nothing is written (facts §6)."""
    collection = request.database.collection(request.params["name"])
    may_read(request, collection)
    total = 0
    for shard in collection.shards:
        total ^= await replica_checksum(collection, shard.name, shard.leader, _mode(request))
    location = f"/_db/{collection.database.name}/_api/collection/{collection.name}/checksum"
    revision = _newest([shard.leader for shard in collection.shards])
    return result(200, {"location": location}, **collection.head(), revision=revision, checksum=str(total))


@route("GET", "/_api/collection/{name}/checksum", on=("dbserver",))
async def shard_checksum(request: Request) -> Response:
    """Of one shard's local replica (derived, facts §6)."""
    shard = local_shard(request, request.params["name"])
    collection = shard.collection
    replica = shard.replicas[request.server.id]
    total = await replica_checksum(collection, shard.name, replica, _mode(request))
    head = {**collection.head(), "name": shard.name, "globallyUniqueId": shard.guid}
    return result(**head, revision=_newest([replica]), checksum=str(total))
