# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Backups by name: made once, uploaded, removed, waited for, and told when they fail (platform facts §7)."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._platform import backups
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import PlatformClient
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.waiting import Waiting
from tests.testbed.platform.launch import TestPlatform
from tests.unit.plugins.module_utils._platform.conftest import Connect

PATIENT = Waiting(30.0, 0.02)


@pytest.fixture
def wanted(request: pytest.FixtureRequest) -> backups.Wanted:
    """A backup of the test's own name."""
    return backups.Wanted(f"before-{request.node.name}", keep_seconds=3600.0)


def made(client: PlatformClient, platform: TestPlatform, wanted: backups.Wanted) -> dict[str, Any]:
    begun = backups.create(client, platform.deployment, wanted)
    return backups.wait_for(client, begun, wanted, PATIENT)


def planned(client: PlatformClient, platform: TestPlatform, wanted: backups.Wanted) -> backups.Plan:
    return backups.plan(backups.of_deployment(client, platform.deployment, wanted.name), wanted)


def test_made_once_and_removed(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    client = connect()
    assert planned(client, platform, wanted).action == "create"
    shown = backups.describe(made(client, platform, wanted))
    assert (shown["state"], shown["available"], shown["uploaded"]) == ("Ready", True, False)
    assert shown["auto_deleted_at"] > shown["created_at"]
    again = planned(client, platform, wanted)
    assert (again.action, again.backups[0]["id"]) == ("none", shown["id"])
    gone = backups.Wanted(wanted.name, present=False)
    plan = planned(client, platform, gone)
    assert plan.action == "remove"
    backups.remove(client, plan.backups)
    backups.remove(client, plan.backups)
    assert planned(client, platform, gone).action == "none"


def test_progress_is_told(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    told: list[str] = []
    client = connect()
    with_upload = backups.Wanted(wanted.name, upload=True)
    begun = backups.create(client, platform.deployment, with_upload)
    found = backups.wait_for(client, begun, with_upload, Waiting(30.0, 0.01, told.append))
    assert backups.describe(found)["uploaded"] is True
    assert found.get("auto_deleted_at") is None
    assert any("is being made" in text for text in told)
    assert any("is being uploaded" in text for text in told)
    assert len(told) == len(set(told))


def test_a_local_backup_is_uploaded_later(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    client = connect()
    local = made(client, platform, wanted)
    with_upload = backups.Wanted(wanted.name, upload=True)
    plan = planned(client, platform, with_upload)
    assert (plan.action, plan.backups[0]["id"]) == ("upload", local["id"])
    found = backups.wait_for(client, backups.upload(client, local), with_upload, PATIENT)
    assert backups.describe(found)["uploaded"] is True
    assert found["auto_deleted_at"] == local["auto_deleted_at"]
    assert planned(client, platform, with_upload).action == "none"


def test_one_that_failed_is_told_and_made_again(
    platform: TestPlatform, connect: Connect, wanted: backups.Wanted
) -> None:
    client = connect()
    platform.control.fault("fail_backup", message="not enough disk space")
    with pytest.raises(CutoverError, match="not enough disk space") as failed:
        made(client, platform, wanted)
    assert failed.value.code == "CUT-PLATFORM-23"
    assert failed.value.remedy
    assert planned(client, platform, wanted).action == "create"


def test_one_that_takes_too_long(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    client = connect()
    begun = backups.create(client, platform.deployment, wanted)
    platform.control.fault("backup", backup=begun["id"], set={"state": "Scheduled", "available": False})
    with pytest.raises(CutoverError, match="is being made") as late:
        backups.wait_for(client, begun, wanted, Waiting(0.0, 0.01))
    assert (late.value.code, late.value.retriable) == ("CUT-PLATFORM-24", True)


def test_one_that_is_removed_meanwhile(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    client = connect()
    begun = backups.create(client, platform.deployment, wanted)
    backups.remove(client, [begun])
    with pytest.raises(CutoverError, match="is gone") as gone:
        backups.wait_for(client, begun, wanted, PATIENT)
    assert gone.value.code == "CUT-PLATFORM-23"


def test_a_lost_answer_makes_no_second_backup(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    client = connect()
    platform.control.fault("status", path_regex="/backup$", preset="unavailable", run="now", count=1)
    begun = backups.create(client, platform.deployment, wanted)
    assert [one["id"] for one in backups.of_deployment(client, platform.deployment, wanted.name)] == [begun["id"]]


def test_a_storm_while_waiting_is_waited_for(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    client = connect(retry_for=0.1)
    begun = backups.create(client, platform.deployment, wanted)
    platform.control.fault("status", path_regex="/backup/v1/backup/", preset="too-many-requests", count=3)
    assert backups.describe(backups.wait_for(client, begun, wanted, PATIENT))["available"] is True


def test_a_read_only_key_is_refused_before_anything(
    platform: TestPlatform, connect: Connect, wanted: backups.Wanted
) -> None:
    made_key = platform.control.fault("add_key", is_readonly=True)["result"]
    client = connect(key_id=made_key["id"], key_secret=made_key["secret"])
    with pytest.raises(CutoverError, match="read-only") as refused:
        backups.require_possible(client, platform.deployment, wanted)
    assert refused.value.code == "CUT-PLATFORM-11"


def test_no_upload_where_the_tier_has_none(platform: TestPlatform, connect: Connect, wanted: backups.Wanted) -> None:
    client = connect()
    platform.control.fault("organization", set={"has_backup_uploads": False})
    backups.require_possible(client, platform.deployment, wanted)
    with pytest.raises(CutoverError, match="cannot be uploaded") as refused:
        backups.require_possible(client, platform.deployment, backups.Wanted(wanted.name, upload=True))
    assert refused.value.code == "CUT-PLATFORM-22"
    platform.control.fault("organization", set={"has_backup_uploads": True})


def test_backups_of_a_policy_are_never_meant(platform: TestPlatform, connect: Connect) -> None:
    platform.control.fault("advance", seconds=7300)
    assert backups.of_deployment(connect(), platform.deployment, "Default") == []
