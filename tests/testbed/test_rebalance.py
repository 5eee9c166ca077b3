# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_admin/cluster/rebalance`: what is suggested makes shards more even, and is done by the supervision only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.testbed.inprocess import Direct
from tests.testbed.supervision import supervise

TARGET = "/_admin/cluster/rebalance"
EVERYTHING = {"version": 1, "moveLeaders": True, "moveFollowers": True}


@pytest.fixture
def direct() -> Iterator[Direct]:
    """Three DB-Servers; 8 shards are led by one of them, all their copies are on two; a hundred documents."""
    with Direct(version="3.12.10", dbservers=3) as started:
        started("POST", "/_api/collection", {"name": "c", "numberOfShards": 8, "replicationFactor": 2})
        started("POST", "/_api/document/c", [{"_key": f"k{number}"} for number in range(100)])
        for shard in started.deployment.database("_system").collection("c").shards:
            shard.place(started.dbservers[:2])
        yield started


def servers(direct: Direct) -> list[list[str]]:
    return list(direct("GET", "/_api/collection/c/shards?details=true").json["shards"].values())


def score(shown: dict[str, Any]) -> float:
    return float(shown["leader"]["imbalance"] + shown["shards"]["imbalance"])


def test_leaders_change_by_default_and_nothing_moves(direct: Direct) -> None:
    before = servers(direct)
    answer = direct("POST", TARGET, {"version": 1}).json["result"]
    assert answer["moves"]
    assert all(move["isLeader"] for move in answer["moves"])
    assert score(answer["imbalanceAfter"]) < score(answer["imbalanceBefore"])
    assert answer["imbalanceAfter"]["shards"] == answer["imbalanceBefore"]["shards"]
    assert servers(direct) == before  # only suggested


def test_what_is_ordered_is_done_by_the_supervision(direct: Direct) -> None:
    answer = direct("PUT", TARGET, EVERYTHING)
    moves, expected = answer.json["result"]["moves"], answer.json["result"]["imbalanceAfter"]
    assert answer.status == 200
    assert set(moves[0]) == {"from", "to", "shard", "collection", "isLeader"}
    shown = direct("GET", TARGET).json["result"]
    assert (shown["todoMoveShards"], shown["pendingMoveShards"]) == (len(moves), 0)
    supervise(direct.deployment)
    shown = direct("GET", TARGET).json["result"]
    assert (shown["todoMoveShards"], shown["pendingMoveShards"]) == (len(moves) - 1, 1)
    for _ in range(20 * len(moves)):
        supervise(direct.deployment)
    shown = direct("GET", TARGET).json["result"]
    assert (shown.pop("todoMoveShards"), shown.pop("pendingMoveShards")) == (0, 0)
    assert shown == expected
    assert all(len(set(names)) == 2 for names in servers(direct))
    assert max(shown["shards"]["numberShards"]) - min(shown["shards"]["numberShards"]) <= 20
    assert direct("GET", "/_api/collection/c/count").json["count"] == 100
    assert direct("PUT", TARGET, EVERYTHING).json["result"]["moves"] == []


def test_as_many_as_wished_and_of_what_is_wished(direct: Direct) -> None:
    assert len(direct("POST", TARGET, {**EVERYTHING, "maximumNumberOfMoves": 2}).json["result"]["moves"]) == 2
    assert direct("POST", TARGET, {"version": 1, "leaderChanges": False}).json["result"]["moves"] == []
    without = direct("POST", TARGET, {**EVERYTHING, "excludeSystemCollections": True}).json["result"]
    assert without["imbalanceBefore"]["shards"]["totalShardsFromSystemCollections"] == 0
    assert without["imbalanceBefore"]["leader"]["totalShards"] == 8
    excluded = direct("POST", TARGET, {**EVERYTHING, "databasesExcluded": ["_system"]}).json["result"]
    assert (excluded["moves"], excluded["imbalanceBefore"]["leader"]["totalShards"]) == ([], 0)


def test_moves_that_are_sent(direct: Direct) -> None:
    moves = direct("POST", TARGET, EVERYTHING).json["result"]["moves"]
    assert direct("POST", f"{TARGET}/execute", {"version": 1, "moves": []}).status == 200
    assert direct("POST", f"{TARGET}/execute", {"version": 1, "moves": moves[:3]}).status == 202
    assert direct("GET", TARGET).json["result"]["todoMoveShards"] == 3
    bad = {**moves[0], "shard": "s1"}
    assert direct("POST", f"{TARGET}/execute", {"version": 1, "moves": [bad]}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": 2},
        {"version": 1, "leaderChanges": "yes"},
        {"version": 1, "maximumNumberOfMoves": -1},
        {"version": 1, "databasesExcluded": "d"},
    ],
)
def test_bad_wishes(direct: Direct, body: dict[str, object]) -> None:
    for method in ("POST", "PUT"):
        answer = direct(method, TARGET, body)
        assert (answer.status, answer.json["errorNum"]) == (400, 10)
    sent: list[object] = [None, {}, [5], [{"from": "a"}]]
    for moves in sent:
        assert direct("POST", f"{TARGET}/execute", {"version": 1, "moves": moves}).json["errorNum"] == 10
