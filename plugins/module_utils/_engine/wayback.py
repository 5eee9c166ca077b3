# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way back by the record, whoever takes it: the agent, its guard, or a rescue (design §5, I6, I7).

The record is won first and the source given back then, so that of two who decide differently only one acts. Every
function can be repeated after any error; it goes on from what the record says by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .._core.clock import SYSTEM_CLOCK, Clock, Deadline
from . import decision as record
from .decision import Decision
from .fence import DEFAULT, summary
from .times import stamp

MODE_TRY_SECONDS = 30.0


class Modes(Protocol):
    """The source's server mode. Errors are ``CutoverError``."""

    def shown_modes(self) -> dict[str, str]:
        """Server mode by server, of those that can be reached: one that is down fences nobody."""

    def set_mode(self, mode: str, deadline: Deadline) -> dict[str, str]:
        """Set the source's mode and see it on every server."""

    def lift_may_run_late(self) -> float:
        """For so many seconds a request of this agent to lift the fence may still run, its answer being lost."""


def former_mode(values: Mapping[str, Any]) -> str:
    """The source's mode before the fence, as recorded."""
    return str(values.get("former_mode", DEFAULT))


def unfence(source: Modes, former: str, clock: Clock = SYSTEM_CLOCK) -> None:
    """Give the source back; one that was found read-only stays so."""
    if former == DEFAULT:
        source.set_mode(DEFAULT, Deadline(MODE_TRY_SECONDS, clock))


def roll_back(decision: Decision, source: Modes, reason: str, by: str, clock: Clock = SYSTEM_CLOCK) -> None:
    """From ``fencing``, ``fenced`` or ``rolling-back``, as just read, to ``none`` with the source in its former mode.

    Raises ``DecisionChangedError`` when somebody else wrote meanwhile: the caller reads the record again and obeys.
    Nobody touches the source before ``by`` is among the record's ``participants``: one of them may be slow, and its
    request may run when all is over. So for ``quiet_seconds`` no new fence may be put up, but by the agent whose
    attempt it was (``quiet_but``) if it took the way back alone; that one only waits for requests of its own.
    """
    values = decision.values
    agent = values.get("agent")
    participants = set(values.get("participants", ())) if decision.state == record.ROLLING_BACK else set()
    participants.add(by)
    # Also by one who is among them already: what it has read may be old by now.
    decision.advance(record.ROLLING_BACK, reason=reason, participants=sorted(participants))
    unfence(source, former_mode(values), clock)
    decision.advance(
        record.NONE,
        former_modes={},
        quiet_seconds=values.get("guard_seconds", 0.0),
        quiet_but=agent if participants == {agent} and values.get("former_agent") in (None, agent) else None,
        own_quiet_seconds=source.lift_may_run_late(),
        rolled_back_at=stamp(clock.wall()),
    )


def quiet_seconds(values: Mapping[str, Any], agent: str) -> float:
    """For how long after its way back an attempt keeps this agent from fencing; 0 when it does not."""
    name = "own_quiet_seconds" if values.get("quiet_but") == agent else "quiet_seconds"
    return float(values.get(name) or 0.0)


def reclaim(decision: Decision, source: Modes, former: str, by: str) -> bool:
    """Whether the source shows a fence although the record is ``none``: somebody fenced after the way back was taken.

    Then the intent is recorded anew, so that nobody else begins a cutover, and the usual way back follows.
    """
    if former != DEFAULT or summary(source.shown_modes()) == DEFAULT:
        return False
    # Whose attempt it was may still lift what is put up next, as long as its fence is young.
    first = decision.values.get("former_agent") or decision.values.get("agent")
    decision.advance(record.FENCING, former_mode=former, former_modes={}, agent=by, former_agent=first)
    return True
