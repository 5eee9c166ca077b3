# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where copies of shards are, and how they get elsewhere: by faults that tests order, and by jobs of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.testbed.errors import ArangoError

if TYPE_CHECKING:
    from tests.testbed.model import Deployment, Server
    from tests.testbed.storage import Shard

Step = Callable[[], None]


class Move:
    """One shard's way from one server to another that holds no copy of it."""

    def __init__(self, shard: Shard, old: str, new: str) -> None:
        self._shard = shard
        self._old = old
        self._new = new

    def steps(self) -> list[Step]:
        """What is done one after the other: the new server is filled, takes the place, and the old one leaves."""
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


def move_steps(shard: Shard, old: str, new: str) -> list[Step]:
    """The steps of a shard and of all that are placed like it, in which they go together."""
    together = zip(*[Move(entry, old, new).steps() for entry in siblings(shard)], strict=True)
    return [_all_of(steps) for steps in together]


def _all_of(steps: tuple[Step, ...]) -> Step:
    def run() -> None:
        for step in steps:
            step()

    return run


def lead(shard: Shard, name: str) -> None:
    """Make a server that holds a copy the leader of a shard and of all that are placed like it; nothing is lost."""
    servers = shard.collection.deployment.servers
    order = [name, *(entry for entry in shard.servers if entry != name)]
    for entry in siblings(shard):
        entry.catch_up(servers[name])
        entry.place([servers[server] for server in order])


def siblings(shard: Shard) -> list[Shard]:
    """The shard and those of other collections that are placed like it."""
    collection = shard.collection
    first = collection.prototype or collection
    number = collection.shards.index(shard)
    group = [entry for entry in collection.database.collections.values() if first in (entry, entry.prototype)]
    return [entry.shards[number] for entry in group]


def groups(deployment: Deployment) -> Iterator[Shard]:
    """The first of all shards that are placed alike; satellites, which are everywhere, are none of them."""
    for database in list(deployment.databases.values()):
        for collection in list(database.collections.values()):
            if collection.prototype is None and not collection.satellite:
                yield from collection.shards


def clean_out_steps(deployment: Deployment, server: Server) -> Iterator[Step]:
    """Move everything away from a server, shard by shard; satellites just lose a copy.

    errorNum 400 when no other server can take a shard.
    """
    for shard in groups(deployment):
        if server.id in shard.servers:
            yield from move_steps(shard, server.id, _roomiest(deployment, shard).id)
    for shard in list(server.shards.values()):
        if len(shard.servers) > 1:
            shard.place([shard.replicas[name].server for name in shard.servers if name != server.id])


def _roomiest(deployment: Deployment, shard: Shard) -> Server:
    free = [entry for entry in deployment.placeable if entry.id not in shard.servers and entry.writable]
    if not free:
        raise ArangoError(400, f"no other server can take {shard.name}")
    return min(free, key=lambda entry: len(entry.shards))
