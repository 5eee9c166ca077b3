# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets, start-up options and the storage engine of a server (facts §1.1, §1.3)."""

from __future__ import annotations

import hashlib

from tests.testbed.errors import ArangoError
from tests.testbed.message import TEXT, Request, Response, reply, result
from tests.testbed.routing import EVERYWHERE, route


@route("GET|POST", "/_admin/server/jwt", level="super", on=EVERYWHERE)
def jwt_secrets(request: Request) -> Response:
    """SHA-256 of the secret that signs and of those that only verify; POST reads them again (facts §1.1)."""
    digest = hashlib.sha256(request.deployment.authenticator.secret).hexdigest()
    return result(result={"active": {"sha256": digest}, "passive": []})


def _options(request: Request) -> dict[str, object]:
    """The options that the emulator has; errorNum 404 and 11 by `--server.options-api` (facts §1.3)."""
    options = request.deployment.options
    caller = request.caller
    admin = request.deployment.authenticator.database_level(caller, "_system") == "rw"
    if options.options_api == "disabled":
        raise ArangoError(404, f"unknown path '{request.path}'")
    allowed = caller.superuser or options.options_api == "public" or (options.options_api == "admin" and admin)
    if not allowed:
        raise ArangoError(11)
    version = request.deployment.version_tuple
    factor = options.default_replication_factor or int(version >= (3, 12, 0))
    names: dict[str, object] = {}
    if version >= (3, 11, 0):
        names["database.extended-names"] = request.deployment.extended_names
        names["cluster.failed-write-concern-status-code"] = options.failed_write_concern_status_code
    command_line = {} if version >= (4, 0, 0) else {"server.jwt-secret": ""}
    return {
        **names,
        **command_line,
        "cluster.api-jwt-policy": options.api_jwt_policy,
        "cluster.default-replication-factor": factor,
        "server.authentication": True,
        "server.harden": options.harden,
        "server.jwt-secret-keyfile": "/etc/arangodb3/jwt.secret",
        "server.options-api": options.options_api,
        "server.storage-engine": "rocksdb",
    }


@route("GET", "/_admin/options", level="any", on=EVERYWHERE)
def start_options(request: Request) -> Response:
    """Names and values of start-up options."""
    return reply(_options(request))


@route("GET", "/_admin/options-description", level="any", on=EVERYWHERE)
def describe_options(request: Request) -> Response:
    """What each option is."""
    described = {}
    for name, value in _options(request).items():
        section = name.partition(".")[0]
        described[name] = {"section": section, "description": name, "default": value, "dynamic": False}
    return reply(described)


@route("PUT", "/_admin/compact", level="super", on=EVERYWHERE)
def compact(_request: Request) -> Response:
    """Compaction of all data: nothing to be seen of it."""
    return reply({})


@route("GET", "/_api/engine/stats", level="hardened", on=EVERYWHERE)
def engine_statistics(request: Request) -> Response:
    """Some properties of the storage engine; by server on a coordinator."""
    names = [server.id for server in request.deployment.data_servers]
    if request.server.role != "coordinator":
        return reply(_statistics(request.server.log.last_tick()))
    return reply({name: _statistics(request.deployment.servers[name].log.last_tick()) for name in names})


def _statistics(tick: int) -> dict[str, object]:
    return {"rocksdb.estimate-num-keys": str(tick), "rocksdbengine.throttle.bps": 0, "columnFamilies": {}}


@route("GET", "/", level="none", on=EVERYWHERE)
def front_page(_request: Request) -> Response:
    """Needs no login (facts §1.2): where the web interface is."""
    return Response(301, b"", {"location": "/_admin/aardvark/index.html"}, TEXT)
