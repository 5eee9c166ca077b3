# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/version` (facts §2.1)."""

from __future__ import annotations

from tests.testbed.message import Request, Response, reply
from tests.testbed.routing import EVERYWHERE, route

ROLE_NAMES = {"coordinator": "COORDINATOR", "dbserver": "PRIMARY", "single": "SINGLE"}


@route("GET", "/_api/version", on=EVERYWHERE)
def version(request: Request) -> Response:
    """Product, edition and version; `details` are all strings."""
    deployment = request.deployment
    values: dict[str, object] = {"server": "arango", "license": "enterprise", "version": deployment.version}
    if request.flag("details"):
        values["details"] = {
            "architecture": "64bit",
            "build-repository": f"refs/tags/v{deployment.version}",
            "role": ROLE_NAMES[request.server.role],
            "server-version": deployment.version,
            "version": deployment.version,
        }
    return reply(values)
