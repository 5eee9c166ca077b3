# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures for people."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.display import (
    amount,
    check_lines,
    duration,
    lookup,
    percent,
    status_line,
    status_lines,
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
    assert status_lines({"state": "inactive", "migration": None, "reason": None}) == ["state            inactive"]


def test_a_line_says_how_fast_and_how_long_while_the_copy_moves() -> None:
    progress = {"percent": 12.5, "bytes_copied": 3 << 20, "bytes_per_second": 1 << 20, "eta_seconds": 200.0}

    def copied(**changes: float | None) -> str:
        return status_line({"state": "initial-sync", "progress": {**progress, **changes}}).split(" | ")[1]

    assert copied() == "copied 12.5 % (3.0 MiB, 1.0 MiB/s, 3 min 20 s left)"
    assert copied(eta_seconds=None) == "copied 12.5 % (3.0 MiB, 1.0 MiB/s)"
    assert copied(bytes_per_second=0.0) == copied(bytes_per_second=None) == "copied 12.5 % (3.0 MiB)"
    assert copied(percent=100.0) == "copied 100.0 % (3.0 MiB)"


def test_a_line_names_pause_wait_step_and_problems() -> None:
    line = status_line({
        "state": "running", "pause": {"state": "paused", "reason": "backup"}, "waiting": {"for": "source"},
        "cutover": {"step": "drain"}, "problems": [{}, {}],
    })  # fmt: skip
    assert "paused: backup" in line
    assert "waiting for source" in line
    assert "cutover step drain" in line
    assert "2 problems" in line


def test_lines_say_what_has_ended_stopped_or_slowed_it_down() -> None:
    """Where the runbook sends whoever finds a migration that failed, or does not move."""
    failed = status_lines({
        "state": "failed", "since": "12:00",
        "reason": {"code": "CUT-TOPO-4", "text": "no cluster", "remedy": "Give one."},
    })  # fmt: skip
    assert failed == [
        "state            failed", "since            12:00", "reason           no cluster (CUT-TOPO-4)",
        "  remedy         Give one.",
    ]  # fmt: skip
    lines = status_lines({
        "state": "running", "pause": {"state": "paused", "by": "operator", "since": "12:00", "reason": "backup"},
        "throttle": {
            "active": True, "reason": "the source is busy", "metric": "queue time", "value": 3.0, "threshold": 1,
        },
    })  # fmt: skip
    assert "pause            paused by the operator since 12:00: backup" in lines
    assert "slowed down      the source is busy (queue time 3.0, limit 1)" in lines


def test_lines_show_each_blocker_with_its_remedy_and_how_the_last_cutover_ended() -> None:
    lines = status_lines({
        "state": "running", "replication": {"lag_seconds": 0.48328074}, "late_indexes": {"pending": 2},
        "verification": {"state": "comparing", "round": 2, "oldest_age_seconds": 12.34, "pending": 3, "confirmed": 1,
                         "repaired": 0},
        "cutover": {
            "blockers": [{"code": "C-1", "text": "too far behind", "remedy": "wait"}],
            "last_attempt": {"result": "rolled-back", "reason": "too slow", "fenced_seconds": 3.21},
            "steps": [{"name": "fence", "state": "done", "seconds": 2.04}, {"name": "open", "state": "pending"}],
        },
    })  # fmt: skip
    assert lines == [
        "state            running",
        "lag              0.5 s",
        "verified         comparing, round 2, up to 12.3 s ago, 3 to be read back, 1 differ, 0 repaired",
        "ready to cut     no",
        "last cutover     rolled-back, source closed for writes for 3.2 s: too slow",
        "  fence          2.0 s",
        "  open           pending",
        "late indexes     0 built, 2 pending, 0 failed",
        "blocked          too far behind (C-1)",
        "  remedy         wait",
    ]


def test_the_worst_checks_come_first_with_their_remedies() -> None:
    checks = [
        {"id": "a", "status": "failed", "message": "bad", "remedy": "repair"},
        {"id": "b", "status": "passed", "message": "good", "remedy": ""},
        {"id": "c", "status": "warning", "message": "odd", "remedy": "look"},
    ]
    assert check_lines(checks) == [
        "FAILED    a: bad",
        "  remedy  repair",
        "WARNING   c: odd",
        "  remedy  look",
        "passed    b: good",
    ]
