# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shards that may lack something: ``suspect``, reported, and blocking the cutover (invariant I3, design §4.6)."""

from __future__ import annotations

import threading
from typing import Callable, Iterable, Mapping

from .._core.errors import CutoverError
from .dataplane_types import TopologyChange
from .findings import Finding
from .router import ShardRouter
from .shards import Shard, ShardBook, ShardState
from .tailer import Tailer

_CODES = {"log-gap": "CUT-DATA-5", "new-data-directory": "CUT-DATA-6"}


class Doubts:
    """Gives shards up and tells; a suspect shard's markers are dropped, as it must be copied anew.

    Its restart position is held until the journal knows the state: a restart in between must find the cause again.
    """

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        routers: Mapping[str, ShardRouter],
        report: Callable[[Finding], None],
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._routers = routers
        self._report = report
        self._lock = threading.Lock()
        self._changes: list[TopologyChange] = []
        self._pinned: dict[Shard, bool] = {}

    def server(self, server_id: str, kind: str, text: str) -> None:
        """A server's log is not what it was: everything that depends on it is in doubt."""
        shards = [shard for shard in self._book.led_by(server_id) if shard.state is not ShardState.PENDING]
        with self._lock:
            self._changes.append(TopologyChange(server_id, kind, text, tuple(shard.id for shard in shards)))
        self._report(
            Finding(
                _CODES[kind],
                "error",
                server_id,
                f"{text}; {len(shards)} shards led by it are suspect",
                "Abort and start anew once the source is healthy.",
            )
        )
        self.suspect(shards)

    def shard(self, shard: Shard, error: Exception) -> None:
        """A shard met an error that does not pass."""
        if shard.gone:
            return
        text = error.message if isinstance(error, CutoverError) else f"{type(error).__name__}: {error}"
        remedy = error.remedy if isinstance(error, CutoverError) else "Report this message, then abort and start anew."
        self._report(Finding("CUT-DATA-7", "error", shard.plan.where, f"the shard is given up: {text}", remedy))
        self.suspect([shard])

    def crash(self, name: str, error: Exception) -> None:
        """A thread ended that must not."""
        text = error.message if isinstance(error, CutoverError) else f"{type(error).__name__}: {error}"
        code = error.code if isinstance(error, CutoverError) else "CUT-DATA-14"
        self._report(
            Finding(code, "error", name, f"the worker {name} ended: {text}", "Restart the agent; report the message.")
        )

    def suspect(self, shards: Iterable[Shard]) -> None:
        """Make shards suspect."""
        for shard in shards:
            with self._book.changed:
                if shard.gone or shard.state is ShardState.SUSPECT:
                    continue
                self._book.move(shard, ShardState.SUSPECT)
            tailer = self._tailers[shard.plan.leader]
            if tailer.ledger is not None:
                tailer.ledger.pin(("suspect", shard.id), tailer.ledger.restart_tick)
            with self._lock:
                self._pinned[shard] = False
            router = self._routers[shard.plan.leader]
            tailer.at_boundary(lambda router=router, shard=shard: router.drop(shard))  # type: ignore[misc]

    def published(self) -> None:
        """The states were handed out to be journaled."""
        with self._lock:
            self._pinned = dict.fromkeys(self._pinned, True)

    def journaled(self) -> None:
        """What was handed out before is in the journal."""
        with self._lock:
            known = [shard for shard, published in self._pinned.items() if published]
            for shard in known:
                del self._pinned[shard]
        for shard in known:
            ledger = self._tailers[shard.plan.leader].ledger
            if ledger is not None:
                ledger.unpin(("suspect", shard.id))
                ledger.unpin(shard.pin)

    def changes(self) -> list[TopologyChange]:
        """All doubts about servers so far."""
        with self._lock:
            return list(self._changes)
