# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading keys, revisions and single documents of either side through its coordinators."""

from __future__ import annotations

import json
from typing import Any, Iterator, Mapping, Optional, Sequence

from .._core.arango import Coordinators, segment
from .._core.errors import ArangoError, CutoverError
from .marker import Marker, array_elements, document_key
from .patience import Patience, is_fatal
from .target import document_path

_PAGE = 2000
# Whole documents may be large.
_DOCUMENTS = 100
_CURSOR_LOST = 1600
_TIMEOUT = 120.0
_ALL = "FOR d IN @@c RETURN [d._key, d._rev]"
_SOME = "FOR d IN @@c FILTER d._key IN @keys RETURN [d._key, d._rev]"
_ALL_DOCUMENTS = "FOR d IN @@c RETURN d"
_SOME_DOCUMENTS = "FOR d IN @@c FILTER d._key IN @keys RETURN d"
_DOCUMENT_BODY = 256 * 1024 * 1024
Revisions = dict[str, list[str]]


class Reader:
    """Reads one cluster; calls are repeated until they are answered."""

    def __init__(self, coordinators: Coordinators, patience: Patience) -> None:
        self._coordinators = coordinators
        self._patience = patience

    def revisions(self, database: str, collection: str, keys: Sequence[str]) -> Revisions:
        """The revisions of these keys; a key can have several where shards are not determined by it."""
        found: Revisions = {}
        for start in range(0, len(keys), _PAGE):
            bind: dict[str, object] = {"@c": collection, "keys": list(keys[start : start + _PAGE])}
            for key, revision in self._some(database, _SOME, bind, _PAGE):
                found.setdefault(str(key), []).append(str(revision))
        return found

    def documents(self, database: str, collection: str, keys: Sequence[str]) -> Iterator[list[Mapping[str, Any]]]:
        """The documents of these keys, parsed, some at a time; a key can have several."""
        for start in range(0, len(keys), _DOCUMENTS):
            bind: dict[str, object] = {"@c": collection, "keys": list(keys[start : start + _DOCUMENTS])}
            yield self._some(database, _SOME_DOCUMENTS, bind, _DOCUMENTS)

    def keys(self, database: str, collection: str) -> Iterator[list[tuple[str, str]]]:
        """All keys with their revisions, page by page; some come again when a pass had to begin anew."""
        for page in self._passes(database, _ALL, collection, _PAGE):
            yield [(str(row[0]), str(row[1])) for row in page]

    def all_documents(self, database: str, collection: str) -> Iterator[list[Mapping[str, Any]]]:
        """All documents, parsed, page by page; see ``keys``."""
        return self._passes(database, _ALL_DOCUMENTS, collection, _DOCUMENTS)

    def _passes(self, database: str, query: str, collection: str, size: int) -> Iterator[list[Any]]:
        """A page whose answer was lost is gone with its cursor, so any error means a new pass."""
        pauses = self._patience.pauses()
        while True:
            try:
                yield from self._pages(database, query, {"@c": collection}, size, stream=True)
            except CutoverError as error:
                if is_fatal(error) and not (isinstance(error, ArangoError) and error.error_num == _CURSOR_LOST):
                    raise
                self._patience.troubles.begin(self, error)
                self._patience.sleep(pauses.next())
            else:
                self._patience.troubles.end(self)
                return

    def document(self, database: str, collection: str, key: str) -> Optional[Marker]:
        """A document as an insert with its own bytes (key, revision and data), None when it is not there."""
        response = self._patience.call(
            lambda: self._coordinators.request(
                "PUT",
                document_path(collection),
                database=database,
                query={"onlyget": True},
                body=[key],
                timeout=_TIMEOUT,
                max_body=_DOCUMENT_BODY,
                idempotent=True,
            )
        )
        for raw in array_elements(response.body):
            parsed = json.loads(raw)
            if document_key(raw) is not None and parsed.get("error") is not True:
                return as_insert(raw)
        return None

    def _some(self, database: str, query: str, bind: dict[str, object], size: int) -> list[Any]:
        return self._patience.call(
            lambda: [row for page in self._pages(database, query, bind, size, stream=False) for row in page]
        )

    def _pages(
        self, database: str, query: str, bind: dict[str, object], size: int, stream: bool
    ) -> Iterator[list[Any]]:
        body = {"query": query, "bindVars": bind, "batchSize": size, "options": {"stream": stream}, "ttl": 120}
        answer = self._cursor(database, "/_api/cursor", body)
        while True:
            yield answer["result"]
            if not answer.get("hasMore"):
                return
            answer = self._cursor(database, f"/_api/cursor/{segment(str(answer['id']))}", None)

    def _cursor(self, database: str, path: str, body: object) -> dict[str, Any]:
        answer = self._coordinators.json(
            "POST", path, database=database, body=body, timeout=_TIMEOUT, max_body=_DOCUMENT_BODY
        )
        return dict(answer)


def as_insert(raw: bytes) -> Marker:
    """A document's own text as the insert of it."""
    parsed = json.loads(raw)
    key, revision = str(parsed["_key"]).encode("utf-8"), str(parsed["_rev"]).encode("utf-8")
    return Marker(0, 2300, key=key, rev=revision, data=raw)
