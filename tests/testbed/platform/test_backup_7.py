# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Backups (platform facts §7) and what is left of the replication service (§8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.testbed.platform.inprocess import DirectPlatform
from tests.testbed.platform.roles import ROLES
from tests.testbed.platform.scalars import timestamp

ROLES_USED = ["deployment-admin", "deployment-content-admin", "backup-admin", "replication-admin"]
BACKUP = "/api/backup/v1/backup/"


@pytest.fixture
def make() -> Iterator[Callable[..., DirectPlatform]]:
    """Makes platforms whose work takes simulated time: it goes on by `advance` only, seconds being long here."""
    running: list[DirectPlatform] = []

    def begin(**wishes: Any) -> DirectPlatform:
        values: dict[str, Any] = {
            "deployments": [{"used_bytes": 1 << 30, "version": "3.12.5"}],
            "key": {"roles": ROLES_USED},
            "time_scale": 100,
            "token_lifetime": 1e9,
        }
        running.append(DirectPlatform(**{**values, **wishes}))
        return running[-1]

    yield begin
    for entry in running:
        entry.close()


def create(direct: DirectPlatform, **fields: Any) -> Any:
    """Ask for a backup."""
    path = f"/api/backup/v1/deployment/{direct.deployment}/backup"
    return direct("POST", path, {"deployment_id": direct.deployment, "name": "safety", **fields})


def shown(direct: DirectPlatform) -> Any:
    """The first deployment."""
    return direct.get(f"/api/data/v1/deployments/{direct.deployment}")


def code(answer: Any) -> tuple[int, int]:
    """HTTP status and gRPC code of an error."""
    return answer.status, answer.json["code"]


def ready(direct: DirectPlatform, **fields: Any) -> str:
    """The id of a backup that is ready."""
    identifier: str = create(direct, **fields).json["id"]
    direct.fault("advance", seconds=2000)
    return identifier


def test_7_it_is_possible(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    path = f"/api/backup/v1/deployment/{direct.deployment}"
    assert direct.get(f"{path}/feature") == {"result": True}
    assert direct.get(f"{path}/uploadfeature") == {"result": True}
    direct.fault("organization", set={"has_backup_uploads": False})
    assert direct.get(f"{path}/uploadfeature") == {}


def test_7_models_may_not_have_uploads(make: Callable[..., DirectPlatform]) -> None:
    direct = make(deployments=[{"model": "free"}])
    assert direct.get(f"/api/backup/v1/deployment/{direct.deployment}/uploadfeature") == {}
    assert code(create(direct, upload=True)) == (400, 9)
    assert create(direct).status == 200


def test_7_a_backup_progresses_in_time(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    made = create(direct, upload=True, description="copy").json
    assert made["status"] == {"version": "3.12.5", "state": "Pending"}
    assert made["deployment_info"] == {
        "version": "3.12.5",
        "servers": {"coordinators": 3, "dbservers": 3},
        "model": {"model": "sharded", "node_count": 3},
    }
    assert (made["upload"], made["description"], "auto_deleted_at" in made) == (True, "copy", False)
    seen: list[tuple[str, bool]] = []
    for _step in range(20):
        status = direct.get(BACKUP + made["id"])["status"]
        if not seen or seen[-1][0] != status["state"]:
            seen.append((status["state"], status.get("available", False)))
        direct.fault("advance", seconds=100)
    assert seen == [
        ("Pending", False),
        ("Create", False),
        ("Upload", True),
        ("Uploading", True),
        ("Ready", True),
    ]
    status = direct.get(BACKUP + made["id"])["status"]
    assert (status["size_bytes"], status["dbservers"]) == (str(3 << 30), 3)
    assert status["upload_status"]["uploaded"] is True
    assert status["upload_status"]["size_bytes"] == str(3 << 30)
    assert status["upload_status"]["uploaded_at"] > status["created_at"] > made["created_at"]
    assert shown(direct)["status"]["total_backup_size_bytes"] == str(3 << 30)


def test_7_a_backup_without_upload_is_ready_when_it_is_made(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    status = direct.get(BACKUP + ready(direct))["status"]
    assert (status["state"], status["available"], "upload_status" in status) == ("Ready", True, False)


def test_7_a_deployment_tells_that_it_uploads(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    create(direct, upload=True)
    direct.fault("advance", seconds=700)
    assert shown(direct)["status"]["backup_upload_in_progress"] is True
    direct.fault("advance", seconds=2000)
    assert "backup_upload_in_progress" not in shown(direct)["status"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"auto_deleted_at": "2001-01-01T00:00:00Z"}, 3),
        ({"backup_policy_id": "x"}, 3),
        ({"auto_deleted_at": "tomorrow"}, 3),
        ({"upload": "yes"}, 3),
        ({"nonsense": 1}, 3),
    ],
)
def test_7_what_cannot_be_asked_for(make: Callable[..., DirectPlatform], fields: Any, expected: int) -> None:
    assert code(create(make(), **fields)) == (400, expected)


@pytest.mark.parametrize("state", ["paused", "creating", "bootstrapping", "deleted", "restoring"])
def test_7_a_deployment_that_does_not_run_has_no_new_backups(make: Callable[..., DirectPlatform], state: str) -> None:
    direct = make()
    direct.fault("state", state=state)
    assert code(create(direct)) == (400, 9)


def test_7_a_quota_is_429(make: Callable[..., DirectPlatform]) -> None:
    direct = make(backup_limit=1)
    assert create(direct).status == 200
    assert code(create(direct)) == (429, 8)


@pytest.mark.parametrize(("wait", "state"), [(0, "Failed"), (250, "Failed"), (700, "UploadError")])
def test_7_failures_tell_a_message(make: Callable[..., DirectPlatform], wait: int, state: str) -> None:
    direct = make()
    identifier = create(direct, upload=True).json["id"]
    direct.fault("advance", seconds=wait)
    direct.fault("fail_backup", message="no space")
    direct.fault("advance", seconds=2000)
    status = direct.get(BACKUP + identifier)["status"]
    assert (status["state"], status["is_failed"], status["message"]) == (state, True, "no space")
    assert status.get("available", False) is (state == "UploadError")


def test_7_lists_are_filtered_and_sorted(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    first = ready(direct, name="first")
    middle = direct.get(BACKUP + first)["status"]["created_at"]
    second = create(direct, name="second").json["id"]
    path = f"/api/backup/v1/deployment/{direct.deployment}/backups"
    for query, expected in (
        ({}, [first, second]),
        ({"good_only": "true"}, [first]),
        ({"sort_by_created": "true", "sort_descending": "true"}, [second, first]),
        ({"sort_by_created": "true", "sort_descending": "true", "options__page_size": 1}, [second]),
        ({"from": middle}, [second]),
        ({"to": middle}, [first]),
    ):
        assert [one["id"] for one in direct.get(path, **query)["items"]] == expected


def test_7_removal_now_and_at_its_time(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    soon = ready(direct, auto_deleted_at="2100-01-01T00:00:00Z")
    assert direct("DELETE", BACKUP + soon).json == {}
    assert code(direct("GET", BACKUP + soon)) == (404, 5)
    assert code(direct("DELETE", BACKUP + soon)) == (404, 5)
    ends_at = timestamp(direct.world.clock.now() + 7200)
    later, sooner, kept = (
        ready(direct, auto_deleted_at=ends_at),
        ready(direct, auto_deleted_at=ends_at),
        ready(direct),
    )
    changed = {**direct.get(BACKUP + later), "auto_deleted_at": "2100-01-01T00:00:00Z"}
    assert direct("PATCH", BACKUP + later, changed).status == 200
    direct.fault("advance", seconds=7200)
    assert [direct("GET", BACKUP + one).status for one in (later, sooner, kept)] == [200, 404, 200]
    soon_ends = {**changed, "auto_deleted_at": timestamp(direct.world.clock.now() + 60)}
    assert direct("PATCH", BACKUP + later, soon_ends).status == 200
    direct.fault("advance", seconds=61)
    assert direct("GET", BACKUP + later).status == 404


def test_7_uploading_later_needs_an_available_backup(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    pending = create(direct).json
    assert code(direct("PATCH", BACKUP + pending["id"], {**pending, "upload": True})) == (400, 9)
    direct.fault("advance", seconds=2000)
    made = direct.get(BACKUP + pending["id"])
    assert direct("PATCH", BACKUP + made["id"], {**made, "upload": True}).status == 200
    direct.fault("advance", seconds=2000)
    assert direct.get(BACKUP + made["id"])["status"]["upload_status"]["uploaded"] is True


def test_7_an_update_clears_what_is_missing(make: Callable[..., DirectPlatform]) -> None:
    for variant, name in (("replaced", None), ("merged", "safety")):
        direct = make(readings={"6": variant})
        identifier = ready(direct)
        found = direct("PATCH", BACKUP + identifier, {"description": "words"}).json
        assert (found.get("name"), found["description"], found["id"]) == (name, "words", identifier)
        assert found["status"]["state"] == "Ready"


def test_7_download_needs_an_upload_and_as_many_servers(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    local, uploaded = ready(direct), ready(direct, upload=True)
    assert code(direct("POST", f"{BACKUP}{local}/download")) == (400, 9)
    direct.fault("backup", backup=uploaded, set={"available": False, "upload_only": True})
    assert code(direct("POST", f"{BACKUP}{uploaded}/restore")) == (400, 9)
    assert direct("POST", f"{BACKUP}{uploaded}/download").json == {}
    seen = []
    for _step in range(4):
        seen.append(direct.get(BACKUP + uploaded)["status"]["state"])
        direct.fault("advance", seconds=300)
    assert sorted(set(seen), key=seen.index) == ["Download", "Downloading", "Ready"]
    assert direct.get(BACKUP + uploaded)["status"]["available"] is True
    direct.fault("backup", backup=uploaded, set={"dbservers": 5})
    assert code(direct("POST", f"{BACKUP}{uploaded}/download")) == (400, 9)


def test_7_restoring_is_told_by_the_deployment(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    identifier = ready(direct)
    assert direct("POST", f"{BACKUP}{identifier}/restore").json == {}
    seen = []
    for _step in range(5):
        status = shown(direct)["status"]
        told = status["backup_restore_status"]
        seen.append((told["status"], told.get("restoring", False), status.get("ready", False)))
        direct.fault("advance", seconds=300)
    assert sorted(set(seen), key=seen.index) == [
        ("Preparing", True, False),
        ("Restoring", True, False),
        ("Restored", False, True),
    ]
    found = shown(direct)
    assert found["backup_restore"]["revision"] == found["status"]["backup_restore_status"]["revision"] == 1
    assert found["backup_restore"]["backup_id"] == identifier
    direct("POST", f"{BACKUP}{identifier}/restore")
    direct.fault("fail_backup", message="broken")
    direct.fault("advance", seconds=2000)
    told = shown(direct)["status"]["backup_restore_status"]
    assert (told["status"], told["failure_reason"], told["revision"]) == ("Failed", "broken", 2)


def test_7_a_restore_needs_an_available_backup_of_the_same_minor_version(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    pending = create(direct).json["id"]
    assert code(direct("POST", f"{BACKUP}{pending}/restore")) == (400, 9)
    direct.fault("advance", seconds=2000)
    direct.fault("state", set={"version": "3.11.14"})
    assert code(direct("POST", f"{BACKUP}{pending}/restore")) == (400, 9)
    direct.fault("state", set={"version": "3.12.99"})
    assert direct("POST", f"{BACKUP}{pending}/restore").status == 200
    assert code(direct("POST", f"{BACKUP}{pending}/restore")) == (400, 9)


def test_7_a_restore_needs_a_permission_of_the_deployment(make: Callable[..., DirectPlatform]) -> None:
    direct = make(key={"roles": sorted(ROLES["backup-admin"] - {"data.deployment.restore-backup"})})
    assert code(direct("POST", f"{BACKUP}{ready(direct)}/restore")) == (403, 7)


def test_7_a_policy_makes_backups_every_two_hours(make: Callable[..., DirectPlatform]) -> None:
    direct = make(time_scale=1)
    path = f"/api/backup/v1/deployment/{direct.deployment}/backuppolicies"
    (policy,) = direct.get(path)["items"]
    direct.fault("advance", seconds=2.5 * 3600)
    listed = f"/api/backup/v1/deployment/{direct.deployment}/backups"
    assert [one["backup_policy_id"] for one in direct.get(listed)["items"]] == [policy["id"]]
    paused = direct("PATCH", f"/api/backup/v1/backuppolicies/{policy['id']}", {**policy, "is_paused": True})
    assert paused.json["is_paused"] is True
    direct.fault("advance", seconds=4 * 3600)
    assert len(direct.get(listed)["items"]) == 1


def test_8_the_replication_service_is_gone(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    path = f"/api/replication/v1/deployment/{direct.deployment}/replication"
    assert code(direct("GET", path)) == (403, 7)
    assert code(direct("PUT", path, {"deployment_id": direct.deployment})) == (403, 7)


def test_8_migrations_are_for_the_model_free(make: Callable[..., DirectPlatform]) -> None:
    path = "/api/replication/v1/deploymentmigration"
    direct = make()
    assert code(direct("POST", path, {"source_deployment_id": direct.deployment})) == (400, 9)
    direct = make(deployments=[{"model": "free"}])
    made = direct("POST", path, {"source_deployment_id": direct.deployment, "target": {"name": "paid"}})
    assert made.json["status"]["phase"] == "SourceBackupInProgress"
    direct.fault("advance", seconds=2000)
    assert direct.get(f"{path}/{direct.deployment}")["status"]["phase"] == "Complete"
    assert direct("DELETE", f"{path}/{direct.deployment}").json == {}
    assert code(direct("GET", f"{path}/{direct.deployment}")) == (404, 5)


def test_8_an_uploaded_backup_can_be_cloned(make: Callable[..., DirectPlatform]) -> None:
    direct = make()
    local, uploaded = ready(direct), ready(direct, upload=True)
    assert code(direct("POST", f"/api/replication/v1/backup/{local}/clone", {})) == (400, 9)
    made = direct("POST", f"/api/replication/v1/backup/{uploaded}/clone", {"region_id": "aws-eu-central-1"}).json
    assert (made["is_clone"], made["clone_backup_id"], made["region_id"]) == (True, uploaded, "aws-eu-central-1")
    assert "endpoint" not in made["status"]
    direct.fault("advance", seconds=2000)
    clone = direct.get(f"/api/data/v1/deployments/{made['id']}")
    assert clone["status"]["ready"] is True
    assert clone["status"]["endpoint"] != shown(direct)["status"]["endpoint"]
