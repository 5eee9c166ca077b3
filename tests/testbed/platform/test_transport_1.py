# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transport: probes, writing of JSON, errors, pages (platform facts §1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.testbed.platform.api.versions import VERSIONS
from tests.testbed.platform.client import FORM, PlatformClient
from tests.testbed.platform.errors import HTTP_STATUS, Code
from tests.testbed.platform.inprocess import DirectPlatform
from tests.testbed.platform.launch import TestPlatform


@pytest.mark.parametrize("service", VERSIONS)
def test_1_2_every_service_tells_its_version_to_anyone(platform: TestPlatform, service: str) -> None:
    with PlatformClient(platform) as nobody:
        answer = nobody("GET", f"/api/{service}/v1/api-version")
    expected = dict(zip(("major", "minor", "patch"), VERSIONS[service], strict=True))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {name: number for name, number in expected.items() if number}


def test_1_2_a_wrong_host_answers_html_to_everything(platform: TestPlatform) -> None:
    with PlatformClient(platform, platform.dashboard) as wrong:
        answer = wrong("GET", "/api/iam/v1/api-version")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
    assert answer.body.startswith(b"<!doctype html>")


def test_1_1_the_dashboards_host_may_be_the_apis(start: Callable[..., TestPlatform]) -> None:
    platform = start(options={"readings": {"1": "dashboard-api"}})
    with PlatformClient(platform, platform.dashboard) as other:
        assert other("GET", "/api/iam/v1/api-version").json == {"major": 1, "minor": 3}


@pytest.mark.parametrize("prefix", ["bearer", "Bearer", "BEARER"])
def test_1_3_the_prefix_of_the_token_is_in_any_case(api: PlatformClient, prefix: str) -> None:
    api.authorization = f"{prefix} {api.authorization.split()[1]}"
    assert api("GET", "/api/data/v1/versions").status == 200


@pytest.mark.parametrize("header", ["", "Basic azpz", "bearer nonsense", "bearer", "token x"])
def test_1_3_other_logins_are_unauthenticated(api: PlatformClient, header: str) -> None:
    api.authorization = header
    answer = api("GET", "/api/data/v1/versions")
    assert (answer.status, answer.json["code"]) == (401, 16)


def test_1_4_zero_values_are_left_out_and_64_bits_are_texts(platform: TestPlatform, api: PlatformClient) -> None:
    shown = api.get(f"/api/data/v1/deployments/{platform.deployment}")
    assert not {"is_paused", "locked", "is_deleted", "ipallowlist_id", "description", "notifications"} & shown.keys()
    assert not {"upgrading", "read_only", "total_backup_size_bytes", "description"} & shown["status"].keys()
    data = next(one for one in shown["status"]["servers"] if one["type"] == "dbserver")
    assert "used_bytes" not in data["data_volume_info"]
    assert data["data_volume_info"]["total_bytes"] == str(10 << 30)
    assert data["last_cpu_limit"] == 1
    assert shown["disk_rate_limit_period"] == "21600s"
    assert shown["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("variant", "name", "value"),
    [
        ("zeros", "is_paused", False),
        ("camel-case", "regionId", "gcp-us-west2"),
        ("as-proto", "region_id", "gcp-us-west2"),
    ],
)
def test_1_4_settings_of_the_writer_are_readings(
    start: Callable[..., TestPlatform], variant: str, name: str, value: object
) -> None:
    platform = start(options={"readings": {"3": variant}})
    with PlatformClient(platform) as api:
        assert api.login().get(f"/api/data/v1/deployments/{platform.deployment}")[name] == value


def test_1_4_enums_are_names_or_numbers(start: Callable[..., TestPlatform]) -> None:
    for variant, critical in (("as-proto", "NOTIFICATION_SEVERITY_CRITICAL"), ("enum-numbers", 2)):
        platform = start(options={"readings": {"3": variant}})
        platform.control.fault("notify", text="disk full", severity="CRITICAL")
        platform.control.fault("notify", text="hello")
        with PlatformClient(platform) as api:
            told = api.login().get(f"/api/data/v1/deployments/{platform.deployment}")["notifications"].values()
        found = {one["notification"]: one.get("severity") for one in told}
        assert found == {"disk full": critical, "hello": None}


def test_1_4_requests_take_both_spellings(platform: TestPlatform, api: PlatformClient) -> None:
    for body in ({"deployment_id": platform.deployment}, {"deploymentId": platform.deployment}):
        answer = api("POST", "/api/data/v1/disk-performances", body)
        assert answer.json["items"][0] == {
            "id": "dp30",
            "name": "Default",
            "description": "3000 IOPS",
            "is_default": True,
        }


def test_1_4_repeated_and_nested_query_fields_unknown_ones_are_ignored(api: PlatformClient) -> None:
    items = api.get("/api/data/v1/versions", options__page_size=1, options__page=1, nonsense=1, options__x=1)["items"]
    assert [one["version"] for one in items] == ["3.11.9"]


@pytest.mark.parametrize("code", Code)
def test_1_5_every_code_has_its_status_and_a_body(platform: TestPlatform, api: PlatformClient, code: Code) -> None:
    platform.control.fault("status", path_regex="/versions/default", code=int(code), message="words")
    answer = api("GET", "/api/data/v1/versions/default")
    assert answer.status == HTTP_STATUS[code]
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"error": "words", "code": int(code), "message": "words"}


def test_1_5_unknown_routes_and_methods_are_plain_text(api: PlatformClient) -> None:
    for method, path, status, text in (
        ("GET", "/api/nothing/v1/api-version", 404, b"Not Found"),
        ("GET", "/", 404, b"Not Found"),
        ("DELETE", "/api/data/v1/versions", 405, b"Method Not Allowed"),
    ):
        answer = api(method, path)
        assert (answer.status, answer.body.strip()) == (status, text)
        assert answer.headers["content-type"].startswith("text/plain")


def test_1_5_an_object_that_does_not_exist_is_json(api: PlatformClient) -> None:
    answer = api("GET", "/api/data/v1/deployments/nowhere")
    assert (answer.status, answer.json["code"]) == (404, 5)


@pytest.mark.parametrize("variant", ["no-retry-after", "retry-after", "retry-after-date"])
def test_1_5_rate_limits_and_when_to_come_back(variant: str) -> None:
    with DirectPlatform(rate_limit=5, readings={"5": variant}) as direct:
        answers = [direct("GET", "/api/iam/v1/api-version") for _number in range(200)]
    refused = [one for one in answers if one.status == 429]
    assert refused
    assert refused[0].json["code"] == 8
    assert ("retry-after" in refused[0].headers) is (variant != "no-retry-after")


def test_1_6_pages_count_from_zero_and_have_50_items(start: Callable[..., TestPlatform]) -> None:
    platform = start(deployments=[{"name": f"d{number}"} for number in range(53)])
    path = "/api/data/v1/projects/prj1/deployments"
    with PlatformClient(platform) as api:
        api.login()
        assert len(api.get(path)["items"]) == 50
        assert [one["name"] for one in api.get(path, page=1)["items"]] == ["d50", "d51", "d52"]
        assert [one["name"] for one in api.get(path, page=2, page_size=2)["items"]] == ["d4", "d5"]
        assert api.get(path, page=9) == {"budget": {"used": "53", "unlimited": True}}
        inner = api.get("/api/data/v1/organizations/org1/deployments", options__page=1)
        assert len(inner["items"]) == 3
        bad = api("GET", f"{path}?page_size=-1")
        assert (bad.status, bad.json["code"]) == (400, 3)


@pytest.mark.parametrize("text", ["page_size=x", "page_size=9999999999", "page=1.5"])
def test_1_4_query_fields_of_a_wrong_type_are_refused(api: PlatformClient, text: str) -> None:
    answer = api("GET", f"/api/data/v1/projects/prj1/deployments?{text}")
    assert (answer.status, answer.json["code"]) == (400, 3)


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b'{"id":1}', b'{"nonsense":1}', b"[" * 5000])
def test_1_4_bodies_that_do_not_fit_are_refused(api: PlatformClient, body: bytes) -> None:
    answer = api("POST", "/api/data/v1/disk-performances", body)
    assert (answer.status, answer.json["code"]) == (400, 3)


def test_1_4_form_bodies_of_calls_with_json_bodies_are_refused(api: PlatformClient) -> None:
    assert api("POST", "/api/data/v1/disk-performances", b"deployment_id=x", FORM).json["code"] == 3
