# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""INSERT, UPDATE, REPLACE, REMOVE and UPSERT: document operations inside the query's transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.testbed.aql import syntax, values
from tests.testbed.aql.compiler import Compiler, Row
from tests.testbed.aql.context import Context
from tests.testbed.aql.values import Stored
from tests.testbed.collection import Collection
from tests.testbed.documents import Outcome, WriteOptions, Writer
from tests.testbed.errors import ArangoError
from tests.testbed.rawjson import Element

Change = Callable[[Row], "Row | None"]
_DEFAULT_COMMIT_COUNT = 1_000_000
_MODES = ("conflict", "replace", "update", "ignore")


def compile_change(context: Context, compiler: Compiler, statement: syntax.Modify) -> Change:
    """A function that carries the statement out for a row and answers the row with OLD and NEW, None if ignored."""
    collection = context.collection(_name(context, statement.collection), writing=True)
    settings = compiler.constant(statement.options)
    options = _options(statement.kind, settings if isinstance(settings, dict) else {})
    writer = Writer(context.transaction, collection, context.request.server, options)
    operation = _upsert(context, compiler, statement, writer) or _plain(compiler, statement, writer)
    ignore_errors = bool(settings.get("ignoreErrors")) if isinstance(settings, dict) else False
    commit_count = int(context.options.get("intermediateCommitCount") or _DEFAULT_COMMIT_COUNT)

    def change(row: Row) -> Row | None:
        try:
            outcome = operation(row)
        except ArangoError as error:
            if ignore_errors:
                context.statistics.ignored += 1
                return None
            raise ArangoError(
                error.error_num, f"AQL: {error.message} (while executing)", status=_status(error)
            ) from error
        if outcome.new is not None and outcome.new is outcome.old:
            context.statistics.ignored += 1
        else:
            context.statistics.written += 1
        if context.transaction.pending() >= commit_count:
            context.transaction.intermediate_commit()
            context.statistics.intermediate_commits += 1
        versions = {"OLD": outcome.old, "NEW": outcome.new}
        return {**row, **{name: None if version is None else Stored(version[1]) for name, version in versions.items()}}

    return change


def _name(context: Context, node: syntax.Expression) -> str:
    if isinstance(node, syntax.Bind):
        return str(context.bound(node.name))
    return node.name if isinstance(node, syntax.Name) else ""


def _options(kind: str, settings: dict[str, Any]) -> WriteOptions:
    mode = settings.get("overwriteMode", "replace" if settings.get("overwrite") else "conflict")
    return WriteOptions(
        overwrite=mode if kind == "INSERT" and mode in _MODES else "conflict",
        ignore_revs=bool(settings.get("ignoreRevs", True)),
        keep_null=bool(settings.get("keepNull", True)),
        merge_objects=bool(settings.get("mergeObjects", True)),
        version_attribute=settings.get("versionAttribute"),
    )


def _status(error: ArangoError) -> int:
    return 409 if error.error_num == 1200 else error.status


def _document(value: Any) -> Element:
    if not isinstance(value, dict):
        raise ArangoError(1227)
    text = values.dump(value)
    return Element(text, dict(value))


def _key(value: Any) -> str | None:
    """The key of a selector; errorNum 1221 for what has none."""
    key = value.get("_key") if isinstance(value, dict) else value
    if not isinstance(key, str):
        raise ArangoError(1221)
    return key.rpartition("/")[2]


def _plain(compiler: Compiler, statement: syntax.Modify, writer: Writer) -> Callable[[Row], Outcome]:
    selector = compiler.compile(statement.selector) if statement.selector else None
    document = compiler.compile(statement.document) if statement.document else None

    def operation(row: Row) -> Outcome:
        if document is None:
            chosen = selector(row) if selector else None
            return writer.remove(chosen if isinstance(chosen, dict) else _key(chosen))
        element = _document(document(row))
        if selector is None:
            return writer.insert(element)
        key = _key(selector(row))
        return writer.update(key, element) if statement.kind == "UPDATE" else writer.replace(key, element)

    return operation


def _upsert(
    context: Context, compiler: Compiler, statement: syntax.Modify, writer: Writer
) -> Callable[[Row], Outcome] | None:
    if statement.kind != "UPSERT" or statement.selector is None or statement.insert is None:
        return None
    example = compiler.compile(statement.selector)
    insert = compiler.compile(statement.insert)
    document = compiler.within("OLD").compile(statement.document or syntax.Object(()))

    def operation(row: Row) -> Outcome:
        found = _matching(context, writer.collection, example(row))
        if found is None:
            return writer.insert(_document(insert(row)))
        element = _document(document({**row, "OLD": found}))
        change = writer.replace if statement.replace else writer.update
        return change(found["_key"], element)

    return operation


def _matching(context: Context, collection: Collection, example: Any) -> Stored | None:
    if not isinstance(example, dict):
        raise ArangoError(1227)
    found = context.lookup(collection, [example["_key"]]) if "_key" in example else context.documents(collection)
    for document in found:
        if all(values.equal(document.get(name), value) for name, value in example.items()):
            return document
    return None
