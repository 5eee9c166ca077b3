# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The API over real TLS sockets: every route, every role, every refusal."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent import routes
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.api import Api
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.events import EventLog
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.history import History
from ansible_collections.cutover.arangodb.plugins.module_utils._core.agent_api import AgentError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.unit.agent_fakes import TOKENS, FakeEngine, RunningAgent, passing_check

SPEC = {"source_endpoints": ["https://s:1"], "target_endpoints": ["https://t:1"], "target_password": "hush-hush"}


def call(
    agent: RunningAgent, method: str, path: str, body: bytes | None = None, token: str | None = TOKENS["cutover"],
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
    """One request by the standard library's client: status, headers, body."""
    context = ssl.create_default_context(cafile=str(agent.certificates.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", agent.port, context=context, timeout=10)
    sent = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    connection.request(method, path, body, {**sent, **(headers or {})})
    answer = connection.getresponse()
    result = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return result


def error_of(result: tuple[int, dict[str, str], bytes]) -> tuple[int, str, dict[str, Any]]:
    """Status, code and details of an error answer, whose form is checked on the way."""
    status, _headers, body = result
    error = json.loads(body)["error"]
    assert set(error) == {"code", "message", "remedy", "retriable", "details"}
    assert error["remedy"]
    return status, error["code"], error["details"]


def test_start_stop_and_what_repeats_change(agent: RunningAgent) -> None:
    api = agent.api()
    changed, status = api.start(SPEC)
    assert changed
    assert status["state"] == "running"
    assert api.start({**SPEC, "target_password": "new"})[0] is False
    assert api.report() is None
    assert api.stop({"max_downtime": 20})[0] is True
    assert api.stop({})[0] is False
    assert api.report() == {"result": "completed"}
    assert agent.engine.calls[-2] == ("stop", {"max_downtime": 20.0})


def test_another_specification_while_one_runs_is_refused(agent: RunningAgent) -> None:
    api = agent.api()
    api.start(SPEC)
    with pytest.raises(AgentError) as caught:
        api.start({**SPEC, "name": "other"})
    assert (caught.value.http_status, caught.value.code) == (409, "CUT-STATE-2")


def test_stop_when_nothing_was_started_is_a_conflict(agent: RunningAgent) -> None:
    assert error_of(call(agent, "POST", "/v1/migration/stop", b"{}"))[:2] == (409, "CUT-STATE-3")


def test_pause_resume_abort_take_a_reason(agent: RunningAgent) -> None:
    assert call(agent, "POST", "/v1/migration/pause", b'{"reason": "backup"}')[0] == 202
    assert call(agent, "POST", "/v1/migration/resume", b"{}")[0] == 202
    assert call(agent, "POST", "/v1/migration/abort", b"{}")[0] == 200
    named = [entry for entry in agent.engine.calls if entry[0] in ("pause", "resume", "abort")]
    assert named == [("pause", {"reason": "backup"}), ("resume", {}), ("abort", {})]


def test_shards_findings_and_mode(agent: RunningAgent) -> None:
    api = agent.api("cutover")
    assert api.shards(state="in-sync", limit="5")["total"] == 1
    assert agent.engine.calls[-1] == ("shards", {"state": "in-sync", "limit": 5, "offset": 0})
    assert api.findings()[0]["code"] == "CUT-X-1"
    assert api.set_server_mode("readonly") == {"mode": "readonly", "servers": {"CRDN-1": "readonly"}, "changed": True}
    assert api.set_server_mode("readonly")["changed"] is False
    assert api.server_mode()["mode"] == "readonly"


def test_precheck_runs_in_the_background_and_is_polled(agent: RunningAgent) -> None:
    api = agent.api()
    for request, state in ((SPEC, "finished"), ({}, "failed")):
        run = api.begin_precheck(request)
        deadline = time.monotonic() + 10
        while run["state"] == "running" and time.monotonic() < deadline:
            run = api.precheck(run["id"])
        assert run["state"] == state
        assert (run["result"] is None) == (state == "failed")
        assert (run["error"] is None) == (state == "finished")
    assert error_of(call(agent, "GET", "/v1/precheck/abcdef"))[:2] == (404, "CUT-AGENT-20")


def test_every_route_has_the_role_that_the_design_names() -> None:
    table = {
        (route.method, route.pattern.pattern.replace("\\", "")): route.role
        for route in routes.routes_of(Api(FakeEngine(), passing_check, lambda: True, "1", EventLog(), History()))
    }
    assert {key for key, role in table.items() if role is None} == {
        ("GET", "/healthzZ"), ("GET", "/readyzZ"), ("GET", "/style.cssZ"), ("GET", "/page.jsZ"),
    }  # fmt: skip
    assert {key[1].rstrip("Z") for key, role in table.items() if role == "cutover"} == {
        "/v1/migration/stop", "/v1/migration/abort", "/v1/migration/rehearse", "/v1/migration/revoke",
        "/v1/migration/rescue-ticket", "/v1/migration/release",
        "/v1/source/server-mode",
    }  # fmt: skip
    assert all(role != "read" for (method, _path), role in table.items() if method != "GET")


@pytest.mark.parametrize(
    ("role", "method", "path", "expected"),
    [
        (None, "GET", "/healthz", 200),
        (None, "GET", "/v1/migration", 401),
        (None, "GET", "/", 401),
        (None, "GET", "/metrics", 401),
        ("read", "GET", "/v1/migration", 200),
        ("read", "POST", "/v1/migration/pause", 403),
        ("read", "PUT", "/v1/source/server-mode", 403),
        ("operate", "POST", "/v1/migration/pause", 202),
        ("operate", "POST", "/v1/migration/stop", 403),
        ("operate", "PUT", "/v1/source/server-mode", 403),
        ("cutover", "POST", "/v1/migration/abort", 200),
    ],
)
def test_roles(agent: RunningAgent, role: str | None, method: str, path: str, expected: int) -> None:
    body = None if method == "GET" else b"{}"
    status, headers, _body = call(agent, method, path, body, TOKENS[role] if role else None)
    assert status == expected
    assert ("www-authenticate" in headers) == (expected == 401)


def test_wrong_token_and_basic_only_for_reading(agent: RunningAgent) -> None:
    assert error_of(call(agent, "GET", "/v1/migration", token="wrong"))[:2] == (401, "CUT-AGENT-10")
    basic = {"Authorization": "Basic " + base64.b64encode(f"me:{TOKENS['cutover']}".encode()).decode()}
    assert call(agent, "GET", "/", token=None, headers=basic)[0] == 200
    assert call(agent, "POST", "/v1/migration/abort", b"{}", None, basic)[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("GET", "/nothing", None, 404, "CUT-AGENT-12", None),
        ("DELETE", "/v1/migration", None, 405, "CUT-AGENT-13", None),
        ("POST", "/v1/migration/stop", b'{"max_downtme": 3}', 400, "CUT-AGENT-16", "max_downtme"),
        ("POST", "/v1/migration/stop", b'{"max_downtime": "3"}', 400, "CUT-AGENT-16", "max_downtime"),
        ("POST", "/v1/migration/stop", b'{"max_downtime": true}', 400, "CUT-AGENT-16", "max_downtime"),
        ("POST", "/v1/migration/stop", b'{"max_downtime": -1}', 400, "CUT-AGENT-16", "max_downtime"),
        ("POST", "/v1/migration/pause", b'{"reason": 1}', 400, "CUT-AGENT-16", "reason"),
        ("POST", "/v1/migration/abort", b'{"force": 1}', 400, "CUT-AGENT-16", "force"),
        ("POST", "/v1/migration/abort", b'{"reason":"a","reason":"b"}', 400, "CUT-AGENT-16", "reason"),
        ("POST", "/v1/migration/abort", b"[]", 400, "CUT-AGENT-16", None),
        ("POST", "/v1/migration/abort", b"{", 400, "CUT-AGENT-16", None),
        ("POST", "/v1/migration/stop", b'{"max_downtime": NaN}', 400, "CUT-AGENT-16", None),
        ("PUT", "/v1/source/server-mode", b'{"mode":"off"}', 400, "CUT-AGENT-16", "mode"),
        ("PUT", "/v1/source/server-mode", b"{}", 400, "CUT-AGENT-16", "mode"),
        ("GET", "/v1/migration/shards?colour=red", None, 400, "CUT-AGENT-16", "colour"),
        ("GET", "/v1/migration/shards?limit=many", None, 400, "CUT-AGENT-16", "limit"),
        ("POST", "/v1/migration/rehearse", b'{"fence": 3}', 400, "CUT-AGENT-16", "fence"),
        ("POST", "/v1/migration/rehearse", b'{"fence_seconds": "3"}', 400, "CUT-AGENT-16", "fence_seconds"),
        ("POST", "/v1/migration/revoke", b'{"nme": "default"}', 400, "CUT-AGENT-16", "nme"),
        ("POST", "/v1/migration/revoke", b'{"name": 7}', 400, "CUT-AGENT-16", "name"),
        ("POST", "/v1/migration/revoke", b'{"name": "x"}', 400, "CUT-SPEC-1", "name"),
        ("POST", "/v1/changes", b'{"timeout": true}', 400, "CUT-SPEC-1", "timeout"),
        ("POST", "/v1/changes", b'{"timeout": 0}', 400, "CUT-SPEC-1", "timeout"),
        ("POST", "/v1/precheck", b'{"colour": "red"}', 400, "CUT-AGENT-16", "colour"),
        ("GET", "/v1/migration/shards?state=red", None, 400, "CUT-AGENT-16", "state"),
        ("POST", "/v1/verification", b'{"mode": "all"}', 400, "CUT-SPEC-1", "mode"),
        ("POST", "/v1/verification", b'{"repair": 1}', 400, "CUT-SPEC-1", "repair"),
        ("POST", "/v1/verification", b'{"collections": []}', 400, "CUT-SPEC-2", "collections"),
        ("GET", "/v1/migration/report", None, 404, "CUT-AGENT-21", None),
        ("GET", "/v1/migration/report.html", None, 404, "CUT-AGENT-21", None),
    ],
)
def test_bad_input_is_4xx_and_names_the_field(
    agent: RunningAgent, method: str, path: str, body: bytes | None, status: int, code: str, field: str | None
) -> None:
    answer = error_of(call(agent, method, path, body))
    assert answer[:2] == (status, code)
    assert answer[2].get("field") == field


def test_body_over_the_limit_is_413_and_the_answer_arrives(agent: RunningAgent) -> None:
    for size in ((1 << 20) + 1, 3 << 20):
        assert error_of(call(agent, "POST", "/v1/migration", b" " * size))[:2] == (413, "CUT-AGENT-14")
    assert call(agent, "POST", "/v1/migration/abort", b"{}".ljust(1 << 20))[0] == 200


def test_other_content_types_are_refused(agent: RunningAgent) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        result = call(agent, "POST", "/v1/migration", b"{}", headers={"Content-Type": content_type})
        assert error_of(result)[:2] == (415, "CUT-AGENT-15")
    assert not [entry for entry in agent.engine.calls if entry[0] == "start"]


def test_unexpected_failure_is_500_without_its_text(agent: RunningAgent) -> None:
    agent.engine.fail = RuntimeError("hush-hush")
    result = call(agent, "POST", "/v1/migration", json.dumps(SPEC).encode())
    assert error_of(result)[:2] == (500, "CUT-AGENT-18")
    assert b"hush" not in result[2]


def test_blockers_reach_the_caller(agent: RunningAgent) -> None:
    blockers = [{"code": "CUT-GATE-2", "text": "lag is 9 s", "remedy": "wait"}]
    agent.engine.fail = CutoverError("CUT-GATE-1", "not ready", remedy="wait", details={"blockers": blockers})
    status, code, details = error_of(call(agent, "POST", "/v1/migration/stop", b"{}"))
    assert (status, code, details) == (409, "CUT-GATE-1", {"blockers": blockers})


def test_page_is_escaped_self_contained_and_takes_scripts_from_itself_only(agent: RunningAgent) -> None:
    status, headers, body = call(agent, "GET", "/")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert body.count(b"<script") == body.count(b'<script src="/page.js" defer></script>') == 1
    assert "script-src 'self'" in headers["content-security-policy"]
    assert b"http://" not in body
    # Nothing on it changes anything.
    assert not [tag for tag in (b"<form", b"<button", b"<input", b"<iframe") if tag in body]
    assert b"&lt;odd&gt;" in body
    assert b'<html lang="en">' in body
    assert call(agent, "GET", "/style.css", token=None)[0] == 200


def test_metrics_name_the_state_and_leave_out_the_unknown(agent: RunningAgent) -> None:
    text = call(agent, "GET", "/metrics")[2].decode()
    assert 'cutover_state{state="inactive"} 1' in text
    assert 'cutover_state{state="running"} 0' in text
    assert 'cutover_shards{state="in_sync"} 2' in text
    assert "cutover_replication_lag_seconds 0.4" in text
    assert "cutover_behind_bytes" not in text


def test_head_has_no_body_and_connections_are_kept(agent: RunningAgent) -> None:
    context = ssl.create_default_context(cafile=str(agent.certificates.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", agent.port, context=context, timeout=10)
    for method in ("HEAD", "GET", "HEAD"):
        connection.request(method, "/healthz")
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, method == "GET")
    connection.close()


def test_events_are_streamed_and_replayed_by_id(agent: RunningAgent) -> None:
    context = ssl.create_default_context(cafile=str(agent.certificates.ca))

    def read(after: int | None, count: int) -> list[dict[str, Any]]:
        connection = http.client.HTTPSConnection("127.0.0.1", agent.port, context=context, timeout=20)
        headers = {"Authorization": f"Bearer {TOKENS['read']}"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        connection.request("GET", "/v1/migration/events", headers=headers)
        answer = connection.getresponse()
        assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        found: list[dict[str, Any]] = []
        event: dict[str, Any] = {}
        while len(found) < count:
            name, _colon, value = answer.readline().decode().rstrip("\n").partition(": ")
            if name in ("id", "event", "data"):
                event[name] = json.loads(value) if name == "data" else value
            elif not name and event:
                found.append(event)
                event = {}
        connection.close()
        return found

    agent.api().start(SPEC)
    first = read(0, 1)[0]
    assert (first["event"], first["data"]["kind"]) == ("state", "state")
    agent.engine.document["problems"] = [{"code": "CUT-X-1", "where": "a", "text": "odd", "remedy": "look"}]
    later = {event["event"]: event["data"] for event in read(int(first["id"]), 2)}
    assert later["problem"]["problem"]["code"] == "CUT-X-1"


def test_a_bad_event_id_is_refused(agent: RunningAgent) -> None:
    answer = call(agent, "GET", "/v1/migration/events?after=x")
    assert error_of(answer) == (400, "CUT-AGENT-16", {"field": "after"})


def test_more_streams_than_allowed_leave_room_for_control(agent: RunningAgent) -> None:
    context = ssl.create_default_context(cafile=str(agent.certificates.ca))
    held = []
    for _number in range(40):
        connection = http.client.HTTPSConnection("127.0.0.1", agent.port, context=context, timeout=10)
        connection.request("GET", "/v1/migration/events", headers={"Authorization": f"Bearer {TOKENS['read']}"})
        held.append((connection, connection.getresponse()))
    assert agent.api().status()["state"] == "inactive"
    for connection, answer in held:
        answer.close()
        connection.close()


def test_the_list_of_shards_is_paged(agent: RunningAgent) -> None:
    body = call(agent, "GET", "/shards?state=in-sync&offset=0")[2].decode()
    assert "1 to 1 of 1" in body
    assert "in-sync" in body
    assert agent.engine.calls[-1] == ("shards", {"state": "in-sync", "limit": 200, "offset": 0})
    assert error_of(call(agent, "GET", "/shards?color=red"))[2] == {"field": "color"}


def test_rehearse_and_revoke(agent: RunningAgent) -> None:
    api = agent.api()
    changed, status = api.rehearse({"fence_seconds": 5})
    assert (changed, status["cutover"]["last_attempt"]["result"]) == (True, "rehearsed")
    assert agent.engine.calls[-1] == ("rehearse", {"fence_seconds": 5.0})
    agent.engine.document["state"] = "completed"
    assert api.revoke({"name": "default", "timeout": 60})[0] is True
    assert api.revoke({"name": "default"})[0] is False


def test_who_asks_is_passed_on(agent: RunningAgent) -> None:
    api = agent.api()
    api.start(SPEC)
    api.stop({})
    assert agent.engine.asked_by == "cutover"


def test_changes_are_found_in_the_background(agent: RunningAgent) -> None:
    api = agent.api("operate")
    run = api.begin_changes({"timeout": 9})
    deadline = time.monotonic() + 10
    while run["state"] == "running" and time.monotonic() < deadline:
        run = api.changes(run["id"])
    assert (run["state"], run["result"]["source_mode"]) == ("finished", "readonly")
    assert ("changes", {"timeout": 9.0}) in agent.engine.calls
    assert error_of(call(agent, "GET", "/v1/changes/abcdef"))[:2] == (404, "CUT-AGENT-20")


def test_verifications_run_in_the_background(agent: RunningAgent) -> None:
    api = agent.api("operate")
    run = api.begin_verification({"mode": "documents", "repair": True, "timeout": 9})
    deadline = time.monotonic() + 10
    while run["state"] == "running" and time.monotonic() < deadline:
        run = api.verification(run["id"])
    assert (run["state"], run["result"]["equal"]) == ("finished", True)
    assert ("verification", {"mode": "documents", "repair": True, "timeout": 9.0}) in agent.engine.calls
    assert error_of(call(agent, "GET", "/v1/verification/abcdef"))[:2] == (404, "CUT-AGENT-20")


def test_the_report_is_a_page_too(agent: RunningAgent) -> None:
    agent.engine.document["state"] = "completed"
    status, headers, body = call(agent, "GET", "/v1/migration/report.html", token=TOKENS["read"])
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert b"Completed: source and target were proved equal" in body
