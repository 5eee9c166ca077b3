# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting until the logs are applied up to given ticks, and looking for what comes later (design §5, step 6)."""

from __future__ import annotations

import threading
from typing import Iterable, Mapping

from .._core.clock import Deadline
from .._core.errors import CutoverError
from .dataplane_types import LateMarkers
from .lanes import Lanes
from .recheck import Recheck
from .router import Observations
from .shards import ShardBook, ShardState
from .tailer import Tailer


class Drain:
    """Ticks are per DB-Server; every call may come from any thread."""

    def __init__(self, book: ShardBook, lanes: Lanes, observations: Observations, stop: threading.Event) -> None:
        self._book = book
        self._lanes = lanes
        self._observations = observations
        self._stop = stop

    def drain(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """See ``DataPlane``."""
        self._observations.forget_late()
        for name, tick in upto.items():
            router = self._lanes.routers[name]
            self._tailer(name).at_boundary(lambda router=router, tick=tick: router.watch_late(tick))  # type: ignore[misc]
        self.scan_to(upto, deadline)
        with self._book.changed:
            while True:
                behind = [shard.plan.where for shard in self._book.out_of(ShardState.IN_SYNC)]
                if not behind:
                    break
                if deadline.expired or self._stop.is_set():
                    raise not_drained(f"{len(behind)} shards are not in sync, the first one is {behind[0]}")
                self._book.changed.wait(min(0.1, deadline.remaining()))
        self._acknowledged(upto, deadline)

    def apply_to(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """See ``DataPlane``."""
        self.scan_to(upto, deadline)
        self._acknowledged(upto, deadline)

    def scan_to(self, upto: Mapping[str, int], deadline: Deadline) -> None:
        """See ``DataPlane``."""
        for name, tick in upto.items():
            if not self._tailer(name).read_to(tick, deadline, self._stop):
                raise not_drained(f"the log of {name} was not read up to {tick}")

    def settle(self, recheck: Recheck, deadline: Deadline) -> None:
        """See ``DataPlane``."""
        while recheck.pending():
            if deadline.expired or self._stop.wait(min(0.1, deadline.remaining())):
                count = recheck.pending()
                raise CutoverError("CUT-DATA-11", f"{count} groups of keys are not read back yet", retriable=True)

    def late_markers(self) -> LateMarkers:
        """See ``DataPlane``."""
        return self._observations.late()

    def end_watch(self) -> None:
        """See ``DataPlane``."""
        self._lanes.everywhere(lambda router: router.watch_late(None))
        self._observations.forget_late()

    def _acknowledged(self, names: Iterable[str], deadline: Deadline) -> None:
        for name in names:
            if not self._lanes.ledger(name).wait_completed(deadline, self._stop):
                raise not_drained(f"operations of {name} are not acknowledged by the target")

    def _tailer(self, name: str) -> Tailer:
        tailer = self._lanes.tailers.get(name)
        if tailer is None:
            raise not_drained(f"{name} is no DB-Server of the source any more")
        return tailer


def not_drained(text: str) -> CutoverError:
    """The error of everything that is not reached in time."""
    return CutoverError("CUT-DATA-10", text, retriable=True)
