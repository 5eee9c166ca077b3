# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes, uploads or removes a backup of a deployment, on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._platform import backups, deployments
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.waiting import Waiting
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _backup, _platform
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result

_DAY = 86400.0
OPTIONS: dict[str, dict[str, Any]] = {
    **_platform.OPTIONS,
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "upload": {"type": "bool", "default": False},
    "keep_days": {"type": "float", "default": 14.0},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 3600.0},
    "wait_interval": {"type": "float", "default": 10.0},
}


class ActionModule(ActionBase):
    """The action of `cutover.arangodb.deployment_backup`."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Look, plan, and unless in check mode do it and wait."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(argument_spec=OPTIONS)[1]
        host = str((task_vars or {}).get("inventory_hostname", ""))
        waiting = Waiting(
            options["wait_timeout"], options["wait_interval"], lambda text: Display().display(f"[{host}] {text}")
        )
        try:
            wanted = _wanted(options)
            with _platform.connect(options) as client:
                client.probe()
                found = deployments.find(client, options["deployment_id"], options["organization_id"])
                patience = waiting if options["wait"] else None
                identifier, check_mode = str(found["id"]), self._task.check_mode
                return {**result, **_backup.made(client, identifier, wanted, patience, check_mode=check_mode)}
        except CutoverError as error:
            return {**result, **failed_result(error)}


def _wanted(options: dict[str, Any]) -> backups.Wanted:
    for field, least in (("keep_days", 0.0), ("wait_timeout", 0.0), ("wait_interval", 0.01)):
        if not least <= options[field] < 1e6:
            text = f"{field}: must be {least:g} or more, and less than 1000000"
            raise CutoverError("CUT-SPEC-1", text, details={"field": field})
    if not options["name"].strip():
        raise CutoverError("CUT-SPEC-1", "name: must not be empty", details={"field": "name"})
    keep = options["keep_days"] * _DAY or None
    return backups.Wanted(options["name"], options["state"] == "present", options["upload"], keep)
