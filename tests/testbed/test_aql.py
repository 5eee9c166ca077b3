# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AQL subset: what it answers, what it refuses and where, and cursors over its results."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testbed.aql import values
from tests.testbed.aql.parser import parse
from tests.testbed.client import Client
from tests.testbed.errors import ArangoError


@pytest.fixture(scope="module")
def numbers(client: Client) -> str:
    """A collection of a hundred documents over three shards."""
    assert client("POST", "/_api/collection", {"name": "numbers", "numberOfShards": 3}).status == 200
    documents = [{"_key": f"k{number:03d}", "n": number, "mod": number % 3} for number in range(100)]
    assert client("POST", "/_api/document/numbers", documents).status == 202
    return "numbers"


def ask(client: Client, query: str, **body: Any) -> Any:
    """Result of a query that fits into one batch."""
    answer = client("POST", "/_api/cursor", {"query": query, **body})
    assert answer.status == 201, answer.body
    return answer.json["result"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("RETURN 1 + 2 * 3 - 4 / 2", [5]),
        ("RETURN [1 == 1.0, 1 == '1', null < false, false < 0, 0 < 'a', 'a' < [], [] < {}]",
         [[True, False, True, True, True, True, True]]),
        ("RETURN NOT 1 == 2", [False]),
        ("RETURN [7 % 3, -7 % 3, 7 / 0]", [[1, -1, None]]),
        ("RETURN 1 IN [1, 2] && 3 NOT IN [1, 2] || false", [True]),
        ("RETURN ['abc' LIKE 'a%c', 'abc' LIKE 'a_', 'x' =~ '^X', !true ? 1 : 2]", [[True, False, False, 2]]),
        ("FOR i IN 3..1 RETURN i", [3, 2, 1]),
        ("FOR x IN [{a: 2}, {a: 1}] SORT x.a RETURN x['a']", [1, 2]),
        ("FOR i IN 1..10 FILTER i > 2 AND i <= 8 SORT i DESC LIMIT 1, 3 RETURN i", [7, 6, 5]),
        ("FOR i IN 1..6 COLLECT odd = i % 2 AGGREGATE s = SUM(i), m = MAX(i) RETURN {odd, s, m}",
         [{"odd": 0, "s": 12, "m": 6}, {"odd": 1, "s": 9, "m": 5}]),
        ("FOR i IN 1..6 COLLECT odd = i % 2 WITH COUNT INTO n RETURN [odd, n]", [[0, 3], [1, 3]]),
        ("FOR i IN 1..4 COLLECT odd = i % 2 INTO g = i RETURN g", [[2, 4], [1, 3]]),
        ("FOR i IN [] COLLECT WITH COUNT INTO n RETURN n", [0]),
        ("LET a = (FOR i IN 1..3 RETURN i * i) RETURN [LENGTH(a), a[-1], a[*], SUM(a)]", [[3, 9, [1, 4, 9], 14]]),
        ("FOR i IN [1, 2, 2, 1.0] RETURN DISTINCT i", [1, 2]),
        ("RETURN MERGE({a: 1}, {b: @b}, {[CONCAT('c', 1)]: true})", [{"a": 1, "b": 7, "c1": True}]),
        ("RETURN [HAS({a: null}, 'a'), UNSET({a: 1, b: 2}, 'a'), KEEP({a: 1, b: 2}, 'a')]",
         [[True, {"b": 2}, {"a": 1}]]),
        ("RETURN UNION_DISTINCT([1, 2], [2, 3])", [[1, 2, 3]]),
        ("RETURN 'a\\u00e4\\n' // comment\n", ["aä\n"]),
        ("FOR x IN [{a: [{b: 1}, {b: 2}]}] RETURN x.a[*].b", [[1, 2]]),
    ],
)  # fmt: skip
def test_queries_without_collections(client: Client, query: str, expected: list[Any]) -> None:
    binds = {"b": 7} if "@b" in query else {}
    assert ask(client, query, bindVars=binds) == expected


@pytest.mark.parametrize(
    ("query", "error", "position"),
    [
        ("FOR", 1501, "1:4"),
        ("RETURN 1 +", 1501, "1:11"),
        ("FOR i IN 1..2\n  FOO i RETURN i", 1501, "2:3"),
        ("FOR v, e IN 1..2 OUTBOUND 'a/b' g RETURN v", 1501, "1:6"),
        ("FOR v IN 1..2 OUTBOUND 'a/b' g RETURN v", 1501, "1:15"),
        ("RETURN 'open", 1501, "1:8"),
        ("RETURN NOSUCH(1)", 1540, ""),
        ("RETURN LENGTH(1, 2, 3)", 1541, ""),
        ("RETURN nothing", 1203, ""),
        ("RETURN @missing", 1551, ""),
        ("", 1502, ""),
        ("RETURN " + "!" * 5000 + "1", 1501, "1:1"),
        ("RETURN " + "[" * 5000, 1501, ""),
    ],
)
def test_what_is_not_understood_is_refused(client: Client, query: str, error: int, position: str) -> None:
    answer = client("POST", "/_api/cursor", {"query": query})
    assert answer.json["errorNum"] == error
    assert position in answer.json["errorMessage"]


def test_a_body_without_a_query(client: Client) -> None:
    bodies: list[Any] = [None, [], {}, {"query": 1}]
    for body in bodies:
        assert client("POST", "/_api/cursor", body).json["errorNum"] == 1502


def test_undeclared_bind_parameter(client: Client) -> None:
    assert client("POST", "/_api/cursor", {"query": "RETURN 1", "bindVars": {"x": 1}}).json["errorNum"] == 1552


def test_fast_paths_give_what_the_slow_ones_give(client: Client, numbers: str) -> None:
    bound = {"bindVars": {"@c": numbers}}
    whole = ask(client, "FOR d IN @@c RETURN d", **bound)
    assert whole == ask(client, "FOR d IN @@c FILTER true RETURN d", **bound)
    pairs = ask(client, "FOR d IN @@c RETURN [d._key, d._rev]", **bound)
    assert sorted(pairs) == sorted([entry["_key"], entry["_rev"]] for entry in whole)
    assert len(pairs) == 100


def test_number_texts_survive_a_query(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "texts"})
    client("POST", "/_api/document/texts", b'{"_key":"1","a":1e-7,"b":12345678901234567890,"c":-0.0}')
    for query in ("FOR d IN texts RETURN d", "FOR d IN texts FILTER d._key == '1' RETURN {d}"):
        body = client("POST", "/_api/cursor", {"query": query}).body
        assert b'"a":1e-7,"b":12345678901234567890,"c":-0.0' in body


def test_lookup_by_key_reads_no_more_than_it_must(client: Client, numbers: str) -> None:
    body = {"query": "FOR d IN numbers FILTER d._key IN @keys RETURN d.n", "bindVars": {"keys": ["k005", "k007", "x"]}}
    answer = client("POST", "/_api/cursor", body).json
    assert sorted(answer["result"]) == [5, 7]
    assert answer["extra"]["stats"]["scannedFull"] == 0


def test_batches_count_and_end_of_a_cursor(client: Client, numbers: str) -> None:
    body = {"query": "FOR d IN numbers SORT d.n RETURN d.n", "batchSize": 40, "count": True}
    first = client("POST", "/_api/cursor", body).json
    assert (first["result"], first["count"], first["hasMore"]) == (list(range(40)), 100, True)
    second = client("PUT", f"/_api/cursor/{first['id']}").json
    assert second["result"] == list(range(40, 80))
    third = client("POST", f"/_api/cursor/{first['id']}").json
    assert (third["result"], third["hasMore"]) == (list(range(80, 100)), False)
    assert client("PUT", f"/_api/cursor/{first['id']}").json["errorNum"] == 1600


def test_a_retried_batch_is_the_same(client: Client, numbers: str) -> None:
    body = {"query": "FOR d IN numbers SORT d.n RETURN d.n", "batchSize": 30, "options": {"allowRetry": True}}
    cursor = client("POST", "/_api/cursor", body).json
    place = f"/_api/cursor/{cursor['id']}"
    two = client("POST", f"{place}/2").json
    assert client("POST", f"{place}/2").json["result"] == two["result"]
    assert client("POST", f"{place}/3").json["result"] == list(range(60, 90))
    assert client("POST", f"{place}/2").json["errorNum"] == 1600


def test_a_streaming_cursor_has_no_count_and_can_be_closed(client: Client, numbers: str) -> None:
    body = {"query": "FOR d IN numbers RETURN d", "batchSize": 60, "count": True, "options": {"stream": True}}
    first = client("POST", "/_api/cursor", body).json
    assert "count" not in first
    assert "extra" not in first
    assert first["hasMore"]
    assert client("DELETE", f"/_api/cursor/{first['id']}").status == 202
    assert client("DELETE", f"/_api/cursor/{first['id']}").status == 404
    exact = client("POST", "/_api/cursor", {**body, "batchSize": 100}).json
    assert (len(exact["result"]), exact["hasMore"]) == (100, False)


def test_a_cursor_expires(client: Client, numbers: str) -> None:
    cursor = client("POST", "/_api/cursor", {"query": "FOR d IN numbers RETURN 1", "batchSize": 10, "ttl": 0.01}).json
    ask(client, "RETURN SLEEP(0.05)")
    assert client("PUT", f"/_api/cursor/{cursor['id']}").json["errorNum"] == 1600


def test_modifications(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "changed", "numberOfShards": 2})
    assert ask(client, "FOR i IN 1..5 INSERT {_key: CONCAT('k', i), i} INTO changed RETURN NEW.i") == [1, 2, 3, 4, 5]
    update = "FOR d IN changed FILTER d.i > 3 UPDATE d WITH {big: true} IN changed RETURN [OLD.big, NEW.big]"
    assert ask(client, update) == [[None, True]] * 2
    assert ask(client, "REPLACE 'k1' WITH {x: 1} IN changed RETURN [HAS(NEW, 'i'), NEW.x]") == [[False, 1]]
    assert ask(client, "REMOVE {_key: 'k2'} IN changed RETURN OLD.i") == [2]
    upsert = "UPSERT {name: @n} INSERT {name: @n, hits: 1} UPDATE {hits: OLD.hits + 1} IN changed RETURN NEW.hits"
    assert [ask(client, upsert, bindVars={"n": "a"}) for _ in range(3)] == [[1], [2], [3]]
    missing = client("POST", "/_api/cursor", {"query": "REMOVE 'none' IN changed"})
    assert (missing.status, missing.json["errorNum"]) == (404, 1202)
    assert ask(client, "REMOVE 'none' IN changed OPTIONS {ignoreErrors: true}") == []


def test_a_failing_query_leaves_nothing(client: Client) -> None:
    client("POST", "/_api/collection", {"name": "whole"})
    query = "FOR i IN [1, 2, 1] INSERT {_key: TO_STRING(i)} INTO whole"
    assert client("POST", "/_api/cursor", {"query": query}).json["errorNum"] == 1210
    assert ask(client, "RETURN LENGTH(whole)") == [0]


def test_texts_sort_by_collation_not_bytes(client: Client) -> None:
    query = "FOR t IN ['b', 'B', 'a', 'Z', '_', '1', 'ä'] SORT t RETURN t"
    assert ask(client, query) == ["_", "1", "a", "ä", "b", "B", "Z"]


@pytest.mark.parametrize("filtered", ["", "FILTER d._key != 'none' "])
def test_a_scan_for_keys_alone_has_the_bytewise_order_of_the_primary_index(client: Client, filtered: str) -> None:
    name = f"bytewise{len(filtered)}"
    client("POST", "/_api/collection", {"name": name})
    client("POST", f"/_api/document/{name}", [{"_key": key} for key in ("b", "a", "C", "B")])
    assert ask(client, f"FOR d IN {name} {filtered}RETURN d._key") == ["B", "C", "a", "b"]
    assert ask(client, f"FOR d IN {name} {filtered}SORT d._key RETURN d._key") == ["a", "b", "B", "C"]
    assert [entry["_key"] for entry in ask(client, f"FOR d IN {name} {filtered}RETURN d")] == ["b", "a", "C", "B"]
    assert ask(client, f"FOR d IN {name} {filtered}RETURN [d._key, d.a]") == [[k, None] for k in ("b", "a", "C", "B")]


def test_a_query_is_listed_and_killed(client: Client) -> None:
    job = client("POST", "/_api/cursor", {"query": "RETURN SLEEP(20)"}, {"x-arango-async": "store"})
    identifier = job.headers["x-arango-async-id"]
    ask(client, "RETURN SLEEP(0.05)")
    running = [entry for entry in client("GET", "/_api/query/current").json if "SLEEP(20)" in entry["query"]]
    assert [entry["state"] for entry in running] == ["executing"]
    assert client("DELETE", f"/_api/query/{running[0]['id']}").status == 200
    ask(client, "RETURN SLEEP(0.05)")
    assert client("PUT", f"/_api/job/{identifier}").json["errorNum"] == 1500


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=6))
def test_the_order_of_values_is_total(items: list[Any]) -> None:
    ordered = sorted(items, key=values.sort_key)
    for position, left in enumerate(ordered):
        for right in ordered[position + 1 :]:
            assert values.compare(left, right) <= 0
            assert values.compare(left, right) == -values.compare(right, left)


@given(st.text(alphabet="FORINRETURNd @c[](){}.,'\"=<>!1 \n", max_size=40))
def test_any_text_parses_or_is_refused_with_1501(text: str) -> None:
    try:
        parse(text)
    except ArangoError as error:
        assert error.error_num == 1501
