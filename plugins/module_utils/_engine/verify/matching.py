# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two unordered streams of rows, one from each side, cancelled against each other in bounded memory (invariant I8).

Both sides read their documents in about the same order, so a row waits for its counterpart only a short time. What
waits too long goes to disk, in parts that are matched one after the other at the end; so nothing is read twice from the
servers, and what remains are the very keys that were not the same on both sides when they were read.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from .rows import key_of

SOURCE, TARGET = 0, 1
_PARTS = 64
_ROWS_IN_MEMORY = 100_000


class Matching:
    """``add`` rows of either side, then take the ``leftovers``; ``directory`` is its own and is removed by ``close``.

    Raises ``OSError`` when the disk is full.
    """

    def __init__(self, directory: Path, limit: int = _ROWS_IN_MEMORY) -> None:
        self._directory = directory
        self._limit = limit
        self._open: tuple[set[str], set[str]] = (set(), set())
        self._spilled = 0
        shutil.rmtree(directory, ignore_errors=True)

    def add(self, side: int, rows: Iterable[str]) -> None:
        """Rows of one side."""
        new = set(rows)
        other = self._open[1 - side]
        matched = new & other
        other -= matched
        new -= matched
        self._open[side].update(new)
        if len(self._open[SOURCE]) + len(self._open[TARGET]) > self._limit:
            self._spill()

    def leftovers(self) -> Iterator[set[str]]:
        """Keys of rows without counterpart, in sets of bounded size."""
        if self._spilled:
            self._spill()
            for part in range(_PARTS):
                yield from self._match_part(self._directory / str(part))
        else:
            yield _keys(*self._open)

    def close(self) -> None:
        """Remove the files."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _spill(self) -> None:
        """Move everything that waits to disk; a row and its counterpart always come into the same part."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for side, waiting in enumerate(self._open):
            parts: dict[int, list[str]] = {}
            for row in waiting:
                parts.setdefault(hash(row) % _PARTS, []).append(row)
            for part, rows in parts.items():
                with (self._directory / str(part)).open("a", encoding="utf-8") as file:
                    file.write(json.dumps([side, rows]) + "\n")
            self._spilled += len(waiting)
            waiting.clear()

    def _match_part(self, path: Path) -> Iterator[set[str]]:
        """A part that is too large for memory is read several times, each time for some of its rows."""
        if not path.exists():
            return
        passes = 1 + self._spilled // (_PARTS * self._limit)
        for number in range(passes):
            sides: tuple[set[str], set[str]] = (set(), set())
            with path.open(encoding="utf-8") as file:
                for line in file:
                    side, rows = json.loads(line)
                    mine = {row for row in rows if hash(row) // _PARTS % passes == number}
                    matched = mine & sides[1 - side]
                    sides[1 - side].difference_update(matched)
                    sides[side].update(mine - matched)
            yield _keys(*sides)


def _keys(left: set[str], right: set[str]) -> set[str]:
    return {key_of(row) for rows in (left, right) for row in rows}
