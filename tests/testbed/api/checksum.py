# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checksums of collections and shards (facts §6)."""

from __future__ import annotations

import asyncio
import time

from tests.testbed import hlc
from tests.testbed.api.collection_info import local_shard, named
from tests.testbed.checksums import RATE, hashes
from tests.testbed.collection import Collection
from tests.testbed.message import Request, Response, result
from tests.testbed.replica import Replica
from tests.testbed.rights import may_read
from tests.testbed.routing import FRONT, route


async def _total(request: Request, collection: Collection, replicas: dict[str, Replica]) -> str:
    """Checksum over one replica of each shard, in the time that a server takes for so many documents."""
    mode = (request.flag("withRevisions"), request.flag("withData"))
    deployment = collection.deployment
    begun = time.monotonic()
    total = count = 0
    for name, replica in replicas.items():
        count += len(replica.docs)
        total ^= await hashes(collection, name, mode).total(replica.docs)
    await asyncio.sleep(max(0.0, deployment.scaled(count / RATE) - (time.monotonic() - begun)))
    return str(total)


def _newest(replicas: dict[str, Replica]) -> str:
    revisions = (place.partition("\0")[0] for replica in replicas.values() for place in replica.docs)
    return max(revisions, key=hlc.sort_key, default="0")


@route("GET", "/_api/collection/{name}/checksum", on=FRONT)
async def checksum(request: Request) -> Response:
    """Of a whole collection; not a snapshot, so only meaningful when nothing is written (facts §6)."""
    collection = named(request)
    may_read(request, collection)
    replicas = {shard.name: shard.leader for shard in collection.shards}
    total = await _total(request, collection, replicas)
    return result(200, {"location": request.location}, **collection.head(), revision=_newest(replicas), checksum=total)


@route("GET", "/_api/collection/{name}/checksum", on=("dbserver",))
async def shard_checksum(request: Request) -> Response:
    """Of one shard's local replica (derived, facts §6)."""
    shard = local_shard(request, request.params["name"])
    collection = shard.collection
    replicas = {shard.name: shard.replicas[request.server.id]}
    total = await _total(request, collection, replicas)
    head = {**collection.head(), "name": shard.name, "globallyUniqueId": shard.guid}
    return result(**head, revision=_newest(replicas), checksum=total)
