# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Token buckets on a clock of their own, and copiers that give way."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.brake import Brake, Bucket
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import PRESETS
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Stopped, Troubles

BALANCED = PRESETS["balanced"]


class Hands:
    """A clock that somebody turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 0.0


def patient() -> Patience:
    return Patience(threading.Event(), Troubles())


def test_a_bucket_is_paid_off_at_its_rate() -> None:
    """A debt waits; what was not used counts for a second at most; without a rate nothing waits."""
    clock = Hands()
    bucket = Bucket(clock)
    bucket.spend(1e12)
    assert bucket.wait_seconds() == 0
    bucket.set_rate(10.0)
    bucket.spend(30.0)
    assert bucket.wait_seconds() == pytest.approx(3.0)
    assert bucket.used_up
    clock.now += 3.0
    assert bucket.wait_seconds() == 0
    clock.now += 1000.0
    assert not bucket.used_up
    bucket.spend(20.0)
    assert bucket.wait_seconds() == pytest.approx(1.0)
    bucket.set_rate(None)
    assert bucket.wait_seconds() == 0


def test_copiers_of_a_busy_server_are_halved_and_come_back_one_by_one() -> None:
    """By queue time of each server; between half the threshold and the threshold nothing changes."""
    brake = Brake()
    brake.tune(replace(BALANCED, copiers=8))
    assert (brake.allowed("a"), brake.allowed("b")) == (8, 8)
    for wanted in (4, 2, 1, 1):
        brake.adapt({"a": 0.6, "b": 0.0}, 0.0)
        assert (brake.allowed("a"), brake.allowed("b")) == (wanted, 8)
    brake.adapt({"a": 0.4, "b": 0.0}, 0.0)
    assert brake.allowed("a") == 1
    for wanted in (2, 3):
        brake.adapt({"a": 0.2, "b": 0.0}, 0.0)
        assert brake.allowed("a") == wanted
    brake.adapt({"a": 0.0, "b": 0.0}, 0.6)
    assert (brake.allowed("a"), brake.allowed("b")) == (1, 4), "a busy target slows the copy from every server"
    brake.tune(replace(BALANCED, copiers=2))
    assert brake.allowed("b") == 2


def test_no_step_begins_while_the_copy_is_held() -> None:
    """Until it is let go, or the data path ends."""
    brake = Brake()
    brake.hold(True)
    patience = patient()
    passed, ended = threading.Event(), threading.Event()

    def step() -> None:
        try:
            with brake.passage("a", patience):
                passed.set()
        except Stopped:
            ended.set()

    thread = threading.Thread(target=step)
    thread.start()
    assert not passed.wait(0.3)
    brake.hold(False)
    assert passed.wait(30)
    thread.join(30)
    brake.hold(True)
    thread = threading.Thread(target=step)
    thread.start()
    patience.stop.set()
    assert ended.wait(30)
    thread.join(30)


def test_no_more_than_allowed_work_on_one_server_at_once() -> None:
    """Another server's copiers are not in their way."""
    brake = Brake()
    brake.tune(replace(BALANCED, copiers=1))
    entered = threading.Event()

    def step() -> None:
        with brake.passage("a", patient()):
            entered.set()

    with brake.passage("a", patient()):
        thread = threading.Thread(target=step)
        thread.start()
        with brake.passage("b", patient()):
            assert not entered.wait(0.3)
    assert entered.wait(30)
    thread.join(30)


def test_replication_counts_against_the_limit_of_the_copy() -> None:
    """It is never held back itself, but the copy pays for it."""
    clock = Hands()
    brake = Brake(clock)
    brake.tune(replace(BALANCED, operations_per_second=10.0, mb_per_second=1.0))
    brake.spent(0, 20)
    assert brake.used_up() == (False, False)
    passed = threading.Event()

    def step() -> None:
        with brake.passage("a", patient()):
            passed.set()

    thread = threading.Thread(target=step)
    thread.start()
    assert not passed.wait(0.3)
    assert brake.used_up() == (False, True)
    clock.now += 2.0
    assert passed.wait(30)
    thread.join(30)
