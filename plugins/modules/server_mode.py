#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: server_mode
short_description: Make the source cluster read-only or writable
version_added: 1.0.0
description:
  - Sets the server mode of the source cluster and returns when every coordinator and DB-Server shows it.
  - Goes through the agent. While the agent is down or runs no migration, it goes straight to the source, if
    O(source_endpoints) and O(source_jwt_secret_path) are given.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.agent
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.actiongroup_arangodb
  - cutover.arangodb.source
  - cutover.arangodb.source.jwt
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  mode:
    description:
      - V(readonly) refuses all writes with error 1004, and changes of definitions with error 11.
      - V(default) allows them.
    type: str
    choices: [readonly, default]
    required: true
  timeout:
    description: Seconds that all servers may take to show the mode when the module goes straight to the source.
    type: float
    default: 60.0
notes:
  - This module runs on the agent's host, so the agent may listen on loopback.
  - A completed migration leaves the source read-only. Writing to both sides after that makes them differ for good.
seealso:
  - module: cutover.arangodb.migration
"""

EXAMPLES = r"""
- name: Make the source writable again
  cutover.arangodb.server_mode:
    mode: default
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token
    source_endpoints:
      - https://coordinator-1.db.example.com:8529
    source_ca_path: /etc/cutover-arangodb/source-ca.pem
    source_jwt_secret_path: /etc/cutover-arangodb/source.jwt
"""

RETURN = r"""
mode:
  description: The mode that all servers show now (in check mode, that they would show).
  returned: success
  type: str
  sample: readonly
servers:
  description: Mode by server, as last read.
  returned: success
  type: dict
  sample: {"CRDN-1": "readonly", "PRMR-1": "readonly"}
via:
  description: V(agent), or V(direct) when the source was asked without one.
  returned: success
  type: str
  sample: agent
failure:
  description: The error as data.
  returned: failure
  type: dict
  contains:
    code:
      description: Code of the error in the catalogue.
      type: str
      sample: CUT-AGENT-32
    http_status:
      description: HTTP status of the answer that was refused, if there was one.
      type: int
      sample: 409
    error_num:
      description: ArangoDB's own error number, if there is one.
      type: int
      sample: 1203
    retriable:
      description: Whether the same task can succeed later without any change.
      type: bool
      sample: true
    endpoint:
      description: Who was asked.
      type: str
      sample: https://127.0.0.1:8629
    remedy:
      description: What to do about it.
      type: str
      sample: Check that the agent runs.
    details:
      description: Figures and names that belong to the error, such as C(blockers) of a refused cutover.
      type: dict
      sample: {"blockers": []}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.argspec import agent_options, merged, secret_options, source_options
from ..module_utils._module.runner import run_module
from ..module_utils._module.server_mode import run


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=merged(
            agent_options(),
            source_options(),
            secret_options(),
            {
                "mode": {"type": "str", "choices": ["readonly", "default"], "required": True},
                "timeout": {"type": "float", "default": 60.0},
            },
        ),
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()
