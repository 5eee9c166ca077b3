# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deadlines and growing pauses."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SYSTEM_CLOCK, Backoff, Deadline


class Manual:
    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


def test_a_deadline_runs_out_and_stays_so() -> None:
    clock = Manual()
    deadline = Deadline(5, clock)
    assert (deadline.remaining(), deadline.expired) == (5, False)
    clock.now = 5
    assert (deadline.remaining(), deadline.expired) == (0, True)
    clock.now = 50
    assert deadline.remaining() == 0


def test_a_deadline_without_end() -> None:
    deadline = Deadline(None)
    assert deadline.remaining() == float("inf")
    assert not deadline.expired
    assert deadline.within(3).remaining() <= 3


def test_within_never_ends_later() -> None:
    clock = Manual()
    deadline = Deadline(5, clock)
    assert deadline.within(100).remaining() == 5
    assert deadline.within(2).remaining() == 2


def test_system_clock_moves_on() -> None:
    before = SYSTEM_CLOCK.monotonic()
    assert SYSTEM_CLOCK.monotonic() >= before
    assert SYSTEM_CLOCK.wall() > 1_700_000_000


@given(st.integers(0, 1000), st.integers(1, 40))
def test_pauses_grow_to_the_cap_and_are_never_short(seed: int, count: int) -> None:
    backoff = Backoff(0.5, 8.0, 2.0, random.Random(seed))
    pauses = [backoff.next() for _ in range(count)]
    for index, pause in enumerate(pauses):
        full = min(8.0, 0.5 * 2**index)
        assert full / 2 <= pause <= full
    backoff.reset()
    assert backoff.next() <= 0.5


@pytest.mark.parametrize(("first", "cap", "factor"), [(0, 1, 2), (2, 1, 2), (1, 2, 0.5)])
def test_impossible_settings_are_refused(first: float, cap: float, factor: float) -> None:
    with pytest.raises(ValueError, match="back-off"):
        Backoff(first, cap, factor)
