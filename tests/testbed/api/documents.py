# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/document`, single and bulk (facts §7.5, §7.6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.testbed import keygen, velocypack, verbatim
from tests.testbed.collection import Collection
from tests.testbed.documents import Outcome, Overwrite, WriteOptions, Writer, conflict
from tests.testbed.errors import ArangoError
from tests.testbed.exactness import inexact, is_exact
from tests.testbed.message import Request, Response, dumps
from tests.testbed.rawjson import Element, parse, parse_array, quoted
from tests.testbed.replica import Insertions, Version
from tests.testbed.rights import may_read, may_write
from tests.testbed.routing import route
from tests.testbed.storage import Transaction

MODES: tuple[Overwrite, ...] = ("conflict", "replace", "update", "ignore")
Operation = Callable[[Writer, str, Any], Outcome]
TRANSACTION_HEADER = "x-arango-trx-id"


def write_options(request: Request) -> WriteOptions:
    """The query parameters of a write; an unknown `overwriteMode` counts as none given."""
    mode: Overwrite = "conflict"
    version = request.deployment.version_tuple
    if request.flag("overwrite") and version < (4, 0, 0):
        mode = "replace"
    mode = next((known for known in MODES if known == request.query.get("overwriteMode")), mode)
    return WriteOptions(
        overwrite=mode,
        is_restore=request.flag("isRestore"),
        ignore_revs=request.flag("ignoreRevs", True),
        keep_null=request.flag("keepNull", True),
        merge_objects=request.flag("mergeObjects", True),
        version_attribute=request.query.get("versionAttribute") if version >= (3, 12, 0) else None,
    )


def transaction_of(request: Request, *, single: bool) -> tuple[Transaction, bool]:
    """The transaction a request works in, and whether it is to be committed at the end of the request."""
    name = request.headers.get(TRANSACTION_HEADER)
    if name is None:
        return Transaction(request.database, single=single), True
    running: dict[str, Transaction] = request.deployment.objects.get("transactions", {})
    if name not in running:
        raise ArangoError(1655, f"transaction '{name}' not found", status=404)
    return running[name], False


class _Answer:
    """Renders what operations did, as the query asks."""

    def __init__(self, request: Request, collection: Collection, writing_status: tuple[int, int]) -> None:
        self._options = request.deployment.options
        self._name = quoted(collection.name)[1:-1]
        self._silent = request.flag("silent")
        self._new = request.flag("returnNew")
        self._old = request.flag("returnOld")
        waited = request.flag("waitForSync") or collection.properties["waitForSync"]
        self.status = writing_status[0] if waited else writing_status[1]
        self._collection = collection

    def item(self, outcome: Outcome, *, fresh: bool) -> str:
        """One document's part of the answer."""
        key = outcome.key
        text = f'{{"_id":"{self._name}/{key}","_key":"{key}","_rev":{quoted(outcome.revision)}'
        if outcome.old is not None and outcome.new is not None and outcome.old is not outcome.new and not fresh:
            text += f',"_oldRev":{quoted(outcome.old[0])}'
        if self._new and outcome.new is not None:
            text += f',"new":{outcome.new[1].decode()}'
        if self._old and outcome.old is not None:
            text += f',"old":{outcome.old[1].decode()}'
        return text + "}"

    def single(self, outcome: Outcome) -> Response:
        """The answer of a request on one document; a silent one tells nothing at all."""
        if self._silent:
            return Response(self.status, b"{}")
        collection = self._collection
        place = f"/_db/{collection.database.name}/_api/document/{collection.name}/{outcome.key}"
        headers = {"etag": f'"{outcome.revision}"', "location": place}
        return Response(self.status, self.item(outcome, fresh=False).encode(), headers)

    def many(self, outcomes: list[Outcome | ArangoError]) -> Response:
        """The answer of a request on an array: errors by position, and their numbers in a header."""
        errors = Counter(entry.error_num for entry in outcomes if isinstance(entry, ArangoError))
        items = [
            dumps(self._error(entry)).decode() if isinstance(entry, ArangoError) else self.item(entry, fresh=False)
            for entry in outcomes
            if not self._silent or isinstance(entry, ArangoError)
        ]
        headers = {"x-arango-error-codes": dumps({str(n): c for n, c in errors.items()}).decode()} if errors else {}
        if self._silent and not items and self._options.reads(15, "silent-object"):
            return Response(self.status, b"{}", headers)
        return Response(self.status, f"[{','.join(items)}]".encode(), headers)

    def _error(self, error: ArangoError) -> dict[str, Any]:
        """An error at one position; coordinators may name the document of a conflict (facts §12.15)."""
        named = error.error_num == 1200 and self._options.reads(15, "named-conflicts")
        return {**error.item(), **error.extra} if named else error.item()


def _collection(request: Request) -> Collection:
    collection = request.database.collection(request.params["collection"])
    may_write(request, collection)
    return collection


def _many(request: Request, status: tuple[int, int], operation: Operation, *, restoring: bool = False) -> Response:
    collection = _collection(request)
    answer = _Answer(request, collection, status)
    options = write_options(request)
    compact = verbatim.elements(request.body) if restoring else None
    items = _items(request.body) if compact is None else []
    transaction, own = transaction_of(request, single=False)
    writer = Writer(transaction, collection, request.server, options)
    outcomes: list[Outcome | ArangoError] = []
    for item in items if compact is None else writer.recognise(compact):
        if isinstance(item, Insertions):
            outcomes += writer.keep(item)
            continue
        try:
            outcomes.append(operation(writer, *(parse(item) if isinstance(item, bytes) else item)))
        except ArangoError as error:
            _refuse_whole(request, error)
            outcomes.append(error)
    if own:
        transaction.commit()
    return answer.many(outcomes)


def _refuse_whole(request: Request, error: ArangoError) -> None:
    """Clusters before 3.11.1 refuse a whole array for one illegal document (facts §7.5)."""
    deployment = request.deployment
    if deployment.clustered and deployment.version_tuple < (3, 11, 1) and error.error_num in (1221, 1227, 1233):
        raise error


def _one(request: Request, status: tuple[int, int], operation: Callable[[Writer], Outcome]) -> Response:
    collection = _collection(request)
    answer = _Answer(request, collection, status)
    options = write_options(request)
    transaction, own = transaction_of(request, single=True)
    outcome = operation(Writer(transaction, collection, request.server, options))
    if own:
        transaction.commit()
    return answer.single(outcome)


def _items(body: bytes) -> list[tuple[str, Any]]:
    """The elements of an array; errorNum 1227 for other JSON."""
    if body.lstrip()[:1] != b"[":
        parse(body)
        raise ArangoError(1227)
    return parse_array(body)


def _element(text: str, value: Any) -> Element:
    if not isinstance(value, dict):
        raise ArangoError(1227)
    return Element(text, value)


def _single_body(request: Request) -> Element:
    text, value = parse(request.body)
    if not isinstance(value, dict):
        raise ArangoError(1227)
    return Element(text, value)


def wanted_revision(request: Request) -> str | None:
    """The revision that a single document must have."""
    wanted = request.headers.get("if-match")
    return None if wanted is None else wanted.strip('"')


def guard(request: Request, element: dict[str, Any]) -> dict[str, Any]:
    """Put the wanted revision into the selector; it is compared whatever `ignoreRevs` says."""
    wanted = wanted_revision(request)
    if wanted is None:
        return element
    request.query["ignoreRevs"] = "false"
    return {**element, "_rev": wanted}


@route("POST", "/_api/document/{collection}")
def insert(request: Request) -> Response:
    """Insert one document or an array."""
    status = (201, 202)
    if request.body.lstrip()[:1] == b"[":
        restoring = request.flag("isRestore")
        return _many(
            request, status, lambda writer, text, value: writer.insert(_element(text, value)), restoring=restoring
        )
    element = _single_body(request)
    return _one(request, status, lambda writer: writer.insert(element))


@route("POST", "/_api/document")
def insert_old_style(request: Request) -> Response:
    """The collection may also come as a query parameter."""
    request.params["collection"] = request.query.get("collection", "")
    return insert(request)


@route("PUT", "/_api/document/{collection}")
def replace_many(request: Request) -> Response:
    """Replace an array of documents, or read one with `onlyget`."""
    if request.flag("onlyget"):
        return read_many(request)
    return _many(request, (201, 202), lambda writer, text, value: writer.replace(None, _element(text, value)))


@route("PATCH", "/_api/document/{collection}")
def update_many(request: Request) -> Response:
    """Update an array of documents."""
    return _many(request, (201, 202), lambda writer, text, value: writer.update(None, _element(text, value)))


@route("DELETE", "/_api/document/{collection}")
def remove_many(request: Request) -> Response:
    """Remove an array of keys, ids or objects."""
    if request.body.lstrip()[:1] != b"[":
        raise ArangoError(400, "expecting a JSON array in the request")
    return _many(request, (200, 202), lambda writer, _text, value: writer.remove(value))


@route("PUT", "/_api/document/{collection}/{key}")
def replace(request: Request) -> Response:
    """Replace one document."""
    element = guarded_element(request)
    return _one(request, (201, 202), lambda writer: writer.replace(request.params["key"], element))


@route("PATCH", "/_api/document/{collection}/{key}")
def update(request: Request) -> Response:
    """Update one document."""
    element = guarded_element(request)
    return _one(request, (201, 202), lambda writer: writer.update(request.params["key"], element))


def guarded_element(request: Request) -> Element:
    """The body of a change of one document, with the revision that this one must have."""
    element = _single_body(request)
    value = guard(request, element.value)
    if value is element.value:
        return element
    if "_rev" in element.value:
        members = {name: entry for name, entry in element.value.items() if name != "_rev"}
        element = Element.of(members)
    rest = element.text[1:]
    return Element(f'{{"_rev":{quoted(value["_rev"])}{"," if rest != "}" else ""}{rest}', value)


@route("DELETE", "/_api/document/{collection}/{key}")
def remove(request: Request) -> Response:
    """Remove one document."""
    selector = guard(request, {"_key": request.params["key"]})
    return _one(request, (200, 202), lambda writer: writer.remove(selector))


@route("GET", "/_api/document")
@route("GET", "/_api/document/{collection}")
def read_nothing(_request: Request) -> Response:
    """Reading needs a key."""
    raise ArangoError(1202, "expecting GET /_api/document/<collection>/<key>")


@route("GET", "/_api/document/{collection}/{key}")
def read(request: Request) -> Response:
    """Read one document, with `If-Match` and `If-None-Match`."""
    collection = request.database.collection(request.params["collection"])
    may_read(request, collection)
    found = read_one(request, collection)
    if isinstance(found, Response):
        return found
    revision, raw = found
    headers = {"etag": f'"{revision}"'}
    return _answer(request, raw if request.deployment.prints_raw else _as_printed(request, raw), headers)


def read_one(request: Request, collection: Collection) -> Version | Response:
    """The document of the path, or that it has not changed; errorNum 1202, 1200 when it is not the wanted one."""
    key = request.params["key"]
    if not keygen.valid(key):
        raise ArangoError(1202)
    transaction, _own = transaction_of(request, single=True)
    _key, (revision, raw) = Writer(transaction, collection, request.server).read(key)
    wanted = wanted_revision(request)
    if wanted is not None and wanted != revision:
        raise conflict(collection, key, revision)
    if request.headers.get("if-none-match", "").strip('"') == revision:
        return Response(304, b"", {"etag": f'"{revision}"'}, "text/plain")
    return revision, raw


def _as_printed(request: Request, raw: bytes) -> bytes:
    return raw if is_exact(request.deployment.version_tuple) or _packed(request) else inexact(raw)


def _packed(request: Request) -> bool:
    return velocypack.CONTENT_TYPE in request.headers.get("accept", "")


def _answer(request: Request, text: bytes, headers: dict[str, str]) -> Response:
    """Documents as the client accepts them; `text` is exact where they go as VelocyPack (facts §5.8)."""
    if _packed(request):
        return Response(200, velocypack.of_json(text), headers, velocypack.CONTENT_TYPE)
    return Response(200, text, headers)


def read_many(request: Request) -> Response:
    """Read an array of keys, ids or objects; missing ones are errors at their position."""
    collection = request.database.collection(request.params["collection"])
    may_read(request, collection)
    transaction, _own = transaction_of(request, single=False)
    reader = Writer(transaction, collection, request.server, write_options(request))
    pieces: list[bytes] = []
    errors: Counter[int] = Counter()
    for _text, value in _items(request.body):
        try:
            pieces.append(_as_printed(request, reader.read(value)[1][1]))
        except ArangoError as error:
            errors[error.error_num] += 1
            pieces.append(dumps(error.item()))
    headers = {"x-arango-error-codes": dumps({str(n): c for n, c in errors.items()}).decode()} if errors else {}
    return _answer(request, b"[" + b",".join(pieces) + b"]", headers)
