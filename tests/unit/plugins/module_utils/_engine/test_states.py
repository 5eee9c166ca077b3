# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The states are a closed set with one table."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import states


def test_the_table_is_closed() -> None:
    """Every step leads to a known state; from everywhere but the terminal states one can end."""
    assert {item for after in states.TRANSITIONS.values() for item in after} <= set(states.STATES)
    assert states.TRANSITIONS[states.COMPLETED] == (states.ABORTED,)  # a revoked opening
    assert set(states.ACTIVE) | set(states.TERMINAL) | {states.INACTIVE} == set(states.STATES)


def test_steps() -> None:
    """Allowed, refused, and staying."""
    states.check_transition(states.RUNNING, states.STOPPING)
    states.check_transition(states.COMPLETED, states.COMPLETED)
    for before, after in ((states.COMPLETED, states.RUNNING), (states.INITIAL_SYNC, states.STOPPING)):
        with pytest.raises(CutoverError) as refused:
            states.check_transition(before, after)
        assert refused.value.code == "CUT-STATE-9"


def test_a_cutover_can_be_asked_for_only_while_running() -> None:
    """And a pause only where there is something to pause."""
    assert [item for item in states.STATES if "stop" in states.allowed_actions(item, False)] == [states.RUNNING]
    assert "resume" in states.allowed_actions(states.RUNNING, True)
    assert "pause" in states.allowed_actions(states.INITIAL_SYNC, False)
    assert states.allowed_actions(states.COMPLETED, False) == ["revoke"]
