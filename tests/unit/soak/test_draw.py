# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run is hangs on its seed alone; every fault class is known, drawn and counted."""

from __future__ import annotations

import pytest

from tests.soak.__main__ import replay
from tests.soak.draw import MOST_FAULTS, draw_scenario, enabled
from tests.soak.faults import FAULTS
from tests.soak.kinds import KINDS, PHASES

MANY = range(300)


def test_every_class_of_the_switch_table_can_be_done() -> None:
    assert set(FAULTS) == set(KINDS)


def test_the_same_seed_is_the_same_draw() -> None:
    assert [draw_scenario(seed) for seed in MANY] == [draw_scenario(seed) for seed in MANY]
    assert len({str(draw_scenario(seed)) for seed in MANY}) == len(MANY)


def test_every_enabled_class_is_drawn_in_each_of_its_phases_and_no_other() -> None:
    drawn = {(fault.kind, fault.phase) for seed in range(2000) for fault in draw_scenario(seed).faults}
    assert drawn == {(name, phase) for name in enabled() for phase in KINDS[name].phases}


def test_faults_are_in_order_and_bounded() -> None:
    for seed in MANY:
        faults = draw_scenario(seed).faults
        assert len(faults) <= MOST_FAULTS
        assert list(faults) == sorted(faults, key=lambda one: (PHASES.index(one.phase), one.at))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_one_class_alone_can_be_asked_for(name: str) -> None:
    assert {fault.kind for seed in range(20) for fault in draw_scenario(seed, [name]).faults} == {name}


def test_endings_and_changes_vary() -> None:
    scenarios = [draw_scenario(seed) for seed in MANY]
    assert {one.ending for one in scenarios} == {"cutover", "abort"}
    for name in ("definitions", "users", "early_readers"):
        assert {getattr(one, name) for one in scenarios} == {False, True}


def test_the_command_that_does_a_run_again() -> None:
    assert replay(17, "") == "make soak RUNS=1 SEED=17"
    assert replay(17, "agent_killed") == "make soak RUNS=1 SEED=17 ONLY=agent_killed"
