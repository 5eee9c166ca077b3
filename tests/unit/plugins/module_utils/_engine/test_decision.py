# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Open or way back is decided once; whoever loses the race obeys (invariant I7)."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import (
    TRANSITIONS,
    Decision,
    DecisionChangedError,
)
from tests.unit.control_fakes import FakeStore


def test_the_only_way_from_a_decision_to_open_back_is_its_revocation() -> None:
    """The table itself."""
    reachable, waiting = set(), [record.OPENING]
    while waiting:
        state = waiting.pop()
        reachable.add(state)
        waiting += [item for item in TRANSITIONS[state] if item not in {*reachable, record.REVOKING}]
    assert reachable == set(record.DECIDED_OPEN)
    assert TRANSITIONS[record.REVOKING] == (record.OPENING, record.REVOKED)
    assert TRANSITIONS[record.REVOKED] == (record.NONE,)
    assert [state for state, after in TRANSITIONS.items() if record.REVOKED in after] == [record.REVOKING]


def test_only_a_completed_record_begins_anew() -> None:
    """Nothing of it is left; any other state is refused, and a revocation that was faster is obeyed."""
    for state in TRANSITIONS:
        store = FakeStore()
        store.create(record.KEY, {"state": state, "former_mode": "default"})
        decision = Decision(store)
        decision.read()
        if state == record.COMPLETED:
            decision.start_over()
            assert decision.values == {"state": record.NONE}
        else:
            with pytest.raises(CutoverError) as refused:
                decision.start_over()
            assert refused.value.code == "CUT-DECISION-1"
    store = FakeStore()
    store.create(record.KEY, {"state": record.COMPLETED})
    late, rival = Decision(store), Decision(store)
    late.read()
    rival.read()
    rival.advance(record.REVOKING)
    with pytest.raises(DecisionChangedError):
        late.start_over()
    assert rival.read() == record.REVOKING


def test_values_stay_until_they_are_replaced() -> None:
    """What the fence recorded is still there on the way back."""
    decision = Decision(FakeStore())
    decision.read()
    decision.advance(record.FENCING, former_mode="default")
    decision.advance(record.FENCED)
    assert decision.values["former_mode"] == "default"


def test_a_step_that_does_not_exist_is_refused() -> None:
    """Nothing is written then."""
    store = FakeStore()
    decision = Decision(store)
    decision.read()
    with pytest.raises(CutoverError) as refused:
        decision.advance(record.OPENING)
    assert refused.value.code == "CUT-DECISION-1"
    assert store.documents == {}


def test_i7_the_loser_learns_what_was_decided() -> None:
    """Opening against way back."""
    store = FakeStore()
    agent, rescue = Decision(store), Decision(store)
    agent.read()
    agent.advance(record.FENCING)
    agent.advance(record.FENCED)
    rescue.read()
    rescue.advance(record.ROLLING_BACK)
    with pytest.raises(DecisionChangedError) as lost:
        agent.advance(record.OPENING)
    assert lost.value.state == record.ROLLING_BACK
    assert agent.state == record.ROLLING_BACK


class Decisions(RuleBasedStateMachine):
    """Two actors act on what they last read, with answers lost and requests that run late."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FakeStore()
        self.actors = [Decision(self.store), Decision(self.store)]
        self.opened = False

    actor = st.integers(0, 1)

    @rule(actor=actor)
    def read(self, actor: int) -> None:
        """Look at the record."""
        self.actors[actor].read()

    @rule(actor=actor, pick=st.integers(0, 5), lost=st.sampled_from([None, None, "now", "late", "never"]))
    def advance(self, actor: int, pick: int, lost: str | None) -> None:
        """Take any step that the table offers for what the actor believes."""
        decision = self.actors[actor]
        steps = [item for item in TRANSITIONS[decision.state] if item != record.REVOKING]
        if not steps:
            return
        after = steps[pick % len(steps)]
        self.store.lose = lost
        try:
            decision.advance(after)
        except CutoverError:
            decision.read()
        self.store.lose = None

    @precondition(lambda self: self.store.late)
    @rule()
    def lost_requests_run(self) -> None:
        """Behind everything that was done meanwhile."""
        self.store.run_late()

    @invariant()
    def opening_is_final(self) -> None:
        """Once opening was recorded, nothing else ever is, unless somebody revokes it."""
        entry = self.store.documents.get(record.KEY)
        state = entry.body["state"] if entry else record.NONE
        self.opened = self.opened or state in record.DECIDED_OPEN
        assert not self.opened or state in record.DECIDED_OPEN


TestDecisions = Decisions.TestCase
