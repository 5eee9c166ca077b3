# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything the platform knows: organisation, projects, deployments, certificates, allowlists, backups, events."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.testbed.platform import authority, backups, roles, servers, states
from tests.testbed.platform.clock import Clock
from tests.testbed.platform.deployment import QUARTER, Deployment
from tests.testbed.platform.keys import Key, Keys
from tests.testbed.platform.options import Options
from tests.testbed.platform.reach import endpoints, is_allowed
from tests.testbed.platform.schema import Style, Value

ORGANIZATION, PROJECT = "org1", "prj1"
ORGANIZATION_URL = f"/Organization/{ORGANIZATION}"
PROJECT_URL = f"{ORGANIZATION_URL}/Project/{PROJECT}"
LOOPBACK = "127.0.0.1"


class World:
    """The state of the platform; objects are dictionaries by the fields of their messages."""

    def __init__(self, config: Mapping[str, Any], directory: Path) -> None:
        self.options = Options.parse(config.get("options", {}))
        self.clock = Clock(self.options.time_scale)
        self.directory = directory
        self._serial = itertools.count(1)
        now = self.clock.now()
        reads = self.options.reads
        self.keys = Keys(self.clock, self.options.token_lifetime, jwt=reads(4, "jwt"))
        self.organization: Value = {
            "id": ORGANIZATION,
            "url": ORGANIZATION_URL,
            "name": "Testbed",
            "created_at": now,
            "tier": {
                "id": "enterprise",
                "name": "Enterprise",
                "has_backup_uploads": True,
                "has_private_endpoints": True,
            },
        }
        self.project: Value = {
            "id": PROJECT,
            "url": PROJECT_URL,
            "name": "Default",
            "organization_id": ORGANIZATION,
            "created_at": now,
        }
        self.deployments: dict[str, Deployment] = {}
        self.authorities: dict[str, authority.Authority] = {}
        self.certificates: dict[str, Value] = {}
        self.allowlists: dict[str, Value] = {}
        self.private_endpoints: dict[str, Value] = {}
        self.backups: dict[str, Value] = {}
        self.policies: dict[str, Value] = {}
        self.metrics_tokens: dict[str, Value] = {}
        self.migrations: dict[str, Value] = {}
        self.mails: dict[str, list[Value]] = {}
        self.logs: dict[str, list[str]] = {}
        self.events: list[Value] = []
        self.audit_log: Value | None = None
        self.failing: dict[str, str] = {}  # deployment id → why the next step of a backup or restore fails
        self.changed = 0  # grows with every change of a deployment

    def style(self) -> Style:
        """How answers are written and requests are read just now."""
        reads = self.options.reads
        return Style(reads(3, "zeros"), reads(3, "camel-case"), reads(3, "enum-numbers"), self.clock.skew)

    def new_id(self, prefix: str) -> str:
        """A fresh id."""
        return f"{prefix}{next(self._serial)}{secrets.token_hex(4)}"

    def event(self, kind: str, subject: Value, *, reason: str = "", created_with: str = "") -> None:
        """Record an event of the organisation (platform facts §6)."""
        self.events.append(
            {
                "id": self.new_id("ev"),
                "organization_id": ORGANIZATION,
                "subject_id": subject["id"],
                "subject_url": subject.get("url", ""),
                "type": kind,
                "reason": reason,
                "created_at": self.clock.now(),
                "created_with": created_with,
            }
        )

    def touch(self, deployment: Deployment, reason: str) -> None:
        """Note that a deployment changed: streams tell it, and there is an event."""
        self.changed += 1
        self.event("data.deployment.updated", deployment.fields, reason=reason)

    def add_key(self, spec: Mapping[str, Any]) -> Key:
        """An API key; `roles` (roles or permissions) hold at `scope`, the whole organisation by default."""
        granted = roles.permissions_of(spec.get("roles", [*roles.RECOMMENDED, "deployment-admin", "metrics-admin"]))
        identifier = str(spec.get("id") or self.new_id("key"))
        fields = {
            "id": identifier,
            "url": f"/User/usr1/APIKey/{identifier}",
            "user_id": str(spec.get("user_id", "usr1")),
            "organization_id": str(spec.get("organization_id", "")),
            "is_readonly": bool(spec.get("is_readonly", False)),
            "created_at": self.clock.now(),
        }
        if spec.get("lifetime"):
            fields["expires_at"] = self.clock.now() + float(spec["lifetime"])
        grants = [(str(spec.get("scope", ORGANIZATION_URL)), granted)]
        key = Key(fields, str(spec.get("secret") or secrets.token_urlsafe(24)), grants)
        self.keys.all[identifier] = key
        return key

    async def add_deployment(self, spec: Mapping[str, Any]) -> Deployment:
        """A deployment with a CA certificate, in a state of its own; see docs/testbed.md for `spec`.

        ValueError when there is one of its id, which comes from its name.
        """
        now, reads = self.clock.now(), self.options.reads
        single_type = "dbserver" if reads(9, "single-dbserver") else "single"
        made = Deployment(spec, PROJECT_URL, single_type=single_type, now=now)
        if made.id in self.deployments:
            raise ValueError(f"there is a deployment {made.id} already: give this one another name")
        if made.target is not None:
            overview = await made.target.overview()
            made.put("version", overview["version"])
            made.put("status.server_versions", [overview["version"]])
            made.describe_servers(servers.of_cluster(overview["servers"]), spec, now)
            certificate = self.add_certificate(made.target.ca_pem)
        else:
            certificate = self.add_certificate()
        made.put("certificates.ca_certificate_id", certificate["id"])
        self.deployments[made.id] = made
        self.event("data.deployment.created", made.fields)
        await self.enter(made, str(spec.get("state", "ready")))
        backups.add_policy(self, made)
        self.clock.at(now + QUARTER, lambda: self._scheduled_rotation(made))
        for path, value in dict(spec.get("set", {})).items():
            made.put(path, value)
        return made

    def add_certificate(self, pem: str = "", cloned_from: str = "") -> Value:
        """A CA certificate: of a given PEM text, or with a CA of its own."""
        identifier = self.new_id("cert")
        if not pem:
            self.authorities[identifier] = authority.Authority()
            pem = self.authorities[identifier].pem
        made = authority.record(identifier, PROJECT_URL, pem, self.clock.now(), cloned_from=cloned_from)
        self.certificates[identifier] = made
        return made

    def add_allowlist(self, fields: Mapping[str, Any]) -> Value:
        """An allowlist of the project."""
        identifier = str(fields.get("id") or self.new_id("ipal"))
        made: Value = {
            "id": identifier,
            "url": f"{PROJECT_URL}/IPAllowlist/{identifier}",
            "name": str(fields.get("name", "office")),
            "description": str(fields.get("description", "")),
            "project_id": PROJECT,
            "cidr_ranges": list(fields.get("cidr_ranges", [])),
            "created_at": self.clock.now(),
            "created_by_id": "usr1",
            "remote_inspection_allowed": bool(fields.get("remote_inspection_allowed", False)),
        }
        self.allowlists[identifier] = made
        return made

    async def enter(self, deployment: Deployment, state: str) -> None:
        """Put a deployment into a state; its cluster lets clients in, or not."""
        deployment.enter(state, self.clock.now())
        shown = endpoints(deployment, self.options)
        for name, value in shown.items():
            deployment.put(f"status.{name}", "" if state == "creating" else value)
        self.touch(deployment, "pause_deployment" if state == "paused" else "status")
        await self.update_door(deployment)
        ends_at = deployment.fields["expiration"].get("expires_at")
        if ends_at and state != "deleted":
            self.clock.at(ends_at, lambda: self._expire(deployment))

    async def _expire(self, deployment: Deployment) -> None:
        ends_at = deployment.fields["expiration"].get("expires_at")
        if ends_at and ends_at <= self.clock.now() and deployment.state != "deleted":
            await self.enter(deployment, "deleted")

    async def update_door(self, deployment: Deployment) -> None:
        """Let the deployment's cluster answer as its state and allowlist want it."""
        if deployment.target is None:
            return
        if deployment.state in states.CLOSED:
            await deployment.target.set_door("reset" if self.options.reads(11, "paused-reset") else "silent")
        elif not is_allowed(self.allowlists.get(deployment.fields.get("ipallowlist_id", "")), LOOPBACK):
            await deployment.target.set_door("reset" if self.options.reads(7, "blocked-reset") else "silent")
        else:
            await deployment.target.set_door("open")

    async def rotate_password(self, deployment: Deployment, password: str = "") -> str:
        """Give `root` another password, on the cluster behind the deployment, too."""
        wanted = password or secrets.token_urlsafe(15)
        if deployment.target is not None:
            await deployment.target.change_root_password(wanted)
        deployment.password = wanted
        deployment.put("last_root_password_rotated_at", self.clock.now())
        self.touch(deployment, "root_password_rotated")
        return wanted

    async def _scheduled_rotation(self, deployment: Deployment) -> None:
        if deployment.fields.get("is_scheduled_root_password_rotation_enabled"):
            await self.rotate_password(deployment)
        self.clock.at(self.clock.now() + QUARTER, lambda: self._scheduled_rotation(deployment))

    async def rotate_certificate(self, deployment: Deployment) -> Value:
        """Clone the deployment's CA certificate and switch to the clone, with a downtime (platform facts §4)."""
        old = self.certificates[deployment.fields["certificates"]["ca_certificate_id"]]
        made = self.add_certificate(cloned_from=old["id"])
        deployment.put("certificates.ca_certificate_id", made["id"])
        if deployment.target is not None:
            await deployment.target.load_keyfile(self.authorities[made["id"]].write_keyfile(self.directory))
        deployment.put("status.ready", False)
        self.touch(deployment, "certificate")
        self.clock.after(self.options.restart_seconds, lambda: self._ready_again(deployment))
        return made

    def _ready_again(self, deployment: Deployment) -> None:
        if deployment.state == "ready":
            deployment.put("status.ready", True)
            self.touch(deployment, "status")

    async def shown(self, deployment: Deployment) -> Value:
        """The deployment's fields; what a cluster behind it does is seen as it is now."""
        if deployment.target is None or deployment.state in states.CLOSED:
            return deployment.fields
        try:
            overview = await deployment.target.overview()
        except (OSError, RuntimeError):
            return {**deployment.fields, "status": {**deployment.status, "ready": False}}
        found = overview["servers"].values()
        read_only = any(server["readonly"] for server in found) or bool(deployment.status.get("read_only"))
        return {**deployment.fields, "status": {**deployment.status, "read_only": read_only}}
