# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the managed platform's API means, without talking to it: codes, values, permissions, addresses (platform facts).

Standard library only, for every client of the platform.
"""
from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Optional

# Which host serves the platform's REST routes is in no source (platform facts §1.1): it can be given, and is probed.
DEFAULT_ENDPOINT = "https://api.cloud.arangodb.com"
# The platform's organisations see who read a password and why (platform facts §3.3).
REASON = "migration by cutover.arangodb"
SINGLE_SERVERS = ("developer", "free")
# Of what ``state_problems`` tells: a paused deployment, and everything that resuming it brings to an end.
PAUSED = "CUT-PLATFORM-12"
ASLEEP = (PAUSED, "CUT-PLATFORM-14", "CUT-PLATFORM-16")
UNAUTHENTICATED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, UNAVAILABLE = 16, 8, 9, 10, 14
# gRPC codes that pass by repeating (platform facts §1.5); of those, the ones after which the call did not run.
RETRIABLE = frozenset({1, 2, 4, 8, 10, 13, 14, 15})
NOT_RUN = frozenset({RESOURCE_EXHAUSTED, ABORTED})
_MEANINGS = {5: "CUT-PLATFORM-4", 7: "CUT-PLATFORM-3", 8: "CUT-PLATFORM-19", 9: "CUT-PLATFORM-21",
             14: "CUT-PLATFORM-19", UNAUTHENTICATED: "CUT-PLATFORM-2"}  # fmt: skip

# What a migration asks the platform for, by what it is needed for (platform facts §10).
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "migration": ("data.deployment.get", "data.deploymentcredentials.get", "crypto.cacertificate.get",
                  "security.ipallowlist.get"),
    "backup": ("backup.feature.get", "backup.backup.create", "backup.backup.get", "backup.backup.list",
               "backup.backup.delete"),
    "resume": ("data.deployment.resume",),
}  # fmt: skip
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)s")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_RESOURCE = re.compile(r"/Organization/([^/]+)/Project/([^/]+)/Deployment/([^/]+)")


def meaning(grpc_code: Optional[int]) -> str:
    """The catalogue's code of an error by its gRPC code, which the HTTP status does not tell (platform facts §1.5)."""
    return _MEANINGS.get(grpc_code, "CUT-PLATFORM-8") if grpc_code is not None else "CUT-PLATFORM-8"


def with_proto_names(value: Any) -> Any:
    """The answer with the names of the proto (`page_size`), whichever spelling the gateway writes."""
    if isinstance(value, list):
        return [with_proto_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {_CAMEL.sub(lambda found: f"_{found[1].lower()}", name): with_proto_names(item)
            for name, item in value.items()}  # fmt: skip


def number(value: Any) -> int:
    """A number of the API: 64-bit ones are texts, zeros are left out (platform facts §1.4)."""
    try:
        return int(value or 0)
    except (TypeError, ValueError):
        return 0


def seconds(value: Any) -> float:
    """The seconds of a duration such as `3600s`; 0 for none."""
    found = _DURATION.fullmatch(str(value or ""))
    return float(found[1]) if found else 0.0


def moment(value: Any) -> Optional[datetime]:
    """A timestamp as time in UTC; None where there is none."""
    found = _MOMENT.fullmatch(str(value or ""))
    return datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc) if found else None


def severity(value: Any) -> str:
    """`info`, `warning` or `critical`: the API names or numbers it, and leaves out the first (platform facts §1.4)."""
    text = str(value or 0)
    return {"1": "warning", "2": "critical"}.get(text) or (
        "critical" if text.endswith("CRITICAL") else "warning" if text.endswith("WARNING") else "info"
    )


def chosen_endpoint(status: Mapping[str, Any]) -> Optional[str]:
    """The address to migrate to: that of the deployment's own CA, which is meant for machines (platform facts §4)."""
    names = ("endpoint_self_signed", "endpoint_private_endpoint_self_signed")
    return next((str(status[name]) for name in names if status.get(name)), None)


def named(deployment: Mapping[str, Any]) -> str:
    """A deployment for people."""
    return f"deployment {deployment.get('name') or deployment.get('id')}"


def state_problems(deployment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Why no migration can go into a deployment as it is: code and text of each reason, the first to solve in front.

    ``deployment`` is the platform's own object (platform facts §3.2, §11: P05 to P08, P11, P21).
    """
    name, status = named(deployment), deployment.get("status") or {}
    model = str((deployment.get("model") or {}).get("model") or "")
    if deployment.get("is_deleted"):
        yield "CUT-PLATFORM-13", f"{name} is marked for deletion"
        return
    if model in SINGLE_SERVERS:
        yield "CUT-PLATFORM-15", f"{name} is a single server (model {model}), not a cluster"
    lacking = [word for word in ("created", "bootstrapped", "ready") if not status.get(word)]
    if deployment.get("is_paused"):
        yield PAUSED, f"{name} is paused"
    elif lacking:
        said = f": {status['description']}" if status.get("description") else ""
        yield "CUT-PLATFORM-14", f"{name} is not {lacking[0]} yet{said}"
    elif status.get("upgrading") or (status.get("backup_restore_status") or {}).get("restoring"):
        yield "CUT-PLATFORM-14", f"{name} is being {'upgraded' if status.get('upgrading') else 'restored'}"
    if chosen_endpoint(status) is None:
        yield "CUT-PLATFORM-16", f"the platform names no endpoint of {name}"


def parts_of_url(url: str) -> Optional[tuple[str, str, str]]:
    """Organisation, project and id out of a deployment's resource URL; None for another text."""
    found = _RESOURCE.search(url)
    return (found[1], found[2], found[3]) if found else None


def missing_permissions(held: Iterable[str]) -> dict[str, list[str]]:
    """The permissions that are needed and not held, by what they are needed for."""
    has = set(held)
    return {need: [name for name in names if name not in has] for need, names in PERMISSIONS.items()}


def allowlist_verdict(ranges: Optional[Sequence[str]], address: str) -> str:
    """`allowed`, `blocked`, or `unknown` when a range cannot be read; ``ranges`` None: there is no allowlist.

    Ranges may carry comments after `//` or `#` (platform facts §5). ValueError when ``address`` is none.
    """
    wanted = ipaddress.ip_address(address)
    if ranges is None:
        return "allowed"
    unread = False
    for text in ranges:
        plain = re.split(r"//|#", text, maxsplit=1)[0].strip()
        try:
            if plain and wanted in ipaddress.ip_network(plain, strict=False):
                return "allowed"
        except ValueError:
            unread = True
    return "unknown" if unread else "blocked"
