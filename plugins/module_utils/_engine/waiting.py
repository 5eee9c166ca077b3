# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for a migration: one predicate per goal, a monotonic deadline, and no state that is left undecided."""
from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional

from .._core.agent_api import AgentUnreachableError
from .._core.clock import SYSTEM_CLOCK, Clock, Deadline
from .._core.errors import CutoverError
from .display import lookup, status_line
from .states import TERMINAL

GOALS = ("in_sync", "ready", "fenced", "completed", "aborted", "any_change")
# What can be waited for besides, by whoever has just asked for it: rehearsed, given_back, revoked,
# paused, resumed.
# How the attempt ends that a request for the goal begins; another end is a dead end.
ATTEMPTS = {"rehearsed": "rehearsed", "fenced": "completed", "completed": "completed", "revoked": "revoked"}
# States that lead nowhere by themselves; what is not here and not the goal is still on its way.
DEAD_ENDS = {
    "in_sync": ("inactive", "aborting", "aborted", "failed"),
    "ready": ("inactive", "aborting", "aborted", "failed"),
    "fenced": ("inactive", "aborting", "aborted", "failed"),
    "completed": ("inactive", "aborting", "aborted", "failed"),
    "aborted": ("completed", "failed"),
    "any_change": (),
    "given_back": ("inactive", "completed", "failed"),
    "rehearsed": ("inactive", "completed", "aborting", "aborted", "failed"),
    "revoked": ("inactive", "initializing", "initial-sync", "running", "failed"),
    "paused": ("inactive", "completed", "aborting", "aborted", "failed"),
    "resumed": ("inactive", "completed", "aborting", "aborted", "failed"),
}
# States in which these are reached.
ENDS = {
    "aborted": ("aborted", "inactive"),
    "revoked": ("aborted",),
    "completed": ("completed",),
    "given_back": ("initial-sync", "running", "aborted"),
}
# What `pause.state` shows when it is reached.
PAUSES = {"paused": "paused", "resumed": "none"}
_WHAT = {"rehearsed": "the rehearsal", "fenced": "the cutover", "completed": "the cutover", "revoked": "the revocation"}


@dataclass(frozen=True)
class Wait:
    """What to wait for, how long, and how often to ask (seconds)."""

    goal: str
    timeout: float
    interval: float = 1.0


def reached(goal: str, status: Mapping[str, Any], before: Optional[Mapping[str, Any]] = None) -> bool:
    """Whether the status document shows the goal; ``before`` as for ``check_dead_end``."""
    state = str(status.get("state"))
    if goal in PAUSES:
        # The engine holds the copy by itself too, and lets it go by itself: that is neither.
        asked = lookup(status, "pause.by") == "operator"
        return (str(lookup(status, "pause.state")) if asked else PAUSES["resumed"]) == PAUSES[goal]
    if goal in ENDS:
        return state in ENDS[goal]
    if goal == "rehearsed":
        attempt = _last_attempt(status)
        return state != "stopping" and bool(attempt) and _new(attempt, before) and attempt.get("result") == "rehearsed"
    if goal == "any_change":
        return state in TERMINAL or (before is not None and status_line(status) != status_line(before))
    return state == "completed" or _on_the_way(goal, state, status)


def _on_the_way(goal: str, state: str, status: Mapping[str, Any]) -> bool:
    """What a completed migration has behind it."""
    if goal == "ready":
        return bool(lookup(status, "cutover.ready"))
    if goal == "fenced":
        return state == "stopping" and _step_done(status, "cancel writers")
    return state == "running" and lookup(status, "shards.in_sync") == lookup(status, "shards.total")


def _step_done(status: Mapping[str, Any], name: str) -> bool:
    return any(step["name"] == name and step["state"] == "done" for step in lookup(status, "cutover.steps") or [])


def _last_attempt(status: Mapping[str, Any]) -> Any:
    return lookup(status, "cutover.last_attempt")


def _new(attempt: Mapping[str, Any], before: Optional[Mapping[str, Any]]) -> bool:
    return before is None or attempt != _last_attempt(before)


def check_dead_end(goal: str, status: Mapping[str, Any], before: Optional[Mapping[str, Any]]) -> None:
    """Raise CUT-AGENT-41 or CUT-AGENT-42 when the goal cannot be reached any more without somebody's help.

    `before` is the status from before the request that began the way to the goal.
    """
    state = str(status.get("state"))
    if state in DEAD_ENDS[goal]:
        reason = lookup(status, "reason.text") or "no reason is given"
        raise CutoverError(
            "CUT-AGENT-41",
            f"waiting for {goal}: the migration is {state} ({reason})",
            details={"state": state, "problems": list(status.get("problems") or [])},
        )
    if goal in ATTEMPTS and before is not None and state != "stopping":
        attempt = _last_attempt(status)
        if attempt and _new(attempt, before) and attempt.get("result") != ATTEMPTS[goal]:
            blockers = list(lookup(status, "cutover.blockers") or [])
            raise CutoverError(
                "CUT-AGENT-42",
                f"{_WHAT[goal]} ended with {attempt.get('result')}: {attempt.get('reason') or 'no reason is given'}",
                details={"last_attempt": attempt, "blockers": attempt.get("blockers") or blockers},
            )


def wait_for(
    read: Callable[[], dict[str, Any]],
    wait: Wait,
    *,
    before: Optional[Mapping[str, Any]] = None,
    on_status: Optional[Callable[[Mapping[str, Any]], None]] = None,
    clock: Clock = SYSTEM_CLOCK,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Ask until the goal is reached and return the status then.

    A restarting agent is waited for. Raises CUT-AGENT-40 at the deadline, CUT-AGENT-41 and 42 at dead ends.
    """
    deadline = Deadline(wait.timeout, clock)
    while True:
        try:
            status: Optional[dict[str, Any]] = read()
        except AgentUnreachableError:
            if deadline.expired:
                raise
            status = None
        if status is not None:
            if on_status is not None:
                on_status(status)
            if reached(wait.goal, status, before):
                return status
            check_dead_end(wait.goal, status, before)
        if deadline.expired:
            shown = status_line(status) if status is not None else "the agent does not answer"
            raise CutoverError(
                "CUT-AGENT-40",
                f"waited {wait.timeout:g} s for {wait.goal}; now: {shown}",
                retriable=True,
                details={"goal": wait.goal, "state": status.get("state") if status else None},
            )
        sleep(min(wait.interval, max(deadline.remaining(), 0.05)))
