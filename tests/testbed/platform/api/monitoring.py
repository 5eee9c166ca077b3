# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""monitoring, metrics, notification, audit: what is to be watched (platform facts §6)."""

from __future__ import annotations

import base64
import math
import secrets
from collections.abc import AsyncIterator

from tests.testbed.platform import messages as m
from tests.testbed.platform.api.data import deployment
from tests.testbed.platform.call import Call, found, page
from tests.testbed.platform.errors import Code, PlatformError, invalid
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value

_WEEK, _HOUR, _QUARTER = 7 * 86_400.0, 3600.0, 90 * 86_400.0
_STEPS = 60
_CHUNK = 40  # bytes of a log in one message: a line may span two
_ROLES = {"agents": "agent", "coordinators": "coordinator", "dbservers": "dbserver", "singles": "single"}
_SERVER_TYPES = {"Dbserver": "dbserver", "Coordinator": "coordinator", "Single": "single"}


@rpc("GetMetrics", "GET", "/api/monitoring/v1/metrics", m.METRICS_WISH, m.METRICS)
def get_metrics(call: Call, wish: Value) -> Value:
    """Usage of the servers of a type over at most a week."""
    entry = deployment(call, wish.get("deployment_id", ""), "monitoring.metrics.get")
    end = wish.get("end_at") or call.world.clock.now()
    start = wish.get("start_at") or end - _HOUR
    kind = _SERVER_TYPES.get(wish.get("server_type", ""))
    if kind is None or wish.get("metric_type") not in ("cpu", "memory", "disk"):
        raise invalid("server_type must be Dbserver, Coordinator or Single, metric_type cpu, memory or disk")
    if not 0 <= end - start <= _WEEK:
        raise invalid("the range must not be longer than one week")
    step = (end - start) / _STEPS
    samples = [{"timestamp": start + number * step, "value": 0.4 + 0.1 * math.sin(number)} for number in range(_STEPS)]
    return {
        "metrics": [
            {"server_id": one["id"], "samples": samples} for one in entry.status["servers"] if one["type"] == kind
        ]
    }


@rpc("GetDeploymentLogs", "POST", "/api/monitoring/v1/streaming/deployment-logs", m.LOGS_WISH, m.CHUNK, body=True)
async def stream_logs(call: Call, wish: Value) -> AsyncIterator[Value]:
    """Lines of servers' logs in base64 chunks."""
    entry = deployment(call, wish.get("deployment_id", ""), "monitoring.logs.get")
    role = wish.get("role", "")
    if role not in _ROLES:
        raise invalid(f"role must be one of {', '.join(_ROLES)}")
    lines = call.world.logs.get(entry.id, [f"INFO {role} are ready for business"])
    data = "".join(f"{line}\n" for line in lines[-(wish.get("limit") or 1000) :]).encode()
    for start in range(0, len(data), _CHUNK):
        yield {"chunk": base64.b64encode(data[start : start + _CHUNK]).decode()}


@rpc(
    "CreateToken",
    "POST",
    "/api/metrics/v1/deployments/{deployment_id}/tokens",
    m.METRICS_TOKEN,
    m.METRICS_TOKEN,
    body=True,
)
def create_metrics_token(call: Call, wish: Value) -> Value:
    """A token for scraping, which is told this once only."""
    entry = deployment(call, wish["deployment_id"], "metrics.token.create")
    now, lifetime = call.world.clock.now(), wish.get("lifetime") or _QUARTER
    identifier = call.world.new_id("mt")
    made = {
        "id": identifier,
        "url": f"{entry.url}/Token/{identifier}",
        "name": wish.get("name", ""),
        "description": wish.get("description", ""),
        "deployment_id": entry.id,
        "lifetime": lifetime,
        "created_at": now,
        "expires_at": now + lifetime,
    }
    call.world.metrics_tokens[identifier] = made
    return {**made, "token": secrets.token_urlsafe(32)}


@rpc(
    "GetMetricsEndpoint",
    "GET",
    "/api/metrics/v1/endpoints/{deployment_id}",
    m.METRICS_ENDPOINT_WISH,
    m.METRICS_ENDPOINT,
)
def get_metrics_endpoint(call: Call, wish: Value) -> Value:
    """Where to scrape; nowhere until there is a valid token."""
    entry = deployment(call, wish["deployment_id"], "metrics.endpoint.get")
    now = call.world.clock.now()
    tokens = [one for one in call.world.metrics_tokens.values() if one["deployment_id"] == entry.id]
    if not any(one["expires_at"] > now and not one.get("is_revoked") for one in tokens):
        return {}
    base, path = f"https://{entry.host}", "/metrics" if call.world.options.reads(11, "metrics-path") else ""
    ports = {"endpoint": ":8829", "endpoint_self_signed": ":18829", "endpoint_default": ""}
    return {name: f"{base}{port}{path}" for name, port in ports.items()}


def _metrics_token(call: Call, identifier: str, permission: str) -> Value:
    token = found(call.world.metrics_tokens, identifier, "Token")
    call.require(permission, token["url"])
    return token


@rpc("RevokeToken", "POST", "/api/metrics/v1/tokens/{id}/revoke", m.ID, m.NOTHING)
def revoke_metrics_token(call: Call, wish: Value) -> Value:
    """Nobody can scrape with the token any more."""
    token = _metrics_token(call, wish["id"], "metrics.token.revoke")
    token.update(is_revoked=True, revoked_at=call.world.clock.now())
    return {}


@rpc("DeleteToken", "DELETE", "/api/metrics/v1/tokens/{id}", m.ID, m.NOTHING)
def delete_metrics_token(call: Call, wish: Value) -> Value:
    """Forget a token."""
    del call.world.metrics_tokens[_metrics_token(call, wish["id"], "metrics.token.delete")["id"]]
    return {}


@rpc(
    "ListDeploymentNotifications",
    "POST",
    "/api/notification/v1/deployment/{deployment_id}/notifications",
    m.MAILS_WISH,
    m.MAIL_LIST,
    body=True,
)
def list_notifications(call: Call, wish: Value) -> Value:
    """Mails about a deployment, the newest first."""
    entry = deployment(call, wish["deployment_id"], "notification.deployment-notification.list")
    mails = [one for one in call.world.mails.get(entry.id, []) if not (wish.get("unread_only") and one.get("is_read"))]
    return {"items": page(mails[::-1], wish.get("options", {}))}


@rpc("GetAuditLogAttachedToProject", "GET", "/api/audit/v1/projects/{id}/auditlog", m.ID, m.AUDIT_LOG)
def get_audit_log(call: Call, wish: Value) -> Value:
    """The audit log of a project; NotFound until it was enabled."""
    project = found({call.world.project["id"]: call.world.project}, wish["id"], "Project")
    call.require("audit.auditlogattachment.get", project["url"])
    if call.world.audit_log is None:
        raise PlatformError(Code.NOT_FOUND, "no audit log is attached to the project")
    return call.world.audit_log


@rpc(
    "GetAuditLogEvents",
    "POST",
    "/api/audit/v1/auditlogs/{auditlog_id}/events",
    m.AUDIT_WISH,
    m.AUDIT_EVENT,
    body=True,
)
async def stream_audit_events(call: Call, wish: Value) -> AsyncIterator[Value]:
    """What was done on the platform, as events of a topic."""
    log = call.world.audit_log
    if log is None or log["id"] != wish["auditlog_id"]:
        raise PlatformError(Code.NOT_FOUND, f"AuditLog '{wish['auditlog_id']}' not found")
    call.require("audit.auditlogevents.get", log["url"])
    topics = wish.get("included_topics", [])
    for event in call.world.events[: wish.get("limit") or None]:
        shown = {"timestamp": event["created_at"], "topic": "audit-general", "action": event["type"], "user_id": "usr1"}
        if not topics or shown["topic"] in topics:
            yield shown
