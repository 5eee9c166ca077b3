# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finding and judging deployments: every state that no migration can go into has its code and its remedy."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._platform import deployments
from tests.testbed.platform.launch import TestPlatform
from tests.unit.plugins.module_utils._platform.conftest import Connect


def shown(platform: TestPlatform, connect: Connect, *addresses: str, **changes: Any) -> dict[str, Any]:
    client = connect(**changes)
    found = deployments.find(client, platform.deployment, None)
    return deployments.describe(client, found, addresses)


def codes(result: dict[str, Any]) -> list[str]:
    return [one["code"] for one in result["problems"]]


@pytest.fixture
def wanted(platform: TestPlatform) -> list[str]:
    """Every form in which the first deployment can be named."""
    return [platform.deployment, f"/Organization/org1/Project/prj1/Deployment/{platform.deployment}", "target"]


def test_a_deployment_by_id_url_or_name(platform: TestPlatform, connect: Connect, wanted: list[str]) -> None:
    client = connect()
    found = [deployments.find(client, text, "org1") for text in wanted]
    assert [one["id"] for one in found] == [platform.deployment] * 3
    endpoint = found[0]["status"]["endpoint"]
    assert deployments.find(client, endpoint, "org1")["id"] == platform.deployment


def test_a_name_that_is_nearly_right(platform: TestPlatform, connect: Connect) -> None:
    with pytest.raises(CutoverError, match="did you mean target") as refused:
        deployments.find(connect(), "targt", "org1")
    assert refused.value.code == "CUT-PLATFORM-4"
    assert {"id": platform.deployment, "name": "target"} in refused.value.details["candidates"]


def test_a_name_that_two_deployments_have(platform: TestPlatform, connect: Connect) -> None:
    for identifier in ("twin1", "twin2"):
        platform.control.fault("add_deployment", name="twin", id=identifier)
    with pytest.raises(CutoverError, match="2 deployments are called twin") as refused:
        deployments.find(connect(), "twin", "org1")
    assert len(refused.value.details["candidates"]) == 2


def test_a_healthy_deployment_is_usable(platform: TestPlatform, connect: Connect) -> None:
    result = shown(platform, connect, "127.0.0.1")
    assert (result["problems"], result["usable"]) == ([], True)
    assert result["permissions"]["missing"] == {"migration": [], "backup": [], "resume": []}
    assert result["ca"]["pem"].startswith("-----BEGIN CERTIFICATE")
    assert result["endpoints"]["chosen"] == result["endpoints"]["self_signed"]
    assert result["allowlist"] == {"ranges": None, "verdicts": {"127.0.0.1": "allowed"}}
    assert result["deployment"]["paused"] is False
    assert "3.12.10" in result["versions"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("locked", []),
        ("paused", ["CUT-PLATFORM-12"]),
        ("deleted", ["CUT-PLATFORM-13"]),
        ("creating", ["CUT-PLATFORM-14"]),
        ("bootstrapping", ["CUT-PLATFORM-14"]),
        ("not-ready", ["CUT-PLATFORM-14"]),
        ("upgrading", ["CUT-PLATFORM-14"]),
        ("restoring", ["CUT-PLATFORM-14"]),
    ],
)
def test_states_of_a_deployment(platform: TestPlatform, connect: Connect, state: str, expected: list[str]) -> None:
    platform.control.fault("state", state=state)
    result = shown(platform, connect)
    assert [code for code in codes(result) if code != "CUT-PLATFORM-16"] == expected
    assert result["usable"] is not bool(expected)
    assert all(one["remedy"] for one in result["problems"])


@pytest.mark.parametrize("model", ["developer", "free"])
def test_single_servers_are_refused(platform: TestPlatform, connect: Connect, model: str) -> None:
    identifier = platform.control.fault("add_deployment", name=f"single-{model}", model=model)
    client = connect()
    found = deployments.find(client, identifier["result"], None)
    assert codes(deployments.describe(client, found, ())) == ["CUT-PLATFORM-15"]


def test_no_endpoint(platform: TestPlatform, connect: Connect) -> None:
    before = shown(platform, connect)["endpoints"]["self_signed"]
    platform.control.fault("state", set={"status.endpoint_self_signed": ""})
    assert codes(shown(platform, connect)) == ["CUT-PLATFORM-16"]
    platform.control.fault("state", set={"status.endpoint_self_signed": before})


def test_an_allowlist_without_us(platform: TestPlatform, connect: Connect) -> None:
    platform.control.fault("allowlist", ranges=["203.0.113.0/24 // office"])
    result = shown(platform, connect, "203.0.113.4", "198.51.100.1")
    assert result["allowlist"]["verdicts"] == {"203.0.113.4": "allowed", "198.51.100.1": "blocked"}
    assert codes(result) == ["CUT-PLATFORM-17"]
    platform.control.fault("allowlist")


def test_a_ca_that_has_expired(platform: TestPlatform, connect: Connect) -> None:
    identifier = platform.control.fault("add_deployment", name="old")["result"]
    platform.control.fault("certificate", deployment="old", ends_in=-5)
    client = connect()
    found = deployments.find(client, identifier, None)
    assert "CUT-PLATFORM-18" in codes(deployments.describe(client, found, ()))
    platform.control.fault("certificate", ends_in=86_400)


def test_a_certificate_that_is_rotated_is_the_new_one(platform: TestPlatform, connect: Connect) -> None:
    before = shown(platform, connect)["ca"]["id"]
    platform.control.fault("rotate_certificate")
    assert shown(platform, connect)["ca"]["id"] != before


def test_permissions_that_the_key_lacks_are_named(platform: TestPlatform, connect: Connect) -> None:
    made = platform.control.fault("add_key", roles=["deployment-viewer"])["result"]
    platform.control.fault("allowlist", ranges=["203.0.113.0/24"])
    result = shown(platform, connect, "203.0.113.4", key_id=made["id"], key_secret=made["secret"])
    assert result["permissions"]["missing"]["migration"] == [
        "data.deploymentcredentials.get", "crypto.cacertificate.get", "security.ipallowlist.get",
    ]  # fmt: skip
    assert codes(result) == ["CUT-PLATFORM-3"] * 3
    assert (result["ca"], result["allowlist"]) == (None, {"ranges": None, "verdicts": {"203.0.113.4": "unknown"}})
    platform.control.fault("allowlist")


def test_clocks_that_differ_are_a_warning(platform: TestPlatform, connect: Connect) -> None:
    platform.control.fault("clock_skew", seconds=900)
    result = shown(platform, connect)
    assert "CUT-PLATFORM-20" in codes(result)
    assert result["clock_skew_seconds"] == pytest.approx(-900, abs=60)


def test_notifications_with_their_severity(platform: TestPlatform, connect: Connect) -> None:
    platform.control.fault("notify", text="disk is filling up", severity="WARNING")
    told = shown(platform, connect)["notifications"]
    assert ("disk is filling up", "warning") in [(one["text"], one["severity"]) for one in told]


def test_a_key_that_was_revoked(platform: TestPlatform, connect: Connect) -> None:
    made = platform.control.fault("add_key")["result"]
    platform.control.fault("revoke_key", key=made["id"])
    with pytest.raises(CutoverError) as refused:
        shown(platform, connect, key_id=made["id"], key_secret=made["secret"])
    assert refused.value.code == "CUT-PLATFORM-2"
