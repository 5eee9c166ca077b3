# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From outcomes to statuses, acceptance, summary and the exception."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.outcome import (
    GROUPS,
    SEVERITIES,
    Outcome,
    Row,
    bad,
    gibibytes,
    good,
    listed,
    skipped,
    unknown,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.registry import ROWS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.report import (
    PrecheckResult,
    check_of,
    result_of,
    status_of,
)

ROW = Row("x-row", "source", "error", "A title", lambda _context: good("fine"), "Do this.", "It matters.")
WARNING = replace(ROW, severity="warning")
METRIC = replace(ROW, metric=True)
FIRM = replace(ROW, acceptable=False)


@pytest.mark.parametrize(
    ("row", "outcome", "accepted", "ignoring", "status"),
    [
        (ROW, good("m"), False, False, "passed"),
        (ROW, good("m"), True, False, "passed"),
        (ROW, skipped("m"), False, False, "skipped"),
        (ROW, bad("m"), False, False, "failed"),
        (ROW, bad("m"), True, False, "accepted"),
        (ROW, bad("m"), False, True, "failed"),
        (METRIC, bad("m"), False, True, "warning"),
        (METRIC, bad("m"), False, False, "failed"),
        (ROW, unknown("m"), False, False, "unknown"),
        (ROW, unknown("m"), True, False, "accepted"),
        (ROW, unknown("m"), False, True, "warning"),
        (FIRM, bad("m"), True, True, "failed"),
        (FIRM, unknown("m"), True, True, "unknown"),
        (WARNING, bad("m"), False, False, "warning"),
        (WARNING, bad("m"), True, False, "accepted"),
        (WARNING, unknown("m"), False, False, "warning"),
        (replace(ROW, severity="info"), bad("m"), False, False, "passed"),
        (replace(ROW, severity="info"), unknown("m"), False, False, "warning"),
    ],
)
def test_status(row: Row, outcome: Outcome, accepted: bool, ignoring: bool, status: str) -> None:
    assert status_of(row, outcome, accepted, ignoring) == status


def test_the_form_of_a_check() -> None:
    check = check_of(ROW, bad("broken", remedy="Do that.", number=5), "failed", "")
    assert check == {
        "id": "x-row",
        "group": "source",
        "status": "failed",
        "message": "broken",
        "remedy": "Do that.",
        "measured": {"number": 5},
        "severity": "error",
        "title": "A title",
        "doc": "docs/prechecks.md#x-row",
    }
    assert check_of(ROW, good("fine"), "passed", "")["remedy"] == ""
    accepted = check_of(ROW, bad("broken"), "accepted", "known since May")
    assert accepted["message"] == "broken (accepted: known since May)"
    assert "geheim" not in check_of(ROW, bad("password=geheim"), "failed", "")["message"]


def result(*statuses: str, complete: bool = True) -> PrecheckResult:
    checks = [check_of(replace(ROW, id=f"x-{n}"), bad(f"broken {n}"), one, "") for n, one in enumerate(statuses)]
    return result_of(checks, complete, passes=False)


def test_only_failed_and_unknown_block() -> None:
    fine = result("passed", "warning", "accepted", "skipped")
    assert fine.passed
    assert fine.summary == {"passed": 1, "failed": 0, "warning": 1, "unknown": 0, "skipped": 1, "accepted": 1}
    assert fine.blocking() == []
    fine.require()
    assert not result("passed", "failed").passed
    assert not result("passed", "unknown").passed
    assert not result("passed", "skipped", complete=False).passed


def test_the_exception_names_every_blocker() -> None:
    with pytest.raises(CutoverError) as caught:
        result("passed", "failed", "warning", "unknown").require()
    assert caught.value.code == "CUT-PRECHECK-2"
    assert [check["id"] for check in caught.value.details["checks"]] == ["x-1", "x-3"]
    assert "x-1, x-3" in caught.value.message
    assert "broken 1" in caught.value.message


def test_the_exception_of_a_single_blocker_has_its_remedy() -> None:
    with pytest.raises(CutoverError) as caught:
        result("failed").require()
    assert caught.value.remedy == "Do this."
    with pytest.raises(CutoverError, match="could not be made"):
        result("skipped", complete=False).require()


def test_the_tables_rows_are_well_formed() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.group in GROUPS, row.id
        assert row.severity in SEVERITIES, row.id
        assert row.id.startswith(f"{row.group}-"), row.id
        assert len(row.remedy) > 15, row.id
        assert row.remedy.endswith("."), row.id
        assert row.why.endswith("."), row.id
        assert not row.title.endswith("."), row.id


def test_texts() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(12)], 3) == "0, 1, 2 and 9 more"
    assert gibibytes(3 * 2**29) == "1.5 GiB"
