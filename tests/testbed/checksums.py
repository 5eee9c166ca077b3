# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hashes of documents and their combination, independent of order and of sharding (facts §6).

A checksum is charged an honest time per document. To keep to it, hashes are kept as long as a document's bytes
are the same, and what is new is hashed between requests.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING

from tests.testbed.aql.hashing import seed_of

if TYPE_CHECKING:
    from tests.testbed.collection import Collection
    from tests.testbed.model import Deployment

Mode = tuple[bool, bool]  # withRevisions, withData
RATE = 500_000.0  # documents a second of emulated time
_PORTION = 250  # documents hashed before other requests get their turn
_KNOWN_PORTION = 20_000
_KEPT = 200_000  # hashes kept of a shard and a mode; larger ones are hashed when they are asked for
_FULL: Mode = (True, True)


def _float(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() else value


_SCAN = json.JSONDecoder(parse_float=_float).scan_once  # type: ignore[attr-defined]
_ENCODER = json.JSONEncoder(sort_keys=True, check_circular=False)
_NESTED = {dict, list}


def document_hash(raw: bytes, *, revisions: bool, data: bool, seed: int) -> int:
    """Hash of one document: its key, its revision if asked, its attributes if asked; 1 and 1.0 are the same.

    `_from` and `_to` are always included (facts §6); `seed` makes versions hash differently (facts §12.11).
    """
    document = _SCAN(raw.decode(), 0)[0]
    document.pop("_id", None)
    if not data:
        document = {name: document[name] for name in ("_key", "_rev", "_from", "_to") if name in document}
    if not revisions:
        document.pop("_rev", None)
    if _NESTED.isdisjoint(map(type, document.values())):
        text = repr(sorted(document.items()))
    else:
        text = _ENCODER.encode(document)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=b"%d" % seed).digest(), "big")


class Hashes:
    """The hashes of one shard's documents in one mode."""

    def __init__(self, mode: Mode, seed: int) -> None:
        self._mode = mode
        self._seed = seed
        self._known: dict[str, tuple[bytes, int]] = {}
        self._complete: tuple[int, int, str | None] | None = None

    def _hash(self, place: str, raw: bytes) -> int:
        revisions, data = self._mode
        value = document_hash(raw, revisions=revisions, data=data, seed=self._seed)
        if len(self._known) < _KEPT:
            self._known[place] = (raw, value)
        return value

    async def total(self, docs: dict[str, bytes]) -> int:
        """XOR over documents, which are given by revision."""
        total = fresh = 0
        for number, (place, raw) in enumerate(list(docs.items())):
            known = self._known.get(place)
            if known is not None and known[0] is raw:
                total ^= known[1]
            else:
                total ^= self._hash(place, raw)
                fresh += 1
            if number % _KNOWN_PORTION == 0 or fresh == _PORTION:
                fresh = 0
                await asyncio.sleep(0)
        self._prune(docs)
        return total

    async def warm(self, docs: dict[str, bytes], limit: int) -> int:
        """Hash up to `limit` documents that are new; answers how many."""
        state = (id(docs), len(docs), next(reversed(docs), None))
        if state == self._complete or len(docs) > _KEPT:
            return 0
        missing = [place for place in docs if place not in self._known]
        for number, place in enumerate(missing[:limit]):
            raw = docs.get(place)
            if raw is not None:
                self._hash(place, raw)
            if number % _PORTION == 0:
                await asyncio.sleep(0)
        if len(missing) <= limit:
            self._complete = state
            self._prune(docs)
        return min(len(missing), limit)

    def _prune(self, docs: dict[str, bytes]) -> None:
        if len(self._known) > min(2 * len(docs) + _KNOWN_PORTION, _KEPT - 1):
            self._known = {place: entry for place, entry in self._known.items() if place in docs}


def hashes(collection: Collection, shard: str, mode: Mode) -> Hashes:
    """The kept hashes of a shard."""
    deployment = collection.deployment
    store: dict[tuple[str, str, Mode], Hashes] = deployment.objects.setdefault("checksums", {})
    place = (collection.database.name, shard, mode)
    if place not in store:
        store[place] = Hashes(mode, seed_of(deployment))
    return store[place]


async def warm(deployment: Deployment, limit: int) -> None:
    """Hash up to `limit` new documents of the leaders, with revisions and data."""
    for database in list(deployment.databases.values()):
        for collection in list(database.collections.values()):
            for shard in collection.shards:
                if limit <= 0:
                    return
                limit -= await hashes(collection, shard.name, _FULL).warm(shard.leader.docs, limit)
