# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the agent's archive from the collection that this plugin was loaded from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._module import archive
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result


class ActionModule(ActionBase):
    """The action of `cutover.arangodb.agent_archive`."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Build, compare, and unless in check mode write."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec={"dest": {"type": "path", "required": True}})[1]
        path = Path(arguments["dest"]).absolute()
        try:
            built = archive.build_archive(Path(__file__).parents[2])
            before = archive.digest_of(path)
            changed = before != built.sha256
            if changed and not self._task.check_mode:
                archive.write_archive(path, built)
        except CutoverError as error:
            return {**result, **failed_result(error)}
        diff = {"before": {"sha256": before}, "after": {"sha256": built.sha256}}
        return {**result, **archive.describe(path, built), "changed": changed, "diff": diff}
