# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A few end-to-end runs meet every reading of what is unconfirmed."""

from __future__ import annotations

import random

import pytest

from tests.e2e.variants import ENOUGH, LEFT_OUT, QUESTIONS, Variants, drawn, planned, table, variants_of
from tests.testbed.options import Options
from tests.testbed.readings import READINGS

EVERY = {(reading.number, variant) for reading in QUESTIONS for variant in variants_of(reading)}


def test_the_first_runs_meet_every_variant() -> None:
    met = {one for number in range(ENOUGH) for one in planned(number).shown()}
    assert met == EVERY


def test_no_variant_is_forgotten() -> None:
    named = {part for _number, variant in EVERY for part in variant.split("+")} | set(LEFT_OUT)
    assert named == {variant for reading in READINGS for variant in reading.variants}


@pytest.mark.parametrize("number", range(6))
def test_the_testbed_knows_the_option(number: int) -> None:
    options = Options.parse({"readings": planned(number).option()})
    assert sum(len(chosen) for chosen in options.readings.values()) >= len(QUESTIONS)


def test_draws_differ_and_repeat_by_seed() -> None:
    first = [drawn(random.Random(seed)) for seed in range(20)]
    assert first == [drawn(random.Random(seed)) for seed in range(20)]
    assert {one for run in first for one in run.shown()} == EVERY


def test_the_table_counts() -> None:
    runs: list[Variants] = [planned(0), planned(0)]
    number, variant = next(iter(planned(0).shown()))
    line = next(line for line in table(runs).splitlines() if f" {variant} " in line)
    assert line.split()[0] == str(number)
    assert f"{variant} 2" in line
