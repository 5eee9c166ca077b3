# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Statements of AQL; what is not in the subset is errorNum 1501 with its position."""

from __future__ import annotations

from tests.testbed.aql import syntax
from tests.testbed.aql.expressions import ExpressionParser
from tests.testbed.aql.lexer import syntax_error
from tests.testbed.aql.syntax import Expression, Query, Statement

_AGGREGATES = [
    "LENGTH",
    "COUNT",
    "SUM",
    "MIN",
    "MAX",
    "AVERAGE",
    "AVG",
    "UNIQUE",
    "SORTED_UNIQUE",
    "COUNT_DISTINCT",
    "COUNT_UNIQUE",
    "STDDEV",
    "VARIANCE",
]
_MODIFYING = ("INSERT", "UPDATE", "REPLACE", "REMOVE", "UPSERT")


class Parser(ExpressionParser):
    """Recursive descent over the tokens of one query."""

    def parse(self) -> Query:
        """The whole text as a query."""
        if self.accept_keyword("WITH"):
            self._name()
            while self.accept(","):
                self._name()
        query = self.query()
        if self.current.kind != "end":
            raise self.unexpected()
        return query

    def query(self) -> Query:
        """Statements up to and with RETURN, or up to the end after one that modifies."""
        statements: list[Statement] = []
        while True:
            token = self.current
            if token.kind != "keyword":
                if any(isinstance(entry, syntax.Modify) for entry in statements):
                    return Query(tuple(statements))
                raise self.unexpected()
            statement = self._statement(token.text)
            statements.append(statement)
            if isinstance(statement, syntax.Return):
                return Query(tuple(statements))

    def _statement(self, keyword: str) -> Statement:
        if keyword not in ("FOR", "FILTER", "SORT", "LIMIT", "LET", "COLLECT", "RETURN", *_MODIFYING):
            raise self.unexpected()
        self.advance()
        if keyword in _MODIFYING:
            return self._modify(keyword)
        method = getattr(self, f"_{keyword.lower()}")
        statement: Statement = method()
        return statement

    def _for(self) -> Statement:
        variable = self._name()
        self.expect_keyword("IN")
        if self.current.kind == "keyword" and self.current.text in ("OUTBOUND", "INBOUND", "ANY", "SHORTEST_PATH"):
            raise self.unexpected()
        source = self.expression()
        self._options()
        return syntax.For(variable, source)

    def _filter(self) -> Statement:
        return syntax.Filter(self.expression())

    def _let(self) -> Statement:
        variable = self._name()
        self.expect("=")
        return syntax.Let(variable, self.expression())

    def _return(self) -> Statement:
        distinct = self.accept_keyword("DISTINCT")
        return syntax.Return(self.expression(), distinct)

    def _sort(self) -> Statement:
        keys: list[tuple[Expression, bool]] = []
        while True:
            value = self.expression()
            ascending = True
            if self.accept_keyword("DESC"):
                ascending = False
            else:
                self.accept_keyword("ASC")
            keys.append((value, ascending))
            if not self.accept(","):
                return syntax.Sort(tuple(keys))

    def _limit(self) -> Statement:
        first = self.expression()
        if self.accept(","):
            return syntax.Limit(first, self.expression())
        return syntax.Limit(syntax.Literal(0), first)

    def _collect(self) -> Statement:
        groups: list[tuple[str, Expression]] = []
        while self.current.kind == "name":
            groups.append(self._assignment())
            if not self.accept(","):
                break
        aggregates: list[tuple[str, str, Expression]] = []
        if self.accept_keyword("AGGREGATE"):
            aggregates.append(self._aggregate())
            while self.accept(","):
                aggregates.append(self._aggregate())
        into, projection, count = None, None, None
        if self.accept_keyword("WITH"):
            self._word("COUNT")
            self.expect_keyword("INTO")
            count = self._name()
        elif self.accept_keyword("INTO"):
            into = self._name()
            if self.accept("="):
                projection = self.expression()
        self._options()
        return syntax.Collect(tuple(groups), tuple(aggregates), into, projection, count)

    def _assignment(self) -> tuple[str, Expression]:
        variable = self._name()
        self.expect("=")
        return variable, self.expression()

    def _aggregate(self) -> tuple[str, str, Expression]:
        variable = self._name()
        self.expect("=")
        token = self.current
        call = self.expression()
        if not isinstance(call, syntax.Call) or call.name not in _AGGREGATES or len(call.arguments) > 1:
            raise self.unexpected(token)
        argument = call.arguments[0] if call.arguments else syntax.Literal(1)
        return variable, call.name, argument

    def _modify(self, kind: str) -> Statement:
        if kind == "UPSERT":
            return self._upsert()
        value = self.expression(before_in=True)
        selector, document = (None, value) if kind == "INSERT" else (value, None)
        if kind in ("UPDATE", "REPLACE"):
            document = self.expression(before_in=True) if self.accept_keyword("WITH") else value
        collection = self._target()
        return syntax.Modify(kind, collection, selector, document, options=self._options())

    def _upsert(self) -> Statement:
        example = self.expression()
        self.expect_keyword("INSERT")
        insert = self.expression()
        replace = self.accept_keyword("REPLACE")
        if not replace:
            self.expect_keyword("UPDATE")
        document = self.expression(before_in=True)
        collection = self._target()
        return syntax.Modify("UPSERT", collection, example, document, insert, replace, self._options())

    def _target(self) -> Expression:
        if not self.accept_keyword("INTO"):
            self.expect_keyword("IN")
        return self.source()

    def _options(self) -> Expression:
        token = self.current
        if token.kind == "name" and token.text.upper() == "OPTIONS":
            self.advance()
            return self.expression()
        return syntax.Object(())

    def _word(self, text: str) -> None:
        if self.current.kind != "name" or self.current.text.upper() != text:
            raise self.unexpected()
        self.advance()

    def _name(self) -> str:
        token = self.current
        if token.kind != "name":
            raise self.unexpected()
        self.advance()
        return str(token.value)


def parse(text: str) -> Query:
    """The syntax tree of a query; errorNum 1501."""
    try:
        return Parser(text).parse()
    except RecursionError:
        raise syntax_error(text, 0, "nested too deeply") from None
