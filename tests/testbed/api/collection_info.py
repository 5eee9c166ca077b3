# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading collections: lists, properties, counts, shards (facts §3.3, §6)."""

from __future__ import annotations

import asyncio

from tests.testbed import hlc
from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, result
from tests.testbed.rights import may_read
from tests.testbed.routing import route
from tests.testbed.storage import Shard

_RESOURCES = (
    "expecting one of the resources 'checksum', 'count', 'figures', 'properties', 'responsibleShard', 'revision',"
    " 'shards'"
)
_COUNT_SECONDS = 0.0002  # for each shard


def named(request: Request, *, planned: bool = False) -> Collection:
    """The collection of the path (`planned`: as the server's Plan has it); errorNum 1203, without the name in it."""
    find = request.database.planned if planned else request.database.collection
    try:
        return find(request.params["name"])
    except ArangoError as error:
        text = "collection not found" if request.deployment.clustered else None
        raise ArangoError(error.error_num, text) from error


def _readable(request: Request) -> Collection:
    collection = named(request, planned=True)
    may_read(request, collection)
    return collection


def _answer(request: Request, **fields: object) -> Response:
    return result(200, {"location": request.location}, **fields)


@route("GET", "/_api/collection")
def list_collections(request: Request) -> Response:
    """The collections that the caller may read."""
    authenticator, caller = request.deployment.authenticator, request.caller
    name, without_system = request.database_name, request.flag("excludeSystem")
    entries = [
        entry.head()
        for entry in request.database.collections.values()
        if not (without_system and entry.is_system)
        and authenticator.collection_level(caller, name, entry.name) != "none"
    ]
    return result(result=entries)


def local_shards(request: Request) -> list[Shard]:
    """The shards of a database that a DB-Server holds, leader or follower."""
    database = request.database
    return [shard for shard in request.server.shards.values() if shard.collection.database is database]


@route("GET", "/_api/collection", on=("dbserver",))
def list_shards(request: Request) -> Response:
    """On a DB-Server the list shows shards (facts §3.3)."""
    return result(result=[_local_head(shard) for shard in local_shards(request)])


def _local_head(shard: Shard) -> dict[str, object]:
    return {**shard.collection.head(), "name": shard.name, "globallyUniqueId": shard.guid}


def local_shard(request: Request, name: str) -> Shard:
    """A shard that this DB-Server holds in the database of the path; errorNum 1203."""
    shard = request.server.shards.get(name)
    if shard is None or shard.collection.database is not request.database:
        raise ArangoError(1203, f"collection or view not found: {name}")
    return shard


@route("GET", "/_api/collection/{name}/count", on=("dbserver",))
def shard_count(request: Request) -> Response:
    """Documents of the local replica."""
    shard = local_shard(request, request.params["name"])
    replica = shard.replicas[request.server.id]
    return result(**_local_head(shard), count=len(replica.keys))


@route("GET", "/_api/collection/{name}/properties", on=("dbserver",))
def shard_properties(request: Request) -> Response:
    """Properties of a shard."""
    shard = local_shard(request, request.params["name"])
    return result(**shard.collection.local_definition(shard))


@route("GET", "/_api/collection/{name}")
def head(request: Request) -> Response:
    """The short description."""
    return result(**_readable(request).head())


@route("GET", "/_api/collection/{name}/properties")
def properties(request: Request) -> Response:
    """All properties."""
    collection = _readable(request)
    return _answer(request, **collection.describe())


@route("GET", "/_api/collection/{name}/count")
async def count(request: Request) -> Response:
    """Number of documents; with `details` by shard. One shard is asked after the other: it is no snapshot."""
    collection = _readable(request)
    counts: dict[str, int] = {}
    for shard in collection.shards:
        await asyncio.sleep(request.deployment.scaled(_COUNT_SECONDS))
        counts[shard.name] = len(shard)
    number = counts if request.flag("details") and request.deployment.clustered else sum(counts.values())
    return _answer(request, **collection.describe(), count=number)


@route("GET", "/_api/collection/{name}/{action}")
def unknown_resource(request: Request) -> Response:
    """What a collection has not."""
    _readable(request)
    raise ArangoError(404, _RESOURCES)


@route("GET", "/_api/key-generators")
def key_generators(_request: Request) -> Response:
    """The kinds of key generators."""
    return result(keyGenerators=["autoincrement", "padded", "traditional", "uuid"])


@route("GET", "/_api/collection/{name}/figures")
def figures(request: Request) -> Response:
    """Sizes; those of documents are exact, those of indexes rough."""
    collection = _readable(request)
    documents = sum(len(raw) for shard in collection.shards for raw in shard.leader.docs.values())
    entries = 1 + (1 if collection.type == 3 else 0) + len(collection.indexes)
    values: dict[str, object] = {
        "indexes": {"count": entries, "size": entries * collection.count() * 48},
        "documentsSize": documents,
        "cacheInUse": False,
        "cacheSize": 0,
        "cacheUsage": 0,
    }
    if request.flag("details"):
        listed = [{"type": "primary", "id": 0, "count": collection.count()}]
        values["engine"] = {"documents": collection.count(), "indexes": listed}
    return _answer(request, figures=values, **collection.describe(), count=collection.count())


@route("GET", "/_api/collection/{name}/revision")
def revision(request: Request) -> Response:
    """The largest revision."""
    collection = _readable(request)
    return _answer(request, **collection.describe(), revision=newest(collection))


def newest(collection: Collection) -> str:
    """The largest revision of a collection's documents; `0` when it is empty."""
    places = (place.partition("\0")[0] for shard in collection.shards for place in shard.leader.docs)
    return max(places, key=hlc.decode, default="0")


@route("GET", "/_api/collection/{name}/shards")
def shards(request: Request) -> Response:
    """Names of the shards; with `details` their servers, leader first, and all properties."""
    collection = _readable(request)
    if not request.deployment.clustered:
        raise ArangoError(501, "shards API is only available in a cluster")
    if not request.flag("details"):
        names = [shard.name for shard in collection.placed_shards]
        return _answer(request, **collection.describe(), shards=names)
    placed = {shard.name: shard.servers for shard in collection.placed_shards}
    return _answer(request, shards=placed, **collection.describe())


@route("PUT", "/_api/collection/{name}/responsibleShard", on=("coordinator",))
def responsible_shard(request: Request) -> Response:
    """The shard of a document with these shard key values."""
    collection = _readable(request)
    body = request.json()
    if isinstance(body, str):
        body = {"_key": body}
    if not isinstance(body, dict):
        raise ArangoError(10)
    if any(name not in body for name in collection.shard_keys) and len(collection.shards) > 1:
        raise ArangoError(1468, "not all sharding attributes given")
    shard = collection.shard_of(body, str(body.get("_key", "")))
    return _answer(request, shardId=shard.name)
