# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys, tokens and permissions (platform facts §2, §10)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.testbed.platform import roles
from tests.testbed.platform.client import PlatformClient
from tests.testbed.platform.launch import TestPlatform

DEPLOYMENT = "/api/data/v1/deployments/"


def _status(api: PlatformClient, platform: TestPlatform) -> int:
    return api("GET", DEPLOYMENT + platform.deployment).status


def test_2_1_a_token_for_a_form_body(platform: TestPlatform, api: PlatformClient) -> None:
    answer = api.authenticate(time_to_live="30m")
    assert answer.status == 200
    assert answer.json["time_to_live"] == "1800s"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("wanted", "granted"), [("", "3600s"), ("90s", "90s"), ("1h30m", "3600s"), ("500ms", "0.500s")]
)
def test_2_1_a_life_can_only_be_shortened(api: PlatformClient, wanted: str, granted: str) -> None:
    form = {"time_to_live": wanted} if wanted else {}
    assert api.authenticate(**form).json["time_to_live"] == granted


def test_2_1_the_query_works_too_and_a_json_body_is_ignored(platform: TestPlatform, api: PlatformClient) -> None:
    path = f"/api/iam/v1/apikeys/{platform.key_id}/authenticate"
    assert api("POST", f"{path}?secret={quote(platform.key_secret)}").status == 200
    answer = api("POST", path, {"secret": platform.key_secret})
    assert (answer.status, answer.json["code"]) == (401, 16)


def test_2_1_a_form_body_may_be_ignored(start: Callable[..., TestPlatform]) -> None:
    platform = start(options={"readings": {"2": "query-only"}})
    with PlatformClient(platform) as api:
        assert api.authenticate().status == 401
        path = f"/api/iam/v1/apikeys/{platform.key_id}/authenticate"
        assert api("POST", f"{path}?secret={quote(platform.key_secret)}").status == 200


def test_2_1_bad_durations_are_refused(api: PlatformClient) -> None:
    for text in ("1x", "3600", "1h 5m"):
        answer = api.authenticate(time_to_live=text)
        assert (answer.status, answer.json["code"]) == (400, 3)


def test_2_1_wrong_unknown_revoked_and_expired_keys(platform: TestPlatform, api: PlatformClient) -> None:
    revoked = platform.control.fault("add_key")["result"]
    platform.control.fault("revoke_key", key=revoked["id"])
    short = platform.control.fault("add_key", lifetime=-1)["result"]
    for key, secret in (
        (platform.key_id, "wrong"),
        (platform.key_id, ""),
        ("nobody", "x"),
        (revoked["id"], revoked["secret"]),
        (short["id"], short["secret"]),
    ):
        answer = api.authenticate(key, secret)
        assert (answer.status, answer.json["code"]) == (401, 16)


def test_2_1_tokens_are_opaque_or_look_like_a_jwt(start: Callable[..., TestPlatform]) -> None:
    for variant, dots in (("opaque", 0), ("jwt", 2)):
        platform = start(options={"readings": {"4": variant}})
        with PlatformClient(platform) as api:
            assert api.authenticate().json["token"].count(".") == dots
            assert _status(api.login(), platform) == 200


def test_2_1_tokens_end(start: Callable[..., TestPlatform]) -> None:
    platform = start(options={"token_lifetime": 600})
    with PlatformClient(platform) as api:
        assert _status(api.login(), platform) == 200
        platform.control.fault("advance", seconds=599)
        assert _status(api, platform) == 200
        platform.control.fault("advance", seconds=2)
        assert _status(api, platform) == 401
        platform.control.fault("expire_tokens")
        assert _status(api.login(), platform) == 200
        platform.control.fault("expire_tokens")
        assert _status(api, platform) == 401


def test_2_1_tokens_end_with_their_key(platform: TestPlatform) -> None:
    key = platform.control.fault("add_key")["result"]
    with PlatformClient(platform) as api:
        api.login(key["id"], key["secret"])
        assert _status(api, platform) == 200
        platform.control.fault("revoke_key", key=key["id"])
        assert _status(api, platform) == 401


def test_2_2_renewal_lets_the_same_token_live_longer(start: Callable[..., TestPlatform]) -> None:
    platform = start(options={"token_lifetime": 600})
    with PlatformClient(platform) as api:
        token = api.login().authorization.split()[1]
        platform.control.fault("advance", seconds=400)
        assert api("POST", f"/api/iam/v1/tokens/{token}/renew").json == {"time_to_live": "600s"}
        platform.control.fault("advance", seconds=400)
        assert _status(api, platform) == 200
        platform.control.fault("advance", seconds=400)
        assert api("POST", f"/api/iam/v1/tokens/{token}/renew").json["code"] == 16


def test_2_3_revocation_succeeds_for_unknown_tokens_too(platform: TestPlatform, api: PlatformClient) -> None:
    token = api.authorization.split()[1]
    for _again in range(2):
        answer = api("POST", f"/api/iam/v1/tokens/{token}/revoke")
        assert (answer.status, answer.json) == (200, {})
    assert _status(api, platform) == 401


def test_2_4_the_key_itself(platform: TestPlatform) -> None:
    key = platform.control.fault("add_key", is_readonly=True, organization_id="org1", lifetime=86400)["result"]
    with PlatformClient(platform) as api:
        api.login(key["id"], key["secret"])
        shown = api.get(f"/api/iam/v1/apikeys/{key['id']}")
        assert shown["is_readonly"] is True
        assert shown["organization_id"] == "org1"
        assert shown["expires_at"] > shown["created_at"]
        assert not {"is_expired", "is_revoked"} & shown.keys()
        assert api("GET", "/api/iam/v1/apikeys/nobody").json["code"] == 5


@pytest.mark.parametrize(("variant", "status"), [("list-and-get", 403), ("questions", 200)])
def test_2_4_read_only_keys_list_and_get_only(start: Callable[..., TestPlatform], variant: str, status: int) -> None:
    platform = start(keys=[{"is_readonly": True}], options={"readings": {"10": variant}})
    with PlatformClient(platform) as api:
        api.login()
        assert _status(api, platform) == 200
        assert api("GET", "/api/data/v1/projects/prj1/deployments").status == 200
        assert api("GET", f"/api/data/v1/deploymentcredentials/{platform.deployment}").status == 200
        for method, path in (
            ("POST", f"/api/backup/v1/deployment/{platform.deployment}/backup"),
            ("POST", f"{DEPLOYMENT}{platform.deployment}/resume"),
            ("POST", f"/api/metrics/v1/deployments/{platform.deployment}/tokens"),
        ):
            answer = api(method, path, {})
            assert (answer.status, answer.json["code"]) == (403, 7)
        assert api("GET", "/api/iam/v1/policies/permissions?url=/Organization/org1").status == status
        assert api("GET", f"/api/backup/v1/deployment/{platform.deployment}/feature").status == status


def test_2_4_a_key_of_one_organisation_has_no_rights_elsewhere(platform: TestPlatform) -> None:
    key = platform.control.fault("add_key", organization_id="org2")["result"]
    with PlatformClient(platform) as api:
        assert _status(api.login(key["id"], key["secret"]), platform) == 403


def test_2_5_permissions_by_name(platform: TestPlatform, api: PlatformClient) -> None:
    url = api.get(DEPLOYMENT + platform.deployment)["url"]
    path = "/api/iam/v1/policies/permissions"
    assert api.get(path, url=url, permissions=["data.deployment.get", "backup.backup.create"]) == {"result": True}
    assert api.get(path, url=url, permissions=["data.deployment.get", "resourcemanager.event.list"]) == {}
    items = api.get("/api/iam/v1/policies/effective-permissions", url=url)["items"]
    assert "data.deploymentcredentials.get" in items
    assert items == sorted(items)
    assert api.get("/api/iam/v1/policies/effective-permissions", url="/Organization/other") == {}


NEEDS = [
    ("GET", "/api/data/v1/deployments/{id}", ["data.deployment.get"]),
    (
        "GET",
        "/api/data/v1/deploymentcredentials/{id}",
        ["data.deployment.get", "data.deploymentcredentials.get"],
    ),
    ("GET", "/api/crypto/v1/cacertificates/{certificate}", ["crypto.cacertificate.get"]),
    ("GET", "/api/backup/v1/deployment/{id}/feature", ["backup.feature.get"]),
    ("GET", "/api/backup/v1/deployment/{id}/backups", ["backup.backup.list"]),
    ("GET", "/api/data/v1/projects/prj1/deployments", ["data.deployment.list"]),
    ("GET", "/api/data/v1/projects/prj1/deploymentmodels", ["data.deploymentmodel.list"]),
    ("GET", "/api/data/v1/projects/prj1/regions/gcp-us-west2/nodesizes", ["data.nodesize.list"]),
    ("GET", "/api/resourcemanager/v1/projects/prj1/quotas", ["resourcemanager.project.get"]),
    ("GET", "/api/resourcemanager/v1/organizations/org1", ["resourcemanager.organization.get"]),
    ("GET", "/api/metrics/v1/endpoints/{id}", ["metrics.endpoint.get"]),
    ("POST", "/api/notification/v1/deployment/{id}/notifications", ["notification.deployment-notification.list"]),
    ("POST", "/api/resourcemanager/v1/organizations/org1/events", ["resourcemanager.event.list"]),
]


@pytest.mark.parametrize(("method", "path", "permissions"), NEEDS)
def test_10_each_call_needs_its_permissions(
    platform: TestPlatform, api: PlatformClient, method: str, path: str, permissions: list[str]
) -> None:
    certificate = api.get(DEPLOYMENT + platform.deployment)["certificates"]["ca_certificate_id"]
    path = path.format(id=platform.deployment, certificate=certificate)
    for missing in [*permissions, None]:
        granted = [name for name in permissions if name != missing] if missing else permissions
        key = platform.control.fault("add_key", roles=granted)["result"]
        with PlatformClient(platform) as caller:
            answer = caller.login(key["id"], key["secret"])(method, path, {} if method == "POST" else None)
        assert answer.status == (403 if missing else 200), answer.body
        if missing:
            assert answer.json["code"] == 7
            assert missing in answer.json["message"]


@pytest.mark.parametrize(
    ("role", "status"), [("deployment-content-admin", 200), ("deployment-admin", 403), ("deployment-viewer", 403)]
)
def test_10_roots_password_is_for_content_admins(platform: TestPlatform, role: str, status: int) -> None:
    key = platform.control.fault("add_key", roles=[role])["result"]
    with PlatformClient(platform) as api:
        api.login(key["id"], key["secret"])
        assert _status(api, platform) == 200
        assert api("GET", f"/api/data/v1/deploymentcredentials/{platform.deployment}").status == status


def test_10_roles_hold_at_a_resource_and_below(start: Callable[..., TestPlatform]) -> None:
    platform = start(deployments=[{"name": "one"}, {"name": "two"}])
    url = f"/Organization/org1/Project/prj1/Deployment/{platform.deployments[1]}"
    key = platform.control.fault("add_key", roles=["deployment-viewer"], scope=url)["result"]
    with PlatformClient(platform) as api:
        api.login(key["id"], key["secret"])
        assert [api("GET", DEPLOYMENT + one).status for one in platform.deployments] == [403, 200]
        assert [one["name"] for one in api.get("/api/data/v1/organizations/org1/deployments")["items"]] == ["two"]


def test_10_names_of_roles_are_checked(platform: TestPlatform) -> None:
    with pytest.raises(RuntimeError, match="neither a role nor a permission"):
        platform.control.fault("add_key", roles=["owner"])
    assert not roles.covers("/Organization/org1", "/Organization/org10")
