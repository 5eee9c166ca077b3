# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Computed values and schemas: what a collection does to documents that are written, unless they are restored.

The documentation of both features; restoring skips them (facts §7.5).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request
from tests.testbed.rawjson import Element, merge
from tests.testbed.replica import Version
from tests.testbed.storage import Transaction

if TYPE_CHECKING:
    from tests.testbed.aql.syntax import Query
    from tests.testbed.collection import Collection
    from tests.testbed.model import Database, Server

_OPERATIONS = ("insert", "update", "replace")
_SYSTEM = ("_key", "_id", "_rev", "_from", "_to")
_LEVELS = ("none", "new", "moderate", "strict")


def check(body: Mapping[str, Any]) -> None:
    """Definitions in properties of a collection; errorNum 10 and 1621."""
    for entry in _array(body.get("computedValues")):
        names = entry if isinstance(entry, dict) else {}
        expression = names.get("expression")
        if not isinstance(names.get("name"), str) or not names["name"] or names["name"] in _SYSTEM:
            raise ArangoError(10, "invalid 'computedValues': name")
        if not isinstance(expression, str) or not expression.lstrip().upper().startswith("RETURN"):
            raise ArangoError(10, "invalid 'computedValues': expression")
        if not isinstance(names.get("overwrite"), bool):
            raise ArangoError(10, "invalid 'computedValues': overwrite")
        if any(operation not in _OPERATIONS for operation in _array(names.get("computeOn"))):
            raise ArangoError(10, "invalid 'computedValues': computeOn")
    schema = body.get("schema")
    if schema:
        _check_schema(schema)


def _array(value: Any) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise ArangoError(10, "invalid 'computedValues': expecting an array")
    return value or []


def _check_schema(schema: Any) -> None:
    from jsonschema import Draft4Validator, SchemaError

    if not isinstance(schema, dict) or not isinstance(schema.get("rule"), dict):
        raise ArangoError(1621, "The schema rule must be an object")
    if schema.get("level", "strict") not in _LEVELS:
        raise ArangoError(1621, f"invalid level of a schema, expecting one of {', '.join(_LEVELS)}")
    try:
        Draft4Validator.check_schema(schema["rule"])
    except SchemaError as error:
        raise ArangoError(1621, f"invalid schema rule: {error.message}") from error


@lru_cache(maxsize=256)
def _parsed(expression: str) -> Query:
    from tests.testbed.aql.parser import parse

    return parse(expression)


def of(collection: Collection, server: Server) -> Rules | None:
    """The rules of a collection, None when it has none."""
    own = collection.properties
    return Rules(collection, server) if own["computedValues"] or own["schema"] else None


class Rules:
    """Computed values and the schema of one collection."""

    def __init__(self, collection: Collection, server: Server) -> None:
        self._database: Database = collection.database
        self._computed: list[dict[str, Any]] = collection.properties["computedValues"] or []
        self._schema: dict[str, Any] = collection.properties["schema"] or {}
        self._server = server
        self._validator: Any = None

    def applied(self, element: Element, operation: str, before: Version | None) -> Element:
        """The document as it will be stored; errorNum 1620 when the schema forbids it."""
        for entry in self._computed:
            if operation not in (entry.get("computeOn") or _OPERATIONS):
                continue
            if entry["overwrite"] or entry["name"] not in element.value:
                element = self._computed_in(element, entry)
        if self._schema and not self._valid(element.value) and self._strict(operation, before):
            raise ArangoError(1620, self._schema.get("message") or None)
        return element

    def _computed_in(self, element: Element, entry: dict[str, Any]) -> Element:
        value = self._evaluated(entry["expression"], element.value)
        keep = value is not None or entry.get("keepNull", True)
        return merge(element, Element.of({entry["name"]: value}), keep_null=keep, deep=False)

    def _evaluated(self, expression: str, document: dict[str, Any]) -> Any:
        from tests.testbed.aql.context import Context
        from tests.testbed.aql.pipeline import Plan

        request = Request(self._server, "POST", f"/_db/{self._database.name}/", {}, b"", "")
        context = Context(request, {"doc": document}, {}, Transaction(self._database))
        return next(iter(Plan(context, _parsed(expression)).run()))

    def _valid(self, document: Mapping[str, Any]) -> bool:
        if self._validator is None:
            from jsonschema import Draft4Validator

            self._validator = Draft4Validator(self._schema["rule"])
        return bool(self._validator.is_valid(document))

    def _strict(self, operation: str, before: Version | None) -> bool:
        """Whether an invalid document is refused: by the level, and by what it replaces."""
        level = self._schema.get("level", "strict")
        if level == "moderate" and before is not None:
            return self._valid(json.loads(before[1]))
        return level == "strict" or (level in ("new", "moderate") and operation == "insert")
