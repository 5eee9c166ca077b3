# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The largest key of every collection that looks as if a key generator had made it (facts §3.4)."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import AbstractSet, Optional

from .files import read_json, write_json
from .inspection import CollectionId

PADDED_LENGTH = 16
_MOST_DIGITS = 19
_HEXADECIMAL = "0123456789abcdef"


def decimal(key: str) -> int:
    """The number of a key of the generators ``traditional`` and ``autoincrement``; 0 for any other text."""
    return int(key) if len(key) <= _MOST_DIGITS and key.isascii() and key.isdigit() else 0


def padded(key: str) -> int:
    """The number of a key of the generator ``padded``, sixteen hexadecimal digits; 0 for any other text."""
    return int(key, 16) if len(key) == PADDED_LENGTH and not key.strip(_HEXADECIMAL) else 0


class LargestKeys:
    """Thread safe. Kept on disk, as what was compared once is not read again after a restart."""

    def __init__(self, path: Optional[Path] = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._changed = False
        known = read_json(path) if path is not None else None
        self._largest: dict[CollectionId, list[int]] = {
            (database, plan_id): [int(number) for number in numbers]
            for database, plan_id, numbers in (known or {}).get("largest", [])
        }

    def rows(self, collection: CollectionId, rows: Iterable[str]) -> None:
        """Documents that were read, as rows that begin with the key and a slash."""
        self._note(collection, [row.partition("/")[0] for row in rows])

    def written(self, collection: CollectionId, keys: AbstractSet[bytes]) -> None:
        """Documents that the source's log names."""
        self._note(collection, [key.decode("utf-8", "replace") for key in keys])

    def _note(self, collection: CollectionId, keys: list[str]) -> None:
        # Most keys are no numbers, or none of sixteen digits: both is seen faster than a function is called.
        found = [
            max(map(decimal, filter(str.isdigit, keys)), default=0),
            max((padded(key) for key in keys if len(key) == PADDED_LENGTH), default=0),
        ]
        with self._lock:
            known = self._largest.setdefault(collection, [0, 0])
            after = [max(pair) for pair in zip(known, found)]
            if after != known:
                self._largest[collection] = after
                self._changed = True

    def largest(self, collection: CollectionId, *, is_padded: bool) -> int:
        """The largest number so far; 0 when no key looks generated."""
        with self._lock:
            return self._largest.get(collection, [0, 0])[1 if is_padded else 0]

    def save(self) -> None:
        """Write what has changed. Raises CUT-DISK-1."""
        with self._lock:
            if not self._changed or self._path is None:
                return
            self._changed = False
            entries = [[database, plan_id, numbers] for (database, plan_id), numbers in self._largest.items()]
        write_json(self._path, {"largest": entries})
