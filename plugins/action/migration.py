# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module `migration`; a deployment of the managed platform is turned into its target on the controller."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._module.argspec import agent_options
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.backups import Wanted
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import PlatformClient
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.waiting import Waiting
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _backup, _platform, _target
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result

_DAY = 86400.0
_NOT_BEGUN = ("inactive", "aborted", "failed")


class _ModuleFailed(Exception):  # noqa: N818 - its result is what is returned
    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


class ActionModule(ActionBase):
    """The action of `cutover.arangodb.migration`."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result, and that of a backup if one was wanted."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        more: dict[str, Any] = {}
        try:
            options = _target.taken_out(arguments)
            if options is not None:
                with _platform.connect(options) as client:
                    more = self._prepared(client, options, arguments, task_vars)
        except CutoverError as error:
            return {**result, **failed_result(error)}
        except _ModuleFailed as failure:
            return {**result, **failure.result}
        name = self._task.resolved_action or self._task.action
        made = self._execute_module(module_name=name, module_args=arguments, task_vars=task_vars)
        if more:
            made = {**made, "backup": more["backup"], "changed": made.get("changed", False) or more["changed"]}
        return {**result, **made}

    def _prepared(
        self, client: PlatformClient, options: dict[str, Any], arguments: dict[str, Any], task_vars: Any
    ) -> dict[str, Any]:
        """Fill the target's options in, or make sure that the agent's target is this one; what a backup came to."""
        state, check_mode = arguments.get("state", "started"), self._task.check_mode
        if state not in ("started", "rescued"):
            _target.require_same(client, options, self._status(arguments, task_vars))
            return {}
        if state == "rescued":
            # Whatever is wrong with the deployment besides: giving the source back is tried.
            arguments.update(_target.fields(client, _target.looked_at(client, options)))
            return {}
        host = str((task_vars or {}).get("inventory_hostname", ""))

        def tell(text: str) -> None:
            Display().display(f"[{host}] {text}")

        shown = _target.described(client, options, check_mode=check_mode, tell=tell)
        more: dict[str, Any] = {}
        # Only what is there before anything of ours is worth a backup.
        if options["backup_target"] and self._status(arguments, task_vars)["state"] in _NOT_BEGUN:
            name, keep = f"before-{arguments.get('name', 'default')}", options["backup_keep_days"] * _DAY or None
            wanted = Wanted(name, upload=options["backup_upload"], keep_seconds=keep)
            waiting = Waiting(options["backup_timeout"], tell=tell)
            more = _backup.made(client, str(shown["deployment"]["id"]), wanted, waiting, check_mode=check_mode)
        arguments.update(_target.fields(client, shown))
        return more

    def _status(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """The agent's status document."""
        own = {name: arguments[name] for name in agent_options() if name in arguments}
        found = self._execute_module("cutover.arangodb.migration_info", module_args=own, task_vars=task_vars)
        if found.get("failed"):
            raise _ModuleFailed(found)
        return dict(found["migration"])
