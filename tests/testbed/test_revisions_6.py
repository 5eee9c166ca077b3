# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revision trees, ranges and documents by revision (facts §6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testbed import hlc, merkle
from tests.testbed.api import revisions
from tests.testbed.client import Answer
from tests.testbed.inprocess import Direct
from tests.testbed.model import Server

ROOT = "/_api/replication/revisions"


@dataclass
class Case:
    """A collection `c` of one shard and two copies, with a batch on the leader."""

    direct: Direct
    shard: str
    leader: Server
    follower: Server
    batch: str = ""

    def open(self, server: Server | None = None) -> str:
        answer = self.direct("POST", "/_api/replication/batch", {"ttl": 60}, on=server or self.leader)
        return str(answer.json["id"])

    def ask(self, method: str, what: str, body: object = None, on: Server | None = None, **query: str) -> Answer:
        values = {"collection": self.shard, "batchId": self.batch, **query}
        text = "&".join(f"{name}={value}" for name, value in values.items())
        return self.direct(method, f"{ROOT}/{what}?{text}", body, on=on or self.leader)

    def revisions(self) -> list[str]:
        documents = self.direct.deployment.database("_system").collection("c").shards[0].leader.docs
        return sorted(documents, key=hlc.decode)


@pytest.fixture
def case() -> Iterator[Case]:
    with Direct() as direct:
        direct("POST", "/_api/collection", {"name": "c", "replicationFactor": 2})
        direct("POST", "/_api/document/c", [{"_key": f"k{number}", "n": number} for number in range(50)])
        shard = direct.deployment.database("_system").collection("c").shards[0]
        leader, follower = [direct.deployment.servers[name] for name in shard.servers]
        found = Case(direct, shard.name, leader, follower)
        found.batch = found.open()
        yield found


def test_a_tree_counts_what_the_batch_has(case: Case) -> None:
    case.direct("POST", "/_api/document/c", {"_key": "later"})
    tree = case.ask("GET", "tree").json
    assert (tree["count"], tree["maxDepth"], tree["branchingFactor"], len(tree["nodes"])) == (50, 6, 8, merkle.LEAVES)
    assert sum(node["count"] for node in tree["nodes"]) == 50
    assert {len(tree[name]) for name in ("hash", "rangeMin", "rangeMax", "initialRangeMin")} == {11}
    low, high = hlc.decode(tree["rangeMin"]), hlc.decode(tree["rangeMax"])
    assert all(low <= hlc.decode(revision) < high for revision in case.revisions()[:-1])
    case.batch = case.open()
    assert case.ask("GET", "tree").json["count"] == 51


def test_leader_and_follower_have_equal_trees_until_a_document_differs(case: Case) -> None:
    first = case.ask("GET", "tree").json
    case.batch = case.open(case.follower)
    assert case.ask("GET", "tree", on=case.follower).json == first
    shard = case.direct.deployment.database("_system").collection("c").shards[0]
    shard.replicas[case.follower.id].remove("k7")
    case.batch = case.open(case.follower)
    other = case.ask("GET", "tree", on=case.follower).json
    assert (other["count"], other["hash"] == first["hash"]) == (49, False)
    assert sum(mine != theirs for mine, theirs in zip(first["nodes"], other["nodes"], strict=True)) == 1


def test_verification_and_rebuilding(case: Case) -> None:
    answer = case.ask("GET", "tree", verification="true").json
    assert (answer["equal"], answer["computed"] == answer["stored"]) == (True, True)
    case.direct.deployment.objects[revisions.DAMAGE] = {(case.leader.id, case.shard): 5}
    answer = case.ask("GET", "tree", verification="true").json
    assert (answer["equal"], answer["computed"] == answer["stored"]) == (False, False)
    assert answer["computed"]["count"] == answer["stored"]["count"] == 50
    assert case.ask("POST", "tree").status == 204
    assert case.ask("GET", "tree", verification="true").json["equal"] is True


def test_ranges_with_resume(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "RANGE_LIMIT", 8)
    known = [revision.rjust(11, "-") for revision in case.revisions()]
    body = [[known[2], known[6]], [merkle.text(hlc.decode(known[6]) + 1)] * 2, [known[30], known[49]]]
    if merkle.text(hlc.decode(known[6]) + 1) in known:
        body[1] = [known[7], known[7]]
    collected: list[list[str]] = [[], [], []]
    resume, rounds = "", 0
    while True:
        answer = case.ask("PUT", "ranges", body, resume=resume).json
        for mine, theirs in zip(collected, answer["ranges"], strict=False):
            mine += theirs
        rounds += 1
        if "resume" not in answer:
            break
        resume = answer["resume"]
    assert rounds >= 3
    assert (collected[0], collected[2]) == (known[2:7], known[30:50])
    assert len(collected[1]) <= 1


def test_an_empty_range_stays_an_empty_array(case: Case) -> None:
    body = [["-----------", "-----------"], [case.revisions()[0]] * 2]
    assert case.ask("PUT", "ranges", body).json == {"ranges": [[], [case.revisions()[0]]]}


def test_documents_in_order_and_truncated(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    known = case.revisions()
    wanted = [merkle.text(1), *known[:3]]
    answer = case.ask("PUT", "documents", wanted).json
    assert [entry.get("_rev") for entry in answer] == [None, *known[:3]]
    assert answer[0] == {}
    monkeypatch.setattr(revisions, "DOCUMENTS_LIMIT", 100)
    answer = case.ask("PUT", "documents", known).json
    assert 0 < len(answer) < len(known)
    assert [entry["_rev"] for entry in answer] == known[: len(answer)]


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("PUT", "ranges", {"a": 1}),
        ("PUT", "ranges", [["_jt3aNJe---"]]),
        ("PUT", "ranges", [["_jt3aNJe---", "_aaaaaaa---"]]),
        ("PUT", "ranges", [["_aaaaaaa---", "_jt3aNJe---"], ["_jt3aNJe---", "_jt3aNJf---"]]),
        ("PUT", "ranges", [[1, 2]]),
        ("PUT", "documents", {"a": 1}),
        ("PUT", "documents", ["_jt3aNJe---", "_aaaaaaa---"]),
        ("PUT", "documents", [5]),
    ],
)
def test_bad_bodies(case: Case, method: str, what: str, body: Any) -> None:
    assert case.ask(method, what, body).status == 400


@pytest.mark.parametrize(("method", "what"), [("GET", "tree"), ("PUT", "ranges"), ("PUT", "documents")])
def test_missing_and_unknown_parameters(case: Case, method: str, what: str) -> None:
    assert case.ask(method, what, [], collection="").status == 400
    answer = case.ask(method, what, [], collection="s1")
    assert (answer.status, answer.json["errorNum"]) == (404, 1203)
    assert case.ask(method, what, [], batchId="99").status == 404
    answer = case.ask(method, what, [], on=case.direct.front)
    assert (answer.status, answer.json["errorNum"]) == (501, 1470)


def test_old_collections_have_no_trees(case: Case) -> None:
    case.direct("POST", "/_api/collection", {"name": "old", "syncByRevision": False})
    server = case.direct.leader("old")
    shard = case.direct.deployment.database("_system").collection("old").shards[0].name
    assert case.ask("GET", "tree", on=server, collection=shard).status == 501


@given(st.sets(st.integers(1 << 60, (1 << 60) + (1 << 50)), max_size=30), st.integers(1 << 60, (1 << 60) + (1 << 50)))
def test_a_tree_depends_on_the_set_alone(values: set[int], other: int) -> None:
    ordered = sorted(values)
    assert merkle.Tree.of(ordered).root() == merkle.Tree.of(reversed(ordered)).root()
    assert merkle.Tree.of(values).root()[0] == len(values)
    if other not in values:
        assert merkle.Tree.of(values | {other}).root()[1] != merkle.Tree.of(values).root()[1]


@pytest.mark.parametrize(("variant", "nodes"), [("leaves", 8**6), ("levels", (8**7 - 1) // 7)])
def test_forms_of_a_tree(variant: str, nodes: int) -> None:
    """Facts §12.6."""
    with Direct({"readings": {"6": variant}}) as direct:
        direct("POST", "/_api/collection", {"name": "c"})
        shard, server = direct.deployment.database("_system").collection("c").shards[0].name, direct.leader("c")
        batch = direct("POST", "/_api/replication/batch", {}, on=server).json["id"]
        tree = direct("GET", f"{ROOT}/tree?collection={shard}&batchId={batch}", on=server).json
    assert len(tree["nodes"]) == nodes
    assert ("count" in tree) is (variant == "leaves")
