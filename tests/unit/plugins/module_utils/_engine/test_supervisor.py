# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The thread of a migration goes on soon when what it waits for is back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError, CutoverError
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


def answer(status: int, number: int) -> ArangoError:
    """As the engine gets it where nothing else knows the number."""
    return ArangoError("CUT-ARANGO-6", "no", status=status, error_num=number, method="GET", url="u", kind="fatal")


class Told:
    """What became of a try that ended in an error."""

    def __init__(self, error: Exception, *, ending: bool = False) -> None:
        self.waits: list[CutoverError] = []
        self.failures: list[CutoverError] = []
        stop = SimpleNamespace(is_set=lambda: ending)
        migration: Any = SimpleNamespace(stop_event=stop, wait_for=self.waits.append, fail=self.failures.append)
        supervisor = Supervisor(migration)

        def work() -> None:
            raise error

        supervisor._work = work  # type: ignore[method-assign]
        supervisor._let_go = bool  # type: ignore[method-assign]
        self.is_over = supervisor._try()


@pytest.mark.parametrize(
    "error",
    [
        answer(500, 500), answer(500, 1462), answer(503, 0), answer(404, 1703), answer(404, 1600),
        CutoverError("CUT-TOPO-1", "a new server is elsewhere"), CutoverError("CUT-TOPO-5", "another one answers"),
        OSError(28, "no space left on device"),
    ],
)  # fmt: skip
def test_trouble_of_servers_addresses_and_disks_is_waited_out_and_shown(error: Exception) -> None:
    told = Told(error)
    assert not told.is_over
    assert len(told.waits) == 1
    assert not told.failures


@pytest.mark.parametrize("error", [answer(400, 10), answer(501, 9), CutoverError("CUT-TOPO-4", "a single server")])
def test_what_cannot_pass_ends_the_migration(error: Exception) -> None:
    told = Told(error)
    assert told.is_over
    assert told.failures == [error]


def test_what_an_agent_meets_while_it_is_ended_is_no_verdict() -> None:
    told = Told(CutoverError("CUT-STATE-4", "another agent holds it"), ending=True)
    assert told.is_over
    assert not (told.waits or told.failures)
