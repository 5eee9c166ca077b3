# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The servers of a deployment as its status shows them (platform facts §3.2)."""

from __future__ import annotations

import random
from typing import Any

CONDITIONS = ("ok", "creating", "failed", "bad", "upgrading", "synchronizing")
_PREFIX = {"agent": "AGNT", "coordinator": "CRDN", "dbserver": "PRMR", "single": "SNGL"}
_TYPE_OF_ROLE = {"coordinator": "coordinator", "dbserver": "dbserver", "single": "single"}
_GIB = 1 << 30
_INODES = 6_553_600


def identifiers(kind: str, count: int, seed: str) -> list[tuple[str, str]]:
    """Type and id of so many servers."""
    draw = random.Random(f"{seed}/{kind}")
    return [(kind, f"{_PREFIX[kind]}-{draw.getrandbits(32):08x}") for _number in range(count)]


def of_cluster(servers: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Type and id of the servers in the overview of a running cluster."""
    return [(_TYPE_OF_ROLE[server["role"]], identifier) for identifier, server in servers.items()]


def status(kind: str, identifier: str, spec: dict[str, Any], *, version: str, now: float) -> dict[str, Any]:
    """One healthy server; `spec` has `memory` and `disk` in GiB and `used_bytes` of its disk."""
    total, used = int(spec["disk"]) * _GIB, int(spec["used_bytes"])
    server: dict[str, Any] = {
        "id": identifier,
        "type": kind,
        "created_at": now,
        "last_started_at": now,
        "version": version,
        "member_of_cluster": True,
        "last_memory_usage": int(spec["memory"]) * _GIB // 6,
        "last_memory_limit": int(spec["memory"]) * _GIB,
        "last_cpu_usage": 0.12,
        "last_cpu_limit": 1.0,
        "is_leader": kind == "agent" and bool(spec.get("leader")),
    }
    if kind != "coordinator":
        server["data_volume_info"] = {
            "total_bytes": total,
            "used_bytes": used,
            "available_bytes": max(0, total - used),
            "total_inodes": _INODES,
            "used_inodes": 1000,
            "available_inodes": _INODES - 1000,
            "measured_at": now,
        }
    put(server, "ok")
    return server


def put(server: dict[str, Any], condition: str) -> None:
    """Make exactly one of the conditions true; only a server that is ok or synchronizing is ready."""
    for name in CONDITIONS:
        server[name] = name == condition
    server["ready"] = condition in ("ok", "synchronizing")
