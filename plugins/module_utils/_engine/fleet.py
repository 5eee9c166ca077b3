# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agents that copy for this one, which leads (design §4.8): who is there, what each does, who is lost.

An agent whose lease was seen unchanged for as long as it lasts has stopped by itself; its lease is taken, so that it
cannot go on when it wakes. What it has sent may still run: its shards begin anew, with a sweep, and their collections
are read back when late requests have certainly run, as after a take-over of the lead. The gate waits for that.
"""

from __future__ import annotations

import logging
import uuid
from typing import Any, Callable, Mapping, Optional, Protocol, Sequence

from .._core.errors import CutoverError
from .fleet_journal import (
    CLOSED,
    ENDED,
    LEAD,
    OFFERED,
    OPEN,
    REVOKED,
    SLOTS,
    TAKEN,
    FleetDocument,
    Job,
    JobDocument,
    agent_key,
    job_key,
)
from .journal import Store
from .lease import Clocks, Lease, LeaseLostError, Watch, worker_of
from .lending import Carried, Carrier
from .looker import Looker
from .patience import Patience, Stopped
from .shards import ShardPlan

LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 2.0
_LEAST_LOOK = 0.1
_POLL_SECONDS = 0.5
_LEAST_POLL = 0.05


class Lending(Protocol):
    """What is asked of the data path."""

    @property
    def copy_rests(self) -> bool:
        """Whether the copy is to rest, because of a pause or to protect somebody."""

    def hire(self, carrier: Carrier) -> None:
        """Give work to this one."""

    def copied_elsewhere(self, size: int, documents: int) -> None:
        """Another agent has copied so much."""


class Mate:
    """One joined agent during one of its leases."""

    def __init__(self, agent: str, watch: Watch) -> None:
        self.agent = agent
        self.watch = watch
        self.lost = False
        self.busy: set[int] = set()
        self._bytes = 0
        self._documents = 0

    @property
    def host(self) -> str:
        """Where it runs."""
        return str(self.watch.values.get("host"))

    def describe(self) -> dict[str, Any]:
        """As in the status document's ``workers``."""
        return worker_of({**self.watch.values, "owner": self.agent}, self.watch.age)

    def copied(self) -> tuple[int, int]:
        """Bytes and documents that it has copied since the last call; a new session of it counts from 0."""
        size, documents = (int(self.watch.values.get(name, 0)) for name in ("bytes", "documents"))
        more = max(0, size - self._bytes), max(0, documents - self._documents)
        self._bytes, self._documents = size, documents
        return more


class Hand:
    """One slot of a joined agent: offers a job, waits for its end, and closes it."""

    def __init__(self, fleet: Fleet, mate: Mate, slot: int) -> None:
        self._fleet = fleet
        self._mate = mate
        self._slot = slot
        self._document = JobDocument(fleet.store, job_key(mate.agent, slot), LEAD)

    @property
    def agent(self) -> str:
        """See ``Carrier``."""
        return f"the agent on host {self._mate.host}"

    @property
    def present(self) -> bool:
        """See ``Carrier``."""
        return not self._mate.lost

    @property
    def rests(self) -> bool:
        """See ``Carrier``."""
        rest = self._fleet.rest
        return self._mate.lost or (rest is not None and self._mate.watch.values.get("rests") == rest["id"])

    def carry(self, server: str, plans: Sequence[ShardPlan], wanted: Callable[[], bool], patience: Patience) -> Carried:
        """See ``Carrier``."""
        job = Job(uuid.uuid4().hex, self._fleet.lease.epoch, server, tuple(plans))
        self._mate.busy.add(self._slot)
        try:
            if not self._offer(job, wanted, patience):
                return Carried()
            return self._outcome(job, wanted, patience)
        finally:
            self._mate.busy.discard(self._slot)

    def _offer(self, job: Job, wanted: Callable[[], bool], patience: Patience) -> bool:
        """Write the job; False when it is not wanted any more and was not written."""
        document = self._document
        while True:
            patience.call(document.read)
            if document.is_about(job):
                return True
            if not (wanted() and self.present):
                return False
            if document.state == CLOSED:
                self._fleet.admit(patience)
                patience.call(lambda: document.move(OFFERED, job=job.as_value(), outcome=None))
            elif document.state == OFFERED and document.job is not None and document.job.epoch != job.epoch:
                # An offer that was sent in an epoch before this one and came late: nobody takes it.
                self._fleet.admit(patience)
                patience.call(lambda: document.move(CLOSED))
            else:
                # What a lost session of this agent has left is closed by whoever waited for it.
                patience.sleep(self._fleet.poll_seconds)

    def _outcome(self, job: Job, wanted: Callable[[], bool], patience: Patience) -> Carried:
        document = self._document
        while True:
            lost = self._mate.lost
            patience.call(document.read)
            if not document.is_about(job):
                # Only the lead of a later epoch closes what this one has offered.
                self._fleet.admit(patience)
                patience.sleep(self._fleet.poll_seconds)
            elif document.state == ENDED:
                carried = document.outcome
                if self._close(patience):
                    return carried
            elif document.state == OFFERED and (lost or not wanted()):
                if self._close(patience):
                    return Carried()
            elif document.state in OPEN and lost:
                if self._close(patience):
                    return Carried(unsettled=frozenset(job.shards), error="it is lost, with what it was copying")
            elif document.state == TAKEN and not wanted():
                patience.call(lambda: document.move(REVOKED))
            else:
                patience.sleep(self._fleet.poll_seconds)

    def _close(self, patience: Patience) -> bool:
        return patience.call(lambda: self._document.move(CLOSED))


class Fleet(Looker):
    """One thread looks for agents that join, leave or are lost, and tells all of them when to rest."""

    def __init__(
        self, store: Store, lease: Lease, plane: Lending, *, time_scale: float, clocks: Optional[Clocks] = None
    ) -> None:
        super().__init__("fleet", max(_LEAST_LOOK, _LOOK_SECONDS * time_scale), "the other agents of the fleet")
        self.store = store
        self.lease = lease
        self.poll_seconds = _poll_seconds(time_scale)
        self._plane = plane
        self._clocks = clocks
        self._document = FleetDocument(store)
        self._strangers: dict[str, Mate] = {}
        self._mates: dict[str, Mate] = {}
        self._leaving: list[Mate] = []

    @property
    def rest(self) -> Optional[Mapping[str, Any]]:
        """The pause that holds for all, as journaled."""
        return self._document.rest

    def admit(self, patience: Patience) -> None:
        """Wait until the lead's lease certainly lasts; raises ``Stopped`` when it is another agent's."""
        try:
            patience.call(self.lease.check)
        except LeaseLostError as error:
            raise Stopped from error

    def workers(self) -> list[dict[str, Any]]:
        """The joined agents, as in the status document."""
        return [mate.describe() for mate in list(self._mates.values())]

    def look(self) -> None:
        """Look once; a journal that does not answer is looked at again."""
        try:
            self._document.read()
            if self._document.exists:
                self._meet()
                self._part()
                self._order()
        except CutoverError as error:
            LOG.info("the fleet's documents cannot be read or written now: %s", error)

    def _meet(self) -> None:
        for agent in self._document.agents:
            mate = self._mates.get(agent) or self._strangers.setdefault(agent, self._stranger(agent))
            if _is_lost(mate.watch, self.lease):
                self._lose(mate)
            elif agent in self._mates:
                self._plane.copied_elsewhere(*mate.copied())
            elif mate.watch.renewed and not any(gone.agent == agent for gone in self._leaving):
                self._welcome(mate)

    def _stranger(self, agent: str) -> Mate:
        return Mate(agent, Watch(self.store, agent_key(agent), self.lease.duration, self._clocks))

    def _welcome(self, mate: Mate) -> None:
        LOG.info("the agent on host %s has joined: it copies for this one", mate.host)
        self._mates[mate.agent] = self._strangers.pop(mate.agent)
        for slot in SLOTS:
            self._plane.hire(Hand(self, mate, slot))

    def _lose(self, mate: Mate) -> None:
        """It has no lease any more: what it was doing is taken back by its hands."""
        mate.lost = True
        self._strangers.pop(mate.agent, None)
        if self._mates.pop(mate.agent, None) is not None:
            self._leaving.append(mate)

    def _part(self) -> None:
        """Forget those of whom no job is open any more."""
        self._leaving = [mate for mate in self._leaving if mate.busy]
        present = {*self._mates, *self._strangers, *(mate.agent for mate in self._leaving)}
        self._document.strike([agent for agent in self._document.agents if agent not in present])

    def _order(self) -> None:
        if not self._plane.copy_rests:
            self._document.order(None)
        elif self._document.rest is None:
            self._document.order({"id": uuid.uuid4().hex})


def end_former_jobs(
    store: Store,
    lease: Lease,
    poll: Callable[[float], bool],
    *,
    time_scale: float,
    clocks: Optional[Clocks] = None,
) -> None:
    """Close every job of an earlier epoch, before anything is copied in this one: whoever works on one has stopped
    then, or its lease has run out and was taken.

    ``poll`` waits, and is true when there is no use in waiting any more: then CUT-FLEET-2 is raised.
    """
    fleet = FleetDocument(store)
    fleet.read()
    watches = {agent: Watch(store, agent_key(agent), lease.duration, clocks) for agent in fleet.agents}
    documents = [(agent, JobDocument(store, job_key(agent, slot), LEAD)) for agent in watches for slot in SLOTS]
    while True:
        lost = {agent for agent, watch in watches.items() if _is_lost(watch, lease)}
        documents = [(agent, document) for agent, document in documents if not _closed(document, agent in lost)]
        if not documents:
            return
        if poll(_poll_seconds(time_scale)):
            hosts = sorted({str(watches[agent].values.get("host")) for agent, _document in documents})
            raise CutoverError("CUT-FLEET-2", f"the agent on host {', '.join(hosts)} still copies", retriable=True)


def _is_lost(watch: Watch, lease: Lease) -> bool:
    """Look at a joined agent's lease, and take it when it has run out; whether the agent is without one."""
    watch.look()
    if watch.ran_out:
        lease.check()
        if watch.take(lease.owner.id):
            LOG.warning("the agent on host %s, which copied for this one, is lost", watch.values.get("host"))
    return not watch.held


def _poll_seconds(time_scale: float) -> float:
    return max(_LEAST_POLL, _POLL_SECONDS * time_scale)


def _closed(document: JobDocument, lost: bool) -> bool:
    """Whether an earlier epoch's job is closed; does what is next for that."""
    state = document.read()
    if state in (OFFERED, ENDED) or (lost and state in OPEN):
        return document.move(CLOSED)
    if state == TAKEN:
        document.move(REVOKED)
    return state == CLOSED
