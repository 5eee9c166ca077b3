# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits that are changed while a migration runs, and giving way to others (design §4.10)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.integration.engine_case import Fill, all_differences, finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import Pair

# A copy of some hundred kilobytes takes much longer than any test waits.
CRAWL = 0.002


def _filled(pair: Pair) -> None:
    fill = Fill(pair)
    fill.definitions()
    fill.documents(60)
    rows = [{"_key": f"b{i}", "n": i, "text": "x" * 400} for i in range(1000)]
    pair.insert("things", rows, "shop")


def _slow(status: dict[str, Any]) -> bool:
    return bool(status["throttle"]["metric"] == "mb_per_second")


def test_a_limit_is_lifted_while_running_and_outlives_a_restart(pair: Pair) -> None:
    """The copy crawls by a number in the start request, shown with its threshold; lifting it lets the copy end."""
    _filled(pair)
    engine = make_engine(pair)
    try:
        assert engine.start(request_of(pair, mb_per_second=CRAWL, load="fast")) is True
        status = wait_status(engine, _slow)
        throttle = status["throttle"]
        assert throttle["active"] is True
        assert (throttle["threshold"], throttle["load"]) == (CRAWL, "fast")
        assert throttle["since"]
        assert status["limits"]["mb_per_second"] == CRAWL
        assert engine.start(request_of(pair, mb_per_second=CRAWL, load="fast")) is False
        assert engine.limits({"load": "gentle", "copiers": 3}) is True
        assert engine.limits({"load": "gentle", "copiers": 3}) is False
        with pytest.raises(CutoverError) as refused:
            engine.limits({"copiers": 0})
        assert (refused.value.code, refused.value.details["field"]) == ("CUT-SPEC-1", "copiers")
        engine.close(20.0)
        engine = make_engine(pair)
        engine.recover()
        status = wait_status(engine, _slow)
        assert status["shards"]["in_sync"] < status["shards"]["total"]
        limits = status["limits"]
        assert (limits["load"], limits["copiers"], limits["mb_per_second"]) == ("gentle", 3, CRAWL)
        assert engine.limits({"mb_per_second": 0}) is True
        status = wait_status(engine, ready, 90.0)
        assert status["limits"]["mb_per_second"] is None
        assert engine.start(request_of(pair, load="max")) is True, "other limits in the start request are taken over"
        assert engine.status()["limits"]["copiers"] == 8
        engine.stop({"wait_timeout": 30.0})
        wait_status(engine, finished, 90.0)
        assert all_differences(pair) == {}
    finally:
        engine.close(20.0)


def test_requests_of_others_that_wait_slow_the_copy(pair: Pair) -> None:
    """A target that answers late is named with its queue time; the migration still ends."""
    _filled(pair)
    engine = make_engine(pair)
    try:
        pair.target.control.fault("load", capacity=4)
        engine.start(request_of(pair, load="gentle"))
        status = wait_status(engine, lambda now: now["throttle"]["metric"] == "target_queue_seconds", 90.0)
        assert status["throttle"]["value"] > status["throttle"]["threshold"] * 0.8
        pair.target.control.fault("load", capacity=0)
        status = wait_status(engine, lambda now: ready(now) and not now["throttle"]["active"], 90.0)
        assert status["throttle"]["since"] is None
    finally:
        engine.close(20.0)


def test_i8_a_full_disk_of_the_source_pauses_the_copy(pair: Pair) -> None:
    """Told as the throttle's reason and as a finding, with the runway; copying goes on by itself."""
    _filled(pair)
    server = next(iter(pair.source.dbservers))
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, mb_per_second=CRAWL))
        wait_status(engine, _slow)
        pair.source.control.fault("full_disk", server=server, on=True)
        status = wait_status(engine, lambda found: found["throttle"]["metric"] == "source_free_share")
        assert engine.limits({"mb_per_second": 0}) is True
        status = wait_status(engine, lambda found: "CUT-LOAD-1" in {item["code"] for item in found["problems"]})
        assert status["shards"]["in_sync"] < status["shards"]["total"]
        wait_status(engine, lambda found: found["replication"]["retention_runway_seconds"] is not None)
        pair.source.control.fault("full_disk", server=server, on=False)
        status = wait_status(engine, ready, 90.0)
        assert "CUT-LOAD-1" not in {item["code"] for item in status["problems"]}
        assert status["throttle"]["metric"] != "source_free_share"
    finally:
        engine.close(20.0)


def test_a_pause_by_protection_and_one_by_the_operator_outlive_a_restart_and_each_other(pair: Pair) -> None:
    """Each is lifted by whom it came from; while one holds nothing is copied, from a restart's first moment on."""
    _filled(pair)
    server = next(iter(pair.source.dbservers))
    pair.source.control.fault("full_disk", server=server, on=True)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        status = wait_status(engine, lambda now: now["pause"]["state"] == "paused", 90.0)
        assert (status["pause"]["by"], status["progress"]["documents_copied"]) == ("protection", 0)
        assert "disk is nearly full" in status["pause"]["reason"]
        wait_status(engine, lambda now: "pause" in now["allowed_actions"], 90.0)
        engine.close(20.0)
        engine = make_engine(pair)
        engine.recover()
        status = wait_status(engine, lambda now: now["pause"]["by"] == "protection", 90.0)
        assert status["progress"]["documents_copied"] == 0
        wait_status(engine, lambda now: "pause" in now["allowed_actions"], 90.0)
        assert engine.resume({}) is False, "nobody but the protection lifts its pause"
        assert engine.pause({"reason": "lunch"}) is True
        pair.source.control.fault("full_disk", server=server, on=False)
        status = wait_status(engine, lambda now: not now["throttle"]["active"], 90.0)
        assert (status["pause"]["by"], status["pause"]["reason"]) == ("operator", "lunch")
        engine.close(20.0)
        engine = make_engine(pair)
        engine.recover()
        status = wait_status(engine, lambda now: now["replication"]["servers"], 90.0)
        assert (status["pause"]["state"], status["pause"]["by"]) == ("paused", "operator")
        assert status["progress"]["documents_copied"] == 0
        assert engine.resume({}) is True
        wait_status(engine, lambda now: ready(now) and now["pause"]["state"] == "none", 90.0)
        assert all_differences(pair) == {}
    finally:
        engine.close(20.0)
