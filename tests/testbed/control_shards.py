# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of shards and their servers: lagging followers, fail-over, moves, rebalancing, servers that come and go."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from tests.testbed.control_api import action, server_named, shard_named
from tests.testbed.errors import ArangoError
from tests.testbed.model import Deployment, Server
from tests.testbed.storage import Shard
from tests.testbed.supervision import change_leader, release

if TYPE_CHECKING:
    from tests.testbed.cluster import Cluster

_TASKS = "shard_moves"


@action("hold_replication")
def hold_replication(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Let followers of a shard fall behind while its leader goes on: what they lack is lost in a `fail_over`."""
    shard = shard_named(cluster.deployment, spec)
    shard.held |= set(shard.servers[1:])
    return sorted(shard.held)


@action("release_replication")
def release_replication(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Let the followers catch up; their logs show what they missed."""
    shard = shard_named(cluster.deployment, spec)
    release(shard)
    return shard.servers


@action("fail_over")
def fail_over(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Another replica leads: of one `shard` (`to`, or its first follower that is up), or of all that `server` leads.

    The old leader becomes a follower. What the new one lacks is taken from the others; their logs show it.
    """
    deployment = cluster.deployment
    if "server" in spec:
        name = server_named(deployment, spec["server"]).id
        shards = [shard for shard in deployment.servers[name].shards.values() if shard.servers[0] == name]
    else:
        shards = [shard_named(deployment, spec)]
    wanted = server_named(deployment, spec["to"]).id if "to" in spec else None
    return {shard.name: change_leader(shard, wanted) for shard in shards}


@action("move_shard")
def move_shard(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Move a shard's copy `from` (its leader unless named) to `to`, in three steps within `seconds` (0).

    The new server becomes a follower and is filled; it takes the old one's place; the old copy is dropped, and its
    markers with it (facts §5.6). Shards that are distributed like it move along.
    """
    deployment = cluster.deployment
    shard = shard_named(deployment, spec)
    old = server_named(deployment, spec["from"]).id if "from" in spec else shard.servers[0]
    new = server_named(deployment, spec["to"]).id
    if old not in shard.servers or new in shard.servers:
        raise ArangoError(400, f"{shard.name} is on {', '.join(shard.servers)}")
    seconds = float(spec.get("seconds", 0))
    moves = [_Move(entry, old, new) for entry in siblings(shard)]
    if seconds:
        _background(deployment, _slowly(moves, seconds))
    else:
        for move in moves:
            for step in move.steps():
                step()
    return new


class _Move:
    """The steps of one shard's move."""

    def __init__(self, shard: Shard, old: str, new: str) -> None:
        self._shard = shard
        self._old = old
        self._new = new

    def steps(self) -> list[Any]:
        """What is done one after the other."""
        return [self._join, self._hand_over, self._leave]

    def _place(self, names: list[str]) -> None:
        servers = self._shard.collection.deployment.servers
        self._shard.place([servers[name] for name in names])

    def _join(self) -> None:
        self._place([*self._shard.servers, self._new])

    def _hand_over(self) -> None:
        names = [name for name in self._shard.servers if name != self._new]
        names[names.index(self._old)] = self._new
        self._place([*names, self._old])

    def _leave(self) -> None:
        self._place([name for name in self._shard.servers if name != self._old])


async def _slowly(moves: list[_Move], seconds: float) -> None:
    for steps in zip(*[move.steps() for move in moves], strict=True):
        await asyncio.sleep(seconds / 3)
        for step in steps:
            step()


def _background(deployment: Deployment, work: Any) -> None:
    tasks: set[asyncio.Task[None]] = deployment.objects.setdefault(_TASKS, set())
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def siblings(shard: Shard) -> list[Shard]:
    """The shard and those of other collections that are placed like it."""
    collection = shard.collection
    first = collection.prototype or collection
    number = collection.shards.index(shard)
    group = [entry for entry in collection.database.collections.values() if first in (entry, entry.prototype)]
    return [entry.shards[number] for entry in group]


def _groups(deployment: Deployment) -> list[list[Shard]]:
    return [
        siblings(shard)
        for database in deployment.databases.values()
        for collection in database.collections.values()
        if collection.prototype is None and not collection.satellite
        for shard in collection.shards
    ]


@action("rebalance")
def rebalance(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Spread every shard anew over the DB-Servers, at random by `seed` (0); answers how many have moved."""
    deployment = cluster.deployment
    chance = random.Random(spec.get("seed", 0))
    servers = [server for server in deployment.data_servers if server.writable and server.id not in deployment.cleaned]
    moved = 0
    for group in _groups(deployment):
        chosen = chance.sample(servers, min(len(group[0].servers), len(servers)))
        moved += [server.id for server in chosen] != group[0].servers
        for shard in group:
            shard.place(chosen)
    return moved


@action("clean_out_server")
def clean_out(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Move everything away from a DB-Server; it stays in the cluster and gets no new shards."""
    deployment = cluster.deployment
    server = server_named(deployment, spec["server"])
    deployment.cleaned.add(server.id)
    for group in _groups(deployment):
        if server.id in group[0].servers:
            _leave_server(deployment, group, server)
    for shard in list(server.shards.values()):  # satellites just lose a copy
        shard.place([shard.replicas[name].server for name in shard.servers if name != server.id])
    return sorted(deployment.cleaned)


def _leave_server(deployment: Deployment, group: list[Shard], server: Server) -> None:
    free = [
        entry
        for entry in deployment.data_servers
        if entry.id not in group[0].servers and entry.id not in deployment.cleaned and entry.writable
    ]
    if not free:
        raise ArangoError(400, f"no other server can take {group[0].name}")
    new = min(free, key=lambda entry: len(entry.shards))
    for shard in group:
        for step in _Move(shard, server.id, new.id).steps():
            step()


@action("add_server")
async def add_server(cluster: Cluster, spec: dict[str, Any]) -> object:
    """A new server joins (`role`: `dbserver`, the default, or `coordinator`); it holds copies of satellites only."""
    role = spec.get("role", "dbserver")
    if role not in ("dbserver", "coordinator"):
        raise ArangoError(400, "role: expecting dbserver or coordinator")
    server = cluster.deployment.add_server(role)
    await cluster.open(server)
    if role == "dbserver":
        _copy_satellites(cluster.deployment, server)
    return {"id": server.id, "url": server.url}


def _copy_satellites(deployment: Deployment, new: Server) -> None:
    for database in deployment.databases.values():
        for collection in database.collections.values():
            for shard in collection.shards if collection.satellite else ():
                shard.place([*(deployment.servers[name] for name in shard.servers), new])
