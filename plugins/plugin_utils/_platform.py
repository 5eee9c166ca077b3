# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the actions that talk to the managed platform, and the client that they make."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.module_utils.common.parameters import env_fallback

from ansible_collections.cutover.arangodb.plugins.module_utils._core.platform_rules import DEFAULT_ENDPOINT
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import Connection, PlatformClient


def _from(variable: str, **rest: Any) -> dict[str, Any]:
    return {"fallback": (env_fallback, [variable]), **rest}


OPTIONS: dict[str, dict[str, Any]] = {
    "platform_endpoint": _from("CUTOVER_PLATFORM_ENDPOINT", type="str", default=DEFAULT_ENDPOINT),
    "platform_ca_path": _from("CUTOVER_PLATFORM_CA_PATH", type="path"),
    "platform_key_id": _from("ARANGO_GRAPH_API_KEY", type="str", required=True, no_log=False),
    "platform_key_secret": _from("ARANGO_GRAPH_API_SECRET", type="str", required=True, no_log=True),
    "platform_timeout": {"type": "float", "default": 30.0},
    "deployment_id": _from("ARANGO_GRAPH_DEPLOYMENT_ID", type="str", required=True),
    "organization_id": {"type": "str"},
}


def connect(options: Mapping[str, Any]) -> PlatformClient:
    """A client with the connection options of an action."""
    return PlatformClient(
        Connection(
            endpoint=options["platform_endpoint"],
            key_id=options["platform_key_id"],
            key_secret=options["platform_key_secret"],
            ca_path=options["platform_ca_path"],
            timeout=options["platform_timeout"],
        )
    )
