# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The syntax tree of the AQL subset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Expressions ---------------------------------------------------------------------------------------------------------


class Expression:
    """Anything that has a value."""


@dataclass(frozen=True)
class Literal(Expression):
    """A constant."""

    value: Any


@dataclass(frozen=True)
class Bind(Expression):
    """A bind parameter; names of data sources start with `@`."""

    name: str


@dataclass(frozen=True)
class Name(Expression):
    """A variable, or where there is none of that name a collection."""

    name: str


@dataclass(frozen=True)
class Attribute(Expression):
    """`base.name`, `base.@bind`, or `base[index]`."""

    base: Expression
    index: Expression


@dataclass(frozen=True)
class Expansion(Expression):
    """`base[*]` followed by a path: `path` is evaluated for each element under the name `CURRENT`."""

    base: Expression
    path: Expression


@dataclass(frozen=True)
class Array(Expression):
    """`[a, b]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Object(Expression):
    """`{a: b}`; names are expressions too."""

    members: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True)
class Unary(Expression):
    """`!`, `+` or `-`."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary(Expression):
    """An operator between two operands; `NOT IN` and the like are one operator."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Ternary(Expression):
    """`a ? b : c`; without b it is `a`."""

    condition: Expression
    yes: Expression | None
    no: Expression


@dataclass(frozen=True)
class Call(Expression):
    """A function call; the name is in capitals."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Subquery(Expression):
    """`(FOR … RETURN …)`."""

    body: Query


# Statements ----------------------------------------------------------------------------------------------------------


class Statement:
    """One step of a query."""


@dataclass(frozen=True)
class For(Statement):
    """`FOR variable IN source`."""

    variable: str
    source: Expression


@dataclass(frozen=True)
class Filter(Statement):
    """`FILTER condition`."""

    condition: Expression


@dataclass(frozen=True)
class Sort(Statement):
    """`SORT a, b DESC`: expressions and whether they ascend."""

    keys: tuple[tuple[Expression, bool], ...]


@dataclass(frozen=True)
class Limit(Statement):
    """`LIMIT offset, count`."""

    offset: Expression
    count: Expression


@dataclass(frozen=True)
class Let(Statement):
    """`LET variable = value`."""

    variable: str
    value: Expression


@dataclass(frozen=True)
class Collect(Statement):
    """`COLLECT groups AGGREGATE aggregates INTO into = projection WITH COUNT INTO count`."""

    groups: tuple[tuple[str, Expression], ...]
    aggregates: tuple[tuple[str, str, Expression], ...] = ()
    into: str | None = None
    projection: Expression | None = None
    count: str | None = None


@dataclass(frozen=True)
class Return(Statement):
    """`RETURN [DISTINCT] value`."""

    value: Expression
    distinct: bool = False


@dataclass(frozen=True)
class Modify(Statement):
    """INSERT, UPDATE, REPLACE, REMOVE or UPSERT on one collection.

    `selector` is the key or document that is changed (of UPSERT the example), `document` the new content, `insert` what
    UPSERT inserts, and `replace` whether its change replaces.
    """

    kind: str
    collection: Expression
    selector: Expression | None
    document: Expression | None
    insert: Expression | None = None
    replace: bool = False
    options: Expression = field(default_factory=lambda: Object(()))


@dataclass(frozen=True)
class Query:
    """A sequence of statements."""

    statements: tuple[Statement, ...]
