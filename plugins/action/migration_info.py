# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module `migration_info`; `query` is applied, and a deployment asked about, on the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _platform, _target
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result
from ansible_collections.cutover.arangodb.plugins.plugin_utils._query import QueryAction


class ActionModule(QueryAction):
    """The action of `cutover.arangodb.migration_info`."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result, if the migration goes to the expected deployment; one with a token is never shown."""
        arguments = dict(self._task.args)
        try:
            expected = _target.expected(arguments)
            result = self.run_with(arguments, tmp, task_vars)
            if expected is not None and not result.get("failed"):
                with _platform.connect(expected) as client:
                    _target.require_same(client, expected, result["migration"])
        except CutoverError as error:
            return failed_result(error)
        if result.get("rescue_ticket"):
            # Whoever registers the result has the token; callbacks and logs do not get it.
            result["_ansible_no_log"] = True
        return result
