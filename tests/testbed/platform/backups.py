# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Backups that progress in time: made, uploaded, fetched back, restored, removed; and those of policies (facts §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.testbed.platform import catalogue
from tests.testbed.platform.deployment import Deployment
from tests.testbed.platform.schema import Value

if TYPE_CHECKING:
    from tests.testbed.platform.world import World

EVERY = 2 * 3600.0  # seconds between two backups of the policy of a new deployment


def created_at(backup: Value) -> float:
    """When a backup was asked for."""
    return float(backup["created_at"])


def can_upload(world: World, deployment: Deployment) -> bool:
    """Whether the tier and the model allow it."""
    features = catalogue.MODELS[deployment.model].get("features", {})
    return bool(world.organization["tier"].get("has_backup_uploads") and features.get("backup_uploads"))


def is_uploaded(backup: Value) -> bool:
    """Whether there is a copy in a storage of its own."""
    return bool((backup["status"].get("upload_status") or {}).get("uploaded"))


def begin(world: World, deployment: Deployment, wish: Mapping[str, Any], *, created_with: str = "") -> Value:
    """A backup that is still to be made."""
    now, identifier = world.clock.now(), world.new_id("bk")
    fields = deployment.fields
    backup: Value = {
        "id": identifier,
        "url": f"{deployment.url}/Backup/{identifier}",
        "name": wish.get("name", ""),
        "description": wish.get("description", ""),
        "deployment_id": deployment.id,
        "backup_policy_id": wish.get("backup_policy_id", ""),
        "created_at": now,
        "created_by_id": "" if wish.get("backup_policy_id") else "usr1",
        "auto_deleted_at": wish.get("auto_deleted_at", 0.0),
        "upload": bool(wish.get("upload")),
        "upload_updated_at": now if wish.get("upload") else 0.0,
        "deployment_info": {
            "version": fields["version"],
            "servers": {name: fields["servers"].get(name, 0) for name in ("coordinators", "dbservers")},
            "model": {name: fields["model"].get(name, 0) for name in ("model", "node_count")},
        },
        "status": {"version": fields["version"], "state": "Pending"},
    }
    world.backups[identifier] = backup
    world.event("backup.backup.created", backup, created_with=created_with)
    world.clock.after(world.options.backup_pending_seconds, lambda: _make(world, deployment, backup))
    remove_in_time(world, backup)
    return backup


def remove_in_time(world: World, backup: Value) -> None:
    """Remove a backup at its `auto_deleted_at`, if it has one then."""

    def due() -> None:
        ends_at = backup.get("auto_deleted_at")
        if ends_at and ends_at <= world.clock.now() and backup["id"] in world.backups:  # else it was changed
            remove(world, backup)

    if backup.get("auto_deleted_at"):
        world.clock.at(backup["auto_deleted_at"], due)


def _fails(world: World, backup: Value, state: str) -> bool:
    """Whether a test ordered that this step fails; then it has failed."""
    reason = world.failing.pop(backup["deployment_id"], None)
    if reason is not None:
        backup["status"].update(state=state, is_failed=True, message=reason, progress="")
    return reason is not None


def _make(world: World, deployment: Deployment, backup: Value) -> None:
    if backup["id"] not in world.backups or _fails(world, backup, "Failed"):
        return
    backup["status"].update(state="Create", progress="Creating backup")
    world.clock.after(world.options.backup_create_seconds, lambda: _made(world, deployment, backup))


def _made(world: World, deployment: Deployment, backup: Value) -> None:
    if backup["id"] not in world.backups or _fails(world, backup, "Failed"):
        return
    size = deployment.used_bytes
    backup["status"].update(
        created_at=world.clock.now(),
        state="Ready",
        progress="",
        size_bytes=size,
        available=True,
        dbservers=len(deployment.data_servers),
    )
    _count(world, deployment)
    if backup.get("upload"):
        begin_upload(world, backup)


def _count(world: World, deployment: Deployment) -> None:
    mine = [one for one in world.backups.values() if one["deployment_id"] == deployment.id]
    deployment.put("status.total_backup_size_bytes", sum(one["status"].get("size_bytes", 0) for one in mine))
    uploading = any(one["status"]["state"] in ("Upload", "Uploading") for one in mine)
    deployment.put("status.backup_upload_in_progress", uploading)
    world.changed += 1


def begin_upload(world: World, backup: Value) -> None:
    """Copy a backup to a storage of its own; it is available meanwhile."""
    backup["status"].update(state="Upload", progress="0%")
    backup["upload_updated_at"] = world.clock.now()
    half = world.options.backup_upload_seconds / 2
    deployment = world.deployments[backup["deployment_id"]]
    _count(world, deployment)

    def uploading() -> None:
        if backup["id"] in world.backups and not _fails(world, backup, "UploadError"):
            backup["status"].update(state="Uploading", progress="50%")
            world.clock.after(half, uploaded)

    def uploaded() -> None:
        if backup["id"] in world.backups and not _fails(world, backup, "UploadError"):
            size = backup["status"].get("size_bytes", 0)
            backup["status"].update(state="Ready", progress="")
            backup["status"]["upload_status"] = {
                "uploaded": True,
                "uploaded_at": world.clock.now(),
                "size_bytes": size,
            }
        _count(world, deployment)

    world.clock.after(half, uploading)


def begin_download(world: World, backup: Value) -> None:
    """Fetch an uploaded backup back."""
    backup["status"].update(state="Download", progress="0%")
    half = world.options.backup_upload_seconds / 2

    def downloading() -> None:
        if backup["id"] in world.backups and not _fails(world, backup, "DownloadError"):
            backup["status"].update(state="Downloading", progress="50%")
            world.clock.after(half, downloaded)

    def downloaded() -> None:
        if backup["id"] in world.backups and not _fails(world, backup, "DownloadError"):
            backup["status"].update(state="Ready", progress="", available=True, upload_only=False)

    world.clock.after(half, downloading)


async def begin_restore(world: World, deployment: Deployment, backup: Value) -> None:
    """Go back to a backup: the deployment is not available meanwhile."""
    revision = int((deployment.fields.get("backup_restore") or {}).get("revision", 0)) + 1
    asked = {"revision": revision, "last_updated_at": world.clock.now()}
    await world.enter(deployment, "restoring")
    deployment.put("backup_restore", {**asked, "restored_by_id": "usr1", "backup_id": backup["id"]})
    shown = {**asked, "restoring": True}
    deployment.put("status.backup_restore_status", {**shown, "status": "Preparing"})
    world.touch(deployment, "restore_backup")
    half = world.options.restore_seconds / 2

    def restoring() -> None:
        deployment.put("status.backup_restore_status", {**shown, "status": "Restoring"})
        world.touch(deployment, "restore_backup")
        world.clock.after(half, restored)

    async def restored() -> None:
        reason = world.failing.pop(deployment.id, None)
        await world.enter(deployment, "ready")
        ended = {"status": "Restored"} if reason is None else {"status": "Failed", "failure_reason": reason}
        asked["last_updated_at"] = world.clock.now()
        deployment.put("status.backup_restore_status", {**asked, **ended})
        world.touch(deployment, "restore_backup")

    world.clock.after(half, restoring)


def remove(world: World, backup: Value) -> None:
    """Forget a backup."""
    world.backups.pop(backup["id"], None)
    world.event("backup.backup.deleted", backup)
    deployment = world.deployments.get(backup["deployment_id"])
    if deployment is not None:
        _count(world, deployment)


def add_policy(world: World, deployment: Deployment) -> Value:
    """The policy that a new deployment has: a backup every two hours."""
    identifier = world.new_id("bp")
    policy: Value = {
        "id": identifier,
        "url": f"{deployment.url}/BackupPolicy/{identifier}",
        "name": "Default",
        "deployment_id": deployment.id,
        "created_at": world.clock.now(),
        "schedule": {"schedule_type": "Hourly", "hourly_schedule": {"schedule_every_interval_hours": 2}},
        "status": {"next_backup": world.clock.now() + EVERY},
    }
    world.policies[identifier] = policy

    def due() -> None:
        moment = policy["status"]["next_backup"]
        policy["status"]["next_backup"] = moment + EVERY
        if not policy.get("is_paused") and deployment.state == "ready":
            ends_at = moment + 3 * EVERY
            begin(world, deployment, {"backup_policy_id": identifier, "name": "Default", "auto_deleted_at": ends_at})
        world.clock.at(moment + EVERY, due)

    world.clock.at(policy["status"]["next_backup"], due)
    return policy
