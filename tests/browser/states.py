# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Status documents of every state that the page is looked at in."""

from __future__ import annotations

import copy
from typing import Any

STEPS = ("intent", "fence", "cancel writers", "definitions", "drain", "proof", "open", "users", "complete")
LAG = {"code": "CUT-GATE-3", "text": "the lag is 41.3 s, allowed are 5 s", "remedy": "Wait until the lag is small."}
REFUSED = {
    "code": "CUT-DATA-3", "severity": "error", "where": "shop/orders", "key": "o-2231",
    "first_at": "2026-11-28T02:11:09.120Z", "last_at": "2026-11-28T02:11:09.120Z", "count": 1,
    "message": "the target does not take a document: errorNum 1620, schema validation failed",
    "text": "the target does not take a document: errorNum 1620, schema validation failed",
    "remedy": "Change the document on the source so that the target takes it, or accept that it is missing there.",
}  # fmt: skip

_RUNNING: dict[str, Any] = {
    "schema": 1,
    "migration": {"id": "5d41402abc4b", "name": "shop-to-cloud", "config_digest": "5d41402abc4b2a76"},
    "at": "2026-11-28T03:14:15.926Z",
    "age_seconds": 0.2,
    "state": "running",
    "since": "2026-11-28T02:40:00.000Z",
    "pause": {"state": "none", "by": None, "reason": None, "since": None},
    "waiting": {"for": None, "since": None},
    "reason": None,
    "allowed_actions": ["stop", "abort", "pause"],
    "progress": {
        "percent": 100.0, "bytes_copied": 412316860416, "bytes_total": 412316860416, "documents_copied": 1402331778,
        "documents_total": 1402331778, "bytes_per_second": 0, "eta_seconds": 0.0, "eta_low": 0.0, "eta_high": 0.0,
    },
    "replication": {
        "lag_seconds": 0.3, "operations_per_second": 1874.0, "behind_bytes": 20480, "applied_total": 3918273,
        "retention_runway_seconds": 93600.0,
        "servers": [
            {"id": f"PRMR-{number}", "read_tick": str(9182731 + number), "last_tick": str(9182731 + number),
             "restart_tick": "9182000", "lag_seconds": 0.1 * number, "error": None,
             "disk_free_share": 0.34 + 0.05 * number, "retention_runway_seconds": 93600.0 + 7200 * (number - 1)}
            for number in (1, 2, 3)
        ],
    },
    "shards": {"pending": 0, "copying": 0, "catching_up": 0, "in_sync": 9000, "held": 0, "suspect": 0, "total": 9000},
    "verification": {
        "state": "running", "round": 4, "verified_up_to": None, "oldest_age_seconds": 312.0, "pending": 12,
        "transient": 40, "confirmed": 0, "repaired": 0,
    },
    "throttle": {"active": False},
    "cutover": {
        "ready": True, "blockers": [], "predicted_downtime_seconds": {"low": 3.1, "mid": 4.4, "high": 7.0},
        "step": None, "steps": [], "last_attempt": None, "attempts": 0,
    },
    "source": {"mode": "default", "version": "3.11.14", "endpoints": ["https://db-1.example.com:8529"]},
    "target": {"mode": "closed", "version": "3.12.10", "endpoints": ["https://cloud.example.com:8529"]},
    "workers": [{"id": "0f3a", "host": "agent-1", "lease_until": "2026-11-28T03:14:40.000Z", "last_seen_seconds": 2.1}],
    "problems": [],
    "findings_total": 0,
    "late_indexes": {"pending": 0, "built": 0, "failed": 0},
    "limits": {},
    "totals": {"errors": 3, "retries": 41, "recopies": 0, "restarts": 1},
    "links": {},
}  # fmt: skip


def _changed(base: dict[str, Any], **parts: Any) -> dict[str, Any]:
    document = copy.deepcopy(base)
    for name, value in parts.items():
        if isinstance(value, dict) and isinstance(document.get(name), dict):
            document[name] = {**document[name], **value}
        else:
            document[name] = value
    return document


def _steps(done: int, current: str | None) -> list[dict[str, Any]]:
    return [
        {"name": name, "state": "done" if index < done else (current or "pending") if index == done else "pending",
         "seconds": round(0.2 + 0.31 * index, 2) if index < done else None}
        for index, name in enumerate(STEPS)
    ]  # fmt: skip


READY = _RUNNING
COPYING = _changed(
    _RUNNING, state="initial-sync", verification=None,
    progress={"percent": 37.4, "bytes_copied": 154206505796, "documents_copied": 524472085, "eta_seconds": 2380.0,
              "bytes_per_second": 108447334, "eta_low": 1666.0, "eta_high": 3808.0},
    shards={"pending": 5203, "copying": 8, "catching_up": 12, "in_sync": 3777},
    cutover={"ready": False, "blockers": [
        {"code": "CUT-GATE-2", "text": "shards that are not in sync: 5203 pending, 8 copying, 12 catching-up",
         "remedy": "Wait until all shards are in sync."}]},
)  # fmt: skip
BLOCKED = _changed(
    _RUNNING, replication={"lag_seconds": 41.3, "behind_bytes": 918273645}, problems=[REFUSED], findings_total=1,
    cutover={"ready": False, "blockers": [LAG, {name: REFUSED[name] for name in ("code", "text", "remedy")}],
             "last_attempt": {"number": 1, "at": "2026-11-28T03:10:00.000Z", "result": "refused",
                              "reason": "two blockers", "code": "CUT-GATE-1", "fenced_seconds": None,
                              "blockers": [LAG]}, "attempts": 1},
    throttle={"active": True, "reason": "queue time of DBServer0002 is 1.4 s", "metric": "queue", "value": 1.4},
)  # fmt: skip
CUTTING = _changed(_RUNNING, state="stopping", source={"mode": "readonly"},
                   cutover={"ready": False, "step": "drain", "steps": _steps(4, "running")})  # fmt: skip
COMPLETED = _changed(
    _RUNNING, state="completed", since="2026-11-28T03:14:04.871Z", source={"mode": "readonly"},
    target={"mode": "open"}, allowed_actions=[], verification=None,
    cutover={"ready": False, "steps": _steps(9, None), "attempts": 2, "last_attempt": {
        "number": 2, "at": "2026-11-28T03:14:00.000Z", "result": "completed", "reason": None, "code": None,
        "fenced_seconds": 4.21, "blockers": []}},
)  # fmt: skip
FAILED = _changed(
    _RUNNING, state="failed", allowed_actions=["start", "abort"],
    reason={"code": "CUT-STATE-7", "text": "the journal on the target knows another migration",
            "remedy": "Find out which migration this target belongs to."},
    cutover={"ready": False},
)  # fmt: skip
ABORTED = _changed(
    _RUNNING, state="aborted", since="2026-11-28T03:20:41.006Z", allowed_actions=["start"],
    cutover={"ready": False, "attempts": 1, "last_attempt": {
        "number": 1, "at": "2026-11-28T03:10:00.000Z", "result": "rolled-back", "fenced_seconds": 6.02, "blockers": [],
        "reason": "max_downtime was over before the target could be opened", "code": "CUT-CUTOVER-1"}},
)  # fmt: skip
REPORT: dict[str, Any] = {
    "name": "shop-to-cloud", "result": "completed", "by": "ops", "fenced_seconds": 4.213, "max_downtime": 10.0,
    "attempt": COMPLETED["cutover"]["last_attempt"],
    "proof": {"collections": 214, "documents": 1402331778, "differences": []},
}  # fmt: skip
# Name, document, and what the answer at the top says.
STATES: dict[str, tuple[dict[str, Any], str]] = {
    "ready": (READY, "Yes, it is safe to cut over now"),
    "copying": (COPYING, "Not safe to cut over yet: 1 reason"),
    "blocked": (BLOCKED, "Not safe to cut over yet: 2 reasons"),
    "cutover": (CUTTING, "The cutover is under way: drain"),
    "completed": (COMPLETED, "Completed: the target is open"),
    "aborted": (ABORTED, "Aborted"),
    "failed": (FAILED, "Failed: somebody must look at it"),
}
