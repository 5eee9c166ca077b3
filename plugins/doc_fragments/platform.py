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
  platform_timeout:
    description: Seconds that the platform may take for one answer.
    type: float
    default: 30.0
  organization_id:
    description:
      - Organisation in which a name or an endpoint is looked for.
      - Without it, the organisation that the API key is limited to.
    type: str
"""

    REQUIRED = r"""
options:
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
  deployment_id:
    description:
      - Id of the deployment. Its resource URL, its name or one of its endpoints is understood, too.
      - If not set, E(ARANGO_GRAPH_DEPLOYMENT_ID) is used.
    type: str
    required: true
"""

    KEY = r"""
options:
  platform_key_id:
    description:
      - Id of the API key.
      - If not set, E(ARANGO_GRAPH_API_KEY) is used.
    type: str
  platform_key_secret:
    description:
      - Secret of the API key. It never leaves the controller but for the platform.
      - If not set, E(ARANGO_GRAPH_API_SECRET) is used.
    type: str
"""

    EXPECTED = r"""
options:
  deployment_id:
    description:
      - Id of the deployment that the agent's migration has to go to; the task fails if it goes elsewhere. Its resource
        URL, its name or one of its endpoints is understood, too.
      - The platform is asked for it on the controller, and only if this is set, so that looking needs no platform.
    type: str
"""

    TARGET = r"""
options:
  deployment_id:
    description:
      - Id of the deployment that is the target, in place of O(target_endpoints), O(target_ca_path) and
        O(target_password), which are asked for on the controller. Its resource URL, its name or one of its endpoints is understood, too.
      - If not set, E(ARANGO_GRAPH_DEPLOYMENT_ID) is used where E(ARANGO_GRAPH_API_KEY) and E(ARANGO_GRAPH_API_SECRET) are
        set, too.
    type: str
  agent_addresses:
    description:
      - Addresses under which the deployment sees the agent's host, to be compared with its allowlist. Nobody can ask the
        platform for them.
    type: list
    elements: str
    default: []
  resume_deployment:
    description:
      - Whether a paused deployment is resumed, and waited for, before a migration is started.
      - The prechecks resume nothing.
    type: bool
    default: false
  resume_timeout:
    description: Seconds to wait for a deployment that is resumed.
    type: float
    default: 1800.0
  backup_target:
    description:
      - Whether a backup of the deployment with the name V(before-NAME), where V(NAME) is O(name), is made and waited for
        before a migration is started.
      - One that is there already, of an earlier start, is kept and not made again.
    type: bool
    default: false
  backup_upload:
    description: Whether that backup is uploaded, too.
    type: bool
    default: false
  backup_keep_days:
    description: Days after which the platform removes that backup, V(0) for never.
    type: float
    default: 14.0
  backup_timeout:
    description: Seconds to wait for that backup.
    type: float
    default: 3600.0
"""
