# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Permissions and the predefined roles that hold them (platform facts §10).

Facts name few permissions of a role that are no help to a migration; roles have those only.
"""

from __future__ import annotations

from collections.abc import Iterable

_LOOK = (
    "data.deployment.get data.deployment.list data.nodesize.list data.deploymentmodel.list data.diskperformance.list"
)
ROLES: dict[str, frozenset[str]] = {
    name: frozenset(permissions.split())
    for name, permissions in {
        "deployment-viewer": f"{_LOOK} monitoring.metrics.get",
        "deployment-content-admin": f"{_LOOK} data.deploymentcredentials.get monitoring.logs.get",
        "deployment-admin": f"{_LOOK} monitoring.metrics.get monitoring.logs.get data.deployment.update "
        "data.deployment.resume data.deployment.pause data.deployment.rotate-server",
        "cacertificate-viewer": "crypto.cacertificate.get crypto.cacertificate.list",
        "ipwhitelist-viewer": "security.ipallowlist.get security.ipallowlist.list",
        "ipwhitelist-admin": "security.ipallowlist.get security.ipallowlist.list security.ipallowlist.create "
        "security.ipallowlist.update",
        "backup-admin": "backup.feature.get backup.backup.create backup.backup.get backup.backup.list "
        "backup.backup.update backup.backup.download backup.backup.restore backup.backup.delete "
        "backup.backuppolicy.list backup.backuppolicy.update data.deployment.restore-backup",
        "privateendpointservice-viewer": "network.privateendpointservice.get-by-deployment-id",
        "metrics-admin": "metrics.token.create metrics.token.revoke metrics.token.delete metrics.endpoint.get",
        "organization-viewer": "resourcemanager.organization.get resourcemanager.project.get",
        "notification-viewer": "notification.deployment-notification.list",
        "auditlog-admin": "audit.auditlogattachment.get audit.auditlogevents.get",
        "replication-admin": "replication.deployment.clone-from-backup replication.deploymentmigration.create "
        "replication.deploymentmigration.get replication.deploymentmigration.delete",
    }.items()
}
RECOMMENDED = ("deployment-content-admin", "cacertificate-viewer", "ipwhitelist-viewer", "backup-admin")
SINGLE = {  # permissions of the system that are in no predefined role
    "resourcemanager.event.list"
}
ALL = frozenset().union(*ROLES.values(), SINGLE)


def permissions_of(names: Iterable[str]) -> frozenset[str]:
    """What roles, or permissions by their own name, allow; ValueError for a name that is neither."""
    found: set[str] = set()
    for name in names:
        if name in ROLES:
            found |= ROLES[name]
        elif name in ALL:
            found.add(name)
        else:
            raise ValueError(f"{name}: neither a role nor a permission")
    return frozenset(found)


def covers(scope: str, url: str) -> bool:
    """Whether a role that is bound to a resource holds for another one: itself or one below it."""
    return url == scope or url.startswith(scope.rstrip("/") + "/")
