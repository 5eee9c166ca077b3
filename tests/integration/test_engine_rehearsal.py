# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A rehearsal harms nobody, and what it predicts is what the cutover then takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.integration.engine_case import (
    SOURCE_USERS,
    Fill,
    Writer,
    all_differences,
    as_user,
    finished,
    make_engine,
    ready,
    request_of,
    source_root,
    wait_status,
)
from tests.integration.pair import Pair

# How far the real downtime may lie outside the predicted band: a machine that does other things meanwhile.
FACTOR = 4.0


@pytest.fixture
def engine(pair: Pair) -> Iterator[Engine]:
    """An engine whose migration is in sync."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(300)
    made = make_engine(pair)
    try:
        made.start(request_of(pair, warm_up=True))
        wait_status(made, ready)
        yield made
    finally:
        made.close(20.0)


def _ended(status: dict[str, Any], result: str) -> bool:
    attempt = status["cutover"]["last_attempt"]
    return bool(status["state"] == "running" and attempt and attempt["result"] == result)


def _rehearsed(engine: Engine, result: str = "rehearsed", **options: float) -> dict[str, Any]:
    assert engine.rehearse(options) is True
    wait_status(engine, lambda status: _ended(status, result), 60.0)
    report = engine.report()
    assert report is not None
    return dict(report["rehearsal"])


def test_a_rehearsal_without_a_fence_under_load(pair: Pair, engine: Engine) -> None:
    """Nobody is stopped from writing; every step has its time."""
    with Writer(pair) as writer:
        wait_status(engine, lambda status: writer.count > 20)
        before = writer.count
        rehearsal = _rehearsed(engine)
        wait_status(engine, lambda status: writer.count > before)
    assert rehearsal["fenced_seconds"] is None
    assert {item["state"] for item in rehearsal["steps"]} == {"done"}
    assert engine.server_mode()["mode"] == "default"
    report = engine.report()
    assert report is not None
    assert report["source"]["former_modes"] == {}


def test_i5_i6_a_fenced_rehearsal_gives_the_source_back_and_predicts_the_downtime(pair: Pair, engine: Engine) -> None:
    """The target stays closed; the real cutover takes about as long as the rehearsal says."""
    rehearsal = _rehearsed(engine, fence_seconds=30.0)
    assert rehearsal["fenced_seconds"] > 0
    assert engine.server_mode()["mode"] == "default"
    source_root(pair).json("POST", "/_api/document/things", database="shop", body={"_key": "still-open"})
    app = as_user(pair.target, "app", SOURCE_USERS["app"])
    assert app.request("GET", "/_api/document/things/t1", database="shop", raise_for=False).status == 401
    wait_status(engine, ready)
    predicted = engine.status()["cutover"]["predicted_downtime_seconds"]
    engine.stop({"wait_timeout": 10.0})
    status = wait_status(engine, finished, 60.0)
    real = status["cutover"]["last_attempt"]["fenced_seconds"]
    print(f"downtime predicted {predicted}, real {real:.2f} s, ratio {real / predicted['mid']:.2f}")
    assert predicted["low"] / FACTOR <= real <= predicted["high"] * FACTOR
    report = engine.report()
    assert report is not None
    assert (report["warm_up"]["problems"], report["warm_up"]["left_out"]) == ([], 0)
    assert report["warm_up"]["queries"] >= 5
    assert all_differences(pair) == {}


def test_i6_a_fenced_rehearsal_that_takes_too_long_gives_the_source_back(pair: Pair, engine: Engine) -> None:
    """Bounded by the seconds that were asked for."""
    pair.target.control.fault("delay", path_regex="/count", seconds=3.0, count=1000)
    rehearsal = _rehearsed(engine, "rolled-back", fence_seconds=1.0)
    assert rehearsal["code"] is not None
    assert engine.server_mode()["mode"] == "default"


def test_a_rehearsal_tells_what_blocks(pair: Pair, engine: Engine) -> None:
    """All of it, and the migration goes on."""
    engine.pause({"reason": "lunch"})
    rehearsal = _rehearsed(engine, "refused", max_downtime=0.1)
    assert {"CUT-GATE-8", "CUT-GATE-9"} <= {item["code"] for item in rehearsal["blockers"]}
    engine.resume({})
    for options, field in (({"fence_seconds": 0}, "fence_seconds"), ({"fence": 1}, "fence")):
        with pytest.raises(CutoverError) as refused:
            engine.rehearse(options)
        assert refused.value.details["field"] == field
