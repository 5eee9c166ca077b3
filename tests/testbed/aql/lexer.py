# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tokens of AQL, each with its place for error messages."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NamedTuple

from tests.testbed.errors import ArangoError

Kind = Literal["number", "string", "name", "keyword", "bind", "source_bind", "operator", "end"]

KEYWORDS = frozenset(
    [
        "FOR",
        "IN",
        "FILTER",
        "SORT",
        "LIMIT",
        "LET",
        "COLLECT",
        "RETURN",
        "INSERT",
        "UPDATE",
        "REPLACE",
        "REMOVE",
        "UPSERT",
        "INTO",
        "WITH",
        "AGGREGATE",
        "DISTINCT",
        "ASC",
        "DESC",
        "AND",
        "OR",
        "NOT",
        "NULL",
        "TRUE",
        "FALSE",
        "LIKE",
        "ALL",
        "ANY",
        "NONE",
        "GRAPH",
        "OUTBOUND",
        "INBOUND",
        "WINDOW",
        "K_SHORTEST_PATHS",
        "K_PATHS",
        "SHORTEST_PATH",
        "ALL_SHORTEST_PATHS",
    ]
)
_PATTERN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<quoted>`(?:[^`\\]|\\.)*`|´(?:[^´\\]|\\.)*´)
    |(?P<source_bind>@@[A-Za-z0-9_]+)
    |(?P<bind>@[A-Za-z0-9_]+)
    |(?P<name>[A-Za-z_$][A-Za-z0-9_]*(?:::[A-Za-z0-9_]+)*)
    |(?P<operator>\.\.|==|!=|<=|>=|=~|!~|&&|\|\||::|[-+*/%<>=!?:,.(){}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


# How the grammar calls a token in its error messages.
_KINDS = {
    "string": "quoted string",
    "name": "identifier",
    "bind": "bind parameter",
    "source_bind": "bind data source parameter",
    "end": "end of query string",
}
_DECLARATIONS = frozenset({"FOR", "LET", "FILTER", "RETURN", "COLLECT", "SORT", "LIMIT", "WINDOW"})
_COMMANDS = frozenset({"REMOVE", "INSERT", "UPDATE", "REPLACE", "UPSERT"})
_MODIFIERS = frozenset({"OUTBOUND", "INBOUND", "ALL", "ANY", "NONE"})
_OPERATORS = frozenset({"AND", "OR", "NOT", "LIKE"})
_SYMBOLS = {"=": "assignment", "&&": "and operator", "||": "or operator", "!": "not operator"}
_PLAIN = frozenset("?:,(){}[].") | {"::", ".."}  # named by themselves


class Token(NamedTuple):
    """A token; `value` is the literal's value, or the name without its quotes or `@`."""

    kind: Kind
    text: str
    value: Any
    position: int


def described(token: Token) -> str:
    """A token in the words of an error message."""
    text = token.text
    if token.kind == "operator":
        return _SYMBOLS.get(text) or (text if text in _PLAIN else f"{text} operator")
    if token.kind == "number":
        return "integer number" if isinstance(token.value, int) else "number"
    if token.kind != "keyword":
        return _KINDS[token.kind]
    if text in ("NULL", "TRUE", "FALSE"):
        return text.lower()
    if text in _MODIFIERS | _OPERATORS:
        return f"{text.lower()} {'operator' if text in _OPERATORS else 'modifier'}"
    if text == "DISTINCT":
        return "DISTINCT modifier"
    ending = "declaration" if text in _DECLARATIONS else "command" if text in _COMMANDS else "keyword"
    return f"{text} {ending}"


def syntax_error(query: str, position: int, what: str) -> ArangoError:
    """errorNum 1501 with line and column."""
    line = query.count("\n", 0, position) + 1
    column = position - (query.rfind("\n", 0, position) + 1) + 1
    near = query[position : position + 40].strip() or "end of query string"
    text = f"AQL: syntax error, {what} near '{near}' at position {line}:{column} (while parsing)"
    return ArangoError(1501, text)


def tokens(query: str) -> list[Token]:
    """All tokens with an `end` after the last; errorNum 1501 for a character that starts none."""
    found: list[Token] = []
    position = 0
    while position < len(query):
        match = _PATTERN.match(query, position)
        if match is None:
            raise syntax_error(query, position, "unexpected character")
        if match.lastgroup != "space":
            found.append(_token(str(match.lastgroup), match.group(), position))
        position = match.end()
    found.append(Token("end", "", None, position))
    return found


def _token(group: str, text: str, position: int) -> Token:
    if group == "number":
        return Token("number", text, _number(text), position)
    if group == "string":
        return Token("string", text, _unescape(text[1:-1]), position)
    if group == "quoted":
        return Token("name", text, _unescape(text[1:-1]), position)
    if group == "source_bind":
        return Token("source_bind", text, text[1:], position)
    if group == "bind":
        return Token("bind", text, text[1:], position)
    if group == "name" and text.upper() in KEYWORDS:
        return Token("keyword", text.upper(), text, position)
    return Token("name" if group == "name" else "operator", text, text, position)


def _number(text: str) -> int | float:
    if text[:2] in ("0x", "0X", "0b", "0B"):
        return int(text, 0)
    return int(text) if text.isdecimal() else float(text)


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        escaped = match.group(1)
        if escaped[0] == "u" and len(escaped) == 5:
            return str(json.loads(f'"\\{escaped}"'))
        return _SIMPLE.get(escaped, escaped)

    return _ESCAPE.sub(one, text) if "\\" in text else text
