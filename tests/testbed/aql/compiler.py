# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Expressions as Python functions of a row of variables."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tests.testbed.aql import functions, syntax, values
from tests.testbed.errors import ArangoError

if TYPE_CHECKING:
    from tests.testbed.aql.context import Context

Row = dict[str, Any]
Evaluate = Callable[[Row], Any]
Rows = Iterator[Any]
RunQuery = Callable[["Context", syntax.Query, frozenset[str]], Callable[[Row], list[Any]]]

_ORDERINGS: dict[str, Callable[[int], bool]] = {
    "<": lambda found: found < 0,
    "<=": lambda found: found <= 0,
    ">": lambda found: found > 0,
    ">=": lambda found: found >= 0,
    "==": lambda found: found == 0,
    "!=": lambda found: found != 0,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


class Compiler:
    """Compiles expressions with the variables in `scope`."""

    def __init__(self, context: Context, scope: frozenset[str], run_query: RunQuery) -> None:
        self._context = context
        self.scope = scope
        self._run_query = run_query

    def within(self, *names: str) -> Compiler:
        """The same with more variables."""
        return Compiler(self._context, self.scope | set(names), self._run_query)

    def compile(self, node: syntax.Expression) -> Evaluate:
        """The function of an expression; errors of names and bind parameters come here, not when it runs."""
        method: Callable[[Any], Evaluate] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node)

    def constant(self, node: syntax.Expression) -> Any:
        """The value of an expression that has no variables."""
        return self.compile(node)({})

    def _literal(self, node: syntax.Literal) -> Evaluate:
        value = node.value
        return lambda _row: value

    def _bind(self, node: syntax.Bind) -> Evaluate:
        value = self._context.bound(node.name)
        if node.name.startswith("@"):
            return self._source(value)
        return lambda _row: value

    def _name(self, node: syntax.Name) -> Evaluate:
        name = node.name
        if name in self.scope:
            return lambda row: row[name]
        return self._source(name)

    def _source(self, name: str) -> Evaluate:
        collection = self._context.collection(name)
        return lambda _row: list(self._context.documents(collection))

    def _attribute(self, node: syntax.Attribute) -> Evaluate:
        base = self.compile(node.base)
        if isinstance(node.index, syntax.Literal) and isinstance(node.index.value, str):
            name = node.index.value

            def by_name(row: Row) -> Any:
                value = base(row)
                return value.get(name) if isinstance(value, dict) else None

            return by_name
        index = self.compile(node.index)
        return lambda row: _element(base(row), index(row))

    def _expansion(self, node: syntax.Expansion) -> Evaluate:
        base, path = self.compile(node.base), self.within("CURRENT").compile(node.path)

        def expand(row: Row) -> Any:
            found = base(row)
            return [path({**row, "CURRENT": entry}) for entry in found] if isinstance(found, list) else []

        return expand

    def _array(self, node: syntax.Array) -> Evaluate:
        items = [self.compile(item) for item in node.items]
        return lambda row: [item(row) for item in items]

    def _object(self, node: syntax.Object) -> Evaluate:
        members = [(self.compile(name), self.compile(value)) for name, value in node.members]
        return lambda row: {values.text(name(row)): value(row) for name, value in members}

    def _unary(self, node: syntax.Unary) -> Evaluate:
        operand = self.compile(node.operand)
        if node.operator == "!":
            return lambda row: not values.truth(operand(row))
        sign = -1 if node.operator == "-" else 1
        return lambda row: sign * values.number(operand(row))

    def _ternary(self, node: syntax.Ternary) -> Evaluate:
        condition, no = self.compile(node.condition), self.compile(node.no)
        if node.yes is None:

            def short(row: Row) -> Any:
                value = condition(row)
                return value if values.truth(value) else no(row)

            return short
        yes = self.compile(node.yes)
        return lambda row: yes(row) if values.truth(condition(row)) else no(row)

    def _binary(self, node: syntax.Binary) -> Evaluate:
        left, right = self.compile(node.left), self.compile(node.right)
        sign = node.operator
        if sign in ("AND", "OR"):
            return _logic(sign, left, right)
        if sign in _ORDERINGS:
            test = _ORDERINGS[sign]
            return lambda row: test(values.compare(left(row), right(row)))
        if sign in ("IN", "NOT IN"):
            return lambda row: _contains(right(row), left(row)) == (sign == "IN")
        if sign in ("LIKE", "NOT LIKE"):
            return lambda row: functions.like(left(row), right(row)) == (sign == "LIKE")
        if sign in ("=~", "!~"):
            return lambda row: bool(re.search(values.text(right(row)), values.text(left(row)))) == (sign == "=~")
        if sign == "..":
            return lambda row: _range(left(row), right(row))
        if sign in _ARITHMETIC:
            calculate = _ARITHMETIC[sign]
            return lambda row: values.finite(calculate(values.number(left(row)), values.number(right(row))))
        return lambda row: self._divide(sign, values.number(left(row)), values.number(right(row)))

    def _divide(self, sign: str, left: float, right: float) -> Any:
        if right == 0:
            self._context.warn(1562, "division by zero")
            return None
        if sign == "/":
            quotient = left / right
            return int(quotient) if quotient.is_integer() and abs(quotient) < 2**53 else quotient
        remainder = abs(left) % abs(right)
        return -remainder if left < 0 else remainder

    def _call(self, node: syntax.Call) -> Evaluate:
        special = self._context.function(node, self)
        if special is not None:
            return special
        implementation = functions.find(node.name, len(node.arguments))
        arguments = [self.compile(argument) for argument in node.arguments]
        return lambda row: implementation(*[argument(row) for argument in arguments])

    def _subquery(self, node: syntax.Subquery) -> Evaluate:
        return self._run_query(self._context, node.body, self.scope)


def _logic(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    stop = sign == "OR"

    def evaluate(row: Row) -> Any:
        value = left(row)
        return value if values.truth(value) is stop else right(row)

    return evaluate


def _element(base: Any, index: Any) -> Any:
    if isinstance(base, dict):
        return base.get(values.text(index))
    if isinstance(base, list) and isinstance(index, int | float):
        place = int(index)
        return base[place] if -len(base) <= place < len(base) else None
    return None


def _contains(array: Any, value: Any) -> bool:
    if not isinstance(array, list):
        return False
    if isinstance(value, str):
        return value in array  # a text equals nothing but the same text
    return any(values.equal(entry, value) for entry in array)


def _range(low: Any, high: Any) -> list[int]:
    start, end = int(values.number(low)), int(values.number(high))
    if abs(end - start) > 10_000_000:
        raise ArangoError(1504, "AQL: number out of range (while executing)")
    return list(range(start, end + 1) if start <= end else range(start, end - 1, -1))
