# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Statements as generators that pass rows on.

Between rows a generator may yield TICK: nothing is meant by it but that the driver gets control, so that a long query
does not stop the emulator, can be killed, and waits for what SLEEP() owes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.testbed.aql import functions, modify, syntax, values
from tests.testbed.aql.compiler import Compiler, Evaluate, Row
from tests.testbed.aql.context import Context
from tests.testbed.aql.hashing import document_hash, seed_of
from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError

TICK = object()
Rows = Iterator[Any]
Stage = Callable[[Rows], Rows]
_TICK_EVERY = 256
_UNLIMITED = 1 << 62


class Plan:
    """The stages of a query; `fast` names a shortcut over one whole collection that decodes nothing."""

    def __init__(self, context: Context, query: syntax.Query, scope: frozenset[str] = frozenset()) -> None:
        self._context = context
        self.modifies = any(isinstance(entry, syntax.Modify) for entry in query.statements)
        self.top = not scope
        self._compiler = Compiler(context, scope, subquery)
        self.shortcut = _shortcut(context, query) if self.top else None
        self._stages: list[Stage] = []
        if self.shortcut is None:
            self._build(query)

    def _build(self, query: syntax.Query) -> None:
        statements = list(query.statements)
        last_limit = max((i for i, entry in enumerate(statements) if isinstance(entry, syntax.Limit)), default=-1)
        index = 0
        while index < len(statements):
            statement = statements[index]
            if isinstance(statement, syntax.For):
                self._stages.append(self._for(statement, statements[index + 1 :]))
            elif isinstance(statement, syntax.Limit):
                counting = index == last_limit and self.top and bool(self._context.options.get("fullCount"))
                self._stages.append(self._limit(statement, counting))
            else:
                method: Callable[[Any], Stage] = getattr(self, f"_{type(statement).__name__.lower()}")
                self._stages.append(method(statement))
            index += 1
        if not isinstance(statements[-1], syntax.Return):
            self._stages.append(_drain)

    def run(self, row: Row | None = None) -> Rows:
        """The values that the query returns, with ticks between them."""
        rows: Rows = iter((row or {},))
        for stage in self._stages:
            rows = stage(rows)
        return rows

    def _for(self, statement: syntax.For, following: list[syntax.Statement]) -> Stage:
        context, name = self._context, statement.variable
        lookup = self._key_lookup(statement, following[0] if following else None)
        rest = tuple(following)
        scan = context.by_key if uses(rest, name) and not _needs_document(rest, name) else context.documents
        compiled = None if lookup else self._compiler.compile(statement.source)
        collection = self._source(statement.source)
        self._compiler = self._compiler.within(name)

        def source(row: Row) -> Iterable[Any]:
            if lookup is not None:
                return lookup(row)
            if collection is not None:
                return scan(collection)
            found = compiled(row) if compiled else []
            if not isinstance(found, list):
                context.warn(1563, "expecting array in FOR loop")
                return ()
            return found

        def stage(rows: Rows) -> Rows:
            for row in rows:
                if row is TICK:
                    yield TICK
                    continue
                for number, value in enumerate(source(row)):
                    if number % _TICK_EVERY == _TICK_EVERY - 1:
                        yield TICK
                    yield {**row, name: value}

        return stage

    def _source(self, node: syntax.Expression) -> Collection | None:
        if isinstance(node, syntax.Name) and node.name not in self._compiler.scope:
            return self._context.collection(node.name)
        if isinstance(node, syntax.Bind) and node.name.startswith("@"):
            return self._context.collection(self._context.bound(node.name))
        return None

    def _key_lookup(
        self, statement: syntax.For, following: syntax.Statement | None
    ) -> Callable[[Row], Iterable[Any]] | None:
        """The primary index where the loop is followed by a FILTER on `_key` (which is applied nevertheless)."""
        if not isinstance(following, syntax.Filter):
            return None
        condition = following.condition
        while isinstance(condition, syntax.Binary) and condition.operator == "AND":
            condition = condition.left
        if not isinstance(condition, syntax.Binary) or condition.operator not in ("==", "IN"):
            return None
        if condition.left != syntax.Attribute(syntax.Name(statement.variable), syntax.Literal("_key")):
            return None
        collection = self._source(statement.source)
        if collection is None or uses(condition.right, statement.variable):
            return None
        context, wanted = self._context, self._compiler.compile(condition.right)
        if condition.operator == "==":
            return lambda row: context.lookup(collection, [wanted(row)])
        return lambda row: context.lookup(collection, wanted(row) or [])

    def _filter(self, statement: syntax.Filter) -> Stage:
        context, condition = self._context, self._compiler.compile(statement.condition)

        def stage(rows: Rows) -> Rows:
            for row in rows:
                if row is TICK or values.truth(condition(row)):
                    yield row
                    continue
                context.statistics.filtered += 1
                if context.sleep_owed:
                    yield TICK

        return stage

    def _let(self, statement: syntax.Let) -> Stage:
        name, value = statement.variable, self._compiler.compile(statement.value)
        if name in self._compiler.scope:
            raise ArangoError(1511, f"AQL: variable '{name}' is assigned multiple times (while parsing)")
        self._compiler = self._compiler.within(name)

        def stage(rows: Rows) -> Rows:
            for row in rows:
                yield row if row is TICK else {**row, name: value(row)}

        return stage

    def _sort(self, statement: syntax.Sort) -> Stage:
        keys = [(self._compiler.compile(value), ascending) for value, ascending in statement.keys]
        context = self._context

        def stage(rows: Rows) -> Rows:
            kept = []
            for row in rows:
                if row is TICK:
                    yield TICK
                else:
                    context.charge()
                    kept.append(row)
            for value, ascending in reversed(keys):
                order_by(kept, value, ascending=ascending)
            yield from kept

        return stage

    def _limit(self, statement: syntax.Limit, counting: bool) -> Stage:
        offset, count = (self._compiler.constant(node) for node in (statement.offset, statement.count))
        offset, count = offset or 0, _UNLIMITED if count is None else count  # drivers write `LIMIT 0, null`
        for value in (offset, count):
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ArangoError(1504, "AQL: number out of range (while parsing)")
        context = self._context

        def stage(rows: Rows) -> Rows:
            seen = 0
            if count == 0 and not counting:
                return
            for row in rows:
                if row is TICK:
                    yield TICK
                    continue
                seen += 1
                if offset < seen <= offset + count:
                    yield row
                if seen == offset + count and not counting:
                    return
            if counting:
                context.statistics.full_count = seen

        return stage

    def _collect(self, statement: syntax.Collect) -> Stage:
        compiler, context = self._compiler, self._context
        groups = [(name, compiler.compile(value)) for name, value in statement.groups]
        aggregates = [
            (name, functions.find(kind, 1), compiler.compile(value)) for name, kind, value in statement.aggregates
        ]
        projection = compiler.compile(statement.projection) if statement.projection else None
        outer = [name for name in compiler.scope if not self.top]
        names = [*(name for name, _ in groups), *(name for name, _, _ in aggregates)]
        names += [name for name in (statement.into, statement.count) if name]
        self._compiler = compiler.within(*names)

        def stage(rows: Rows) -> Rows:
            found: dict[str, _Group] = {}
            if not groups:
                found[""] = _Group([], len(aggregates))
            for row in rows:
                if row is TICK:
                    yield TICK
                    continue
                context.charge()
                key_values = [value(row) for _, value in groups]
                group = found.setdefault(
                    values.group_key(key_values) if groups else "", _Group(key_values, len(aggregates))
                )
                group.add(row, aggregates, statement.into is not None, projection)
            ordered = sorted(found.values(), key=lambda group: values.sort_key(group.keys))
            for group in ordered:
                yield group.row([name for name, _ in groups], aggregates, statement, outer)

        return stage

    def _return(self, statement: syntax.Return) -> Stage:
        value = self._compiler.compile(statement.value)

        def stage(rows: Rows) -> Rows:
            seen: set[str] = set()
            for row in rows:
                if row is TICK:
                    yield TICK
                    continue
                found = value(row)
                if statement.distinct:
                    key = values.group_key(found)
                    if key in seen:
                        continue
                    seen.add(key)
                yield found

        return stage

    def _modify(self, statement: syntax.Modify) -> Stage:
        change = modify.compile_change(self._context, self._compiler, statement)
        self._compiler = self._compiler.within("OLD", "NEW")

        def stage(rows: Rows) -> Rows:
            for row in rows:
                if row is TICK:
                    yield TICK
                    continue
                found = change(row)
                yield TICK if found is None else found

        return stage


class _Group:
    """What a COLLECT keeps of one group."""

    def __init__(self, keys: list[Any], aggregates: int) -> None:
        self.keys = keys
        self.count = 0
        self.columns: list[list[Any]] = [[] for _ in range(aggregates)]
        self.members: list[Any] = []
        self.first: Row = {}

    def add(self, row: Row, aggregates: list[Any], keep: bool, projection: Evaluate | None) -> None:
        """Take a row."""
        self.first = self.first or row
        self.count += 1
        for column, (_name, _function, value) in zip(self.columns, aggregates, strict=True):
            column.append(value(row))
        if keep:
            self.members.append(projection(row) if projection else dict(row))

    def row(self, names: list[str], aggregates: list[Any], statement: syntax.Collect, outer: list[str]) -> Row:
        """The row that the group becomes; variables from before the COLLECT are gone, those around a subquery stay."""
        made = {name: self.first[name] for name in outer if name in self.first}
        made |= dict(zip(names, self.keys, strict=True))
        for column, (name, function, _value) in zip(self.columns, aggregates, strict=True):
            made[name] = function(column)
        if statement.into:
            made[statement.into] = self.members
        if statement.count:
            made[statement.count] = self.count
        return made


def order_by(rows: list[Row], value: Evaluate, *, ascending: bool) -> None:
    """Sort rows in place by a value; rows with equal values keep their order."""
    rows.sort(key=lambda row: values.sort_key(value(row)), reverse=not ascending)


def subquery(context: Context, query: syntax.Query, scope: frozenset[str]) -> Callable[[Row], list[Any]]:
    """A query inside an expression: all its values at once."""
    plan = Plan(context, query, scope | {""})
    if plan.modifies:
        raise ArangoError(1501, "AQL: syntax error, data-modification in a subquery is not supported (while parsing)")
    return lambda row: [value for value in plan.run(row) if value is not TICK]


def _drain(rows: Rows) -> Rows:
    for _row in rows:
        yield TICK


def uses(node: object, name: str) -> bool:
    """Whether an expression names a variable."""
    if isinstance(node, syntax.Name):
        return node.name == name
    if isinstance(node, syntax.Query | syntax.Expression | syntax.Statement):
        return any(uses(value, name) for value in vars(node).values())
    return isinstance(node, tuple) and any(uses(entry, name) for entry in node)


def _needs_document(node: object, name: str) -> bool:
    """Whether a variable is named for more than its `_key`, which the primary index alone gives."""
    if node == syntax.Attribute(syntax.Name(name), _KEY):
        return False
    if isinstance(node, syntax.Query | syntax.Expression | syntax.Statement):
        return node == syntax.Name(name) or any(_needs_document(value, name) for value in vars(node).values())
    return isinstance(node, tuple) and any(_needs_document(entry, name) for entry in node)


_KEY, _REVISION, _SLASH = syntax.Literal("_key"), syntax.Literal("_rev"), syntax.Literal("/")


def _shapes(variable: syntax.Name) -> dict[str, syntax.Expression]:
    """The answers of a scan that are printed without decoding anything."""
    key, revision = syntax.Attribute(variable, _KEY), syntax.Attribute(variable, _REVISION)
    hashed = syntax.Call("HASH", (variable,))
    return {
        "whole": variable,
        "pair": syntax.Array((key, revision)),
        "text": syntax.Call("CONCAT", (key, _SLASH, revision)),
        "hashed": syntax.Call("CONCAT", (key, _SLASH, revision, _SLASH, hashed)),
    }


def _shortcut(context: Context, query: syntax.Query) -> Iterator[bytes] | None:
    """`FOR d IN c RETURN d`, `… [d._key, d._rev]`, `… CONCAT(d._key, "/", d._rev)`, the same with HASH(d): cheaply."""
    statements = query.statements
    if (
        len(statements) != 2
        or not isinstance(statements[0], syntax.For)
        or not isinstance(statements[1], syntax.Return)
    ):
        return None
    loop, answer = statements
    if not isinstance(loop, syntax.For) or not isinstance(answer, syntax.Return) or answer.distinct:
        return None
    shapes = _shapes(syntax.Name(loop.variable))
    shape = next((name for name, value in shapes.items() if value == answer.value), None)
    if shape is None or not isinstance(loop.source, syntax.Bind | syntax.Name):
        return None
    if isinstance(loop.source, syntax.Bind) and not loop.source.name.startswith("@"):
        return None
    name = loop.source.name if isinstance(loop.source, syntax.Name) else context.bound(loop.source.name)
    collection = context.collection(name)
    if shape == "whole":
        return _printed(context, collection)
    if context.transaction.pending():
        return None
    return _rows(context, collection, shape)


def _printed(context: Context, collection: Collection) -> Iterator[bytes]:
    for raw in context.raw_documents(collection):
        context.statistics.scanned += 1
        yield raw


def _rows(context: Context, collection: Collection, shape: str) -> Iterator[bytes]:
    seed = seed_of(context.request.deployment)
    for shard in collection.shards:
        context.transaction.writer(shard)  # errorNum 1478 when the leader is down
        replica = shard.leader
        for key, place in list(replica.keys.items()):
            raw = replica.docs.get(place)
            if raw is None:
                continue
            context.statistics.scanned += 1
            revision = place.partition("\0")[0]
            if shape == "pair":
                yield f'["{key}","{revision}"]'.encode()
            elif shape == "text":
                yield f'"{key}/{revision}"'.encode()
            else:
                yield f'"{key}/{revision}/{document_hash(raw, seed)}"'.encode()
