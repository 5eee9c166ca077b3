# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One try of a cutover: what it did, step by step, for status and report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

REHEARSED = "rehearsed"


@dataclass
class StepTime:
    """One line of ``cutover.steps``."""

    name: str
    state: str = "pending"
    seconds: Optional[float] = None


@dataclass
class Attempt:
    """What one try did; ``result`` is ``completed``, ``rolled-back``, ``refused`` or ``rehearsed``."""

    number: int
    at: str
    max_downtime: float
    steps: list[StepTime] = field(default_factory=list)
    result: Optional[str] = None
    reason: Optional[str] = None
    code: Optional[str] = None
    fenced_seconds: Optional[float] = None
    blockers: list[dict[str, str]] = field(default_factory=list)
    proof: Optional[dict[str, Any]] = None
    positions: dict[str, int] = field(default_factory=dict)
    former_modes: dict[str, str] = field(default_factory=dict)
    writers_cancelled: int = 0
    by: str = ""
    keys: Optional[dict[str, Any]] = None
    warm_up: Optional[dict[str, Any]] = None

    def document(self) -> dict[str, Any]:
        """``cutover.last_attempt`` of the status document."""
        return {
            "number": self.number,
            "at": self.at,
            "result": self.result,
            "reason": self.reason,
            "code": self.code,
            "fenced_seconds": None if self.fenced_seconds is None else round(self.fenced_seconds, 3),
            "blockers": list(self.blockers),
        }


def steps_document(attempt: Optional[Attempt]) -> list[dict[str, Any]]:
    """``cutover.steps`` of the status document."""
    steps = attempt.steps if attempt else []
    return [{"name": item.name, "state": item.state, "seconds": item.seconds} for item in steps]
