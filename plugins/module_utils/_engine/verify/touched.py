# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys that are to be read back: bounded in memory, the rest on disk, and all of them there before a checkpoint.

They come in generations: whoever reads back takes one away as a whole while the next one grows. A generation's file is
removed when all its keys were read back, so that a restart finds what was not.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ..inspection import CollectionId

_KEYS_IN_MEMORY = 50_000
_GROUP = 1000
Group = tuple[CollectionId, list[bytes]]


class Generation:
    """Keys by collection. ``waiting`` are not on disk yet; once anything was spilled, memory holds nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keys: dict[CollectionId, set[bytes]] = {}
        self.waiting: dict[CollectionId, set[bytes]] = {}
        self.spilled = False
        self.count = 0

    def add(self, collection: CollectionId, keys: Collection[bytes]) -> None:
        """More keys of a collection."""
        known = self.keys.setdefault(collection, set())
        before = len(known)
        known.update(keys)
        self.count += len(known) - before
        self.waiting.setdefault(collection, set()).update(keys)

    @property
    def in_memory(self) -> int:
        """How many keys memory holds."""
        return sum(map(len, self.keys.values()))

    def save(self) -> None:
        """Have everything on disk; raises ``OSError``."""
        waiting, self.waiting = self.waiting, {}
        if not any(waiting.values()):
            return
        try:
            self._append(waiting)
        except OSError:
            for collection, keys in self.waiting.items():
                waiting.setdefault(collection, set()).update(keys)
            self.waiting = waiting
            raise

    def spill(self) -> None:
        """Keep nothing in memory; raises ``OSError``."""
        self.save()
        self.keys.clear()
        self.spilled = True

    def groups(self) -> Iterator[Group]:
        """Everything, in groups of bounded size; a key may come twice."""
        if self.spilled:
            self.save()
            yield from _read(self.path)
            return
        for collection, keys in self.keys.items():
            yield from _cut(collection, keys)

    def done(self) -> None:
        """All of it was read back."""
        self.path.unlink(missing_ok=True)

    def _append(self, keys: dict[CollectionId, set[bytes]]) -> None:
        size = self.path.stat().st_size if self.path.exists() else 0
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                for collection, some in keys.items():
                    for (database, plan_id), group in _cut(collection, some):
                        texts = [key.decode("utf-8", "surrogateescape") for key in group]
                        file.write(json.dumps([database, plan_id, texts]).encode("ascii") + b"\n")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
        finally:
            os.close(descriptor)


def _cut(collection: CollectionId, keys: Iterable[bytes]) -> Iterator[Group]:
    ordered = list(keys)
    for start in range(0, len(ordered), _GROUP):
        yield collection, ordered[start : start + _GROUP]


def _read(path: Path) -> Iterator[Group]:
    """What a file holds; a line that was cut by the death of its process was never relied on."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                database, plan_id, texts = json.loads(line)
            except ValueError:
                return
            yield (database, plan_id), [text.encode("utf-8", "surrogateescape") for text in texts]


class Touched:
    """All generations; thread safe. ``lost`` collects collections whose keys no memory or disk could hold."""

    def __init__(self, directory: Path, limit: int = _KEYS_IN_MEMORY) -> None:
        self._directory = directory
        self._limit = limit
        self._lock = threading.Lock()
        self._number = 0
        self._lost: set[CollectionId] = set()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._left = sorted(directory.glob("*.keys"))
        self._number = max((int(path.stem) for path in self._left), default=0)
        self._taken: list[Generation] = []
        self._fresh = self._begin()

    def _begin(self) -> Generation:
        self._number += 1
        return Generation(self._directory / f"{self._number:012d}.keys")

    def note(self, collection: CollectionId, keys: Collection[bytes]) -> None:
        """Read these keys back. A disk that cannot take them loses the collection instead of the tailer."""
        with self._lock:
            self._fresh.add(collection, keys)
            if self._fresh.in_memory <= self._limit:
                return
            try:
                self._fresh.spill()
            except OSError:
                self._lost.update(self._fresh.keys)
                self._fresh.keys.clear()
                self._fresh.waiting.clear()

    @property
    def count(self) -> int:
        """How many keys wait, about."""
        with self._lock:
            return self._fresh.count + sum(generation.count for generation in self._taken)

    def take_lost(self) -> set[CollectionId]:
        """Collections to be compared as a whole again."""
        with self._lock:
            lost, self._lost = self._lost, set()
            return lost

    def take(self) -> Generation:
        """What has come since the last call, and what an earlier process left."""
        with self._lock:
            taken, self._fresh = self._fresh, self._begin()
            left, self._left = self._left, []
            for path in left:
                for collection, keys in _read(path):
                    taken.add(collection, keys)
                    if taken.in_memory > self._limit:
                        taken.spill()
            taken.save()
            for path in left:
                path.unlink(missing_ok=True)
            self._taken.append(taken)
            return taken

    def done(self, generation: Generation) -> None:
        """Every key of it was read back, or noted again."""
        with self._lock:
            self._fresh.save()
            self._taken.remove(generation)
            generation.done()

    def give_back(self, generation: Generation) -> None:
        """It could not be read back now: all of it comes again with the next one."""
        with self._lock:
            self._taken.remove(generation)
            self._left.append(generation.path)

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        with self._lock:
            return not (self._left or self._taken or self._fresh.count)

    def save(self) -> None:
        """Have everything on disk; raises ``OSError``."""
        with self._lock:
            self._fresh.save()
