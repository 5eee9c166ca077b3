# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cutover that was asked for before: whoever waits for it, or joins it, learns what it does (design §5)."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import states
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.migration import Migration
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import Spec, parse
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.supervisor import Supervisor
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.world import Paths, World

WANTED = parse(
    {"source_endpoints": ["https://127.0.0.1:1"], "target_endpoints": ["https://127.0.0.1:2"], "target_password": "x"}
)
ASKED = {"at": "2026-11-23T08:00:00Z", "by": "ops", "number": 3}


def no_world(_wanted: Spec, _stop: threading.Event, _findings: Findings) -> World:
    """Where a test must not get to."""
    raise AssertionError("nothing is connected to here")


def restarted(directory: Path, state: str, attempts: int) -> Migration:
    """An agent that was killed with a cutover asked for; by the record, ``attempts`` have begun."""
    known: dict[str, Any] = {"state": state, "stop": ASKED}
    migration = Migration(WANTED, Paths(directory), no_world, known=known)
    migration.attempts = attempts
    return migration


@pytest.mark.parametrize(
    ("attempts", "result", "code"), [(2, "refused", "CUT-STATE-8"), (3, "rolled-back", None), (4, "rolled-back", None)]
)
def test_how_it_ended_is_told_by_the_record(tmp_path: Path, attempts: int, result: str, code: str | None) -> None:
    """An attempt that the record knows was begun, and the guard, a rescue or another agent took its way back."""
    migration = restarted(tmp_path, states.STOPPING, attempts)
    migration.stops.end_lost()
    attempt = migration.last_attempt
    assert attempt is not None
    assert (attempt.number, attempt.result, attempt.code) == (3, result, code)
    assert (attempt.by, attempt.at) == (ASKED["by"], ASKED["at"])
    assert migration.attempts == max(3, attempts)
    assert json.loads(Paths(tmp_path).migration.read_text())["stop"] is None
    migration.last_attempt = None
    migration.stops.end_lost()
    assert migration.last_attempt is None, "it is told once"


@pytest.mark.parametrize("state", [states.COMPLETED, states.ABORTING, states.ABORTED])
def test_what_has_an_end_of_its_own_is_not_told_twice(tmp_path: Path, state: str) -> None:
    """The record, or the abort, says how it ended."""
    migration = restarted(tmp_path, state, 2)
    migration.stops.end_lost()
    assert migration.last_attempt is None
    assert migration.stops.asked is None


@pytest.mark.parametrize("holds", [True, False])
def test_a_cutover_under_way_is_joined_only_as_it_is(tmp_path: Path, holds: bool) -> None:
    """Who wants to do something before the opening must not believe that it waits."""
    migration = Migration(WANTED, Paths(tmp_path), no_world, known={"state": states.STOPPING})
    migration.stops.pending = {"hold_opening": holds}
    assert migration.stops.ask({}) is False
    if holds:
        assert migration.stops.ask({"hold_opening": True}) is False
        return
    with pytest.raises(CutoverError) as refused:
        migration.stops.ask({"hold_opening": True})
    assert (refused.value.code, "does not hold its opening" in refused.value.message) == ("CUT-STATE-5", True)


def test_a_clean_up_that_was_asked_for_too_late_can_be_asked_for_after_a_revocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The opening was decided when the abort came; a restart in between does not remember it either."""
    monkeypatch.setattr(Migration, "start", lambda self: None)
    migration = Migration(WANTED, Paths(tmp_path), no_world, known={"state": states.STOPPING})
    assert migration.request_abort(cleanup=True) is True
    world: Any = SimpleNamespace(decision=SimpleNamespace(values={"completed_at": "2026-11-23T08:00:00Z"}))
    Supervisor(migration)._completed(world)
    assert json.loads(Paths(tmp_path).migration.read_text())["cleanup"] is None
    assert not migration.abort_requested
    migration.enter(states.ABORTED)
    assert migration.request_abort() is False
    assert migration.request_abort(cleanup=True) is True
    assert (migration.state, migration.cleanup) == (states.ABORTING, "asked")


@pytest.mark.parametrize("times", [1, 3])
def test_what_is_waited_for_is_logged_once_and_again_when_it_was_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, times: int
) -> None:
    migration = Migration(WANTED, Paths(tmp_path), no_world, known={"state": states.RUNNING})
    for _incident in range(times):
        for _round in range(5):
            migration.wait_for(CutoverError("CUT-STATE-5", "the disk is full"))
        migration.waiting = None
    assert len([line for line in caplog.messages if "the disk is full" in line]) == times
