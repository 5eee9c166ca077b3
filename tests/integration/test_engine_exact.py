# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A source that prints large doubles rounded: the target has what the source holds (facts §5.8, I2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.engine_case import Fill, all_differences, finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair
from tests.testbed.launch import TestCluster

LARGE = 1.2345678901234567e18


@pytest.fixture(params=[{}, {"readings": {"9": "revisions-anew"}}], ids=["restore-data", "bulk"])
def old_pair(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A source of 3.11.11 and a target of 3.12.10, by both ways into it."""
    options = {"time_scale": TIME_SCALE}
    with (
        TestCluster.start(tmp_path, name="source", version="3.11.11", options=options) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", version="3.12.10", root_password=PASSWORD,
            options={**options, **request.param},
        ) as target,
    ):
        both = Pair(source, target, tmp_path)
        (tmp_path / "state").mkdir()
        yield both
        both.clients.close()


def test_i2_large_numbers_arrive_exactly(old_pair: Pair) -> None:
    """By the snapshot, and by the log."""
    pair = old_pair
    pair.clients.coordinators.json("POST", "/_api/database", database="_system", body={"name": "shop"})
    Fill(pair).collection("things", numberOfShards=3)
    copied = [{"_key": f"s{i}", "n": LARGE + 1024 * i, "deep": {"a": [-LARGE, 1]}} for i in range(50)]
    pair.insert("things", copied, "shop")
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready, 60.0)
        assert all_differences(pair) == {}
        pair.insert("things", [{"_key": f"l{i}", "n": LARGE + 1024 * i} for i in range(50)], "shop")
        pair.insert("things", [{"_key": "whole", "n": 9007199254740993}], "shop")
        engine.stop({"wait_timeout": 60.0})
        wait_status(engine, finished, 60.0)
        assert all_differences(pair) == {}
        assert b"e+18" in pair.target.control.documents("shop", "things")["l7"][1]
    finally:
        engine.close(20.0)
