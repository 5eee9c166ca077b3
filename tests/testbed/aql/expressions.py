# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Expressions of AQL by precedence climbing."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tests.testbed.aql import syntax
from tests.testbed.aql.lexer import Token, described, syntax_error, tokens
from tests.testbed.aql.syntax import Expression, Query
from tests.testbed.errors import ArangoError

_SYNONYMS = {"&&": "AND", "||": "OR"}
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("OR",),
    ("AND",),
    ("==", "!=", "LIKE", "=~", "!~", "NOT LIKE"),
    ("IN", "NOT IN"),
    ("<", "<=", ">", ">="),
    ("..",),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}


class ExpressionParser(ABC):
    """The part of the parser that reads values; `query` is given by the part that reads statements."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._index = 0
        self._depth = 0
        self._before_in = False

    @abstractmethod
    def query(self) -> Query:
        """A query inside parentheses."""

    @property
    def current(self) -> Token:
        """The token that is next."""
        return self._tokens[self._index]

    def advance(self) -> Token:
        """Step over the next token."""
        token = self.current
        self._index += 1
        return token

    def unexpected(self, token: Token | None = None) -> ArangoError:
        """The error for a token that does not fit."""
        token = token or self.current
        return syntax_error(self._text, token.position, f"unexpected {described(token)}")

    def accept(self, operator: str) -> bool:
        """Step over an operator if it is next."""
        if self.current.kind == "operator" and self.current.text == operator:
            self._index += 1
            return True
        return False

    def expect(self, operator: str) -> None:
        """Step over an operator that has to be next."""
        if not self.accept(operator):
            raise self.unexpected()

    def accept_keyword(self, keyword: str) -> bool:
        """Step over a keyword if it is next."""
        if self.current.kind == "keyword" and self.current.text == keyword:
            self._index += 1
            return True
        return False

    def expect_keyword(self, keyword: str) -> None:
        """Step over a keyword that has to be next."""
        if not self.accept_keyword(keyword):
            raise self.unexpected()

    def source(self) -> Expression:
        """A collection by name or bind parameter."""
        token = self.advance()
        if token.kind == "name":
            return syntax.Name(token.value)
        if token.kind == "source_bind":
            return syntax.Bind(token.value)
        raise self.unexpected(token)

    def expression(self, *, before_in: bool = False) -> Expression:
        """Any value; with `before_in` an IN outside of brackets ends it, as `UPDATE … IN collection` wants."""
        self._depth += 1
        if self._depth > 200:
            raise self.unexpected()
        outer, self._before_in = self._before_in, before_in
        value = self._ternary()
        self._before_in = outer
        self._depth -= 1
        return value

    def _ternary(self) -> Expression:
        condition = self._binary(0)
        if not self.accept("?"):
            return condition
        if self.accept(":"):
            return syntax.Ternary(condition, None, self.expression())
        yes = self.expression()
        self.expect(":")
        return syntax.Ternary(condition, yes, self.expression())

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while True:
            operator = self._operator(_LEVELS[level])
            if operator is None:
                return left
            left = syntax.Binary(operator, left, self._binary(level + 1))

    def _operator(self, wanted: tuple[str, ...]) -> str | None:
        token = self.current
        if token.kind not in ("operator", "keyword"):
            return None
        text = _SYNONYMS.get(token.text, token.text)
        if text == "NOT":
            following = self._tokens[self._index + 1]
            text = f"NOT {following.text}"
            if text in wanted:
                self._index += 2
                return text
            return None
        if text not in wanted or (text == "IN" and self._before_in):
            return None
        self._index += 1
        return text

    def _unary(self) -> Expression:
        if self.accept("!") or self.accept_keyword("NOT"):
            return syntax.Unary("!", self._unary())
        for operator in "+-":
            if self.accept(operator):
                return syntax.Unary(operator, self._unary())
        return self._postfix(self._primary())

    def _postfix(self, value: Expression) -> Expression:
        while True:
            if self.accept("."):
                value = syntax.Attribute(value, self._attribute_name())
            elif self.current.text == "[" and self.current.kind == "operator":
                self.advance()
                if self.accept("*"):
                    self.expect("]")
                    return syntax.Expansion(value, self._postfix(syntax.Name("CURRENT")))
                value = syntax.Attribute(value, self.expression())
                self.expect("]")
            else:
                return value

    def _attribute_name(self) -> Expression:
        token = self.advance()
        if token.kind in ("name", "keyword"):
            return syntax.Literal(token.value)
        if token.kind == "bind":
            return syntax.Bind(token.value)
        raise self.unexpected(token)

    def _primary(self) -> Expression:
        token = self.advance()
        if token.kind in ("number", "string"):
            return syntax.Literal(token.value)
        if token.kind in ("bind", "source_bind"):
            return syntax.Bind(token.value)
        if token.kind == "keyword" and token.text in _CONSTANTS:
            return syntax.Literal(_CONSTANTS[token.text])
        if token.kind in ("name", "keyword") and self.current.text == "(" and self.current.kind == "operator":
            if token.kind == "keyword" and token.text not in ("LIKE", "ANY", "ALL", "NONE"):
                raise self.unexpected(token)
            self.advance()
            return syntax.Call(str(token.value).upper(), self._list(")"))
        if token.kind == "name":
            return syntax.Name(token.value)
        if token.text == "(" and token.kind == "operator":
            return self._parenthesis()
        if token.text == "[" and token.kind == "operator":
            return syntax.Array(self._list("]"))
        if token.text == "{" and token.kind == "operator":
            return self._object()
        raise self.unexpected(token)

    def _parenthesis(self) -> Expression:
        starts = ("FOR", "LET", "RETURN", "FILTER", "COLLECT")
        if self.current.kind == "keyword" and self.current.text in starts:
            value: Expression = syntax.Subquery(self.query())
        else:
            value = self.expression()
        self.expect(")")
        return value

    def _list(self, closing: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while not self.accept(closing):
            starts = self.current.kind == "keyword" and self.current.text in ("FOR", "RETURN")
            items.append(syntax.Subquery(self.query()) if starts else self.expression())
            if not self.accept(","):
                self.expect(closing)
                break
        return tuple(items)

    def _object(self) -> Expression:
        members: list[tuple[Expression, Expression]] = []
        while not self.accept("}"):
            members.append(self._member())
            if not self.accept(","):
                self.expect("}")
                break
        return syntax.Object(tuple(members))

    def _member(self) -> tuple[Expression, Expression]:
        token = self.advance()
        name: Expression
        if token.kind == "name" and self.current.text in (",", "}"):
            return syntax.Literal(token.value), syntax.Name(token.value)
        if token.kind in ("name", "keyword", "string"):
            name = syntax.Literal(str(token.value))
        elif token.kind == "bind":
            name = syntax.Bind(token.value)
        elif token.text == "[":
            name = self.expression()
            self.expect("]")
        else:
            raise self.unexpected(token)
        self.expect(":")
        return name, self.expression()
