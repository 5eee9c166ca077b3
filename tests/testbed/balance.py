# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How evenly shards are spread over the servers, and which moves make it better (documentation: `http:cluster.md`).

The documentation gives no formula, and says that the value of an imbalance has no meaning but that less is better: here
it is the sum of squared distances from the even share.
"""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.testbed.placement import groups, siblings

if TYPE_CHECKING:
    from tests.testbed.model import Deployment
    from tests.testbed.storage import Shard

_SIZE = 1_048_576  # bytes that every shard counts as: the real thing does not look at sizes either


@dataclass(frozen=True)
class Wishes:
    """What moves may be, and of what."""

    leader_changes: bool = True
    move_leaders: bool = False
    move_followers: bool = False
    most: int = 1000
    without_system: bool = False
    without_databases: Names[str] = ()


@dataclass
class Moved:
    """One suggested move."""

    shard: Shard
    old: str
    new: str
    leads: bool

    def describe(self) -> dict[str, Any]:
        """As answers show it."""
        collection = int(self.shard.collection.id)
        return {
            "from": self.old,
            "to": self.new,
            "shard": self.shard.name,
            "collection": collection,
            "isLeader": self.leads,
        }


class Balance:
    """A distribution of shards as it is, or would be after moves: the servers of each, leader first."""

    def __init__(self, deployment: Deployment, wishes: Wishes) -> None:
        self._names = [server.id for server in deployment.placeable]
        self._wishes = wishes
        shown = [shard for shard in groups(deployment) if self._counts(shard)]
        self._placed = {shard.name: list(shard.servers) for shard in shown}
        self._shards = {shard.name: shard for shard in shown}
        self._weights = {shard.name: len(siblings(shard)) for shard in shown}

    def _counts(self, shard: Shard) -> bool:
        collection = shard.collection
        wishes = self._wishes
        if collection.database.name in wishes.without_databases:
            return False
        return not (wishes.without_system and collection.is_system)

    def _load(self, *, leaders: bool) -> dict[str, int]:
        load = dict.fromkeys(self._names, 0)
        for name, servers in self._placed.items():
            for server in servers[:1] if leaders else servers:
                load[server] = load.get(server, 0) + self._weights[name]
        return load

    @staticmethod
    def _score(load: dict[str, int]) -> float:
        even = sum(load.values()) / max(len(load), 1)
        return sum((value - even) ** 2 for value in load.values())

    def describe(self) -> dict[str, Any]:
        """The objects `leader` and `shards` of answers; arrays have a place for each server."""
        lead, hold = self._load(leaders=True), self._load(leaders=False)
        number, total = len(lead), sum(lead.values())
        system = sum(self._weights[name] for name, shard in self._shards.items() if shard.collection.is_system)
        leader = {
            "weightUsed": list(lead.values()),
            "targetWeight": [total / number] * number,
            "numberShards": list(lead.values()),
            "leaderDupl": [0] * number,
            "totalWeight": total,
            "imbalance": self._score(lead),
            "totalShards": total,
        }
        copies = sum(hold.values())
        shards = {
            "sizeUsed": [value * _SIZE for value in hold.values()],
            "targetSize": [copies * _SIZE / number] * number,
            "numberShards": list(hold.values()),
            "totalUsed": copies * _SIZE,
            "totalShards": copies,
            "totalShardsFromSystemCollections": system,
            "imbalance": self._score(hold),
        }
        return {"leader": leader, "shards": shards}

    def improve(self) -> list[Moved]:
        """Make the moves that help most, one after the other, until none helps or there are as many as wished."""
        moves: list[Moved] = []
        while len(moves) < self._wishes.most:
            gain, move, servers = max(self._candidates(), key=lambda entry: entry[0], default=(0, None, []))
            if move is None or gain <= 0:
                break
            moves.append(move)
            self._placed[move.shard.name] = servers
        return moves

    def _candidates(self) -> Iterator[tuple[int, Moved | None, list[str]]]:
        """What each allowed move gains, and the servers of its shard after it."""
        lead, hold = self._load(leaders=True), self._load(leaders=False)
        wishes = self._wishes
        for name, servers in self._placed.items():
            shard, weight, leader = self._shards[name], self._weights[name], servers[0]
            free = [server for server in self._names if server not in servers]
            for other in servers[1:] if wishes.leader_changes else ():
                order = [other, *(server for server in servers if server != other)]
                yield _gain(lead, leader, other, weight), Moved(shard, leader, other, True), order
            for new in free if wishes.move_leaders else ():
                gain = _gain(lead, leader, new, weight) + _gain(hold, leader, new, weight)
                yield gain, Moved(shard, leader, new, True), [new, *servers[1:]]
            for old in servers[1:] if wishes.move_followers else ():
                for new in free:
                    order = [new if server == old else server for server in servers]
                    yield _gain(hold, old, new, weight), Moved(shard, old, new, False), order


def _gain(load: dict[str, int], old: str, new: str, weight: int) -> int:
    """By how much the imbalance falls when a weight goes from one server to another."""
    return 2 * weight * (load[old] - load[new] - weight)
