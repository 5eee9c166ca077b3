# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state `rescued` of the module `migration`: a fenced source is given back without its agent."""
from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._engine.rescue import rescue_from_elsewhere
from .._engine.topology import Credentials


def run(module: AnsibleModule) -> dict[str, Any]:
    """Win the record and lift the fence; in check mode say whether there is one to lift."""
    params = module.params
    credentials = Credentials(params["target_username"], params["target_password"])
    outcome = rescue_from_elsewhere(
        params["rescue_ticket"],
        params["source_ca_path"],
        params["target_endpoints"],
        params["target_ca_path"],
        credentials,
        ca_pem=params["target_ca_pem"],
        look_only=module.check_mode,
    )
    changed = outcome.pop("changed")
    if not changed:
        done = "no cutover is under way: nothing was to be given back"
    else:
        done = "the source would be given back" if module.check_mode else "the source was given back"
    return {"changed": changed, "rescue": outcome, "lines": [f"{done} (the mode read is {outcome['mode']})"]}
