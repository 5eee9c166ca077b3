# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Coalescing a stretch of a log is the same as applying it one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.coalesce import Batch, MemoryBatch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import INSERT, REMOVE, TRUNCATE, Marker
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.replay import SpoolBatch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spool import Spool
from tests.unit.plugins.module_utils._engine.logs import insert, line_of, remove

OPERATIONS = st.lists(st.tuples(st.sampled_from([INSERT, INSERT, REMOVE]), st.integers(0, 6)), max_size=40)
State = dict[bytes, bytes]


def markers_of(operations: list[tuple[int, int]]) -> list[Marker]:
    return [
        insert(tick, b"k%d" % key) if kind == INSERT else remove(tick, b"k%d" % key)
        for tick, (kind, key) in enumerate(operations, 1)
    ]


def one_by_one(state: State, markers: list[Marker]) -> State:
    state = dict(state)
    for marker in markers:
        if marker.type == INSERT:
            state[marker.key] = marker.data
        else:
            state.pop(marker.key, None)
    return state


def at_once(state: State, batch: Batch) -> State:
    state = dict(state)
    for marker in batch.removes():
        state.pop(marker.key, None)
    for marker in batch.inserts():
        state[marker.key] = marker.data
    return state


@given(OPERATIONS, st.dictionaries(st.integers(0, 6).map(lambda key: b"k%d" % key), st.just(b"old")))
def test_coalescing_equals_sequential_application(operations: list[tuple[int, int]], state: State) -> None:
    markers = markers_of(operations)
    assert at_once(state, MemoryBatch(markers)) == one_by_one(state, markers)


@given(OPERATIONS, st.data())
def test_i2_a_stretch_applied_again_converges(operations: list[tuple[int, int]], data: st.DataObject) -> None:
    markers = markers_of(operations)
    reached = data.draw(st.integers(0, len(markers)))
    start = data.draw(st.integers(0, reached))
    part_way = one_by_one({}, markers[:reached])
    assert at_once(part_way, MemoryBatch(markers[start:])) == one_by_one({}, markers)


@given(OPERATIONS)
def test_each_key_occurs_once_in_the_order_of_its_last_operation(operations: list[tuple[int, int]]) -> None:
    batch = MemoryBatch(markers_of(operations))
    kept = [*batch.removes(), *batch.inserts()]
    assert len({marker.key for marker in kept}) == len(kept) == len(batch)
    for ticks in ([one.tick for one in batch.removes()], [one.tick for one in batch.inserts()]):
        assert ticks == sorted(ticks)
    for marker in kept:
        assert batch.insert_of(marker.key) == (marker if marker.type == INSERT else None)


@given(operations=OPERATIONS, cut=st.integers(0, 40))
def test_i2_a_spooled_stretch_is_the_same_batch(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[int, int]], cut: int
) -> None:
    directory = tmp_path_factory.mktemp("spool")
    markers = markers_of(operations)
    spool = Spool(directory / "s")
    if markers:
        spool.append([line_of(marker) for marker in markers])
    batch = SpoolBatch(spool, spool.size, after_tick=cut)
    wanted = MemoryBatch([marker for marker in markers if marker.tick > cut])
    assert [one.tick for one in batch.removes()] == [one.tick for one in wanted.removes()]
    assert [one.data for one in batch.inserts()] == [one.data for one in wanted.inserts()]
    for key in {marker.key for marker in markers}:
        found, expected = batch.insert_of(key), wanted.insert_of(key)
        assert (found and found.data) == (expected and expected.data)
    batch.close()
    assert [path.name for path in directory.iterdir()] in ([], ["s"])


def test_a_truncate_ends_what_came_before_but_its_keys_stay_known(tmp_path: Path) -> None:
    markers = markers_of([(INSERT, 1), (INSERT, 2)])
    spool = Spool(tmp_path / "s")
    after = insert(9, b"k2")
    spool.append([*map(line_of, markers), line_of(Marker(8, TRUNCATE)), line_of(after)])
    batch = SpoolBatch(spool, spool.size)
    assert batch.truncated
    assert [one.key for one in batch.inserts()] == [b"k2"]
    assert batch.insert_of(b"k1") is None
    assert sorted(key for keys in batch.all_keys() for key in keys) == [b"k1", b"k2"]
    batch.close()
