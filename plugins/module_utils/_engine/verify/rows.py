# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents as rows: key, revision and, where both sides hash alike, a hash of the whole document, in one text.

A row is ``<key>/<revision>`` or ``<key>/<revision>/<hash>``; no key holds a slash. Where contents are compared because
the target makes revisions of its own, a row is ``<key>//<hash>``: the agent decodes the documents itself. One text for
each document is decoded seven times as fast as a list of its parts. Texts are compared as a whole; where revisions are
of different forms they are compared decoded (facts §5.9), and never in AQL, which compares by collation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from typing import Any, Union

from ..._core.arango import Coordinators, Server
from ..._core.errors import ArangoError
from ..._core.revision import decode
from ..aql import read_batches, run
from ..likeness import Likeness

Front = Union[Server, Coordinators]
Found = dict[str, tuple[str, ...]]
_PLAIN = 'CONCAT(d._key, "/", d._rev)'
_HASHED = 'CONCAT(d._key, "/", d._rev, "/", HASH(d))'
_BATCH = 10_000
# Whole documents may be large.
_DOCUMENTS = 100
# Every kind of value, and numbers at the borders of their representations.
_SAMPLE = (
    "RETURN HASH([null, true, 0, -1, 1.5, 1e300, 9007199254740993, 18446744073709551615, 'ä€𝄞', '', [], {}, "
    "{b: [1, 'x'], a: {c: null}}])"
)


def hashes_alike(source: Front, target: Front) -> bool:
    """Whether HASH() gives the same on both sides: its algorithm may change with a version."""
    try:
        values = [run(front, "_system", _SAMPLE) for front in (source, target)]
    except ArangoError as error:
        if error.retriable:
            raise
        return False
    return bool(values[0] == values[1])


def scan(front: Front, database: str, collection: str, hashed: bool) -> Generator[list[str], None, None]:
    """All rows, in no particular order, batch by batch; each server reads its documents one after the other."""
    return read_batches(front, database, collection, returning=_HASHED if hashed else _PLAIN, batch=_BATCH)


def lookup(front: Front, database: str, collection: str, keys: Sequence[str], hashed: bool) -> Found:
    """What is there of some keys: revisions and hashes by key, sorted; keys of no document are left out."""
    query = f"FOR d IN @@c FILTER d._key IN @keys RETURN {_HASHED if hashed else _PLAIN}"
    return _by_key(run(front, database, query, {"@c": collection, "keys": list(keys)}))


def scan_documents(
    front: Front, database: str, collection: str, likeness: Likeness
) -> Generator[list[str], None, None]:
    """All rows with digests of whole documents, which the agent decodes itself: right for any two versions."""
    with closing(read_batches(front, database, collection, batch=_DOCUMENTS)) as batches:
        for batch in batches:
            yield [_row(document, likeness, document["_rev"] if likeness.keeps_revisions else "") for document in batch]


def lookup_documents(front: Front, database: str, collection: str, keys: Sequence[str], likeness: Likeness) -> Found:
    """Like ``lookup``, with digests of whole documents; each side's own revision is there in any case."""
    query = "FOR d IN @@c FILTER d._key IN @keys RETURN d"
    rows: list[str] = []
    for start in range(0, len(keys), _DOCUMENTS):
        some = list(keys[start : start + _DOCUMENTS])
        found = run(front, database, query, {"@c": collection, "keys": some})
        rows += [_row(document, likeness, document["_rev"]) for document in found]
    return _by_key(rows)


def _row(document: dict[str, Any], likeness: Likeness, revision: str) -> str:
    text = likeness.text({**document, "_rev": decode(document["_rev"])})
    return f"{document['_key']}/{revision}/{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"


def _by_key(rows: Iterable[str]) -> Found:
    found: Found = {}
    for row in rows:
        key, _slash, rest = row.partition("/")
        found[key] = (rest,) if key not in found else tuple(sorted((*found[key], rest)))
    return found


def key_of(row: str) -> str:
    """The key of a row."""
    return row.partition("/")[0]


def revisions(rests: Iterable[str]) -> list[int]:
    """The decoded revisions of what ``lookup`` gives for a key, ascending."""
    return sorted(decode(rest.partition("/")[0]) for rest in rests)


def same(left: tuple[str, ...], right: tuple[str, ...], likeness: Likeness = Likeness.REVISION) -> bool:
    """Whether two findings of a key are of the same documents; hashes say nothing where revisions are of two forms."""
    if left == right:
        return True
    if not likeness.keeps_revisions:
        return _hashes(left) == _hashes(right)
    texts = [[rest.partition("/")[0] for rest in rests] for rests in (left, right)]
    return texts[0] != texts[1] and revisions(left) == revisions(right)


def _hashes(rests: Iterable[str]) -> list[str]:
    return sorted(rest.rpartition("/")[2] for rest in rests)
