# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests which a coordinator hands on to one DB-Server (facts §4.1, §4.3)."""

from __future__ import annotations

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request
from tests.testbed.model import Server


def target(request: Request, parameter: str) -> Server:
    """The server that has to do the work: itself, or on a coordinator the one named by a query parameter.

    Raises errorNum 400 without the parameter, 1478 for a DB-Server that is down, 400 for one that isn't there.
    """
    if request.server.role != "coordinator":
        return request.server
    name = request.query.get(parameter, "")
    if not name:
        raise ArangoError(400, f'need "{parameter}" parameter')
    server = request.deployment.servers.get(name)
    if server is None or server.role != "dbserver":
        raise ArangoError(400, f"unknown DB-Server '{name}'")
    if not server.running:
        raise ArangoError(1478)
    return server
