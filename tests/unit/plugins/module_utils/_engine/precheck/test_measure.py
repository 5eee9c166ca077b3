# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Readings of versions, metrics and inventories."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck import measure
from tests.unit.plugins.module_utils._engine.precheck.rig import collection, inventory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.11.14", (3, 11, 14)),
        ("3.12.5-3", (3, 12, 5)),
        ("4.0.0-nightly.20260101", (4, 0, 0)),
        ("3.12.10", (3, 12, 10)),
    ],
)
def test_versions(text: str, expected: tuple[int, int, int]) -> None:
    assert measure.version_of(text) == expected
    assert measure.version_of(text).line == expected[:2]


def test_versions_are_compared_as_numbers() -> None:
    assert measure.version_of("3.9.9") < measure.version_of("3.10.0")
    assert str(measure.version_of("3.12.5-3")) == "3.12.5"
    with pytest.raises(ValueError, match="not a version"):
        measure.version_of("devel")


def test_metrics() -> None:
    text = (
        "# HELP a x\n# TYPE a gauge\n"
        'a{role="DBSERVER",shortname="DBServer0001"} 1.5e+3\n'
        'a{role="DBSERVER",shortname="y"} 2\n'
        "b 7\nc +Inf\nd_total{x=\"a b\"} 0 1700000000\n"
    )
    assert measure.metrics_of(text) == {"a": 1502.0, "b": 7.0, "c": float("inf"), "d_total": 0.0}


def test_data_size() -> None:
    assert measure.data_size({}) is None
    assert measure.data_size({"rocksdb_estimate_live_data_size": 5.0}) == 5.0
    assert measure.data_size({"rocksdb_estimate_live_data_size": 5.0, "rocksdb_live_sst_files_size": 9.0}) == 9.0


def test_collections() -> None:
    document = {"d": inventory(collection("a"), collection("gone", deleted=True), collection("_graphs"))}
    assert [one.label for one in measure.collections_of(document)] == ["d/a", "d/_graphs"]
    assert measure.collections_of({"d": {}}) is not None


@pytest.mark.parametrize(
    ("version", "license_name", "expected"),
    [
        ("3.11.0", "enterprise", True),
        ("3.12.4", "community", False),
        ("3.12.5", "community", True),
        ("4.0.0", "", True),
    ],
)
def test_enterprise_features(version: str, license_name: str, expected: bool) -> None:
    assert measure.has_enterprise_features(measure.version_of(version), license_name) is expected
