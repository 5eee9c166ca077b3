# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys whose last write has an unknown outcome, kept on disk until they were read back (design §4.5)."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence

from .shards import ShardId

_MAX_KEYS = 1000


class Entry(NamedTuple):
    """Keys of one shard to be read back at ``due`` (monotonic seconds); ``keys`` 0 means its whole collection.

    ``until``: when the request itself has certainly ended, however often its reading back is put off.
    """

    number: int
    shard: ShardId
    due: float
    until: float
    offset: int
    keys: int


class Recheck:
    """An append-only file of notes; what is settled is noted too, and an empty queue empties the file.

    Only places in the file are held in memory. The calendar's time is in the file for a later process only: a clock
    that is set ends no request. Thread safe.
    """

    def __init__(self, path: Path, delay: float) -> None:
        self._path = path
        self._delay = delay
        self._lock = threading.RLock()
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._next = 1
        self._size = 0
        self._load()

    def note(self, shard: ShardId, keys: Sequence[bytes], delay: Optional[float] = None) -> None:
        """Keep these keys; they are on disk when this returns. ``delay`` seconds instead of the usual ones."""
        for start in range(0, len(keys), _MAX_KEYS):
            self._add(shard, self._delay if delay is None else delay, keys[start : start + _MAX_KEYS])

    def found(self, entry: Entry, shard: ShardId, keys: Sequence[bytes], delay: float) -> None:
        """Keep keys that came up when a note was looked at, unless its collection was forgotten meanwhile."""
        with self._lock:
            if entry.number in self._entries:
                self.note(shard, keys, delay)

    def note_collection(self, shard: ShardId) -> None:
        """Any key of the shard's collection may have been written by a request without an answer."""
        self._add(shard, self._delay, ())

    def pending(self) -> int:
        """How many notes are not settled."""
        with self._lock:
            return len(self._entries)

    def due(self, now: float) -> Optional[Entry]:
        """A note whose time has come."""
        with self._lock:
            return next((entry for entry in self._entries.values() if entry.due <= now), None)

    def keys(self, entry: Entry) -> list[bytes]:
        """The keys of a note; none of one that was settled or forgotten meanwhile."""
        with self._lock:
            if entry.number not in self._entries:
                return []
            with self._path.open("rb") as stream:
                stream.seek(entry.offset)
                return [base64.b64decode(key) for key in json.loads(stream.readline())["k"]]

    def postpone(self, entry: Entry, seconds: float) -> None:
        """Look at this note again later."""
        with self._lock:
            if entry.number in self._entries:
                self._entries[entry.number] = entry._replace(due=time.monotonic() + seconds)
                self._entries.move_to_end(entry.number)

    def settled(self, entry: Entry) -> None:
        """This note is done with; where a full disk does not take that, it is looked at once more after a restart."""
        with self._lock:
            if self._entries.pop(entry.number, None) is None:
                return
            with contextlib.suppress(OSError):
                if self._entries:
                    self._append({"done": entry.number})
                else:
                    os.truncate(self._path, 0)
                    self._size = 0

    def last_due(self, database: str, plan_id: str) -> Optional[float]:
        """Until when requests without an answer may still write into this collection (monotonic seconds)."""
        with self._lock:
            return max((entry.until for entry in self._of(database, plan_id)), default=None)

    def forget(self, database: str, plan_id: str) -> None:
        """The collection is no concern any more."""
        with self._lock:
            for entry in self._of(database, plan_id):
                self.settled(entry)

    def _of(self, database: str, plan_id: str) -> list[Entry]:
        return [
            entry
            for entry in self._entries.values()
            if (entry.shard.database, entry.shard.plan_id) == (database, plan_id)
        ]

    def _add(self, shard: ShardId, delay: float, keys: Sequence[bytes]) -> None:
        due, at = time.monotonic() + delay, time.time() + delay
        with self._lock:
            number, self._next = self._next, self._next + 1
            # Keys may hold any bytes that the source has accepted.
            encoded = [base64.b64encode(key).decode("ascii") for key in keys]
            offset = self._append(
                {"n": number, "at": at, "d": shard.database, "p": shard.plan_id, "s": shard.shard, "k": encoded}
            )
            self._entries[number] = Entry(number, shard, due, due, offset, len(keys))

    def _append(self, record: dict[str, Any]) -> int:
        content = json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.lseek(descriptor, self._size, os.SEEK_SET)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._size)
            raise
        finally:
            os.close(descriptor)
        offset = self._size
        self._size += len(content)
        return offset

    def _load(self) -> None:
        """Take over what an earlier process left; a line that was cut by its death was never relied on."""
        if not self._path.exists():
            return
        wall, now = time.time(), time.monotonic()
        with self._path.open("rb") as stream:
            for line in stream:
                try:
                    record = json.loads(line)
                except ValueError:
                    break
                if "done" in record:
                    self._entries.pop(record["done"], None)
                else:
                    shard = ShardId(record["d"], record["p"], record["s"])
                    due = now + min(record["at"] - wall, self._delay)
                    entry = Entry(record["n"], shard, due, due, self._size, len(record["k"]))
                    self._entries[entry.number] = entry
                    self._next = max(self._next, entry.number + 1)
                self._size += len(line)
