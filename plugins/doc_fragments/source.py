# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options for reaching the source cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """The source as the agent's host sees it."""

    DOCUMENTATION = r"""
options:
  source_endpoints:
    description:
      - Coordinators of the source cluster, each as V(https://HOST:PORT).
      - If not set, E(CUTOVER_SOURCE_ENDPOINTS) is used, with commas between endpoints.
    type: list
    elements: str
  source_ca_path:
    description:
      - File on the agent's host with the CA certificates of the source.
      - If not set, E(CUTOVER_SOURCE_CA_PATH) is used, and the system's certificates without that.
    type: path
  endpoint_map:
    description:
      - Where servers of the source are reached from the agent's host, if not at the addresses by which they know each other.
      - Keys are server ids or inner endpoints, values are endpoints.
    type: dict
    default: {}
  allowed_servers:
    description:
      - Hosts (patterns such as V(*.db.example.com)) beyond those of O(source_endpoints) and O(endpoint_map) that may be sent
        a superuser token.
    type: list
    elements: str
    default: []
  allow_plaintext_source:
    description: Whether tokens may also be sent to servers of the source that do not speak TLS.
    type: bool
    default: false
"""

    JWT = r"""
options:
  source_jwt_secret_path:
    description:
      - File with the JWT secret of the source cluster, on the host that the module runs on. The secret never leaves that host.
      - If not set, E(CUTOVER_SOURCE_JWT_SECRET_PATH) is used.
    type: path
"""
