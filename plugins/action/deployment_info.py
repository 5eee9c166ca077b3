# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the managed platform about a deployment, on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._platform import deployments
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _platform
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result

OPTIONS: dict[str, dict[str, Any]] = {
    **_platform.OPTIONS,
    "addresses": {"type": "list", "elements": "str", "default": []},
    "include_credentials": {"type": "bool", "default": False},
    "fail_on_problems": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """The action of `cutover.arangodb.deployment_info`."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """What the platform says; a result with credentials is never shown."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        options = self.validate_argument_spec(argument_spec=OPTIONS)[1]
        try:
            return {**result, "changed": False, **_asked(options)}
        except CutoverError as error:
            return {**result, **failed_result(error)}


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    _platform.require_addresses("addresses", options["addresses"])
    with _platform.connect(options) as client:
        client.probe()
        found = deployments.find(client, options["deployment_id"], options["organization_id"])
        # Judged before the password is read: each reading is an event on the platform.
        shown = deployments.describe(client, found, options["addresses"])
        if options["fail_on_problems"] and not shown["usable"]:
            raise _platform.refusal(one for one in shown["problems"] if one["severity"] == "error")
        if options["include_credentials"]:
            shown["credentials"] = deployments.credentials(client, shown["deployment"]["id"])
            # Whoever registers the result has the password; callbacks and logs do not get it.
            shown["_ansible_no_log"] = True
    return shown
