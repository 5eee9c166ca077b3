# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The body of the module `server_mode`: through the agent, or straight to the source while there is none."""
from __future__ import annotations

from typing import Any, Callable, Mapping

from ansible.module_utils.basic import AnsibleModule

from .._core.agent_api import AgentApi, AgentError, AgentUnreachableError
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .._core.jwt import load_secret
from .._engine import fence, topology
from .agent_client import connect_agent

# CA, client keyfile or token file of the agent cannot be read: it was never deployed here, or removed.
NOT_INSTALLED = ("CUT-TLS-1", "CUT-AGENT-4", "CUT-AGENT-31")


def _through_agent(module: AnsibleModule, api: AgentApi) -> tuple[str, dict[str, Any], Callable[[], dict[str, Any]]]:
    wanted = module.params["mode"]
    return "agent", api.server_mode(), lambda: api.set_server_mode(wanted)


def _directly(module: AnsibleModule) -> tuple[str, dict[str, Any], Callable[[], dict[str, Any]]]:
    params = module.params
    secret = load_secret(params["source_jwt_secret_path"])
    source = topology.connect_texts(
        params["source_endpoints"],
        params["source_ca_path"],
        secret,
        params["endpoint_map"],
        params["allowed_servers"],
        params["allow_plaintext_source"],
    )

    def write() -> dict[str, Any]:
        return _document(fence.set_mode(source, params["mode"], Deadline(params["timeout"])))

    try:
        current = _document(fence.read_modes(source))
    except CutoverError:
        # Setting it tells who does not answer; giving a source back must not wait for them.
        if module.check_mode:
            raise
        current = {"mode": None, "servers": fence.shown_modes(source)}
    return "direct", current, write


def _document(modes: Mapping[str, str]) -> dict[str, Any]:
    return {"mode": fence.summary(modes), "servers": dict(modes)}


def _has_no_source(error: CutoverError) -> bool:
    """The agent is idle, or copies for another one, which may be gone."""
    return isinstance(error, AgentError) and (error.code.startswith("CUT-STATE-") or error.code == "CUT-FLEET-1")


def _open(module: AnsibleModule) -> tuple[str, dict[str, Any], Callable[[], dict[str, Any]]]:
    """How the mode is reached, what it is now, and how to set it."""
    can_go_directly = bool(module.params["source_endpoints"] and module.params["source_jwt_secret_path"])
    try:
        return _through_agent(module, connect_agent(module))
    except CutoverError as error:
        if not (isinstance(error, AgentUnreachableError) or _has_no_source(error) or error.code in NOT_INSTALLED):
            raise
        if not can_go_directly:
            remedy = f"{error.remedy} Or give source_endpoints and source_jwt_secret_path to go without the agent."
            raise CutoverError(error.code, error.message, remedy=remedy, retriable=True) from error
    return _directly(module)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Read, compare, and unless in check mode set and confirm on every server."""
    wanted = module.params["mode"]
    via, current, write = _open(module)
    changed = current.get("mode") != wanted
    after = write() if changed and not module.check_mode else current
    shown = {"mode": wanted} if changed else {"mode": current.get("mode")}
    return {
        "changed": changed,
        "mode": wanted if changed else current.get("mode"),
        "servers": after.get("servers") or {},
        "via": via,
        "diff": {"before": {"mode": current.get("mode")}, "after": shown},
    }
