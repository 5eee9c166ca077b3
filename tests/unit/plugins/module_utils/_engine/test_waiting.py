# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting: every state decides for every goal, and no wait is endless."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.agent_api import AgentUnreachableError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.states import STATES, TERMINAL
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.waiting import (
    DEAD_ENDS,
    GOALS,
    Wait,
    reached,
    wait_for,
)


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def status(state: str, **cutover: Any) -> dict[str, Any]:
    return {"state": state, "shards": {"in_sync": 1, "total": 2}, "cutover": {"last_attempt": None, **cutover}}


def run(documents: list[Any], goal: str, timeout: float = 10.0, before: Any = None) -> tuple[dict[str, Any], FakeClock]:
    """Wait over the documents; the last one repeats. Exceptions among them are raised."""
    clock, left = FakeClock(), list(documents)

    def read() -> dict[str, Any]:
        item = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(item, Exception):
            raise item
        return dict(item)

    return wait_for(read, Wait(goal, timeout), before=before, clock=clock, sleep=clock.sleep), clock


def test_a_fence_is_reached_when_nobody_writes_any_more_and_not_by_an_earlier_one() -> None:
    done = [{"name": "fence", "state": "done"}, {"name": "cancel writers", "state": "done"}]
    assert reached("fenced", status("stopping", steps=done))
    assert not reached("fenced", status("stopping", steps=[done[0], {"name": "cancel writers", "state": "running"}]))
    assert not reached("fenced", status("running", steps=done))
    assert reached("fenced", status("completed"))


def test_any_change_is_a_line_that_differs_or_an_end() -> None:
    before = status("running")
    assert not reached("any_change", status("running"), before)
    assert reached("any_change", status("stopping"), before)
    assert reached("any_change", status("completed"), status("completed"))


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("state", TERMINAL)
def test_no_terminal_state_is_waited_for(goal: str, state: str) -> None:
    assert reached(goal, status(state)) or state in DEAD_ENDS[goal]


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_ends_or_times_out(goal: str, state: str) -> None:
    if reached(goal, status(state)):
        assert run([status(state)], goal)[1].now == 0
        return
    with pytest.raises(CutoverError) as caught:
        run([status(state)], goal)
    assert caught.value.code == ("CUT-AGENT-41" if state in DEAD_ENDS[goal] else "CUT-AGENT-40")


def test_goals() -> None:
    synced = {**status("running"), "shards": {"in_sync": 2, "total": 2}}
    assert reached("in_sync", synced)
    assert not reached("in_sync", status("running"))
    assert not reached("in_sync", {**synced, "state": "initial-sync"})
    assert reached("ready", status("running", ready=True))
    assert not reached("completed", status("running", ready=True))


def test_it_returns_the_status_that_reached_the_goal() -> None:
    found, clock = run([status("stopping"), status("stopping"), status("completed")], "completed")
    assert (found["state"], clock.now) == ("completed", 2.0)


def test_a_cutover_that_went_back_ends_the_wait_with_its_reason() -> None:
    attempt = {"at": "t2", "result": "rolled-back", "reason": "too slow"}
    blockers = [{"code": "C", "text": "lag", "remedy": "wait"}]
    before = status("running", last_attempt={"at": "t1", "result": "rolled-back", "reason": "old"})
    went_back = status("running", last_attempt=attempt, blockers=blockers)
    with pytest.raises(CutoverError, match="too slow") as caught:
        run([before, status("stopping"), went_back], "completed", before=before)
    assert (caught.value.code, caught.value.details["blockers"]) == ("CUT-AGENT-42", blockers)


def test_the_last_attempt_of_another_day_does_not_end_the_wait() -> None:
    before = status("running", last_attempt={"at": "t1", "result": "rolled-back", "reason": "old"})
    assert run([before, status("completed")], "completed", before=before)[0]["state"] == "completed"


def test_a_restarting_agent_is_waited_for_but_not_for_ever() -> None:
    gone = AgentUnreachableError("https://a:1", TransportError("CUT-HTTP-1", "refused", outcome_unknown=False))
    assert run([gone, gone, status("completed")], "completed")[0]["state"] == "completed"
    with pytest.raises(AgentUnreachableError):
        run([gone], "completed", timeout=3)
