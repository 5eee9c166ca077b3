# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Watching: streams, usage, logs, scraping, notifications, events, audit, organisation (platform facts §6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.testbed.platform.inprocess import DirectPlatform
from tests.testbed.platform.roles import ROLES, SINGLE

STREAM = "/api/data/v1/streaming/deployment"
LOGS = "/api/monitoring/v1/streaming/deployment-logs"


@pytest.fixture
def direct() -> Iterator[DirectPlatform]:
    """A platform whose key may do everything."""
    with DirectPlatform(key={"roles": [*ROLES, *SINGLE]}, time_scale=0, token_lifetime=1e9) as made:
        yield made


def lines(answer: Any) -> list[Any]:
    """The objects of a stream."""
    return [json.loads(line) for line in answer.body.splitlines()]


def test_6_a_stream_begins_with_the_deployment(direct: DirectPlatform) -> None:
    shown = direct.get(f"/api/data/v1/deployments/{direct.deployment}")
    answer = direct("POST", STREAM, {"id": direct.deployment})
    assert answer.status == 200
    assert lines(answer) == [{"result": shown}]


def test_6_an_error_before_the_first_message_has_the_form_of_streams(direct: DirectPlatform) -> None:
    answer = direct("POST", STREAM, {"id": "nobody"})
    assert answer.status == 404
    told = {"grpc_code": 5, "http_code": 404, "message": "Deployment 'nobody' not found", "http_status": "Not Found"}
    assert lines(answer) == [{"error": told}]


def test_6_usage(direct: DirectPlatform) -> None:
    path = "/api/monitoring/v1/metrics"
    query = {"deployment_id": direct.deployment, "server_type": "Dbserver", "metric_type": "disk"}
    found = direct.get(path, **query, start_at="2026-11-23T07:00:00Z", end_at="2026-11-23T08:00:00Z")["metrics"]
    assert len(found) == 3
    assert found[0]["samples"][0]["timestamp"] == "2026-11-23T07:00:00Z"
    for bad in (
        {"server_type": "agents"},
        {"metric_type": "net"},
        {"start_at": "2026-11-01T07:00:00Z", "end_at": "2026-11-23T08:00:00Z"},
    ):
        text = "&".join(f"{name}={value}" for name, value in {**query, **bad}.items())
        assert direct("GET", f"{path}?{text}").json["code"] == 3


def test_6_logs_come_in_chunks_that_cut_lines(direct: DirectPlatform) -> None:
    told = [f"line {number} of a server that has much to tell" for number in range(5)]
    direct.fault("logs", lines=told)
    found = lines(direct("POST", LOGS, {"deployment_id": direct.deployment, "role": "dbservers", "limit": 3}))
    chunks = [base64.b64decode(one["result"]["chunk"]) for one in found]
    assert b"".join(chunks).decode().splitlines() == told[-3:]
    assert any(not chunk.endswith(b"\n") for chunk in chunks)
    assert lines(direct("POST", LOGS, {"deployment_id": direct.deployment, "role": "x"}))[0]["error"]["grpc_code"] == 3


def test_6_a_token_for_scraping_is_told_once(direct: DirectPlatform) -> None:
    endpoint = f"/api/metrics/v1/endpoints/{direct.deployment}"
    assert direct.get(endpoint) == {}
    path = f"/api/metrics/v1/deployments/{direct.deployment}/tokens"
    made = direct("POST", path, {"name": "migration", "lifetime": "86400s"}).json
    assert (bool(made["token"]), made["lifetime"]) == (True, "86400s")
    assert direct("POST", path, {"name": "other"}).json["lifetime"] == "7776000s"
    found = direct.get(endpoint)
    assert found["endpoint"].endswith(":8829")
    assert found["endpoint_self_signed"].endswith(":18829")
    for identifier in list(direct.world.metrics_tokens):
        assert direct("POST", f"/api/metrics/v1/tokens/{identifier}/revoke").json == {}
    assert direct.get(endpoint) == {}
    assert direct("DELETE", f"/api/metrics/v1/tokens/{made['id']}").json == {}
    assert direct("DELETE", f"/api/metrics/v1/tokens/{made['id']}").json["code"] == 5


def test_6_the_endpoint_for_scraping_has_a_path_or_not() -> None:
    for variant, end in (("bare-metrics", ":8829"), ("metrics-path", ":8829/metrics")):
        with DirectPlatform(key={"roles": ["metrics-admin"]}, readings={"11": variant}) as direct:
            direct("POST", f"/api/metrics/v1/deployments/{direct.deployment}/tokens", {"name": "x"})
            found = direct.get(f"/api/metrics/v1/endpoints/{direct.deployment}")
            assert found["endpoint"].endswith(end)


def test_6_notifications_are_shown_and_mailed(direct: DirectPlatform) -> None:
    direct.fault("notify", text="disk is full", severity="CRITICAL")
    direct.fault("notify", text="by the way")
    told = direct.get(f"/api/data/v1/deployments/{direct.deployment}")["notifications"].values()
    assert [(one["notification"], one.get("severity")) for one in told] == [
        ("disk is full", "NOTIFICATION_SEVERITY_CRITICAL"),
        ("by the way", None),
    ]
    path = f"/api/notification/v1/deployment/{direct.deployment}/notifications"
    items = direct("POST", path, {"options": {"page_size": 1}, "unread_only": True}).json["items"]
    assert [one["title"] for one in items] == ["by the way"]
    assert items[0]["content"] == [{"content_type": "text/plain", "content": "by the way"}]


def test_6_events_are_filtered_and_sorted(direct: DirectPlatform) -> None:
    direct.fault("state", state="paused")
    path = "/api/resourcemanager/v1/organizations/org1/events"
    wish: dict[str, Any] = {"subject_ids": [direct.deployment], "types": ["data.deployment.updated"]}
    found = direct("POST", path, {**wish, "sort_descending": True}).json["items"]
    assert "pause_deployment" in [one["reason"] for one in found]
    assert found == direct("POST", path, wish).json["items"][::-1]
    assert direct("POST", path, {**wish, "created_after": "2100-01-01T00:00:00Z"}).json == {}
    assert direct("POST", path, {"subject_ids": ["nobody"]}).json == {}


def test_6_the_audit_log_must_be_enabled(direct: DirectPlatform) -> None:
    path = "/api/audit/v1/projects/prj1/auditlog"
    assert direct("GET", path).json["code"] == 5
    direct.fault("organization", audit_log=True)
    log = direct.get(path)["id"]
    events = lines(direct("POST", f"/api/audit/v1/auditlogs/{log}/events", {"limit": 1}))
    assert [one["result"]["topic"] for one in events] == ["audit-general"]
    assert direct("POST", f"/api/audit/v1/auditlogs/{log}/events", {"included_topics": ["x"]}).body == b""


def test_6_organisation_project_region_and_quotas(direct: DirectPlatform) -> None:
    base = "/api/resourcemanager/v1"
    assert direct.get(f"{base}/organizations/org1")["tier"]["has_backup_uploads"] is True
    assert direct.get(f"{base}/projects/prj1")["organization_id"] == "org1"
    assert direct.get("/api/platform/v1/regions/gcp-us-west2")["provider_id"] == "gcp"
    assert "available" not in direct.get("/api/platform/v1/regions/aks-westeurope")
    kinds = ["data.deployment-dbservers", "data.deployment-coordinators"]
    items = direct.get(f"{base}/projects/prj1/quotas", kinds=kinds)["items"]
    assert [one.get("limit") for one in items] == ["12", None]
    assert len(direct.get(f"{base}/organizations/org1/quotas")["items"]) == 10
    for path in ("organizations/x", "projects/x", "projects/x/quotas", "organizations/x/quotas"):
        assert direct("GET", f"{base}/{path}").json["code"] == 5
