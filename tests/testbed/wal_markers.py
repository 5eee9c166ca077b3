# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is in a log: write batches, and how their markers are printed, field by field (facts §5.5)."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from typing import NamedTuple, Union

DATABASE_CREATE = 1100
DATABASE_DROP = 1101
COLLECTION_CREATE = 2000
COLLECTION_DROP = 2001
COLLECTION_RENAME = 2002
COLLECTION_CHANGE = 2003
TRUNCATE = 2004
INDEX_CREATE = 2100
INDEX_DROP = 2101
VIEW_CREATE = 2110
VIEW_DROP = 2111
VIEW_CHANGE = 2112
BEGIN = 2200
COMMIT = 2201
INSERT = 2300
REMOVE = 2302

_CUID_THEN_TYPE = (COLLECTION_CREATE, COLLECTION_RENAME, COLLECTION_CHANGE)
_TYPE_LAST = (VIEW_CREATE, VIEW_CHANGE)


def json_bytes(value: object) -> bytes:
    """Compact JSON, not ASCII-escaped, as the server prints it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def without_object_ids(data: object) -> object:
    """A definition as markers show it: ids of the storage engine stay inside (facts §5.5)."""
    return {name: value for name, value in data.items() if name != "objectId"} if isinstance(data, Mapping) else data


def removal(key: str, rev: str) -> bytes:
    """`data` of a 2302: key and revision of what was removed, nothing else (facts §5.5)."""
    return b'{"_key":' + json_bytes(key) + b',"_rev":' + json_bytes(rev) + b"}"


def excluded(name: str, include_system: bool, include_foxx_queues: bool) -> bool:
    """`TRI_ExcludeCollectionReplication` by the local name, on a DB-Server the shard's (facts §3.6, §5.2)."""
    if not name.startswith("_"):
        return False
    if name.startswith("_statistics") or name == "_routing":
        return True
    if name in ("_jobs", "_queues"):
        return not include_foxx_queues
    return not include_system


class DatabaseRef:
    """A database as long as it lives; one of the same name made later is another one."""

    __slots__ = ("alive", "frame", "name", "objects")

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.objects: dict[str, ObjectRef] = {}
        # tick, type, tid
        self.frame = b'{"tick":"%d","type":%d,"tid":"%b","db":' + json_bytes(name).replace(b"%", b"%%") + b"}\n"


class ObjectRef:
    """A collection, shard or view on one server; `name` is its local name.

    `secondary` = entries that a document of it has in secondary indexes, each with a number of its own.
    """

    __slots__ = ("alive", "cuid", "database", "name", "rest", "secondary")

    def __init__(self, database: DatabaseRef, cuid: str, name: str) -> None:
        self.database = database
        self.cuid = cuid
        self.name = name
        self.alive = True
        self.secondary = 0
        # kind -> what stands between the tick and the tid
        middle = b',"db":' + json_bytes(database.name) + b',"cuid":' + json_bytes(cuid) + b',"tid":"'
        self.rest = {kind: b'","type":%d' % kind + middle for kind in (INSERT, REMOVE)}

    def follow(self, kind: int, data: object) -> None:
        """What a marker of the given kind changes about the object."""
        if kind in (COLLECTION_DROP, VIEW_DROP):
            self.alive = False
            del self.database.objects[self.cuid]
        elif kind == COLLECTION_RENAME and isinstance(data, Mapping):
            self.name = str(data["name"])
        elif kind == COLLECTION_CREATE and isinstance(data, Mapping) and data.get("type") == 3:
            self.secondary += 2
        elif kind == INDEX_CREATE:
            self.secondary += 1
        elif kind == INDEX_DROP and self.secondary:
            self.secondary -= 1


def local_name(cuid: str, data: object) -> str:
    """Name on the server itself: the shard's for `c<plan id>/<shard>`, else that of the definition (facts §5.6)."""
    if cuid.startswith("c") and "/" in cuid:
        return cuid.partition("/")[2]
    return str(data["name"]) if isinstance(data, Mapping) else cuid


class SingleBatch(NamedTuple):
    """A stand-alone document operation."""

    start: int
    end: int
    tick: int
    ref: ObjectRef
    kind: int
    data: bytes


class Run(NamedTuple):
    """Operations of one kind on one object that follow each other; a number and the data of each.

    Kept by column: an object per operation would cost more memory than most documents.
    """

    ref: ObjectRef
    kind: int
    ticks: array[int]
    data: list[bytes]


class FrameBatch(NamedTuple):
    """A transaction, or the part of one up to an intermediate commit."""

    start: int
    end: int
    ref: DatabaseRef
    tid: bytes
    runs: list[Run]


class DdlBatch(NamedTuple):
    """A definition's change; `rest` = the marker after its tick. Printed while `ref` lives (facts §5.6)."""

    start: int
    end: int
    database: DatabaseRef
    ref: ObjectRef | None
    kind: int
    rest: bytes


class SilentBatch(NamedTuple):
    """Entries without a marker; an empty batch has `end` = `start` - 1."""

    start: int
    end: int


Batch = Union[SingleBatch, FrameBatch, DdlBatch, SilentBatch]


def ddl_rest(kind: int, db: str, cuid: str, data: bytes) -> bytes:
    """A definition marker after its tick, in the field order of facts §5.5, without the newline."""
    type_part = b'"type":%d' % kind
    db_part = b'"db":' + json_bytes(db)
    cuid_part = [b'"cuid":' + json_bytes(cuid)] if cuid else []
    data_part = [b'"data":' + data] if data else []
    if kind in _CUID_THEN_TYPE:
        parts = [db_part, *cuid_part, type_part, *data_part]
    elif kind in _TYPE_LAST:
        parts = [db_part, *cuid_part, *data_part, type_part]
    else:
        parts = [type_part, db_part, *cuid_part, *data_part]
    return b'",' + b",".join(parts) + b"}"
