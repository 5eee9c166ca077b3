# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Operations on documents inside a transaction, as a leader carries them out (facts §7.5, §7.6)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tests.testbed import document_rules, indexes, keygen, verbatim
from tests.testbed.errors import ArangoError
from tests.testbed.rawjson import Element, build, merge
from tests.testbed.replica import Insertions, Version
from tests.testbed.storage import Shard, ShardWriter, Transaction

if TYPE_CHECKING:
    from tests.testbed.collection import Collection
    from tests.testbed.model import Server

EDGE = 3
Overwrite = Literal["conflict", "replace", "update", "ignore"]


@dataclass(frozen=True)
class WriteOptions:
    """Query parameters of a document write."""

    overwrite: Overwrite = "conflict"
    is_restore: bool = False
    ignore_revs: bool = True
    keep_null: bool = True
    merge_objects: bool = True
    version_attribute: str | None = None


class Outcome(NamedTuple):
    """What an operation did; `old` and `new` are the versions before and after."""

    key: str
    old: Version | None
    new: Version | None

    @property
    def revision(self) -> str:
        """The revision that the answer names: the new one, or the removed one."""
        version = self.new or self.old
        return version[0] if version else ""


DEFAULTS = WriteOptions()


def conflict(collection: Collection, key: str, revision: str) -> ArangoError:
    """A revision that does not match: 412 for a single document, 1200 at a position of an array (facts §7.8)."""
    extra = {"_id": f"{collection.name}/{key}", "_key": key, "_rev": revision}
    return ArangoError(
        1200, "conflict, _rev values do not match", status=412, extra=extra, headers={"etag": f'"{revision}"'}
    )


class Writer:
    """Document operations of one transaction on one collection; `server` is the one that makes keys."""

    def __init__(
        self, transaction: Transaction, collection: Collection, server: Server, options: WriteOptions = DEFAULTS
    ) -> None:
        if collection.has_parts:
            raise ArangoError(9, "documents of smart edge collections are not emulated")
        self.transaction = transaction
        self.collection = collection
        self.server = server
        self.options = options
        self.name_prefix = f"{collection.name}/"
        self.rules = None if options.is_restore else document_rules.of(collection, server)
        self._recogniser = verbatim.Recogniser(collection) if self._keeps_verbatim() else None

    def _keeps_verbatim(self) -> bool:
        """Whether nothing but its head has to be known of a document which is restored."""
        options, collection = self.options, self.collection
        by_key = collection.sharded_by_key or len(collection.shards) == 1
        replaces = options.overwrite == "replace" and options.version_attribute is None
        return options.is_restore and replaces and by_key and not collection.unique_indexes

    def recognise(self, texts: list[bytes]) -> Iterator[Insertions | bytes]:
        """Compact texts in their order: documents that can be kept as they came, and alone what has to be inserted."""
        return iter(texts) if self._recogniser is None else self._recogniser.portions(texts)

    def keep(self, documents: Insertions, *, anew: bool = False) -> Sequence[Outcome | ArangoError]:
        """Write restored documents, `anew` under revisions of their own; an error of `put` is in its place."""
        collection = self.collection
        if anew:
            documents = self._anew(documents)
        if collection.tracks_keys:
            for key in documents.keys:
                collection.keys.observe(key)
        with contextlib.suppress(ArangoError):  # each document has its own
            parts = [(self.transaction.writer(shard), part) for shard, part in self._by_shard(documents)]
            if all(writer.takes_as_new(part) for writer, part in parts):
                for writer, part in parts:
                    writer.insert(part)
                return list(map(Outcome, documents.keys, repeat(None), zip(documents.revisions, documents.raws)))
        return [self._keep(key, (revision, raw)) for key, revision, raw in zip(*documents)]

    def _by_shard(self, documents: Insertions) -> Iterable[tuple[Shard, Insertions]]:
        collection = self.collection
        if len(collection.shards) == 1:
            return [(collection.shards[0], documents)]
        parts: dict[str, tuple[Shard, Insertions]] = {}
        for key, revision, raw in zip(*documents):
            shard = collection.shard_of({}, key)
            keys, revisions, raws = parts.setdefault(shard.name, (shard, Insertions([], [], [])))[1]
            keys.append(key)
            revisions.append(revision)
            raws.append(raw)
        return parts.values()

    def _anew(self, documents: Insertions) -> Insertions:
        clocks = [self.collection.shard_of({}, key).leader.server.clock for key in documents.keys]
        revisions = [clock.tick_text() for clock in clocks]
        raws = list(map(verbatim.with_revision, documents.raws, documents.revisions, revisions))
        return Insertions(documents.keys, revisions, raws)

    def _keep(self, key: str, version: Version) -> Outcome | ArangoError:
        try:
            writer = self.transaction.writer(self.collection.shard_of({}, key))
            old = writer.get(key)
            writer.put(key, *version)
        except ArangoError as error:
            return error
        return Outcome(key, old, version)

    def insert(self, element: Element) -> Outcome:
        """Insert a document, or do with the present one what `overwrite` says; errorNum 1210, 1221, 1222, 1233, 1466.

        The key of a collection that is not sharded by key can only be given when restoring.
        """
        value, options = element.value, self.options
        key = self._key_for_insert(value)
        shard = self.collection.shard_of(value, key)
        writer = self.transaction.writer(shard)
        old = writer.get(key)
        if old is not None:
            if options.overwrite == "ignore":
                return Outcome(key, old, old)
            if options.overwrite == "update":
                return self._update(writer, key, old, element)
            if options.overwrite == "conflict":
                text = "unique constraint violated - in index primary of type primary over '_key'; conflicting key: "
                raise ArangoError(1210, text + key)
            if self._outdated(old, value):
                return Outcome(key, old, (old[0], old[1]))
        return self._store(writer, key, old, element)

    def replace(self, key: str | None, element: Element) -> Outcome:
        """Replace a document; the key comes from the path or the element; errorNum 1200, 1202, 1469."""
        key, writer, old = self._present(key, element.value)
        if self._outdated(old, element.value):
            return Outcome(key, old, (old[0], old[1]))
        return self._store(writer, key, old, element)

    def update(self, key: str | None, element: Element) -> Outcome:
        """Merge an element into a document; errorNum 1200, 1202, 1469."""
        key, writer, old = self._present(key, element.value)
        return self._update(writer, key, old, element)

    def remove(self, selector: object) -> Outcome:
        """Remove a document by key, id or object with `_key` and `_rev`; errorNum 1200, 1202.

        Where the shard is not known from the selector every shard is asked, and each that has the key removes it.
        """
        key, value = self._selector(selector)
        expected = self._expected(value)
        removed: Outcome | None = None
        refused: ArangoError | None = None
        for shard in self._shards(value, key):
            writer = self.transaction.writer(shard)
            old = writer.get(key)
            if old is None:
                continue
            if expected is not None and expected != old[0]:
                refused = conflict(self.collection, key, old[0])
                continue
            self._stage(writer, key, old, None)
            writer.remove(key, old[0])
            removed = removed or Outcome(key, old, None)
        if removed is None:
            raise refused or ArangoError(1202)
        return removed

    def read(self, selector: object) -> tuple[str, Version]:
        """Key and version of a document; errorNum 1200 when the selector's revision is another one, 1202."""
        key, value = self._selector(selector)
        for shard in self._shards(value, key):
            version = self.transaction.writer(shard).get(key)
            if version is not None:
                expected = self._expected(value)
                if expected is not None and expected != version[0]:
                    raise conflict(self.collection, key, version[0])
                return key, version
        raise ArangoError(1202)

    def _key_for_insert(self, value: Mapping[str, Any]) -> str:
        collection = self.collection
        restoring = self.options.is_restore
        if "_key" not in value:
            return collection.keys.next(self.server, tracking=collection.tracks_keys)
        key = value["_key"]
        if not keygen.valid(key):
            raise ArangoError(1221)
        if not restoring:
            if not collection.keys.allow_user_keys:
                raise ArangoError(1222)
            if not collection.sharded_by_key and len(collection.shards) > 1:
                raise ArangoError(1466)
        if collection.tracks_keys:
            collection.keys.observe(key)
        return str(key)

    def _present(self, key: str | None, value: Mapping[str, Any]) -> tuple[str, ShardWriter, Version]:
        if key is None:
            key, value = self._selector(value)
        expected = self._expected(value)
        for shard in self._shards(value, key):
            writer = self.transaction.writer(shard)
            old = writer.get(key)
            if old is None:
                continue
            if expected is not None and expected != old[0]:
                raise conflict(self.collection, key, old[0])
            return key, writer, old
        raise ArangoError(1202)

    def _expected(self, value: Mapping[str, Any]) -> str | None:
        revision = None if self.options.ignore_revs else value.get("_rev")
        return revision if isinstance(revision, str) and revision else None

    def _selector(self, selector: object) -> tuple[str, Mapping[str, Any]]:
        value: Mapping[str, Any] = selector if isinstance(selector, dict) else {}
        key = value.get("_key") or value.get("_id") if isinstance(selector, dict) else selector
        if isinstance(key, str) and "/" in key:
            if not key.startswith(self.name_prefix):
                raise ArangoError(1202)
            key = key[len(self.name_prefix) :]
        if not isinstance(key, str):
            raise ArangoError(1205)
        if not keygen.valid(key):
            raise ArangoError(1202)
        return key, value

    def _shards(self, value: Mapping[str, Any], key: str) -> list[Shard]:
        collection = self.collection
        if not collection.sharded_by_key and all(name == "_key" or name in value for name in collection.shard_keys):
            return [collection.shard_of(value, key)]
        return collection.shards_for_key(key)

    def _update(self, writer: ShardWriter, key: str, old: Version, element: Element) -> Outcome:
        options = self.options
        if self._outdated(old, element.value):
            return Outcome(key, old, (old[0], old[1]))
        before = Element(old[1].decode(), json.loads(old[1]))
        merged = merge(before, element, keep_null=options.keep_null, deep=options.merge_objects)
        return self._store(writer, key, old, merged, "update")

    def _outdated(self, old: Version, value: Mapping[str, Any]) -> bool:
        """Whether the attribute of an external version (3.12) is not larger than the stored document's."""
        name = self.options.version_attribute
        if name is None:
            return False
        versions = [document.get(name) for document in (json.loads(old[1]), value)]
        if not all(isinstance(one, int | float) and not isinstance(one, bool) and one >= 0 for one in versions):
            return False
        before, after = (int(one) for one in versions if one is not None)
        return after <= before

    def _store(
        self, writer: ShardWriter, key: str, old: Version | None, element: Element, operation: str = "replace"
    ) -> Outcome:
        collection = self.collection
        if self.rules is not None:
            element = self.rules.applied(element, "insert" if old is None else operation, old)
        value = element.value
        if old is not None and not collection.sharded_by_key and not self.options.is_restore:
            self._check_shard_keys(json.loads(old[1]), value)
        ends = self._ends(value) if collection.type == EDGE else None
        given = value.get("_rev") if self.options.is_restore else None
        revision = given if isinstance(given, str) and given else writer.clock.tick_text()
        rest = element.rest()
        if ends is None and ("_from" in value or "_to" in value):
            rest = element.rest(("_key", "_id", "_rev"))
        raw = build(collection.name, key, revision, ends, rest)
        self._stage(writer, key, old, value)
        writer.put(key, revision, raw)
        return Outcome(key, old, (revision, raw))

    def _check_shard_keys(self, before: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        collection = self.collection
        if collection.shard_key_values(before, "") != collection.shard_key_values(value, ""):
            raise ArangoError(1469)

    @staticmethod
    def _ends(value: Mapping[str, Any]) -> tuple[str, str]:
        start, end = value.get("_from"), value.get("_to")
        for text in (start, end):
            if not isinstance(text, str) or not all(text.partition("/")[::2]):
                raise ArangoError(1233)
        return str(start), str(end)

    def _stage(self, writer: ShardWriter, key: str, old: Version | None, value: Mapping[str, Any] | None) -> None:
        if self.collection.unique_indexes:
            before = None if old is None else json.loads(old[1])
            indexes.stage(writer, key, before, None if value is None else {**value, "_key": key})
