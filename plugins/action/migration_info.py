# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module `migration_info` and applies its option `query` on the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.cutover.arangodb.plugins.plugin_utils._query import QueryAction


class ActionModule(QueryAction):
    """The action of `cutover.arangodb.migration_info`."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result; one that holds a token is never shown."""
        result = super().run(tmp, task_vars)
        if result.get("rescue_ticket"):
            # Whoever registers the result has the token; callbacks and logs do not get it.
            result["_ansible_no_log"] = True
        return result
