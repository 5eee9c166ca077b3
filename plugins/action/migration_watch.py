# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a migration's progress on the controller until a condition holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.cutover.arangodb.plugins.module_utils._core.agent_api import AgentUnreachableError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.display import status_lines
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.waiting import GOALS, Wait, wait_for
from ansible_collections.cutover.arangodb.plugins.module_utils._module.argspec import agent_options
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result
from ansible_collections.cutover.arangodb.plugins.plugin_utils._shown import Shown, can_draw

OPTIONS = {
    "until": {"type": "str", "choices": list(GOALS), "default": "in_sync"},
    "timeout": {"type": "float", "default": 86400.0},
    "interval": {"type": "float", "default": 5.0},
    "before": {"type": "dict"},
}


class ActionModule(ActionBase):
    """The action of `cutover.arangodb.migration_watch`."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Look, show what has changed, and wait; the last status document is the result."""
        if self._task.async_val:
            raise AnsibleActionFail(
                "migration_watch shows its lines while it waits, so it cannot run in the background. Remove async and "
                "poll; timeout ends the wait. To wait in slices, use until: any_change, or migration_info with retries."
            )
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec={**agent_options(), **OPTIONS})[1]
        variables = task_vars or {}
        shown = Shown(Display(), str(variables.get("inventory_hostname", "")), can_draw(variables))
        try:
            # An agent that was never seen is no agent that restarts.
            first = self._look(variables)
            if self._task.check_mode:
                return {**result, **_result(first)}
            wait = Wait(arguments["until"], arguments["timeout"], arguments["interval"])
            before = arguments["before"] or (first if wait.goal == "any_change" else None)
            with shown:
                status = wait_for(lambda: self._look(variables, shown), wait, before=before, on_status=shown)
        except CutoverError as error:
            return {**result, **failed_result(error)}
        return {**result, **_result(status)}

    def _look(self, variables: Any, shown: Optional[Shown] = None) -> dict[str, Any]:
        """The status document now; raises AgentUnreachableError, once it is shown, when agent or host do not answer."""
        connection = {name: value for name, value in self._task.args.items() if name not in OPTIONS}
        try:
            return _status_of(
                self._execute_module("cutover.arangodb.migration_info", module_args=connection, task_vars=variables)
            )
        except AnsibleConnectionFailure as error:
            if shown is None:
                raise
            shown.lost()
            host = str(variables.get("inventory_hostname"))
            raise AgentUnreachableError(
                host, TransportError("CUT-AGENT-32", f"connecting to the host: {error}", outcome_unknown=False)
            ) from error
        except AgentUnreachableError:
            if shown is not None:
                shown.lost()
            raise


def _result(status: dict[str, Any]) -> dict[str, Any]:
    return {"changed": False, "migration": status, "lines": status_lines(status)}


def _status_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """The status document in a module's result; raises what the module failed with."""
    if not result.get("failed"):
        return dict(result["migration"])
    failure = result.get("failure") or {}
    code = str(failure.get("code") or "CUT-AGENT-33")
    message = str(result.get("msg") or "the module migration_info failed without a message")
    if code == "CUT-AGENT-32":
        cause = TransportError(code, message, outcome_unknown=False)
        raise AgentUnreachableError(str(failure.get("endpoint")), cause)
    raise CutoverError(code, message, remedy="", details=failure.get("details") or {})
