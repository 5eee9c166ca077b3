# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Indexes: unique and sparse enforcement per shard, creation over duplicates, TTL (facts §7.2, §7.7)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster


@pytest.fixture
def collection(client: Client, request: pytest.FixtureRequest) -> str:
    """A collection of one shard."""
    name = request.node.name.partition("[")[0][-60:]
    assert client("POST", "/_api/collection", {"name": name}).status == 200
    return str(name)


def index(client: Client, collection: str, **definition: Any) -> Any:
    """Create an index and answer its description."""
    answer = client("POST", f"/_api/index?collection={collection}", {"type": "persistent", **definition})
    assert answer.status == 201, answer.body
    return answer.json


def insert(client: Client, collection: str, **document: Any) -> int:
    """Insert a document; answers the errorNum, 0 when it went well."""
    return int(client("POST", f"/_api/document/{collection}", document).json.get("errorNum", 0))


def test_a_conflict_names_index_type_fields_and_key(client: Client, collection: str) -> None:
    made = index(client, collection, fields=["a", "b"], unique=True)
    assert insert(client, collection, _key="one", a=1, b=2) == 0
    answer = client("POST", f"/_api/document/{collection}", {"_key": "two", "a": 1, "b": 2})
    text = f"unique constraint violated - in index {made['name']} of type persistent over 'a, b'; conflicting key: one"
    assert (answer.status, answer.json["errorNum"], answer.json["errorMessage"]) == (409, 1210, text)


def test_equal_numbers_conflict_and_missing_counts_as_null(client: Client, collection: str) -> None:
    index(client, collection, fields=["a.b"], unique=True)
    assert insert(client, collection, _key="one", a={"b": 1}) == 0
    assert insert(client, collection, a={"b": 1.0}) == 1210
    assert insert(client, collection, _key="null") == 0
    assert insert(client, collection, a=5) == 1210


def test_a_sparse_index_leaves_null_out(client: Client, collection: str) -> None:
    index(client, collection, fields=["a", "b"], unique=True, sparse=True)
    assert [insert(client, collection, a=1), insert(client, collection, a=1)] == [0, 0]
    assert [insert(client, collection, a=1, b=1), insert(client, collection, a=1, b=1)] == [0, 1210]


def test_elements_of_arrays_are_entries(client: Client, collection: str) -> None:
    index(client, collection, fields=["tags[*]"], unique=True)
    assert insert(client, collection, tags=["x", "y", "x"]) == 0
    assert insert(client, collection, tags=["z", "y"]) == 1210
    assert insert(client, collection, tags=["z"]) == 0


def test_values_are_free_again_after_changes(client: Client, collection: str) -> None:
    index(client, collection, fields=["v"], unique=True)
    for key, value in (("a", 1), ("b", 2)):
        assert insert(client, collection, _key=key, v=value) == 0
    swap = [{"_key": "a", "v": 2}, {"_key": "b", "v": 1}]
    answers = client("PUT", f"/_api/document/{collection}", swap).json
    assert [answer.get("errorNum") for answer in answers] == [1210, 1210]
    client("DELETE", f"/_api/document/{collection}/a")
    assert insert(client, collection, _key="c", v=1) == 0
    client("PATCH", f"/_api/document/{collection}/c", {"v": 3})
    assert insert(client, collection, _key="d", v=1) == 0
    client("PUT", f"/_api/collection/{collection}/truncate")
    assert insert(client, collection, _key="e", v=1) == 0


def test_a_unique_index_over_duplicates_is_refused_and_leaves_nothing(client: Client, collection: str) -> None:
    client("POST", f"/_api/document/{collection}", [{"v": 1}, {"v": 1}])
    wishes = {"type": "persistent", "fields": ["v"], "unique": True}
    answer = client("POST", f"/_api/index?collection={collection}", wishes)
    assert (answer.status, answer.json["errorNum"]) == (409, 1210)
    assert len(client("GET", f"/_api/index?collection={collection}").json["indexes"]) == 1
    assert insert(client, collection, v=1) == 0


def test_a_unique_index_has_to_contain_the_shard_keys(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "spread", "numberOfShards": 3, "shardKeys": ["region"]})
    wishes = {"type": "persistent", "fields": ["a"], "unique": True}
    answer = client("POST", "/_api/index?collection=spread", wishes)
    assert answer.json["errorNum"] == 1470
    index(client, "spread", fields=["region", "a"], unique=True)


def test_a_unique_value_counts_within_its_shard(client: Client) -> None:
    """A value may stand once in each shard: the shard keys belong to what is unique."""
    client("POST", "/_api/collection", {"name": "regions", "numberOfShards": 4, "shardKeys": ["region"]})
    index(client, "regions", fields=["region", "v"], unique=True)
    where: dict[str, str] = {}
    for number in range(100):
        shard = client("PUT", "/_api/collection/regions/responsibleShard", {"region": f"r{number}"}).json["shardId"]
        where.setdefault(shard, f"r{number}")
    assert len(where) == 4
    for region in where.values():
        assert insert(client, "regions", region=region, v=1) == 0
    for region in where.values():
        assert insert(client, "regions", region=region, v=1) == 1210
        assert insert(client, "regions", region=region, v=2) == 0
    bulk = [{"region": region, "v": 2 + number} for number, region in enumerate(where.values())]
    answers = client("POST", "/_api/document/regions", bulk)
    assert [answer.get("errorNum", 0) for answer in answers.json] == [1210, 0, 0, 0]
    assert json.loads(answers.headers["x-arango-error-codes"]) == {"1210": 1}
    assert client("GET", "/_api/collection/regions/count").json["count"] == 4 + 4 + 3


def test_the_same_index_is_found_again(client: Client, collection: str) -> None:
    made = index(client, collection, fields=["a"])
    wishes = {"type": "persistent", "fields": ["a"], "name": "other"}
    again = client("POST", f"/_api/index?collection={collection}", wishes)
    assert (again.status, again.json["id"], again.json["isNewlyCreated"]) == (200, made["id"], False)
    named = {"type": "persistent", "fields": ["b"], "name": made["name"]}
    assert client("POST", f"/_api/index?collection={collection}", named).json["errorNum"] == 1207


@pytest.mark.parametrize(
    "wishes",
    [
        {"type": "persistent"},
        {"type": "persistent", "fields": []},
        {"type": "persistent", "fields": ["a", "a"]},
        {"type": "ttl", "fields": ["a"]},
        {"type": "ttl", "fields": ["a", "b"], "expireAfter": 1},
        {"type": "geo", "fields": ["a", "b", "c"]},
        {"type": "mdi", "fields": ["a"], "fieldValueTypes": "double"},  # not before 3.12
        {"type": "nonsense", "fields": ["a"]},
    ],
)
def test_bad_definitions(client: Client, wishes: dict[str, Any]) -> None:
    client("POST", "/_api/collection", {"name": "bad_definitions"})
    answer = client("POST", "/_api/index?collection=bad_definitions", wishes)
    assert (answer.status, answer.json["errorNum"]) == (400, 10)


def test_dropping(client: Client, collection: str) -> None:
    made = index(client, collection, fields=["v"], unique=True)
    assert insert(client, collection, v=1) == 0
    assert client("DELETE", f"/_api/index/{made['id']}").json["id"] == made["id"]
    assert insert(client, collection, v=1) == 0
    assert client("DELETE", f"/_api/index/{made['id']}").json["errorNum"] == 1212
    assert client("DELETE", f"/_api/index/{collection}/0").status == 403


def test_building_takes_time_and_the_index_counts_from_the_beginning(start: Callable[..., TestCluster]) -> None:
    cluster = start(options={"index_build_rate": 1000})
    root = Client.root(cluster)
    root("POST", "/_api/collection", {"name": "c"})
    root("POST", "/_api/document/c", [{"v": number} for number in range(500)])
    wishes = {"type": "persistent", "fields": ["v"], "unique": True, "inBackground": True}
    begun = time.monotonic()
    job = root("POST", "/_api/index?collection=c", wishes, {"x-arango-async": "store"})
    assert len(root("GET", "/_api/index?collection=c").json["indexes"]) == 1
    assert insert(root, "c", v=3) == 1210
    while root("PUT", f"/_api/job/{job.headers['x-arango-async-id']}").status == 204:
        time.sleep(0.02)
    assert time.monotonic() - begun >= 0.45
    assert len(root("GET", "/_api/index?collection=c").json["indexes"]) == 2


def test_expired_documents_vanish(start: Callable[..., TestCluster]) -> None:
    root = Client.root(start(options={"ttl_interval": 0.2}))
    root("POST", "/_api/collection", {"name": "c", "numberOfShards": 2})
    now = time.time()
    documents = [{"_key": "old", "at": now - 100}, {"_key": "new", "at": now + 100}, {"_key": "never", "at": "?"}]
    root("POST", "/_api/document/c", [*documents, {"_key": "dated", "at": "2001-02-03T04:05:06Z"}])
    index(root, "c", type="ttl", fields=["at"], expireAfter=10)
    until = time.monotonic() + 10
    while root("GET", "/_api/collection/c/count").json["count"] > 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert root("GET", "/_api/document/c/new").status == 200
    assert root("GET", "/_api/document/c/never").status == 200
    assert root("GET", "/_api/collection/c/count").json["count"] == 2
