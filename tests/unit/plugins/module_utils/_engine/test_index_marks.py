# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Indexes of which the logs know and the definitions do not: a coordinator's Plan may be old (I3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.index_marks import IndexMarks
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.inventory import CollectionDef, DatabaseDef
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import INDEX_CREATE, INDEX_DROP, Marker
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId

SHARD = ShardId("shop", "10", "s1")


class FakeClock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


def inventory(*indexes: dict[str, Any]) -> dict[str, DatabaseDef]:
    made = {str(index["name"]): index for index in indexes}
    collection = CollectionDef("things", "10", {}, made, {"s1": ("a",)}, True, True)
    return {"shop": DatabaseDef("shop", "1", {}, {"things": collection}, {}, {})}


def made(**more: Any) -> Marker:
    definition = {"id": "77", "type": "persistent", "fields": ["v"], "name": "by_v", **more}
    return Marker(5, INDEX_CREATE, data=json.dumps(definition).encode())


DROPPED = Marker(6, INDEX_DROP, data=b'{"id":"77"}')
BY_V = {"id": "77", "type": "persistent", "name": "by_v"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def marks(clock: FakeClock) -> IndexMarks:
    return IndexMarks(1.0, clock)


def test_i3_an_index_that_only_the_log_knows_is_not_explained(marks: IndexMarks, clock: FakeClock) -> None:
    marks.saw(SHARD, made())
    for _again in range(2):
        assert marks.unexplained(inventory(), clock.now) == ["shop/things: index by_v was made a moment ago"]
    assert marks.unexplained(inventory(BY_V), clock.now) == []
    assert marks.unexplained(inventory(), clock.now) == []


def test_i3_an_index_that_the_log_has_dropped_is_not_explained(marks: IndexMarks, clock: FakeClock) -> None:
    marks.saw(SHARD, DROPPED)
    assert marks.unexplained(inventory(BY_V), clock.now) == ["shop/things: index 77 was dropped a moment ago"]
    assert marks.unexplained(inventory(), clock.now) == []


def test_the_last_word_counts(marks: IndexMarks, clock: FakeClock) -> None:
    marks.saw(SHARD, made())
    marks.saw(SHARD, DROPPED)
    assert marks.unexplained(inventory(), clock.now) == []


def test_the_name_explains_it_where_shards_number_their_indexes_themselves(marks: IndexMarks, clock: FakeClock) -> None:
    marks.saw(SHARD, made(id="9999"))
    assert marks.unexplained(inventory(BY_V), clock.now) == []


@pytest.mark.parametrize("marker", [made(type="arangosearch"), made(type="edge"), Marker(5, INDEX_CREATE, data=b"[1]")])
def test_what_is_no_definition_needs_no_explanation(marks: IndexMarks, clock: FakeClock, marker: Marker) -> None:
    marks.saw(SHARD, marker)
    assert marks.unexplained(inventory(), clock.now) == []


def test_a_collection_that_is_gone_explains_its_indexes(marks: IndexMarks, clock: FakeClock) -> None:
    marks.saw(ShardId("shop", "11", "s9"), made())
    marks.saw(ShardId("gone", "10", "s1"), made())
    assert marks.unexplained(inventory(), clock.now) == []


def test_definitions_that_were_read_long_after_know_better(marks: IndexMarks, clock: FakeClock) -> None:
    """After a move the drop may be read before the creation, from two logs: nobody waits for ever."""
    marks.saw(SHARD, made())
    assert marks.unexplained(inventory(), clock.now + 29)
    assert marks.unexplained(inventory(), clock.now + 31) == []


def test_i8_marks_are_bounded(marks: IndexMarks, clock: FakeClock) -> None:
    for number in range(10_050):
        marks.saw(SHARD, made(id=str(number), name=f"i{number}"))
    assert len(marks.unexplained(inventory(), clock.now)) == 10_000
