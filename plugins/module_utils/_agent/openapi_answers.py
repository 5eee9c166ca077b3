# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""JSON schemas of answers. Objects may get further fields in later versions; those that are named stay."""
from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

from .._engine.shards import ShardState

BOOLEAN: dict[str, Any] = {"type": "boolean"}
TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0}
ANY_OBJECT: dict[str, Any] = {"type": "object"}
TEXT_OR_NULL: dict[str, Any] = {"type": ["string", "null"]}
NUMBER_OR_NULL: dict[str, Any] = {"type": ["number", "null"]}
WHOLE_OR_NULL: dict[str, Any] = {"type": ["integer", "null"]}


def reference(name: str) -> dict[str, str]:
    """A named schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(properties: Mapping[str, Any], optional: Sequence[str] = ()) -> dict[str, Any]:
    """An object with these properties, all but `optional` always there."""
    needed = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), **({"required": needed} if needed else {})}


def array(items: Mapping[str, Any]) -> dict[str, Any]:
    """A list of such things."""
    return {"type": "array", "items": dict(items)}


def or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same or null, which stands for `not known`."""
    return {"anyOf": [dict(schema), {"type": "null"}]}


def _numbers(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, NUMBER_OR_NULL)


def _texts(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, TEXT_OR_NULL)


_BLOCKER = record({"code": TEXT, "text": TEXT, "remedy": TEXT})
_ATTEMPT = record(
    {"at": TEXT, "result": TEXT, **_texts("reason", "code"), **_numbers("fenced_seconds", "number"),
     "blockers": array(_BLOCKER)},
    optional=("number", "code", "blockers"),
)  # fmt: skip
_PROBLEM = record(
    {"code": TEXT, "severity": TEXT, "first_at": TEXT, "last_at": TEXT, "count": WHOLE, "where": TEXT, "text": TEXT,
     "remedy": TEXT}
)  # fmt: skip
_STEP = record({"name": TEXT, "state": {"enum": ["pending", "running", "done", "failed"]}, **_numbers("seconds")})
_TAIL = record(
    {"id": TEXT, **_texts("read_tick", "last_tick", "restart_tick", "error"),
     **_numbers("lag_seconds", "disk_free_share", "log_growth_share", "retention_runway_seconds")},
)
_WORKER = record({**_texts("id", "host", "lease_until"), **_numbers("last_seen_seconds")})
_JOINED = record(
    {**_texts("lead_id", "lead_host"), "since": TEXT,
     "jobs": array(record({"server": TEXT, "database": TEXT, "shards": WHOLE}))}
)  # fmt: skip

STATUS = record(
    {
        "schema": {"type": "integer", "const": 1},
        "migration": or_null(record(_texts("id", "name", "config_digest"))),
        "at": TEXT,
        "age_seconds": {"type": "number", "minimum": 0},
        "state": TEXT,
        "since": TEXT_OR_NULL,
        "pause": record({"state": {"enum": ["none", "pausing", "paused", "resuming"]},
                         **_texts("by", "reason", "since")}),
        "waiting": record(_texts("for", "since")),
        "reason": or_null(record(_texts("code", "text", "remedy"))),
        "allowed_actions": array(TEXT),
        "progress": record(
            _numbers("percent", "bytes_copied", "bytes_total", "documents_copied", "documents_total",
                     "bytes_per_second", "eta_seconds", "eta_low", "eta_high")
        ),
        "replication": record(
            {**_numbers("lag_seconds", "operations_per_second", "behind_bytes", "applied_total",
                        "retention_runway_seconds"), "servers": array(_TAIL)}
        ),
        "shards": record(
            dict.fromkeys(("pending", "copying", "catching_up", "in_sync", "held", "suspect", "total"), WHOLE)
        ),
        "verification": or_null(ANY_OBJECT),
        "throttle": record(
            {"active": BOOLEAN, **_texts("reason", "metric", "since", "load"), **_numbers("value", "threshold")}
        ),
        "cutover": record(
            {"ready": BOOLEAN, "blockers": array(_BLOCKER),
             "predicted_downtime_seconds": or_null(record(_numbers("low", "mid", "high"))),
             "step": TEXT_OR_NULL, "steps": array(_STEP), "last_attempt": or_null(_ATTEMPT), "attempts": WHOLE}
        ),
        "source": record(_texts("mode")),
        "target": record(_texts("mode")),
        "workers": array(_WORKER),
        "joined": or_null(_JOINED),
        "problems": array(_PROBLEM),
        "findings_total": WHOLE,
        "late_indexes": record(dict.fromkeys(("pending", "built", "failed"), WHOLE)),
        "limits": ANY_OBJECT,
        "totals": record(dict.fromkeys(("errors", "retries", "recopies", "restarts"), WHOLE)),
        "links": ANY_OBJECT,
    }
)  # fmt: skip
ERROR_FIELDS = record(
    {"code": {"type": "string", "pattern": "^CUT-[A-Z]+-[0-9]+$"}, "message": TEXT, "remedy": TEXT,
     "retriable": BOOLEAN, "details": ANY_OBJECT}
)  # fmt: skip
_FINDING = record(
    {"code": TEXT, "severity": TEXT, "where": TEXT, "key": TEXT_OR_NULL, "message": TEXT, "remedy": TEXT, "id": TEXT,
     "count": WHOLE, "first_at": TEXT, "last_at": TEXT, "accepted": or_null(ANY_OBJECT)}
)  # fmt: skip
_SHARD = record(
    {"database": TEXT, "collection": TEXT_OR_NULL, "plan_id": TEXT, "shard": TEXT,
     "state": {"enum": [state.value for state in ShardState]}, **_texts("leader", "verified_up_to"),
     **_numbers("verified_age_seconds")}
)  # fmt: skip
_CHECK = record(
    {"id": TEXT, "group": TEXT, "status": TEXT, "message": TEXT, "remedy": TEXT_OR_NULL}
)  # fmt: skip
_COMPARED = record(
    {"database": TEXT, "collection": TEXT, "source_documents": WHOLE_OR_NULL, "target_documents": WHOLE_OR_NULL,
     "equal": BOOLEAN}
)  # fmt: skip
_ASPECT = record(
    {"what": TEXT, "verified": BOOLEAN, "equal": {"type": ["boolean", "null"]}, "differences": array({}),
     "why": TEXT_OR_NULL}
)  # fmt: skip
_DIFFERENCE = record({"database": TEXT, "collection": TEXT, "key": TEXT, "kind": TEXT})
_WRITTEN = dict.fromkeys(("created", "changed", "removed"), WHOLE)
_MODE = {"mode": TEXT, "servers": {"type": "object", "additionalProperties": TEXT}}


def _run(result: Optional[str]) -> dict[str, Any]:
    return record(
        {"id": {"type": "string", "pattern": "^[0-9a-f]+$"}, "state": {"enum": ["running", "finished", "failed"]},
         "result": or_null(reference(str(result))), "error": or_null(ERROR_FIELDS)}
    )  # fmt: skip


ANSWERS: Mapping[str, dict[str, Any]] = {
    "Status": STATUS,
    "Error": record({"error": ERROR_FIELDS}),
    "Health": record({"status": {"const": "ok"}, "version": TEXT}),
    "Readiness": record({"status": {"enum": ["ready", "not-ready"]}}),
    "Shards": record({"shards": array(_SHARD), "total": WHOLE}),
    "Findings": record({"findings": array(_FINDING)}),
    "Report": {**record({"result": TEXT}, optional=("result",)), "description": "The report of the last attempt."},
    "ServerMode": record(_MODE),
    "ServerModeSet": record({**_MODE, "changed": BOOLEAN}),
    "RescueTicket": record({"token": TEXT, "expires_at": {}, "coordinators": array(TEXT)}),
    "Precheck": record({"passed": BOOLEAN, "summary": {"type": "object", "additionalProperties": WHOLE},
                        "checks": array(_CHECK)}),
    "Verification": record(
        {"mode": TEXT, "equal": BOOLEAN, "at": TEXT, "seconds": {"type": "number"}, "repaired": WHOLE,
         "collections": array(_COMPARED), "not_in_sync": array(TEXT), "differences": array(_DIFFERENCE),
         "differences_total": WHOLE, "aspects": array(_ASPECT)}
    ),
    "Changes": record(
        {"at": TEXT, "opened_at": TEXT_OR_NULL, "collections": array(record({"database": TEXT, "collection": TEXT,
         **_WRITTEN})), "totals": record(_WRITTEN), "definitions": array({}), "source_mode": TEXT_OR_NULL}
    ),
    "PrecheckRun": _run("Precheck"),
    "VerificationRun": _run("Verification"),
    "ChangesRun": _run("Changes"),
}  # fmt: skip
