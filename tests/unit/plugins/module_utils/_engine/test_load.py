# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much load is allowed, by preset, number and time of day, and the one decision to give way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import (
    PRESETS,
    Budget,
    Load,
    parse_window,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.throttle import (
    RULES,
    Signals,
    decide,
    document,
)

BALANCED = PRESETS["balanced"]


def at(text: str) -> float:
    """A moment by UTC; 2026-11-23 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("moment", "window", "open_"),
    [
        ("2026-11-23T08:00", {"from": "08:00", "to": "18:00"}, True),
        ("2026-11-23T07:59", {"from": "08:00", "to": "18:00"}, False),
        ("2026-11-23T18:00", {"from": "08:00", "to": "18:00"}, False),
        ("2026-11-23T08:00", {"from": "08:00", "to": "18:00", "days": ["tue"]}, False),
        ("2026-11-23T23:00", {"from": "22:00", "to": "06:00", "days": ["mon"]}, True),
        ("2026-11-24T05:59", {"from": "22:00", "to": "06:00", "days": ["mon"]}, True),
        ("2026-11-23T05:59", {"from": "22:00", "to": "06:00", "days": ["mon"]}, False),
        ("2026-11-24T06:00", {"from": "22:00", "to": "06:00", "days": ["mon"]}, False),
        ("2026-11-23T07:30", {"from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin"}, True),
        ("2026-07-20T06:30", {"from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin"}, True),
        ("2026-11-23T06:30", {"from": "08:00", "to": "18:00", "time_zone": "Europe/Berlin"}, False),
        ("2026-11-23T23:30", {"from": "00:00", "to": "01:00", "days": ["tue"], "time_zone": "Europe/Berlin"}, True),
    ],
)
def test_a_window_is_open_by_its_own_time_zone(moment: str, window: dict[str, object], open_: bool) -> None:
    """Over midnight it is the window of the day on which it began; summer time counts."""
    assert parse_window({"mb_per_second": 1, **window}).holds(at(moment)) is open_


def test_numbers_override_the_preset_and_an_open_window_overrides_the_number() -> None:
    """0 lifts the preset's limit; the first window that is open wins."""
    window = parse_window({"from": "08:00", "to": "18:00", "mb_per_second": 5})
    later = parse_window({"from": "09:00", "to": "10:00", "mb_per_second": 7})
    load = Load("gentle", operations_per_second=0.0, copiers=3, windows=(window, later))
    noon = load.at(at("2026-11-23T09:30"))
    assert noon == Budget(5.0, None, 20_000.0, 3, 0.1, "08:00-18:00 UTC")
    assert load.at(at("2026-11-23T07:00")) == Budget(20.0, None, 20_000.0, 3, 0.1)
    assert replace(load, mb_per_second=0.0).at(at("2026-11-23T07:00")).mb_per_second is None
    shown = load.shown(at("2026-11-23T09:30"))
    assert (shown["load"], shown["mb_per_second"], shown["window"]) == ("gentle", 5.0, "08:00-18:00 UTC")


def test_nothing_measured_is_no_reason() -> None:
    """What is not known never slows anything."""
    assert decide(Signals(), BALANCED) is None
    assert document(None, None, "balanced")["active"] is False


@pytest.mark.parametrize(
    ("signals", "metric", "hold"),
    [
        (Signals(agent_free=1 << 20, target_queue=9.0), "agent_free_bytes", True),
        (Signals(source_free_share=0.05, target_queue=9.0), "source_free_share", True),
        (Signals(source_log_growth=0.3, target_queue=9.0), "source_log_growth_share", True),
        (Signals(source_queue=0.6, target_queue=9.0), "source_queue_seconds", False),
        (Signals(source_queue=0.1, target_queue=0.6, lag=1e4), "target_queue_seconds", False),
        (Signals(lag=301.0, bandwidth_used_up=5.0), "lag_seconds", False),
        (Signals(bandwidth_used_up=5.0, operations_used_up=9.0), "mb_per_second", False),
        (Signals(operations_used_up=9.0), "operations_per_second", False),
    ],
)
def test_the_first_reason_wins(signals: Signals, metric: str, hold: bool) -> None:
    """In the order of the table: harm before politeness, politeness before limits that were asked for."""
    verdict = decide(signals, replace(BALANCED, mb_per_second=5.0, operations_per_second=100.0))
    assert verdict is not None
    assert (verdict.metric, verdict.hold) == (metric, hold)
    shown = document(verdict, "2026-11-23T00:00:00Z", "balanced")
    assert (shown["active"], shown["metric"]) == (True, metric)
    assert metric in {rule.metric for rule in RULES}


def test_a_reason_goes_only_when_its_value_has_come_back_clearly() -> None:
    """No flapping about the threshold, from either side."""
    before = decide(Signals(source_queue=0.6), BALANCED)
    assert decide(Signals(source_queue=0.45), BALANCED, before) is not None
    assert decide(Signals(source_queue=0.45), BALANCED) is None
    assert decide(Signals(source_queue=0.39), BALANCED, before) is None
    low = decide(Signals(source_free_share=0.09), BALANCED)
    assert decide(Signals(source_free_share=0.11), BALANCED, low) is not None
    assert decide(Signals(source_free_share=0.13), BALANCED, low) is None


def test_max_gives_way_to_nobody_but_before_a_full_disk() -> None:
    """The preset's word."""
    assert decide(Signals(source_queue=60.0, target_queue=60.0), PRESETS["max"]) is None
    assert decide(Signals(agent_free=0), PRESETS["max"]) is not None
