# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the actions that talk to the managed platform, and the client that they make."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.parameters import env_fallback

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
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


def require_addresses(field: str, addresses: Iterable[str]) -> None:
    """Raise CUT-SPEC-1 for what is no IP address."""
    for address in addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            text = f"{field}: {address} is no IP address"
            raise CutoverError("CUT-SPEC-1", text, details={"field": field}) from None


def refusal(problems: Iterable[Mapping[str, Any]]) -> CutoverError:
    """The error that names every problem; code and remedy are those of the first one."""
    found = [dict(one) for one in problems]
    text = "; ".join(one["text"] for one in found)
    return CutoverError(found[0]["code"], text, remedy=found[0]["remedy"], details={"problems": found})
