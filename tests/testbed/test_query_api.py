# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is asked about queries beside running them, and settings of servers that clients change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.testbed.inprocess import Direct


@pytest.fixture(params=["3.11.14", "3.12.10"])
def direct(request: pytest.FixtureRequest) -> Iterator[Direct]:
    with Direct(version=request.param) as found:
        assert found("POST", "/_api/collection", {"name": "c"}).status == 200
        yield found


def test_a_parsed_query_names_its_collections_and_parameters(direct: Direct) -> None:
    query = "FOR a IN c FOR b IN a.list FOR x IN b FILTER x == @v INSERT x INTO d"
    answer = direct("POST", "/_api/query", {"query": query}).json
    assert (answer["parsed"], answer["collections"], answer["bindVars"]) == (True, ["c", "d"], ["v"])
    listed = direct("POST", "/_api/query", {"query": "LET c = [1] FOR x IN (FOR y IN c RETURN y) RETURN x"}).json
    assert listed["collections"] == []


@pytest.mark.parametrize("path", ["/_api/query", "/_api/explain", "/_api/cursor"])
@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": 5}])
def test_no_query_is_1502(direct: Direct, path: str, body: object) -> None:
    answer = direct("POST", path, body)
    assert (answer.status, answer.json["errorNum"]) == (400, 1502)


def test_nodes_of_a_plan_have_the_names_of_the_optimizer(direct: Direct) -> None:
    query = "LET n = 1 FOR a IN c FOR i IN 1..2 FILTER a.x == n SORT i LIMIT 5 REMOVE a IN c"
    answer = direct("POST", "/_api/explain", {"query": query}).json
    names = [node["type"].removesuffix("Node") for node in answer["plan"]["nodes"]]
    assert names == [
        *("Singleton", "Calculation", "EnumerateCollection", "EnumerateList", "Filter", "Sort", "Limit", "Remove"),
    ]


def test_settings_of_query_tracking_and_of_the_cache(direct: Direct) -> None:
    changed = direct("PUT", "/_api/query/properties", {"slowQueryThreshold": 2.5, "maxSlowQueries": "x", "no": 1}).json
    assert (changed["slowQueryThreshold"], changed["maxSlowQueries"], "no" in changed) == (2.5, 64, False)
    cached = direct("PUT", "/_api/query-cache/properties", {"mode": "demand", "maxResults": True}).json
    assert (cached["mode"], cached["maxResults"]) == ("demand", 128)
    assert direct("GET", "/_api/query-cache/properties").json == cached
    assert direct("PUT", "/_api/query-cache/properties", {"mode": "always"}).status == 400
    assert direct("GET", "/_api/query-cache/entries").json == []
    assert direct("DELETE", "/_api/query-cache").json == {"error": False, "code": 200}


def test_levels_of_the_log_are_kept_by_server(direct: Direct) -> None:
    assert direct("PUT", "/_admin/log/level", {"queries": "debug", "cluster": "loud", "none": "info"}).json[
        "queries"
    ] == "DEBUG"
    kept = direct("GET", "/_admin/log/level").json
    assert (kept["queries"], kept["cluster"], "none" in kept) == ("DEBUG", "INFO", False)
    assert direct("GET", "/_admin/log/level", on=direct.dbservers[0]).json["queries"] == "INFO"
    assert set(direct("PUT", "/_admin/log/level", {"all": "warning"}).json.values()) == {"WARNING"}


def test_settings_of_a_user_one_by_one(direct: Direct) -> None:
    place = "/_api/user/root/config"
    for name in ("a", "b"):
        assert direct("PUT", f"{place}/{name}", {"shown": name}).status == 200
    assert direct("GET", f"{place}/a").json["result"] == {"shown": "a"}
    assert direct("DELETE", f"{place}/a").status == 202
    assert direct("GET", f"{place}/a").json["result"] is None
    assert direct("GET", place).json["result"] == {"b": {"shown": "b"}}


def test_periods_and_lock_timeouts_are_positive(direct: Direct) -> None:
    task = direct("POST", "/_api/tasks", {"command": "1", "period": -1})
    begun = direct("POST", "/_api/transaction/begin", {"collections": {"write": "c"}, "lockTimeout": -1})
    for answer in (task, begun):
        assert (answer.status, answer.json["errorNum"]) == (400, 10)


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("3.11.14", "/_api/key-generators", 404),
        ("3.12.10", "/_api/key-generators", 200),
        ("3.12.3", "/_api/query-plan-cache", 404),
        ("3.12.4", "/_api/query-plan-cache", 200),
    ],
)
def test_what_came_late(version: str, path: str, status: int) -> None:
    with Direct(version=version) as direct:
        assert direct("GET", path).status == status


def test_no_request_is_answered_in_a_database_that_is_not_there(direct: Direct) -> None:
    for path in ("/_api/version", "/_api/query-cache/entries", "/_admin/server/role"):
        answer = direct("GET", f"/_db/none{path}")
        assert (answer.status, answer.json["errorNum"]) == (404, 1228)
    assert direct("GET", "/_db/none/_admin/server/availability").status == 200
