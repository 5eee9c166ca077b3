# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Marker lines of one shard, kept on disk in the order of its log until they are applied.

A spool lives as long as the process: after a restart its markers are read again from the server's log, because the
restart position is held back for them or the shard is copied anew (design §4.4). So nothing is synced. The file is
opened for each use: ten thousand shards may be spooling.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator, NamedTuple, Optional, Sequence

_READ_BYTES = 1024 * 1024


class Record(NamedTuple):
    """A line of a spool; ``end`` is the offset after it."""

    line: bytes
    end: int


class Spool:
    """One writer appends, one reader at a time iterates; ``size`` grows only by what is wholly written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = 0
        path.unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        """Where the lines are."""
        return self._path

    def append(self, lines: Sequence[bytes]) -> None:
        """Add lines; after an ``OSError`` (disk full) none of them counts and the same call can be made again."""
        content = b"\n".join(lines) + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.lseek(descriptor, self.size, os.SEEK_SET)
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            os.ftruncate(descriptor, self.size)
            raise
        finally:
            os.close(descriptor)
        self.size += len(content)

    def read(self, start: int = 0, end: Optional[int] = None) -> Iterator[Record]:
        """The lines from offset ``start`` to ``end`` (default: what is written now); both must be line ends."""
        limit = self.size if end is None else end
        if start >= limit:
            return
        with self._path.open("rb") as stream:
            stream.seek(start)
            rest = b""
            position = start
            loaded = start
            while loaded < limit:
                block = stream.read(min(_READ_BYTES, limit - loaded))
                if not block:
                    raise OSError(f"the spool {self._path.name} is shorter than what was written to it")
                loaded += len(block)
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    position += len(line) + 1
                    yield Record(line, position)

    def line_at(self, offset: int) -> bytes:
        """The line that begins at an offset."""
        with self._path.open("rb") as stream:
            stream.seek(offset)
            return stream.readline().rstrip(b"\n")

    def delete(self) -> None:
        """Remove the file; the spool is empty and can be used again."""
        self._path.unlink(missing_ok=True)
        self.size = 0
