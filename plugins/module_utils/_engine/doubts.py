# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shards that may lack something begin anew: ``suspect`` until they were compared and repaired (invariant I3, design
§4.6)."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Iterable, Mapping, Optional, Sequence

from .._core.errors import CutoverError
from .cases import Cases
from .dataplane_types import TopologyChange
from .findings import Finding
from .router import ShardRouter
from .shards import Shard, ShardBook, ShardId, ShardState
from .tailer import Tailer

_CODES = {"log-gap": "CUT-DATA-5", "new-data-directory": "CUT-DATA-6", "restart": "CUT-TOPO-8"}
_FIRST_PAUSE = 0.1
_MOST_DOUBLINGS = 12
# Each of them may name all shards of a server.
_CHANGES = 20


class Doubts:
    """Ends the present life of shards and tells why.

    The restart position of the server that led a shard is held until the journal knows that the shard is not in sync:
    a restart in between must find the cause again. ``count`` grows with every shard: whoever needs an undisturbed time
    compares it. ``alarm`` is set whenever definitions and leaders should be looked at soon.
    """

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        routers: Mapping[str, ShardRouter],
        report: Callable[[Finding], None],
        stop: threading.Event,
        longest_pause: float = 1.0,
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._routers = routers
        self._report = report
        self._stop = stop
        self._longest_pause = longest_pause
        self._cases = Cases(report)
        self._lock = threading.Lock()
        self._changes: deque[TopologyChange] = deque(maxlen=_CHANGES)
        self._pinned: dict[Shard, bool] = {}
        self.count = 0
        self.alarm = threading.Event()

    def server(self, server_id: str, kind: str, text: str) -> None:
        """A server's log is not what it was: everything that depends on it is in doubt.

        ``kind`` is ``log-gap``, ``new-data-directory`` or ``restart``.
        """
        led = [shard for shard in self._book.led_by(server_id) if shard.state is not ShardState.PENDING]
        shards = self._begin_all_anew(led)
        with self._lock:
            self._changes.append(TopologyChange(server_id, kind, text, tuple(shards)))
        self._open(_CODES[kind], "warning", f"server {server_id}", text, shards)

    def relocated(self, leaders: Mapping[ShardId, str]) -> None:
        """Shards are led by other servers now: positions do not carry over, and the new one may lack something."""
        moved: dict[str, list[ShardId]] = {}
        for identity, leader in leaders.items():
            shard = self._book.get(identity)
            if shard is None or shard.plan.leader == leader:
                continue
            before = shard.plan.leader
            if self._begin_anew(shard, leader) is not None:
                moved.setdefault(before, []).append(identity)
        for before, shards in moved.items():
            others = ", ".join(sorted({leaders[identity] for identity in shards}))
            text = f"shards that it led are led by {others} now"
            self._open("CUT-TOPO-8", "warning", f"server {before}", text, shards)

    def shards(self, identities: Iterable[ShardId], where: str, reason: str) -> None:
        """The control path or the verification has a doubt."""
        known = [shard for shard in map(self._book.get, identities) if shard is not None]
        self._open("CUT-TOPO-8", "warning", where, reason, self._begin_all_anew(known))

    def shard(self, shard: Shard, error: Exception) -> None:
        """A shard met an error that does not pass by repeating a call: it begins anew after a pause.

        Nothing is told of one whose work is being ended: it is not in sync in the journal either.
        """
        if shard.gone or self._stop.is_set():
            return
        text = error.message if isinstance(error, CutoverError) else f"{type(error).__name__}: {error}"
        remedy = error.remedy if isinstance(error, CutoverError) else "Report this message if it comes again."
        pause = min(self._longest_pause, _FIRST_PAUSE * 2 ** min(shard.troubles, _MOST_DOUBLINGS))
        fresh = self._begin_anew(shard)
        if fresh is not None:
            with self._book.changed:
                fresh.troubles, fresh.not_before = shard.troubles + 1, time.monotonic() + pause
            self._open("CUT-DATA-7", "error", shard.plan.where, text, [shard.id], remedy)

    def _open(
        self, code: str, severity: str, where: str, text: str, shards: Sequence[ShardId], remedy: str = ""
    ) -> None:
        self._cases.open(code, severity, where, text, shards, remedy)
        # One that was quick may be in sync again before its case was known.
        self._cases.close([identity for identity in shards if self._needs_nothing(identity)])

    def _needs_nothing(self, identity: ShardId) -> bool:
        shard = self._book.get(identity)
        return shard is None or shard.state is ShardState.IN_SYNC

    def crash(self, name: str, error: Exception) -> None:
        """A thread ended that must not."""
        text = str(error) if isinstance(error, CutoverError) else f"{type(error).__name__}: {error}"
        self._report(
            Finding(
                "CUT-DATA-14", "error", name, f"the worker {name} ended: {text}",
                "Restart the agent; report the message.",
            )
        )

    def recovered(self, shard: Shard) -> None:
        """A shard is in sync."""
        with self._book.changed:
            shard.troubles = 0
        self._cases.close([shard.id])

    def forget(self, shards: Iterable[Shard]) -> None:
        """These shards are no concern any more; nothing of them holds a restart position."""
        mine = {shard.id for shard in shards}
        with self._lock:
            pinned = [shard for shard in self._pinned if shard.id in mine]
        self._let_go(pinned)
        self._cases.close(mine)

    def _begin_all_anew(self, shards: Iterable[Shard]) -> list[ShardId]:
        return [shard.id for shard in shards if self._begin_anew(shard) is not None]

    def _begin_anew(self, shard: Shard, leader: Optional[str] = None) -> Optional[Shard]:
        """End this life of a shard; None when it has ended already."""
        tailer = self._tailers.get(shard.plan.leader)
        with self._book.changed:
            if shard.gone:
                return None
            if tailer is not None and tailer.ledger is not None:
                # What is dropped from now on counts as done in the ledger: the position is held before that.
                tailer.ledger.pin(("doubt", shard.number), tailer.ledger.restart_tick)
                with self._lock:
                    self._pinned[shard] = False
            fresh = self._book.begin_anew(shard, leader)
            self.count += 1
        for server_id in sorted({shard.plan.leader, fresh.plan.leader}):
            self._tell_router(server_id, shard, fresh)
        self.alarm.set()
        return fresh

    def _tell_router(self, server_id: str, old: Shard, fresh: Shard) -> None:
        tailer, router = self._tailers.get(server_id), self._routers.get(server_id)
        if tailer is None or router is None:
            return
        if server_id == old.plan.leader:
            tailer.at_boundary(lambda: router.begin_anew(old, fresh))
        else:
            tailer.at_boundary(lambda: router.know(fresh))

    def published(self) -> None:
        """Positions were handed out: states that are read from now on show every doubt so far."""
        with self._lock:
            self._pinned = dict.fromkeys(self._pinned, True)

    def journaled(self) -> None:
        """Those positions, and states read after them, are in the journal."""
        with self._lock:
            known = [shard for shard, published in self._pinned.items() if published]
        self._let_go(known)

    def _let_go(self, shards: Iterable[Shard]) -> None:
        for shard in shards:
            with self._lock:
                self._pinned.pop(shard, None)
            tailer = self._tailers.get(shard.plan.leader)
            if tailer is not None and tailer.ledger is not None:
                tailer.ledger.unpin(("doubt", shard.number))
                for pin in shard.pins:
                    tailer.ledger.unpin(pin)

    def changes(self) -> list[TopologyChange]:
        """The last doubts about servers."""
        with self._lock:
            return list(self._changes)
