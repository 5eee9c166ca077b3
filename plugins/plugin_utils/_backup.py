# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup of a deployment by name: one plan for check mode and the real run, for every action that makes one."""

from __future__ import annotations

from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._platform import backups, keys
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import PlatformClient
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.waiting import Waiting


def made(
    client: PlatformClient, identifier: str, wanted: backups.Wanted, waiting: Waiting | None, *, check_mode: bool
) -> dict[str, Any]:
    """`changed`, `backup` and `diff`; without ``waiting`` what was begun goes on by itself."""
    before = backups.of_deployment(client, identifier, wanted.name)
    plan = backups.plan(before, wanted)
    if plan.action in ("create", "upload"):
        backups.require_possible(client, identifier, wanted)
    if plan.action == "remove":
        keys.require_writable(client, "removing a backup")
    found = plan.backups[0] if wanted.present and plan.backups else None
    if not check_mode:
        found = _done(client, identifier, wanted, plan, waiting)
    was = {"state": "present" if before else "absent", "uploaded": _uploaded(before)}
    after = {
        "state": "present" if wanted.present else "absent",
        "uploaded": wanted.present and (wanted.upload or _uploaded(before)),
    }
    return {
        "changed": plan.changed,
        "backup": backups.describe(found) if found else None,
        "diff": {"before": was, "after": after if plan.changed else was},
    }


def _uploaded(found: list[dict[str, Any]]) -> bool:
    return any(one.get("upload") for one in found)


def _done(
    client: PlatformClient, identifier: str, wanted: backups.Wanted, plan: backups.Plan, waiting: Waiting | None
) -> backups.Backup | None:
    """Do what is planned; the backup that there is then."""
    if not wanted.present:
        backups.remove(client, plan.backups)
        return None
    if plan.action == "create":
        found: backups.Backup = backups.create(client, identifier, wanted)
    elif plan.action == "upload":
        found = backups.upload(client, plan.backups[0])
    else:
        found = plan.backups[0]
    return found if waiting is None else backups.wait_for(client, found, wanted, waiting)
