# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pausing the application of a collection, and letting go of one for good (design §4.1, §4.5)."""

from __future__ import annotations

import time
from typing import Callable, Mapping, Sequence

from .._core.clock import Deadline
from .._core.errors import CutoverError
from .catchup import CatchUp
from .patience import Patience
from .recheck import Recheck
from .router import ShardRouter, name_of
from .shards import Shard, ShardBook, ShardState
from .tailer import Tailer

_HOLDABLE = (ShardState.IN_SYNC, ShardState.HELD)


class Holds:
    """Works on whole collections; every call may come from any thread."""

    def __init__(
        self,
        book: ShardBook,
        tailers: Mapping[str, Tailer],
        routers: Mapping[str, ShardRouter],
        catch_up: CatchUp,
        recheck: Recheck,
        patience: Patience,
    ) -> None:
        self._book = book
        self._tailers = tailers
        self._routers = routers
        self._catch_up = catch_up
        self._recheck = recheck
        self._patience = patience

    def hold(self, shards: Sequence[Shard], reason: str, deadline: Deadline) -> None:
        """Stop applying at a batch boundary; returns when everything before it is applied.

        Raises CUT-DATA-13 when a shard is not in sync or the deadline comes first; then nothing stays held.
        """
        with self._book.changed:
            others = [shard.plan.where for shard in shards if shard.state not in _HOLDABLE]
            if others:
                raise _not_at_rest(others, "not in sync")
            for shard in shards:
                shard.holds.add(reason)
        try:
            self._at_boundaries(shards, lambda shard: self._hold_one(shard, reason), deadline)
            self._wait(shards, lambda shard: shard.idle and not shard.working and shard.state not in (
                ShardState.IN_SYNC, ShardState.CATCHING_UP
            ), deadline)
            self._check_held(shards)
        except CutoverError:
            # A life that a doubt began meanwhile has taken the hold over.
            with self._book.changed:
                lives = [self._book.get(shard.id) for shard in shards]
            self.release([shard for shard in lives if shard is not None], reason)
            raise

    @staticmethod
    def _check_held(shards: Sequence[Shard]) -> None:
        doubted = [shard.plan.where for shard in shards if shard.state is not ShardState.HELD]
        if doubted:
            raise _not_at_rest(doubted, "there is a doubt about it")

    def release(self, shards: Sequence[Shard], reason: str) -> None:
        """Go on, unless there are other reasons; returns at once."""
        with self._book.changed:
            for shard in shards:
                shard.holds.discard(reason)
            free = [shard for shard in shards if not shard.holds and shard.waits]
            self._book.changed.notify_all()
        for shard in free:
            self._catch_up.begin(shard)

    def quiesce(self, shards: Sequence[Shard], settled_at: float, deadline: Deadline) -> None:
        """Let no request write into the collection any more, not even one whose answer was lost.

        ``settled_at`` (monotonic) is until when requests of an earlier process may run.
        """
        with self._book.changed:
            for shard in shards:
                self._book.let_go(shard)
        for server_id, router in self._routers.items():
            for shard in shards:
                if shard.plan.leader == server_id:
                    self._tailers[server_id].at_boundary(lambda router=router, shard=shard: router.drop(shard))  # type: ignore[misc]
        self._wait(shards, lambda shard: shard.idle and not shard.working, deadline)
        self._wait_settled(shards, settled_at, deadline)

    def forget(self, shards: Sequence[Shard]) -> None:
        """Drop what is known of them; their markers stay of no concern."""
        for shard in shards:
            name = name_of(shard.id.database, shard.plan.cuid)
            for server_id, router in self._routers.items():
                self._tailers[server_id].at_boundary(lambda router=router, name=name: router.ignore(name))  # type: ignore[misc]
            tailer = self._tailers.get(shard.plan.leader)
            if tailer is not None and tailer.ledger is not None:
                for pin in shard.pins:
                    tailer.ledger.unpin(pin)
            self._recheck.forget(shard.id.database, shard.id.plan_id)
        self._book.remove(shards)

    def _hold_one(self, shard: Shard, reason: str) -> None:
        server_id = shard.plan.leader
        with self._book.changed:
            # Whoever asked may have given up before the batch ended.
            if reason in shard.holds:
                self._routers[server_id].hold(shard, self._tailers[server_id].boundary)

    def _at_boundaries(self, shards: Sequence[Shard], action: Callable[[Shard], None], deadline: Deadline) -> None:
        tickets = [
            (shard, self._tailers[shard.plan.leader].at_boundary(lambda shard=shard: action(shard)))  # type: ignore[misc]
            for shard in shards
            if shard.plan.leader in self._tailers
        ]
        late = [shard.plan.where for shard, ticket in tickets if not ticket.wait(self._patience, deadline)]
        if late:
            raise _not_at_rest(late, "its server's log did not come to the end of a batch in time")

    def _wait(self, shards: Sequence[Shard], rests: Callable[[Shard], bool], deadline: Deadline) -> None:
        with self._book.changed:
            while True:
                busy = [shard.plan.where for shard in shards if not rests(shard)]
                if not busy:
                    return
                if deadline.expired:
                    raise _not_at_rest(busy, "still being written")
                self._patience.check()
                self._book.changed.wait(min(0.2, deadline.remaining()))

    def _wait_settled(self, shards: Sequence[Shard], settled_at: float, deadline: Deadline) -> None:
        collections = {shard.collection for shard in shards}

        def open_seconds() -> float:
            dues = [due for due in (self._recheck.last_due(*name) for name in collections) if due is not None]
            return max([settled_at - time.monotonic(), *(due - time.monotonic() for due in dues)])

        while open_seconds() > 0:
            if deadline.expired:
                raise _not_at_rest([shard.plan.where for shard in shards], "requests without an answer may still run")
            self._patience.sleep(min(0.5, max(0.01, open_seconds()), max(0.01, deadline.remaining())))


def _not_at_rest(places: Sequence[str], reason: str) -> CutoverError:
    listed = ", ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "")
    return CutoverError("CUT-DATA-13", f"{listed}: {reason}", retriable=True, details={"shards": list(places[:100])})
