# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restored documents that come just as their collection prints them: checked, and kept as they came (facts §5.8).

Making objects of JSON and building a document anew takes most of the time of a restore. What needs neither is told
apart here by a parser that only looks; everything else, errors included, goes the ordinary way (rawjson.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.testbed import keygen
from tests.testbed.rawjson import quoted

if TYPE_CHECKING:
    from tests.testbed.collection import Collection

_EDGE = 3


def _load() -> Any:
    """The parser; None in an environment older than the lock file, where everything goes the ordinary way."""
    try:
        from tests.testbed import fastjson
    except ModuleNotFoundError:
        return None
    return fastjson


_FAST = _load()


class Printed(NamedTuple):
    """A document in the form that is stored."""

    key: str
    revision: str
    raw: bytes


def lines(body: bytes) -> list[bytes] | None:
    """The lines of a body without white space between tokens; None when one with blanks is no JSON for certain."""
    if _FAST is None:
        return None
    try:
        body.decode()
        tabs = b"\t" in body or b"\r" in body
        tight = _FAST.compact
        return [tight(line) if tabs or b" " in line else line for line in body.split(b"\n") if line.strip()]
    except _FAST.REFUSED:
        return None


def elements(body: bytes) -> list[bytes] | None:
    """The elements of an array without white space between tokens; None when it is no array of JSON for certain."""
    if _FAST is None:
        return None
    try:
        body.decode()
        return list(_FAST.elements(body))
    except _FAST.REFUSED:
        return None


class Recogniser:
    """Knows the documents of one collection as it prints them; its texts have to come from `lines` or `elements`."""

    def __init__(self, collection: Collection) -> None:
        self._prefix = quoted(f"{collection.name}/")[:-1]
        self._is_edge = collection.type == _EDGE

    def __call__(self, raw: bytes) -> Printed | None:
        """A compact text as a document in the form that is stored; None for every other one."""
        try:
            head = _FAST.head(raw)
        except _FAST.REFUSED:
            return None
        key, revision, ends = head.key, head.revision, ""
        if self._is_edge:
            if not _identifies(head.start) or not _identifies(head.end):
                return None
            ends = f'"_from":"{head.start}","_to":"{head.end}",'
        # Escapes make the text differ from its value, so that none is in what is equal.
        expected = f'{{"_key":"{key}","_id":{self._prefix}{key}",{ends}"_rev":"{revision}"'
        if not revision or not raw.startswith(expected.encode()) or not keygen.valid(key):
            return None
        return Printed(key, revision, raw)


def _identifies(text: str | None) -> bool:
    return bool(text) and all(str(text).partition("/")[::2])


def with_revision(raw: bytes, old: str, new: str) -> bytes:
    """A recognised document under another revision."""
    return raw.replace(b'"_rev":"%b"' % old.encode(), b'"_rev":"%b"' % new.encode(), 1)
