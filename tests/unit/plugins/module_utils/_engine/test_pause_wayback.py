# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A pause by the operator is never lifted by a retry, nor by the way back of a cutover (design §4.9)."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SYSTEM_CLOCK
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import attempts, states
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.attempt import Attempt
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.attempts import Attempts
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover_world import LiveWorld
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.operator_pause import OperatorPause


def test_a_way_back_leaves_the_operators_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator paused while the gate read the servers' modes, just before the cutover began."""
    paused = [True]
    plane = SimpleNamespace(
        doubts=0, end_watch=lambda: None, resume=lambda: paused.__setitem__(0, False),
        begin_pause=lambda: paused.__setitem__(0, True),
    )  # fmt: skip
    running: Any = SimpleNamespace(plane=plane)
    world: Any = SimpleNamespace(decision=SimpleNamespace(values={}), lease=SimpleNamespace(owner=None))
    migration: Any = SimpleNamespace(
        enter=lambda state: None, state=states.RUNNING, findings=None, stop_event=threading.Event(), clock=SYSTEM_CLOCK,
        spec=SimpleNamespace(warm_up=False), abort_requested=False, attempts=0, be_quiet=lambda world: None,
        measured={}, running=running,
    )  # fmt: skip
    migration.pause = OperatorPause(migration, threading.RLock(), {"by": "operator"})

    class TakesTheWayBack:
        """All that matters of it here."""

        def __init__(self, live: LiveWorld, *_others: Any, **_options: Any) -> None:
            self.live = live
            self.cancelled = threading.Event()
            self.attempt = Attempt(1, "", 60.0)

        def run(self, _number: int, _max_downtime: float) -> Attempt:
            assert self.cancelled.is_set(), "nobody is fenced while nothing is applied"
            self.live.end_watch()
            return self.attempt

    monkeypatch.setattr(attempts, "Cutover", TakesTheWayBack)
    Attempts(migration, world, running)._run(60.0)
    assert paused == [True]
