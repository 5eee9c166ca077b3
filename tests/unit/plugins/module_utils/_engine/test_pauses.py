# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pauses: by whom, when they are told as such, and what a restart knows of them (design §4.9, §4.10)."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.brake import Brake
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Progress
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import Load
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles, WriteGate
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.protection import Protection
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.waiting import reached


class Disks:
    """What is known of the source's disks."""

    free_share: float | None = 0.5
    kept_share: float | None = 0.0


class Case:
    """A protection that looks when it is told to; ``again`` is its next life."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.disks = Disks()
        self.again({})

    def again(self, known: dict[str, Any]) -> None:
        self.brake = Brake()
        plane: Any = SimpleNamespace(brake=self.brake, progress=Progress, counts=Counter)
        self.protection = Protection(
            plane, dict, lambda: 0.0, self.directory, lambda _: None, Load(), self.disks, time_scale=1000.0
        )
        self.protection.start(known)

    def close(self) -> None:
        self.protection.close(5.0)


@pytest.fixture
def case(tmp_path: Path) -> Any:
    made = Case(tmp_path)
    yield made
    made.close()


def test_protection_lifts_its_pause_itself(case: Case) -> None:
    """With by whom, why and since when."""
    assert case.protection.pause() is None
    case.disks.kept_share = 0.3
    case.protection.look()
    pause = case.protection.pause()
    assert pause is not None
    assert (pause["state"], pause["by"], case.brake.held) == ("paused", "protection", True)
    assert "log grows" in pause["reason"]
    assert pause["since"]
    case.disks.kept_share = 0.1
    case.protection.look()
    assert (case.protection.pause(), case.brake.held) == (None, False)


def test_what_only_slows_the_copy_is_no_pause(case: Case) -> None:
    """A busy target has no pause for its reason."""
    case.protection._target_queue = lambda: 60.0
    case.protection.look()
    assert case.protection.document()["active"] is True
    assert (case.protection.pause(), case.protection.as_value()["held"]) == (None, None)


def test_a_pause_is_not_told_while_a_step_of_the_copy_is_under_way(case: Case) -> None:
    """Pausing first, paused when the step has ended."""
    with case.brake.passage("PRMR-a", Patience(threading.Event(), Troubles())):
        case.disks.free_share = 0.01
        case.protection.look()
        pause = case.protection.pause()
        assert pause is not None
        assert pause["state"] == "pausing"
    pause = case.protection.pause()
    assert pause is not None
    assert pause["state"] == "paused"


def test_a_pause_by_protection_outlives_a_restart(case: Case) -> None:
    """Also where the value has come back, but not clearly; its beginning stays what it was."""
    case.disks.free_share = 0.05
    case.protection.look()
    kept = case.protection.as_value()
    case.close()
    case.disks.free_share = 0.11
    case.again({**kept, "since": "2026-11-23T00:00:00Z"})
    pause = case.protection.pause()
    assert pause is not None
    assert (pause["since"], case.brake.held) == ("2026-11-23T00:00:00Z", True)
    case.close()
    case.again({})
    assert case.protection.pause() is None, "without it the value would be no reason"
    case.close()
    case.again({"held": "a reason of another version"})
    assert case.protection.pause() is None


def test_a_pause_of_the_operator_rests_when_no_write_is_under_way() -> None:
    """The gate tells both; one that is lifted meanwhile is not waited for."""
    gate = WriteGate(lambda: None, Patience(threading.Event(), Troubles()))
    gate.enter()
    gate.begin_pause()
    assert (gate.paused, gate.rests) == (True, False)
    gate.await_rest(0.01)
    assert not gate.rests
    lifted = threading.Thread(target=gate.await_rest, args=(600.0,))
    lifted.start()
    gate.resume()
    lifted.join(60.0)
    assert not lifted.is_alive()
    gate.begin_pause()
    gate.leave()
    gate.await_rest(600.0)
    assert gate.rests


@pytest.mark.parametrize(
    ("state", "by", "paused", "resumed"),
    [
        ("none", None, False, True),
        ("pausing", "operator", False, False),
        ("paused", "operator", True, False),
        ("paused", "protection", False, True),
    ],
)
def test_waiting_for_a_pause_looks_at_that_of_the_operator(state: str, by: str, paused: bool, resumed: bool) -> None:
    """One by protection comes and goes by itself."""
    status = {"state": "running", "pause": {"state": state, "by": by}}
    assert (reached("paused", status), reached("resumed", status)) == (paused, resumed)
