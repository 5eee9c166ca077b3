# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The requests of the control listener (see control.py)."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

from tests.testbed.collection import Collection
from tests.testbed.control_answers import Answer
from tests.testbed.errors import ArangoError
from tests.testbed.message import TEXT, Request, Response, failure, reply
from tests.testbed.model import Deployment, Server
from tests.testbed.storage import Shard

if TYPE_CHECKING:
    from tests.testbed.cluster import Cluster

Action = Callable[["Cluster", dict[str, Any]], "object | Awaitable[object]"]
State = Callable[[Deployment, dict[str, str]], Response]
ACTIONS: dict[str, Action] = {}
STATES: dict[str, State] = {}


def action(kind: str) -> Callable[[Action], Action]:
    """Register what `POST /fault` of a kind does; the result is the answer's `result`."""

    def register(function: Action) -> Action:
        ACTIONS[kind] = function
        return function

    return register


def state(name: str) -> Callable[[State], State]:
    """Register what `GET /state/<name>` shows."""

    def register(function: State) -> State:
        STATES[name] = function
        return function

    return register


def dispatcher(cluster: Cluster, token: str) -> Callable[[Request], Answer | Awaitable[Answer]]:
    """The function that answers requests of the control listener."""

    async def answer(request: Request) -> Answer:
        try:
            if not hmac.compare_digest(request.headers.get("x-testbed-token", ""), token):
                raise ArangoError(401)
            return await _answer(cluster, request)
        except ArangoError as error:
            return failure(error)
        except (KeyError, TypeError, ValueError) as error:
            return failure(ArangoError(400, f"{type(error).__name__}: {error}"))

    return answer


async def _answer(cluster: Cluster, request: Request) -> Response:
    deployment = cluster.deployment
    path = request.path
    if request.method == "GET" and path.startswith("/state/") and path[7:] in STATES:
        return STATES[path[7:]](deployment, request.query)
    if path != "/fault":
        raise ArangoError(404)
    if request.method == "DELETE":
        deployment.faults.entries.clear()
        return reply({"error": False})
    spec = request.json_object()
    if spec.get("kind") in deployment.faults.kinds:
        return reply({"id": deployment.faults.add(spec)})
    if spec.get("kind") not in ACTIONS:
        raise ArangoError(400, f"unknown kind of fault: {spec.get('kind')}")
    outcome = ACTIONS[spec["kind"]](cluster, spec)
    return reply({"result": await outcome if isinstance(outcome, Awaitable) else outcome})


def server_named(deployment: Deployment, name: str) -> Server:
    """A server by id or short name."""
    for server in deployment.servers.values():
        if name in (server.id, server.short_name):
            return server
    raise ArangoError(404, f"no server {name}")


def shard_named(deployment: Deployment, spec: dict[str, Any]) -> Shard:
    """The shard that an order names by `database` and `shard`; errorNum 404."""
    for collection in deployment.database(spec["database"]).collections.values():
        for shard in collection.shards:
            if shard.name == spec["shard"]:
                return shard
    raise ArangoError(404, f"no shard {spec['shard']}")


def _collection(deployment: Deployment, query: dict[str, Any]) -> Collection:
    return deployment.database(query["database"]).collection(query["collection"])


@state("requests")
def _requests(deployment: Deployment, query: dict[str, str]) -> Response:
    return reply(dict(deployment.faults.requests))


@action("record")
def _record(cluster: Cluster, spec: dict[str, Any]) -> object:
    return cluster.deployment.faults.following.record(bool(spec.get("on", True)))


@state("recorded")
def _recorded(deployment: Deployment, query: dict[str, str]) -> Response:
    return reply(list(deployment.faults.following.recorded))


@state("faults")
def _faults(deployment: Deployment, query: dict[str, str]) -> Response:
    return reply(
        [
            {"id": fault.identifier, "kind": fault.kind, "acted": fault.acted, "remaining": fault.remaining}
            | {"pending": len(fault.pending)}
            for fault in deployment.faults.entries
        ]
    )


@state("overview")
def _overview(deployment: Deployment, query: dict[str, str]) -> Response:
    servers = {
        server.id: {"role": server.role, "name": server.short_name, "url": server.url, "readonly": server.readonly}
        | {"running": server.running, "shards": len(server.shards)}
        for server in deployment.servers.values()
    }
    databases = {
        name: {
            entry.name: {"id": entry.id, "shards": {shard.name: shard.servers for shard in entry.shards}}
            | {"count": entry.count()}
            for entry in database.collections.values()
        }
        for name, database in deployment.databases.items()
    }
    return reply({"version": deployment.version, "servers": servers, "databases": databases})


@state("documents")
def _documents(deployment: Deployment, query: dict[str, str]) -> Response:
    def lines() -> Iterator[bytes]:
        for shard in _collection(deployment, query).shards:
            replica = shard.leader
            for key in replica.keys:
                version = replica.get(key)
                if version is not None:
                    yield b"%b\t%b\t%b\n" % (key.encode(), version[0].encode(), version[1])

    return Response(200, b"".join(lines()), content_type=TEXT)


@state("replicas")
def _replicas(deployment: Deployment, query: dict[str, str]) -> Response:
    shards = _collection(deployment, query).shards
    return reply(
        {
            shard.name: {
                name: {key: place.partition("\0")[0] for key, place in replica.keys.items()}
                for name, replica in shard.replicas.items()
            }
            for shard in shards
        }
    )
