# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal: one small collection in the target's ``_system``, the only truth about a migration (design §4.8).

Every document is changed by compare-and-set on its ``_rev``. Each write carries an id of its own: when an answer is
lost, the same write is sent again, and a refusal is told apart from one's own success by that id. A lost request that
runs later is refused by the revision.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, Protocol

from .._core.arango import Coordinators, segment
from .._core.clock import Backoff, Deadline
from .._core.errors import ArangoError, CutoverError, TransportError
from .._core.retry import call_with_retry

SCHEMA = 1
DATABASE = "_system"
NAMES = ("_cutover", "cutover_journal")
# With the collection in which the target's key generators are tried: nothing of these is ever migrated or compared.
OWN = (*NAMES, *(f"{name}_keys" for name in NAMES))
_WRITE_ID = "write_id"
_NO_DOCUMENT, _NO_COLLECTION = 1202, 1203
_CONFLICTS = frozenset({1200, 1210, _NO_DOCUMENT})
_ANSWER_TIMEOUT = 20.0


@dataclass(frozen=True)
class Entry:
    """A journal document: its values, and the revision that the next change must name."""

    body: dict[str, Any]
    rev: str


class JournalConflictError(CutoverError):
    """The document is not in the state that was expected; ``current`` is what is there now (None: nothing)."""

    def __init__(self, key: str, current: Optional[Entry]) -> None:
        super().__init__("CUT-JOURNAL-2", f"the journal document {key} was changed by someone else", retriable=True)
        self.current = current


class Store(Protocol):
    """What lease, decision record and checkpoints need of a journal."""

    def read(self, key: str) -> Optional[Entry]:
        """The document, or None."""

    def create(self, key: str, body: Mapping[str, Any]) -> Entry:
        """Make a new document; raises ``JournalConflictError`` if there is one."""

    def replace(self, key: str, body: Mapping[str, Any], rev: str) -> Entry:
        """Replace the document if its revision is still ``rev``; raises ``JournalConflictError`` otherwise."""


def definition(name: str, copies: int) -> dict[str, Any]:
    """What a journal's collection is made with."""
    return {
        "name": name,
        "isSystem": name.startswith("_"),
        "waitForSync": True,
        "numberOfShards": 1,
        "replicationFactor": copies,
        "writeConcern": copies,
    }


class Journal:
    """The journal of one target. Every call repeats what passes by itself for at most ``patience`` seconds."""

    def __init__(
        self,
        target: Coordinators,
        collection: str,
        *,
        patience: float = 30.0,
        answer_timeout: float = _ANSWER_TIMEOUT,
    ) -> None:
        self._target = target
        self.collection = collection
        self._path = f"/_api/document/{segment(collection)}"
        self._patience = patience
        self._answer_timeout = answer_timeout
        self.stop = threading.Event()

    @classmethod
    def find(cls, target: Coordinators, timeout: float = _ANSWER_TIMEOUT) -> Optional[Journal]:
        """The journal that is there, or None. Writes nothing."""
        for name in NAMES:
            try:
                target.json("GET", f"/_api/collection/{segment(name)}", database=DATABASE, timeout=timeout)
                return cls(target, name)
            except ArangoError as error:
                if error.error_num != _NO_COLLECTION and error.status != 404:
                    raise
        return None

    @classmethod
    def open(cls, target: Coordinators, *, patience: float, stop: threading.Event) -> Journal:
        """The journal that must be there, for a caller in a hurry: no call takes longer than ``patience`` seconds.

        Raises CUT-JOURNAL-4, or what the target answered.
        """
        found = cls.find(target, patience)
        if found is None:
            raise CutoverError("CUT-JOURNAL-4", "the target holds no journal")
        journal = cls(target, found.collection, patience=patience, answer_timeout=patience)
        journal.stop = stop
        return journal

    @classmethod
    def ensure(cls, target: Coordinators, dbservers: int) -> Journal:
        """The journal that is there, or a new one, kept on two servers where there are two. Raises CUT-JOURNAL-1."""
        found = cls.find(target)
        if found is not None:
            return found
        problem: Optional[CutoverError] = None
        copies = 2 if dbservers >= 2 else 1
        for name in NAMES:
            body = definition(name, copies)
            try:
                target.json("POST", "/_api/collection", database=DATABASE, body=body, idempotent=True)
                return cls(target, name)
            except ArangoError as error:
                if error.error_num == 1207:
                    return cls(target, name)
                problem = error
                if error.retriable:
                    break
        raise CutoverError(
            "CUT-JOURNAL-1",
            f"the journal cannot be made in the target's database _system: {problem}",
            retriable=problem is not None and problem.retriable,
        ) from problem

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            return call_with_retry(
                lambda: self._target.json(
                    method, path, database=DATABASE, timeout=self._answer_timeout, idempotent=True, **options
                ),
                Deadline(self._patience),
                self.stop,
                idempotent=True,
                backoff=Backoff(0.1, 2.0),
            )
        except ArangoError as error:
            if error.error_num != _NO_COLLECTION:
                raise
            # It was there: nothing is known now, which is not to say that it knows of nothing.
            text = f"the journal {self.collection} is not on the target any more: {error.message}"
            raise CutoverError("CUT-JOURNAL-4", text, retriable=True) from error

    def read(self, key: str) -> Optional[Entry]:
        """See ``Store``. Raises CUT-JOURNAL-3 for a document of a newer schema, CUT-JOURNAL-4 without a journal."""
        try:
            document = self._call("GET", f"{self._path}/{segment(key)}")
        except ArangoError as error:
            if error.error_num == _NO_DOCUMENT:
                return None
            raise
        schema = document.get("schema", SCHEMA)
        if not isinstance(schema, int) or schema > SCHEMA:
            raise CutoverError("CUT-JOURNAL-3", f"the journal document {key} has the schema {schema}, not {SCHEMA}")
        body = {name: value for name, value in document.items() if name not in ("_key", "_id", "_rev")}
        return Entry(body, str(document["_rev"]))

    def create(self, key: str, body: Mapping[str, Any]) -> Entry:
        """See ``Store``."""
        stamped = {**body, "schema": SCHEMA, _WRITE_ID: uuid.uuid4().hex}
        return self._write(key, stamped, "POST", self._path, {"body": {**stamped, "_key": key}})

    def replace(self, key: str, body: Mapping[str, Any], rev: str) -> Entry:
        """See ``Store``."""
        stamped = {**body, "schema": SCHEMA, _WRITE_ID: uuid.uuid4().hex}
        options = {"body": stamped, "headers": {"If-Match": f'"{rev}"'}}
        return self._write(key, stamped, "PUT", f"{self._path}/{segment(key)}", options)

    def _write(self, key: str, body: dict[str, Any], method: str, path: str, options: dict[str, Any]) -> Entry:
        try:
            answer = self._call(method, path, **options)
            return Entry(body, str(answer["_rev"]))
        except (ArangoError, TransportError) as error:
            if not isinstance(error, ArangoError) or error.error_num not in _CONFLICTS:
                raise
            current = self.read(key)
            if current is not None and current.body.get(_WRITE_ID) == body[_WRITE_ID]:
                return current
            raise JournalConflictError(key, current) from error


class Record:
    """A journal document that only the holder of the lease writes; its revision is remembered between writes."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self.key = key
        self._entry: Optional[Entry] = None
        self._read = False

    def load(self) -> dict[str, Any]:
        """The values as they are on the target now; empty when there is no such document."""
        self._entry = self._store.read(self.key)
        self._read = True
        return dict(self._entry.body) if self._entry else {}

    @property
    def values(self) -> dict[str, Any]:
        """The values as last read or written."""
        return dict(self._entry.body) if self._entry else {}

    @property
    def rev(self) -> Optional[str]:
        """The revision as last read or written: the target's own clock at that moment (facts §5.9)."""
        return self._entry.rev if self._entry else None

    def save(self, body: Mapping[str, Any]) -> None:
        """Write the whole document. Raises ``JournalConflictError`` when somebody else has written it.

        Then a former owner's request has come late. The values that the holder knows stay valid: the next ``save``,
        before which the lease is checked again, replaces what was written.
        """
        if not self._read:
            self.load()
        try:
            if self._entry is None:
                self._entry = self._store.create(self.key, body)
            else:
                self._entry = self._store.replace(self.key, body, self._entry.rev)
        except JournalConflictError as error:
            self._entry = None if error.current is None else Entry(self.values, error.current.rev)
            raise

    def update(self, **values: Any) -> None:
        """Write the document with some values changed."""
        self.save({**self.values, **values})
