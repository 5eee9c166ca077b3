# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drawn queries give what a few lines of Python give; whatever is outside the subset is refused with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.testbed.recorded_target import Emulated, Reply

_VALUES: list[Any] = [None, False, True, -3, 0, 2, 2.5, "", "b", "z", [], [1], {}]
_RANK = {type(None): 0, bool: 1, int: 2, float: 2, str: 3, list: 4, dict: 5}
_COMPARISONS = {
    "==": lambda left, right: _order(left) == _order(right),
    "!=": lambda left, right: _order(left) != _order(right),
    "<": lambda left, right: _order(left) < _order(right),
    "<=": lambda left, right: _order(left) <= _order(right),
    ">": lambda left, right: _order(left) > _order(right),
    ">=": lambda left, right: _order(left) >= _order(right),
}
CONDITIONS = st.tuples(st.sampled_from(["v", "g"]), st.sampled_from(sorted(_COMPARISONS)), st.sampled_from(_VALUES))


def _order(value: Any) -> tuple[int, Any]:
    """AQL's order: by type, then by value; the values here need no collation."""
    return _RANK[type(value)], sorted(value) if isinstance(value, dict) else 0 if value is None else value


DOCUMENTS = [{"_key": f"k{number:02}", "v": _VALUES[number % 13], "g": number % 4, "n": number} for number in range(39)]


@pytest.fixture(scope="module")
def server() -> Iterator[Emulated]:
    """A server with a few documents of every type."""
    target = Emulated("3.12.10", "single")
    target.send("POST", "/_api/collection", {"name": "drawn"})
    assert target.send("POST", "/_api/document/drawn", DOCUMENTS).status == 202
    yield target
    target.close()


def _ask(server: Emulated, query: str, variables: dict[str, Any]) -> Reply:
    return server.send("POST", "/_api/cursor", {"query": query, "bindVars": variables, "batchSize": 1000})


@settings(max_examples=150)
@given(
    one=CONDITIONS,
    other=CONDITIONS,
    joined=st.sampled_from(["AND", "OR"]),
    descending=st.booleans(),
    limit=st.tuples(st.integers(0, 5), st.integers(0, 20)),
)
def test_filter_sort_and_limit(
    server: Emulated,
    one: tuple[Any, ...],
    other: tuple[Any, ...],
    joined: str,
    descending: bool,
    limit: tuple[int, int],
) -> None:
    query = (
        f"FOR d IN drawn FILTER d.{one[0]} {one[1]} @a {joined} d.{other[0]} {other[1]} @b "
        f"SORT d.v {'DESC' if descending else 'ASC'}, d.n LIMIT @skip, @most RETURN d.n"
    )
    answer = _ask(server, query, {"a": one[2], "b": other[2], "skip": limit[0], "most": limit[1]})
    combine = all if joined == "AND" else any
    kept = [
        entry
        for entry in DOCUMENTS
        if combine(_COMPARISONS[sign](entry[name], value) for name, sign, value in (one, other))
    ]
    kept.sort(key=lambda entry: _order(entry["v"]), reverse=descending)  # stable: equal ones stay in the order of n
    assert answer.status == 201, answer.body
    assert answer.body["result"] == [entry["n"] for entry in kept[limit[0] : limit[0] + limit[1]]]


@settings(max_examples=40)
@given(sign=st.sampled_from(sorted(_COMPARISONS)), value=st.integers(-1, 40))
def test_collect_and_aggregate(server: Emulated, sign: str, value: int) -> None:
    query = (
        f"FOR d IN drawn FILTER d.n {sign} @value COLLECT g = d.g "
        "AGGREGATE most = MAX(d.n), least = MIN(d.n), total = SUM(d.n), count = LENGTH(1) "
        "RETURN {g, most, least, total, count}"
    )
    kept = [entry for entry in DOCUMENTS if _COMPARISONS[sign](entry["n"], value)]
    groups = [(g, [int(entry["n"]) for entry in kept if entry["g"] == g]) for g in range(4)]
    expected = [
        {"g": g, "most": max(found), "least": min(found), "total": sum(found), "count": len(found)}
        for g, found in groups
        if found
    ]
    assert _ask(server, query, {"value": value}).body["result"] == expected


@settings(max_examples=40)
@given(least=st.integers(0, 40), added=st.integers(-5, 5))
def test_changes(server: Emulated, least: int, added: int) -> None:
    server.send("POST", "/_api/collection", {"name": "changed"})
    server.send("PUT", "/_api/collection/changed/truncate")
    variables = {"least": least, "added": added}
    _ask(server, "FOR d IN drawn INSERT {_key: d._key, n: d.n} INTO changed", {})
    _ask(server, "FOR d IN changed FILTER d.n >= @least UPDATE d WITH {n: d.n + @added, u: true} IN changed", variables)
    _ask(server, "FOR d IN changed FILTER d.n % 3 == 0 REMOVE d IN changed", {})
    _ask(server, "FOR d IN changed FILTER d.n == 1 REPLACE d WITH {r: d.n} IN changed", {})
    found = _ask(server, "FOR d IN changed SORT d._key RETURN [d._key, d.n, d.r]", {}).body["result"]
    moved = [(entry["_key"], entry["n"] + (added if entry["n"] >= least else 0)) for entry in DOCUMENTS]
    expected = [[key, None, 1] if n == 1 else [key, n, None] for key, n in moved if n % 3]
    assert found == expected


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("FOR v IN 1..2 OUTBOUND 'drawn/1' e RETURN v", "OUTBOUND"),
        ("FOR d IN view SEARCH d.a == 1 RETURN d", "SEARCH"),
        ("FOR d IN drawn WINDOW {preceding: 1} AGGREGATE x = SUM(d.n) RETURN x", "WINDOW"),
        ("FOR d IN drawn PRUNE d.n > 1 RETURN d", "PRUNE"),
        ("RETURN [1, 2][* FILTER CURRENT > 1]", "FILTER"),
        ("RETURN [1] ANY == 1", "ANY"),
        ("FOR p IN K_SHORTEST_PATHS 'a/1' TO 'a/2' GRAPH 'g' RETURN p", "K_SHORTEST_PATHS"),
        ("RETURN 1 RETURN 2", "RETURN"),
        ("FOR d IN drawn", "end of query"),
    ],
)
def test_what_is_outside_is_refused_with_its_place(server: Emulated, query: str, near: str) -> None:
    answer = _ask(server, query, {})
    assert (answer.status, answer.body["errorNum"]) == (400, 1501)
    message = answer.body["errorMessage"]
    place = re.search(r"at position 1:(\d+)", message)
    assert place is not None, message
    if near in query and query.count(near) == 1:
        assert abs(int(place[1]) - query.index(near) - 1) <= len(near) + 2, message
