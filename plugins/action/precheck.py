# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module `precheck`: a deployment becomes its target, `query` is applied, both on the controller."""

from __future__ import annotations

from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _platform, _precheck_report, _target
from ansible_collections.cutover.arangodb.plugins.plugin_utils._failure import failed_result
from ansible_collections.cutover.arangodb.plugins.plugin_utils._query import QueryAction


class ActionModule(QueryAction):
    """The action of `cutover.arangodb.precheck`."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The module's result, also as a file; nothing is woken or backed up for it."""
        arguments = dict(self._task.args)
        try:
            report_path = arguments.pop("report_path", None)
            write = _precheck_report.writer_for(str(report_path)) if report_path else None
            options = _target.taken_out(arguments)
            if options is not None:
                with _platform.connect(options) as client:
                    shown = _target.looked_at(client, options)
                    arguments.update(_target.fields(client, shown), deployment=_known(shown, options))
            result = self.run_with(arguments, tmp, task_vars)
            if write is not None and "checks" in result and not self._task.check_mode:
                write(result)
        except CutoverError as error:
            return failed_result(error)
        return result


def _known(shown: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """What the checks are to know: everything but credentials, and what is wanted of the platform."""
    wishes = {"backup": "backup_target", "upload": "backup_upload", "resume": "resume_deployment"}
    return {**shown, "credentials": None, "wishes": {name: options[option] for name, option in wishes.items()}}
