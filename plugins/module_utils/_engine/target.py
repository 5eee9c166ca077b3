# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One write to the target: admitted by the gate, repeated while it can pass, its keys noted when its outcome is
unknown (design §4.5)."""

from __future__ import annotations

import time
from typing import Callable, Protocol, Sequence

from .._core.arango import Coordinators, segment
from .._core.errors import ArangoError, CutoverError, TransportError
from .._core.http import Response
from .packing import Packing
from .patience import Patience, WriteGate, is_fatal, outcome_unknown
from .shards import ShardId

_TIMEOUT = 120.0
_SMALLEST = 32 * 1024
# What a front-end answers to a request that is too big or took too long (design §4.3).
_TOO_BIG = frozenset({413, 502, 504})


class UnknownOutcomes(Protocol):
    """Where keys of requests without an answer are kept."""

    def note(self, shard: ShardId, keys: Sequence[bytes]) -> None:
        """Keep these keys durably before this returns."""


class TooBigError(Exception):
    """The request should be repeated in smaller parts; nothing is known about what it did."""


class BatchSize:
    """How many bytes a request may hold: halved by trouble, grown by success, between limits."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.bytes = largest

    def shrink(self) -> None:
        """The front-end did not bear the last request."""
        self.bytes = max(_SMALLEST, self.bytes // 2)

    def grow(self) -> None:
        """The last request went through."""
        self.bytes = min(self._largest, self.bytes + self.bytes // 8)


class TargetWriter:
    """Requests to the target's coordinators; every writing one goes through ``write``."""

    def __init__(
        self,
        coordinators: Coordinators,
        gate: WriteGate,
        patience: Patience,
        unknown: UnknownOutcomes,
        largest: int,
        packing: Packing,
    ) -> None:
        self.coordinators = coordinators
        self.patience = patience
        self.size = BatchSize(largest)
        self._gate = gate
        self._unknown = unknown
        self._packing = packing

    def write(
        self,
        shard: ShardId,
        keys: Callable[[], Sequence[bytes]],
        method: str,
        path: str,
        *,
        query: dict[str, object],
        data: Sequence[bytes],
        content_type: str = "application/json",
        divisible: bool = False,
    ) -> Response:
        """One writing request on the shard's database, repeated until it is answered.

        Whenever its outcome is unknown, ``keys()`` are noted before it is repeated, and once more after the
        repetitions, since any of them may run late too. Raises ``ArangoError`` of kind ``fatal``, ``TooBigError`` if
        ``divisible``, and ``Stopped``.
        """
        pauses = self.patience.pauses()
        unknown = False
        who = object()
        packed = self._packing.pack(data)
        while True:
            self._gate.enter()
            try:
                began = time.monotonic()
                response = self.coordinators.request(
                    method,
                    path,
                    database=shard.database,
                    query=query,
                    data=packed.data,
                    headers={"Content-Type": content_type, **packed.headers},
                    timeout=_TIMEOUT,
                    idempotent=unknown,
                )
            except CutoverError as error:
                if outcome_unknown(error):
                    unknown = True
                    self._note(shard, keys())
                self.patience.check()
                self._sort(error, who, divisible)
            else:
                self.patience.troubles.end(who)
                if unknown:
                    self._note(shard, keys())
                else:
                    self._packing.sent(packed, time.monotonic() - began, response.sending)
                self.size.grow()
                return response
            finally:
                self._gate.leave()
            self.patience.sleep(pauses.next())

    def _note(self, shard: ShardId, keys: Sequence[bytes]) -> None:
        """Keep keys durably; a full disk is waited for, as nothing may be written after them before (invariant I8)."""
        self.patience.on_disk(lambda: self._unknown.note(shard, keys))

    def _sort(self, error: CutoverError, who: object, divisible: bool) -> None:
        """Raise what repeating cannot cure; return to have the request repeated."""
        status = error.status if isinstance(error, ArangoError) else 0
        slow = isinstance(error, TransportError) and error.outcome_unknown
        if status in _TOO_BIG or slow:
            self.size.shrink()
            if divisible:
                self.patience.troubles.end(who)
                raise TooBigError from error
        if status == 413 or is_fatal(error):
            self.patience.troubles.end(who)
            raise error
        self.patience.troubles.begin(who, error)


def document_path(collection: str) -> str:
    """The path of a collection's documents."""
    return f"/_api/document/{segment(collection)}"
