# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults of servers and shards (control API, see control.py): kill, restart, leaders, purging of logs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tests.testbed.api import server_mode
from tests.testbed.control_api import action, server_named, shard_named
from tests.testbed.errors import ArangoError
from tests.testbed.model import Deployment, Server
from tests.testbed.snapshots import snapshots
from tests.testbed.storage import Shard
from tests.testbed.supervision import DOWN
from tests.testbed.wal import Wal
from tests.testbed.wal_markers import DATABASE_CREATE

if TYPE_CHECKING:
    from tests.testbed.cluster import Cluster


def _down(deployment: Deployment) -> dict[str, float]:
    down: dict[str, float] = deployment.objects.setdefault(DOWN, {})
    return down


@action("kill_server")
def kill(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Cut the connections and the listener. `new_data_dir`: what it stored is gone, its followers lead from now on."""
    server = server_named(cluster.deployment, spec["server"])
    if spec.get("new_data_dir"):
        _check_replicated(server)
    cluster.close(server)
    _down(cluster.deployment)[server.id] = time.monotonic()
    if server.wal is not None:
        snapshots(server).clear()
        if spec.get("new_data_dir"):
            wipe(server)
    return server.id


@action("restart_server")
async def restart(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Start a server again, killed or not; its `rebootId` grows, registrations and snapshots are gone (facts §5.7)."""
    server = server_named(cluster.deployment, spec["server"])
    cluster.close(server)
    server.reboot_id += 1
    server.forget_ids()
    if server.wal is not None:
        snapshots(server).clear()
        server.wal.restarted()
        refill(server)
    await cluster.open(server)
    _down(cluster.deployment).pop(server.id, None)
    server_mode.heartbeat(server)
    return server.reboot_id


@action("freeze_server")
def freeze(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Stop a server's process, for `seconds` if they are given: it answers nothing, and its heartbeats are missed."""
    server = server_named(cluster.deployment, spec["server"])
    if not server.running:
        raise ArangoError(400, f"{server.short_name} is not running")
    cluster.freeze(server)
    _down(cluster.deployment)[server.id] = time.monotonic()
    if "seconds" in spec:
        asyncio.get_running_loop().call_later(float(spec["seconds"]), _thaw, cluster, server)
    return server.id


@action("thaw_server")
def thaw(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Let a frozen server go on, with what it was asked meanwhile; its `rebootId` is the same."""
    server = server_named(cluster.deployment, spec["server"])
    if server.thawed is None:
        raise ArangoError(400, f"{server.short_name} is not frozen")
    _thaw(cluster, server)
    return server.reboot_id


def _thaw(cluster: Cluster, server: Server) -> None:
    if server.thawed is not None:
        _down(cluster.deployment).pop(server.id, None)
        cluster.thaw(server)
        server_mode.heartbeat(server)


@action("move_leader")
def move_leader(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Make `to` the leader of a shard, by default its first follower; the old leader stays as a follower.

    A server that holds no copy gets one and takes the old leader's place, as when a shard is moved.
    """
    deployment = cluster.deployment
    shard = shard_named(deployment, spec)
    if "to" in spec:
        new = server_named(deployment, spec["to"])
    elif len(shard.servers) > 1:
        new = deployment.servers[shard.servers[1]]
    else:
        raise ArangoError(400, f"{shard.name} has no follower")
    old, *others = [deployment.servers[name] for name in shard.servers]
    if new.id in shard.servers:
        followers = [server for server in (old, *others) if server is not new]
    else:
        followers = others
    shard.place([new, *followers])
    return shard.servers


@action("purge_wal")
def purge_wal(cluster: Cluster, spec: dict[str, Any]) -> object:
    """Drop everything in the logs (of one `server`, or of all), whoever is registered (facts §5.7)."""
    deployment = cluster.deployment
    servers = [server_named(deployment, spec["server"])] if "server" in spec else deployment.data_servers
    for server in servers:
        server.log.purge_all()
    return [server.id for server in servers]


def _check_replicated(server: Server) -> None:
    alone = [name for name, shard in server.shards.items() if len(shard.servers) < 2]
    if alone:
        raise ArangoError(400, f"{server.short_name} holds the only copy of {', '.join(alone)}")


def wipe(server: Server) -> None:
    """Lose the data directory: another replication id, an empty log, other leaders (facts §5.1)."""
    deployment = server.deployment
    lost = list(server.shards.values())
    deployment.objects.setdefault("wiped", {})[server.id] = lost
    for shard in lost:
        del shard.replicas[server.id]
        shard.servers = [name for name in shard.servers if name != server.id]
    server.shards.clear()
    server.replication_id = str(int(server.replication_id) + 1)
    server.wal = Wal.for_server(server)
    for database in deployment.databases.values():
        server.log.append_ddl(DATABASE_CREATE, database.name, data={"id": database.id, "name": database.name})


def refill(server: Server) -> None:
    """A server that lost its data becomes a follower of its shards again; the copies show in its log as inserts."""
    lost: list[Shard] = server.deployment.objects.setdefault("wiped", {}).pop(server.id, [])
    for shard in lost:
        if shard.name in {entry.name for entry in shard.collection.shards}:
            present = [shard.replicas[name].server for name in shard.servers]
            shard.place([*present, server])
