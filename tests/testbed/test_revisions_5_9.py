# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revisions (facts §5.9): their text, their clock, and what equal ones do in a shard."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.testbed import hlc
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster


def test_known_texts() -> None:
    assert hlc.decode("x") == 51
    assert hlc.decode("xxxxx") == 869219571
    assert hlc.decode("N9999999999") == 2**64 - 1
    assert hlc.decode("_jt3aNJe---") == 1748024179896 << 20
    assert hlc.decode("123") == 123


@given(st.integers(min_value=2**60, max_value=2**64 - 1), st.integers(min_value=2**60, max_value=2**64 - 1))
def test_texts_decode_and_sort_as_numbers(one: int, two: int) -> None:
    first, second = hlc.encode(one), hlc.encode(two)
    assert (hlc.decode(first), len(first)) == (one, 11)
    assert (hlc.sort_key(first) < hlc.sort_key(second)) == (one < two)


def test_the_counter_starts_anew_each_millisecond() -> None:
    now = 1000.0
    clock = hlc.Clock(lambda: now)
    values = [clock.tick() for _ in range(3)]
    assert [value & 0xFFFFF for value in values] == [0, 1, 2]
    now = 1000.001
    assert clock.tick() == 1000001 << 20
    now = 999.0
    assert clock.tick() == (1000001 << 20) + 1
    assert hlc.decode(clock.tick_text()) == (1000001 << 20) + 2


def test_equal_revisions_on_different_shards_are_ordinary(client: Client, cluster: TestCluster) -> None:
    client("POST", "/_api/collection", {"name": "many", "numberOfShards": 3})
    client("POST", "/_api/document/many", [{} for _ in range(3000)])
    revisions = [revision for revision, _raw in cluster.control.documents("_system", "many").values()]
    assert len(revisions) == 3000
    assert len(set(revisions)) < 3000


def test_a_clash_in_one_shard_overwrites_silently(client: Client, cluster: TestCluster) -> None:
    client("POST", "/_api/collection", {"name": "clash", "numberOfShards": 1})
    body = [{"_key": "a", "_rev": "_abc-------", "v": 1}, {"_key": "b", "_rev": "_abc-------", "v": 2}]
    answer = client("POST", "/_api/document/clash?isRestore=true&overwriteMode=replace", body)
    assert "x-arango-error-codes" not in answer.headers
    assert client("GET", "/_api/collection/clash/count").json["count"] == 2
    read = client("PUT", "/_api/document/clash?onlyget=true", ["a", "b"]).json
    assert [entry["_key"] for entry in read] == ["b", "b"]
    client("DELETE", "/_api/document/clash/a")
    assert client("GET", "/_api/document/clash/b").status == 404


def test_without_revisions_as_ids_nothing_clashes(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "ids", "usesRevisionsAsDocumentIds": False})
    for key in "ab":
        document = {"_key": key, "_rev": "_abc-------"}
        client("POST", "/_api/document/ids?isRestore=true&overwriteMode=replace", [document])
    read = client("PUT", "/_api/document/ids?onlyget=true", ["a", "b"]).json
    assert [(entry["_key"], entry["_rev"]) for entry in read] == [("a", "_abc-------"), ("b", "_abc-------")]


def test_a_restored_document_without_a_revision_gets_one(client: Client, cluster: TestCluster) -> None:
    """By the document API as by restore-data (facts §7.4, §7.5); a replacement gets another one."""
    client("POST", "/_api/collection", {"name": "anew", "numberOfShards": 1})
    seen = set()
    for value in (1, 2):
        body = [{"_key": key, "_id": f"anew/{key}", "v": value} for key in "ab"]
        answer = client("POST", "/_api/document/anew?isRestore=true&overwriteMode=replace", body)
        assert "x-arango-error-codes" not in answer.headers
        read = client("PUT", "/_api/document/anew?onlyget=true", ["a", "b"]).json
        assert [(entry["_key"], entry["v"]) for entry in read] == [("a", value), ("b", value)]
        seen |= {entry["_rev"] for entry in read}
    assert len(seen) == 4


def test_followers_share_content_and_revision(client: Client, cluster: TestCluster) -> None:
    client("POST", "/_api/collection", {"name": "copies", "numberOfShards": 2, "replicationFactor": 3})
    client("POST", "/_api/document/copies", [{"_key": str(number)} for number in range(50)])
    client("DELETE", "/_api/document/copies", ["3", "4"])
    state = json.loads(cluster.control.request("GET", "/state/replicas?database=_system&collection=copies"))
    for replicas in state.values():
        leader, *followers = replicas.values()
        assert len(replicas) == 3
        assert all(follower == leader for follower in followers)
    assert sum(len(next(iter(replicas.values()))) for replicas in state.values()) == 48
