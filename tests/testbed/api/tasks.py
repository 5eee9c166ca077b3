# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/tasks` and `/_api/aqlfunction`: kept and listed, never run, for there is no JavaScript here; none in 4.x."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.testbed.documents import WriteOptions, Writer
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.rawjson import Element
from tests.testbed.rights import may_define
from tests.testbed.routing import route
from tests.testbed.storage import Transaction


def _old(request: Request) -> None:
    if request.deployment.version_tuple >= (4, 0, 0):
        raise ArangoError(404, f"unknown path '{request.path}'")


def _tasks(request: Request) -> dict[str, dict[str, Any]]:
    _old(request)
    found: dict[str, dict[str, Any]] = request.deployment.objects.setdefault("tasks", {})
    return found


@route("GET", "/_api/tasks")
def list_tasks(request: Request) -> Response:
    """All tasks."""
    return reply(list(_tasks(request).values()))


def _task(request: Request) -> dict[str, Any]:
    found = _tasks(request).get(request.params["id"])
    if found is None:
        raise ArangoError(1852)
    return found


@route("GET", "/_api/tasks/{id}")
def read_task(request: Request) -> Response:
    """One task."""
    return reply(_task(request))


def _create(request: Request, identifier: str) -> Response:
    may_define(request)
    body = request.json_object()
    command = body.get("command")
    if not isinstance(command, str) or not command:
        raise ArangoError(400, "command must be specified")
    if identifier in _tasks(request):
        raise ArangoError(1851, "duplicate task id", status=409)
    period = body.get("period", 1)
    if isinstance(period, bool) or not isinstance(period, int | float) or period <= 0:
        raise ArangoError(10, "task period must be specified and positive")
    task: dict[str, Any] = {"id": identifier, "name": str(body.get("name") or "user-defined task")}
    task["created"] = time.time()
    if "period" in body:
        task |= {"type": "periodic", "period": period, "offset": body.get("offset", 0)}
    else:
        task |= {"type": "timed", "offset": body.get("offset", 0)}
    task |= {"command": f"(function (params) {{ {command} }} )(params);", "database": request.database_name}
    _tasks(request)[identifier] = task
    return reply(task)


@route("POST", "/_api/tasks")
def create_task(request: Request) -> Response:
    """Register a task."""
    return _create(request, str(request.json_object().get("id") or request.server.unique_id()))


@route("PUT", "/_api/tasks/{id}")
def create_named_task(request: Request) -> Response:
    """Register a task under an id."""
    return _create(request, request.params["id"])


@route("DELETE", "/_api/tasks/{id}")
def delete_task(request: Request) -> Response:
    """Forget a task."""
    del _tasks(request)[_task(request)["id"]]
    return result()


def _functions(request: Request) -> dict[str, dict[str, Any]]:
    _old(request)
    collection = request.database.collection("_aqlfunctions")
    documents = (json.loads(raw) for _revision, raw in collection.shards[0].leader.snapshot())
    return {document["name"]: document for document in documents}


def _matching(request: Request, namespace: str) -> list[dict[str, Any]]:
    prefix = namespace.lower()
    found = _functions(request).items()
    return [entry for name, entry in found if not prefix or name.lower().startswith((f"{prefix}::", prefix))]


@route("GET", "/_api/aqlfunction")
@route("GET", "/_api/aqlfunction/{name}")
def list_functions(request: Request) -> Response:
    """User-defined AQL functions, of a name space."""
    namespace = request.params.get("name") or request.query.get("namespace", "")
    names = ("name", "code", "isDeterministic")
    return result(result=[{name: entry[name] for name in names} for entry in _matching(request, namespace)])


@route("POST", "/_api/aqlfunction")
def create_function(request: Request) -> Response:
    """Register a function; its code is not run."""
    may_define(request)
    body = request.json_object()
    name, code = body.get("name"), body.get("code")
    if not isinstance(name, str) or "::" not in name:
        raise ArangoError(1580, "invalid user function name", status=400)
    if not isinstance(code, str) or not code.strip():
        raise ArangoError(1581, "invalid user function code", status=400)
    new = name not in _functions(request)
    deterministic = bool(body.get("isDeterministic", False))
    document = {"_key": name.upper(), "name": name, "code": code, "isDeterministic": deterministic}
    transaction = Transaction(request.database, single=True)
    collection = request.database.collection("_aqlfunctions")
    writer = Writer(transaction, collection, request.server, WriteOptions(overwrite="replace"))
    writer.insert(Element.of(document))
    transaction.commit()
    return result(201 if new else 200, isNewlyCreated=new)


@route("DELETE", "/_api/aqlfunction/{name}")
def delete_function(request: Request) -> Response:
    """Forget a function, or with `group` a name space; errorNum 1582."""
    may_define(request)
    name = request.params["name"]
    found = _matching(request, name) if request.flag("group") else []
    if not request.flag("group"):
        found = [entry for known, entry in _functions(request).items() if known.lower() == name.lower()]
        if not found:
            raise ArangoError(1582, f"no AQL user function with name '{name}' found", status=404)
    transaction = Transaction(request.database)
    writer = Writer(transaction, request.database.collection("_aqlfunctions"), request.server)
    for entry in found:
        writer.remove(entry["_key"])
    transaction.commit()
    return result(deletedCount=len(found))
