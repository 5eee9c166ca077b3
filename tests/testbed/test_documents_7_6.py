# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removing documents (facts §7.6)."""

from __future__ import annotations

import pytest

from tests.testbed.client import Client


@pytest.fixture(scope="module", autouse=True)
def _collections(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "c", "numberOfShards": 3, "replicationFactor": 2})
    client("POST", "/_api/collection", {"name": "s", "numberOfShards": 4, "shardKeys": ["city"]})


def test_remove_one(client: Client) -> None:
    revision = client("POST", "/_api/document/c", {"_key": "k"}).json["_rev"]
    answer = client("DELETE", "/_api/document/c/k?returnOld=true")
    assert answer.status == 202
    assert answer.json["_rev"] == answer.json["old"]["_rev"] == revision
    missing = client("DELETE", "/_api/document/c/k")
    assert (missing.status, missing.json["errorNum"]) == (404, 1202)


def test_remove_an_array_of_keys_ids_and_objects(client: Client) -> None:
    client("POST", "/_api/document/c", [{"_key": key} for key in "abcd"])
    answer = client("DELETE", "/_api/document/c", ["a", "c/b", {"_key": "c"}, "none", "other/d"])
    assert answer.status == 202
    assert [entry.get("errorNum") for entry in answer.json] == [None, None, None, 1202, 1202]
    assert answer.headers["x-arango-error-codes"] == '{"1202":2}'
    assert client("DELETE", "/_api/document/c?waitForSync=true", ["d"]).status == 200


def test_revisions_guard_only_when_they_are_not_ignored(client: Client) -> None:
    revision = client("POST", "/_api/document/c", {"_key": "g"}).json["_rev"]
    guarded = client("DELETE", "/_api/document/c?ignoreRevs=false", [{"_key": "g", "_rev": "_other"}])
    assert guarded.json == [{"error": True, "errorNum": 1200, "errorMessage": "conflict, _rev values do not match"}]
    matching = client("DELETE", "/_api/document/c?ignoreRevs=false", [{"_key": "g", "_rev": revision}])
    assert matching.json[0]["_key"] == "g"
    client("POST", "/_api/document/c", {"_key": "g"})
    assert client("DELETE", "/_api/document/c", [{"_key": "g", "_rev": "_other"}]).json[0]["_key"] == "g"


def test_without_shard_keys_every_shard_is_asked(client: Client) -> None:
    """The same key twice, in different shards, as only a restore can make it: an unguarded remove takes both."""
    cities = [f"city{number}" for number in range(12)]
    place = {
        city: client("PUT", "/_api/collection/s/responsibleShard", {"city": city}).json["shardId"] for city in cities
    }
    one = cities[0]
    two = next(city for city in cities if place[city] != place[one])

    def restore() -> None:
        body = [{"_key": "k", "_rev": "_a---------", "city": one}, {"_key": "k", "_rev": "_b---------", "city": two}]
        client("POST", "/_api/document/s?isRestore=true&overwriteMode=replace", body)

    def count() -> object:
        return client("GET", "/_api/collection/s/count").json["count"]

    restore()
    assert count() == 2
    client("DELETE", "/_api/document/s?ignoreRevs=false", [{"_key": "k", "_rev": "_b---------"}])
    assert count() == 1
    assert client("GET", "/_api/document/s/k").json["city"] == one
    restore()
    client("DELETE", "/_api/document/s", ["k"])
    assert count() == 0
    restore()
    client("DELETE", "/_api/document/s", [{"_key": "k", "city": one}])
    assert client("GET", "/_api/document/s/k").json["city"] == two
