# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A contiguous stretch of one shard's log, reduced to the last operation per key (design §4.5, invariant I2)."""

from __future__ import annotations

from typing import Iterable, Iterator, Optional, Protocol

from .marker import INSERT, Marker


class Batch(Protocol):
    """What is to be done to one shard: all removes first, then all inserts; each key occurs once."""

    def removes(self) -> Iterator[Marker]:
        """The removes, in the order of the log."""

    def inserts(self) -> Iterator[Marker]:
        """The inserts (whole documents), in the order of the log."""

    def insert_of(self, key: bytes) -> Optional[Marker]:
        """The insert of a key, if this batch holds one."""


class MemoryBatch:
    """A batch held in memory; ``operations`` must be inserts and removes of one shard in the order of its log."""

    def __init__(self, operations: Iterable[Marker]) -> None:
        last: dict[bytes, Marker] = {}
        for operation in operations:
            # Deleting first keeps the order of the last operations, not of the first ones.
            last.pop(operation.key, None)
            last[operation.key] = operation
        self._last = last

    def __len__(self) -> int:
        return len(self._last)

    def removes(self) -> Iterator[Marker]:
        """See ``Batch``."""
        return (marker for marker in self._last.values() if marker.type != INSERT)

    def inserts(self) -> Iterator[Marker]:
        """See ``Batch``."""
        return (marker for marker in self._last.values() if marker.type == INSERT)

    def insert_of(self, key: bytes) -> Optional[Marker]:
        """See ``Batch``."""
        marker = self._last.get(key)
        return marker if marker is not None and marker.type == INSERT else None
