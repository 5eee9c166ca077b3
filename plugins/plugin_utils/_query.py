# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option `query` of modules that return data: applied on the controller, so that hosts need no JMESPath."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

try:
    import jmespath
except ImportError:
    jmespath = None


def _compiled(expression: str) -> Any:
    if jmespath is None:
        raise AnsibleActionFail("the option query needs the Python library jmespath on the controller")
    try:
        return jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise AnsibleActionFail(f"query: {error}") from error


class QueryAction(ActionBase):
    """Runs the module of the same name without `query` and adds `query_result`."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result; the expression is checked before anything runs."""
        return self.run_with(dict(self._task.args), tmp, task_vars)

    def run_with(self, arguments: dict[str, Any], tmp: Any, task_vars: Any) -> dict[str, Any]:
        """The same with other arguments than the task's."""
        super().run(tmp, task_vars)
        expression = arguments.pop("query", None)
        compiled = _compiled(expression) if expression is not None else None
        result: dict[str, Any] = self._execute_module(
            module_name=self._task.resolved_action or self._task.action, module_args=arguments, task_vars=task_vars
        )
        if compiled is not None and not result.get("failed"):
            try:
                result["query_result"] = compiled.search(result)
            except jmespath.exceptions.JMESPathError as error:
                raise AnsibleActionFail(f"query: {error}") from error
        return result
