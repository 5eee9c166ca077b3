# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bulk inserts and removes on the target, with a result for each position (facts §7.5, §7.6)."""

from __future__ import annotations

import json
from typing import Callable, Iterable, Iterator, NamedTuple, Optional, Sequence

from .._core.arango import parse_json
from .._core.errors import ArangoError, CutoverError
from .._core.http import Response
from .._core.retry import GONE, kind
from .marker import Marker
from .shards import ShardPlan
from .target import TargetWriter, TooBigError, document_path

UNIQUE_VIOLATED = 1210
NOT_FOUND = 1202
REVISION_CONFLICT = 1200
_TROUBLE = 500
_TRIES_IN_TROUBLE = 5
_ERROR_CODES = "x-arango-error-codes"
_INSERT: dict[str, object] = {"isRestore": True, "overwriteMode": "replace", "silent": False}


class Failure(NamedTuple):
    """Why the target refused one document; ``number`` is ArangoDB's errorNum."""

    number: int
    message: str


class Refused(NamedTuple):
    """An operation that the target refused."""

    marker: Marker
    failure: Failure


def insert_all(writer: TargetWriter, plan: ShardPlan, markers: Sequence[Marker], largest: int) -> list[Refused]:
    """Insert or replace whole documents in order, with the revisions that the target is to keep; gives what was refused
    for good.
    """

    def send(part: Sequence[Marker]) -> Response:
        return writer.write(
            plan.id,
            lambda: [marker.key for marker in part],
            "POST",
            document_path(plan.collection),
            query=_INSERT,
            data=_joined(plan.likeness.bodies(part)),
            divisible=len(part) > 1,
        )

    return _all(writer, markers, largest, lambda marker: len(marker.data) + 1, send)


def remove_all(writer: TargetWriter, plan: ShardPlan, markers: Sequence[Marker], largest: int) -> list[Refused]:
    """Remove by key; guarded by the marker's revision where the shard is not known from the key (design §4.5).

    A document that is not there counts as removed. A guarded remove needs no re-check when its answer is lost: its
    revision never comes back, so it does nothing else however late it runs.
    """
    guarded = not plan.key_determines_shard

    def send(part: Sequence[Marker]) -> Response:
        return writer.write(
            plan.id,
            lambda: [] if guarded else [marker.key for marker in part],
            "DELETE",
            document_path(plan.collection),
            query={"ignoreRevs": not guarded},
            data=_joined([selector(marker, guarded) for marker in part]),
            divisible=len(part) > 1,
        )

    refused = _all(writer, markers, largest, lambda marker: len(marker.key) + len(marker.rev) + 24, send)
    return [one for one in refused if one.failure.number != NOT_FOUND]


def selector(marker: Marker, guarded: bool) -> bytes:
    """What names a document in a bulk remove."""
    key = marker.key.decode("utf-8")
    return json.dumps({"_key": key, "_rev": marker.rev.decode("utf-8")} if guarded else key).encode("utf-8")


def slices(
    markers: Iterable[Marker], size: Callable[[Marker], int], limit: int, largest: int
) -> Iterator[list[Marker]]:
    """Parts of at most ``limit`` bytes and ``largest`` markers; a bigger single one is a part of its own."""
    part: list[Marker] = []
    filled = 0
    for marker in markers:
        weight = size(marker)
        if part and (filled + weight > limit or len(part) >= largest):
            yield part
            part, filled = [], 0
        part.append(marker)
        filled += weight
    if part:
        yield part


def _all(
    writer: TargetWriter,
    markers: Sequence[Marker],
    largest: int,
    size: Callable[[Marker], int],
    send: Callable[[Sequence[Marker]], Response],
) -> list[Refused]:
    refused: list[Refused] = []
    for part in slices(markers, size, writer.size.bytes, largest):
        refused.extend(_part(writer, part, send))
    return refused


def _part(
    writer: TargetWriter,
    part: Sequence[Marker],
    send: Callable[[Sequence[Marker]], Response],
    tries: int = _TRIES_IN_TROUBLE,
) -> list[Refused]:
    """One part until each position has a final answer; what the target refuses as a whole is divided.

    Trouble inside the target is not the documents' fault until it has lasted for so many ``tries``.
    """
    pauses = writer.patience.pauses()
    refused: list[Refused] = []
    while part:
        try:
            response = send(part)
        except TooBigError:
            return [*refused, *_halves(writer, part, send)]
        except ArangoError as error:
            if error.status >= _TROUBLE and tries:
                tries -= 1
                writer.patience.sleep(pauses.next())
                continue
            if error.error_num in GONE or (len(part) == 1 and error.error_num == 0 and error.status != 413):
                raise
            # Before 3.11.1 one illegal key makes a cluster refuse the whole request (facts §7.5).
            if len(part) == 1:
                return [*refused, Refused(part[0], Failure(error.error_num or error.status, error.message))]
            return [*refused, *_halves(writer, part, send)]
        again: list[Marker] = []
        for marker, failure in zip(part, failures(response, len(part))):
            if failure is None:
                continue
            if passes(failure):
                again.append(marker)
            else:
                refused.append(Refused(marker, failure))
        part = again
        if again:
            writer.patience.sleep(pauses.next())
    return refused


def _halves(
    writer: TargetWriter, part: Sequence[Marker], send: Callable[[Sequence[Marker]], Response]
) -> list[Refused]:
    middle = len(part) // 2
    return [*_part(writer, part[:middle], send, 0), *_part(writer, part[middle:], send, 0)]


def passes(failure: Failure) -> bool:
    """Whether the same document can be accepted later without anybody changing it."""
    return kind(409, failure.number, failure.message) in ("transient", "longer")


def failures(response: Response, count: int) -> list[Optional[Failure]]:
    """The failure of each position; the body is parsed only when the header says that there is one."""
    if not response.headers.get(_ERROR_CODES):
        return [None] * count
    items = parse_json(response, "target", "bulk", "document")
    if not isinstance(items, list) or len(items) != count:
        raise CutoverError("CUT-DATA-2", f"the target answered a bulk request of {count} documents with another number")
    return [_failure(item) for item in items]


def _failure(item: object) -> Optional[Failure]:
    if isinstance(item, dict) and item.get("error") is True:
        number = item.get("errorNum")
        return Failure(number if isinstance(number, int) else 0, str(item.get("errorMessage", "")))
    return None


def _joined(parts: Sequence[bytes]) -> list[bytes]:
    """A JSON array of raw values; a raw line end never occurs inside JSON."""
    return [b"[", b",".join(parts), b"]"]
