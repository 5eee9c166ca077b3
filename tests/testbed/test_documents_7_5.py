# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writing and reading documents, single and bulk (facts §7.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.testbed.client import Answer, Client
from tests.testbed.launch import TestCluster


@pytest.fixture(scope="module", autouse=True)
def _collections(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "c", "numberOfShards": 3, "replicationFactor": 2})
    client("POST", "/_api/collection", {"name": "e", "type": 3, "numberOfShards": 2})
    client("POST", "/_api/collection", {"name": "s", "numberOfShards": 3, "shardKeys": ["city"]})
    client("POST", "/_api/collection", {"name": "synced", "waitForSync": True})


@pytest.fixture(autouse=True)
def _empty(client: Client) -> Iterator[None]:
    yield
    for name in ("c", "e", "s"):
        client("PUT", f"/_api/collection/{name}/truncate")


def test_insert_answers_id_key_rev_with_etag_and_location(client: Client) -> None:
    answer = client("POST", "/_api/document/c", {"_key": "a", "x": 1})
    assert answer.status == 202
    assert list(answer.json) == ["_id", "_key", "_rev"]
    assert answer.headers["etag"] == f'"{answer.json["_rev"]}"'
    assert answer.headers["location"] == "/_db/_system/_api/document/c/a"
    read = client("GET", "/_api/document/c/a")
    assert read.body == b'{"_key":"a","_id":"c/a","_rev":"%b","x":1}' % answer.json["_rev"].encode()


@pytest.mark.parametrize(("target", "status"), [("c", 202), ("c?waitForSync=true", 201), ("synced", 201)])
def test_status_tells_whether_it_was_synced(client: Client, target: str, status: int) -> None:
    assert client("POST", f"/_api/document/{target}", {}).status == status
    assert client("POST", f"/_api/document/{target}", [{"_key": 1}]).status == status


def test_bytes_arrive_unchanged(client: Client) -> None:
    rest = '"f":1e-7,"big":12345678901234567890,"neg":-0.0,"text":"ä \\u00e4 \\/","deep":{"a":[1.0,2.50]}'
    client("POST", "/_api/document/c", f'{{"_key":"n",{rest}}}'.encode())
    body = client("GET", "/_api/document/c/n").body.decode()
    assert body.endswith("," + rest + "}")


def test_errors_come_by_position_with_their_numbers_in_a_header(client: Client) -> None:
    client("POST", "/_api/document/c", {"_key": "there"})
    body = [{"_key": 111}, {"_key": "fine"}, {"_key": "there"}, {"_key": "a/b"}, 7, {"_key": "fine"}]
    answer = client("POST", "/_api/document/c", body)
    assert answer.status == 202
    assert [entry.get("errorNum") for entry in answer.json] == [1221, None, 1210, 1221, 1227, 1210]
    assert answer.headers["x-arango-error-codes"] == '{"1221":2,"1210":2,"1227":1}'
    assert answer.json[0] == {"error": True, "errorNum": 1221, "errorMessage": "illegal document key"}
    assert "_key" not in answer.json[2]


@pytest.mark.parametrize(
    ("mode", "expected", "errors"),
    [
        ("", {"x": 1}, '{"1210":1}'),
        ("overwriteMode=conflict", {"x": 1}, '{"1210":1}'),
        ("overwriteMode=ignore", {"x": 1}, None),
        ("overwriteMode=replace", {"y": 2}, None),
        ("overwrite=true", {"y": 2}, None),
        ("overwriteMode=update", {"x": 1, "y": 2}, None),
    ],
)
def test_overwrite_modes(client: Client, mode: str, expected: dict[str, int], errors: str | None) -> None:
    first = client("POST", "/_api/document/c", {"_key": "k", "x": 1}).json["_rev"]
    answer = client("POST", f"/_api/document/c?{mode}", [{"_key": "k", "y": 2}])
    assert answer.headers.get("x-arango-error-codes") == errors
    document = client("GET", "/_api/document/c/k").json
    assert {name: value for name, value in document.items() if name[0] != "_"} == expected
    assert (document["_rev"] == first) == (expected == {"x": 1})


def test_restore_keeps_the_revision_and_newer_ones_do_not_matter(client: Client) -> None:
    client("POST", "/_api/document/c", {"_key": "k", "x": 1})
    query = "isRestore=true&overwriteMode=replace"
    answer = client("POST", f"/_api/document/c?{query}", [{"_key": "k", "_rev": "_abcdefg---", "y": 1}, {"_key": "n"}])
    assert [entry["_rev"] == "_abcdefg---" for entry in answer.json] == [True, False]
    assert client("GET", "/_api/document/c/k").json == {"_key": "k", "_id": "c/k", "_rev": "_abcdefg---", "y": 1}
    assert client("POST", "/_api/document/c", {"_key": "m", "_rev": "_abcdefg---"}).json["_rev"] != "_abcdefg---"


def test_last_of_two_entries_for_one_key_wins(client: Client) -> None:
    body = [{"_key": "k", "v": 1}, {"_key": "k", "v": 2}]
    client("POST", "/_api/document/c?isRestore=true&overwriteMode=replace", body)
    assert client("GET", "/_api/document/c/k").json["v"] == 2


def test_own_keys_need_sharding_by_key_unless_restoring(client: Client) -> None:
    answer = client("POST", "/_api/document/s", {"_key": "k", "city": "x"})
    assert (answer.status, answer.json["errorNum"]) == (400, 1466)
    restored = client("POST", "/_api/document/s?isRestore=true", {"_key": "k", "city": "x"})
    assert restored.status == 202
    assert client("GET", "/_api/document/s/k").json["city"] == "x"


def test_shard_keys_cannot_change(client: Client) -> None:
    key = client("POST", "/_api/document/s", {"city": "a"}).json["_key"]
    cities = [f"b{number}" for number in range(20)]
    numbers = {client("PATCH", f"/_api/document/s/{key}", {"city": city}).json.get("errorNum") for city in cities}
    assert numbers == {1202, 1469}  # another shard does not have it, the same one refuses


def test_edges_need_both_ends(client: Client) -> None:
    body = [{"_from": "c/a", "_to": "c/b", "w": 1}, {"_from": "c/a"}, {"_from": "c", "_to": "c/b"}]
    answer = client("POST", "/_api/document/e?returnNew=true", body)
    assert [entry.get("errorNum") for entry in answer.json] == [None, 1233, 1233]
    assert list(answer.json[0]["new"]) == ["_key", "_id", "_from", "_to", "_rev", "w"]
    key = answer.json[0]["_key"]
    assert client("PUT", f"/_api/document/e/{key}", {"w": 2}).json["errorNum"] == 1233
    assert client("PATCH", f"/_api/document/e/{key}", {"w": 2, "_to": "c/x"}).status == 202
    edge = client("GET", f"/_api/document/e/{key}").json
    assert (edge["_from"], edge["_to"], edge["w"]) == ("c/a", "c/x", 2)


Send = Callable[[str, object, dict[str, str]], Answer]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET"])
def test_if_match_is_compared(client: Client, method: str) -> None:
    revision = client("POST", "/_api/document/c", {"_key": "k"}).json["_rev"]
    body = None if method in ("DELETE", "GET") else {"x": 1}
    refused = client(method, "/_api/document/c/k", body, {"if-match": '"_other"'})
    assert refused.status == 412
    assert refused.json == {
        "error": True,
        "code": 412,
        "errorNum": 1200,
        "errorMessage": "conflict, _rev values do not match",
        "_id": "c/k",
        "_key": "k",
        "_rev": revision,
    }
    assert refused.headers["etag"] == f'"{revision}"'
    assert client(method, "/_api/document/c/k", body, {"if-match": f'"{revision}"'}).status in (200, 202)


def test_if_none_match(client: Client) -> None:
    revision = client("POST", "/_api/document/c", {"_key": "k"}).json["_rev"]
    answer = client("GET", "/_api/document/c/k", None, {"if-none-match": f'"{revision}"'})
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", f'"{revision}"')
    assert client("GET", "/_api/document/c/k", None, {"if-none-match": '"x"'}).status == 200


def test_replace_and_update_of_arrays(client: Client) -> None:
    client("POST", "/_api/document/c", [{"_key": "a", "v": 1}, {"_key": "b", "v": 1}])
    old = client("GET", "/_api/document/c/a").json["_rev"]
    answer = client("PUT", "/_api/document/c?returnOld=true", [{"_key": "a", "w": 1}, {"_key": "zz"}, {"v": 1}])
    assert [entry.get("errorNum") for entry in answer.json] == [None, 1202, 1205]
    assert answer.json[0]["_oldRev"] == old == answer.json[0]["old"]["_rev"]
    guarded = client("PATCH", "/_api/document/c?ignoreRevs=false", [{"_key": "a", "_rev": old, "x": 1}])
    assert guarded.headers["x-arango-error-codes"] == '{"1200":1}'
    client("PATCH", "/_api/document/c", [{"_key": "a", "x": 1}])
    document = client("GET", "/_api/document/c/a").json
    assert (document.get("v"), document["w"], document["x"]) == (None, 1, 1)


def test_only_get_reads_in_order_with_errors_by_position(client: Client) -> None:
    client("POST", "/_api/document/c", [{"_key": "a"}, {"_key": "b"}])
    answer = client("PUT", "/_api/document/c?onlyget=true", ["b", "none", {"_key": "a"}, "c/b", "d/b"])
    assert answer.status == 200
    assert [entry.get("_key") or entry["errorNum"] for entry in answer.json] == ["b", 1202, "a", "b", 1202]
    assert answer.headers["x-arango-error-codes"] == '{"1202":2}'


def test_silent_shows_errors_only(client: Client) -> None:
    answer = client("POST", "/_api/document/c?silent=true", [{"_key": "a"}, {"_key": 1}])
    assert [entry["errorNum"] for entry in answer.json] == [1221]
    assert client("POST", "/_api/document/c?silent=true", {"_key": "b"}).body == b"{}"


@pytest.mark.parametrize("body", [b"{ 1: 2 }", b'{"a":1', b"[{]", b'{"a":NaN}', b"\xff"])
def test_bad_json(client: Client, body: bytes) -> None:
    answer = client("POST", "/_api/document/c", body)
    assert (answer.status, answer.json["errorNum"]) == (400, 600)


def test_unknown_collection_and_database(client: Client) -> None:
    answer = client("POST", "/_api/document/none", {})
    assert (answer.status, answer.json["errorNum"]) == (404, 1203)
    answer = client("POST", "/_db/none/_api/document/c", {})
    assert (answer.status, answer.json["errorNum"]) == (404, 1228)


def test_writes_of_an_array_reach_the_log_as_one_frame_per_shard(cluster: TestCluster, client: Client) -> None:
    layout = client("GET", "/_api/collection/c/shards?details=true").json["shards"]
    leaders = {shard: servers[0] for shard, servers in layout.items()}
    ticks = {}
    for name, url in cluster.dbservers.items():
        with Client.superuser(cluster, url) as server:
            ticks[name] = server("GET", "/_api/wal/lastTick").json["tick"]
    client("POST", "/_api/document/c", [{"_key": str(number)} for number in range(30)])
    for shard, leader in leaders.items():
        with Client.superuser(cluster, cluster.dbservers[leader]) as server:
            lines = server("GET", f"/_api/wal/tail?global=true&from={ticks[leader]}").body.splitlines()
        texts = [line.decode() for line in lines]
        own = [index for index, text in enumerate(texts) if f"/{shard}" in text]
        assert own == list(range(own[0], own[-1] + 1))
        assert '"type":2200' in texts[own[0] - 1]
        assert '"type":2201' in texts[own[-1] + 1]


def test_before_3_11_1_one_illegal_document_refuses_the_array(start: Callable[..., TestCluster]) -> None:
    with Client.root(start(version="3.10.14")) as old:
        old("POST", "/_api/collection", {"name": "c", "numberOfShards": 2})
        answer = old("POST", "/_api/document/c", [{"_key": "fine"}, {"_key": 1}])
        assert (answer.status, answer.json["errorNum"]) == (400, 1221)
        assert old("GET", "/_api/collection/c/count").json["count"] == 0
