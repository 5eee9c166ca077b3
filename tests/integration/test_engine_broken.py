# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each prerequisite is broken in turn: its precheck fails, and where that is accepted the migration ends safely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine, EngineConfig
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import Environment
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.registry import ROWS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.runner import run_request
from tests.integration.broken_cases import (
    BLOCKED,
    CASES,
    LEFT_OUT,
    PAUSED,
    PROOF,
    READY,
    REFUSED,
    SECRET,
    WAITS,
    Broken,
)
from tests.integration.broken_site import Site, held, lets_in
from tests.integration.engine_case import ready, request_of, wait_status
from tests.integration.pair import TIME_SCALE

WAIT = 120.0  # seconds; several clusters run beside each other here
ROWS_BY_ID = {row.id: row for row in ROWS}
ACCEPTED = [case for case in CASES if case.ends]
FIRM = [case for case in CASES if not case.ends and ROWS_BY_ID[case.row].severity == "error"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """All clusters."""
    made = Site(tmp_path_factory.mktemp("broken"))
    yield made
    made.close()


class Trial:
    """A case that is broken now, and an engine that may be started on it."""

    def __init__(self, site: Site, case: Broken, home: Path) -> None:
        self.site = site
        self.case = case
        self.pair = site.pair(case.source, case.target)
        self.changes = dict(case.act(site, self.pair) or {})
        self.found = held(self.pair.source)
        self.secret = str(self.changes.pop(SECRET, self.pair.source.jwt_secret_path))
        self._home = home
        self.engine = Engine(EngineConfig(home, Path(self.secret), time_scale=TIME_SCALE))

    def request(self, *accepted: str) -> dict[str, Any]:
        """The start request, with these rows accepted."""
        accept = [*self.changes.get("accept", []), *({"id": row, "reason": "to see it fail"} for row in accepted)]
        return request_of(self.pair, ignore_metrics=False, **{**self.changes, "accept": accept})

    def checks(self) -> dict[str, str]:
        """Status by id of every precheck."""
        result = run_request(self.request(), Environment(self.secret, str(self._home)))
        return {check["id"]: check["status"] for check in result.checks}

    def refused(self, *accepted: str) -> CutoverError:
        """The error that the start ends with."""
        with pytest.raises(CutoverError) as refused:
            self.engine.start(self.request(*accepted))
        return refused.value

    def safe(self) -> None:
        """The source has mode and data as found, and the target lets nobody in."""
        assert held(self.pair.source) == self.found
        assert not lets_in(self.pair.target)
        assert self.engine.status()["state"] != "completed"

    def end(self) -> None:
        """Undo the break; what had begun can be aborted then, and leaves nothing behind."""
        self.site.put_right()
        try:
            if self.engine.status()["state"] != "inactive":
                self.engine.abort({"cleanup": True})
                wait_status(self.engine, lambda status: status["state"] == "aborted", WAIT, fail_on=False)
                assert set(self.pair.target.control.get("/state/overview")["databases"]) == {"_system"}
        finally:
            self.engine.close(20.0)


@pytest.fixture
def trial(site: Site, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    """The case of the test."""
    site.put_right()
    made = Trial(site, request.param, tmp_path / "engine")
    yield made
    made.end()


def test_every_row_is_broken_or_says_why_not() -> None:
    listed = [case.row for case in CASES]
    assert len(set(listed)) == len(listed)
    here = {row.id for row in ROWS if row.group != "platform"}
    assert set(listed) | set(LEFT_OUT) == here
    assert not set(listed) & set(LEFT_OUT)


def test_what_can_be_accepted_is_accepted_here() -> None:
    can = {row.id for row in ROWS if row.severity == "error" and row.acceptable and row.group != "platform"}
    assert {case.row for case in ACCEPTED} == can - set(LEFT_OUT)


@pytest.mark.parametrize("trial", CASES, ids=str, indirect=True)
def test_a_broken_prerequisite_is_found(trial: Trial) -> None:
    """The check has the right id; nothing else than what the case names fails beside one that can be accepted."""
    row = ROWS_BY_ID[trial.case.row]
    checks = trial.checks()
    assert checks[row.id] == ("failed" if row.severity == "error" else "warning"), checks
    if trial.case.ends:
        assert {name for name, status in checks.items() if status in ("failed", "unknown")} == {
            row.id, *trial.case.also
        }  # fmt: skip
    trial.safe()


@pytest.mark.parametrize("trial", FIRM, ids=str, indirect=True)
def test_what_cannot_be_accepted_is_refused_all_the_same(trial: Trial) -> None:
    assert not ROWS_BY_ID[trial.case.row].acceptable
    error = trial.refused(trial.case.row)
    checks: Mapping[str, Any] = {check["id"]: check for check in error.details.get("checks", [])}
    if error.code == "CUT-PRECHECK-2":
        assert checks[trial.case.row]["status"] == "failed", error
        assert f"cannot be accepted: {trial.case.row}" in checks["input-accept"]["message"]
    else:
        assert error.code.startswith(("CUT-SPEC-", "CUT-STATE-")), error
    trial.safe()


@pytest.mark.parametrize("trial", ACCEPTED, ids=str, indirect=True)
def test_what_is_accepted_ends_safely(trial: Trial) -> None:
    case, engine = trial.case, trial.engine
    error = trial.refused()
    assert error.code == "CUT-PRECHECK-2"
    rows = (case.row, *case.also)
    if case.ends == REFUSED:
        assert trial.refused(*rows).code == case.code
    else:
        engine.start(trial.request(*rows))
        if case.late is not None:
            case.late(trial.site, trial.pair)
        _reaches(trial)
    trial.safe()


def _reaches(trial: Trial) -> None:
    """Wait for the end that the case names."""
    case, engine = trial.case, trial.engine
    if case.ends == PAUSED:
        wait_status(engine, lambda status: status["pause"]["by"] == "protection", WAIT)
    elif case.ends == WAITS:
        wait_status(engine, lambda status: case.code in str(status["waiting"]["for"]), WAIT)
        with pytest.raises(CutoverError):
            engine.stop({})
    elif case.ends == READY:
        wait_status(engine, ready, WAIT)
    elif case.ends == BLOCKED:
        wait_status(engine, lambda status: case.code in _blockers(status), WAIT)
        with pytest.raises(CutoverError) as refused:
            engine.stop({})
        assert refused.value.code == "CUT-GATE-1"
        assert case.code in {one["code"] for one in refused.value.details["blockers"]}
    else:
        assert case.ends == PROOF
        engine.stop({"wait_timeout": 90.0})
        status = wait_status(engine, lambda status: bool(status["cutover"]["last_attempt"]), WAIT)
        # What differs is repaired in vain, again and again: the gate may see it before the proof does.
        assert status["cutover"]["last_attempt"]["result"] in ("refused", "rolled-back")
        wait_status(engine, lambda status: status["state"] == "running", WAIT)


def _blockers(status: Mapping[str, Any]) -> set[str]:
    return {one["code"] for one in status["cutover"]["blockers"]}
