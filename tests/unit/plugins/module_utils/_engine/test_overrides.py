# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies and write concern of the target: which pattern counts, what has none of its own, and that they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.definitions import problems
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.overrides import ByPattern, Overrides
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shape import shape_of
from tests.unit.schema_fakes import VERSION, Case, collection, inv_of, source

FACTORS = {"*": 1, "shop": 2, "shop/log_*": 3, "shop/log_big": 4, "s*/a": 5}


@pytest.mark.parametrize(
    ("place", "number"),
    [("crm/a", 1), ("shop/b", 2), ("shop/log_1", 3), ("shop/log_big", 4), ("shop/a", 5), ("store/a", 5)],
)
def test_the_most_exact_pattern_counts(place: str, number: int) -> None:
    """In whatever order they are given."""
    for values in (FACTORS, dict(reversed(FACTORS.items()))):
        assert ByPattern.of(values).collection(*place.split("/")) == number
    assert ByPattern.of({"shop/x": 1}).collection("shop", "y") is None
    assert ByPattern.of(FACTORS).database("shop") == 2


def wanted(parameters: dict[str, Any], factor: dict[str, int], concern: dict[str, int]) -> tuple[Any, Any]:
    """Copies and write concern of one collection of the database shop."""
    found = Overrides(ByPattern.of(factor), ByPattern.of(concern)).collection("shop", parameters)
    return found.get("replicationFactor"), found.get("writeConcern")


THREE = {"name": "a", "replicationFactor": 3, "writeConcern": 2}


@pytest.mark.parametrize(
    ("parameters", "factor", "concern", "found"),
    [
        (THREE, {}, {}, (3, 2)),
        (THREE, {"crm": 1}, {"crm": 1}, (3, 2)),
        (THREE, {"shop": 1}, {}, (1, 1)),
        (THREE, {"shop": 5}, {}, (5, 2)),
        (THREE, {}, {"shop": 3}, (3, 3)),
        (THREE, {}, {"shop": 4}, (3, 3)),
        (THREE, {"shop": 2}, {"shop/a": 1}, (2, 1)),
        ({**THREE, "name": "_graphs"}, {"shop": 1}, {}, (3, 2)),
        ({**THREE, "distributeShardsLike": "b"}, {"shop": 1}, {}, (3, 2)),
        ({"name": "a", "replicationFactor": "satellite"}, {"shop": 1}, {"shop": 1}, ("satellite", None)),
    ],
)
def test_copies_of_a_collection(parameters: Any, factor: Any, concern: Any, found: Any) -> None:
    """A write concern is never more than the copies; what has none of its own stays."""
    assert wanted(parameters, factor, concern) == found


def test_the_target_is_made_and_kept_as_wanted() -> None:
    """Whatever the source changes meanwhile; without an override it is followed."""
    shape = shape_of({"replication_factor": {"shop": 2}, "write_concern": {"shop/things": 1}})
    case = Case()
    schema = case.schema()
    for copies in (1, 3):
        entries = [collection("things", "10", replicationFactor=copies, writeConcern=copies)]
        made = shape.apply(source(collections=entries, properties={"id": "50", "replicationFactor": copies}))
        schema.follow(made)
        there = case.target.databases["shop"]["collections"]["things"]["parameters"]
        assert (there["replicationFactor"], there["writeConcern"]) == (2, 1)
        assert made["shop"].properties["replicationFactor"] == 2
        assert problems(made, inv_of(case.target), VERSION) == []
    schema.follow(shape_of({}).apply(source(collections=entries)))
    there = case.target.databases["shop"]["collections"]["things"]["parameters"]
    assert (there["replicationFactor"], there["writeConcern"]) == (3, 3)
