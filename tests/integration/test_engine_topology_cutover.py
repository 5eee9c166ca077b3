# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to the source's servers in the middle of a cutover: proved and open, or the way back (I3, I5, I6)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover_world import LiveWorld
from tests.integration.engine_case import all_differences, finished, ready, source_root, wait_status
from tests.integration.pair import Pair
from tests.integration.topology_case import (
    Fault,
    attempted,
    busiest,
    cut_over,
    die_and_come_back_empty,
    fail_over,
    fail_over_with_lag,
    migrating,
    rebalance,
    restart,
)


def _once_before(monkeypatch: pytest.MonkeyPatch, step: str, pair: Pair, fault: Fault) -> list[str]:
    """Something happens the first time that a step of the cutover begins."""
    real = getattr(LiveWorld, step)
    happened: list[str] = []

    def disturbed(self: LiveWorld, *arguments: Any) -> Any:
        if not happened:
            happened.append(step)
            fault(pair)
        return real(self, *arguments)

    monkeypatch.setattr(LiveWorld, step, disturbed)
    return happened


@pytest.mark.parametrize("fault", [fail_over, restart, die_and_come_back_empty])
def test_i6_a_doubt_before_the_definitions_are_settled_leads_to_the_way_back(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """The source is given back, everything is repaired, and the next cutover passes."""
    with migrating(pair) as engine:
        assert _once_before(monkeypatch, "settle_definitions", pair, fault) == []
        engine.stop({"wait_timeout": 60.0})
        status = wait_status(engine, lambda found: finished(found) or attempted(found), 90.0)
        attempt = status["cutover"]["last_attempt"]
        assert (attempt["result"], attempt["code"]) == ("rolled-back", "CUT-CUTOVER-3")
        assert engine.server_mode()["mode"] == "default"
        source_root(pair).json("POST", "/_api/document/things", database="shop", body={"_key": "still-open"})
        wait_status(engine, ready, 60.0)
        cut_over(engine, pair)


def _index_behind_old_plans(pair: Pair) -> None:
    """Every coordinator shows the definitions of a moment ago, in which the index that is made now is missing."""
    for name in ("Coordinator0001", "Coordinator0002"):
        pair.source.control.fault("stale_coordinator", server=name, seconds=1.0)
    pair.create_index("things", {"type": "persistent", "fields": ["late"], "name": "by_late"}, "shop")


def test_i3_an_index_that_no_coordinator_shows_yet_is_not_lost(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with migrating(pair) as engine:
        assert _once_before(monkeypatch, "note_fence", pair, _index_behind_old_plans) == []
        cut_over(engine, pair)
        indexes = pair.clients.target.json("GET", "/_api/index", database="shop", query={"collection": "things"})
        assert "by_late" in [index["name"] for index in indexes["indexes"]]


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("drain", fail_over_with_lag),
        ("drain", restart),
        ("prove", rebalance),
        ("prove", die_and_come_back_empty),
    ],
)
def test_i5_a_doubt_later_opens_only_what_is_equal(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str, fault: Fault
) -> None:
    """Applications cannot write any more: what is proved then is what opens."""
    with migrating(pair, 60) as engine:
        assert _once_before(monkeypatch, step, pair, fault) == []
        engine.stop({"wait_timeout": 60.0})
        status = wait_status(engine, lambda found: finished(found) or attempted(found), 90.0)
        if status["state"] == "completed":
            assert all_differences(pair) == {}
            return
        assert engine.server_mode()["mode"] == "default"
        wait_status(engine, ready, 60.0)
        cut_over(engine, pair)


def test_i6_a_server_that_dies_before_the_fence_leads_to_the_way_back(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows its mode; the source is given back without it, and when it is back, the cutover passes."""
    with migrating(pair, 60) as engine:
        server = busiest(pair)

        def kill(both: Pair) -> None:
            both.source.control.fault("kill_server", server=server)
            both.source.control.fault("fail_over", server=server)

        assert _once_before(monkeypatch, "set_mode", pair, kill) == []
        engine.stop({"wait_timeout": 60.0, "max_downtime": 5.0})
        status = wait_status(engine, attempted, 90.0)
        assert status["cutover"]["last_attempt"]["result"] == "rolled-back"
        source_root(pair).json("POST", "/_api/document/things", database="shop", body={"_key": "still-open"})
        pair.source.control.fault("restart_server", server=server)
        wait_status(engine, ready, 60.0)
        cut_over(engine, pair)
