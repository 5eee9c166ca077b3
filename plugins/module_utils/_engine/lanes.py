# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The DB-Servers that are followed: a tailer and a router each; servers come and go while running (design §4.6)."""

from __future__ import annotations

import threading
from typing import Callable, Sequence

from .._core.arango import Server
from .._core.errors import CutoverError
from .dataplane_types import Settings
from .ledger import Ledger
from .patience import Patience, Troubles
from .router import Name, ShardRouter, name_of
from .shards import Shard, ShardBook
from .tailer import Tailer

MakeRouter = Callable[[str, Patience, Callable[[], Ledger]], ShardRouter]


class Lanes:
    """``tailers``, ``routers`` and ``servers`` by server id; they change in the control path's thread only.

    Each server has a patience of its own, so that the threads that wait for it end when it is retired.
    """

    def __init__(
        self, book: ShardBook, troubles: Troubles, settings: Settings, syncer_id: int, make_router: MakeRouter
    ) -> None:
        self._book = book
        self._troubles = troubles
        self._settings = settings
        self._syncer_id = syncer_id
        self._make_router = make_router
        self._ignored: set[Name] = set()
        self._silent: set[str] = set()
        self.tailers: dict[str, Tailer] = {}
        self.routers: dict[str, ShardRouter] = {}
        self.servers: dict[str, Server] = {}

    def add(self, name: str, server: Server) -> None:
        """Follow a server; its router knows all shards that are known by now."""
        patience = Patience(threading.Event(), self._troubles, self._settings.time_scale)
        tailer = Tailer(name, server, self._syncer_id, patience, self._settings)
        # By the tailer, not by its name: a server that is let go routes what it has just read to the end.
        router = self._make_router(name, patience, lambda: _ledger_of(tailer))
        for ignored in self._ignored:
            router.ignore(ignored)
        for shard in self._book.all():
            router.know(shard)
        self.servers[name] = server
        self.routers[name] = router
        self.tailers[name] = tailer
        self._pace()

    def retire(self, name: str) -> None:
        """Follow a server no more; its threads end by ``Stopped``."""
        tailer = self.tailers.pop(name)
        del self.routers[name], self.servers[name]
        tailer.patience.stop.set()
        self._pace()

    def _pace(self) -> None:
        for tailer in self.tailers.values():
            tailer.idle_pause = self._settings.idle_pause(len(self.tailers))

    def everywhere(self, action: Callable[[ShardRouter], None]) -> None:
        """Have something done at a batch boundary of every log."""
        for name, router in self.routers.items():
            self.tailers[name].at_boundary(lambda router=router: action(router))  # type: ignore[misc]

    def ignore(self, name: Name) -> None:
        """The markers of this name are of no concern, now and on servers that come later."""
        if name not in self._ignored:
            self._ignored.add(name)
            self.everywhere(lambda router: router.ignore(name))

    def know(self, shards: Sequence[Shard]) -> None:
        """Every log's router knows these shards, from its next batch boundary on."""
        self._ignored -= {name_of(shard.id.database, shard.plan.cuid) for shard in shards}
        self.everywhere(lambda router: router.know_all(shards))

    def ledger(self, name: str) -> Ledger:
        """The ledger of a server; raises CUT-DATA-10 while there is none."""
        if name not in self.tailers:
            raise CutoverError("CUT-DATA-10", f"the log of {name} is not followed", retriable=True)
        return _ledger_of(self.tailers[name])

    def leading(self) -> set[str]:
        """Servers that lead a shard."""
        return self._book.leaders()

    def needed(self) -> set[str]:
        """Servers whose log matters now: they lead a shard, or may at any moment, as they answer."""
        leading = self.leading()
        return {
            name for name, tailer in list(self.tailers.items()) if name in leading or tailer.reading.error is None
        }

    def silence_changed(self) -> bool:
        """Whether another set of servers does not answer than at the last call."""
        before, self._silent = self._silent, {
            name for name, tailer in self.tailers.items() if tailer.reading.error is not None
        }
        return before != self._silent

    def restart_ticks(self) -> dict[str, int]:
        """The restart position of every server whose log was ever read."""
        return {name: tailer.ledger.restart_tick for name, tailer in self.tailers.items() if tailer.ledger is not None}

    def data_directories(self) -> dict[str, str]:
        """The id of the data directory of every server that ever answered."""
        found = {name: tailer.data_directory for name, tailer in self.tailers.items()}
        return {name: directory for name, directory in found.items() if directory is not None}

    def close(self) -> None:
        """Let all threads end."""
        for tailer in self.tailers.values():
            tailer.patience.stop.set()


def _ledger_of(tailer: Tailer) -> Ledger:
    if tailer.ledger is None:
        raise CutoverError("CUT-DATA-10", f"the log of {tailer.server_id} could not be read yet", retriable=True)
    return tailer.ledger
