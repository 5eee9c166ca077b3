# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""backup: the calls around backups and their policies (platform facts §7)."""

from __future__ import annotations

from tests.testbed.platform import backups
from tests.testbed.platform import messages as m
from tests.testbed.platform.api.data import deployment
from tests.testbed.platform.call import Call, found, page
from tests.testbed.platform.errors import Code, PlatformError, invalid, refused
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value

_DEPLOYMENT, _BACKUP = "/api/backup/v1/deployment", "/api/backup/v1/backup/{id}"
_KEPT = (
    "id",
    "url",
    "deployment_id",
    "backup_policy_id",
    "created_at",
    "created_by_id",
    "deployment_info",
    "status",
    "upload_updated_at",
)


def _backup(call: Call, identifier: str, permission: str) -> Value:
    backup = found(call.world.backups, identifier, "Backup")
    call.require(permission, backup["url"])
    return backup


def _check_end(call: Call, wish: Value) -> None:
    if wish.get("auto_deleted_at") and wish["auto_deleted_at"] <= call.world.clock.now():
        raise invalid("auto_deleted_at must not be in the past")


@rpc("IsBackupFeatureAvailable", "GET", _DEPLOYMENT + "/{id}/feature", m.ID, m.YES_NO)
def feature(call: Call, wish: Value) -> Value:
    """Whether there can be backups."""
    deployment(call, wish["id"], "backup.feature.get")
    return {"result": True}


@rpc("IsBackupUploadFeatureAvailable", "GET", _DEPLOYMENT + "/{id}/uploadfeature", m.ID, m.YES_NO)
def upload_feature(call: Call, wish: Value) -> Value:
    """Whether backups can be uploaded: by the organisation's tier and the deployment's model."""
    return {"result": backups.can_upload(call.world, deployment(call, wish["id"], "backup.feature.get"))}


@rpc("CreateBackup", "POST", _DEPLOYMENT + "/{deployment_id}/backup", m.BACKUP, m.BACKUP, body=True)
def create(call: Call, wish: Value) -> Value:
    """Begin a backup; it progresses by itself."""
    world = call.world
    entry = deployment(call, wish["deployment_id"], "backup.backup.create")
    if wish.get("backup_policy_id"):
        raise invalid("backup_policy_id must not be set")
    _check_end(call, wish)
    if entry.state in ("paused", "creating", "bootstrapping", "deleted", "restoring"):
        raise refused(f"Deployment is {entry.state}")
    if wish.get("upload") and not backups.can_upload(world, entry):
        raise refused("Uploading of backups is not available")
    mine = [one for one in world.backups.values() if one["deployment_id"] == entry.id]
    if world.options.backup_limit and len(mine) >= world.options.backup_limit:
        raise PlatformError(Code.RESOURCE_EXHAUSTED, f"Deployment has reached its {len(mine)} backups")
    return backups.begin(world, entry, wish, created_with=call.agent)


@rpc("GetBackup", "GET", _BACKUP, m.ID, m.BACKUP)
def get(call: Call, wish: Value) -> Value:
    """One backup."""
    return _backup(call, wish["id"], "backup.backup.get")


@rpc("ListBackups", "GET", _DEPLOYMENT + "/{deployment_id}/backups", m.BACKUPS_WISH, m.BACKUP_LIST)
def list_backups(call: Call, wish: Value) -> Value:
    """The backups of a deployment."""
    entry = deployment(call, wish["deployment_id"], "backup.backup.list")
    first, last = wish.get("from") or 0.0, wish.get("to") or float("inf")
    items = [
        one
        for one in call.world.backups.values()
        if one["deployment_id"] == entry.id
        and first <= one["created_at"] <= last
        and not (wish.get("good_only") and not one["status"].get("available"))
    ]
    if wish.get("sort_by_created"):
        items.sort(key=backups.created_at, reverse=bool(wish.get("sort_descending")))
    return {"items": page(items, wish.get("options", {}))}


@rpc("UpdateBackup", "PATCH", _BACKUP, m.BACKUP, m.BACKUP, body=True)
def update(call: Call, wish: Value) -> Value:
    """Keep longer, upload later; what is missing is cleared unless a reading says otherwise."""
    world, backup = call.world, _backup(call, wish["id"], "backup.backup.update")
    _check_end(call, wish)
    begins_upload = bool(wish.get("upload")) and not backup.get("upload")
    if begins_upload and not backup["status"].get("available"):
        raise refused("Backup is not available, it cannot be uploaded")
    if begins_upload and not backups.can_upload(world, world.deployments[backup["deployment_id"]]):
        raise refused("Uploading of backups is not available")
    kept = {name: backup[name] for name in _KEPT if name in backup}
    before = dict(backup) if world.options.reads(6, "merged") else {}
    backup.clear()
    backup.update({**before, **wish, **kept})
    backups.remove_in_time(world, backup)
    if begins_upload:
        backups.begin_upload(world, backup)
    return backup


@rpc("DownloadBackup", "POST", _BACKUP + "/download", m.ID, m.NOTHING)
def download(call: Call, wish: Value) -> Value:
    """Fetch an uploaded backup back to a deployment with as many DB-Servers."""
    backup = _backup(call, wish["id"], "backup.backup.download")
    entry = call.world.deployments[backup["deployment_id"]]
    if not backups.is_uploaded(backup):
        raise refused("Backup is not uploaded")
    if backup["status"].get("dbservers", 0) != len(entry.data_servers):
        raise refused("Backup is of another number of DB-Servers")
    backups.begin_download(call.world, backup)
    return {}


@rpc("RestoreBackup", "POST", _BACKUP + "/restore", m.ID, m.NOTHING)
async def restore(call: Call, wish: Value) -> Value:
    """Begin to go back to a backup; the deployment's status tells how far it is."""
    backup = _backup(call, wish["id"], "backup.backup.restore")
    entry = deployment(call, backup["deployment_id"], "data.deployment.restore-backup")
    if not backup["status"].get("available"):
        raise refused("Backup is not available")
    if backup["status"]["version"].split(".")[:2] != str(entry.fields["version"]).split(".")[:2]:
        raise refused("Backup is of another version")
    if entry.state != "ready":
        raise refused(f"Deployment is {entry.state}")
    await backups.begin_restore(call.world, entry, backup)
    return {}


@rpc("DeleteBackup", "DELETE", _BACKUP, m.ID, m.NOTHING)
def delete(call: Call, wish: Value) -> Value:
    """Remove a backup."""
    backups.remove(call.world, _backup(call, wish["id"], "backup.backup.delete"))
    return {}


@rpc("ListBackupPolicies", "GET", _DEPLOYMENT + "/{deployment_id}/backuppolicies", m.POLICIES_WISH, m.POLICY_LIST)
def list_policies(call: Call, wish: Value) -> Value:
    """The policies of a deployment."""
    entry = deployment(call, wish["deployment_id"], "backup.backuppolicy.list")
    mine = [one for one in call.world.policies.values() if one["deployment_id"] == entry.id]
    return {"items": page(mine, wish.get("options", {}))}


@rpc("UpdateBackupPolicy", "PATCH", "/api/backup/v1/backuppolicies/{id}", m.POLICY, m.POLICY, body=True)
def update_policy(call: Call, wish: Value) -> Value:
    """Pause a policy or let it go on; what is missing is cleared unless a reading says otherwise."""
    policy = found(call.world.policies, wish["id"], "BackupPolicy")
    call.require("backup.backuppolicy.update", policy["url"])
    kept = {name: policy[name] for name in ("id", "url", "deployment_id", "created_at", "status")}
    before = dict(policy) if call.world.options.reads(6, "merged") else {}
    policy.clear()
    policy.update({**before, **wish, **kept})
    return policy
