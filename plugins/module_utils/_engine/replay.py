# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A long stretch of a shard's log as one batch: markers stay in the spool, keys in an index on disk (design §4.5)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Iterator, Optional

from .marker import INSERT, REMOVE, TRUNCATE, Marker, parse
from .spool import Spool

_ROWS = 1000


class SpoolBatch:
    """The last operation of each key in a spool's beginning; see ``coalesce.Batch``.

    Only what follows the last truncate counts; ``truncated`` says that there was one. ``close`` removes the index.
    """

    def __init__(self, spool: Spool, end: int, after_tick: int = 0) -> None:
        self._spool = spool
        self._path = Path(f"{spool.path}.index")
        self._path.unlink(missing_ok=True)
        self._index = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        self._index.execute("PRAGMA journal_mode=OFF")
        self._index.execute("PRAGMA synchronous=OFF")
        self._index.execute(
            "CREATE TABLE last (key BLOB PRIMARY KEY, type INTEGER, offset INTEGER, live INTEGER) WITHOUT ROWID"
        )
        self.truncated = False
        self._fill(end, after_tick)

    def removes(self) -> Iterator[Marker]:
        """See ``coalesce.Batch``."""
        return self._of(REMOVE)

    def inserts(self) -> Iterator[Marker]:
        """See ``coalesce.Batch``."""
        return self._of(INSERT)

    def insert_of(self, key: bytes) -> Optional[Marker]:
        """See ``coalesce.Batch``."""
        row = self._index.execute(
            "SELECT offset FROM last WHERE key = ? AND type = ? AND live", (key, INSERT)
        ).fetchone()
        return None if row is None else parse(self._spool.line_at(row[0]))

    def all_keys(self) -> Iterator[list[bytes]]:
        """Every key of the stretch, also from before a truncate, some at a time."""
        cursor = self._index.execute("SELECT key FROM last")
        while True:
            rows = cursor.fetchmany(_ROWS)
            if not rows:
                return
            yield [bytes(row[0]) for row in rows]

    def close(self) -> None:
        """Remove the index; the spool stays."""
        self._index.close()
        self._path.unlink(missing_ok=True)

    def _fill(self, end: int, after_tick: int) -> None:
        self._index.execute("BEGIN")
        start = 0
        for record in self._spool.read(0, end):
            marker = parse(record.line)
            if marker.tick > after_tick:
                if marker.type == TRUNCATE:
                    self.truncated = True
                    self._index.execute("UPDATE last SET live = 0")
                else:
                    self._index.execute(
                        "INSERT OR REPLACE INTO last VALUES (?, ?, ?, 1)", (marker.key, marker.type, start)
                    )
            start = record.end
        self._index.execute("COMMIT")

    def _of(self, kind: int) -> Iterator[Marker]:
        cursor = self._index.execute("SELECT offset FROM last WHERE type = ? AND live ORDER BY offset", (kind,))
        while True:
            rows = cursor.fetchmany(_ROWS)
            if not rows:
                return
            for row in rows:
                yield parse(self._spool.line_at(row[0]))
