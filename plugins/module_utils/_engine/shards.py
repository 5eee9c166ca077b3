# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a shard is for the data path: its identity, its plan and its state (design §4.1)."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Iterable, NamedTuple, Optional

from .likeness import Likeness
from .spool import Spool


class ShardState(str, Enum):
    """Where a shard stands; the values are the texts shown to people and kept in the journal."""

    PENDING = "pending"
    COPYING = "copying"
    CATCHING_UP = "catching-up"
    IN_SYNC = "in-sync"
    HELD = "held"
    SUSPECT = "suspect"


NEXT: dict[ShardState, frozenset[ShardState]] = {
    ShardState.PENDING: frozenset({ShardState.COPYING, ShardState.SUSPECT}),
    ShardState.COPYING: frozenset({ShardState.CATCHING_UP, ShardState.SUSPECT}),
    ShardState.CATCHING_UP: frozenset({ShardState.IN_SYNC, ShardState.HELD, ShardState.SUSPECT}),
    ShardState.IN_SYNC: frozenset({ShardState.HELD, ShardState.SUSPECT}),
    ShardState.HELD: frozenset({ShardState.IN_SYNC, ShardState.SUSPECT}),
    ShardState.SUSPECT: frozenset({ShardState.CATCHING_UP}),
}
# As what a shard begins anew when there is a doubt about it: what was never wholly copied is copied again, the rest is
# compared and repaired.
AFTER_DOUBT: dict[ShardState, ShardState] = {
    ShardState.PENDING: ShardState.PENDING,
    ShardState.COPYING: ShardState.PENDING,
    ShardState.CATCHING_UP: ShardState.SUSPECT,
    ShardState.IN_SYNC: ShardState.SUSPECT,
    ShardState.HELD: ShardState.SUSPECT,
    ShardState.SUSPECT: ShardState.SUSPECT,
}
# The reason of the hold that ends when the stretch since the restart position is read (see replayer.py).
REPLAY_HOLD = "replay"
_NUMBERS = itertools.count(1)


# What was verified of a shard before says nothing after these.
_DISTURBED = frozenset({ShardState.COPYING, ShardState.CATCHING_UP, ShardState.SUSPECT})
_DISTURBANCES = itertools.count(1)


class Route(Enum):
    """Where the tailer of the shard's leader takes its markers; changed in that tailer's thread only."""

    DROP = 0
    SPOOL = 1
    LIVE = 2


class ShardId(NamedTuple):
    """One shard of the source; dropped and re-created collections differ in ``plan_id`` (design §4.7).

    A tuple, as its hash is asked for at every look at ten thousand shards.
    """

    database: str
    plan_id: str
    shard: str


@dataclass(frozen=True)
class ShardPlan:
    """How one shard is to be migrated.

    ``cuid`` is how its markers name it (facts §5.6), ``leader`` the id of the DB-Server (``PRMR-…``) whose log counts,
    ``key_determines_shard`` whether ``_key`` alone decides the shard (else removes are guarded, design §4.5),
    ``first_copy_into_empty`` whether no copy into this target collection was ever begun (else a sweep ends the copy),
    ``likeness`` how its documents are compared.
    """

    id: ShardId
    collection: str
    cuid: str
    leader: str
    key_determines_shard: bool = True
    first_copy_into_empty: bool = True
    likeness: Likeness = Likeness.REVISION

    @property
    def where(self) -> str:
        """The place in texts for humans."""
        return f"{self.id.database}/{self.collection}/{self.id.shard}"


class Shard:
    """One life of a shard, up to the next doubt, while this process runs; guarded by the book's condition.

    ``start_tick`` is T0 of its snapshot: markers up to it are in the snapshot (design §4.3). ``replay_end`` says how
    much of its spool is the stretch since the restart position. ``number`` is this life's own, ``generation`` counts
    its spools: each has a pin of its own. ``gone`` means that nobody needs this object any more: whoever works on it
    lets go. ``before`` is the life that a doubt has ended, as long as something of it is queued or being written.
    ``troubles`` counts errors without an in-sync between them, ``not_before`` (monotonic) is when to try again,
    ``alone``: not in one snapshot with others, ``claimed``: somebody copies it, ``own``: no other agent is to copy it.
    ``watched``: the verification wants to know its keys; ``disturbance`` is larger after every copy and every doubt.
    """

    def __init__(self, plan: ShardPlan, directory: Path, before: Optional[Shard] = None) -> None:
        self.plan = plan
        self.before = before
        self.troubles = 0
        self.not_before = 0.0
        self.alone = False
        self.claimed = False
        self.own = False
        self.state = ShardState.PENDING
        self.route = Route.DROP
        self.holds: set[str] = set()
        self.start_tick: Optional[int] = None
        self.replay_end: Optional[int] = None
        self.offset = 0
        self.sweep_first = False
        self.working = False
        self.gone = False
        self.documents: Optional[int] = None
        self.queued_units = 0
        self.queued_bytes = 0
        self.writing = 0
        self.generation = 0
        self.number = next(_NUMBERS)
        self.watched: bool = before is not None and before.watched
        self.disturbance = next(_DISTURBANCES)
        self._directory = directory
        self.spool = self._new_spool()

    @property
    def id(self) -> ShardId:
        """Its identity."""
        return self.plan.id

    @property
    def collection(self) -> tuple[str, str]:
        """Database and plan id."""
        return (self.plan.id.database, self.plan.id.plan_id)

    @property
    def pin(self) -> tuple[int, int]:
        """The name under which the ledger is held back for the present spool."""
        return (self.number, self.generation)

    @property
    def pins(self) -> list[tuple[int, int]]:
        """The names of all its spools."""
        return [(self.number, generation) for generation in range(self.generation + 1)]

    @property
    def idle(self) -> bool:
        """Nothing of it, nor of its former lives, is queued or being written."""
        return self.rested and not self.queued_units and not self.writing

    @property
    def waits(self) -> bool:
        """Its spool is to be drained as soon as nobody holds it."""
        return self.state in (ShardState.HELD, ShardState.CATCHING_UP) and self.route is Route.SPOOL

    @property
    def rested(self) -> bool:
        """Nothing of its former lives is queued or being written."""
        if self.before is not None and self.before.idle:
            self.before = None
        return self.before is None

    def renew_spool(self) -> Spool:
        """Begin an empty spool; gives the old one, which may still be read."""
        old = self.spool
        self.generation += 1
        self.offset = 0
        self.spool = self._new_spool()
        return old

    def _new_spool(self) -> Spool:
        # Names of databases and shards are free texts: the file's name is made of numbers only.
        return Spool(self._directory / f"{self.number}-{self.generation}.spool")


class ShardBook:
    """All shards; ``changed`` is notified whenever any of them changes.

    They are found by their collection, and by their leader and state: twenty threads look for those that concern them,
    and among ten thousand shards most are in sync.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._shards: dict[ShardId, Shard] = {}
        self._collections: dict[tuple[str, str], dict[ShardId, Shard]] = {}
        self._standing: dict[tuple[str, ShardState], dict[ShardId, Shard]] = {}
        self._altered: set[tuple[str, str]] = set()
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)

    def add(self, plan: ShardPlan, state: ShardState = ShardState.PENDING) -> Shard:
        """A new shard; raises ``ValueError`` when it is known already."""
        with self.changed:
            if plan.id in self._shards:
                raise ValueError(f"shard {plan.where} is registered twice")
            shard = Shard(plan, self._directory)
            shard.state = state
            self._enter(shard)
            self.changed.notify_all()
            return shard

    def begin_anew(self, shard: Shard, leader: Optional[str] = None) -> Shard:
        """End this life of a shard because of a doubt, and begin another one, perhaps with another leader."""
        with self.changed:
            untouched = shard.state is ShardState.PENDING and shard.plan.first_copy_into_empty
            plan = replace(shard.plan, leader=leader or shard.plan.leader, first_copy_into_empty=untouched)
            fresh = Shard(plan, self._directory, shard)
            fresh.state = AFTER_DOUBT[shard.state]
            fresh.holds = shard.holds - {REPLAY_HOLD}
            fresh.documents = shard.documents
            self._withdraw(shard)
            shard.gone, shard.state = True, ShardState.SUSPECT
            self._enter(fresh)
            self.changed.notify_all()
            return fresh

    def get(self, identity: ShardId) -> Optional[Shard]:
        """A shard by its identity."""
        with self.changed:
            return self._shards.get(identity)

    def all(self) -> list[Shard]:
        """Every shard."""
        with self.changed:
            return list(self._shards.values())

    def of(self, database: str, plan_id: str) -> list[Shard]:
        """The shards of one collection."""
        with self.changed:
            return list(self._collections.get((database, plan_id), {}).values())

    def led_by(self, server: str, *states: ShardState) -> list[Shard]:
        """The shards whose leader is this DB-Server, in any of these states (none are named: in any)."""
        with self.changed:
            return [
                shard for state in states or ShardState for shard in self._standing.get((server, state), {}).values()
            ]

    def leaders(self) -> set[str]:
        """The DB-Servers that lead a shard."""
        with self.changed:
            return {server for (server, _state), shards in self._standing.items() if shards}

    def counts(self) -> Counter[ShardState]:
        """How many shards are in each state; no state that none is in."""
        with self.changed:
            found: Counter[ShardState] = Counter()
            for (_server, state), shards in self._standing.items():
                if shards:
                    found[state] += len(shards)
            return found

    def out_of(self, *states: ShardState) -> list[Shard]:
        """The shards that are in none of these states."""
        with self.changed:
            return [
                shard
                for (_server, state), shards in self._standing.items()
                if state not in states
                for shard in shards.values()
            ]

    def take_altered(self) -> set[tuple[str, str]]:
        """Collections of which a shard came, went, or changed its state since the last call; for one caller."""
        with self.changed:
            altered, self._altered = self._altered, set()
            return altered

    def remove(self, shards: Iterable[Shard]) -> None:
        """Forget shards and their spools."""
        with self.changed:
            for shard in shards:
                known = self._shards.get(shard.id)
                if known is not None:
                    self._withdraw(known)
                    del self._shards[shard.id], self._collections[shard.collection][shard.id]
                shard.spool.delete()
            self.changed.notify_all()

    def move(self, shard: Shard, state: ShardState) -> None:
        """Change a shard's state; raises ``ValueError`` for a change that the table does not have."""
        with self.changed:
            if shard.state is state:
                return
            if state not in NEXT[shard.state]:
                raise ValueError(f"shard {shard.plan.where} cannot go from {shard.state.value} to {state.value}")
            if state in _DISTURBED:
                shard.disturbance = next(_DISTURBANCES)
            self._restate(shard, state)
            self.changed.notify_all()

    def adopt(self, shard: Shard) -> None:
        """A shard that was just added needs no copy: it is held until what it has missed is replayed."""
        with self.changed:
            shard.holds.add(REPLAY_HOLD)
            self._restate(shard, ShardState.HELD)

    def let_go(self, shard: Shard) -> None:
        """Nobody needs this shard any more, though it is not forgotten yet."""
        with self.changed:
            shard.gone = True
            self._altered.add(shard.collection)
            self.changed.notify_all()

    def _restate(self, shard: Shard, state: ShardState) -> None:
        known = self._withdraw(shard)
        shard.state = state
        if known:
            self._file(shard)

    def _file(self, shard: Shard) -> None:
        self._standing.setdefault((shard.plan.leader, shard.state), {})[shard.id] = shard
        self._altered.add(shard.collection)

    def _withdraw(self, shard: Shard) -> bool:
        """False for a life that has ended, or one that was forgotten: it is filed nowhere."""
        if self._shards.get(shard.id) is not shard:
            return False
        del self._standing[shard.plan.leader, shard.state][shard.id]
        self._altered.add(shard.collection)
        return True

    def _enter(self, shard: Shard) -> None:
        self._shards[shard.id] = shard
        self._collections.setdefault(shard.collection, {})[shard.id] = shard
        self._file(shard)
