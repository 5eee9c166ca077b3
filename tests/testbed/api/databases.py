# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/database` (facts §3.1)."""

from __future__ import annotations

import re
from typing import Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, result
from tests.testbed.rights import may_define
from tests.testbed.routing import EVERYWHERE, route

_TRADITIONAL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
_EXTENDED = re.compile(r"[^\x00-\x1f/\s0-9_][^\x00-\x1f/]{0,127}\Z")


def _in_system(request: Request) -> None:
    if request.database_name != "_system":
        raise ArangoError(1230)


@route("GET", "/_api/database", level="admin", on=EVERYWHERE)
def list_databases(request: Request) -> Response:
    """Names of all databases."""
    _in_system(request)
    return result(result=sorted(request.deployment.databases))


@route("GET", "/_api/database/user", level="authenticated", on=EVERYWHERE)
def user_databases(request: Request) -> Response:
    """Names of those the caller may use."""
    deployment, caller = request.deployment, request.caller
    names = sorted(deployment.databases)
    return result(result=[n for n in names if deployment.authenticator.database_level(caller, n) != "none"])


@route("GET", "/_api/database/current", on=EVERYWHERE)
def current(request: Request) -> Response:
    """Properties of the database of the path."""
    return result(result=request.database.describe())


@route("POST", "/_api/database", level="admin")
def create(request: Request) -> Response:
    """Create a database; `users` are handed to the user manager."""
    _in_system(request)
    may_define(request, "_system")
    body = request.json_object()
    name, options = body.get("name"), body.get("options") or {}
    pattern = _EXTENDED if request.deployment.extended_names else _TRADITIONAL
    if not isinstance(name, str) or (name != "_system" and not pattern.match(name)):
        raise ArangoError(1229)
    if not isinstance(options, dict) or options.get("sharding", "") not in ("", "flexible", "single"):
        raise ArangoError(400)
    request.deployment.create_database(name, _known(options))
    request.deployment.authenticator.database_created(name, request.caller, body.get("users") or [])
    return result(201, result=True)


def _known(options: dict[str, Any]) -> dict[str, Any]:
    names = ("sharding", "replicationFactor", "writeConcern")
    values = {name: options[name] for name in names if options.get(name) is not None}
    if values.get("sharding") == "flexible":
        values["sharding"] = ""
    return values


@route("DELETE", "/_api/database/{name}", level="admin")
def drop(request: Request) -> Response:
    """Drop a database and everything in it."""
    _in_system(request)
    may_define(request, "_system")
    name = request.params["name"]
    if name == "_system":
        raise ArangoError(11)
    request.deployment.drop_database(name)
    request.deployment.authenticator.database_dropped(name)
    return result(result=True)
