# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""replication: what is gone, and what is left of it (platform facts §8)."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.testbed.platform import backups
from tests.testbed.platform import messages as m
from tests.testbed.platform.api.data import deployment
from tests.testbed.platform.call import Call, found
from tests.testbed.platform.errors import refused
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value

_GONE = "replication.deploymentreplication"  # a permission that nobody can have any more
_STEPS = ("SourceBackupInProgress", "TargetDeploymentCreationInProgress", "Complete")
_MIGRATIONS = "/api/replication/v1/deploymentmigration"


@rpc("GetDeploymentReplication", "GET", "/api/replication/v1/deployment/{id}/replication", m.ID, m.REPLICATION)
def get_replication(call: Call, wish: Value) -> Value:
    """Withdrawn: PermissionDenied for everybody."""
    deployment(call, wish["id"], f"{_GONE}.get")
    return {}


@rpc(
    "UpdateDeploymentReplication",
    "PUT",
    "/api/replication/v1/deployment/{deployment_id}/replication",
    m.REPLICATION,
    m.REPLICATION,
    body=True,
)
def update_replication(call: Call, wish: Value) -> Value:
    """Withdrawn: PermissionDenied for everybody."""
    deployment(call, wish["deployment_id"], f"{_GONE}.update")
    return {}


@rpc(
    "CloneDeploymentFromBackup",
    "POST",
    "/api/replication/v1/backup/{backup_id}/clone",
    m.CLONE,
    m.DEPLOYMENT,
    body=True,
)
async def clone(call: Call, wish: Value) -> Value:
    """A new deployment from an uploaded backup, with another endpoint and another password."""
    world = call.world
    backup = found(world.backups, wish["backup_id"], "Backup")
    call.require("replication.deployment.clone-from-backup", backup["url"])
    if not backups.is_uploaded(backup):
        raise refused("Backup is not uploaded")
    original = world.deployments[backup["deployment_id"]].fields
    made = await world.add_deployment(
        {
            "name": f"{original['name']}-{backup['id']}",
            "model": original["model"]["model"],
            "version": original["version"],
            "region": wish.get("region_id") or original["region_id"],
            "state": "creating",
            "set": {"is_clone": True, "clone_backup_id": backup["id"]},
        }
    )
    world.clock.after(world.options.resume_seconds, lambda: world.enter(made, "ready"))
    return made.fields


@rpc("CreateDeploymentMigration", "POST", _MIGRATIONS, m.MIGRATION, m.MIGRATION, body=True)
def create_migration(call: Call, wish: Value) -> Value:
    """A move from the model free to another inside the platform."""
    world = call.world
    source = deployment(call, wish.get("source_deployment_id", ""), "replication.deploymentmigration.create")
    if source.model != "free":
        raise refused("Only deployments of the model 'free' can be migrated")
    made: dict[str, Any] = {
        "id": world.new_id("dm"),
        "source_deployment_id": source.id,
        "created_at": world.clock.now(),
        "target": wish.get("target", {}),
        "status": {"phase": _STEPS[0]},
    }
    world.migrations[source.id] = made
    for number, phase in enumerate(_STEPS[1:], 1):
        world.clock.after(number * world.options.restore_seconds, partial(made["status"].update, phase=phase))
    return made


@rpc("GetDeploymentMigration", "GET", _MIGRATIONS + "/{id}", m.ID, m.MIGRATION)
def get_migration(call: Call, wish: Value) -> Value:
    """The move of a deployment, by the deployment's id."""
    deployment(call, wish["id"], "replication.deploymentmigration.get")
    return found(call.world.migrations, wish["id"], "DeploymentMigration")


@rpc("DeleteDeploymentMigration", "DELETE", _MIGRATIONS + "/{id}", m.ID, m.NOTHING)
def delete_migration(call: Call, wish: Value) -> Value:
    """Forget a move."""
    deployment(call, wish["id"], "replication.deploymentmigration.delete")
    found(call.world.migrations, wish["id"], "DeploymentMigration")
    del call.world.migrations[wish["id"]]
    return {}
