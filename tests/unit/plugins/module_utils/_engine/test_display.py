# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures for people."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.display import (
    amount,
    duration,
    lookup,
    percent,
    status_line,
    status_table,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "unknown"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB"), (1 << 60, "1024.0 PiB")],
)
def test_amount(value: int | None, text: str) -> None:
    assert amount(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "unknown"), (0.44, "0.4 s"), (59.9, "59.9 s"), (200, "3 min 20 s"), (18600, "5 h 10 min")],
)
def test_duration(value: float | None, text: str) -> None:
    assert duration(value) == text


def test_percent_and_lookup() -> None:
    assert (percent(61.44), percent(None)) == ("61.4 %", "unknown")
    assert lookup({"a": {"b": 1}}, "a.b") == 1
    assert lookup({"a": None}, "a.b") is None
    assert lookup({"a": [1]}, "a.b") is None


def test_an_empty_status_is_shown_as_unknown() -> None:
    assert status_line({"state": "inactive"}).startswith("inactive | copied unknown")
    assert "unknown" in status_table({"state": "inactive"})


def test_a_line_names_pause_wait_step_and_problems() -> None:
    line = status_line({
        "state": "running", "pause": {"state": "paused", "reason": "backup"}, "waiting": {"for": "source"},
        "cutover": {"step": "drain"}, "problems": [{}, {}],
    })  # fmt: skip
    assert "paused: backup" in line
    assert "waiting for source" in line
    assert "cutover step drain" in line
    assert "2 problems" in line


def test_a_table_shows_each_blocker_with_its_remedy() -> None:
    blocker = {"code": "C-1", "text": "lag", "remedy": "wait"}
    table = status_table({"state": "running", "cutover": {"blockers": [blocker]}})
    assert "lag (C-1)" in table
    assert "wait" in table
