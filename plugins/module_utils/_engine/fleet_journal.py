# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What agents that share a migration tell each other in the journal (design §4.8); no document's key, no secret.

| document | holds | who writes it |
|---|---|---|
| ``fleet`` | the agents that have joined, and whether all are to rest | who joins; the lead |
| ``agent-<id>`` | the lease of a joined agent, with its figures | that agent; the lead takes it when it has run out |
| ``job-<id>-<slot>`` | one snapshot to copy, and what came of it | both, by the table below |

Every change is a compare-and-set on the revision that was read, so that of two one wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence

from .journal import Entry, JournalConflictError, Store
from .lending import Carried
from .likeness import Likeness
from .shards import ShardId, ShardPlan

FLEET_KEY = "fleet"
# So many jobs of one agent are open at once: while one is reported, the other is copied.
SLOTS = (0, 1)

OFFERED = "offered"
TAKEN = "taken"
REVOKED = "revoked"
ENDED = "ended"
CLOSED = "closed"
# What the lead may do to a job, and what the agent may. ``ended`` says that nothing of it is under way any more. A job
# that was taken is closed by the lead only when it has ended, or the agent's lease was taken from it.
LEAD: Mapping[str, tuple[str, ...]] = {
    CLOSED: (OFFERED,),
    OFFERED: (CLOSED,),
    TAKEN: (REVOKED, CLOSED),
    REVOKED: (CLOSED,),
    ENDED: (CLOSED,),
}
AGENT: Mapping[str, tuple[str, ...]] = {OFFERED: (TAKEN,), TAKEN: (ENDED,), REVOKED: (ENDED,)}
OPEN = (TAKEN, REVOKED)


def agent_key(agent: str) -> str:
    """The journal key of an agent's lease."""
    return f"agent-{agent}"


def job_key(agent: str, slot: int) -> str:
    """The journal key of one of an agent's jobs."""
    return f"job-{agent}-{slot}"


@dataclass(frozen=True)
class Job:
    """One snapshot: shards of one database that one server leads, ordered by the lead of this ``epoch``."""

    number: str
    epoch: int
    server: str
    plans: tuple[ShardPlan, ...]

    @property
    def database(self) -> str:
        """The database of all of them."""
        return self.plans[0].id.database

    @property
    def shards(self) -> list[str]:
        """Their names."""
        return [plan.id.shard for plan in self.plans]

    def as_value(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "number": self.number,
            "epoch": self.epoch,
            "server": self.server,
            "database": self.database,
            "shards": [
                {
                    "plan_id": plan.id.plan_id,
                    "shard": plan.id.shard,
                    "collection": plan.collection,
                    "cuid": plan.cuid,
                    "key_determines_shard": plan.key_determines_shard,
                    "likeness": plan.likeness.value,
                }
                for plan in self.plans
            ],
        }

    @classmethod
    def from_value(cls, value: Mapping[str, Any]) -> Job:
        """What ``as_value`` gave."""
        return cls(
            str(value["number"]),
            int(value["epoch"]),
            str(value["server"]),
            tuple(
                ShardPlan(
                    ShardId(str(value["database"]), str(item["plan_id"]), str(item["shard"])),
                    str(item["collection"]),
                    str(item["cuid"]),
                    str(value["server"]),
                    key_determines_shard=bool(item["key_determines_shard"]),
                    likeness=Likeness(item["likeness"]),
                )
                for item in value["shards"]
            ),
        )


def outcome_value(carried: Carried) -> dict[str, Any]:
    """What came of a job, for the journal."""
    return {
        "copied": sorted(carried.copied),
        "unsettled": sorted(carried.unsettled),
        "refused": sorted(carried.refused),
        "lost": carried.lost,
        "error": carried.error,
    }


def outcome_of(value: Mapping[str, Any]) -> Carried:
    """What ``outcome_value`` gave."""
    return Carried(
        frozenset(value["copied"]),
        frozenset(value["unsettled"]),
        frozenset(value["refused"]),
        bool(value["lost"]),
        value["error"],
    )


def state_of(entry: Optional[Entry]) -> str:
    """The state of a job; one that was never written is closed."""
    return CLOSED if entry is None else str(entry.body["state"])


class JobDocument:
    """One job's document as one of the two sees and changes it."""

    def __init__(self, store: Store, key: str, table: Mapping[str, tuple[str, ...]]) -> None:
        """``table``: ``LEAD`` or ``AGENT``."""
        self._store = store
        self._table = table
        self.key = key
        self.entry: Optional[Entry] = None

    @property
    def state(self) -> str:
        """As last read or written."""
        return state_of(self.entry)

    @property
    def job(self) -> Optional[Job]:
        """As last read or written; None before the first one."""
        return Job.from_value(self.entry.body["job"]) if self.entry else None

    def is_about(self, job: Job) -> bool:
        """Whether it is still this job."""
        return self.entry is not None and self.entry.body["job"]["number"] == job.number

    @property
    def outcome(self) -> Carried:
        """What an ended job came to."""
        return outcome_of((self.entry.body if self.entry else {})["outcome"])

    def read(self) -> str:
        """Read it and return its state."""
        self.entry = self._store.read(self.key)
        return self.state

    def move(self, state: str, **values: Any) -> bool:
        """Change the state, from the one read last; False when somebody else was quicker, whose document is known then.

        Raises ``ValueError`` for a step that the table does not have.
        """
        if state not in self._table.get(self.state, ()):
            raise ValueError(f"a job cannot go from {self.state} to {state} here")
        body = {**(self.entry.body if self.entry else {}), **values, "state": state}
        try:
            if self.entry is None:
                self.entry = self._store.create(self.key, body)
            else:
                self.entry = self._store.replace(self.key, body, self.entry.rev)
        except JournalConflictError as error:
            self.entry = error.current
            return False
        return True


class FleetDocument:
    """Who has joined, and whether all of them are to rest; changed by whoever, each change on what was read last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entry: Optional[Entry] = None

    @property
    def exists(self) -> bool:
        """Whether any agent has ever joined; as last read."""
        return self._entry is not None

    @property
    def agents(self) -> list[str]:
        """The ids of all agents that have joined, as last read."""
        return list(self._entry.body.get("agents", ())) if self._entry else []

    @property
    def rest(self) -> Optional[Mapping[str, Any]]:
        """The ``id`` of the pause that holds, as last read; None when all may work."""
        return self._entry.body.get("rest") if self._entry else None

    def read(self) -> None:
        """Read it."""
        self._entry = self._store.read(FLEET_KEY)

    def enroll(self, agent: str) -> None:
        """Have this agent among them."""
        self.read()
        while agent not in self.agents:
            self._write({"agents": sorted([*self.agents, agent])})

    def strike(self, agents: Sequence[str]) -> None:
        """Have these agents not among them: no job of theirs is open."""
        while set(agents) & set(self.agents):
            self._write({"agents": [agent for agent in self.agents if agent not in agents]})

    def order(self, rest: Optional[Mapping[str, Any]]) -> None:
        """Have all of them rest, or work."""
        while self.exists and self.rest != rest:
            self._write({"rest": rest})

    def _write(self, values: Mapping[str, Any]) -> None:
        body = {"agents": self.agents, "rest": self.rest, **values}
        try:
            if self._entry is None:
                self._entry = self._store.create(FLEET_KEY, body)
            else:
                self._entry = self._store.replace(FLEET_KEY, body, self._entry.rev)
        except JournalConflictError as error:
            self._entry = error.current
