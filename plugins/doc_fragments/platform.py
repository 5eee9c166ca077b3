# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options for reaching the managed platform."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the platform's API is, who asks, and for which deployment."""

    DOCUMENTATION = r"""
options:
  platform_endpoint:
    description:
      - Address of the platform's API. The proxies of E(HTTPS_PROXY) and E(NO_PROXY) are used.
      - If not set, the environment variable E(CUTOVER_PLATFORM_ENDPOINT) of the controller is used.
    type: str
    default: https://api.cloud.arangodb.com
  platform_ca_path:
    description:
      - File on the controller with the CA certificates that the API's certificate is verified with.
      - If not set, E(CUTOVER_PLATFORM_CA_PATH) is used, and the public CAs without that.
    type: path
  platform_key_id:
    description:
      - Id of the API key.
      - If not set, E(ARANGO_GRAPH_API_KEY) is used.
    type: str
    required: true
  platform_key_secret:
    description:
      - Secret of the API key. It never leaves the controller but for the platform.
      - If not set, E(ARANGO_GRAPH_API_SECRET) is used.
    type: str
    required: true
  platform_timeout:
    description: Seconds that the platform may take for one answer.
    type: float
    default: 30.0
  deployment_id:
    description:
      - Id of the deployment. Its resource URL, its name or one of its endpoints is understood, too.
      - If not set, E(ARANGO_GRAPH_DEPLOYMENT_ID) is used.
    type: str
    required: true
  organization_id:
    description:
      - Organisation in which a name or an endpoint is looked for.
      - Without it, the organisation that the API key is limited to.
    type: str
"""
