# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The body of the module `precheck`: the checks run in the module's own process."""
from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.errors import CutoverError
from .._core.redact import register_secret
from .._engine.display import precheck_lines
from .._engine.precheck.context import Environment
from .._engine.precheck.runner import run_request
from .argspec import start_request

STOPPING = ("failed", "unknown")


def run(module: AnsibleModule) -> dict[str, Any]:
    """Every check with its result; fails on errors unless told not to."""
    params = module.params
    if not params["source_jwt_secret_path"]:
        raise CutoverError("CUT-AGENT-36", "source_jwt_secret_path: is missing")
    if params["target_password"]:
        register_secret(params["target_password"])
    environment = Environment(
        source_jwt_secret_path=params["source_jwt_secret_path"],
        state_directory=params["state_directory"],
        agent_host=params["listen_host"],
        agent_port=params["port"],
        deployment=params["deployment"],
    )
    result = run_request({**start_request(params), **_wanted(module)}, environment).as_dict()
    result["lines"] = precheck_lines(result)
    if not result["passed"] and params["fail_on_errors"]:
        failed = [check for check in result["checks"] if check["status"] in STOPPING]
        shown = [f"{check['id']}: {check['message']} Remedy: {check['remedy']}" for check in failed]
        module.fail_json(msg="the prechecks are not passed: " + " | ".join(shown), changed=False, **result)
    return {"changed": False, **result}


def _wanted(module: AnsibleModule) -> dict[str, Any]:
    """What goes beyond the checks; in check mode nothing is written, not even for a moment."""
    params = module.params
    return {
        "sample_seconds": params["sample_seconds"],
        "probe_target": params["probe_target"] and not module.check_mode,
    }
