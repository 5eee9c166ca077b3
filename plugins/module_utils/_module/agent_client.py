# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's client out of a module's options; in check mode it can only read."""
from __future__ import annotations

import time
from typing import Any, Callable, Mapping

from ansible.module_utils.basic import AnsibleModule

from .._core.agent_api import AgentApi
from .._core.errors import CutoverError
from .._core.redact import register_secret

POLL_SECONDS = 0.3


def _token(module: AnsibleModule) -> str | None:
    token: str | None = module.params["agent_token"]
    path = module.params["agent_token_path"]
    if token is None and path is not None:
        try:
            with open(path, encoding="utf-8") as stream:
                token = stream.read().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise CutoverError("CUT-AGENT-31", f"agent_token_path: reading {path}: {reason}") from error
        if not token:
            raise CutoverError("CUT-AGENT-31", f"agent_token_path: {path} is empty")
        module.no_log_values.add(token)
    if token is not None:
        register_secret(token)
    return token


def connect_agent(module: AnsibleModule) -> AgentApi:
    """A client for the agent that the module's options name; raises CutoverError for unusable options."""
    return AgentApi.connect(
        module.params["agent_endpoint"],
        ca_path=module.params["agent_ca_path"],
        token=_token(module),
        client_keyfile=module.params["agent_client_keyfile"],
        timeout=module.params["agent_timeout"],
        read_only=module.check_mode,
    )


def result_of(run: Mapping[str, Any], read: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The result of what runs in the agent's background, when it has ended; raises what it ended with."""
    while run["state"] == "running":
        time.sleep(POLL_SECONDS)
        run = read(run["id"])
    if run["state"] == "failed":
        error = run["error"]
        raise CutoverError(error["code"], error["message"], remedy=error["remedy"], details=error["details"])
    return dict(run["result"])
