# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A deployment of the platform: its object, its password, and the cluster behind it if there is one."""

from __future__ import annotations

import random
import secrets
import string
from collections.abc import Mapping
from typing import Any

from tests.testbed.platform import catalogue, servers, states
from tests.testbed.platform.schema import Value
from tests.testbed.platform.target import Target

QUARTER = 90 * 86_400.0  # seconds between two scheduled rotations of root's password
_DISK = 10
_MEMORY = {"agent": 1, "coordinator": 1}


class Deployment:
    """Fields as the message Deployment has them, changed by dotted paths."""

    def __init__(self, spec: Mapping[str, Any], project_url: str, *, single_type: str, now: float) -> None:
        name = str(spec.get("name", "target"))
        draw = random.Random(name)
        self.id = str(spec.get("id") or "".join(draw.choices(string.ascii_lowercase + string.digits, k=20)))
        self.target = Target(spec["cluster"]) if spec.get("cluster") else None
        self.password = self.target.root_password if self.target else secrets.token_urlsafe(15)
        self.state = "ready"
        self.host = f"{draw.getrandbits(48):012x}.arangodb.cloud"
        self._single_type = single_type
        ttl = catalogue.MODELS[str(spec.get("model", "sharded"))].get("deployment_ttl")
        self._expiration = {"reason": "trial", "expires_at": now + ttl} if ttl else {"reason": "doesn't expire"}
        self.fields: Value = self._fields(spec, project_url, name, now)
        self.describe_servers(self._server_names(spec), spec, now)

    @property
    def url(self) -> str:
        """Its resource URL."""
        return str(self.fields["url"])

    @property
    def project_url(self) -> str:
        """The resource URL of its project."""
        return self.url.rpartition("/Deployment/")[0]

    @property
    def organization_id(self) -> str:
        """The id of its organisation, which stands in its URL only."""
        return self.url.split("/")[2]

    @property
    def model(self) -> str:
        """Its model."""
        return str(self.fields["model"]["model"])

    @property
    def single(self) -> bool:
        """Whether it is a single server."""
        return self.model in catalogue.SINGLE_SERVER

    @property
    def status(self) -> Value:
        """Its status."""
        status: Value = self.fields["status"]
        return status

    def put(self, path: str, value: Any) -> None:
        """Set a field by its dotted path."""
        place = self.fields
        *outer, last = path.split(".")
        for name in outer:
            if place.get(name) is None:
                place[name] = {}
            place = place[name]
        place[last] = value

    def enter(self, state: str, now: float) -> None:
        """Be in a state of states.py."""
        changes = {"expiration": dict(self._expiration), **states.changes(state, now)}
        which, condition = changes.pop("servers")
        rotating = changes.pop("rotation_pending")
        for path, value in changes.items():
            self.put(path, value)
        running: list[Value] = self.status["servers"]
        chosen = {"all": running, "first": running[:1], "last": running[-1:]}[which]
        for server in running:
            servers.put(server, condition if any(server is one for one in chosen) else "ok")
            server["rotation_pending"] = rotating
        self.state = state

    @property
    def used_bytes(self) -> int:
        """Bytes on the disks of all its servers."""
        return sum(one["data_volume_info"]["used_bytes"] for one in self.data_servers)

    @property
    def data_servers(self) -> list[Value]:
        """The servers that hold data."""
        return [one for one in self.status["servers"] if one["type"] not in ("agent", "coordinator")]

    def _fields(self, spec: Mapping[str, Any], project_url: str, name: str, now: float) -> Value:
        model, size = str(spec.get("model", "sharded")), str(spec.get("node_size", "c4-a4"))
        version = str(spec.get("version", catalogue.DEFAULT_VERSION))
        memory = int(size.rpartition("a")[2])
        return {
            "id": self.id,
            "url": f"{project_url}/Deployment/{self.id}",
            "name": name,
            "project_id": project_url.rsplit("/", 1)[1],
            "region_id": str(spec.get("region", "gcp-us-west2")),
            "created_at": now,
            "created_by_id": "usr1",
            "version": version,
            "certificates": {},
            "model": {
                "model": model,
                "node_size_id": size,
                "node_count": 1 if model in catalogue.SINGLE_SERVER else int(spec.get("node_count", 3)),
                "node_disk_size": int(spec.get("disk", _DISK)),
                "node_type": "A",
                "node_size": memory,
            },
            "disk_rate_limit_period": 21_600,
            "last_root_password_rotated_at": now,
            "expiration": dict(self._expiration),
            "status": {"server_versions": [version], "bootstrapped_at": now, "servers": []},
        }

    def _server_names(self, spec: Mapping[str, Any]) -> list[tuple[str, str]]:
        if self.single:
            return servers.identifiers("single", 1, self.id)
        nodes = int(self.fields["model"]["node_count"])
        wanted = {"agent": 3, "coordinator": int(spec.get("coordinators", nodes)), "dbserver": nodes}
        return [one for kind, count in wanted.items() for one in servers.identifiers(kind, count, self.id)]

    def describe_servers(self, names: list[tuple[str, str]], spec: Mapping[str, Any], now: float) -> None:
        """Fill the status, the servers' specification and the size from types and ids of servers."""
        node, used = self.fields["model"], int(spec.get("used_bytes", 0))
        memory, disk = int(node["node_size"]), int(node["node_disk_size"])
        # A node holds a coordinator of 1 GiB and a DB-Server with the rest.
        sizes = {**_MEMORY, "dbserver": memory - 1, "single": memory}
        shown = {"single": self._single_type}
        self.status["servers"] = [
            servers.status(
                shown.get(kind, kind),
                identifier,
                {"memory": sizes[kind], "disk": 2 if kind == "agent" else disk, "leader": number == 0}
                | {"used_bytes": 0 if kind == "agent" else used},
                version=self.fields["version"],
                now=now,
            )
            for number, (kind, identifier) in enumerate(names)
        ]
        counts = {kind: sum(1 for entry, _id in names if entry == kind) for kind in sizes}
        data = counts["dbserver"] + counts["single"]
        self.fields["servers"] = {
            "coordinators": counts["coordinator"],
            "coordinator_memory_size": 1 if counts["coordinator"] else 0,
            "dbservers": data,
            "dbserver_memory_size": sizes["single" if self.single else "dbserver"],
            "dbserver_disk_size": disk,
            "minimum_dbservers_count": data,
            "minimum_dbserver_disk_size": disk,
        }
        self.fields["size"] = {
            "agents": counts["agent"],
            "agent_memory_size": 1 if counts["agent"] else 0,
            "agent_disk_size": 2 if counts["agent"] else 0,
            "total_memory_size": sum(count * sizes[kind] for kind, count in counts.items()),
            "total_disk_size": 2 * counts["agent"] + disk * data,
            **{name: self.fields["servers"][name] for name in _SHARED_SIZES},
        }


_SHARED_SIZES = (
    "coordinators",
    "coordinator_memory_size",
    "dbservers",
    "dbserver_memory_size",
    "dbserver_disk_size",
)
