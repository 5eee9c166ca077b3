# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The states of a migration: a closed set and one transition table (design §4.9)."""

from __future__ import annotations

from .._core.errors import CutoverError

INACTIVE = "inactive"
INITIALIZING = "initializing"
INITIAL_SYNC = "initial-sync"
RUNNING = "running"
STOPPING = "stopping"
COMPLETED = "completed"
ABORTING = "aborting"
ABORTED = "aborted"
FAILED = "failed"

# RUNNING goes back to INITIAL_SYNC when a new collection has to be copied first. A revoked opening, finished or not,
# ends as ABORTED. ABORTED goes back to ABORTING to remove what is left on the target.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    INACTIVE: (INITIALIZING,),
    INITIALIZING: (INITIAL_SYNC, ABORTING, FAILED),
    INITIAL_SYNC: (RUNNING, ABORTING, FAILED),
    RUNNING: (INITIAL_SYNC, STOPPING, ABORTING, FAILED),
    STOPPING: (RUNNING, COMPLETED, ABORTED, FAILED),
    COMPLETED: (ABORTED,),
    ABORTING: (ABORTED, FAILED),
    ABORTED: (INITIALIZING, ABORTING),
    FAILED: (INITIALIZING, ABORTING),
}
STATES = tuple(TRANSITIONS)
TERMINAL = (COMPLETED, ABORTED, FAILED)
ACTIVE = (INITIALIZING, INITIAL_SYNC, RUNNING, STOPPING, ABORTING)

_ACTIONS: dict[str, tuple[str, ...]] = {
    INACTIVE: ("start",),
    INITIALIZING: ("abort",),
    INITIAL_SYNC: ("abort",),
    RUNNING: ("stop", "rehearse", "abort"),
    STOPPING: ("abort",),
    COMPLETED: ("revoke",),
    ABORTING: (),
    ABORTED: ("start",),
    FAILED: ("start", "abort"),
}
PAUSABLE = (INITIAL_SYNC, RUNNING)


def check_transition(before: str, after: str) -> None:
    """Raise CUT-STATE-9 unless the table has this step; staying is always allowed."""
    if before != after and after not in TRANSITIONS[before]:
        raise CutoverError("CUT-STATE-9", f"a migration cannot go from {before} to {after}")


def allowed_actions(state: str, paused: bool, leavings: bool = False) -> list[str]:
    """What the operator can ask for now; ``leavings``: the target may hold what an aborted migration has made."""
    actions = list(_ACTIONS[state])
    if state == ABORTED and leavings:
        actions.append("cleanup")
    if state in PAUSABLE:
        actions.append("resume" if paused else "pause")
    return actions
