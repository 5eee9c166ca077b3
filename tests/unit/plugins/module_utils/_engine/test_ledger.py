# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The restart position: never beyond what the target has acknowledged, never inside a write batch."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.ledger import Chunk, Ledger

NOW = Deadline(0)
STOP = threading.Event()


def test_i4_checkpoint_follows_acknowledgement() -> None:
    ledger = Ledger(100)
    first, second = ledger.open(), ledger.open()
    ledger.add(first)
    ledger.add(second)
    ledger.seal(first, 110, 115)
    ledger.seal(second, 120, 120)
    assert ledger.restart_tick == 100
    ledger.done(second)
    assert ledger.restart_tick == 100, "a later chunk must not pass an earlier one"
    ledger.done(first)
    assert ledger.restart_tick == 120
    assert ledger.applied_through == 120


def test_i4_a_chunk_still_being_routed_is_not_complete() -> None:
    ledger = Ledger(1)
    chunk = ledger.open()
    ledger.add(chunk)
    ledger.done(chunk)
    assert ledger.restart_tick == 1
    ledger.seal(chunk, 9, 9)
    assert ledger.restart_tick == 9


def test_i4_never_inside_a_batch_nor_by_an_empty_answer() -> None:
    ledger = Ledger(50)
    inside = ledger.open()
    ledger.seal(inside, None, 70)
    assert ledger.restart_tick == 50
    assert ledger.applied_through == 70
    empty = ledger.open()
    ledger.seal(empty, None, 99)
    assert ledger.restart_tick == 50


def test_pins_hold_the_position_back_until_they_are_let_go() -> None:
    ledger = Ledger(10)
    ledger.seal(ledger.open(), 20, 20)
    ledger.pin("held", 20)
    ledger.pin("held", 30)
    ledger.seal(ledger.open(), 40, 40)
    assert ledger.restart_tick == 20
    ledger.unpin("held")
    ledger.unpin("unknown")
    assert ledger.restart_tick == 40


def test_i4_what_is_outstanding_of_another_log_is_no_position_in_this_one() -> None:
    ledger = Ledger(100)
    old = ledger.open()
    ledger.add(old)
    ledger.seal(old, 500, 510)
    ledger.begin_anew(60)
    assert (ledger.restart_tick, ledger.applied_through) == (60, 60)
    ledger.seal(ledger.open(), 70, 75)
    assert ledger.restart_tick == 60, "effects of the old log come first"
    ledger.done(old)
    assert (ledger.restart_tick, ledger.applied_through) == (70, 75)


def test_acknowledging_twice_is_an_error() -> None:
    ledger = Ledger(1)
    chunk = ledger.open()
    with pytest.raises(ValueError, match="twice"):
        ledger.done(chunk)


def test_waiting_is_for_what_was_read_before() -> None:
    ledger = Ledger(1)
    assert ledger.wait_completed(NOW, STOP)
    chunk = ledger.open()
    ledger.add(chunk)
    ledger.seal(chunk, 5, 5)
    assert not ledger.wait_completed(NOW, STOP)
    later = ledger.open()
    ledger.add(later)
    ledger.done(chunk)
    assert ledger.wait_completed(NOW, STOP)


def test_i8_finished_answers_are_merged_while_one_item_waits() -> None:
    ledger = Ledger(1)
    stuck = ledger.open()
    ledger.add(stuck)
    ledger.seal(stuck, 2, 2)
    for tick in range(3, 500):
        ledger.seal(ledger.open(), tick, tick)
    assert ledger.outstanding_chunks == 2
    assert ledger.restart_tick == 1
    ledger.done(stuck)
    assert ledger.restart_tick == 499


@given(st.data())
def test_i4_restart_tick_is_the_last_batch_end_of_the_completed_beginning(data: st.DataObject) -> None:
    ledger = Ledger(0)
    model: list[list[int]] = []  # [outstanding, end; 0 = none]
    chunks: list[Chunk] = []
    for tick in range(1, data.draw(st.integers(2, 25))):
        items = data.draw(st.integers(0, 2))
        end = data.draw(st.sampled_from([0, tick]))
        chunk = ledger.open()
        for _item in range(items):
            ledger.add(chunk)
        ledger.seal(chunk, end or None, tick)
        chunks.append(chunk)
        model.append([items, end])
        waiting = [index for index, (outstanding, end_tick) in enumerate(model) if outstanding]
        if waiting and data.draw(st.integers(0, 1)):
            index = waiting[data.draw(st.integers(0, len(waiting) - 1))]
            ledger.done(chunks[index])
            model[index][0] -= 1
        expected = 0
        for outstanding, end_tick in model:
            if outstanding:
                break
            expected = end_tick or expected
        assert ledger.restart_tick == expected
