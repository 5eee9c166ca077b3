# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writing snapshot batches: ``restore-data`` with undecoded bodies, else the bulk document API (design §4.3)."""

from __future__ import annotations

import threading
from typing import Callable, Iterator, Sequence

from .._core.errors import ArangoError
from .._core.retry import GONE
from .bulk import Refused, insert_all, slices
from .exactness import ExactNumbers
from .likeness import Likeness
from .marker import Marker, document_key
from .reads import Reader, as_insert
from .shards import ShardPlan
from .target import TargetWriter, TooBigError

_CONTENT_TYPE = "application/x-arango-dump"


class Restorer:
    """Copies documents with their revisions, whatever way this target keeps them, or without where it makes its own.

    The first document that is restored in either way is read back: where its revision was not kept, or kept though it
    should not be, everything goes by the bulk document API from then on (facts §12, reading 9).
    """

    def __init__(
        self,
        writer: TargetWriter,
        target: Reader,
        refuse: Callable[[ShardPlan, Refused], None],
        largest: int,
        exact: ExactNumbers,
    ) -> None:
        self._writer = writer
        self._target = target
        self._refuse = refuse
        self._largest = largest
        self._exact = exact
        self._probing = threading.Lock()
        self._obeys: dict[Likeness, bool] = {}

    def restore(self, plan: ShardPlan, body: bytes) -> None:
        """Write the documents of one shard, one per line; what the target refuses is reported by key."""
        body = self._exact.body(plan, body)
        if plan.likeness not in self._obeys:
            with self._probing:
                if plan.likeness not in self._obeys:
                    self._probe(plan, body)
        for part in parts(body, self._writer.size.bytes):
            self._part(plan, part)

    def _probe(self, plan: ShardPlan, body: bytes) -> None:
        line = next(_lines(body), None)
        if line is None:
            return
        try:
            self._send(plan, line)
        except (ArangoError, TooBigError):
            # This document is refused for a reason of its own: the next batch tells.
            return
        wanted = as_insert(line)
        found = self._target.document(plan.id.database, plan.collection, wanted.key.decode("utf-8"))
        kept = found is not None and found.rev == wanted.rev
        self._obeys[plan.likeness] = found is not None and kept is plan.likeness.keeps_revisions

    def _part(self, plan: ShardPlan, part: bytes) -> None:
        if self._obeys.get(plan.likeness) is False:
            self._document_by_document(plan, part)
            return
        try:
            self._send(plan, part)
        except TooBigError:
            if part.count(b"\n", 0, len(part) - 1) == 0:
                self._document_by_document(plan, part)
                return
            for half in parts(part, max(1, len(part) // 2)):
                self._part(plan, half)
        except ArangoError as error:
            if error.error_num in GONE:
                raise
            # Only the first refusal is named (facts §7.4): the bulk API names each by its position.
            self._document_by_document(plan, part)

    def _send(self, plan: ShardPlan, part: bytes) -> None:
        self._writer.write(
            plan.id,
            lambda: [key for key in map(document_key, _lines(part)) if key is not None],
            "PUT",
            "/_api/replication/restore-data",
            query={
                "collection": plan.collection,
                "preserveRevisionIds": plan.likeness.keeps_revisions,
                "useEnvelope": False,
            },
            data=[part],
            content_type=_CONTENT_TYPE,
            divisible=True,
        )

    def _document_by_document(self, plan: ShardPlan, part: bytes) -> None:
        inserts: Sequence[Marker] = [as_insert(line) for line in _lines(part)]
        for some in slices(inserts, lambda marker: len(marker.data), self._writer.size.bytes, self._largest):
            for refused in insert_all(self._writer, plan, some, self._largest):
                self._refuse(plan, refused)


def parts(body: bytes, limit: int) -> Iterator[bytes]:
    """The body divided at line ends into parts of at most ``limit`` bytes; a longer line is a part of its own."""
    start = 0
    while start < len(body):
        end = len(body)
        if end - start > limit:
            end = body.rfind(b"\n", start, start + limit) + 1
            if not end:
                end = body.find(b"\n", start + limit) + 1 or len(body)
        yield body[start:end]
        start = end


def _lines(body: bytes) -> Iterator[bytes]:
    return (line for line in body.split(b"\n") if line)
