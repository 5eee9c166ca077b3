# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One lease's time of an agent that copies for the one that leads (design §4.8).

It writes to the target only while its own lease certainly lasts, and only what the lead of the present epoch has asked
for. Everything about the migration's course is read from the journal; of this host's files nothing is needed.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

from .._core.arango import Coordinators
from .._core.clock import SYSTEM_CLOCK, Deadline
from .._core.errors import CutoverError
from . import decision as record
from . import states
from .brake import Brake
from .dataplane_types import Settings
from .decision import Decision
from .exactness import prints_exactly
from .fleet_journal import (
    AGENT,
    ENDED,
    OFFERED,
    OPEN,
    SLOTS,
    TAKEN,
    FleetDocument,
    Job,
    JobDocument,
    agent_key,
    job_key,
    outcome_value,
)
from .joined_job import JobCopy, Means
from .journal import Journal, Record
from .lease import KEY as LEAD_KEY
from .lease import Lease, LeaseLostError, Owner
from .lending import Carried
from .load import Load
from .packing import Packing
from .patience import Patience, Troubles
from .spec import Spec
from .topology import Credentials, Source, connect, target_of
from .transfer import Transfer
from .workers import Workers
from .world import MIGRATION_KEY, access_of, lease_seconds

LOG = logging.getLogger(__name__)
_TICK_SECONDS = 1.0
_LEAST_TICK = 0.1
# How often the lease is renewed at least while there are new figures to tell, in ticks.
_RENEW_TICKS = 3
_END_SECONDS = 20.0


@dataclass(frozen=True)
class Led:
    """The migration as its journal tells it: ``lead`` is the body of the lead's lease."""

    migration: Mapping[str, Any]
    lead: Mapping[str, Any]
    state: str

    @property
    def over(self) -> bool:
        """Whether there is nothing left to copy, ever."""
        return self.state in states.TERMINAL


class Session:
    """Connections, lease and threads; ``close`` ends them for good."""

    def __init__(
        self,
        spec: Spec,
        source: Source,
        target: Coordinators,
        credentials: Credentials,
        journal: Journal,
        owner: Owner,
        time_scale: float,
        load: Callable[[], Load],
    ) -> None:
        """``load``: the limits of this host in force now."""
        self.source = source
        self.target = target
        self._credentials = credentials
        self._journal = journal
        self._owner = owner
        self._load = load
        self._scale = time_scale
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._copies: dict[int, JobCopy] = {}
        self._rest: Optional[str] = None
        self._resting: Optional[str] = None
        self._ticks = 0
        self._crash: Optional[CutoverError] = None
        self._patience = Patience(self._stop, Troubles(), time_scale)
        self._workers = Workers(self._crashed)
        self._fleet = FleetDocument(journal)
        self.lease = Lease(journal, owner, lease_seconds(time_scale), key=agent_key(owner.id), figures=self._figures)
        self._means = self._make_means(spec)

    def _make_means(self, spec: Spec) -> Means:
        settings = Settings(
            settle_after=spec.settle_after,
            time_scale=self._scale,
            compress=spec.compress,
            exact_numbers=prints_exactly(self.source.version),
        )
        brake = Brake()
        transfer = Transfer(brake, settings.batch_bytes)
        packing = Packing(self.target, settings.compress)
        return Means(
            self.source, self.target, self.lease.check, settings, brake, transfer, packing, self._patience.troubles
        )

    # -- what it does -------------------------------------------------------------------------------------------

    def join(self) -> Led:
        """Take the lease, be among the fleet, and begin to work."""
        led = self.look()
        if led.over:
            return led
        self.tune()
        self.lease.acquire(self._stop)
        for slot in SLOTS:
            self._give_up_former(JobDocument(self._journal, job_key(self._owner.id, slot), AGENT))
        self._fleet.enroll(self._owner.id)
        self.lease.keep(self._lease_error)
        for slot in SLOTS:
            self._workers.start(f"joined-{slot}", lambda slot=slot: self._serve(slot))  # type: ignore[misc]
        return led

    @staticmethod
    def _give_up_former(document: JobDocument) -> None:
        """A job that a former process of this agent was copying: what it has sent may still run."""
        while document.read() in OPEN and document.job is not None:
            shards = frozenset(document.job.shards)
            carried = Carried(unsettled=shards, error="its agent was restarted")
            document.move(ENDED, outcome=outcome_value(carried))

    def look(self) -> Led:
        """Read how the migration stands."""
        migration = Record(self._journal, MIGRATION_KEY).load()
        lead = self._journal.read(LEAD_KEY)
        opened = Decision(self._journal).read() in record.DECIDED_OPEN
        state = states.COMPLETED if opened else str(migration.get("state", states.INACTIVE))
        return Led(migration, lead.body if lead else {}, state)

    def tick(self) -> Led:
        """What is due now: withdraw what is not wanted, rest or work, tell how far it is. Raises what ends the session.
        """
        if self._crash is not None:
            raise self._crash
        self._fleet.read()
        if self._owner.id not in self._fleet.agents:
            self._fleet.enroll(self._owner.id)
        self._withdraw()
        self._obey(self._fleet.rest)
        self.tune()
        self._ticks += 1
        if self._ticks % _RENEW_TICKS == 0:
            self.lease.renew()
        return self.look()

    def wait(self, stop: threading.Event) -> bool:
        """Until the next tick; True when there is to be none."""
        return stop.wait(self._tick_seconds)

    @property
    def _tick_seconds(self) -> float:
        return max(_LEAST_TICK, _TICK_SECONDS * self._scale)

    def _withdraw(self) -> None:
        for slot, copy in self._running().items():
            document = JobDocument(self._journal, job_key(self._owner.id, slot), AGENT)
            # One that is being taken just now is still offered.
            if document.read() not in (OFFERED, TAKEN) or not document.is_about(copy.job):
                copy.withdraw()

    def _running(self) -> dict[int, JobCopy]:
        with self._lock:
            return dict(self._copies)

    def _obey(self, order: Optional[Mapping[str, Any]]) -> None:
        """Rest while all are to, and tell so as soon as nothing is written any more."""
        wanted = None if order is None else str(order["id"])
        with self._lock:
            self._rest = wanted
            for copy in self._copies.values():
                copy.rest(wanted is not None)
            rests = all(copy.rests for copy in self._copies.values())
        resting = wanted if rests else None
        if resting != self._resting:
            self._resting = resting
            self.lease.renew()

    def tune(self) -> None:
        """The limits of this moment, and fewer copiers for servers whose requests wait."""
        brake = self._means.brake
        brake.tune(self._load().at(SYSTEM_CLOCK.wall()))
        queues = {name: server.queue_time or 0.0 for name, server in dict(self.source.servers).items()}
        brake.adapt(queues, self.target.queue_time or 0.0)

    # -- jobs ---------------------------------------------------------------------------------------------------

    def _serve(self, slot: int) -> None:
        document = JobDocument(self._journal, job_key(self._owner.id, slot), AGENT)
        while True:
            self._patience.check()
            state = self._patience.call(document.read)
            if state != OFFERED or not self._take(document, slot):
                self._patience.sleep(self._tick_seconds / 2)
                continue
            copy = self._running()[slot]
            carried = copy.run()
            self._report(document, copy.job, carried)
            with self._lock:
                del self._copies[slot]

    def _take(self, document: JobDocument, slot: int) -> bool:
        """Take the job that was read, if it is of the lead that leads now and nobody is to rest.

        The lead is looked at after the job: one that has taken over later has closed the job, or finds it taken.
        """
        job = document.job
        if job is None or not self._is_of_lead(job):
            return False
        with self._lock:
            if self._rest is not None:
                return False
            self._copies[slot] = JobCopy(job, self._means)
        if self._patience.call(lambda: document.move(TAKEN)):
            return True
        with self._lock:
            del self._copies[slot]
        return False

    def _is_of_lead(self, job: Job) -> bool:
        lead = self._patience.call(lambda: self._journal.read(LEAD_KEY))
        return lead is not None and lead.body.get("owner") is not None and lead.body.get("epoch") == job.epoch

    def _report(self, document: JobDocument, job: Job, carried: Carried) -> None:
        """Tell what came of a job, unless it was closed: by a lead that has taken this agent's lease."""
        deadline = Deadline(_END_SECONDS)
        while True:
            try:
                if document.read() not in OPEN or not document.is_about(job):
                    return
                if document.move(ENDED, outcome=outcome_value(carried)):
                    return
            except CutoverError as error:
                if self._stop.is_set() and deadline.expired:
                    raise
                LOG.info("the end of a job cannot be told now: %s", error)
                self._stop.wait(self._tick_seconds)

    def _figures(self) -> dict[str, Any]:
        transfer = self._means.transfer
        return {"rests": self._resting, "bytes": transfer.bytes.total, "documents": transfer.documents.total}

    # -- how it stands and ends ---------------------------------------------------------------------------------

    def jobs(self) -> list[dict[str, Any]]:
        """What is being copied now, for the status."""
        return [
            {"server": copy.job.server, "database": copy.job.database, "shards": len(copy.job.plans)}
            for _slot, copy in sorted(self._running().items())
        ]

    @property
    def transfer(self) -> Transfer:
        """Its counters."""
        return self._means.transfer

    @property
    def resting(self) -> bool:
        """Whether it is to rest, and does."""
        return self._resting is not None

    @property
    def asked_to_rest(self) -> bool:
        """Whether it is to rest."""
        return self._rest is not None

    def log_in_anew(self, spec: Spec, trust: ssl.SSLContext) -> None:
        """Use another login for the target from the next request on, and another CA from the next connection on."""
        self._credentials.replace(spec.target_username, spec.target_password)
        for server in self.target.servers:
            server.client.trust(trust)

    def _lease_error(self, error: CutoverError) -> None:
        if isinstance(error, LeaseLostError) and not error.retriable:
            self._crash = error

    def _crashed(self, name: str, error: Exception) -> None:
        text = error.message if isinstance(error, CutoverError) else f"{type(error).__name__}: {error}"
        self._crash = CutoverError("CUT-DATA-14", f"the worker {name} ended: {text}", retriable=True)

    def close(self, timeout: float) -> None:
        """Begin no further write, tell what came of the jobs, give the lease back, and cut the connections.

        Returns when no thread of it writes any more; whatever was not told by then is found out by the lead.
        """
        self._stop.set()
        for copy in self._running().values():
            copy.withdraw()
        busy = self._workers.join(Deadline(timeout))
        if busy:
            self.lease.abandon()
            self.target.close()
            self._workers.join(Deadline(timeout))
        else:
            try:
                self.lease.release()
            except CutoverError as error:
                LOG.info("the lease was not given back: %s", error)
        self._journal.stop.set()
        self.target.close()
        self.source.close()


def open_session(
    spec: Spec, secret: bytes, owner: Owner, time_scale: float, load: Callable[[], Load]
) -> Session:
    """Connect; raises what source or target refuse, and CUT-FLEET-3 where there is nothing to join."""
    source = connect(spec.source_endpoints, access_of(spec, secret))
    opened: list[Callable[[], None]] = [source.close]
    try:
        credentials = Credentials(spec.target_username, spec.target_password)
        target = target_of(spec, credentials)
        opened.append(target.close)
        journal = _journal_of(target, spec)
    except CutoverError:
        for close in reversed(opened):
            close()
        raise
    return Session(spec, source, target, credentials, journal, owner, time_scale, load)


def _journal_of(target: Coordinators, spec: Spec) -> Journal:
    """The journal of the migration that is joined; raises CUT-FLEET-3 when it knows none of this specification."""
    journal = Journal.find(target)
    known = {} if journal is None else Record(journal, MIGRATION_KEY).load()
    if journal is None or known.get("config_digest") != spec.config_digest:
        name = known.get("name", "no migration")
        raise CutoverError("CUT-FLEET-3", f"the journal on the target knows {name}, not the one that was joined")
    return journal
