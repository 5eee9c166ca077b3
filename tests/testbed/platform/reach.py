# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a deployment is reached, and by whom (platform facts §1, §3.2, §5)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from tests.testbed.platform.deployment import Deployment
from tests.testbed.platform.options import Options
from tests.testbed.platform.schema import Value

_COMMENT = re.compile(r"(?://|#).*")
_PRIVATE = ("endpoint_private_endpoint", "endpoint_private_endpoint_self_signed", "endpoint_private_endpoint_default")


def endpoints(deployment: Deployment, options: Options) -> dict[str, str]:
    """The public endpoints by the names of the status: of the cluster behind the deployment, or of no one."""
    port = ":443" if options.reads(11, "with-port") else ""
    if deployment.target is None:
        base = f"https://{deployment.host}"
        shown = (f"{base}:8529", f"{base}:18529", f"{base}{port}")
    else:
        first = deployment.target.endpoints[0]
        shown = (first, first, f"https://{urlsplit(first).hostname}{port}")
    return dict(zip(("endpoint", "endpoint_self_signed", "endpoint_default"), shown, strict=True))


def private(deployment: Deployment) -> dict[str, str]:
    """The endpoints inside a peered network."""
    base = f"https://{deployment.host.replace('.', '-pe.', 1)}"
    return dict(zip(_PRIVATE, (f"{base}:8529", f"{base}:18529", base), strict=True))


def is_allowed(allowlist: Value | None, address: str) -> bool:
    """Whether an address may connect; without an allowlist every one."""
    if allowlist is None:
        return True
    ranges = [_COMMENT.sub("", text).strip() for text in allowlist["cidr_ranges"]]
    wanted = ipaddress.ip_address(address)
    return any(wanted in ipaddress.ip_network(text, strict=False) for text in ranges if text)


def check_ranges(ranges: list[str], *, keep_comments: bool) -> list[str]:
    """Ranges as they are stored; ValueError for one that is no range."""
    stored = []
    for text in ranges:
        bare = _COMMENT.sub("", text).strip()
        if bare:
            ipaddress.ip_network(bare, strict=False)
        if keep_comments or bare:
            stored.append(text if keep_comments else bare)
    return stored
