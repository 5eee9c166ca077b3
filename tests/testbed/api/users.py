# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_open/auth` and `/_api/user` (facts §1.2, §8)."""

from __future__ import annotations

from typing import Any

from tests.testbed import users
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.routing import route
from tests.testbed.users import Document, UserStore

_GRANTS = ("rw", "ro", "none")


@route("POST", "/_open/auth", level="none")
def login(request: Request) -> Response:
    """A token for a user name and a password."""
    body = request.json_object()
    name, password = body.get("username"), body.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise ArangoError(400)
    token = request.deployment.authenticator.login(name, password)
    if token is None:
        raise ArangoError(401, "Wrong credentials")
    return reply({"jwt": token})


def _store(request: Request) -> UserStore:
    return request.deployment.authenticator.users


def _require_admin(request: Request) -> None:
    if request.deployment.authenticator.database_level(request.caller, "_system") != "rw":
        raise ArangoError(11)


def _require_self_or_admin(request: Request) -> None:
    if request.caller.user != request.params["user"]:
        _require_admin(request)


def _shown(document: Document) -> dict[str, Any]:
    active = bool(document.get("authData", {}).get("active"))
    return {"user": document["user"], "active": active, "extra": document.get("userData") or {}}


def _answer(document: Document, status: int) -> Response:
    return reply({**_shown(document), "code": status, "error": False}, status)


@route("GET", "/_api/user", level="authenticated")
def list_users(request: Request) -> Response:
    """All users."""
    _require_admin(request)
    return result(result=[_shown(document) for document in _store(request).all.values()])


@route("POST", "/_api/user", level="authenticated")
def create(request: Request) -> Response:
    """Create a user."""
    _require_admin(request)
    body = request.json_object()
    name = body.get("user") or body.get("username")
    if not isinstance(name, str):
        raise ArangoError(1700)
    password = body.get("passwd", body.get("password", ""))
    if not isinstance(password, str):
        raise ArangoError(1701)
    return _answer(_store(request).create(name, password, _active(body, True) is not False, body.get("extra")), 201)


def _active(body: dict[str, Any], default: bool | None) -> bool | None:
    value = body.get("active", default)
    return value if isinstance(value, bool) else default


@route("GET", "/_api/user/{user}", level="authenticated")
def read(request: Request) -> Response:
    """One user."""
    _require_self_or_admin(request)
    return _answer(_store(request).get(request.params["user"]), 200)


@route("PUT|PATCH", "/_api/user/{user}", level="authenticated")
def change(request: Request) -> Response:
    """Replace or change a user; only an administrator may switch him on or off."""
    _require_self_or_admin(request)
    body = request.json_object()
    password = body.get("passwd", body.get("password"))
    whole = request.method == "PUT"
    active = _active(body, True if whole else None)
    if request.caller.user == request.params["user"] and active is not None and not whole:
        _require_admin(request)
    extra = body.get("extra", {} if whole else None)
    if whole and password is None:
        password = ""
    document = _store(request).change(request.params["user"], password=password, active=active, extra=extra)
    return _answer(document, 200)


@route("DELETE", "/_api/user/{user}", level="authenticated")
def remove(request: Request) -> Response:
    """Remove a user."""
    _require_admin(request)
    _store(request).remove(request.params["user"])
    return result(202)


@route("GET", "/_api/user/{user}/database", level="authenticated")
def databases(request: Request) -> Response:
    """Levels of a user on databases; `full` lists every collection too, without fallbacks."""
    _require_self_or_admin(request)
    document = _store(request).get(request.params["user"])
    full = request.flag("full")
    values: dict[str, Any] = {}
    for name, database in request.deployment.databases.items():
        level = users.database_level(document, name)
        if full:
            names = [*database.collections, "*"]
            collections = {entry: users.configured(document, name, entry) or "undefined" for entry in names}
            values[name] = {"permission": level, "collections": collections}
        elif level != "none":
            values[name] = level
    if full:
        values["*"] = {"permission": users.configured(document, "*") or "none"}
        wild = users.configured(document, "*", "*")
        if wild is not None:
            values["*"]["collections"] = {"*": wild}
    return result(result=values)


@route("GET", "/_api/user/{user}/database/{database}", level="authenticated")
def database_level(request: Request) -> Response:
    """Effective level on a database."""
    _require_self_or_admin(request)
    document = _store(request).get(request.params["user"])
    return result(result=users.database_level(document, request.params["database"]))


@route("GET", "/_api/user/{user}/database/{database}/{collection}", level="authenticated")
def collection_level(request: Request) -> Response:
    """Effective level on a collection."""
    _require_self_or_admin(request)
    document = _store(request).get(request.params["user"])
    return result(result=users.collection_level(document, request.params["database"], request.params["collection"]))


@route("PUT", "/_api/user/{user}/database/{database}", level="authenticated")
def grant_database(request: Request) -> Response:
    """Set the level on a database."""
    return _grant(request, request.params["database"], None)


@route("PUT", "/_api/user/{user}/database/{database}/{collection}", level="authenticated")
def grant_collection(request: Request) -> Response:
    """Set the level on a collection, which has to exist."""
    database, collection = request.params["database"], request.params["collection"]
    if collection != "*":
        request.deployment.database(database).collection(collection)
    return _grant(request, database, collection)


def _grant(request: Request, database: str, collection: str | None) -> Response:
    _require_admin(request)
    level = request.json_object().get("grant")
    if level not in _GRANTS:
        raise ArangoError(400)
    _store(request).grant(request.params["user"], database, collection, level)
    name = database if collection is None else f"{database}/{collection}"
    return reply({name: level, "code": 200, "error": False})


@route("DELETE", "/_api/user/{user}/database/{database}", level="authenticated")
def revoke_database(request: Request) -> Response:
    """Take the entry of a database away."""
    _require_admin(request)
    _store(request).grant(request.params["user"], request.params["database"], None, None)
    return result(202)


@route("DELETE", "/_api/user/{user}/database/{database}/{collection}", level="authenticated")
def revoke_collection(request: Request) -> Response:
    """Take the entry of a collection away."""
    _require_admin(request)
    _store(request).grant(request.params["user"], request.params["database"], request.params["collection"], None)
    return result(202)


@route("GET", "/_api/user/{user}/config", level="authenticated")
def settings(request: Request) -> Response:
    """Settings of the web interface."""
    _require_self_or_admin(request)
    return result(result=_store(request).get(request.params["user"]).get("configData", {}))


@route("PUT", "/_api/user/{user}/config/{name}", level="authenticated")
def set_setting(request: Request) -> Response:
    """Store one setting."""
    _require_self_or_admin(request)
    values = _store(request).get(request.params["user"]).get("configData", {})
    _store(request).configure(request.params["user"], values | {request.params["name"]: request.json()})
    return result()


@route("GET", "/_api/user/{user}/config/{name}", level="authenticated")
def setting(request: Request) -> Response:
    """One setting, null when it is not there."""
    _require_self_or_admin(request)
    values = _store(request).get(request.params["user"]).get("configData", {})
    return result(result=values.get(request.params["name"]))


@route("DELETE", "/_api/user/{user}/config/{name}", level="authenticated")
def clear_setting(request: Request) -> Response:
    """Forget one setting."""
    _require_self_or_admin(request)
    values = dict(_store(request).get(request.params["user"]).get("configData", {}))
    values.pop(request.params["name"], None)
    _store(request).configure(request.params["user"], values)
    return result(202)


@route("DELETE", "/_api/user/{user}/config", level="authenticated")
def clear_settings(request: Request) -> Response:
    """Forget the settings."""
    _require_self_or_admin(request)
    _store(request).configure(request.params["user"], {})
    return result(202)
