# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Backups of a deployment by name: made, uploaded, removed, and waited for (platform facts §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Optional
from urllib.parse import quote

from .._core.clock import SYSTEM_CLOCK, Clock
from .._core.errors import CutoverError
from .._core.platform_rules import number
from .client import PlatformClient, PlatformError
from .keys import require_writable
from .waiting import Waiting

_FAILED_STATES = ("Failed", "Deleted", "UploadError", "DownloadError")
_NOT_FOUND = 5
_DESCRIPTION = "made by cutover.arangodb before a migration"
Backup = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A backup by its name; ``keep_seconds`` None: it is never removed by itself."""

    name: str
    present: bool = True
    upload: bool = False
    keep_seconds: Optional[float] = None


@dataclass(frozen=True)
class Plan:
    """What has to be done (create, upload, remove, none) and the backups that it is done to."""

    action: str
    backups: tuple[Backup, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is done; waiting for a backup that is being made is not."""
        return self.action != "none"


def of_deployment(client: PlatformClient, deployment_id: str, name: str) -> list[dict[str, Any]]:
    """The backups with this name that no policy has made, the newest one first."""
    path = f"/api/backup/v1/deployment/{quote(deployment_id, safe='')}/backups"
    every = client.pages(path, "options.", sort_by_created=True, sort_descending=True)
    return [one for one in every if one.get("name") == name and not one.get("backup_policy_id")]


def plan(found: Sequence[Backup], wanted: Wanted) -> Plan:
    """One plan for check mode and the real run."""
    if not wanted.present:
        return Plan("remove" if found else "none", tuple(found))
    alive = [one for one in found if not _has_failed(one) and not one.get("is_deleted")]
    if not alive:
        return Plan("create")
    if wanted.upload and not any(one.get("upload") for one in alive):
        ready = [one for one in alive if _status(one).get("available")]
        return Plan("upload", (ready[0],)) if ready else Plan("none", (alive[0],))
    chosen = next((one for one in alive if one.get("upload")), alive[0]) if wanted.upload else alive[0]
    return Plan("none", (chosen,))


def require_possible(client: PlatformClient, deployment_id: str, wanted: Wanted) -> None:
    """Raise CUT-PLATFORM-22 when the deployment can have no backup, or none that is uploaded; 11 for the key."""
    require_writable(client, "a backup")
    path = f"/api/backup/v1/deployment/{quote(deployment_id, safe='')}"
    if not client.get(f"{path}/feature").get("result"):
        raise CutoverError("CUT-PLATFORM-22", f"deployment {deployment_id} cannot have backups")
    if wanted.upload and not client.get(f"{path}/uploadfeature").get("result"):
        raise CutoverError("CUT-PLATFORM-22", f"backups of deployment {deployment_id} cannot be uploaded")


def create(client: PlatformClient, deployment_id: str, wanted: Wanted, clock: Clock = SYSTEM_CLOCK) -> dict[str, Any]:
    """Begin a backup. When its answer is lost, the one that was begun is found by its name."""
    body: dict[str, Any] = {"deployment_id": deployment_id, "name": wanted.name, "description": _DESCRIPTION}
    if wanted.upload:
        body["upload"] = True
    if wanted.keep_seconds is not None:
        # The platform judges the end by its own clock.
        now = datetime.fromtimestamp(clock.wall() - (client.clock_skew or 0.0), timezone.utc)
        body["auto_deleted_at"] = (now + timedelta(seconds=wanted.keep_seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {one.get("id") for one in of_deployment(client, deployment_id, wanted.name)}
    try:
        return client.send("POST", f"/api/backup/v1/deployment/{quote(deployment_id, safe='')}/backup", body)
    except PlatformError as error:
        new = [one for one in of_deployment(client, deployment_id, wanted.name) if one.get("id") not in known]
        if not error.retriable or not new:
            raise
        return new[0]


def upload(client: PlatformClient, backup: Backup) -> dict[str, Any]:
    """Have a backup uploaded; the whole object is sent, as what is missing could be cleared (platform facts §7)."""
    return client.send("PATCH", _path(backup), {**backup, "upload": True})


def remove(client: PlatformClient, backups: Sequence[Backup]) -> None:
    """Remove backups; one that is gone already is fine."""
    for backup in backups:
        try:
            client.send("DELETE", _path(backup))
        except PlatformError as error:
            if error.grpc_code != _NOT_FOUND:
                raise


def wait_for(client: PlatformClient, backup: Backup, wanted: Wanted, waiting: Waiting) -> dict[str, Any]:
    """Wait until a backup can be relied on; the backup as it is then.

    Raises CUT-PLATFORM-23 when it failed or is gone, CUT-PLATFORM-24 when the time is over.
    """
    found = dict(backup)

    def look() -> Optional[str]:
        nonlocal found
        try:
            found = client.get(_path(backup))
        except PlatformError as error:
            if error.grpc_code != _NOT_FOUND:
                raise
            raise CutoverError("CUT-PLATFORM-23", f"backup {wanted.name} is gone while it was waited for") from error
        if _has_failed(found):
            said = _status(found).get("message") or _status(found).get("state")
            raise CutoverError("CUT-PLATFORM-23", f"backup {wanted.name} failed: {said}", details=describe(found))
        return next(_missing(found, wanted), None)

    def late(text: str) -> CutoverError:
        shown = f"after {waiting.timeout:g} s: {text}"
        return CutoverError("CUT-PLATFORM-24", shown, retriable=True, details=describe(found))

    waiting.until_none(look, late)
    return found


def describe(backup: Backup) -> dict[str, Any]:
    """A backup as a module returns it, with every value that the API leaves out."""
    status = _status(backup)
    return {
        "id": str(backup.get("id") or ""),
        "name": str(backup.get("name") or ""),
        "created_at": backup.get("created_at"),
        "auto_deleted_at": backup.get("auto_deleted_at"),
        "state": str(status.get("state") or ""),
        "available": bool(status.get("available")),
        "uploaded": _is_uploaded(backup),
        "size_bytes": number(status.get("size_bytes")),
        "version": str(status.get("version") or ""),
    }


def _missing(backup: Backup, wanted: Wanted) -> Iterator[str]:
    status = _status(backup)
    progress = f", {status['progress']}" if status.get("progress") else ""
    if not status.get("available"):
        yield f"backup {wanted.name} is being made: {status.get('state') or 'not begun'}{progress}"
    if wanted.upload and not _is_uploaded(backup):
        yield f"backup {wanted.name} is being uploaded: {status.get('state') or 'not begun'}{progress}"


def _is_uploaded(backup: Backup) -> bool:
    return bool((_status(backup).get("upload_status") or {}).get("uploaded"))


def _has_failed(backup: Backup) -> bool:
    status = _status(backup)
    return bool(status.get("is_failed")) or status.get("state") in _FAILED_STATES


def _status(backup: Backup) -> Mapping[str, Any]:
    return backup.get("status") or {}


def _path(backup: Backup) -> str:
    return f"/api/backup/v1/backup/{quote(str(backup.get('id')), safe='')}"
