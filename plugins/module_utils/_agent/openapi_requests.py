# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""JSON schemas of request bodies, derived from the tables that check them (``_engine/spec.py``)."""
from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from .._engine import load, spec, spec_values
from .._engine.layout import MOST_SHARDS, REV_POLICIES
from .._engine.overrides import MOST_COPIES
from .._engine.packing import POLICIES
from .._engine.patterns import FORM

TEXT = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"}
ENDPOINT = {**TEXT, "description": "https://HOST:PORT"}
_ID_AND_REASON = {
    "type": "object", "properties": {"id": TEXT, "reason": TEXT}, "required": ["id", "reason"],
    "additionalProperties": False,
}  # fmt: skip
_NAMED_FINDING = {
    "type": "object", "properties": {"code": TEXT, "where": TEXT, "key": TEXT, "reason": TEXT},
    "required": ["code", "where", "key", "reason"], "additionalProperties": False,
}  # fmt: skip
_TIME = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_WINDOW = {
    "type": "object",
    "properties": {
        "from": _TIME, "to": _TIME, "time_zone": {"anyOf": [TEXT, {"type": "null"}]},
        "days": {"anyOf": [
            {"type": "array", "items": {"type": "string", "enum": list(load.DAYS)}, "minItems": 1}, {"type": "null"},
        ]},
        "mb_per_second": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1_000_000_000},
    },
    "required": ["from", "to", "mb_per_second"],
    "additionalProperties": False,
}  # fmt: skip
_PATTERN = "^[^/\\u0000]+(/[^/\\u0000]+)?$"


def _by_pattern(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "propertyNames": {"pattern": _PATTERN}, "description": f"by pattern: {FORM}",
        "additionalProperties": dict(value),
    }  # fmt: skip


# By the name of the function that checks such a field; the engine says more exactly what is wrong with a value.
KINDS: Mapping[str, Mapping[str, Any]] = {
    "boolean": {"type": "boolean"},
    "text": TEXT,
    "secret": {"type": "string"},
    "path": {**TEXT, "description": "a file on the agent's host"},
    "pem": {"type": "string", "pattern": spec_values.PEM},
    "name": {**TEXT, "maxLength": spec_values.MAX_NAME},
    "seconds": {"type": "number", "minimum": 0, "exclusiveMaximum": 1_000_000_000},
    "duration": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1_000_000_000},
    "sample_seconds": {"type": "number", "minimum": 0, "maximum": spec_values.LONGEST_SAMPLE},
    "rate": {"type": "number", "minimum": 1, "exclusiveMaximum": 1_000_000_000},
    "limit": {"type": "number", "minimum": 0, "exclusiveMaximum": 1_000_000_000},
    "load": {"type": "string", "enum": list(load.PRESETS)},
    "copiers": {"type": "integer", "minimum": 1, "maximum": load.MOST_COPIERS},
    "windows": {"type": "array", "items": _WINDOW},
    "mode": {"type": "string", "enum": list(spec_values.VERIFICATION_MODES)},
    "users": {"type": "string", "enum": list(spec_values.USERS)},
    "compress": {"type": "string", "enum": list(POLICIES)},
    "endpoints": {"anyOf": [ENDPOINT, {"type": "array", "items": ENDPOINT, "minItems": 1}]},
    "texts": {"type": "array", "items": TEXT},
    "patterns": {"type": "array", "items": {"type": "string", "pattern": _PATTERN}, "description": FORM},
    "copies": _by_pattern({"type": "integer", "minimum": 1, "maximum": MOST_COPIES}),
    "shards": _by_pattern({"type": "integer", "minimum": 1, "maximum": MOST_SHARDS}),
    "rev_policy": _by_pattern({"type": "string", "enum": list(REV_POLICIES)}),
    "endpoint_map": {"type": "object", "additionalProperties": ENDPOINT},
    "accept": {"type": "array", "items": _ID_AND_REASON},
    "accepted_findings": {"type": "array", "items": {"anyOf": [_ID_AND_REASON, _NAMED_FINDING]}},
}
SHORT = {**TEXT, "maxLength": 1000}


def body(checks: Mapping[str, Callable[[str, object], Any]], required: Sequence[str] = ()) -> dict[str, Any]:
    """The schema of an object whose fields `checks` checks; null counts as not given where nothing is required."""
    properties = {name: dict(KINDS.get(check.__name__, {})) for name, check in checks.items()}
    return _closed({name: kind if name in required else _or_null(kind) for name, kind in properties.items()}, required)


def _or_null(kind: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(kind), {"type": "null"}]} if kind else {}


def _closed(properties: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    closed: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**closed, "required": list(required)} if required else closed


REQUESTS: Mapping[str, dict[str, Any]] = {
    "StartRequest": body(spec.FIELDS, spec.REQUIRED),
    "StopRequest": body(spec.STOP_OPTIONS),
    "ReleaseRequest": _closed({"open": {"type": "boolean"}, "reason": _or_null(SHORT)}, ("open",)),
    "RehearseRequest": body(spec.REHEARSE_OPTIONS),
    "RevokeRequest": _closed({"name": SHORT, "timeout": _or_null(KINDS["duration"])}, ("name",)),
    "LimitsRequest": body(spec.LIMITS_OPTIONS),
    "AbortRequest": _closed({"reason": _or_null(SHORT), "cleanup": _or_null(KINDS["boolean"])}),
    "ReasonRequest": _closed({"reason": _or_null(SHORT)}),
    "NothingRequest": _closed({}),
    "VerificationRequest": body(spec.VERIFICATION_OPTIONS),
    "ChangesRequest": body(spec.CHANGES_OPTIONS),
    "ServerModeRequest": _closed({"mode": {"type": "string", "enum": ["readonly", "default"]}}, ("mode",)),
    "PrecheckRequest": {
        **_closed({name: {} for name in (*spec.FIELDS, *spec.PRECHECK_OPTIONS)}),
        "description": "A start request, and what is wanted of the precheck; the run tells which of its values are "
        "wrong or missing.",
    },
}
