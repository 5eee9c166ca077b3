# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each row about the managed platform against an emulated one that has what breaks it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.testbed.platform.launch import TestPlatform
from tests.unit.plugins.module_utils._engine.precheck.cases import INVENTORY
from tests.unit.plugins.module_utils._engine.precheck.conftest import Describe
from tests.unit.plugins.module_utils._engine.precheck.rig import ROWS_BY_ID, Rig, collection, inventory

Break = Callable[[TestPlatform], dict[str, Any]]
BACKUP = {"backup": True, "upload": True}


def ordered(kind: str, **spec: Any) -> Break:
    """Do something to the platform."""

    def act(platform: TestPlatform) -> dict[str, Any]:
        platform.control.fault(kind, **spec)
        return {}

    return act


def other_key(**spec: Any) -> Break:
    """Ask with another API key."""

    def act(platform: TestPlatform) -> dict[str, Any]:
        made = platform.control.fault("add_key", **spec)["result"]
        return {"key_id": made["id"], "key_secret": made["secret"]}

    return act


def in_state(**fields: Any) -> Break:
    return ordered("state", set=fields)


# Row, what breaks it, what its message says, what is wanted of the platform.
CASES: tuple[tuple[str, Break, str, dict[str, Any]], ...] = (
    ("platform-state", ordered("state", state="paused"), "is paused", {}),
    ("platform-state", ordered("state", state="deleted"), "deletion", {"resume": True}),
    ("platform-quiet", ordered("state", state="changes-pending"), "pending", {}),
    ("platform-writable", ordered("state", state="read-only"), "read-only", {}),
    ("platform-permissions", other_key(roles=["deployment-viewer"]), "crypto.cacertificate.get", {}),
    ("platform-key-writes", other_key(is_readonly=True), "not enough for: backup", BACKUP),
    ("platform-key-end", other_key(lifetime=86400), "ends at", {}),
    ("platform-allowlist", ordered("allowlist", ranges=["203.0.113.0/24"]), "127.0.0.1", {}),
    ("platform-certificate", ordered("certificate", ends_in=-5), "has expired", {}),
    ("platform-certificate-rotation", ordered("certificate", ends_in=20 * 86400), "ends at", {}),
    ("platform-certificate-rotation", ordered("certificate", ends_in=86400), "has to be rotated", {}),
    ("platform-expiry", ordered("state", state="expiring"), "the deployment ends at", {}),
    ("platform-version-end", ordered("state", state="end-of-life"), "by itself at", {}),
    ("platform-notifications", ordered("notify", text="disk is full", severity="CRITICAL"), "disk is full", {}),
    ("platform-disk-locked", ordered("state", state="disk-locked"), "3600 s", {}),
    ("platform-backup", ordered("organization", set={"has_backup_uploads": False}), "uploaded", BACKUP),
    (
        "platform-password",
        in_state(
            is_scheduled_root_password_rotation_enabled=True,
            last_root_password_rotated_at=time.time() - 80 * 86400,
        ),
        "changes the password", {},
    ),
    ("platform-clock", ordered("clock_skew", seconds=900), "s behind the platform's", {}),
)  # fmt: skip
BROKEN = ("platform-model", *(row for row, _break, _says, _wishes in CASES))


@pytest.fixture
def own(platform: TestPlatform) -> Iterator[TestPlatform]:
    """The platform; what a test did to it ends with the test."""
    yield platform
    order = platform.control.fault
    platform.control.clear()
    order("clock_skew", seconds=0)
    sound = {"notifications": {}, "is_scheduled_root_password_rotation_enabled": False,
             "expiration": {"reason": "doesn't expire"}}  # fmt: skip
    order("state", state="ready", set=sound)
    order("allowlist")
    order("certificate", ends_in=365 * 86400)
    order("organization", set={"has_backup_uploads": True})


@pytest.mark.parametrize(("row", "breaks", "says", "wishes"), CASES, ids=[f"{case[0]}: {case[2]}" for case in CASES])
def test_what_breaks_a_rule_is_reported_with_its_remedy(
    rig: Rig, own: TestPlatform, described: Describe, row: str, breaks: Break, says: str, wishes: dict[str, Any]
) -> None:
    facts = described("127.0.0.1", **breaks(own))
    check = rig.check(row, environment={"deployment": {**facts, "wishes": wishes}})
    assert check["status"] == ("warning" if ROWS_BY_ID[row].severity == "warning" else "failed"), check
    assert says in check["message"]
    assert check["remedy"]


@pytest.mark.parametrize(
    ("model", "changes", "says"),
    [("oneshard", {"numberOfShards": 3}, "one shard"), ("sharded", {"replicationFactor": 1}, "two copies")],
)
def test_collections_that_do_not_fit_the_model(
    rig: Rig, described: Describe, model: str, changes: dict[str, Any], says: str
) -> None:
    facts = described()
    facts["deployment"]["model"] = model
    rig.pretend("source", INVENTORY, inventory(collection("wide", **changes)))
    check = rig.check("platform-model", environment={"deployment": facts})
    assert (check["status"], says in check["message"], "_system/wide" in check["message"]) == ("warning", True, True)


def test_a_paused_deployment_that_is_going_to_be_resumed(rig: Rig, own: TestPlatform, described: Describe) -> None:
    own.control.fault("state", state="paused")
    check = rig.check("platform-state", environment={"deployment": {**described(), "wishes": {"resume": True}}})
    assert check["status"] == "passed", check


def test_an_allowlist_that_nobody_can_judge(rig: Rig, own: TestPlatform, described: Describe) -> None:
    own.control.fault("allowlist", ranges=["203.0.113.0/24"])
    unnamed = rig.check("platform-allowlist", environment={"deployment": described()})
    assert (unnamed["status"], "agent_addresses" in unnamed["message"]) == ("skipped", True)
    viewer = other_key(roles=["deployment-viewer"])(own)
    hidden = rig.check("platform-allowlist", environment={"deployment": described("127.0.0.1", **viewer)})
    assert hidden["status"] == "unknown"


def test_without_a_deployment_nothing_is_said(rig: Rig) -> None:
    for row in set(BROKEN):
        assert rig.check(row)["status"] == "skipped"
