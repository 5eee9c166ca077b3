# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Log markers, sliced instead of decoded (facts §5.5, design §4.4).

A marker line is cut by a compiled pattern; the bytes of ``data`` are kept as they came, so that no number is ever
written anew. A line that does not match is cut along its members by the JSON scanner, which keeps their texts too.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Iterator, NamedTuple, Optional, Sequence

from .._core.errors import CutoverError

TRUNCATE = 2004
INDEX_CREATE = 2100
INDEX_DROP = 2101
BEGIN = 2200
COMMIT = 2201
INSERT = 2300
REMOVE = 2302
OPERATIONS = frozenset({INSERT, REMOVE})
SINGLE = b"0"

# What stands between the tick of a document's marker and its data.
_BETWEEN = rb'","type":(2300|2302),"db":"([^"\\]*)","cuid":"(?:[^"\\/]*/)?([^"\\]*)","tid":"([0-9]+)","data":'
_DOCUMENT = re.compile(
    rb'\{"tick":"([0-9]+)' + _BETWEEN
    + rb'(\{"_key":"([^"\\]+)"(?:,"_id":"[^"\\]*")?,"_rev":"([^"\\]*)"[,}].*)\}\Z',
    re.DOTALL,
)  # fmt: skip
# The same for all lines of an answer at once, which takes half the time; any other line is the last group.
_LINES = re.compile(
    rb'(?:\{"tick":"([0-9]+)(","type":230[02],"db":"[^"\\\n]*","cuid":"[^"\\\n]*","tid":"[0-9]+","data":)'
    rb'(\{"_key":"([^"\\\n]+)"(?:,"_id":"[^"\\\n]*")?,"_rev":"([^"\\\n]*)"[,}].*)\}|(.+))(?:\n|\Z)'
)
_HEAD = re.compile(_BETWEEN)
_FRAME = re.compile(rb'\{"tick":"([0-9]+)","type":(2200|2201),"tid":"([0-9]+)","db":"([^"\\]*)"\}\Z')
_REVISION = re.compile(
    rb'\{"_key":"(?:[^"\\]+)"(?:,"_id":"[^"\\]*")?(,"_rev":"[^"\\]*")[,}]'
)
_KEY = re.compile(rb'\{"_key":"([^"\\]+)"')
_TYPES = {b"2200": BEGIN, b"2201": COMMIT, b"2300": INSERT, b"2302": REMOVE}
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class Marker(NamedTuple):
    """One marker. ``database``, ``cuid``, ``tid``, ``key`` and ``rev`` are UTF-8 texts, ``data`` raw JSON.

    ``cuid`` is cut down to the shard's name, which is unique in its cluster: of shards that very old versions made, the
    log may know nothing else (facts §5.6).
    """

    tick: int
    type: int
    database: bytes = b""
    cuid: bytes = b""
    tid: bytes = b""
    key: bytes = b""
    rev: bytes = b""
    data: bytes = b""


def parse(line: bytes) -> Marker:
    """The marker of one line without its line end; raises ``CutoverError`` for a line that is no marker."""
    found = _DOCUMENT.match(line)
    if found is not None:
        tick, kind, database, cuid, tid, data, key, rev = found.groups()
        return Marker(int(tick), _TYPES[kind], database, cuid, tid, key, rev, data)
    found = _FRAME.match(line)
    if found is not None:
        tick, kind, tid, database = found.groups()
        return Marker(int(tick), _TYPES[kind], database, b"", tid)
    return parse_slowly(line)


def parse_all(lines: Sequence[bytes]) -> Iterator[Marker]:
    """The marker of each line, as ``parse`` gives it."""
    new, head_of = tuple.__new__, _head
    found = _LINES.findall(b"\n".join(lines))
    if len(found) != len(lines):  # an empty one
        yield from map(parse, lines)
        return
    for tick, head, data, key, rev, other in found:
        if other:
            yield parse(other)
        else:
            kind, database, cuid, tid = head_of(head)
            # The constructor of a named tuple takes as long as all the rest.
            yield new(Marker, (int(tick), kind, database, cuid, tid, key, rev, data))


@lru_cache(maxsize=4096)
def _head(text: bytes) -> tuple[int, bytes, bytes, bytes]:
    """Type, database, shard and transaction of a line from what stands between its tick and its data: many have the
    same.
    """
    found = _HEAD.fullmatch(text)
    if found is None:
        raise ValueError(f"not the head of a marker: {text[:200]!r}")
    kind, database, cuid, tid = found.groups()
    return _TYPES[kind], database, cuid, tid


def parse_slowly(line: bytes) -> Marker:
    """The same for any order of members, any white space and any escape; it costs several times as much."""
    try:
        members = _members(line.decode("utf-8", "surrogateescape"))
        raw = members.get("data", "")
        head: Any = _members(raw) if raw.startswith("{") else {}
        return Marker(
            int(_value(members["tick"])),
            int(_value(members["type"])),
            _text(members, "db"),
            bare_cuid(_text(members, "cuid")),
            _text(members, "tid"),
            _text(head, "_key"),
            _text(head, "_rev"),
            raw.encode("utf-8", "surrogateescape"),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CutoverError(
            "CUT-DATA-1", f"a line of a server's log is no marker that this version understands: {line[:200]!r}"
        ) from error


def bare_cuid(whole: bytes) -> bytes:
    """The shard's name of a ``cuid`` as a server writes it."""
    plan, slash, shard = whole.partition(b"/")
    return shard if slash else plan


def document_key(line: bytes) -> Optional[bytes]:
    """The ``_key`` of a bare document as a UTF-8 text; None when it has none."""
    found = _KEY.match(line)
    if found is not None:
        return found.group(1)
    try:
        return _text(_members(line.decode("utf-8", "surrogateescape")), "_key") or None
    except ValueError:
        return None


def without_revision(document: bytes) -> bytes:
    """A bare document without its ``_rev``, everything else in its own text; raises ``ValueError`` for no document."""
    found = _REVISION.match(document)
    if found is not None:
        return document[: found.start(1)] + document[found.end(1) :]
    members = _members(document.decode("utf-8", "surrogateescape"))
    rest = ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items() if name != "_rev")
    return b"{%s}" % rest.encode("utf-8", "surrogateescape")


def array_elements(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each with its own text; raises ``ValueError`` for anything else."""
    text = body.decode("utf-8", "surrogateescape")
    position = _skip(text, 0)
    if text[position : position + 1] != "[":
        raise ValueError("not a JSON array")
    elements: list[bytes] = []
    position = _skip(text, position + 1)
    while text[position : position + 1] != "]":
        end = _DECODER.raw_decode(text, position)[1]
        elements.append(text[position:end].encode("utf-8", "surrogateescape"))
        position = _separator(text, end, "]")
    return elements


def _members(text: str) -> dict[str, str]:
    """The members of a JSON object with the texts of their values; the last of equal names counts."""
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        raise ValueError("not a JSON object")
    members: dict[str, str] = {}
    position = _skip(text, position + 1)
    while text[position : position + 1] != "}":
        name, after = _DECODER.raw_decode(text, position)
        after = _skip(text, after)
        if not isinstance(name, str) or text[after : after + 1] != ":":
            raise ValueError("not a member of a JSON object")
        start = _skip(text, after + 1)
        end = _DECODER.raw_decode(text, start)[1]
        members[name] = text[start:end]
        position = _separator(text, end, "}")
    if _skip(text, position + 1) != len(text):
        raise ValueError("text after a JSON object")
    return members


def _separator(text: str, position: int, closing: str) -> int:
    """Where the next element begins, or where the closing character is."""
    position = _skip(text, position)
    if text[position : position + 1] == closing:
        return position
    if text[position : position + 1] != ",":
        raise ValueError("no comma between JSON values")
    following = _skip(text, position + 1)
    if text[following : following + 1] == closing:
        raise ValueError("comma before the end of a JSON value")
    return following


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _value(text: str) -> Any:
    return json.loads(text)


def _text(members: dict[str, str], name: str) -> bytes:
    value = _value(members[name]) if name in members else ""
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value.encode("utf-8", "surrogateescape")
