# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The body of the module `migration_info`."""
from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.agent_api import AgentApi
from .._engine.display import status_lines
from .._engine.report_page import render
from .agent_client import connect_agent, result_of

PAGE = 1000


def _all_shards(api: AgentApi) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = api.shards(limit=str(PAGE), offset=str(len(found)))
        found += page["shards"]
        if len(found) >= page["total"] or not page["shards"]:
            return found


def run(module: AnsibleModule) -> dict[str, Any]:
    """The status document and what else was asked for."""
    api = connect_agent(module)
    status = api.status()
    result: dict[str, Any] = {"changed": False, "migration": status, "lines": status_lines(status)}
    gather = module.params["gather"]
    if "shards" in gather:
        result["shards"] = _all_shards(api)
    if "findings" in gather:
        result["findings"] = api.findings()
    if "report" in gather or "report_page" in gather:
        report = api.report()
        result["report"] = report
        if "report_page" in gather:
            result["report_page"] = render(report) if report is not None else None
    if "rescue_ticket" in gather:
        result["rescue_ticket"] = None if module.check_mode else api.rescue_ticket()
    if "changes" in gather:
        result["changes"] = result_of(api.begin_changes({"timeout": module.params["changes_timeout"]}), api.changes)
    return result
