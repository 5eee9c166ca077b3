# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each row against servers that answer what breaks it, and what does not."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import Asked
from tests.unit.plugins.module_utils._engine.precheck import test_rows_platform, test_rows_reach, test_trial
from tests.unit.plugins.module_utils._engine.precheck.cases import FAILING, PASSING, Pretended
from tests.unit.plugins.module_utils._engine.precheck.conftest import Describe
from tests.unit.plugins.module_utils._engine.precheck.rig import ROWS_BY_ID, Rig

# Requests that write nothing in spite of their method: a batch of no dump, a query that returns a constant.
READING = {"POST /_api/dump/next/cutover-probe", "POST /_api/cursor"}
# Nothing an operator can do breaks these: they only tell.
TELLING = {"source-dump", "features-geo", "features-late-indexes", "features-left-out"}


def evaluate(rig: Rig, case: Pretended) -> dict[str, object]:
    options = dict(case.options)
    one = next(iter(rig.source.dbservers)) if options.pop("one", False) else ""
    for side, answers in (("source", case.source), ("target", case.target)):
        for path, answer in answers.items():
            missing = isinstance(answer, dict) and answer.get("error")
            rig.pretend(side, path, answer, status=404 if missing else 200, server=one)
    return rig.check(case.row, **options)


@pytest.mark.parametrize("case", FAILING, ids=str)
def test_a_broken_rule_is_reported_with_its_remedy(rig: Rig, case: Pretended) -> None:
    check = evaluate(rig, case)
    expected = {"error": "failed", "warning": "warning", "info": "passed"}[ROWS_BY_ID[case.row].severity]
    assert check["status"] == expected, check
    assert case.says in str(check["message"])
    assert bool(check["remedy"]) is (expected != "passed")


@pytest.mark.parametrize("case", PASSING, ids=str)
def test_a_rule_that_holds_passes(rig: Rig, case: Pretended) -> None:
    check = evaluate(rig, case)
    assert check["status"] == "passed", check
    assert case.says in str(check["message"])
    assert check["remedy"] == ""


def test_every_row_passes_on_two_healthy_clusters(rig: Rig, described: Describe) -> None:
    wishes = {"backup": True, "upload": True, "resume": True}
    deployment = {**described("127.0.0.1"), "wishes": wishes}
    result = rig.everything(Asked(probe_target=True), environment={"deployment": deployment})
    assert {check["id"]: check["message"] for check in result.checks if check["status"] != "passed"} == {
        "agent-port": "the agent's address is not part of this run"
    }
    assert result.passed
    assert [check["id"] for check in result.checks] == list(ROWS_BY_ID)


def test_every_row_has_a_case_that_breaks_it() -> None:
    others = (test_rows_reach, test_rows_platform, test_trial)
    broken = {case.row for case in FAILING}.union(*(module.BROKEN for module in others))
    assert set(ROWS_BY_ID) - broken == TELLING


def test_nothing_is_written(rig: Rig) -> None:
    before = {side: cluster.control.get("/state/requests") for side, cluster in (("s", rig.source), ("t", rig.target))}
    rig.everything()
    for side, cluster in (("s", rig.source), ("t", rig.target)):
        after = cluster.control.get("/state/requests")
        made = {call for call, count in after.items() if count != before[side].get(call, 0)}
        writing = {call for call in made if not call.startswith("GET ")}
        assert len(made) > 10
        assert writing <= READING
