# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control listener of the platform: faults of requests, wrong times, refused orders; streams over sockets."""

from __future__ import annotations

import http.client
import json
import time
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http.client import HTTPSConnection
from typing import Any

import pytest

from tests.testbed.launch import Control
from tests.testbed.platform.client import PlatformClient
from tests.testbed.platform.control_answers import PRESETS
from tests.testbed.platform.launch import TestPlatform

PATH = "/api/data/v1/versions/default"
EXPECTED: dict[str, tuple[int, int | None]] = {
    "too-many-requests": (429, 8),
    "too-many-requests-wait": (429, 8),
    "quota": (429, 8),
    "unavailable": (503, 14),
    "internal": (500, 13),
    "unknown": (500, 2),
    "deadline": (504, 4),
    "aborted": (409, 10),
    "unauthenticated": (401, 16),
    "permission-denied": (403, 7),
    "failed-precondition": (400, 9),
    "not-found": (404, 5),
    "not-routed": (404, None),
    "wrong-host": (200, None),
    "bad-gateway": (502, None),
    "unavailable-page": (503, None),
    "gateway-timeout": (504, None),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_presets(platform: TestPlatform, api: PlatformClient, preset: str) -> None:
    platform.control.fault("status", path_regex=PATH, preset=preset)
    answer = api("GET", PATH)
    status, code = EXPECTED[preset]
    assert answer.status == status
    if code is not None:
        assert answer.json["code"] == code
    elif preset == "not-routed":
        assert answer.headers["content-type"].startswith("text/plain")
    else:
        assert answer.headers["content-type"] == "text/html"
    assert ("retry-after" in answer.headers) is (preset == "too-many-requests-wait")
    assert api("GET", PATH).status == 200


def test_faults_act_by_count_position_and_pattern(platform: TestPlatform, api: PlatformClient) -> None:
    platform.control.fault("status", method="GET", path_regex="versions/default", preset="unavailable", nth=2, count=2)
    assert [api("GET", PATH).status for _number in range(4)] == [200, 503, 503, 200]
    platform.control.fault("status", path_regex="nowhere", status=418, body="<p>tea</p>", count=0)
    for _again in range(2):
        answer = api("GET", "/nowhere")
        assert (answer.status, answer.body, answer.headers["content-type"]) == (418, b"<p>tea</p>", "text/html")
    platform.control.clear()
    assert api("GET", "/nowhere").status == 404


def test_a_call_can_be_carried_out_although_its_answer_is_an_error(platform: TestPlatform, api: PlatformClient) -> None:
    before = len(platform.control.get("/state/overview")["backups"])
    path = f"/api/backup/v1/deployment/{platform.deployment}/backup"
    platform.control.fault("status", path_regex="/backup", preset="gateway-timeout", run="now")
    assert api("POST", path, {"name": "x"}).status == 504
    deadline = time.monotonic() + 20
    while len(platform.control.get("/state/overview")["backups"]) == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_answers_are_lost_cut_or_of_a_wrong_length(platform: TestPlatform, api: PlatformClient) -> None:
    platform.control.fault("lost_answer", path_regex="default", run="never")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        api("GET", PATH)
    api.close()
    for kind, fields in (("cut", {"after": 0.5}), ("content_length", {"delta": 10})):
        platform.control.fault(kind, path_regex="default", **fields)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            api("GET", PATH)
        api.close()
    assert api("GET", PATH).status == 200


def test_the_clock_is_wrong(platform: TestPlatform, api: PlatformClient) -> None:
    true = api.get(f"/api/data/v1/deployments/{platform.deployment}")["created_at"]
    platform.control.fault("clock_skew", seconds=-86400)
    try:
        answer = api("GET", f"/api/data/v1/deployments/{platform.deployment}")
    finally:
        platform.control.fault("clock_skew", seconds=0)
    wrong = datetime.fromisoformat(answer.json["created_at"].replace("Z", "+00:00"))
    assert datetime.fromisoformat(true.replace("Z", "+00:00")) - wrong == timedelta(days=1)
    behind = datetime.now(timezone.utc) - parsedate_to_datetime(answer.headers["date"])
    assert behind > timedelta(hours=23)


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "nonsense"},
        {"kind": "state", "state": "nonsense"},
        {"kind": "state", "deployment": "nobody"},
        {"kind": "revoke_key", "key": "nobody"},
        {"kind": "status", "preset": "nonsense"},
        {"kind": "status", "run": "nonsense"},
        {"kind": "delay", "path_regex": "("},
        {"kind": "server"},
        {"kind": "advance", "seconds": "x"},
        {"kind": "add_deployment", "name": "target"},
    ],
)
def test_wrong_orders_are_refused(platform: TestPlatform, order: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match=r"40[04]"):
        platform.control.post("/fault", order)


def test_orders_need_the_token(platform: TestPlatform) -> None:
    with pytest.raises(RuntimeError, match="401"):
        Control(platform.control.url, "wrong").get("/state/overview")


def test_requests_and_events_can_be_looked_at(platform: TestPlatform, api: PlatformClient) -> None:
    api("GET", "/api/data/v1/versions/3.12.5")
    assert platform.control.get("/state/requests")["GET /api/data/v1/versions/3.12.5"] == 1
    assert platform.control.get("/state/events")[0]["type"] == "data.deployment.created"
    overview = platform.control.get("/state/overview")
    assert overview["deployments"][platform.deployment]["state"] == "ready"


def test_a_stream_tells_every_change_and_ends_with_the_token(platform: TestPlatform) -> None:
    key = platform.control.fault("add_key")["result"]
    with PlatformClient(platform) as api:
        api.login(key["id"], key["secret"])
        connection: HTTPSConnection = api._connection
        body = json.dumps({"id": platform.deployment}).encode()
        connection.request("POST", "/api/data/v1/streaming/deployment", body, {"authorization": api.authorization})
        answer = connection.getresponse()
        assert answer.status == 200
        assert "locked" not in json.loads(answer.readline())["result"]
        platform.control.fault("state", state="locked")
        while not json.loads(answer.readline())["result"].get("locked"):
            pass
        platform.control.fault("state", state="ready")
        while json.loads(answer.readline())["result"].get("locked"):
            pass
        platform.control.fault("revoke_key", key=key["id"])
        rest = [json.loads(line) for line in answer.read().splitlines()]
    assert rest[-1]["error"]["grpc_code"] == 16
    assert rest[-1]["error"]["http_code"] == 401
