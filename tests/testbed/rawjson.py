# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slicing of JSON documents as text: what is stored is what was sent, number texts included (facts §5.8).

A document is printed as `{"_key":…,"_id":…,["_from":…,"_to":…,]"_rev":…,<rest>}`; the rest is a piece of the text that
was sent, only white space between tokens is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from tests.testbed.errors import ArangoError

SYSTEM = ("_key", "_id", "_rev", "_from", "_to")
_BLANKS = (" ", "\n", "\r", "\t")
_MARK = "\0"  # never in JSON
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
_HEAD = re.compile(r'\{(?:"(?:_key|_id|_rev|_from|_to)":"[^"\\]*"(?:,|(?=\})))*')
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*\Z')


class Element:
    """One JSON object: its compact text and its parsed value."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: dict[str, Any]) -> None:
        self.text = text
        self.value = value

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Element:
        """An element of a value that was made here, not sent."""
        return cls(compact_dumps(value), dict(value))

    def rest(self, without: tuple[str, ...] = SYSTEM) -> str:
        """The members without the system attributes, as text."""
        present = sum(name in self.value for name in SYSTEM)
        if not present:
            return self.text[1:-1]
        head = _HEAD.match(self.text)
        if without is SYSTEM and head is not None and _count(head.group()) == present:
            return self.text[head.end() : -1]
        if "\\" not in self.text:
            cut = _cut(self.text, [(name, self.value[name]) for name in without if name in self.value])
            if cut is not None:
                return cut[1:-1]
        return ",".join(f"{label}:{text}" for name, label, text in members(self.text) if name not in without)


def _cut(text: str, system: list[tuple[str, object]]) -> str | None:
    """Take members out of a text without escapes; None where a member does not occur exactly once."""
    for name, value in system:
        piece = f'"{name}":"{value}"'
        if not isinstance(value, str) or text.count(piece) != 1:
            return None
        start = text.index(piece)
        end = start + len(piece)
        if text[end] == ",":
            text = text[:start] + text[end + 1 :]
        else:
            text = text[: start - (text[start - 1] == ",")] + text[end:]
    return text


def _count(head: str) -> int:
    return head.count('":"')


def compact_dumps(value: object) -> str:
    """JSON text without white space, non-ASCII characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def compact(text: str) -> str:
    """The same JSON without white space between tokens; text that is no JSON may come out as anything."""
    if '\\"' in text:  # then not every quote delimits a string
        return "".join(_TOKENS.findall(text))
    pieces = text.split('"')
    between = _MARK.join(pieces[::2])
    tight = between
    for blank in _BLANKS:
        if blank in tight:
            tight = tight.replace(blank, "")
    if len(tight) == len(between):
        return text
    outside = tight.split(_MARK)
    if len(outside) == len(pieces[::2]):
        pieces[::2] = outside
    return '"'.join(pieces)


def parse(body: bytes) -> tuple[str, Any]:
    """Compact text and value of a body; errorNum 600 for bad JSON."""
    try:
        text = body.decode()
        return compact(text), _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise ArangoError(600, f"VPackError error: {error}") from error


def parse_array(body: bytes) -> list[tuple[str, Any]]:
    """Compact text and value of each element of an array; errorNum 600 for bad JSON."""
    try:
        text = body.decode()
        tight = compact(text)
        if len(tight) != len(text):
            _DECODER.decode(text)  # white space may have separated what now stands together
        return list(_elements(tight))
    except (ValueError, RecursionError, StopIteration) as error:
        raise ArangoError(600, f"VPackError error: {error}") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_SCAN = _DECODER.scan_once  # type: ignore[attr-defined]


def _elements(text: str) -> Iterator[tuple[str, Any]]:
    end = len(text) - 1
    if text == "[]":
        return
    position = 1
    while True:
        try:
            value, stop = _SCAN(text, position)
        except StopIteration as error:
            raise ValueError(f"Expecting value at {error.value}") from error
        yield text[position:stop], value
        if text[stop : stop + 1] != ",":
            break
        position = stop + 1
    if stop != end or text[0] != "[" or text[end] != "]":
        raise ValueError(f"Expecting ',' or ']' at {stop}")


def members(text: str) -> Iterator[tuple[str, str, str]]:
    """Name, quoted name and text of the value of each member of a compact object."""
    position = 1
    while text[position] != "}":
        name, colon = scanstring(text, position + 1, True)
        _value, end = _SCAN(text, colon + 1)
        yield name, text[position:colon], text[colon + 1 : end]
        position = end + 1 if text[end] == "," else end


def merge(old: Element, patch: Element, *, keep_null: bool, deep: bool) -> Element:
    """The object that an update makes: members keep their place, new ones follow in the order of their names."""
    before = {name: (label, text) for name, label, text in members(old.text)}
    after = {name: (label, text) for name, label, text in members(patch.text)}
    merged = dict(old.value)
    for name in sorted(after, key=lambda entry: (entry not in before, entry)):
        mine, theirs = merged.get(name), patch.value[name]
        label, text = after[name]
        if theirs is None and not keep_null:
            before.pop(name, None)
            merged.pop(name, None)
            continue
        both = deep and isinstance(mine, dict)
        if isinstance(theirs, dict) and (both or not keep_null):
            base = Element(before[name][1], mine) if both and isinstance(mine, dict) else Element("{}", {})
            inner = merge(base, Element(text, theirs), keep_null=keep_null, deep=True)
            text, theirs = inner.text, inner.value
        before[name] = (label, text)
        merged[name] = theirs
    return Element("{" + ",".join(f"{label}:{text}" for label, text in before.values()) + "}", merged)


def quoted(text: str) -> str:
    """A JSON string."""
    return f'"{text}"' if _PLAIN.match(text) else json.dumps(text, ensure_ascii=False)


def build(identity: str, key: str, revision: str, ends: tuple[str, str] | None, rest: str) -> bytes:
    """The stored document; `identity` is the collection's name, `ends` are `_from` and `_to` of an edge."""
    ends_text = f'"_from":{quoted(ends[0])},"_to":{quoted(ends[1])},' if ends else ""
    head = f'{{"_key":"{key}","_id":{quoted(identity + "/" + key)},{ends_text}"_rev":{quoted(revision)}'
    return f"{head},{rest}}}".encode() if rest else f"{head}}}".encode()
