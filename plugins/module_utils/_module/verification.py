# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The body of the module `verification`."""
from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._engine.display import verification_lines
from .agent_client import connect_agent, result_of

OPTIONS = ("mode", "repair", "timeout")


def run(module: AnsibleModule) -> dict[str, Any]:
    """Compare, and fail on what differs unless told not to. In check mode only what the rounds have found is told."""
    api = connect_agent(module)
    if module.check_mode:
        return {"changed": False, "verification": None, "rounds": api.status()["verification"], "lines": []}
    found = result_of(api.begin_verification({name: module.params[name] for name in OPTIONS}), api.verification)
    result = {
        "changed": found["repaired"] > 0,
        "verification": found,
        "rounds": api.status()["verification"],
        "lines": verification_lines(found),
    }
    if not found["equal"] and module.params["fail_on_differences"]:
        module.fail_json(msg="source and target differ: " + "; ".join(result["lines"]), **result)
    return result
