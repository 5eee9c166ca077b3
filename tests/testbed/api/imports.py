# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/import` (facts §7.9, recordings)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.testbed.collection import Collection
from tests.testbed.documents import Outcome, Overwrite, WriteOptions, Writer
from tests.testbed.errors import CATALOGUE, ArangoError
from tests.testbed.message import Request, Response, reply
from tests.testbed.rawjson import Element, parse, parse_array
from tests.testbed.rights import may_write
from tests.testbed.routing import route
from tests.testbed.storage import Transaction

_DUPLICATE: dict[str, Overwrite] = {
    "error": "conflict",
    "update": "update",
    "replace": "replace",
    "ignore": "ignore",
}
Item = Element | str | None  # a document, the text of an error, or an empty line


class _Import:
    """One import: counts what happened, and stops at the first error with `complete`."""

    def __init__(self, request: Request, collection: Collection) -> None:
        mode = request.query.get("onDuplicate", "error")
        if mode not in _DUPLICATE:
            raise ArangoError(400, "invalid value for 'onDuplicate'")
        self._collection = collection
        self._complete = request.flag("complete")
        self._with_details = request.flag("details")
        self._prefixes = {"_from": request.query.get("fromPrefix", ""), "_to": request.query.get("toPrefix", "")}
        self._transaction = Transaction(request.database)
        options = WriteOptions(overwrite=_DUPLICATE[mode])
        self._writer = Writer(self._transaction, collection, request.server, options)
        self._counts: Counter[str] = Counter()
        self._details: list[str] = []

    def run(self, items: Iterator[Item]) -> Response:
        """Import everything and answer the counts."""
        position = 0
        for number, item in enumerate(items, 1):
            if item is None:
                self._counts["empty"] += 1
                continue
            problem = item if isinstance(item, str) else self._problem(item)
            if problem is not None:
                self._fail(f"at position {number}: {problem}", ArangoError(400, problem))
                continue
            if isinstance(item, Element):
                self._insert(item, position)
                position += 1
        self._transaction.commit()
        names = ("created", "errors", "empty", "updated", "ignored")
        answer: dict[str, Any] = {"error": False} | {name: self._counts[name] for name in names}
        if self._with_details:
            answer["details"] = self._details
        return reply(answer, 201)

    def _problem(self, item: Element) -> str | None:
        if self._collection.type != 3:
            return None
        if not isinstance(item.value.get("_from"), str) or not isinstance(item.value.get("_to"), str):
            return f"missing '_from' or '_to' attribute, offending document: {item.text}"
        changed = dict(item.value)
        for name, prefix in self._prefixes.items():
            if prefix and "/" not in changed[name]:
                changed[name] = f"{prefix.rstrip('/')}/{changed[name]}"
        if changed != item.value:
            replaced = Element.of(changed)
            item.text, item.value = replaced.text, replaced.value
        return None

    def _insert(self, item: Element, position: int) -> None:
        try:
            outcome = self._writer.insert(item)
        except ArangoError as error:
            text = CATALOGUE.get(error.error_num, (0, error.message))[1]
            note = f"at position {position}: creating document failed with error '{text}', offending document: "
            self._fail(note + item.text, ArangoError(error.error_num, text, status=error.status))
            return
        self._counts[_kind(outcome)] += 1

    def _fail(self, note: str, error: ArangoError) -> None:
        if self._complete:
            self._transaction.abort()
            raise error
        self._counts["errors"] += 1
        self._details.append(note)


def _kind(outcome: Outcome) -> str:
    if outcome.old is None:
        return "created"
    return "ignored" if outcome.new is outcome.old else "updated"


@route("POST", "/_api/import")
def run(request: Request) -> Response:
    """Import lines of objects, an array of objects, or lines of values under a line of names."""
    name = request.query.get("collection", "")
    if not name:
        raise ArangoError(1204, "'collection' is missing, expecting /_api/import?collection=<identifier>")
    collection = request.database.collection(name)
    may_write(request, collection)
    kind = request.query.get("type", "")
    body = request.body
    if kind == "auto":
        kind = "list" if body.lstrip()[:1] == b"[" else "documents"
    if kind in ("list", "array"):
        items = _array(body)
    elif kind == "documents":
        items = _lines(body)
    elif kind == "":
        items = _table(body)
    else:
        raise ArangoError(400, "invalid value for 'type'")
    if request.flag("overwrite"):
        collection.truncate()
    return _Import(request, collection).run(items)


def _element(text: str, value: Any) -> Item:
    return Element(text, value) if isinstance(value, dict) else f"invalid JSON type, offending document: {text}"


def _array(body: bytes) -> Iterator[Item]:
    if body.lstrip()[:1] != b"[":
        raise ArangoError(400, "expecting a JSON array in the request")
    return iter([_element(text, value) for text, value in parse_array(body)])


def _lines(body: bytes) -> Iterator[Item]:
    lines = body.splitlines()
    full = [line for line in lines if line.strip()]
    try:
        parsed = iter(parse_array(b"[" + b",".join(full) + b"]"))
    except ArangoError:
        yield from (_line(line) for line in lines)
        return
    for line in lines:
        yield _element(*next(parsed)) if line.strip() else None


def _line(line: bytes) -> Item:
    if not line.strip():
        return None
    try:
        return _element(*parse(line))
    except ArangoError:
        return _unparsed(line)


def _unparsed(line: bytes) -> str:
    context = line.decode("utf-8", "replace")
    context = context if len(context) <= 255 else context[:255] + "..."
    return f"invalid JSON type (expecting object, probably parse error), offending context: {context}"


def _table(body: bytes) -> Iterator[Item]:
    lines = body.splitlines()
    if b"\n" not in body:
        raise ArangoError(400, "no JSON array found in second line")
    try:
        names = json.loads(lines[0])
    except ValueError:
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ArangoError(400, "no JSON string array found in first line")
    return iter([_row(names, line) for line in lines[1:]])


def _row(names: list[str], line: bytes) -> Item:
    if not line.strip():
        return None
    try:
        values = json.loads(line)
    except ValueError:
        return _unparsed(line)
    if not isinstance(values, list):
        return "no valid JSON array data"
    if len(values) != len(names):
        return f"wrong number of JSON values (got {len(values)}, expected {len(names)})"
    pairs = zip(names, values, strict=True)
    return Element.of({name: value for name, value in pairs if value is not None})
