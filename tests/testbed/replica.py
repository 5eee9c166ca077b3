# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documents of one shard on one server.

They are kept by revision, beside the primary index key → revision, as the storage engine does: two documents with one
revision in a shard silently overwrite each other (facts §5.9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Union

from tests.testbed import hlc
from tests.testbed.wal_markers import INSERT

if TYPE_CHECKING:
    from tests.testbed.model import Server

Version = tuple[str, bytes]  # revision and raw document
Operation = tuple[int, str, str, bytes]  # kind, key, revision, raw document or marker data


class Insertions(NamedTuple):
    """Documents that are stored, by column: making objects of each takes longer."""

    keys: list[str]
    revisions: list[str]
    raws: list[bytes]


Operations = list[Union[Operation, Insertions]]


class Replica:
    """One shard on one server."""

    __slots__ = ("_by_revision", "_last", "_serial", "docs", "in_order", "keys", "server")

    def __init__(self, server: Server, by_revision: bool) -> None:
        self.server = server
        self.docs: dict[str, bytes] = {}
        self.keys: dict[str, str] = {}
        self.in_order = by_revision  # whether the documents certainly stand in the order of their revisions
        self._by_revision = by_revision
        self._last = ""
        self._serial = 0

    def get(self, key: str) -> Version | None:
        """Revision and raw document of a key; None also where a clash has torn the document away."""
        place = self.keys.get(key)
        if place is None:
            return None
        raw = self.docs.get(place)
        return None if raw is None else (place.partition("\0")[0], raw)

    def put(self, key: str, revision: str, raw: bytes) -> None:
        """Write a document; the one stored under its revision, if any, is gone."""
        if not self._by_revision:
            self._serial += 1
            revision = f"{revision}\0{self._serial}"
        old = self.keys.get(key)
        if old is not None and old != revision:
            self.docs.pop(old, None)
        self.docs[revision] = raw
        self.keys[key] = revision
        self._note_order([revision])

    def _note_order(self, revisions: list[str]) -> None:
        """Documents were added with these revisions."""
        if self.in_order and revisions:
            self.in_order = hlc.is_ordered([self._last, *revisions] if self._last else revisions)
            self._last = revisions[-1]

    def remove(self, key: str) -> None:
        """Remove a key and the document stored under its revision."""
        place = self.keys.pop(key, None)
        if place is not None:
            self.docs.pop(place, None)

    def apply(self, operations: Operations) -> None:
        """Carry out insertions and removals."""
        docs, keys, by_revision = self.docs, self.keys, self._by_revision
        added: list[str] = []
        for operation in operations:
            if isinstance(operation, Insertions):
                self._note_order(added)
                added = []
                self._insert(operation)
                continue
            kind, key, revision, raw = operation
            if kind != INSERT:
                self.remove(key)
            elif by_revision and key not in keys:
                docs[revision] = raw
                keys[key] = revision
                added.append(revision)
            else:
                self._note_order(added)
                added = []
                self.put(key, revision, raw)
        self._note_order(added)

    def _insert(self, documents: Insertions) -> None:
        if self._by_revision and self.keys.keys().isdisjoint(documents.keys):
            self.docs.update(zip(documents.revisions, documents.raws))
            self.keys.update(zip(documents.keys, documents.revisions))
            self._note_order(documents.revisions)
            return
        for key, revision, raw in zip(*documents):
            self.put(key, revision, raw)

    def clear(self) -> None:
        """Remove everything; snapshots taken before keep their documents."""
        self.docs = {}
        self.keys = {}
        self.in_order = self._by_revision
        self._last = ""

    def snapshot(self) -> list[tuple[str, bytes]]:
        """Revisions and documents now, in the engine's order (by revision, facts §4.2)."""
        return sorted(self.docs.items(), key=lambda item: hlc.sort_key(item[0].partition("\0")[0]))

    def copy_from(self, other: Replica) -> None:
        """Take over the content of another replica (initial synchronisation of a follower)."""
        self.docs = dict(other.docs)
        self.keys = dict(other.keys)
        self._serial = other._serial
        self.in_order, self._last = other.in_order, other._last
