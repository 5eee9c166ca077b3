# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The runner: parallel, bounded, and with a verdict for every row whatever a rule does."""

from __future__ import annotations

import threading
import time
from typing import Callable

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import Context, Memo
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.outcome import (
    BlockedError,
    Outcome,
    Row,
    bad,
    good,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.registry import ROWS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.report import PrecheckResult
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.runner import run, run_request
from tests.unit.plugins.module_utils._engine.precheck.rig import Rig

Rule = Callable[[Context], Outcome]


def run_rules(
    rig: Rig, *rules: Rule, deadline: float = 5.0, severity: str = "error", **options: object
) -> PrecheckResult:
    texts = ("Do this.", "It matters.")
    rows = [Row(f"source-{n}", "source", severity, "A title", rule, *texts) for n, rule in enumerate(rules)]
    return run(rig.context(**options), rows=rows, deadline=deadline)


def raising(error: Exception) -> Rule:
    def rule(_context: Context) -> Outcome:
        raise error

    return rule


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (CutoverError("CUT-HTTP-1", "no connection to x"), "unknown", "no connection to x"),
        (KeyError("tickMin"), "unknown", "unexpected answer (KeyError: 'tickMin')"),
        (ValueError("not a version"), "unknown", "not a version"),
        (PermissionError(13, "Permission denied"), "unknown", "Permission denied"),
        (BlockedError("no connection"), "skipped", "not checked: no connection"),
    ],
)
def test_a_rule_that_cannot_measure(rig: Rig, error: Exception, status: str, says: str) -> None:
    result = run_rules(rig, raising(error), lambda _context: good("fine"))
    assert [check["status"] for check in result.checks] == [status, "passed"]
    assert says in result.checks[0]["message"]
    assert not result.passed


def test_a_row_left_out_blocks_only_if_it_matters(rig: Rig) -> None:
    blocked = raising(BlockedError("x"))
    assert not run_rules(rig, blocked).passed
    assert run_rules(rig, blocked, severity="warning").passed
    assert not run_rules(rig, blocked, accept=[{"id": "source-0", "reason": "r"}]).passed


def test_acceptance_and_ignored_metrics(rig: Rig) -> None:
    away = raising(CutoverError("CUT-HTTP-1", "no connection"))
    accepted = run_rules(rig, away, accept=[{"id": "source-0", "reason": "known"}])
    assert accepted.passed
    assert accepted.checks[0]["message"].endswith("(accepted: known)")
    assert run_rules(rig, away, ignore_metrics=True).checks[0]["status"] == "warning"


def test_trouble_that_passes_is_worth_another_try(rig: Rig) -> None:
    """So that a take-over in the middle of the source's trouble is asked for again; nothing else is."""
    passing = raising(CutoverError("CUT-HTTP-1", "no connection", retriable=True))
    lasting = raising(CutoverError("CUT-ARANGO-4", "forbidden"))
    for rules, retriable in (((passing, passing), True), ((passing, lasting), False), ((lasting,), False)):
        with pytest.raises(CutoverError) as caught:
            run_rules(rig, *rules).require()
        assert caught.value.retriable is retriable
    with pytest.raises(CutoverError) as caught:
        run_rules(rig, passing, lambda _context: bad("too old")).require()
    assert not caught.value.retriable


def test_what_comes_and_goes_keeps_no_migration_from_going_on(rig: Rig) -> None:
    """A take-over may be due because of the very trouble."""
    away = bad("a server is away")
    row = Row("source-0", "source", "error", "A title", lambda _context: away, "Wait.", "x", passing=True)
    assert not run(rig.context(), rows=[row]).passed
    context = rig.context()
    context.resuming = True
    assert [check["status"] for check in run(context, rows=[row]).checks] == ["skipped"]
    assert {row.id for row in ROWS if row.passing} == {"source-servers-good", "source-in-sync", "source-leaders"}


def test_rules_run_at_the_same_time(rig: Rig) -> None:
    together = threading.Barrier(20)

    def rule(_context: Context) -> Outcome:
        together.wait(5)
        return good("all are here")

    assert run_rules(rig, *[rule] * 20).summary["passed"] == 20


def test_a_rule_that_hangs_does_not_hold_the_others(rig: Rig) -> None:
    release = threading.Event()

    def hang(_context: Context) -> Outcome:
        release.wait(20)
        return good("late")

    start = time.monotonic()
    result = run_rules(rig, hang, lambda _context: good("fine"), deadline=0.3)
    release.set()
    assert time.monotonic() - start < 5
    assert [check["status"] for check in result.checks] == ["unknown", "passed"]
    assert "no result within 0.3 s" in result.checks[0]["message"]


def test_a_server_that_hangs_ends_with_the_deadline(rig: Rig) -> None:
    rig.source.control.fault("delay", path_regex="/_admin/time", seconds=8, count=10)
    start = time.monotonic()
    result = run(rig.context(), deadline=2.0)
    assert time.monotonic() - start < 6
    assert [check["id"] for check in result.checks if check["status"] == "unknown"] == ["source-clock"]


def test_a_fact_is_measured_once_and_its_error_is_kept() -> None:
    memo, calls = Memo(), []

    def measure() -> int:
        calls.append(1)
        time.sleep(0.05)
        raise ValueError("odd")

    errors: list[str] = []

    def ask() -> None:
        with pytest.raises(ValueError, match="odd") as caught:
            memo.get("fact", measure)
        errors.append(str(caught.value))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(calls), errors) == (1, ["odd"] * 5)
    assert memo.get("other", lambda: 5) == memo.get("other", lambda: 6) == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target_endpoints": ["https://root:geheim@h"]}, "target_endpoints"),
        ({"source_endpoints": ["h:8529"]}, "source_endpoints"),
        ({"max_downtime": -1}, "max_downtime"),
        ({"no_such_option": 1}, "no_such_option"),
        ({"target_password": None}, "target_password"),
    ],
)
def test_bad_options_are_one_failed_row(rig: Rig, changes: dict[str, object], field: str) -> None:
    result = run_request(rig.request(**changes), rig.environment())
    assert not result.passed
    (check,) = result.checks
    assert (check["id"], check["status"]) == ("input-options", "failed")
    assert field in check["message"]
    assert check["measured"]["field"] == field
    assert check["remedy"]
    assert "geheim" not in str(result.as_dict())


def test_a_request_as_a_whole(rig: Rig) -> None:
    result = run_request(rig.request(), rig.environment())
    assert result.passed
    assert set(result.as_dict()) == {"passed", "summary", "checks", "capabilities", "forecast"}
    assert sum(result.summary.values()) == len(result.checks) > 60


def test_an_unreachable_source_fails_once_and_leaves_out_what_needs_it(rig: Rig, tmp_path: object) -> None:
    result = rig.everything(source_endpoints=["https://127.0.0.1:9"])
    failed = [check["id"] for check in result.checks if check["status"] == "failed"]
    assert failed == ["source-reachable"]
    assert not [check["id"] for check in result.checks if check["status"] == "unknown"]
    left_out = {check["id"] for check in result.checks if check["status"] == "skipped"}
    assert {"source-cluster", "source-log", "features-smart", "target-version"} <= left_out
    assert {check["id"] for check in result.checks if check["status"] == "passed"} >= {"target-empty", "target-level"}
