# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Schemas, computed values and external versions act on writes, and not on restored documents (facts §7.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.testbed.inprocess import Direct

RULE = {"properties": {"n": {"type": "number"}}, "required": ["n"]}
D = "/_api/document/c"


@pytest.fixture
def server() -> Iterator[Direct]:
    with Direct(version="3.12.10") as direct:
        yield direct


def make(server: Direct, **properties: Any) -> int:
    return int(server("POST", "/_api/collection", {"name": "c", **properties}).status)


def stored(server: Direct, key: str) -> dict[str, Any]:
    document = server("GET", f"{D}/{key}").json
    return {name: value for name, value in document.items() if not name.startswith("_")}


def computed(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "sum", "expression": "RETURN @doc.a + 1", "overwrite": True, **more}]


@pytest.mark.parametrize(
    ("level", "inserted", "valid_changed", "invalid_changed"),
    [("strict", 400, 400, 400), ("moderate", 400, 400, 202), ("new", 400, 202, 202), ("none", 202, 202, 202)],
)
def test_a_schema(server: Direct, level: str, inserted: int, valid_changed: int, invalid_changed: int) -> None:
    make(server, schema={"rule": RULE, "level": level, "message": "n is missing"})
    server("POST", D, {"_key": "valid", "n": 1})
    assert server("POST", f"{D}?isRestore=true", {"_key": "invalid", "_rev": "_jt3aNJe---"}).status == 202
    answer = server("POST", D, {"_key": "new", "n": "one"})
    assert answer.status == inserted
    if inserted == 400:
        assert (answer.json["errorNum"], answer.json["errorMessage"]) == (1620, "n is missing")
    assert server("PUT", f"{D}/valid", {}).status == valid_changed
    assert server("PATCH", f"{D}/invalid", {"a": 1}).status == invalid_changed


def test_an_array_reports_schema_errors_by_position(server: Direct) -> None:
    make(server, schema={"rule": RULE})
    answer = server("POST", D, [{"n": 1}, {}])
    assert answer.headers["x-arango-error-codes"] == '{"1620":1}'


def test_computed_values(server: Direct) -> None:
    make(server, computedValues=computed(computeOn=["insert", "replace"]))
    server("POST", D, {"_key": "k", "a": 1, "sum": 99})
    assert stored(server, "k") == {"a": 1, "sum": 2}
    server("PATCH", f"{D}/k", {"a": 5})
    assert stored(server, "k") == {"a": 5, "sum": 2}
    server("PUT", f"{D}/k", {"a": 7})
    assert stored(server, "k") == {"a": 7, "sum": 8}
    server("POST", f"{D}?isRestore=true&overwriteMode=replace", {"_key": "k", "_rev": "_jt3aNJe---", "a": 1})
    assert stored(server, "k") == {"a": 1}


def test_computed_values_can_leave_what_is_there(server: Direct) -> None:
    entry = {"name": "x", "expression": "RETURN null", "overwrite": False, "keepNull": False}
    make(server, computedValues=[*computed(overwrite=False), entry])
    server("POST", D, [{"_key": "given", "a": 1, "sum": 99}, {"_key": "made", "a": 1}])
    assert stored(server, "given") == {"a": 1, "sum": 99}
    assert stored(server, "made") == {"a": 1, "sum": 2}


def test_an_import_computes_anew_what_a_copy_should_keep(server: Direct) -> None:
    """A naive client that copies by import changes documents (facts §7.9); one that restores them does not."""
    make(server, computedValues=computed())
    line = b'{"_key":"k","_rev":"_jt3aNJe---","a":1,"sum":99}'
    server("POST", "/_api/import?collection=c&type=documents", line)
    assert stored(server, "k")["sum"] == 2
    server("PUT", "/_api/replication/restore-data?collection=c", line)
    assert stored(server, "k")["sum"] == 99


@pytest.mark.parametrize(
    ("properties", "number"),
    [
        ({"schema": {"level": "strict"}}, 1621),
        ({"schema": {"rule": {"type": "nothing"}}}, 1621),
        ({"schema": {"rule": {}, "level": "some"}}, 1621),
        ({"computedValues": {}}, 10),
        ({"computedValues": [{"name": "_key", "expression": "RETURN 1", "overwrite": True}]}, 10),
        ({"computedValues": [{"name": "a", "expression": "1", "overwrite": True}]}, 10),
        ({"computedValues": [{"name": "a", "expression": "RETURN 1"}]}, 10),
        ({"computedValues": computed(computeOn=["read"])}, 10),
    ],
)
def test_bad_definitions(server: Direct, properties: dict[str, Any], number: int) -> None:
    assert server("POST", "/_api/collection", {"name": "c", **properties}).json["errorNum"] == number
    make(server)
    assert server("PUT", "/_api/collection/c/properties", properties).json["errorNum"] == number


@pytest.mark.parametrize(("version", "expected"), [("3.12.10", 5), ("3.11.14", 3)])
@pytest.mark.parametrize("way", ["PUT", "PATCH", "POST", "UPDATE"])
def test_external_versions_since_3_12(version: str, expected: int, way: str) -> None:
    """An older version does not replace a newer one; without numbers on both sides it is a usual write."""
    with Direct(version=version) as server:
        make(server)
        server("POST", D, {"_key": "k", "v": 5})
        option = "versionAttribute=v"
        if way == "POST":
            answer = server("POST", f"{D}?overwriteMode=replace&{option}", {"_key": "k", "v": 3})
        elif way == "UPDATE" and version == "3.12.10":
            query = "UPDATE 'k' WITH {v: 3} IN c OPTIONS {versionAttribute: 'v'}"
            answer = server("POST", "/_api/cursor", {"query": query})
        else:
            answer = server("PATCH" if way == "UPDATE" else way, f"{D}/k?{option}", {"v": 3})
        assert answer.status in (201, 202)
        assert stored(server, "k")["v"] == expected
        if expected == 5 and way != "UPDATE":
            assert answer.json["_rev"] == answer.json["_oldRev"]
        assert server("PUT", f"{D}/k?{option}", {"v": "text"}).status == 202
        assert stored(server, "k")["v"] == "text"
