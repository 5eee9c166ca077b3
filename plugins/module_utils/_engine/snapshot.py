# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading the shards of one database on one DB-Server as of one moment (facts §4)."""

from __future__ import annotations

import itertools
import threading
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Protocol, Sequence

from .._core.arango import Server, segment
from .._core.errors import ArangoError, CutoverError, TransportError
from .._core.http import Response
from .lines import cut_off, is_whole
from .patience import Patience

_TTL = 600
_TIMEOUT = 180.0
_MAX_BODY = 512 * 1024 * 1024
_CONTEXT_LOST = 1600
_COLLECTION_GONE = 1203
# A server ends a batch with the document that reaches the size: what is asked for leaves room for that one, as what is
# larger than a request to the target may be is divided, which takes a copy of it and one more request.
_ASKED_SHARE = 15 / 16
# The size is to end a batch: 10,000, as arangodump asks for, are 3 MB of documents of 300 bytes.
_MOST_DOCUMENTS = 100_000
_DUMP_USER = {"x-arango-dump-auth-user": "cutover"}


class SnapshotBatch(NamedTuple):
    """Bare documents of one shard, one JSON object per line."""

    shard: str
    body: bytes


class SnapshotLostError(Exception):
    """The server has given the snapshot up, or an answer that cannot be asked for again is lost."""


class Snapshot(Protocol):
    """An open snapshot; several threads may read its batches at once."""

    def batches(self) -> Iterator[SnapshotBatch]:
        """What this thread gets; together the threads get everything once. Raises ``SnapshotLostError``."""

    def close(self) -> None:
        """Let the server free it; never raises an error of the server."""


class ParallelDump:
    """``/_api/dump`` (facts §4.3): batches can be asked for again by their number."""

    def __init__(self, server: Server, database: str, identity: str, patience: Patience) -> None:
        self._server = server
        self._database = database
        self._path = segment(identity)
        self._patience = patience
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._ended = False

    @classmethod
    def open(
        cls, server: Server, database: str, shards: Sequence[str], batch_bytes: int, patience: Patience
    ) -> ParallelDump:
        """Take the snapshot; the server's refusal of the whole interface is raised as ``ArangoError``."""
        body = {
            "shards": list(shards),
            "batchSize": batch_bytes,
            "docsPerBatch": _MOST_DOCUMENTS,
            "prefetchCount": 2,
            "parallelism": 2,
            "ttl": _TTL,
        }
        response = server.request(
            "POST", "/_api/dump/start", database=database, body=body, headers=_DUMP_USER, timeout=_TIMEOUT
        )
        identity = response.headers.get("x-arango-dump-id")
        if not identity:
            raise CutoverError("CUT-DATA-14", f"{server.label}: a dump was started without an id", retriable=True)
        return cls(server, database, identity, patience)

    def batches(self) -> Iterator[SnapshotBatch]:
        """See ``Snapshot``."""
        last = 0
        while not self._ended:
            with self._lock:
                number = next(self._numbers)
            response = self._next(number, last)
            last = number
            if response.status == 204:
                self._ended = True
                return
            yield SnapshotBatch(response.headers["x-arango-dump-shard-id"], response.body)
            # Half of all memory would be batches that were copied already.
            del response

    def close(self) -> None:
        """See ``Snapshot``."""
        _free(lambda: self._server.request(
            "DELETE", f"/_api/dump/{self._path}", database=self._database, headers=_DUMP_USER
        ))

    def _next(self, number: int, last: int) -> Response:
        query = {"batchId": number, "lastBatch": last or None}
        try:
            return self._patience.call(lambda: self._ask(query))
        except ArangoError as error:
            if error.error_num == _CONTEXT_LOST or error.status == 404:
                raise SnapshotLostError(error.message) from error
            raise

    def _ask(self, query: Mapping[str, object]) -> Response:
        path = f"/_api/dump/next/{self._path}"
        return _whole(self._server, path, self._server.request(
            "POST",
            path,
            database=self._database,
            query=query,
            headers=_DUMP_USER,
            timeout=_TIMEOUT,
            max_body=_MAX_BODY,
            idempotent=True,
        ))


class BatchDump:
    """Batch and old dump (facts §4.1, §4.2): one reader per shard, and no answer twice."""

    def __init__(self, server: Server, database: str, shards: Sequence[str], chunk_bytes: int, identity: str) -> None:
        self._server = server
        self._database = database
        self._chunk_bytes = chunk_bytes
        self._identity = identity
        self._lock = threading.Lock()
        self._shards = list(shards)

    @classmethod
    def open(cls, server: Server, database: str, shards: Sequence[str], batch_bytes: int) -> BatchDump:
        """Take the snapshot."""
        answer: Any = server.json(
            "POST", "/_api/replication/batch", database=database, body={"ttl": _TTL}, timeout=_TIMEOUT
        )
        return cls(server, database, shards, batch_bytes, str(answer["id"]))

    def batches(self) -> Iterator[SnapshotBatch]:
        """See ``Snapshot``."""
        while True:
            with self._lock:
                if not self._shards:
                    return
                shard = self._shards.pop(0)
            yield from self._of(shard)

    def close(self) -> None:
        """See ``Snapshot``."""
        path = f"/_api/replication/batch/{segment(self._identity)}"
        _free(lambda: self._server.request("DELETE", path, database=self._database))

    def _of(self, shard: str) -> Iterator[SnapshotBatch]:
        more = True
        while more:
            response = self._next(shard)
            more = response.status != 204 and response.headers.get("x-arango-replication-checkmore") == "true"
            if response.body:
                yield SnapshotBatch(shard, response.body)
            del response

    def _next(self, shard: str) -> Response:
        query = {"collection": shard, "batchId": self._identity, "chunkSize": self._chunk_bytes, "useEnvelope": False}
        try:
            return _whole(self._server, "/_api/replication/dump", self._server.request(
                "GET",
                "/_api/replication/dump",
                database=self._database,
                query=query,
                timeout=_TIMEOUT,
                max_body=_MAX_BODY,
                # Each call moves the server's reader on: one that got lost must not be repeated.
                idempotent=False,
            ))
        except (TransportError, ArangoError) as error:
            raise SnapshotLostError(error.message) from error


class Snapshots:
    """Opens snapshots, by the old interface where a server does not have the new one."""

    def __init__(self, batch_bytes: int) -> None:
        """``batch_bytes`` is about the most that a batch is to hold."""
        self._batch_bytes = int(batch_bytes * _ASKED_SHARE)
        self._old: set[str] = set()

    def open(
        self, server_id: str, server: Server, database: str, shards: Sequence[str], patience: Patience
    ) -> Snapshot:
        """A snapshot of these shards; raises ``SnapshotLostError`` when one of them does not exist."""
        try:
            if server_id not in self._old:
                try:
                    return patience.call(
                        lambda: ParallelDump.open(server, database, shards, self._batch_bytes, patience)
                    )
                except ArangoError as error:
                    if error.error_num == _COLLECTION_GONE:
                        raise
                    self._old.add(server_id)
            return patience.call(lambda: BatchDump.open(server, database, shards, self._batch_bytes))
        except ArangoError as error:
            raise SnapshotLostError(error.message) from error


def _whole(server: Server, path: str, response: Response) -> Response:
    """The answer; raises ``TransportError`` when its last line is cut."""
    if not is_whole(response.body):
        raise cut_off(server.label, path)
    return response


def _free(call: Callable[[], object]) -> None:
    try:
        call()
    except CutoverError:
        # It expires by itself.
        return
