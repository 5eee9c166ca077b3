# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The expected downtime is a band that grows with what there is to do, and follows what was measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine import estimate

CALM: dict[str, Any] = {
    "documents": 1000, "collections": 10, "lag_seconds": 0.1, "checksum_seconds": 2.0, "measured": {}, "time_scale": 1.0
}  # fmt: skip
SECONDS = st.floats(0, 1e4)


def predicted(**changes: Any) -> dict[str, float]:
    """The band of a quiet migration with some values changed."""
    return estimate.total(estimate.parts(**{**CALM, **changes}))


@pytest.mark.parametrize(
    "change", [{"documents": 10**9}, {"collections": 10_000}, {"lag_seconds": 5.0}, {"measured": {"fence": 60.0}}]
)
def test_more_to_do_takes_longer(change: dict[str, Any]) -> None:
    """Documents, collections, backlog, a slow switch of the mode."""
    assert all(more > less for more, less in zip(predicted(**change).values(), predicted().values()))


def test_the_size_of_the_data_counts_no_more_than_the_budget_for_checksums() -> None:
    """Everything else was compared before."""
    assert predicted(documents=10**12)["high"] <= predicted()["high"] + CALM["checksum_seconds"]


@given(st.dictionaries(st.sampled_from(estimate.STEPS), SECONDS), st.integers(0, 10**9), st.integers(0, 10**5), SECONDS)
def test_the_band_is_ordered(measured: dict[str, float], documents: int, collections: int, lag: float) -> None:
    """Whatever was measured."""
    found = predicted(measured=measured, documents=documents, collections=collections, lag_seconds=lag)
    assert 0 <= found["low"] <= found["mid"] <= found["high"]


def test_a_fully_measured_cutover_is_its_own_estimate() -> None:
    """The middle is the sum of what was measured, and of the lag of now."""
    measured = {name: float(number) for number, name in enumerate(estimate.STEPS, 1)}
    assert predicted(measured=measured, documents=10**10, lag_seconds=2.0)["mid"] == sum(measured.values()) + 2.0


def test_an_unknown_lag_counts_as_none() -> None:
    """The gate refuses it by itself."""
    assert predicted(lag_seconds=None)["mid"] == predicted(lag_seconds=0.0)["mid"]
