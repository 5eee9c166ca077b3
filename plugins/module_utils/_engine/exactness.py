# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents of old sources, which print large doubles as rounded integers, read again as VelocyPack (facts §5.8).

In the logs nothing but JSON can be had there, so whatever looks like such a number is read by its key. A document that
has changed since stays as it was printed: the marker of that change comes, and then it is the one that is read.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Mapping, Optional, Sequence

from .._core import velocypack
from .._core.arango import Coordinators
from .._core.errors import ArangoError
from .._core.retry import GONE
from .bulk import slices
from .findings import Finding
from .marker import Marker
from .patience import Patience
from .precheck.measure import version_of
from .reads import as_insert
from .shards import ShardPlan
from .target import document_path

_CONTENT_TYPE = "application/x-velocypack"
# From 2^53 on integers have 16 digits; in a text this costs one reading too many, and nothing else.
_SUSPECT = re.compile(rb"[:,\[] ?-?[0-9]{16,} ?[,}\]]")
_BYTES_AT_ONCE = 8 * 1024 * 1024
_DOCUMENTS_AT_ONCE = 100
_TIMEOUT = 120.0
_MOST_BYTES = 256 * 1024 * 1024
Exact = dict[tuple[bytes, bytes], bytes]


def prints_exactly(version: str) -> bool:
    """Whether a server of this version prints every number so that it can be read back; unknown ones do not."""
    try:
        number = version_of(version)
    except ValueError:
        return False
    return number >= (3, 12, 3) or (3, 11, 12) <= number < (3, 12, 0)


class ExactNumbers:
    """Puts exact documents in the place of printed ones; where the source is exact it does nothing."""

    def __init__(
        self, source: Coordinators, patience: Patience, report: Callable[[Finding], None], *, needed: bool
    ) -> None:
        self._source = source
        self._patience = patience
        self._report = report
        self._needed = needed

    def markers(self, plan: ShardPlan, inserts: Sequence[Marker]) -> Sequence[Marker]:
        """Inserts as a log or a snapshot has them, with the bytes of what the source really holds."""
        suspects = [marker for marker in inserts if _SUSPECT.search(marker.data)] if self._needed else []
        if not suspects:
            return inserts
        exact: Exact = {}
        for some in slices(suspects, lambda marker: len(marker.data), _BYTES_AT_ONCE, _DOCUMENTS_AT_ONCE):
            exact.update(self._read(plan, some))
        return [_exactly(marker, exact.get((marker.key, marker.rev))) for marker in inserts]

    def body(self, plan: ShardPlan, body: bytes) -> bytes:
        """The same for the lines of a snapshot."""
        if not self._needed or not _SUSPECT.search(body):
            return body
        lines = body.split(b"\n")
        suspects = [number for number, line in enumerate(lines) if _SUSPECT.search(line)]
        for number, marker in zip(suspects, self.markers(plan, [as_insert(lines[number]) for number in suspects])):
            lines[number] = marker.data
        return b"\n".join(lines)

    def _read(self, plan: ShardPlan, inserts: Sequence[Marker]) -> Exact:
        keys = [marker.key.decode("utf-8") for marker in inserts]
        try:
            response = self._patience.call(
                lambda: self._source.request(
                    "PUT", document_path(plan.collection), database=plan.id.database, query={"onlyget": True},
                    body=keys, headers={"Accept": _CONTENT_TYPE}, timeout=_TIMEOUT, max_body=_MOST_BYTES,
                    idempotent=True,
                )
            )
        except ArangoError as error:
            if error.error_num in GONE:
                return {}
            raise
        try:
            found = velocypack.loads(response.body)
            return dict(item for item in map(_exact, found) if item is not None)
        except (ValueError, TypeError, KeyError) as error:
            if len(inserts) > 1:
                middle = len(inserts) // 2
                return {**self._read(plan, inserts[:middle]), **self._read(plan, inserts[middle:])}
            self._tell(plan, inserts[0], error)
            return {}

    def _tell(self, plan: ShardPlan, marker: Marker, error: Exception) -> None:
        self._report(
            Finding(
                "CUT-DATA-15", "error", f"{plan.id.database}/{plan.collection}",
                f"the source rounds a large number of this document, and its exact form cannot be read: {error}",
                "Compare the document on both sides, or upgrade the source to 3.11.12, 3.12.3 or newer; then write it "
                "again on the source, or accept it.",
                key=marker.key.decode("utf-8", "replace"),
            )
        )


def _exactly(marker: Marker, exact: Optional[bytes]) -> Marker:
    """The marker with the exact document, and with its own text where that was exact, as whole numbers are."""
    if exact is None or repr(json.loads(exact)) == repr(json.loads(marker.data)):
        return marker
    return marker._replace(data=exact)


def _exact(document: Mapping[str, Any]) -> Optional[tuple[tuple[bytes, bytes], bytes]]:
    """Key, revision and JSON of a document; None for the error that stands for one which is not there."""
    if document.get("error") is True and "_rev" not in document:
        return None
    identity = (document["_key"].encode("utf-8"), document["_rev"].encode("utf-8"))
    named = {name: value for name, value in document.items() if name != "_id" or value is not None}
    return identity, json.dumps(named, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
