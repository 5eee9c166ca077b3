# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CA certificates (platform facts §4), allowlists and private endpoints (§5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509

from tests.testbed.platform import reach
from tests.testbed.platform.inprocess import DirectPlatform

ROLES = ["deployment-admin", "cacertificate-viewer", "ipwhitelist-admin", "privateendpointservice-viewer"]
LISTS = "/api/security/v1/ipallowlists/"
DAY = 86400


@pytest.fixture
def direct() -> Iterator[DirectPlatform]:
    """A platform with one deployment."""
    with DirectPlatform(key={"roles": ROLES}, time_scale=0, token_lifetime=1e9) as made:
        yield made


def shown(direct: DirectPlatform) -> Any:
    """The first deployment."""
    return direct.get(f"/api/data/v1/deployments/{direct.deployment}")


def certificate(direct: DirectPlatform) -> Any:
    """Its CA certificate."""
    return direct.get(f"/api/crypto/v1/cacertificates/{shown(direct)['certificates']['ca_certificate_id']}")


def test_4_a_certificate(direct: DirectPlatform) -> None:
    found = certificate(direct)
    assert found["url"] == f"/Organization/org1/Project/prj1/CACertificate/{found['id']}"
    assert (found["lifetime"], found["is_default"]) == ("157680000s", True)
    authority = x509.load_pem_x509_certificate(found["certificate_pem"].encode())
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not {"is_expired", "will_expire_soon", "rotation_needed", "is_deleted"} & found.keys()
    assert direct.get("/api/crypto/v1/projects/prj1/cacertificates")["items"] == [found]
    help_text = direct.get(f"/api/crypto/v1/cacertificates/{found['id']}/instructions")
    assert help_text["platforms"][0]["install_steps"]
    assert direct("GET", "/api/crypto/v1/cacertificates/nobody").json["code"] == 5


@pytest.mark.parametrize(
    ("days", "flags"),
    [
        (40, set()),
        (29, {"will_expire_soon"}),
        (1, {"will_expire_soon", "rotation_needed"}),
        (-1, {"will_expire_soon", "rotation_needed", "is_expired"}),
    ],
)
def test_4_flags_of_a_certificate_that_ends(direct: DirectPlatform, days: int, flags: set[str]) -> None:
    direct.fault("certificate", ends_in=days * DAY)
    names = {"is_expired", "will_expire_soon", "rotation_needed"}
    assert names & certificate(direct).keys() == flags


def test_4_rotation_clones_the_certificate_with_a_downtime() -> None:
    with DirectPlatform(time_scale=1) as direct:
        before = certificate(direct)
        direct.fault("rotate_certificate")
        after = certificate(direct)
        assert after["cloned_from_id"] == before["id"]
        assert after["certificate_pem"] != before["certificate_pem"]
        assert "ready" not in shown(direct)["status"]
        direct.fault("advance", seconds=5)
        assert shown(direct)["status"]["ready"] is True
        assert direct.get(f"/api/crypto/v1/cacertificates/{before['id']}") == before


def test_5_allowlists(direct: DirectPlatform) -> None:
    identifier = direct.fault("allowlist", ranges=["203.0.113.0/24", "2001:db8::/32"])
    assert shown(direct)["ipallowlist_id"] == identifier
    found = direct.get(LISTS + identifier)
    assert found["cidr_ranges"] == ["203.0.113.0/24", "2001:db8::/32"]
    assert direct.get("/api/security/v1/projects/prj1/ipallowlists")["items"] == [found]
    direct.fault("allowlist")
    assert "ipallowlist_id" not in shown(direct)
    assert direct("GET", LISTS + "nobody").json["code"] == 5


def test_5_creating_and_changing_one(direct: DirectPlatform) -> None:
    path = "/api/security/v1/project/prj1/ipallowlists"
    made = direct("POST", path, {"name": "home", "cidr_ranges": ["192.0.2.1"]}).json
    assert direct.get(LISTS + made["id"]) == made
    changed = direct("PATCH", LISTS + made["id"], {**made, "cidr_ranges": ["192.0.2.0/28"]}).json
    assert (changed["cidr_ranges"], changed["name"]) == (["192.0.2.0/28"], "home")
    assert "name" not in direct("PATCH", LISTS + made["id"], {"cidr_ranges": ["192.0.2.0/28"]}).json
    bad = direct("PATCH", LISTS + made["id"], {"cidr_ranges": ["nowhere"]})
    assert (bad.status, bad.json["code"]) == (400, 3)


@pytest.mark.parametrize(
    ("variant", "stored"),
    [
        ("comments-kept", ["# office", "192.0.2.0/24 // vpn", "", "198.51.100.7"]),
        ("comments-stripped", ["192.0.2.0/24", "198.51.100.7"]),
    ],
)
def test_5_comments_in_ranges(variant: str, stored: list[str]) -> None:
    with DirectPlatform(key={"roles": ROLES}, readings={"7": variant}) as direct:
        ranges = ["# office", "192.0.2.0/24 // vpn", "", "198.51.100.7"]
        made = direct("POST", "/api/security/v1/project/prj1/ipallowlists", {"cidr_ranges": ranges}).json
        assert made["cidr_ranges"] == stored
        assert reach.is_allowed(made, "192.0.2.9")
        assert not reach.is_allowed(made, "203.0.113.9")


def test_5_private_endpoints(direct: DirectPlatform) -> None:
    path = f"/api/network/v1/deployment/{direct.deployment}/privateendpointservice"
    assert direct("GET", path).json["code"] == 5
    direct.fault("private_endpoint", names=["db.example.org"])
    found = direct.get(path)
    assert (found["status"], found["alternate_dns_names"]) == ({"ready": True}, ["db.example.org"])
    status = shown(direct)["status"]
    assert status["private_endpoint"] is True
    assert status["endpoint_private_endpoint"].endswith("-pe.arangodb.cloud:8529")
    assert status["endpoint_private_endpoint_self_signed"].endswith("-pe.arangodb.cloud:18529")
    assert status["endpoint"]
    direct.fault("private_endpoint", only=True, ready=False)
    status = shown(direct)["status"]
    assert status["private_endpoint_only"] is True
    assert not {"endpoint", "endpoint_self_signed", "endpoint_default"} & status.keys()
    assert direct.get(path)["status"]["needs_attention"] is True
