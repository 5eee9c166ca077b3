# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Applying a batch: unique values that change hands, guarded removes, documents that the target refuses."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.coalesce import MemoryBatch
from tests.unit.plugins.module_utils._engine.fake_target import BUSY, GUARDED, PLAN, Bench, FakeTarget
from tests.unit.plugins.module_utils._engine.logs import insert, remove


def rest(**values: object) -> bytes:
    return b"," + json.dumps(values).encode()[1:-1] if values else b""


@given(order=st.permutations(range(12)), shift=st.integers(1, 11), named=st.booleans())
def test_unique_values_swapped_in_long_cycles(order: list[int], shift: int, named: bool) -> None:
    target = FakeTarget(unique=("u",), names_neighbour=named)
    bench = Bench(target)
    bench.units.apply(PLAN, MemoryBatch(insert(key + 1, b"k%d" % key, rest(u=key)) for key in range(12)))
    batch = [insert(100 + turn, b"k%d" % key, rest(u=(key + shift) % 12)) for turn, key in enumerate(order)]
    bench.units.apply(PLAN, MemoryBatch(batch))
    assert target.documents == {marker.key.decode(): marker.data for marker in batch}
    assert not bench.findings


@given(
    first=st.permutations(range(8)), second=st.permutations(range(8)), order=st.permutations(range(8)),
    named=st.booleans(),
)
def test_two_unique_values_permuted_at_once(
    first: list[int], second: list[int], order: list[int], named: bool
) -> None:
    target = FakeTarget(unique=("u", "v"), names_neighbour=named)
    bench = Bench(target)
    bench.units.apply(PLAN, MemoryBatch(insert(key + 1, b"k%d" % key, rest(u=key, v=key)) for key in range(8)))
    batch = [insert(100 + key, b"k%d" % key, rest(u=first[key], v=second[key])) for key in order]
    bench.units.apply(PLAN, MemoryBatch(batch))
    assert target.documents == {marker.key.decode(): marker.data for marker in batch}
    assert not bench.findings


def test_i2_what_the_source_rounds_is_written_exactly() -> None:
    """Also where a unique value has to be waited for."""
    target = FakeTarget(unique=("u",))
    bench = Bench(target, rounded=True)
    bench.units.apply(PLAN, MemoryBatch(insert(key + 1, b"k%d" % key, rest(u=key, n=1)) for key in range(2)))
    bench.units.apply(PLAN, MemoryBatch(insert(key + 5, b"k%d" % key, rest(u=1 - key, n=1)) for key in range(2)))
    bench.units.apply(PLAN, MemoryBatch([insert(9, b"k9", rest(u=9, n=1))]))
    written = [(json.loads(raw)["u"], json.loads(raw)["n"]) for raw in target.documents.values()]
    assert written == [(1, 2), (0, 2), (9, 2)]
    assert not bench.findings


def test_a_chain_needs_no_remove() -> None:
    target = FakeTarget(unique=("u",))
    bench = Bench(target)
    bench.units.apply(PLAN, MemoryBatch(insert(key + 1, b"k%d" % key, rest(u=key)) for key in range(5)))
    target.requests.clear()
    bench.units.apply(PLAN, MemoryBatch(insert(10 + key, b"k%d" % key, rest(u=key + 1)) for key in range(5)))
    assert {method for method, path, content in target.requests} == {"POST"}
    assert [json.loads(raw)["u"] for raw in target.documents.values()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("named", [True, False])
def test_i9_a_document_that_the_batch_does_not_touch_is_never_removed(named: bool) -> None:
    target = FakeTarget(unique=("u",), names_neighbour=named)
    bench = Bench(target)
    foreign = b'{"_key":"foreign","_rev":"_zzz","u":1}'
    target.documents["foreign"] = foreign
    bench.units.apply(PLAN, MemoryBatch([insert(5, b"mine", rest(u=1)), insert(6, b"other", rest(u=2))]))
    assert target.documents["foreign"] == foreign
    assert "other" in target.documents
    [finding] = bench.findings
    assert (finding.code, finding.key, finding.severity) == ("CUT-DATA-4", "mine", "error")
    assert ("foreign" in finding.message) == named


def test_a_conflict_while_requests_may_run_late_is_looked_at_again() -> None:
    target = FakeTarget(unique=("u",))
    bench = Bench(target)
    bench.notes.due = 1.0
    target.documents["late"] = b'{"_key":"late","_rev":"_A","u":1}'
    bench.units.apply(PLAN, MemoryBatch([insert(5, b"mine", rest(u=1))]))
    assert bench.findings == []
    assert [keys for sent, keys in bench.notes.noted] == [[b"mine"]]
    assert sorted(target.documents) == ["late"]


def test_i9_refused_documents_are_found_by_key_and_the_rest_is_written() -> None:
    target = FakeTarget()
    target.refuse["bad"] = {"error": True, "errorNum": 1221, "errorMessage": "illegal document key"}
    bench = Bench(target)
    bench.units.apply(PLAN, MemoryBatch([insert(1, b"a"), insert(2, b"bad"), insert(3, b"b")]))
    assert sorted(target.documents) == ["a", "b"]
    assert [(finding.code, finding.key) for finding in bench.findings] == [("CUT-DATA-3", "bad")]
    assert "1221" in bench.findings[0].message


def test_what_passes_by_itself_is_repeated_by_position() -> None:
    target = FakeTarget()
    target.once["b"] = BUSY
    bench = Bench(target)
    bench.units.apply(PLAN, MemoryBatch([insert(1, b"a"), insert(2, b"b"), insert(3, b"c")]))
    assert sorted(target.documents) == ["a", "b", "c"]
    assert [[one["_key"] for one in content] for method, path, content in target.requests] == [["a", "b", "c"], ["b"]]
    assert not bench.findings


def test_removes_come_before_inserts_and_missing_ones_count_as_removed() -> None:
    target = FakeTarget(unique=("u",))
    bench = Bench(target)
    bench.units.apply(PLAN, MemoryBatch([insert(1, b"a", rest(u=1))]))
    bench.units.apply(PLAN, MemoryBatch([remove(1, b"a"), remove(1, b"gone"), insert(2, b"b", rest(u=1))]))
    assert sorted(target.documents) == ["b"]
    assert not bench.findings


@pytest.mark.parametrize(("present", "left"), [(b"_A5", False), (b"_A7", False), (b"_A9", True)])
def test_guarded_removes_take_only_what_is_not_newer(present: bytes, left: bool) -> None:
    target = FakeTarget()
    bench = Bench(target)
    target.documents["k"] = b'{"_key":"k","_rev":"%s"}' % present
    bench.units.apply(GUARDED, MemoryBatch([remove(1, b"k")._replace(rev=b"_A7")]))
    assert ("k" in target.documents) == left
    assert not bench.findings


def test_every_write_asks_the_gate_first() -> None:
    target = FakeTarget()
    bench = Bench(target)
    bench.units.apply(PLAN, MemoryBatch([insert(1, b"a"), remove(2, b"b")]))
    assert bench.checks == len(target.requests) == 2


@given(st.integers(1, 30))
def test_long_batches_are_divided(count: int) -> None:
    target = FakeTarget()
    bench = Bench(target)
    bench.writer.size.bytes = 300
    batch = [insert(key + 1, b"k%02d" % key, rest(text="x" * 60)) for key in range(count)]
    bench.units.apply(PLAN, MemoryBatch(batch))
    assert len(target.documents) == count
    assert all(len(content) <= 3 for method, path, content in target.requests)
