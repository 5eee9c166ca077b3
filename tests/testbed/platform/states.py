# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The states in which a deployment can be put, as changes of its fields (platform facts §3.2).

Paths are dotted. `NOW` is the present moment; `servers` puts one server (`last`, `first`) or `all` into a condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOW = object()
TOMORROW = object()
_SOUND: dict[str, Any] = {
    "is_deleted": False,
    "deleted_at": 0,
    "locked": False,
    "is_paused": False,
    "version_is_end_of_life": False,
    "replace_version_by": None,
    "disk_rate_limit_active": 0,
    "status.description": "",
    "status.created": True,
    "status.bootstrapped": True,
    "status.ready": True,
    "status.upgrading": False,
    "status.is_up_to_date": True,
    "status.read_only": False,
    "servers": ("all", "ok"),
    "rotation_pending": False,
}
_RESTORING = {"restoring": True, "status": "Restoring", "revision": 1}
STATES: Mapping[str, Mapping[str, Any]] = {
    "ready": {},
    "locked": {"locked": True},
    "creating": {
        "status.created": False,
        "status.bootstrapped": False,
        "status.ready": False,
        "status.description": "Creating deployment",
        "servers": ("all", "creating"),
    },
    "bootstrapping": {"status.bootstrapped": False, "status.ready": False, "status.description": "Bootstrapping"},
    "upgrading": {
        "status.upgrading": True,
        "status.is_up_to_date": False,
        "status.description": "Upgrading",
        "servers": ("first", "upgrading"),
    },
    "changes-pending": {"status.is_up_to_date": False},
    "not-ready": {"status.ready": False, "status.description": "Not all servers are ready"},
    "read-only": {"status.read_only": True},
    "paused": {"is_paused": True, "last_paused_at": NOW, "status.ready": False, "status.description": "Hibernated"},
    "restoring": {"status.ready": False, "status.backup_restore_status": _RESTORING},
    "deleted": {"is_deleted": True, "deleted_at": NOW, "status.ready": False},
    "server-failed": {"servers": ("last", "failed"), "status.ready": False},
    "server-bad": {"servers": ("last", "bad")},
    "server-synchronizing": {"servers": ("last", "synchronizing")},
    "rotation-pending": {"rotation_pending": True},
    "end-of-life": {
        "version_is_end_of_life": True,
        "replace_version_by": {"version": "3.12.10", "reason": "EOL", "auto_update_date": TOMORROW},
    },
    "expiring": {"expiration": {"reason": "trial", "expires_at": TOMORROW}},
    "disk-locked": {"disk_rate_limit_active": 3600},
}
_DAY = 86_400.0
CLOSED = ("creating", "bootstrapping", "paused", "deleted", "not-ready", "restoring")


def changes(state: str, now: float) -> dict[str, Any]:
    """Every field that a state decides; KeyError for an unknown one."""
    merged = {**_SOUND, **STATES[state]}
    return {path: _moment(value, now) for path, value in merged.items()}


def _moment(value: Any, now: float) -> Any:
    if value is NOW or value is TOMORROW:
        return now if value is NOW else now + _DAY
    return {name: _moment(item, now) for name, item in value.items()} if isinstance(value, dict) else value
