# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for a position of a log, and the age of what is not applied."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.position import Reading
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.wal import Answer

STOP = threading.Event()


def answer(included: int, scanned: int, last: int) -> Answer:
    return Answer([b"x"] if included else [], included, scanned, last, True)


def reached(reading: Reading, tick: int) -> bool:
    return reading.wait(tick, Deadline(0), STOP)


def test_a_position_is_reached_by_what_was_included_or_scanned() -> None:
    reading = Reading()
    assert not reached(reading, 1)
    reading.begin(100)
    assert reached(reading, 100)
    assert not reached(reading, 101)
    reading.answered(reading.asking(), 0.0, answer(105, 103, 200))
    assert reached(reading, 105)
    reading.answered(reading.asking(), 0.0, answer(0, 110, 200))
    assert reached(reading, 110)
    assert not reached(reading, 111)


def test_an_empty_answer_counts_only_if_it_was_asked_for_later() -> None:
    reading = Reading()
    reading.begin(100)
    before = reading.asking()
    outcome: list[bool] = []
    waiter = threading.Thread(target=lambda: outcome.append(reading.wait(150, Deadline(5), STOP)))
    waiter.start()
    threading.Event().wait(0.05)
    reading.answered(before, 0.0, answer(0, 99, 200))
    waiter.join(0.2)
    assert waiter.is_alive(), "this request was sent before the position was asked for"
    reading.answered(reading.asking(), 0.0, answer(0, 99, 200))
    waiter.join(5)
    assert outcome == [True]


@pytest.mark.parametrize(("applied", "lag"), [(120, 0.0), (110, 0.1), (105, 0.6), (50, 1.1)])
def test_lag_is_the_age_of_the_first_thing_that_is_not_applied(applied: int, lag: float) -> None:
    reading = Reading()
    assert reading.lag(0) is None
    for second, tick in ((10.0, 100), (10.5, 110), (11.0, 120)):
        reading.answered(reading.asking(), second, answer(tick, tick, tick))
    assert reading.lag(applied, now=11.1) == pytest.approx(lag)


def test_i9_the_lag_of_another_log_is_not_known_before_its_first_answer() -> None:
    reading = Reading()
    reading.answered(reading.asking(), 10.0, answer(500, 500, 900))
    reading.begin(60)
    assert reading.lag(60, now=10.1) is None
    reading.answered(reading.asking(), 11.0, answer(65, 65, 80))
    assert reading.lag(65, now=11.1) == pytest.approx(0.1), "it has numbers of its own"


def test_i9_silence_is_lag() -> None:
    reading = Reading()
    reading.answered(reading.asking(), 10.0, answer(100, 100, 100))
    assert reading.lag(100, now=60.0) == pytest.approx(50.0), "a tailer that ended must not look in sync"
    reading.answered(reading.asking(), 60.0, answer(0, 100, 100))
    reading.failed("connection refused")
    assert reading.lag(100, now=60.5) == pytest.approx(0.5)
