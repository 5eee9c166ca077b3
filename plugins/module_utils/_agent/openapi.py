# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The OpenAPI document of the agent's API: paths, methods and roles come from the table of routes itself."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Optional

from .._engine.shards import ShardState
from .openapi_answers import ANSWERS, reference
from .openapi_requests import REQUESTS

API_VERSION = "1.0"
JSON = "application/json"
HTML = "text/html; charset=utf-8"
STREAM = "text/event-stream; charset=utf-8"
_WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0}
_SHARD_QUERY: dict[str, dict[str, Any]] = {
    "state": {"type": "string", "enum": [state.value for state in ShardState]},
    "database": {"type": "string"},
    "offset": {**_WHOLE, "maximum": 999_999_999},
}
_WHY = {
    400: "the request is not as described; `details.field` names the field",
    401: "no valid token or client certificate",
    403: "the caller's role does not allow this",
    404: "there is no such thing",
    409: "not in this state, or the gate blocks it; `details.blockers` names every reason",
    413: "the body is too large",
    415: "the body is not declared as application/json",
    422: "prechecks do not pass; `details.checks` names them",
    431: "too many or too large header fields",
    500: "the agent has a defect; its log says more",
    502: "source or target did not answer, or refused",
    503: "not now",
}


@dataclass(frozen=True)
class Operation:
    """What a route takes and answers: names of schemas, or a media type where the answer is no JSON."""

    summary: str
    answer: str
    statuses: tuple[int, ...] = (200,)
    body: Optional[str] = None
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()


_CONTROL, _BEGUN = (200, 202), (202,)
_STATE = (409, 422, 502, 503)
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/healthz"): Operation("Liveness", "Health"),
    ("GET", "/readyz"): Operation("Readiness: what the state directory knew was resumed", "Readiness", (200, 503)),
    ("GET", "/metrics"): Operation("Prometheus text", "text/plain; version=0.0.4; charset=utf-8"),
    ("GET", "/"): Operation("The page for people", HTML),
    ("GET", "/shards"): Operation("A part of the list of shards for people", HTML, query=_SHARD_QUERY),
    ("GET", "/style.css"): Operation("The page's style sheet", "text/css; charset=utf-8"),
    ("GET", "/page.js"): Operation("The page's script", "text/javascript; charset=utf-8"),
    ("GET", "/v1/openapi.json"): Operation("This document", JSON),
    ("GET", "/v1/migration"): Operation("The status document", "Status"),
    ("POST", "/v1/migration"): Operation(
        "Start, or take over new credentials and limits for the same specification", "Status", _CONTROL, "StartRequest",
        refusals=_STATE),
    ("POST", "/v1/migration/stop"): Operation(
        "Begin the cutover", "Status", _CONTROL, "StopRequest", refusals=_STATE),
    ("POST", "/v1/migration/rehearse"): Operation(
        "Begin a rehearsal of the cutover", "Status", _CONTROL, "RehearseRequest", refusals=_STATE),
    ("POST", "/v1/migration/revoke"): Operation(
        "Begin to revoke the opening of the named migration", "Status", _CONTROL, "RevokeRequest", refusals=_STATE),
    ("POST", "/v1/migration/rescue-ticket"): Operation(
        "A short-lived secret that gives a fenced source back when the agent's host is lost", "RescueTicket",
        body="NothingRequest", refusals=_STATE),
    ("POST", "/v1/migration/release"): Operation(
        "Let a cutover that holds its opening open the target, or have it take the way back", "Status", _CONTROL,
        "ReleaseRequest", refusals=_STATE),
    ("POST", "/v1/migration/abort"): Operation(
        "End without opening the target; `cleanup` removes what was made on it", "Status", _CONTROL, "AbortRequest",
        refusals=_STATE),
    ("POST", "/v1/migration/pause"): Operation(
        "Suspend replication", "Status", _CONTROL, "ReasonRequest", refusals=_STATE),
    ("POST", "/v1/migration/resume"): Operation(
        "Go on after a pause", "Status", _CONTROL, "ReasonRequest", refusals=_STATE),
    ("POST", "/v1/migration/limits"): Operation(
        "Change how fast it goes; what is not named stays", "Status", _CONTROL, "LimitsRequest", refusals=_STATE),
    ("GET", "/v1/migration/shards"): Operation(
        "Detail by shard, in pages", "Shards", query={**_SHARD_QUERY, "limit": {**_WHOLE, "maximum": 10_000}}),
    ("GET", "/v1/migration/findings"): Operation("All findings", "Findings"),
    ("GET", "/v1/migration/report"): Operation("The last attempt's report", "Report", refusals=(404,)),
    ("GET", "/v1/migration/report.html"): Operation("The same as one page for people", HTML, refusals=(404,)),
    ("GET", "/v1/migration/events"): Operation(
        "What changes, as server-sent events; the header Last-Event-ID or `after` replays those behind it", STREAM,
        query={"after": {"type": "string", "pattern": "^[0-9]{1,19}$"}}),
    ("POST", "/v1/verification"): Operation(
        "Compare source and target in the background", "VerificationRun", _BEGUN, "VerificationRequest",
        refusals=(409,)),
    ("GET", "/v1/verification/{id}"): Operation(
        "State and result of a verification", "VerificationRun", refusals=(404,)),
    ("POST", "/v1/changes"): Operation(
        "Find out in the background what was written on the target since its opening", "ChangesRun", _BEGUN,
        "ChangesRequest", refusals=(409,)),
    ("GET", "/v1/changes/{id}"): Operation("State and result of such a comparison", "ChangesRun", refusals=(404,)),
    ("GET", "/v1/source/server-mode"): Operation(
        "The source's mode as its servers show it", "ServerMode", refusals=_STATE),
    ("PUT", "/v1/source/server-mode"): Operation(
        "Set the source's mode and see it confirmed by every server", "ServerModeSet", body="ServerModeRequest",
        refusals=_STATE),
    ("POST", "/v1/precheck"): Operation(
        "Run the prechecks of a specification in the background", "PrecheckRun", _BEGUN, "PrecheckRequest",
        refusals=(409,)),
    ("GET", "/v1/precheck/{id}"): Operation("State and result of a precheck", "PrecheckRun", refusals=(404,)),
}  # fmt: skip


def document(routes: Iterable[tuple[str, str, Optional[str]]]) -> dict[str, Any]:
    """The document for routes given as method, path and role (None: open to everybody)."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path, role in routes:
        operation = OPERATIONS[method, path]
        paths.setdefault(path, {})[method.lower()] = _operation(operation, method, path, role)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "cutover-agent",
            "version": API_VERSION,
            "description": "Control and state of one migration. Each role includes those before it: read, operate, "
            "cutover. Unknown fields of requests are refused; answers may get further fields.",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "paths": paths,
        "components": {
            "schemas": {**REQUESTS, **ANSWERS},
            "responses": {str(status): {**_json("Error"), "description": why} for status, why in _WHY.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "certificate": {"type": "mutualTLS"},
            },
        },
    }


def _operation(operation: Operation, method: str, path: str, role: Optional[str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _name(method, path),
        "summary": operation.summary,
        "responses": {str(status): _answer(operation.answer) for status in operation.statuses},
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "schema": dict(schema)} for name, schema in operation.query.items()
    ]
    if "{id}" in path:
        identifier = {"type": "string", "pattern": "^[0-9a-f]{1,64}$"}
        parameters.append({"name": "id", "in": "path", "schema": identifier, "required": True})
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": reference(operation.body)}}}
    if role is None:
        described["security"] = []
    else:
        described["x-role"] = role
        described["security"] = [{"token": []}, {"certificate": []}]
    for status in _refusals(operation, role):
        described["responses"].setdefault(str(status), {"$ref": f"#/components/responses/{status}"})
    return described


def _refusals(operation: Operation, role: Optional[str]) -> list[int]:
    statuses = {400, 431, 500, *operation.refusals}
    if role is not None:
        statuses |= {401, 403}
    if operation.body is not None:
        statuses |= {413, 415}
    return sorted(statuses)


def _answer(answer: str) -> dict[str, Any]:
    if answer == JSON:
        return {"description": "JSON", "content": {JSON: {"schema": {"type": "object"}}}}
    if "/" in answer:
        return {"description": "fine", "content": {answer: {"schema": {"type": "string"}}}}
    return _json(answer)


def _json(name: str) -> dict[str, Any]:
    return {"description": name, "content": {JSON: {"schema": reference(name)}}}


def _name(method: str, path: str) -> str:
    words = path.replace("{id}", "by-id").replace("/", " ").replace(".", "-").split()
    return "-".join([method.lower(), *words]) if words else f"{method.lower()}-page"
