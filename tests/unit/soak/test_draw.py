# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run is hangs on its seed alone; every fault class is known, drawn and counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.soak.__main__ import replay
from tests.soak.draw import MOST_FAULTS, MOST_LAID_OUT, MOST_SHARDS, draw_scenario, enabled, most_shards
from tests.soak.faults import FAULTS
from tests.soak.kinds import JOINED, KINDS, PHASES

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


def test_about_every_fourth_run_has_another_layout() -> None:
    scenarios = [draw_scenario(seed) for seed in range(2000)]
    drawn = [one for one in scenarios if one.layout]
    assert 400 < len(drawn) < 600
    assert all(len(one.layout) <= MOST_LAID_OUT for one in drawn)
    assert {name for one in drawn for name in one.layout} == set(most_shards())
    assert set().union(*(one.layout.values() for one in drawn)) == set(range(1, MOST_SHARDS + 1))


def test_numbers_that_are_printed_a_little_off_keep_their_revisions() -> None:
    scenarios = [draw_scenario(seed) for seed in MANY]
    assert {one.variants.versions[0] for one in scenarios if one.layout} == {"3.11.14", "3.12.10", "4.0.0"}
    assert "3.10.14" in {one.variants.versions[0] for one in scenarios}


def test_bodies_are_always_compressed_only_for_targets_that_take_them() -> None:
    always = [one for one in map(draw_scenario, MANY) if one.compress == "always"]
    assert {one.variants.versions[1] for one in always} == {"3.12.10", "4.0.0"}


def test_a_layout_is_only_of_what_can_have_one() -> None:
    """Sharded by other fields: never; unique without `_key`: one shard."""
    most = most_shards()
    assert not {"stock/places", "shop/seats"} & set(most)
    assert {name for name, shards in most.items() if shards == 1} == {"stock/codes", "shop/accounts"}
    for seed in MANY:
        assert all(shards <= most[name] for name, shards in draw_scenario(seed).layout.items())


def test_the_layout_is_drawn_after_everything_that_was_drawn_before() -> None:
    """What a seed was before there were layouts, it still is."""
    scenario = draw_scenario(14)
    assert [fault.kind for fault in scenario.faults] == [
        "kill_dbserver", "silent_damage", "broken_answers_of_target", "kill_coordinator", "lost_answers_of_source",
    ]
    assert (scenario.ending, scenario.abort_in, scenario.speed) == ("cutover", "running", 0.3)


def test_the_command_that_does_a_run_again() -> None:
    assert replay(17, "") == "make soak RUNS=1 SEED=17"
    assert replay(17, "agent_killed") == "make soak RUNS=1 SEED=17 ONLY=agent_killed"
    assert replay(17, "", 3) == "make soak RUNS=1 SEED=17 AGENTS=3"


def test_more_agents_change_nothing_but_what_hits_those_that_join() -> None:
    for seed in MANY:
        alone, shared = draw_scenario(seed), draw_scenario(seed, agents=3)
        kept = tuple(fault for fault in shared.faults if fault.kind not in JOINED)
        assert replace(shared, agents=1, faults=kept) == alone
    drawn = {fault.kind for seed in MANY for fault in draw_scenario(seed, agents=3).faults}
    assert drawn >= set(JOINED)
