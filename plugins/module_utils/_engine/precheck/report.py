# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The result of a run, as data and as an exception."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from ..._core.errors import CutoverError
from ..._core.redact import redact
from .outcome import STATUSES, Outcome, Row

FAILED_CODE = "CUT-PRECHECK-2"
# What keeps a migration from starting.
BLOCKING = ("failed", "unknown")


@dataclass(frozen=True)
class PrecheckResult:
    """``checks`` are in the table's order; ``summary`` counts them by status.

    ``capabilities`` are in their table's order; ``forecast`` is None where none was asked for. ``passes``: nothing
    blocks but trouble that asking again may not meet.
    """

    passed: bool
    summary: dict[str, int]
    checks: list[dict[str, Any]]
    capabilities: list[dict[str, Any]] = field(default_factory=list)
    forecast: Optional[dict[str, Any]] = None
    passes: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "passed": self.passed, "summary": self.summary, "checks": self.checks, "capabilities": self.capabilities,
            "forecast": self.forecast,
        }  # fmt: skip

    def blocking(self) -> list[dict[str, Any]]:
        """The checks that keep a migration from starting."""
        return [check for check in self.checks if check["status"] in BLOCKING]

    def require(self) -> None:
        """Raise CUT-PRECHECK-2 with every blocking check and its remedy unless all is well; retriable if it passes."""
        if self.passed:
            return
        found = self.blocking()
        names = ", ".join(check["id"] for check in found) or "checks that could not be made"
        raise CutoverError(
            FAILED_CODE,
            f"prechecks do not pass: {names}. First: {found[0]['message'] if found else 'see the list'}",
            remedy=found[0]["remedy"] if len(found) == 1 else None,
            retriable=self.passes,
            details={"checks": found},
        )


def status_of(row: Row, outcome: Outcome, accepted: bool, ignore_metrics: bool) -> str:
    """The status of one check (design §7).

    A broken rule fails, warns or only informs by its row's severity. What could not be measured is ``unknown`` and
    blocks, unless it would only warn anyway or ``ignore_metrics`` is set. Both can be accepted by name.
    """
    if outcome.state == "good":
        return "passed"
    if outcome.state == "skipped":
        return "skipped"
    if outcome.state == "bad" and row.severity == "info":
        return "passed"
    soft = row.severity != "error" or (ignore_metrics and (row.metric or outcome.state == "unknown"))
    if soft and not (outcome.state == "unknown" and not row.acceptable and row.severity == "error"):
        return "accepted" if accepted else "warning"
    if accepted and row.acceptable:
        return "accepted"
    return "failed" if outcome.state == "bad" else "unknown"


def check_of(row: Row, outcome: Outcome, status: str, reason: str) -> dict[str, Any]:
    """One check as JSON values; ``reason`` is why it was accepted."""
    message = redact(outcome.message)
    if status == "accepted":
        message = f"{message} (accepted: {reason})"
    needs_remedy = status in ("failed", "warning", "unknown", "accepted")
    return {
        "id": row.id,
        "group": row.group,
        "status": status,
        "message": message,
        "remedy": (outcome.remedy or row.remedy) if needs_remedy else "",
        "measured": dict(outcome.measured),
        "severity": row.severity,
        "title": row.title,
        "doc": row.doc,
    }


def result_of(checks: Sequence[dict[str, Any]], complete: bool, passes: bool) -> PrecheckResult:
    """The whole result; ``complete`` is False when a check that matters could not be made at all."""
    summary = {status: sum(check["status"] == status for check in checks) for status in STATUSES}
    passed = complete and summary["failed"] == 0 and summary["unknown"] == 0
    return PrecheckResult(passed, summary, list(checks), passes=passes and bool(summary["failed"] + summary["unknown"]))
