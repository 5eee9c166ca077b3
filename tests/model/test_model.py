# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All interleavings of agents, guard, rescue, crashes, lease and deadline end with one primary (I5, I6, I7)."""

from __future__ import annotations

import importlib
import re

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import NONE, REVOCATION, TRANSITIONS
from tests.model import machine
from tests.model.explore import explore
from tests.model.machine import RULES, Machine, State, start

# About a minute of one core in all; on a busy machine it may wait long for that.
pytestmark = pytest.mark.timeout(900)

ENGINE = "ansible_collections.cutover.arangodb.plugins.module_utils._engine"
# Small worlds that together hold every pair of actors; each is explored to its last state.
TWO_AGENTS = {"attempts": (1, 1), "crashes": (1, 0), "guard": 0, "rescue": 0}
GUARDED = {"attempts": (2, 1), "crashes": (0, 0), "guard": 1, "rescue": 0}
GUARDED_CRASH = {"attempts": (1, 0), "crashes": (1, 0), "guard": 1, "rescue": 0}
GUARDED_ONCE = {"attempts": (1, 1), "crashes": (0, 0), "guard": 1, "rescue": 0}
RESCUED = {"attempts": (2, 0), "crashes": (0, 0), "guard": 0, "rescue": 1}
AGAIN = {"attempts": (2, 0), "crashes": (1, 0), "guard": 0, "rescue": 0}
WORLDS = {
    "two agents": TWO_AGENTS, "guarded": GUARDED_ONCE, "guard and crash": GUARDED_CRASH, "rescued": RESCUED,
    "crash and again": AGAIN,
}  # fmt: skip


def machine_of(world: dict[str, object], *broken: str) -> Machine:
    """The machine of a world, without some rules."""
    return Machine(frozenset(broken), guarded=bool(world["guard"]))


def judge(state: State, last: bool) -> str | None:
    """What is wrong with a state; ``last``: nothing follows it."""
    if state.open and state.writable:
        return "I7: both sides take writes"
    if state.open and not state.sealed:
        return "I5: the target is open, and the source was not read-only since its proof"
    if last and state.open == state.writable:
        return "I6: neither side takes writes, and nobody will change that"
    return None


@pytest.mark.parametrize("world", WORLDS)
def test_i5_i6_i7_every_interleaving_ends_with_one_primary(world: str) -> None:
    """No state breaks a rule, and both endings are reached."""
    found = explore(machine_of(WORLDS[world]), start(**WORLDS[world]), judge)  # type: ignore[arg-type]
    assert found.wrong is None, "\n".join([str(found.wrong), *found.way])
    assert found.outcomes == {(True, False), (False, True)}
    assert found.ends > 0


BREAKS = {
    "compare-and-set": RESCUED,
    "record before source": RESCUED,
    "named before source": GUARDED,
    "quiet after others": GUARDED,
    "blind only without an opening note": GUARDED,
    "blind only for an own attempt": {**TWO_AGENTS, "crashes": (0, 0)},
    "blind only while young": GUARDED,
    "blind only after a recorded intent": GUARDED_ONCE,
    "blind guard ends the agent": GUARDED,
    "note before opening": GUARDED,
    "users after decision": RESCUED,
    "proof before opening": TWO_AGENTS,
    "late fence reclaimed": RESCUED,
    "quiet after an earlier life": AGAIN,
    "a lost agent's fence is noted": AGAIN,
    "roll forward after opening": TWO_AGENTS,
    "way back after a crash": TWO_AGENTS,
}


@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_is_found(rule: str) -> None:
    """The model can fail: without any of its rules there is a way to a wrong state."""
    found = explore(machine_of(BREAKS[rule], rule), start(**BREAKS[rule]), judge)  # type: ignore[arg-type]
    assert found.wrong is not None, f"nothing goes wrong without the rule {rule} ({found.states} states)"
    assert found.way


def test_the_model_makes_the_steps_of_the_decision_record() -> None:
    """All of the engine's table but the revocation, which is asked for by name and has tests of its own."""
    steps: set[tuple[str, str]] = set()
    model = Machine()

    def watch(state: State, last: bool) -> str | None:
        for _label, after in model.steps(state):
            if after.record != state.record:
                steps.add((state.record.state, after.record.state))
        return None

    explore(model, start(attempts=(1, 0), crashes=(0, 0), guard=0, rescue=1), watch)
    # The engine writes none to none as well, to outdate a lost intent; here an intent under way is a late write.
    known = {
        (before, after)
        for before, afters in TRANSITIONS.items()
        for after in afters
        if before not in REVOCATION and after not in REVOCATION and (before, after) != (NONE, NONE)
    }
    assert steps == known


def test_what_the_model_abstracts_is_there() -> None:
    """The table in its docstring names functions of the engine."""
    names = re.findall(r"``((?:[a-z_]+)\.[A-Za-z_.]+)``", (machine.__doc__ or "").split("| there |")[1])
    assert len(names) >= 15
    for name in names:
        module, *path = name.split(".")
        found: object = importlib.import_module(f"{ENGINE}.{module}")
        for part in path:
            found = getattr(found, part)
