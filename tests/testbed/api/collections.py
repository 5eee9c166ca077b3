# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Creating, changing, emptying and dropping collections (facts §3.3, §5.5)."""

from __future__ import annotations

import re
from typing import Any

from tests.testbed import document_rules, keygen, views
from tests.testbed.api.collection_info import named
from tests.testbed.collection import CHANGEABLE, ON_DROP, Collection, check_shards
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, result
from tests.testbed.model import Database, Deployment
from tests.testbed.rights import may_define, may_write
from tests.testbed.routing import route
from tests.testbed.wal_markers import COLLECTION_CHANGE, COLLECTION_RENAME

_TRADITIONAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,255}\Z")
_EXTENDED = re.compile(r"[^\x00-\x1f/\s0-9][^\x00-\x1f/]{0,255}\Z")
_EXPECTED = "expected PUT /_api/collection/<collection-name>/<action>"
_COPIED = [
    "type",
    "writeConcern",
    "waitForSync",
    "usesRevisionsAsDocumentIds",
    "syncByRevision",
    "schema",
    "cacheEnabled",
    "computedValues",
    "isSmart",
    "isSmartChild",
    "isDisjoint",
    "shardKeys",
    "replicationFactor",
    "keyOptions",
    "numberOfShards",
    "smartGraphAttribute",
    "smartJoinAttribute",
    "isSystem",
    "shardingStrategy",
    "internalValidatorType",
]
SMART_PARTS = ("_local_", "_from_", "_to_")
ON_DROP.append(views.forget_collection)


def valid_name(name: object, deployment: Deployment, *, system: bool) -> bool:
    """Whether a collection may be called so (facts §10: extended names)."""
    pattern = _EXTENDED if deployment.extended_names and deployment.version_tuple >= (3, 11, 0) else _TRADITIONAL
    return isinstance(name, str) and pattern.match(name) is not None and (system or not name.startswith("_"))


def create_collection(database: Database, body: dict[str, Any], *, restoring: bool = False) -> Collection:
    """Create a collection from its description; errorNum 1207, 1208, 1218, 1450, 1486 and bad parameters.

    `restoring` allows names that start with an underscore and takes `isSystem` from them.
    """
    deployment = database.deployment
    name = body.get("name")
    system = restoring or bool(body.get("isSystem"))
    if not valid_name(name, deployment, system=system):
        raise ArangoError(1208)
    if name in database.collections or name in database.objects.get("views", {}):
        raise ArangoError(1207)
    wishes = {field: body[field] for field in _COPIED if body.get(field) is not None}
    wishes["name"] = name
    if wishes.get("type", 2) not in (2, 3):
        raise ArangoError(1218)
    if "minReplicationFactor" in body and "writeConcern" not in wishes:
        wishes["writeConcern"] = body["minReplicationFactor"]
    document_rules.check(wishes)
    if deployment.version_tuple >= (3, 12, 0):
        keygen.check_options(wishes.get("keyOptions") or {})
    if deployment.clustered:
        _check_layout(database, wishes, body.get("distributeShardsLike"))
    collection = Collection(database, wishes)
    database.collections[collection.name] = collection
    if collection.has_parts:
        for prefix in SMART_PARTS:
            part = {**body, "name": prefix + collection.name, "isSmartChild": True, "isSystem": True}
            collection.parts.append(create_collection(database, part, restoring=True))
    return collection


def _check_layout(database: Database, wishes: dict[str, Any], prototype: object) -> None:
    deployment = database.deployment
    servers = len(deployment.data_servers)
    if prototype:
        wishes["prototype"] = database.collections.get(str(prototype))
        if wishes["prototype"] is None:
            raise ArangoError(1486, f"Collection not found: {prototype} in database {database.name}")
        if wishes["prototype"].has_parts:
            wishes["prototype"] = wishes["prototype"].parts[0]
        wishes.pop("numberOfShards", None)
    elif database.sharding == "single" and not wishes["name"].startswith("_"):
        wishes |= {"numberOfShards": 1, "prototype": database.collections["_graphs"]}
    factor = wishes.get("replicationFactor", database.replication_factor)
    if factor != "satellite":
        if not isinstance(factor, int) or isinstance(factor, bool) or factor < 1:
            raise ArangoError(10, "invalid value for replicationFactor")
        if factor > servers:
            raise ArangoError(1462 if deployment.version_tuple < (3, 11, 0) else 10, "replicationFactor too high")
        if int(wishes.get("writeConcern", 1)) > factor:
            raise ArangoError(10, "writeConcern must not exceed replicationFactor")
    number = wishes.get("numberOfShards", 1)
    if not isinstance(number, int) or number < 1:
        raise ArangoError(10, "invalid number of shards")
    check_shards(number)
    if (wishes.get("keyOptions") or {}).get("type") == "autoincrement" and number > 1:
        raise ArangoError(1470, "autoincrement needs a collection with one shard")
    keys = wishes.get("shardKeys", ["_key"])
    if not isinstance(keys, list) or not 1 <= len(keys) <= 8 or not all(isinstance(key, str) and key for key in keys):
        raise ArangoError(10, "invalid shardKeys")


@route("POST", "/_api/collection")
def create(request: Request) -> Response:
    """Create a collection and answer its properties."""
    may_define(request)
    body = request.json_object()
    if "name" not in body:
        raise ArangoError(1208)
    collection = create_collection(request.database, body)
    request.deployment.authenticator.collection_created(request.database_name, collection.name, request.caller)
    return result(**collection.describe())


def _head_answer(request: Request, collection: Collection) -> Response:
    """The short answer of actions on a collection."""
    return result(200, {"location": request.location}, **collection.head())


@route("DELETE", "/_api/collection/{name}")
def drop(request: Request) -> Response:
    """Drop a collection; system collections only with `isSystem`."""
    collection = named(request)
    may_define(request)
    if collection.is_system and not request.flag("isSystem"):
        raise ArangoError(11)
    collection.drop()
    request.deployment.authenticator.collection_dropped(request.database_name, collection.name)
    return result(id=collection.id)


@route("PUT", "/_api/collection/{name}/truncate")
def truncate(request: Request) -> Response:
    """Remove all documents."""
    collection = named(request)
    may_write(request, collection)
    collection.truncate()
    return _head_answer(request, collection)


@route("PUT", "/_api/collection/{name}/properties")
def change(request: Request) -> Response:
    """Change what may be changed; other names are ignored."""
    collection = named(request)
    may_define(request)
    body = request.json_object()
    if "minReplicationFactor" in body and "writeConcern" not in body:
        body["writeConcern"] = body["minReplicationFactor"]
    document_rules.check(body)
    change_properties(collection, {name: body[name] for name in CHANGEABLE if name in body})
    return result(200, {"location": request.location}, **collection.describe())


def change_properties(collection: Collection, values: dict[str, Any]) -> None:
    """Apply changed properties; more or fewer replicas are placed at once."""
    deployment = collection.deployment
    factor = values.pop("replicationFactor", None)
    collection.properties.update(values)
    if deployment.clustered and isinstance(factor, int) and factor != collection.replication_factor:
        if not 1 <= factor <= len(deployment.data_servers):
            raise ArangoError(10, "invalid value for replicationFactor")
        collection.replication_factor = factor
        for shard in collection.shards:
            kept = [shard.replicas[name].server for name in shard.servers][:factor]
            others = [server for server in deployment.data_servers if server not in kept]
            shard.place(kept + others[: factor - len(kept)])
        _place_alike(collection)
    for shard in collection.shards:
        shard.log(COLLECTION_CHANGE, collection.local_definition(shard))


def _place_alike(prototype: Collection) -> None:
    """What is distributed like a collection goes where that one is now."""
    for other in prototype.database.collections.values():
        if other.prototype is prototype:
            other.replication_factor = prototype.replication_factor
            for shard, model in zip(other.shards, prototype.shards, strict=True):
                shard.place([model.replicas[name].server for name in model.servers])


@route("PUT", "/_api/collection/{name}/rename")
def rename(request: Request) -> Response:
    """Rename; not available in clusters."""
    collection = named(request)
    may_define(request)
    if request.deployment.clustered:
        raise ArangoError(1470)
    name = request.json_object().get("name")
    if not valid_name(name, request.deployment, system=collection.is_system):
        raise ArangoError(1208)
    if name in request.database.collections:
        raise ArangoError(1207)
    collection.rename(str(name))
    for shard in collection.shards:
        shard.log(COLLECTION_RENAME, {"name": name})
    return _head_answer(request, collection)


@route("PUT", "/_api/collection")
def no_action(_request: Request) -> Response:
    """Neither a collection nor an action."""
    raise ArangoError(400, _EXPECTED)


@route("PUT", "/_api/collection/{name}/{action}")
def other_action(request: Request) -> Response:
    """Actions without an effect here: load, unload, compact and the like."""
    collection = named(request)
    name = request.params["action"]
    if name == "loadIndexesIntoMemory":
        return result(200, {"location": request.location}, result=True)
    if name not in ("load", "unload", "compact", "recalculateCount"):
        raise ArangoError(400, _EXPECTED)
    answer: dict[str, Any] = {"result": True}
    if name != "recalculateCount":
        answer = collection.head()
    body = request.json()
    counted = not isinstance(body, dict) or body.get("count") is not False
    if (name == "load" and counted) or (name == "recalculateCount" and not request.deployment.clustered):
        answer["count"] = collection.count()
    return result(200, {"location": request.location}, **answer)
