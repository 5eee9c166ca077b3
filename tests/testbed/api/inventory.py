# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`clusterInventory`: the definitions of one database (facts §3.2)."""

from __future__ import annotations

from typing import Any

from tests.testbed import indexes, views
from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply
from tests.testbed.routing import EVERYWHERE, route
from tests.testbed.storage import Shard

_LEFT_OUT = ("statusString", "supportsRBAC")


@route("GET", "/_api/replication/clusterInventory", level="any", on=EVERYWHERE)
def cluster_inventory(request: Request) -> Response:
    """Collections, indexes and views; a caller who isn't admin sees what he may read."""
    if request.server.role != "coordinator":
        raise ArangoError(1471)
    database = request.database
    with_system = request.flag("includeSystem", True)
    collections = [
        entry(collection)
        for collection in database.collections.values()
        if (with_system or not collection.is_system) and _readable(request, collection)
    ]
    return reply(
        {
            "properties": database.describe(),
            "collections": collections,
            "views": list(views.views(database).values()),
            "tick": str(request.server.unique_id()),
            "state": "unused",
        }
    )


def _readable(request: Request, collection: Collection) -> bool:
    authenticator = request.deployment.authenticator
    caller = request.caller
    if authenticator.database_level(caller, "_system") == "rw":
        return True
    return authenticator.collection_level(caller, collection.database.name, collection.name) != "none"


def entry(collection: Collection) -> dict[str, Any]:
    """One collection of the inventory; `isReady` and `allInSync` say whether its servers are as planned."""
    parameters = {name: value for name, value in collection.describe().items() if name not in _LEFT_OUT}
    parameters |= {"planId": collection.id, "deleted": False}
    parameters["shards"] = {shard.name: shard.servers for shard in collection.placed_shards}
    if collection.parts:
        parameters["shadowCollections"] = [part.id for part in collection.parts]
    return {
        "parameters": parameters,
        "indexes": indexes.visible(collection),
        "planVersion": 1,
        "isReady": all(_leads(shard) for shard in collection.shards),
        "allInSync": all(_in_sync(shard) for shard in collection.shards),
    }


def _leads(shard: Shard) -> bool:
    return shard.leader.server.running


def _in_sync(shard: Shard) -> bool:
    return not shard.lagging and all(replica.server.running for replica in shard.replicas.values())
