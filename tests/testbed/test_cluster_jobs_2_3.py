# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Orders to the supervision by API: what is moved when, by whom, and what maintenance stops (facts §1.3, §2.3)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.testbed.client import Answer
from tests.testbed.inprocess import Direct, basic
from tests.testbed.supervision import DOWN, supervise

CLUSTER = "/_admin/cluster"


class Case:
    """A cluster of four DB-Servers; collection `c` has one shard of two copies and a document, `like` follows it."""

    def __init__(self, direct: Direct) -> None:
        self.direct = direct
        direct("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        direct("POST", "/_api/collection", {"name": "like", "distributeShardsLike": "c"})
        direct("POST", "/_api/document/c", {"_key": "a"})
        self.shard, (self.leader, self.follower) = next(iter(self.placed("c").items()))
        self.free = [server.id for server in direct.dbservers if server.id not in (self.leader, self.follower)]

    def placed(self, name: str) -> dict[str, list[str]]:
        shards: dict[str, list[str]]
        shards = self.direct("GET", f"/_api/collection/{name}/shards?details=true").json["shards"]
        return shards

    def servers(self) -> list[str]:
        return self.placed("c")[self.shard]

    def move(self, old: str, new: str, **other: object) -> Answer:
        body = {"database": "_system", "collection": "c", "shard": self.shard, "fromServer": old, "toServer": new}
        return self.direct("POST", f"{CLUSTER}/moveShard", {**body, **other})

    def job(self, answer: Answer) -> Any:
        assert (answer.status, answer.json["code"], answer.json["error"]) == (202, 202, False)
        return self.direct("GET", f"{CLUSTER}/queryAgencyJob?id={answer.json['id']}").json

    def finish(self, answer: Answer) -> list[list[str]]:
        """Beat until the job is done; answers the servers of the shard after each beat."""
        seen = []
        while self.job(answer)["status"] not in ("Finished", "Failed"):
            supervise(self.direct.deployment)
            seen.append(self.servers())
            assert len(seen) < 200
        return seen


@pytest.fixture
def case() -> Iterator[Case]:
    with Direct(version="3.12.10", dbservers=4) as direct:
        yield Case(direct)


def test_a_leader_moves_step_by_step_with_what_is_placed_like_it(case: Case) -> None:
    new = case.free[0]
    answer = case.move(case.leader, new)
    job = case.job(answer)
    assert (job["type"], job["status"], job["isLeader"], job["job"]) == ("moveShard", "ToDo", True, answer.json["id"])
    assert (job["fromServer"], job["toServer"], job["shard"]) == (case.leader, new, case.shard)
    assert case.finish(answer)[:4] == [
        [case.leader, case.follower],
        [case.leader, case.follower, new],
        [new, case.follower, case.leader],
        [new, case.follower],
    ]
    assert case.job(answer)["status"] == "Finished"
    assert list(case.placed("like").values()) == [[new, case.follower]]
    assert case.direct("GET", "/_api/document/c/a").status == 200


def test_a_follower_moves_and_leadership_goes_to_a_follower(case: Case) -> None:
    names = {server.id: server.short_name for server in case.direct.dbservers}
    case.finish(case.move(names[case.follower], names[case.free[0]]))  # short names will do
    assert case.servers() == [case.leader, case.free[0]]
    case.finish(case.move(case.leader, case.free[0]))
    assert case.servers() == [case.free[0], case.leader]
    failed = case.move(case.leader, case.free[0])
    case.finish(failed)
    assert case.job(failed)["status"] == "Failed"
    assert "already" in case.job(failed)["reason"]


def test_a_job_whose_shard_has_gone_elsewhere_fails(case: Case) -> None:
    first, second = case.move(case.leader, case.free[0]), case.move(case.leader, case.free[1])
    case.finish(first)
    case.finish(second)
    assert [case.job(answer)["status"] for answer in (first, second)] == ["Finished", "Failed"]
    assert case.servers() == [case.free[0], case.follower]


@pytest.mark.parametrize(
    ("change", "status", "number"),
    [
        ({"shard": None}, 400, 10),
        ({"toServer": 5}, 400, 10),
        ({"fromServer": "none"}, 404, 404),
        ({"toServer": "none"}, 404, 404),
        ({"database": "none"}, 404, 404),
        ({"collection": "none"}, 404, 404),
        ({"collection": "like"}, 403, 403),
        ({"shard": "s1"}, 404, 404),
    ],
)
def test_bad_moves(case: Case, change: dict[str, object], status: int, number: int) -> None:
    answer = case.move(case.leader, case.free[0], **change)
    assert (answer.status, answer.json["errorNum"]) == (status, number)
    assert case.move(case.free[0], case.free[1]).status == 404  # it is not there


def test_cleaning_out_and_resigning(case: Case) -> None:
    direct = case.direct
    answer = direct("POST", f"{CLUSTER}/resignLeadership", {"server": case.leader})
    case.finish(answer)
    assert case.servers() == [case.follower, case.leader]
    leading = direct.deployment.servers[case.leader].shards.values()
    assert not [shard for shard in leading if shard.servers[0] == case.leader]
    answer = direct("POST", f"{CLUSTER}/cleanOutServer", {"server": case.leader})
    supervise(direct.deployment)
    supervise(direct.deployment)
    cleaned = f"{CLUSTER}/numberOfServers"
    assert direct("GET", cleaned).json["cleanedServers"] == []
    for number in range(4):  # nothing new goes there from now on
        direct("POST", "/_api/collection", {"name": f"n{number}", "replicationFactor": 3})
        assert case.leader not in next(iter(case.placed(f"n{number}").values()))
    case.finish(answer)
    assert direct("GET", cleaned).json["cleanedServers"] == [case.leader]
    assert not direct.deployment.servers[case.leader].shards
    assert case.job(answer)["server"] == case.leader


def test_a_server_without_a_substitute_is_not_cleaned_out() -> None:
    with Direct(dbservers=2) as direct:
        case = Case(direct)
        answer = direct("POST", f"{CLUSTER}/cleanOutServer", {"server": case.leader})
        case.finish(answer)
        assert case.job(answer)["status"] == "Failed"
        assert direct("GET", f"{CLUSTER}/numberOfServers").json["cleanedServers"] == []


def test_maintenance_stops_jobs(case: Case) -> None:
    direct = case.direct
    assert direct("GET", f"{CLUSTER}/maintenance").json == {"error": False, "result": "Normal"}
    direct("PUT", f"{CLUSTER}/maintenance", "on")
    assert direct("GET", f"{CLUSTER}/maintenance").json["result"] == "Maintenance"
    answer = case.move(case.leader, case.free[0])
    for _ in range(10):
        supervise(direct.deployment)
    assert case.job(answer)["status"] == "ToDo"
    assert case.servers() == [case.leader, case.follower]
    direct("PUT", f"{CLUSTER}/maintenance", "off")
    case.finish(answer)
    assert case.servers() == [case.free[0], case.follower]


def test_a_server_in_maintenance_gets_nothing_to_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    with Direct(options={"failover_after": 1.0}) as direct:
        direct("POST", "/_api/collection", {"name": "c", "replicationFactor": 3})
        [(leader, second, third)] = direct("GET", "/_api/collection/c/shards?details=true").json["shards"].values()
        target = f"{CLUSTER}/maintenance/{second}"
        assert direct("GET", target).json == {"error": False, "code": 200}
        assert direct("PUT", target, {"mode": "maintenance", "timeout": 100}).status == 200
        assert direct("GET", target).json["result"]["Mode"] == "maintenance"
        assert direct("GET", f"{CLUSTER}/maintenance/{third}").json == {"error": False, "code": 200}
        server = direct.deployment.servers[leader]
        server.down, server.running = True, False
        direct.deployment.objects[DOWN] = {leader: time.monotonic() - 60}
        supervise(direct.deployment)
        assert direct.leader("c").id == third
        begun = time.time()
        monkeypatch.setattr(time, "time", lambda: begun + direct.deployment.scaled(100) + 1)
        assert direct("GET", target).json == {"error": False, "code": 200}  # it has ended by itself
        direct("PUT", target, {"mode": "maintenance"})
        direct("PUT", target, {"mode": "normal"})
        assert "result" not in direct("GET", target).json


@pytest.mark.parametrize(
    "body", [{}, {"mode": "on"}, {"mode": "maintenance", "timeout": "1"}, {"mode": "maintenance", "timeout": -1}]
)
def test_bad_maintenance_of_a_server(case: Case, body: dict[str, object]) -> None:
    answer = case.direct("PUT", f"{CLUSTER}/maintenance/{case.leader}", body)
    assert (answer.status, answer.json["errorNum"]) == (400, 10)
    assert case.direct("GET", f"{CLUSTER}/maintenance/none").status == 404


@pytest.mark.parametrize("path", ["cleanOutServer", "resignLeadership"])
def test_bad_servers(case: Case, path: str) -> None:
    for body in ({}, {"server": 5}, "name"):
        assert case.direct("POST", f"{CLUSTER}/{path}", body).status == 400
    answer = case.direct("POST", f"{CLUSTER}/{path}", {"server": "none"})
    case.finish(answer)
    assert case.job(answer)["status"] == "Failed"
    assert case.direct("GET", f"{CLUSTER}/queryAgencyJob").json["errorNum"] == 10
    assert case.direct("GET", f"{CLUSTER}/queryAgencyJob?id=1").status == 404


def test_who_may_move(case: Case) -> None:
    for name in ("writer", "reader"):
        case.direct("POST", "/_api/user", {"user": name, "passwd": "p"})
        case.direct("PUT", f"/_api/user/{name}/database/_system", {"grant": "ro"})
    case.direct("PUT", "/_api/user/writer/database/_system/c", {"grant": "rw"})
    body = {"collection": "c", "shard": case.shard, "fromServer": case.leader, "toServer": case.free[0]}
    for name, status in (("writer", 202), ("reader", 403)):
        assert case.direct("POST", f"{CLUSTER}/moveShard", body, login=basic(name, "p")).status == status
        answer = case.direct("POST", f"{CLUSTER}/cleanOutServer", {"server": case.leader}, login=basic(name, "p"))
        assert (answer.status, answer.json["errorNum"]) == (403, 11)


def test_coordinators_only(case: Case) -> None:
    with Direct(flavour="single") as single:
        for method, path in (("POST", "moveShard"), ("POST", "cleanOutServer"), ("GET", "queryAgencyJob?id=1")):
            for answer in (
                single(method, f"{CLUSTER}/{path}", {}),
                case.direct(method, f"{CLUSTER}/{path}", {}, on=case.direct.dbservers[0]),
            ):
                assert (answer.status, answer.json["errorNum"]) == (403, 403)
