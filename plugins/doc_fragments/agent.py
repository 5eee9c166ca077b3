# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options for reaching the agent."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the agent is and who asks."""

    DOCUMENTATION = r"""
options:
  agent_endpoint:
    description:
      - Address of the agent as seen from the host that the module runs on.
      - If not set, the environment variable E(CUTOVER_AGENT_ENDPOINT) of that host is used.
    type: str
    default: https://127.0.0.1:8629
  agent_ca_path:
    description:
      - File with the CA certificates that the agent's certificate is verified with. Verification cannot be switched off.
      - If not set, E(CUTOVER_AGENT_CA_PATH) is used, and the system's certificates without that.
    type: path
  agent_token:
    description:
      - Token of one of the agent's roles V(read), V(operate) or V(cutover).
      - If not set, E(CUTOVER_AGENT_TOKEN) is used.
    type: str
  agent_token_path:
    description:
      - File on the host that the module runs on with the token.
      - If not set, E(CUTOVER_AGENT_TOKEN_PATH) is used. Ignored when O(agent_token) is given.
    type: path
  agent_client_keyfile:
    description:
      - File with a client certificate and its private key in one PEM, for agents that ask for one.
      - If not set, E(CUTOVER_AGENT_CLIENT_KEYFILE) is used.
    type: path
  agent_timeout:
    description: Seconds that the agent may take for an ordinary answer.
    type: float
    default: 30.0
"""
