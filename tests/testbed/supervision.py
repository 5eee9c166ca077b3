# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Leaders and followers of shards: who leads next, and how the others become equal to it (facts §2.3, §5.6)."""

from __future__ import annotations

import contextlib
import time

from tests.testbed import agency_jobs, indexes
from tests.testbed.errors import ArangoError
from tests.testbed.model import Deployment, Server
from tests.testbed.storage import Shard

DOWN = "down"  # server id → time.monotonic() when it was killed
MAINTENANCE = "maintenance_until"
SERVER_MAINTENANCE = "maintenance_of_servers"  # server id → until when, seconds since 1970


def release(shard: Shard) -> None:
    """Bring every follower that can be reached to the leader's state."""
    shard.held.clear()
    for replica in list(shard.replicas.values()):
        if replica.server.writable:
            shard.catch_up(replica.server)


def change_leader(shard: Shard, wanted: str | None = None) -> list[str]:
    """Make a follower the leader as it is, and the others equal to it; answers the shard's servers.

    errorNum 400 when no follower can lead.
    """
    able = [name for name in shard.servers[1:] if shard.replicas[name].server.writable and wanted in (None, name)]
    if not able:
        raise ArangoError(400, f"{shard.name} has no follower that can lead")
    order = [able[0], *[name for name in shard.servers if name != able[0]]]
    shard.lagging.discard(able[0])
    shard.lagging |= set(order[1:])
    shard.place([shard.replicas[name].server for name in order])
    rebuild_unique(shard)
    release(shard)
    return shard.servers


def rebuild_unique(shard: Shard) -> None:
    """Make the entries of unique indexes those of the leader's documents."""
    for index in shard.collection.unique_indexes:
        with contextlib.suppress(ArangoError):
            indexes.build(shard, index)


def in_maintenance(deployment: Deployment) -> bool:
    """Whether the supervision was told to do nothing (facts §2.3)."""
    return time.time() < float(deployment.objects.get(MAINTENANCE, 0.0))


def spared_until(server: Server) -> float | None:
    """Until when (seconds since 1970) a DB-Server is in a maintenance of its own: it gets nothing to lead."""
    until: float = server.deployment.objects.setdefault(SERVER_MAINTENANCE, {}).get(server.id, 0.0)
    return until if time.time() < until else None


def supervise(deployment: Deployment) -> None:
    """One beat of the supervision, unless it is in maintenance: jobs go on, followers of lost servers lead."""
    if not in_maintenance(deployment):
        agency_jobs.advance(deployment)
        _fail_over(deployment)


def _fail_over(deployment: Deployment) -> None:
    """Fail over what servers lead that are down longer than the option `failover_after`."""
    after = deployment.options.failover_after
    for name, since in deployment.objects.get(DOWN, {}).items() if after else ():
        if time.monotonic() - since > deployment.scaled(after):
            for shard in list(deployment.servers[name].shards.values()):
                if shard.servers[0] == name:
                    _fail_over_shard(shard)


def _fail_over_shard(shard: Shard) -> None:
    viable = [name for name in shard.servers[1:] if spared_until(shard.replicas[name].server) is None]
    for name in viable:  # without one: it waits
        with contextlib.suppress(ArangoError):
            change_leader(shard, name)
            return
