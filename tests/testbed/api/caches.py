# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Caches of query results and of plans: they are always empty here, but their settings are kept."""

from __future__ import annotations

from typing import Any

from tests.testbed import settings
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.routing import route

_MODES = ("off", "on", "demand")
_PROPERTIES: dict[str, Any] = {
    "mode": "off",
    "maxResults": 128,
    "maxResultsSize": 268_435_456,
    "maxEntrySize": 16_777_216,
    "includeSystem": False,
}


@route("GET|PUT", "/_api/query-cache/properties")
def properties(request: Request) -> Response:
    """Settings of the results cache; errorNum 400 for an unknown mode, other wrong values are not taken."""
    kept: dict[str, Any] = request.deployment.objects.setdefault("query_cache", dict(_PROPERTIES))
    if request.method == "PUT":
        wanted = request.json_object()
        if wanted.get("mode", "off") not in _MODES:
            raise ArangoError(400)
        settings.change(kept, wanted)
    return reply(kept)


@route("GET", "/_api/query-cache/entries")
@route("GET", "/_api/query-plan-cache")
def entries(_request: Request) -> Response:
    """No result and no plan is kept."""
    return reply([])


@route("DELETE", "/_api/query-cache")
@route("DELETE", "/_api/query-plan-cache")
def clear(_request: Request) -> Response:
    """Nothing to forget."""
    return result()
