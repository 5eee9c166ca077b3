# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit log: one line for every control call, whoever made it and however it was answered; none for reading."""

from __future__ import annotations

import logging
import re

import pytest
import requests

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.routes import Route
from tests.tools.openapi_document import table
from tests.unit.agent_fakes import TOKENS, RunningAgent

LINE = re.compile(r"(?P<call>\S+ \S+) by (?P<who>\S+) from (?P<where>127\.0\.0\.1:\d+): (?P<status>\d+)")


def _send(agent: RunningAgent, route: Route, token: str | None) -> int:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(agent.certificates.ca)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"https://127.0.0.1:{agent.port}{route.path.replace('{id}', 'abc')}"
        body = None if route.method == "GET" else {"reason": "hush-hush"}
        return session.request(route.method, url, headers=headers, json=body, timeout=30).status_code


@pytest.mark.parametrize(
    "route", [route for route in table() if route.method != "GET"], ids=lambda route: f"{route.method} {route.path}"
)
def test_every_control_call_is_noted(agent: RunningAgent, route: Route, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cutover.audit")
    for token, who in ((TOKENS["cutover"], "cutover"), (TOKENS["read"], "read"), (None, "unknown")):
        caplog.clear()
        status = _send(agent, route, token)
        lines = [record.getMessage() for record in caplog.records if record.name == "cutover.audit"]
        assert len(lines) == 1
        found = LINE.fullmatch(lines[0])
        assert found
        assert (found["call"], found["status"]) == (f"{route.method} {route.path}", str(status))
        assert found["who"] == who
        assert "hush" not in lines[0]
        assert status == {TOKENS["read"]: 403, None: 401}.get(token, status)


@pytest.mark.parametrize(
    ("path", "body", "note"),
    [
        ("/v1/source/server-mode", {"mode": "readonly"}, ' mode="readonly"'),
        ("/v1/source/server-mode", {"mode": "default"}, ' mode="default"'),
        ("/v1/source/server-mode", {"mode": "x\nPUT / by ops"}, ' mode="x\\nPUT / by ops"'),
        ("/v1/source/server-mode", {"mode": "x" * 50}, " mode=(too long)"),
        ("/v1/source/server-mode", {"mode": {"a": "b"}}, ' mode={"a": "b"}'),
        ("/v1/source/server-mode", [], ""),
        ("/v1/migration/abort", {"cleanup": True, "reason": "hush-hush"}, " cleanup=true"),
        ("/v1/migration/abort", {"reason": "hush-hush"}, ""),
        ("/v1/migration/release", {"open": False}, " open=false"),
        ("/v1/migration/stop", {"hold_opening": True}, " hold_opening=true"),
        ("/v1/migration", {"mode": "hush-hush", "target_password": "hush-hush"}, ""),
    ],
)  # fmt: skip
def test_what_was_done_is_noted_in_one_line(
    agent: RunningAgent, caplog: pytest.LogCaptureFixture, path: str, body: object, note: str
) -> None:
    caplog.set_level(logging.INFO, "cutover.audit")
    method = "PUT" if path.endswith("server-mode") else "POST"
    with requests.Session() as session:
        session.trust_env = False
        session.request(
            method, f"https://127.0.0.1:{agent.port}{path}", json=body, verify=str(agent.certificates.ca), timeout=30,
            headers={"Authorization": f"Bearer {TOKENS['cutover']}"},
        )  # fmt: skip
    (line,) = [record.getMessage() for record in caplog.records if record.name == "cutover.audit"]
    assert line.startswith(f"{method} {path}{note} by cutover from 127.0.0.1:")
    assert "\n" not in line
    assert "hush" not in line


def test_reading_is_not_noted(agent: RunningAgent, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cutover.audit")
    for route in table():
        if route.method == "GET" and not route.path.endswith("/events"):
            _send(agent, route, TOKENS["cutover"])
    assert not [record for record in caplog.records if record.name == "cutover.audit"]
