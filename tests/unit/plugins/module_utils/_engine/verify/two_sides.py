# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A source, a target that follows it with a lag, and the data path between them as the verification sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.revision import encode
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.inspection import CollectionId, Standing
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from tests.unit.front_fake import FakeFront

THINGS: CollectionId = ("db", "10")
Documents = dict[str, tuple[int, int]]
BATCH = 7


class Cluster(FakeFront):
    """One side: revision and content by key. ``reading`` is called before each answer."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.documents: Documents = {}
        self.seed = seed
        self.scans = 0
        self.reading: Callable[[], None] = lambda: None
        self._cursors: dict[str, list[Any]] = {}
        self.on("POST (?:db|_system) /_api/cursor", self._query)
        self.on("POST db /_api/cursor/(.+)", self._more)
        self.on("DELETE db /_api/cursor/(.+)", lambda cursor, **_o: self._cursors.pop(cursor))
        self.on("PUT db /_api/document/things", self._bodies)

    def request(self, method: str, path: str, **options: Any) -> Any:
        """See ``Server``: only cursors are given up in this way."""
        return self.json(method, path, database=options.get("database"))

    def _rows(self, keys: Sequence[str], query: str) -> list[Any]:
        if query.endswith("RETURN d"):
            return [document for document in self._bodies(list(keys)) if "_key" in document]
        hashed = "HASH" in query
        return [
            f"{key}/{encode(self.documents[key][0])}" + (f"/{self.documents[key][1] + self.seed}" if hashed else "")
            for key in keys
            if key in self.documents
        ]

    def _query(self, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        if "@c" not in body["bindVars"]:
            return {"result": [self.seed], "hasMore": False}
        self.reading()
        if "keys" in body["bindVars"]:
            return {"result": self._rows(body["bindVars"]["keys"], body["query"]), "hasMore": False}
        self.scans += 1
        cursor = str(self.scans)
        self._cursors[cursor] = self._rows(list(self.documents), body["query"])
        return self._batch(cursor)

    def _more(self, cursor: str, **_options: Any) -> dict[str, Any]:
        self.reading()
        return self._batch(cursor)

    def _batch(self, cursor: str) -> dict[str, Any]:
        rows = self._cursors[cursor]
        self._cursors[cursor] = rows[BATCH:]
        return {"result": rows[:BATCH], "hasMore": len(rows) > BATCH, "id": cursor}

    def _bodies(self, body: list[str], **_options: Any) -> list[dict[str, Any]]:
        return [
            {"_key": key, "_rev": encode(self.documents[key][0]), "n": self.documents[key][1]}
            if key in self.documents
            else {"error": True, "errorNum": 1202}
            for key in body
        ]


class DataPath:
    """Source, target, and what is on its way. Implements what the verification uses of ``Inspection``."""

    def __init__(self) -> None:
        self.source = Cluster()
        self.target = Cluster()
        self.log: list[tuple[str, tuple[int, int] | None]] = []
        self.calm = True
        self.adopted = True
        self.disturbance = 1
        self.paused = False
        self.reachable = True
        self.in_doubt = False
        self.repairs: list[list[str]] = []
        self.repairing = True
        self.watched = False
        self.likeness = Likeness.REVISION
        self._tick = 1 << 50
        self._observer: Any = lambda collection, keys: None

    def write(self, key: str, content: int | None) -> None:
        """A write on the source; it reaches the target later."""
        self._tick += 1
        if content is None:
            self.source.documents.pop(key, None)
        else:
            self.source.documents[key] = (self._tick, content)
        self.log.append((key, self.source.documents.get(key)))
        if self.watched:
            self._observer(THINGS, {key.encode()})

    def truncate(self) -> None:
        """All at once."""
        self.source.documents.clear()
        self.target.documents.clear()
        self.log.clear()
        self._observer(THINGS, None)

    def apply(self, count: int | None = None) -> None:
        """Some of what is on its way arrives, in order."""
        some, self.log = self.log[:count], self.log[len(self.log) if count is None else count :]
        for key, document in some:
            if document is None:
                self.target.documents.pop(key, None)
            else:
                self.target.documents[key] = self.arrived(document)

    def arrived(self, document: tuple[int, int]) -> tuple[int, int]:
        """As the target has it: perhaps in a revision of its own."""
        if self.likeness.keeps_revisions:
            return document
        self._tick += 1
        return (self._tick, document[1])

    def observe(self, observer: Any) -> None:
        """See ``Inspection``."""
        self._observer = observer

    def standings(self) -> dict[CollectionId, Standing]:
        """See ``Inspection``."""
        return {THINGS: Standing("things", self.calm, self.adopted, self.disturbance, self.likeness)}

    def standing(self, collection: CollectionId) -> Standing | None:
        """See ``Inspection``."""
        return self.standings().get(collection)

    def watch(self, _collection: CollectionId) -> None:
        """See ``Inspection``."""
        self.watched = True

    def ticks(self) -> dict[str, int]:
        """See ``Inspection``."""
        return {"PRMR-a": self._tick}

    def applied(self, _deadline: Deadline) -> bool:
        """See ``Inspection``."""
        if self.reachable:
            self.apply()
        return self.reachable

    def doubtful(self, _collection: CollectionId) -> bool:
        """See ``Inspection``."""
        return self.in_doubt

    def repair(self, _collection: CollectionId, keys: Sequence[bytes]) -> None:
        """See ``Inspection``."""
        names = [key.decode() for key in keys]
        self.repairs.append(names)
        for name in names if self.repairing else ():
            if name in self.source.documents:
                self.target.documents[name] = self.arrived(self.source.documents[name])
            else:
                self.target.documents.pop(name, None)
