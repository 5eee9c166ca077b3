# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The thread of a migration goes on soon when what it waits for is back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.supervisor import Supervisor

# Five seconds after the servers are reachable a restart goes on; some of them are for connecting.
RESUMES_WITHIN = 3.0


class Stop:
    """Ends the agent after some pauses, and remembers them."""

    def __init__(self, pauses: int) -> None:
        self._left = pauses
        self.pauses: list[float] = []

    def is_set(self) -> bool:
        return not self._left

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._left -= 1


def test_however_long_a_server_was_away_a_restart_sees_soon_that_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    migration: Any = SimpleNamespace(abort_requested=False, stop_event=Stop(50))
    monkeypatch.setattr(Supervisor, "_try", lambda self: False)
    Supervisor(migration).run()
    assert max(migration.stop_event.pauses) <= RESUMES_WITHIN
    assert migration.stop_event.pauses[0] < 1.0
