# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is tried in the throw-away database of ``probe_target``, and with it on the target."""

from __future__ import annotations

import json
from typing import Any, Mapping

from ..._core.errors import ArangoError, CutoverError
from ..dataplane_types import Settings
from ..journal import NAMES, definition
from ..key_guard import reserve
from ..user_writers import Restored
from .capability import Seen
from .trial import Room, Try

_DUMP = "application/x-arango-dump"
# Older than every revision that a server makes now, so that a kept one cannot be taken for a new one (facts §5.9).
_REVISION = "_gS1NmYu---"
_LARGEST = Settings().batch_bytes
_SMALLEST = 64 * 1024
_FAR = 1_000_000


class _Open:
    """There is no lease to ask: nothing of a migration is written."""

    def check(self) -> None:
        """See ``TargetGate``."""


def _restore(room: Room, collection: str, body: bytes) -> None:
    room.request(
        "PUT", "/_api/replication/restore-data", query={"collection": collection, "preserveRevisionIds": True},
        body=body, headers={"Content-Type": _DUMP},
    )  # fmt: skip


def _line(**fields: Any) -> bytes:
    return json.dumps(fields).encode("utf-8") + b"\n"


def _kept(room: Room, collection: str, how: str) -> Seen:
    found = str(room.json("GET", f"/_api/document/{collection}/a")["_rev"])
    return Seen(found == _REVISION, f"{how}: the revision {_REVISION} became {found}")


def revisions_restored(room: Room) -> Seen:
    """See the registry."""
    room.make("restored")
    _restore(room, "restored", _line(_key="a", _rev=_REVISION))
    return _kept(room, "restored", "restore-data")


def revisions_written(room: Room) -> Seen:
    """See the registry."""
    room.make("written")
    query = {"isRestore": True, "overwriteMode": "replace"}
    room.json("POST", "/_api/document/written", query=query, body=[{"_key": "a", "_rev": _REVISION}])
    return _kept(room, "written", "documents by bulk")


def errors_by_position(room: Room) -> Seen:
    """See the registry."""
    room.make("refusing")
    query = {"isRestore": True, "overwriteMode": "replace"}
    body = [{"_key": "good", "_rev": _REVISION}, {"_key": "not/a/key", "_rev": _REVISION}]
    try:
        answer = room.json("POST", "/_api/document/refusing", query=query, body=body)
    except ArangoError as error:
        if error.retriable:
            raise
        return Seen(False, f"one document that is refused: {error.message}")
    return Seen(answer[0].get("_key") == "good" and bool(answer[1].get("error")), "only the document is refused")


def body_size(room: Room) -> Seen:
    """See the registry: empty lines, which are left out, around one document."""
    room.make("large")
    size, last = _LARGEST, ""
    while size >= _SMALLEST:
        try:
            _restore(room, "large", _line(_key="a", _rev=_REVISION) + b"\n" * size)
        except ArangoError as error:
            last = error.message
            size //= 2
            continue
        return Seen(size == _LARGEST, f"a body of {size // 1024} KiB was taken" + (f"; larger: {last}" if last else ""))
    return Seen(None, f"no body of {_SMALLEST // 1024} KiB was taken: {last}")


def journal_name(room: Room) -> Seen:
    """See the registry."""
    try:
        room.json("POST", "/_api/collection", body=definition(NAMES[0], 1))
    except ArangoError as error:
        if error.retriable:
            raise
        return Seen(False, f"a system collection {NAMES[0]} is refused: {error.message}")
    return Seen(True, f"a system collection {NAMES[0]} was made")


def unique_ids(room: Room) -> Seen:
    """See the registry: uses up one id on each coordinator."""
    try:
        largest = [reserve(server, 1) for server in room.target.each()]
    except ArangoError as error:
        if error.retriable:
            raise
        return Seen(False, f"ids cannot be reserved: {error.message}")
    return Seen(True, f"one id was reserved on each coordinator, the largest is {max(largest)}")


def generator_follows(room: Room) -> Seen:
    """See the registry."""
    room.make("numbered", numberOfShards=2)
    first = int(room.json("POST", "/_api/document/numbered", body=[{}])[0]["_key"])
    _restore(room, "numbered", _line(_key=str(first + _FAR)))
    second = int(room.json("POST", "/_api/document/numbered", body=[{}])[0]["_key"])
    return Seen(second > first + _FAR, f"key {first}, then {first + _FAR} was restored, then key {second}")


def users_restored(room: Room) -> Seen:
    """See the registry: the body is empty."""
    try:
        Restored(room.target, _Open()).probe()
    except ArangoError as error:
        raise error
    except CutoverError as error:
        return Seen(False, error.message)
    return Seen(True, "a restore of no users was taken")


TRIES: Mapping[str, Try] = {
    "target-revisions": revisions_restored,
    "target-revisions-bulk": revisions_written,
    "target-bulk-errors": errors_by_position,
    "target-body-size": body_size,
    "target-journal-name": journal_name,
    "target-unique-ids": unique_ids,
    "target-key-generator": generator_follows,
    "target-users": users_restored,
}
