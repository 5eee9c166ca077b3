# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of a migration that has ended: how and when, and what was proved, in place of lag and rates."""
from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

from .._engine import states
from .._engine.display import duration, lookup
from .page_parts import Status, modes, tile, tile_list

REPORT_LINK = '<a href="/v1/migration/report.html">Report of the last cutover</a>'
_LATE_WRITE, _UNWATCHED = "CUT-PROOF-3", "CUT-PROOF-4"


def has_ended(status: Status) -> bool:
    """Whether nothing moves any more."""
    return status.get("state") in (states.COMPLETED, states.ABORTED, states.FAILED)


def tiles(status: Status, findings: Sequence[Mapping[str, Any]], report: Optional[Mapping[str, Any]]) -> str:
    """What counts after the end; what this agent does not know is said to be unknown."""
    completed = status.get("state") == states.COMPLETED
    found = _of_opened(status, findings, report or {}) if completed else _of_unopened(status)
    found += modes(status)
    if report is not None:
        found.append(tile("Report", "", "", REPORT_LINK))
    return tile_list(found)


def _of_opened(status: Status, findings: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> list[str]:
    allowed = report.get("max_downtime")
    number, by = lookup(report, "attempt.number"), report.get("by")
    asked = f", asked for by {by}" if by else ""
    return [
        tile("Result", "completed", f"attempt {number}{asked}" if number else ""),
        _moment("Opened", status.get("since")),
        tile("Downtime", duration(report.get("fenced_seconds")), f"of {duration(allowed)} allowed" if allowed else ""),
        _verified(report),
        _late_writes(findings),
    ]


def _verified(report: Mapping[str, Any]) -> str:
    documents, collections = lookup(report, "proof.documents"), lookup(report, "proof.collections")
    if documents is None:
        return tile("Verified", "unknown")
    return tile("Verified", f"{documents:,}", f"documents in {collections:,} collections, before the opening")


def _late_writes(findings: Sequence[Mapping[str, Any]]) -> str:
    codes = [item.get("code") for item in findings]
    count = codes.count(_LATE_WRITE)
    note = "the source was not watched for the whole time" if _UNWATCHED in codes else "on the source since the fence"
    return tile("Late writes", f"{count} findings" if count > 1 else "1 finding" if count else "none seen", note)


def _of_unopened(status: Status) -> list[str]:
    attempt = lookup(status, "cutover.last_attempt")
    found = [
        tile("Result", str(status.get("state")), str(lookup(status, "reason.code") or "")),
        _moment("Since", status.get("since")),
        tile("Last cutover", str(attempt.get("result")) if attempt else "none was tried"),
    ]
    if attempt and attempt.get("fenced_seconds") is not None:
        found.append(tile("Downtime", duration(attempt["fenced_seconds"]), "of the last cutover"))
    return [*found, tile("Possible now", ", ".join(status.get("allowed_actions") or []) or "nothing")]


def _moment(name: str, at: Optional[str]) -> str:
    """The time of day large, the day small."""
    day, _separator, time = (at or "").partition("T")
    return tile(name, f"{time.partition('.')[0].rstrip('Z')} UTC" if time else "unknown", day)
