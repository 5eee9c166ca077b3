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
from tests.testbed.placement import Step, clean_out_steps, groups, move_steps, siblings
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
    steps = move_steps(shard, old, new)
    if seconds:
        _background(deployment, _slowly(steps, seconds))
    else:
        for step in steps:
            step()
    return new


async def _slowly(steps: list[Step], seconds: float) -> None:
    for step in steps:
        await asyncio.sleep(seconds / len(steps))
        step()


def _background(deployment: Deployment, work: Any) -> None:
    tasks: set[asyncio.Task[None]] = deployment.objects.setdefault(_TASKS, set())
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


@action("rebalance")
def rebalance(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Spread every shard anew over the DB-Servers, at random by `seed` (0); answers how many have moved."""
    deployment = cluster.deployment
    chance = random.Random(spec.get("seed", 0))
    servers = [server for server in deployment.placeable if server.writable]
    moved = 0
    for first in groups(deployment):
        chosen = chance.sample(servers, min(len(first.servers), len(servers)))
        moved += [server.id for server in chosen] != first.servers
        for shard in siblings(first):
            shard.place(chosen)
    return moved


@action("clean_out_server")
def clean_out(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Move everything away from a DB-Server; it stays in the cluster and gets no new shards."""
    deployment = cluster.deployment
    server = server_named(deployment, spec["server"])
    deployment.cleaned.add(server.id)
    for step in clean_out_steps(deployment, server):
        step()
    return sorted(deployment.cleaned)


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
