# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restored documents that come just as their collection prints them: checked, and kept as they came (facts §5.8).

Making objects of JSON and building a document anew takes most of the time of a restore. What needs neither is told
apart here by a parser that only looks; everything else, errors included, goes the ordinary way (rawjson.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

from tests.testbed import keygen
from tests.testbed.rawjson import quoted
from tests.testbed.replica import Insertions

if TYPE_CHECKING:
    from tests.testbed.collection import Collection
    from tests.testbed.fastjson import Head

_EDGE = 3
_PORTION = 1000  # documents that are looked at together


def _load() -> Any:
    """The parser; None in an environment older than the lock file, where everything goes the ordinary way."""
    try:
        from tests.testbed import fastjson
    except ModuleNotFoundError:
        return None
    return fastjson


_FAST = _load()


def lines(body: bytes) -> list[bytes] | None:
    """The lines of a body without white space between tokens; None when one with blanks is no JSON for certain."""
    if _FAST is None:
        return None
    texts = [line for line in body.split(b"\n") if line.strip()]
    try:
        body.decode()
        joined = b"[" + b",".join(texts) + b"]"
        return texts if len(_FAST.compact(joined)) == len(joined) else list(map(_FAST.compact, texts))
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

    def portions(self, texts: list[bytes]) -> Iterator[Insertions | bytes]:
        """Compact texts in their order: documents in the form that is stored together, every other one alone."""
        for start in range(0, len(texts), _PORTION):
            portion = texts[start : start + _PORTION]
            together = self(portion)
            if together is not None:
                yield together
                continue
            for text in portion:
                yield self([text]) or text

    def __call__(self, texts: list[bytes]) -> Insertions | None:
        """Compact texts as documents in the form that is stored, keys may come twice; None when one of them is not."""
        try:
            heads = _FAST.heads(b"\n".join(texts))
        except _FAST.REFUSED:
            return None
        keys = [head.key for head in heads]
        revisions = [head.revision for head in heads]
        ends = [_ends(head) for head in heads] if self._is_edge else repeat("", len(heads))
        # Escapes make the text differ from its value, so that none is in what is equal.
        expected = [
            f'{{"_key":"{key}","_id":{self._prefix}{key}",{end}"_rev":"{revision}"'.encode()
            for key, revision, end in zip(keys, revisions, ends)
        ]
        known = len(heads) == len(texts) and all(map(bytes.startswith, texts, expected))
        if not known or not all(revisions) or not keygen.all_valid(keys):
            return None
        return Insertions(keys, revisions, texts)


def _ends(head: Head) -> str:
    """The ends of an edge as it has them printed; without them nothing that is ever printed."""
    fine = _identifies(head.start) and _identifies(head.end)
    return f'"_from":"{head.start}","_to":"{head.end}",' if fine else "no edge"


def _identifies(text: str | None) -> bool:
    return bool(text) and all(str(text).partition("/")[::2])


def with_revision(raw: bytes, old: str, new: str) -> bytes:
    """A recognised document under another revision."""
    return raw.replace(b'"_rev":"%b"' % old.encode(), b'"_rev":"%b"' % new.encode(), 1)
