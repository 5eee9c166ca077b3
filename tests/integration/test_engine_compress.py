# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Data that goes to the target compressed arrives as it was, in copies and in changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import SOURCE_OPTIONS
from tests.integration.engine_case import (
    Fill,
    Writer,
    all_differences,
    finished,
    make_engine,
    ready,
    request_of,
    wait_status,
)
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair, wait_for
from tests.testbed.launch import TestCluster


@pytest.fixture
def newer(tmp_path: Path) -> Iterator[Pair]:
    """A pair whose target takes compressed data."""
    target_options = {"time_scale": TIME_SCALE}
    with (
        TestCluster.start(tmp_path, name="source", options=SOURCE_OPTIONS) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", version="3.12.10", root_password=PASSWORD,
            options=target_options,
        ) as target,
    ):
        both = Pair(source, target, tmp_path)
        yield both
        both.clients.close()


@pytest.mark.parametrize("policy", ["always", "auto"])
def test_compressed_data_arrives_as_it_was(newer: Pair, policy: str) -> None:
    """Copied and written while running; the report has the figures."""
    pair = newer
    fill = Fill(pair)
    fill.definitions()
    fill.documents(300)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, compress=policy))
        wait_status(engine, ready)
        with Writer(pair) as writer:
            pair.insert("things", [{"_key": f"n{i}", "text": f"ä{i}" * 50} for i in range(500)], "shop")
            wait_for(lambda: writer.count > 20)
            engine.stop({"wait_timeout": 30.0})
            wait_status(engine, finished, 60.0)
        assert all_differences(pair) == {}
        report = engine.report()
        assert report is not None
        figures = report["moved"]["compression"]
        assert (figures["policy"], figures["taken_by_target"]) == (policy, True)
        assert policy == "auto" or 0 < figures["bytes_sent"] < figures["bytes_before"] / 2
    finally:
        engine.close(20.0)
