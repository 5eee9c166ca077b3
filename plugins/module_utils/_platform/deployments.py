# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finding a deployment, and everything about it that matters to a migration (platform facts §3 to §5)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlsplit

from .._core.errors import CutoverError
from .._core.platform_rules import (
    REASON,
    allowlist_verdict,
    chosen_endpoint,
    missing_permissions,
    number,
    parts_of_url,
    seconds,
    severity,
)
from .._core.redact import register_secret
from . import keys
from .client import PlatformClient, PlatformError
from .judgement import problems

_NOT_FOUND, _DENIED = 5, 7
_ENDPOINTS = {
    "self_signed": "endpoint_self_signed", "plain": "endpoint", "browser": "endpoint_default",
    "private_self_signed": "endpoint_private_endpoint_self_signed", "private_plain": "endpoint_private_endpoint",
}  # fmt: skip
Value = Mapping[str, Any]


def find(client: PlatformClient, wanted: str, organization_id: str | None) -> dict[str, Any]:
    """The deployment with this id, resource URL, name or endpoint.

    Raises CUT-PLATFORM-4 with what may have been meant in `details.candidates`; names and endpoints are looked for in
    the organisation that is given or that the key is limited to.
    """
    parts = parts_of_url(wanted)
    identifier = parts[2] if parts else wanted
    if "/" not in identifier:
        try:
            return client.get(f"/api/data/v1/deployments/{quote(identifier, safe='')}")
        except PlatformError as error:
            if error.grpc_code != _NOT_FOUND or parts:
                raise
    organization = organization_id or keys.describe(client)["organization_id"]
    if not organization:
        remedy = "Give the deployment's id, or organization_id so that its name or endpoint can be looked for."
        raise CutoverError("CUT-PLATFORM-4", f"the platform knows no deployment with the id {wanted}", remedy=remedy)
    path = f"/api/data/v1/organizations/{quote(str(organization), safe='')}/deployments"
    every = list(client.pages(path, "options."))
    host = urlsplit(wanted).hostname
    found = [one for one in every if (host in hosts(one) if host else one.get("name") == wanted)]
    if len(found) == 1:
        return found[0]
    return _not_one(wanted, found, every)


def _not_one(wanted: str, found: list[dict[str, Any]], every: list[dict[str, Any]]) -> dict[str, Any]:
    if found:
        near, text = found, f"{len(found)} deployments are called {wanted}"
    else:
        names = difflib.get_close_matches(wanted, [str(one.get("name")) for one in every], n=3, cutoff=0.5)
        near = [one for one in every if one.get("name") in names]
        text = f"no deployment has the id, name or endpoint {wanted}"
    shown = [f"{one.get('name')} ({one.get('id')})" for one in near]
    if shown:
        text += f"; did you mean {' or '.join(shown)}?"
    candidates = [{"id": one.get("id"), "name": one.get("name")} for one in near]
    raise CutoverError("CUT-PLATFORM-4", text, details={"candidates": candidates})


def hosts(deployment: Value) -> set[str | None]:
    """The hosts of all of a deployment's endpoints."""
    status = deployment.get("status") or {}
    return {urlsplit(str(status[name])).hostname for name in _ENDPOINTS.values() if status.get(name)}


def describe(client: PlatformClient, deployment: dict[str, Any], addresses: Sequence[str]) -> dict[str, Any]:
    """The result of `deployment_info` without credentials.

    What the key may not read is null, and its permission is among the missing ones.
    """
    url = str(deployment.get("url") or "")
    organization = (parts_of_url(url) or ("", "", ""))[0]
    held = sorted(client.get("/api/iam/v1/policies/effective-permissions", url=url).get("items") or [])
    authority = _permitted(client, "/api/crypto/v1/cacertificates/", _ca_id(deployment))
    ranges = _ranges(client, deployment)
    verdicts = {one: allowlist_verdict(ranges, one) if ranges != _HIDDEN else "unknown" for one in addresses}
    missing = missing_permissions(held)
    found = problems(deployment, authority or {}, missing, verdicts, client.clock_skew, datetime.now(timezone.utc))
    status = deployment.get("status") or {}
    return {
        "deployment": summary(deployment, organization),
        "endpoints": {"chosen": chosen_endpoint(status), **{ours: status.get(name) or None
                                                            for ours, name in _ENDPOINTS.items()}},
        "ca": _authority(authority),
        "credentials": None,
        "key": keys.describe(client),
        "backup": _backup(client, str(deployment.get("id") or "")),
        "permissions": {"held": held, "missing": missing},
        "allowlist": {"ranges": None if ranges == _HIDDEN else ranges, "verdicts": verdicts},
        "versions": _versions(client, organization, str(deployment.get("version") or "")),
        "notifications": [
            {"text": str(one.get("notification") or ""), "severity": severity(one.get("severity")),
             "created_at": one.get("created_at")}
            for one in (deployment.get("notifications") or {}).values()
        ],
        "clock_skew_seconds": client.clock_skew,
        "problems": found,
        "usable": not any(one["severity"] == "error" for one in found),
    }  # fmt: skip


def summary(deployment: Value, organization: str) -> dict[str, Any]:
    """What a deployment is and how it is, with every value that the API leaves out (platform facts §1.4)."""
    status, model = deployment.get("status") or {}, deployment.get("model") or {}
    return {
        "id": str(deployment.get("id") or ""),
        "name": str(deployment.get("name") or ""),
        "url": str(deployment.get("url") or ""),
        "organization_id": organization,
        "project_id": str(deployment.get("project_id") or ""),
        "region_id": str(deployment.get("region_id") or ""),
        "model": str(model.get("model") or ""),
        "node_size_id": str(model.get("node_size_id") or ""),
        "version": str(deployment.get("version") or ""),
        "server_versions": list(status.get("server_versions") or []),
        "size": dict(deployment.get("size") or {}),
        "available_bytes": sum(number((one.get("data_volume_info") or {}).get("available_bytes"))
                               for one in status.get("servers") or [] if one.get("type") == "dbserver"),
        "paused": bool(deployment.get("is_paused")),
        "deleted": bool(deployment.get("is_deleted")),
        "locked": bool(deployment.get("locked")),
        "ready": bool(status.get("ready")),
        "bootstrapped": bool(status.get("bootstrapped")),
        "upgrading": bool(status.get("upgrading")),
        "up_to_date": bool(status.get("is_up_to_date")),
        "read_only": bool(status.get("read_only")),
        "end_of_life": bool(deployment.get("version_is_end_of_life")),
        "upgraded_at": (deployment.get("replace_version_by") or {}).get("auto_update_date"),
        "expires_at": (deployment.get("expiration") or {}).get("expires_at"),
        "disk_locked_seconds": seconds(deployment.get("disk_rate_limit_active")),
        "root_password_rotates": bool(deployment.get("is_scheduled_root_password_rotation_enabled")),
        "root_password_rotated_at": deployment.get("last_root_password_rotated_at"),
    }  # fmt: skip


_HIDDEN = ["hidden"]  # an allowlist that the key may not read; no range looks like this


def _ca_id(deployment: Value) -> str:
    return str((deployment.get("certificates") or {}).get("ca_certificate_id") or "")


def _permitted(client: PlatformClient, path: str, identifier: str) -> dict[str, Any] | None:
    """An object, None when there is none or the key may not read it."""
    if not identifier:
        return None
    try:
        return client.get(f"{path}{quote(identifier, safe='')}")
    except PlatformError as error:
        if error.grpc_code not in (_NOT_FOUND, _DENIED):
            raise
        return None


def _ranges(client: PlatformClient, deployment: Value) -> list[str] | None:
    identifier = str(deployment.get("ipallowlist_id") or "")
    if not identifier:
        return None
    found = _permitted(client, "/api/security/v1/ipallowlists/", identifier)
    return _HIDDEN if found is None else [str(text) for text in found.get("cidr_ranges") or []]


def _backup(client: PlatformClient, identifier: str) -> dict[str, bool | None]:
    """Whether there can be backups, and uploaded ones; None where the key may not ask."""
    path = f"/api/backup/v1/deployment/{quote(identifier, safe='')}"
    found: dict[str, bool | None] = {}
    for name, feature in (("possible", "feature"), ("upload", "uploadfeature")):
        try:
            found[name] = bool(client.get(f"{path}/{feature}").get("result"))
        except PlatformError as error:
            if error.grpc_code not in (_NOT_FOUND, _DENIED):
                raise
            found[name] = None
    return found


def _authority(found: Value | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"id": found.get("id"), "pem": str(found.get("certificate_pem") or ""),
            "expires_at": found.get("expires_at"), "expired": bool(found.get("is_expired")),
            "rotation_needed": bool(found.get("rotation_needed")),
            "well_known": bool(found.get("use_well_known_certificate"))}  # fmt: skip


def credentials(client: PlatformClient, identifier: str) -> dict[str, str]:
    """Root's name and password; every reading is an event on the platform (platform facts §3.3)."""
    found = client.get(f"/api/data/v1/deploymentcredentials/{quote(identifier, safe='')}", reason=REASON)
    password = str(found.get("password") or "")
    register_secret(password)
    return {"username": str(found.get("username") or "root"), "password": password}


def _versions(client: PlatformClient, organization: str, current: str) -> list[str]:
    query = {"organization_id": organization, "current_version": current}
    return [str(one.get("version")) for one in client.pages("/api/data/v1/versions", "options.", **query)]
