# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The workload as a whole: all actors over one record, in this process or as one of its own.

As a process (``python -m tests.workload CONFIG``) it writes one JSON line of figures per second to standard output
and takes commands on standard input: ``define`` (change collections now), ``truncate`` (the large one, when it is
full), ``stop``; end of input means stop, too.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.workload.actor import Actor
from tests.workload.actors import Accounts, Bulk, Churn, Frames, HotKeys, Ledger, Seats
from tests.workload.architect import VERBS, Architect
from tests.workload.clerk import Clerk
from tests.workload.clients import Connection
from tests.workload.record import Record
from tests.workload.router import Router
from tests.workload.sentinel import Beat, Watch
from tests.workload.upheaval import RANGE_DELETE, Basket, Definer, Heap

__all__ = ["Endpoint", "Workload", "WorkloadConfig", "main"]

ALL: tuple[type[Actor], ...] = (
    HotKeys, Churn, Churn, Bulk, Accounts, Ledger, Frames, Seats, Basket, Heap, Definer, Beat,
)


@dataclass(frozen=True)
class Endpoint:
    """How to reach one cluster as one user."""

    urls: list[str]
    ca_path: str
    username: str
    password: str

    def connect(self, number: int) -> Connection:
        """A connection of its own, to one of the coordinators as long as that one listens."""
        first = number % len(self.urls)
        urls = [*self.urls[first:], *self.urls[:first]]
        return Connection(urls, Path(self.ca_path), self.username, self.password, timeout=30)


@dataclass(frozen=True)
class WorkloadConfig:
    """``watch`` is who looks for the beat on the target; ``heap_size``: documents that the large truncate removes.

    ``administrator`` changes definitions (``verbs``; ``most_changes`` times at most) and users (``clerk``) of the
    source; without one nobody does.
    """

    source: Endpoint
    target: Endpoint
    watch: Endpoint
    seed: str = "0"
    speed: float = 1.0
    record_path: str = ""
    heap_size: int = RANGE_DELETE + 500
    administrator: Endpoint | None = None
    clerk: bool = True
    verbs: tuple[str, ...] = tuple(VERBS)
    most_changes: int | None = None
    source_version: tuple[int, int] = (3, 11)

    @classmethod
    def load(cls, path: Path) -> WorkloadConfig:
        """Read what ``save`` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        names = [name for name in ("source", "target", "watch", "administrator") if fields[name]]
        return cls(**{**fields, **{name: Endpoint(**fields[name]) for name in names}})

    def save(self, path: Path) -> None:
        """Write the configuration, with its passwords: for this user's eyes only."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


class Workload:
    """Starts all actors; ``figures`` tells at any time how they fare."""

    def __init__(self, config: WorkloadConfig) -> None:
        self._config = config
        self._stop = threading.Event()
        self.record = Record()
        self.actors: list[Actor] = []
        for number, kind in enumerate(ALL):
            router = Router(config.source.connect(number), config.target.connect(number), self._stop)
            actor = kind(router, self.record, self._stop, f"{config.seed}.{number}", config.speed)
            if isinstance(actor, Heap):
                actor.size, actor.batch = config.heap_size, min(actor.batch, config.heap_size)
            self.actors.append(actor)
        if config.administrator is not None:
            self.actors += self._administrators(config.administrator)
        beats = [actor for actor in self.actors if isinstance(actor, Beat)]
        self._samples = beats[0].samples if beats else None
        self._threads: list[threading.Thread] = list(self.actors)
        if self._samples is not None:
            self._threads.append(Watch(config.watch.connect(0), self._samples, self._stop))

    def _administrators(self, endpoint: Endpoint) -> list[Actor]:
        config = self._config
        kinds: list[type[Actor]] = [*([Clerk] if config.clerk else []), *([Architect] if config.verbs else [])]
        actors = []
        for number, kind in enumerate(kinds):
            router = Router(endpoint.connect(number), None, self._stop)
            actor = kind(router, self.record, self._stop, config.seed, config.speed)
            if isinstance(actor, Architect):
                actor.verbs, actor.version, actor.most = config.verbs, config.source_version, config.most_changes
            actors.append(actor)
        return actors

    def passwords(self) -> dict[str, str]:
        """Users that the workload made, with what they log in by now."""
        clerks = [actor for actor in self.actors if isinstance(actor, Clerk)]
        return {name: password for clerk in clerks for name, password in clerk.passwords.items()}

    def start(self) -> None:
        """Start all threads."""
        for thread in self._threads:
            thread.start()

    def define(self) -> None:
        """Let collections be created, dropped and created again now."""
        for actor in self.actors:
            if isinstance(actor, Definer):
                actor.begin = True

    def truncate(self) -> None:
        """Let the large collection be truncated once more."""
        for actor in self.actors:
            if isinstance(actor, Heap):
                actor.asked += 1

    def stop(self) -> None:
        """Finish the writes that are under way and end all threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)
        if self._config.record_path:
            self.record.save(Path(self._config.record_path))

    def figures(self) -> dict[str, Any]:
        """Counts, errors, lag samples (s, as (time, lag) pairs) and the write downtime (s) so far."""
        refusals = [actor.router.refusals for actor in self.actors]
        now = time.monotonic()
        return {
            "now": now,
            "writes": dict(self.record.writes),
            "steady": sum(self.record.by_collection.values()) - self.record.by_collection[Heap.collection],
            "first": dict(self.record.first),
            "last": dict(self.record.last),
            "moved": sum(actor.router.moved for actor in self.actors),
            "actors": sum(actor.router.movable for actor in self.actors),
            "refused": {side: sum(one.count[side] for one in refusals) for side in ("source", "target")},
            "longest_wait": max((one.longest_wait for one in refusals), default=0.0),
            "unknown": sum(len(actor.abandoned) for actor in self.actors),
            "changes": self.record.changes,
            "errors": list(itertools.chain.from_iterable(actor.errors for actor in self.actors)),
            "downtime": self.record.downtime(),
            "lags": list(self._samples.lags) if self._samples else [],
            "defined": all(actor.done for actor in self.actors if isinstance(actor, Definer)),
            "range_deletes": sum(actor.truncated for actor in self.actors if isinstance(actor, Heap)),
        }


def obey(workload: Workload, ended: threading.Event) -> None:
    """Carry out the commands of standard input."""
    for line in sys.stdin:
        command = line.strip()
        if command == "define":
            workload.define()
        elif command == "truncate":
            workload.truncate()
        elif command == "stop":
            break
    ended.set()


def main() -> None:
    """Run as a process of its own until told to stop."""
    workload = Workload(WorkloadConfig.load(Path(sys.argv[1])))
    ended = threading.Event()
    threading.Thread(target=obey, args=(workload, ended), daemon=True).start()
    workload.start()
    while not ended.wait(1.0):
        print(json.dumps({**workload.figures(), "lags": []}), flush=True)
    workload.stop()
    print(json.dumps({**workload.figures(), "final": True}), flush=True)
