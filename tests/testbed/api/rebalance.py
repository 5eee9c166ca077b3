# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_admin/cluster/rebalance`: how evenly shards are spread, and moves that improve it (3.10 `http:cluster.md`)."""

from __future__ import annotations

from typing import Any

from tests.testbed import agency_jobs
from tests.testbed.api.cluster_jobs import coordinator_only
from tests.testbed.balance import Balance, Moved, Wishes
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, result
from tests.testbed.placement import groups
from tests.testbed.routing import EVERYWHERE, route

_DEFAULT_MOVES, _MOST_MOVES = 1000, 5000
_MOVE = {"from": str, "to": str, "shard": str, "isLeader": bool}


@route("GET", "/_admin/cluster/rebalance", level="admin", on=EVERYWHERE)
def imbalance(request: Request) -> Response:
    """The present imbalance, and how many moves wait and run."""
    coordinator_only(request)
    states = [job.status for job in agency_jobs.jobs(request.deployment).values() if job.moves]
    counts = {"pendingMoveShards": states.count("Pending"), "todoMoveShards": states.count("ToDo")}
    return result(result=Balance(request.deployment, Wishes()).describe() | counts)


def _body(request: Request) -> dict[str, Any]:
    coordinator_only(request)
    body = request.json_object()
    if body.get("version") != 1:
        raise ArangoError(10, "version: expecting 1")
    return body


def _flag(body: dict[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise ArangoError(10, f"{name}: expecting a boolean")
    return value


def _wishes(body: dict[str, Any]) -> Wishes:
    most, databases = body.get("maximumNumberOfMoves", _DEFAULT_MOVES), body.get("databasesExcluded", [])
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise ArangoError(10, "maximumNumberOfMoves: expecting a number")
    if not isinstance(databases, list):
        raise ArangoError(10, "databasesExcluded: expecting an array of names")
    return Wishes(
        _flag(body, "leaderChanges", True),
        _flag(body, "moveLeaders", False),
        _flag(body, "moveFollowers", False),
        min(most, _MOST_MOVES),
        _flag(body, "excludeSystemCollections", False),
        databases,
    )


def _plan(request: Request) -> tuple[dict[str, Any], list[Moved]]:
    balance = Balance(request.deployment, _wishes(_body(request)))
    before = balance.describe()
    moves = balance.improve()
    shown = [move.describe() for move in moves]
    return {"imbalanceBefore": before, "imbalanceAfter": balance.describe(), "moves": shown}, moves


def _execute(request: Request, moves: list[Moved]) -> None:
    for move in moves:
        agency_jobs.move_shard(request.deployment, request.server.id, move.shard, move.old, move.new, move.leads)


@route("POST", "/_admin/cluster/rebalance", level="admin", on=EVERYWHERE)
def plan(request: Request) -> Response:
    """Suggest moves."""
    return result(result=_plan(request)[0])


@route("PUT", "/_admin/cluster/rebalance", level="admin", on=EVERYWHERE)
def plan_and_execute(request: Request) -> Response:
    """Suggest moves and order them."""
    shown, moves = _plan(request)
    _execute(request, moves)
    return result(result=shown)


@route("POST", "/_admin/cluster/rebalance/execute", level="admin", on=EVERYWHERE)
def execute(request: Request) -> Response:
    """Order the moves that are sent: 202, or 200 when there are none; errorNum 10, 404."""
    entries = _body(request).get("moves")
    if not isinstance(entries, list):
        raise ArangoError(10, "moves: expecting an array")
    moves = [_sent(request, entry) for entry in entries]
    _execute(request, moves)
    return result(202 if moves else 200)


def _sent(request: Request, entry: Any) -> Moved:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name), kind) for name, kind in _MOVE.items()):
        raise ArangoError(10, "moves: expecting objects with `from`, `to`, `shard`, `collection` and `isLeader`")
    servers = request.deployment.servers
    for shard in groups(request.deployment):
        if shard.name == entry["shard"] and {entry["from"], entry["to"]} <= servers.keys():
            return Moved(shard, entry["from"], entry["to"], entry["isLeader"])
    raise ArangoError(404, f"no shard {entry['shard']} to be moved, or no such server")
