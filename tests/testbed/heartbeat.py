# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What servers do by themselves: purging of logs, writes that no marker shows, freeing of what nobody asks for.

Also where hashes for checksums are made ahead, so that a checksum need not take longer than a real server's.
"""

from __future__ import annotations

import asyncio
import time

from tests.testbed import checksums, supervision
from tests.testbed.documents import Writer
from tests.testbed.model import Deployment, Server
from tests.testbed.rawjson import Element
from tests.testbed.snapshots import snapshots
from tests.testbed.storage import Transaction

_INTERVAL = 1.0
_INTERNAL_EVERY = 4  # beats between two internal writes
_INTERNAL_NUMBERS = 3
_HASHED_PER_BEAT = 8000


async def run(deployment: Deployment) -> None:
    """Beat for ever; cancelled when the cluster stops."""
    beats = 0
    while True:
        await asyncio.sleep(max(deployment.scaled(_INTERVAL), 0.05))
        beats += 1
        beat_all(deployment, beats)
        await checksums.warm(deployment, _HASHED_PER_BEAT)


def beat_all(deployment: Deployment, number: int) -> None:
    """One beat of everything."""
    for server in deployment.data_servers:
        if server.running:
            beat(server, number)
    supervision.supervise(deployment)
    if deployment.options.reads(14, "statistics"):
        write_statistics(deployment, number)


def write_statistics(deployment: Deployment, number: int) -> None:
    """A document of the statistics, which the server writes as superuser, read-only or not (facts §12.14)."""
    collection = deployment.database("_system").collections.get("_statisticsRaw")
    if collection is None or not collection.shards[0].leader.server.writable:
        return
    transaction = Transaction(collection.database, single=True)
    front = next(iter(deployment.servers.values()))
    Writer(transaction, collection, front).insert(Element.of({"time": time.time(), "number": number}))
    transaction.commit()


def beat(server: Server, number: int) -> None:
    """One beat of one server. Numbers of the log grow by internal writes even when nobody writes (facts §9)."""
    log = server.log
    log.purge()
    snapshots(server).expire(log.now())
    if server.deployment.options.nasty and number % _INTERNAL_EVERY == 0:
        log.append_internal(_INTERNAL_NUMBERS)
