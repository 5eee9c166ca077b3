# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proxy in front of a managed deployment: what it does not let through (facts §9, §12.17)."""

from __future__ import annotations

from tests.testbed.control_answers import HTML, PROXY_PAGE
from tests.testbed.message import Request, Response

MAX_BODY = "front_end_max_body"  # option: bytes of a request that the proxy takes
_BLOCKED = (
    ("no-mode", "PUT", "/_admin/server/mode", ""),
    ("no-users", "PUT", "/_api/replication/restore-data", "_users"),
    ("no-health", "GET", "/_admin/cluster/health", ""),
    ("no-metrics", "GET", "/_admin/metrics", ""),
)


def refusal(request: Request) -> Response | None:
    """The proxy's own answer, None when it lets the request through."""
    options = request.deployment.options
    limit = options.extra.get(MAX_BODY)
    if limit is not None and len(request.body) > int(limit):
        return _page(413, "413 Request Entity Too Large")
    for variant, method, path, collection in _BLOCKED:
        same = request.method == method and request.path == path
        if same and options.reads(17, variant) and request.query.get("collection", "") == collection:
            return _page(403, "403 Forbidden")
    return None


def _page(status: int, text: str) -> Response:
    return Response(status, PROXY_PAGE.format(text).encode(), {"server": "nginx"}, HTML)
