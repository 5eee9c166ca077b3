# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Large numbers of old sources: what is printed rounded is read again by key (facts §5.8, I2, I9)."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.exactness import ExactNumbers, prints_exactly
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import Marker
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.reads import as_insert
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan
from tests.testbed import exactness, velocypack

PLAN = ShardPlan(ShardId("shop", "1", "s1"), "things", "s1", "PRMR-a")
LARGE = 1.2345678901234567e18


class Source:
    """Holds documents by key; answers as VelocyPack, and notes what it was asked."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.asked: list[list[str]] = []
        self.broken: set[str] = set()
        self.failure: ArangoError | None = None

    def request(self, method: str, path: str, **options: Any) -> Response:
        """See ``Coordinators``."""
        assert (method, path, options["database"]) == ("PUT", "/_api/document/things", "shop")
        assert options["query"] == {"onlyget": True}
        assert options["headers"]["Accept"] == velocypack.CONTENT_TYPE
        self.asked.append(options["body"])
        if self.failure is not None:
            raise self.failure
        if self.broken.intersection(options["body"]):
            return Response(200, {}, b"\xff")
        missing = {"error": True, "errorNum": 1202, "errorMessage": "document not found"}
        return Response(200, {}, velocypack.dumps([self.documents.get(key, missing) for key in options["body"]]))

    def put(self, key: str, number: object, revision: str = "_rev1") -> Marker:
        """The document is there; gives the marker that an old server prints for it."""
        document = {"_key": key, "_id": f"things/{key}", "_rev": revision, "n": number}
        self.documents[key] = document
        return as_insert(exactness.inexact(json.dumps(document, separators=(",", ":")).encode()))


@pytest.fixture
def source() -> Source:
    return Source()


def exact_of(source: Source, findings: list[Finding] | None = None, needed: bool = True) -> ExactNumbers:
    patience = Patience(threading.Event(), Troubles(), time_scale=0.001)
    told = findings if findings is not None else []
    return ExactNumbers(source, patience, told.append, needed=needed)  # type: ignore[arg-type]


def number(marker: Marker) -> object:
    return json.loads(marker.data)["n"]


def test_i2_a_rounded_number_is_replaced_by_the_exact_one(source: Source) -> None:
    plain, large, whole = source.put("a", 7), source.put("b", LARGE), source.put("c", 9007199254740993)
    assert number(large) != LARGE
    found = exact_of(source).markers(PLAN, [plain, large, whole])
    assert [number(marker) for marker in found] == [7, LARGE, 9007199254740993]
    assert repr(number(found[1])) == repr(LARGE)
    assert [marker.key for marker in found] == [b"a", b"b", b"c"]
    assert source.asked == [["b", "c"]]
    assert found[0].data == plain.data


def test_lines_of_a_snapshot_keep_their_places(source: Source) -> None:
    lines = [source.put("a", 1).data, source.put("b", [LARGE, -LARGE]).data, source.put("c", "x").data]
    body = b"\n".join(lines) + b"\n"
    found = exact_of(source).body(PLAN, body).split(b"\n")
    assert (found[0], found[2], found[3]) == (lines[0], lines[2], b"")
    assert json.loads(found[1])["n"] == [LARGE, -LARGE]


def test_a_document_that_has_changed_waits_for_its_marker(source: Source) -> None:
    old = source.put("a", LARGE)
    gone = source.put("b", LARGE)
    source.put("a", 5, "_rev2")
    del source.documents["b"]
    assert exact_of(source).markers(PLAN, [old, gone]) == [old, gone]


def test_an_exact_source_is_never_asked(source: Source) -> None:
    marker = source.put("a", LARGE)
    exact = exact_of(source, needed=False)
    assert exact.markers(PLAN, [marker]) == [marker]
    assert exact.body(PLAN, marker.data) == marker.data
    assert source.asked == []


def test_nothing_large_costs_nothing(source: Source) -> None:
    markers = [source.put("a", 1.5), source.put("b", "12345678901234567890"), source.put("c", 123456789012345)]
    assert exact_of(source).markers(PLAN, markers) == markers
    assert source.asked == []


def test_i9_what_cannot_be_read_exactly_is_told_by_key(source: Source) -> None:
    markers = [source.put(key, LARGE) for key in "abc"]
    source.broken = {"b"}
    findings: list[Finding] = []
    found = exact_of(source, findings).markers(PLAN, markers)
    assert [number(marker) == LARGE for marker in found] == [True, False, True]
    assert [(one.code, one.severity, one.where, one.key) for one in findings] == [
        ("CUT-DATA-15", "error", "shop/things", "b")
    ]
    assert "VelocyPack" in findings[0].message


@pytest.mark.parametrize("error_num", [1203, 1228])
def test_a_collection_that_is_gone_needs_no_exactness(source: Source, error_num: int) -> None:
    marker = source.put("a", LARGE)
    source.failure = ArangoError(
        "CUT-ARANGO-6", "gone", status=404, error_num=error_num, method="PUT", url="u", kind="fatal"
    )
    assert exact_of(source).markers(PLAN, [marker]) == [marker]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(1 << 63), (1 << 64) - 1))
def test_i2_every_number_arrives_as_it_is(value: float) -> None:
    source = Source()
    marker = source.put("k", {"deep": [value, {"again": value}]})
    [found] = exact_of(source).markers(PLAN, [marker])
    assert repr(number(found)) == repr({"deep": [value, {"again": value}]})


@pytest.mark.parametrize(
    ("version", "exact"),
    [
        ("3.10.14", False), ("3.11.11", False), ("3.11.12", True), ("3.11.14-1", True), ("3.12.2", False),
        ("3.12.3", True), ("4.0.0", True), ("", False), ("devel", False),
    ],
)  # fmt: skip
def test_versions(version: str, exact: bool) -> None:
    assert prints_exactly(version) is exact
