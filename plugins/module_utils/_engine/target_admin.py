# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Definitions on the target: made, changed and dropped so that every call can be repeated (facts §3, §7.1 to §7.3)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional, TypeVar

from .._core.arango import Coordinators, segment
from .._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from .._core.errors import ArangoError, CutoverError, TransportError
from .._core.retry import call_with_retry
from .dataplane_types import TargetGate
from .mapping import collection_body, database_options, is_unique

Result = TypeVar("Result")

_EXISTS = frozenset({1207})
_MISSING = frozenset({1202, 1203, 1212, 1228})
_TIMEOUT = 60.0
# Longer than any front-end waits: an index build whose answer is lost is found by looking for the index.
_INDEX_TIMEOUT = 600.0


class TargetAdmin:
    """Changes the target's definitions. Each call is repeated while the error passes by itself, for ``patience`` s.

    A database is dropped by name, and a lost request could drop the next one of that name: it is not made again
    before ``settle`` seconds have passed. Collections are dropped by id, so that this cannot happen to them.
    """

    def __init__(
        self,
        target: Coordinators,
        gate: TargetGate,
        *,
        settle: float,
        patience: float = 60.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.target = target
        self._gate = gate
        self._settle = settle
        self._patience = patience
        self._clock = clock
        self._not_before: dict[str, float] = {}
        self.stop = threading.Event()

    def _repeat(self, call: Callable[[], Result], deadline: Optional[Deadline] = None) -> Result:
        def guarded() -> Result:
            self._gate.check()
            return call()

        return call_with_retry(
            guarded, deadline or Deadline(self._patience), self.stop, idempotent=True, backoff=Backoff(0.1, 3.0)
        )

    def _send(self, method: str, path: str, database: str, *, timeout: float = _TIMEOUT, **options: Any) -> Any:
        return self._repeat(
            lambda: self.target.json(
                method, path, database=database, timeout=timeout, idempotent=True, **options
            )
        )

    def _make(self, method: str, path: str, database: str, **options: Any) -> bool:
        """True when made, False when something of that name is there already."""
        try:
            self._send(method, path, database, **options)
            return True
        except ArangoError as error:
            if error.error_num in _EXISTS:
                return False
            raise

    def _remove(self, path: str, database: str, **options: Any) -> None:
        try:
            self._send("DELETE", path, database, **options)
        except ArangoError as error:
            if error.error_num not in _MISSING:
                raise

    def create_database(self, name: str, properties: Mapping[str, Any]) -> bool:
        """False when it is there already. Raises CUT-SCHEMA-3 (retriable) while a lost drop may still run."""
        wait = self._not_before.get(name, 0.0) - self._clock.monotonic()
        if wait > 0:
            raise CutoverError(
                "CUT-SCHEMA-3",
                f"the database {name} is made again in {wait:.0f} s, when a lost request to drop it has certainly run",
                retriable=True,
            )
        body = {"name": name, "options": database_options(properties)}
        return self._make("POST", "/_api/database", "_system", body=body)

    def drop_database(self, name: str) -> None:
        """Drop; a database that is not there counts as dropped."""
        path = f"/_api/database/{segment(name)}"

        def drop() -> None:
            try:
                # Not by another coordinator: nobody would know that the answer of the first one was lost.
                self.target.json("DELETE", path, database="_system", timeout=_TIMEOUT, idempotent=False)
            except (ArangoError, TransportError) as error:
                if error.outcome_unknown:
                    self._not_before[name] = self._clock.monotonic() + self._settle
                if not isinstance(error, ArangoError) or error.error_num not in _MISSING:
                    raise

        self._repeat(drop)

    def await_lost_drops(self, *, of_former: bool = False) -> None:
        """Wait until no request to drop a database whose answer was lost can run any more.

        ``of_former``: an agent that ended in the middle may have lost one, too. Raises CUT-SCHEMA-3 when it is stopped
        before: what comes after the wait must not be done.
        """
        now = self._clock.monotonic()
        wait = self._settle if of_former else max(self._not_before.values(), default=now) - now
        if wait > 0 and self.stop.wait(wait):
            text = "stopped while a lost request to drop a database may still run"
            raise CutoverError("CUT-SCHEMA-3", text, retriable=True)

    def create_collection(self, database: str, parameters: Mapping[str, Any]) -> bool:
        """False when a collection of that name is there already."""
        body = {"parameters": collection_body(parameters), "indexes": []}
        query = {"overwrite": False, "force": False}
        return self._make("PUT", "/_api/replication/restore-collection", database, body=body, query=query)

    def properties(self, database: str, collection: str) -> dict[str, Any]:
        """Properties of a collection, with its ``id``."""
        answer = self._send("GET", f"/_api/collection/{segment(collection)}/properties", database)
        return dict(answer)

    def set_properties(self, database: str, collection: str, values: Mapping[str, Any]) -> None:
        """Change some of ``mapping.CHANGEABLE`` and ``mapping.REPLICATION``."""
        self._send("PUT", f"/_api/collection/{segment(collection)}/properties", database, body=dict(values))

    def drop_collection(self, database: str, target_id: str, *, system: bool = False) -> None:
        """Drop by id, so that a lost request can never hit another collection of the same name."""
        query = {"isSystem": True} if system else None
        self._remove(f"/_api/collection/{segment(target_id)}", database, query=query)

    def create_indexes(self, database: str, collection: str, indexes: Sequence[Mapping[str, Any]]) -> None:
        """Make indexes that a new collection needs; those that are there stay. One request for each: one error each."""
        for index in indexes:
            self.create_index(database, collection, index)

    def create_index(self, database: str, collection: str, index: Mapping[str, Any]) -> None:
        """Make one index, however long that takes."""
        body = {"parameters": {"name": collection}, "indexes": [dict(index)]}
        self._send("PUT", "/_api/replication/restore-indexes", database, body=body, timeout=_INDEX_TIMEOUT)

    def drop_index(self, database: str, collection: str, index_id: str) -> None:
        """Drop by id; an index that is not there counts as dropped."""
        bare = index_id.rpartition("/")[2]
        self._remove(f"/_api/index/{segment(collection)}/{segment(bare)}", database)

    def indexes(self, database: str, collection: str) -> list[dict[str, Any]]:
        """The indexes of a collection, with those that come by themselves; empty when there is no collection."""
        try:
            answer = self._send("GET", "/_api/index", database, query={"collection": collection})
        except ArangoError as error:
            if error.error_num in _MISSING:
                return []
            raise
        return [dict(index) for index in answer["indexes"]]

    def drop_unique_indexes(self, database: str, collection: str) -> None:
        """A collection that is copied anew takes documents in an order in which unique values may meet."""
        for index in self.indexes(database, collection):
            if is_unique(index) and index.get("type") != "primary":
                self.drop_index(database, collection, str(index["id"]))

    def put_view(self, database: str, name: str, definition: Mapping[str, Any]) -> None:
        """Make a view, or make it anew when it is there."""
        body = {**definition, "name": name}
        self._send("PUT", "/_api/replication/restore-view", database, body=body, query={"overwrite": True})

    def drop_view(self, database: str, name: str) -> None:
        """Drop; a view that is not there counts as dropped."""
        self._remove(f"/_api/view/{segment(name)}", database)

    def create_analyzer(self, database: str, name: str, definition: Mapping[str, Any]) -> None:
        """Make an analyzer; the same one again is accepted by the server."""
        self._send("POST", "/_api/analyzer", database, body={**definition, "name": name})

    def drop_analyzer(self, database: str, name: str) -> None:
        """Drop, also when something uses it."""
        self._remove(f"/_api/analyzer/{segment(name)}", database, query={"force": True})
