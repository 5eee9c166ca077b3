# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/replication/restore-…`: definitions and documents as a dump has them (facts §7.1 to §7.4)."""

from __future__ import annotations

from typing import Any

from tests.testbed import indexes, verbatim, views
from tests.testbed.api.collections import SMART_PARTS, create_collection
from tests.testbed.collection import Collection
from tests.testbed.documents import WriteOptions, Writer
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply
from tests.testbed.rawjson import Element, members, parse
from tests.testbed.replica import Insertions
from tests.testbed.rights import may_define, may_write
from tests.testbed.routing import FRONT, route
from tests.testbed.storage import Transaction

_REMOVED = ("minReplicationFactor", "status", "statusString")
_ENTERPRISE = ("isSmart", "isSmartChild", "isDisjoint", "smartGraphAttribute", "smartJoinAttribute")
_OPTIONS = WriteOptions(overwrite="replace", is_restore=True)
_DONE = {"result": True}


def escalated(request: Request) -> bool:
    """Whether the caller acts as superuser: an ADMIN does, but not while the server is read-only (facts §2.3)."""
    caller = request.caller
    if caller.superuser:
        return True
    admin = request.deployment.authenticator.database_level(caller, "_system") == "rw"
    return admin and not request.server.readonly


def _parameters(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    body = request.json()
    if not isinstance(body, dict) or not isinstance(body.get("parameters"), dict):
        raise ArangoError(400, "collection declaration is invalid")
    parameters = body["parameters"]
    if not isinstance(parameters.get("name"), str) or not parameters["name"]:
        raise ArangoError(400, "collection name is missing")
    return body, parameters


def _skipped(request: Request, parameters: dict[str, Any]) -> bool:
    hidden = str(parameters["name"]).startswith(SMART_PARTS) and not request.flag("force")
    return hidden or parameters.get("deleted") is True


@route("PUT", "/_api/replication/restore-collection", on=FRONT)
def restore_collection(request: Request) -> Response:
    """Create a collection from a definition of the inventory; its indexes are ignored here (facts §7.1)."""
    if not escalated(request):
        may_define(request)
    _body, parameters = _parameters(request)
    if _skipped(request, parameters):
        return reply(_DONE)
    kind = parameters.get("type")
    if isinstance(kind, bool) or not isinstance(kind, int):
        raise ArangoError(400, "collection type is missing or not a number")
    _check_removed(request, parameters)
    name = parameters["name"]
    database = request.database
    present = database.collections.get(name)
    if present is not None:
        if not request.flag("overwrite"):
            if name.startswith("_"):
                return reply(_DONE)
            raise ArangoError(1207)
        if not _cleared(request, present):
            return reply(_DONE)
    create_collection(database, _wishes(request, parameters), restoring=True)
    request.deployment.authenticator.collection_created(database.name, name, request.caller)
    return reply(_DONE)


def _check_removed(request: Request, parameters: dict[str, Any]) -> None:
    """Whether 4.x takes properties that it has not any more (facts §12.10)."""
    deployment = request.deployment
    if deployment.version_tuple < (4, 0, 0) or not deployment.options.reads(10, "refused"):
        return
    for name in _REMOVED:
        if name in parameters:
            raise ArangoError(10, f"unknown property '{name}'")


def _cleared(request: Request, collection: Collection) -> bool:
    """Make room for a collection; False when the present one was only emptied and stays."""
    try:
        if collection.is_system:
            raise ArangoError(11)
        collection.drop()
    except ArangoError as error:
        if error.error_num not in (11, 1485):
            raise
        collection.truncate()
        return False
    request.deployment.authenticator.collection_dropped(collection.database.name, collection.name)
    return True


def _wishes(request: Request, parameters: dict[str, Any]) -> dict[str, Any]:
    database = request.database
    wishes = {name: value for name, value in parameters.items() if name not in ("id", "shards", "shadowCollections")}
    shards = parameters.get("shards")
    if "numberOfShards" not in wishes and isinstance(shards, dict) and shards:
        wishes["numberOfShards"] = len(shards)
    factor = wishes.get("replicationFactor")
    if factor != "satellite" and (isinstance(factor, bool) or not isinstance(factor, int) or factor < 1):
        wishes.pop("replicationFactor", None)
    if not isinstance(wishes.get("writeConcern"), int):
        wishes["writeConcern"] = wishes.get("minReplicationFactor") or 1
    prototype = wishes.get("distributeShardsLike")
    if prototype and prototype not in database.collections and request.flag("ignoreDistributeShardsLikeErrors"):
        del wishes["distributeShardsLike"]
    if request.deployment.options.extra.get("license") == "community":
        wishes = {name: value for name, value in wishes.items() if name not in _ENTERPRISE}
    wishes["isSystem"] = str(wishes["name"]).startswith("_")
    return wishes


@route("PUT", "/_api/replication/restore-indexes", on=FRONT)
async def restore_indexes(request: Request) -> Response:
    """Create the indexes of a definition, one after the other, under their ids and names (facts §7.2)."""
    body, parameters = _parameters(request)
    if _skipped(request, parameters):
        return reply(_DONE)
    collection = request.database.collection(parameters["name"])
    for definition in body.get("indexes") or []:
        kind = definition.get("type")
        if kind in ("primary", "edge"):
            continue
        if kind in ("geo1", "geo2"):
            definition = {**definition, "type": "geo"}
        if kind == "fulltext" and int(definition.get("minLength", 1)) <= 0:
            definition = {**definition, "minLength": 1}
        await indexes.create(collection, definition, keep_identity=True)
    return reply(_DONE)


@route("PUT", "/_api/replication/restore-view", on=FRONT)
def restore_view(request: Request) -> Response:
    """Create a view from its definition (facts §7.3)."""
    if not escalated(request):
        may_define(request)
    definition = request.json()
    if not isinstance(definition, dict) or not isinstance(definition.get("name"), str):
        raise ArangoError(400, "view name is missing")
    present = views.views(request.database).get(definition["name"])
    if present is not None:
        if not request.flag("overwrite"):
            raise ArangoError(1207)
        views.drop(request.database, present)
    views.create(request.database, definition)
    return reply(_DONE)


@route("PUT", "/_api/replication/restore-data", on=FRONT)
def restore_data(request: Request) -> Response:
    """Write documents and removals; the first error is the answer, the others are written all the same (facts §7.4)."""
    name = request.query.get("collection", "")
    if not name:
        raise ArangoError(400, "invalid collection parameter, expecting a name")
    collection = request.database.collection(name)
    if not escalated(request):
        may_write(request, collection)
    if collection.name == "_users":
        documents = [element.value for element, removed in _lines(request.body) if not removed]
        request.deployment.authenticator.users.restore(documents)
        return reply(_DONE)
    _write(request, collection)
    return reply(_DONE)


def _lines(body: bytes) -> list[tuple[Element, bool]]:
    """Document or removal of each line; errorNum 600 for bad JSON, 400 for a line that is neither."""
    return [_line(*parse(line)) for line in body.split(b"\n") if line.strip()]


def _line(text: str, value: object) -> tuple[Element, bool]:
    if not isinstance(value, dict):
        raise ArangoError(400, "expecting objects")
    if isinstance(value.get("_key"), str):
        return Element(text, value), False
    kind, data = value.get("type"), value.get("data")
    if kind == 2302:
        key = data.get("_key") if isinstance(data, dict) else value.get("key")
        if isinstance(key, str):
            return Element.of({"_key": key}), True
    if kind == 2300 and isinstance(data, dict) and isinstance(data.get("_key"), str):
        inner = next(piece for name, _label, piece in members(text) if name == "data")
        return Element(inner, data), False
    raise ArangoError(400, "got invalid document")


def _write(request: Request, collection: Collection) -> None:
    anew = request.deployment.options.reads(9, "revisions-anew") or not request.flag("preserveRevisionIds")
    transaction = Transaction(collection.database)
    writer = Writer(transaction, collection, request.server, _OPTIONS)
    compact = verbatim.lines(request.body)
    if compact is None:
        entries: list[Insertions | tuple[Element, bool]] = [*_lines(request.body)]
    else:
        entries = [
            entry if isinstance(entry, Insertions) else _line(*parse(entry)) for entry in writer.recognise(compact)
        ]
    errors: list[ArangoError] = []
    for entry in entries:
        if isinstance(entry, Insertions):
            errors += [outcome for outcome in writer.keep(entry, anew=anew) if isinstance(outcome, ArangoError)]
            continue
        try:
            _write_line(writer, *entry, anew)
        except ArangoError as error:
            errors.append(error)
    transaction.commit()
    if errors:
        raise errors[0]


def _write_line(writer: Writer, element: Element, removed: bool, anew: bool) -> None:
    if removed:
        _remove(writer, element)
    elif anew and "_rev" in element.value:
        writer.insert(_without_revision(element))
    else:
        writer.insert(element)


def _without_revision(element: Element) -> Element:
    pieces = [f"{label}:{text}" for name, label, text in members(element.text) if name != "_rev"]
    value = {name: entry for name, entry in element.value.items() if name != "_rev"}
    return Element("{" + ",".join(pieces) + "}", value)


def _remove(writer: Writer, element: Element) -> None:
    try:
        writer.remove(element.value)
    except ArangoError as error:
        if error.error_num != 1202:
            raise
