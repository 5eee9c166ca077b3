# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What agents of one fleet tell each other: of two who change a document one wins, and nothing is done twice."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.fleet_journal import (
    AGENT,
    CLOSED,
    ENDED,
    LEAD,
    OFFERED,
    OPEN,
    REVOKED,
    TAKEN,
    FleetDocument,
    Job,
    JobDocument,
    outcome_value,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lending import Carried
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan
from tests.unit.control_fakes import FakeStore

KEY = "job-a-0"
PLANS = (
    ShardPlan(ShardId("d\u00e9", "1", "s2"), "c", "9/s2", "PRMR-1"),
    ShardPlan(ShardId("d\u00e9", "1", "s3"), "c", "9/s3", "PRMR-1", False, True, Likeness.CONTENT),
)


def job_of(number: str, epoch: int = 1) -> Job:
    """A job of two shards."""
    return Job(number, epoch, "PRMR-1", PLANS)


def offered(store: FakeStore, number: str = "one", epoch: int = 1) -> JobDocument:
    """What the lead has after an offer."""
    document = JobDocument(store, KEY, LEAD)
    document.read()
    assert document.move(OFFERED, job=job_of(number, epoch).as_value(), outcome=None)
    return document


def test_a_job_survives_the_journal() -> None:
    """With all that decides how its documents are written."""
    value = json.loads(json.dumps(job_of("one", 7).as_value()))
    assert Job.from_value(value) == job_of("one", 7)
    carried = Carried(frozenset({"s2"}), frozenset({"s3"}), frozenset({"s3"}), True, "why")
    store = FakeStore()
    document = offered(store)
    agent = JobDocument(store, KEY, AGENT)
    agent.read()
    agent.move(TAKEN)
    agent.move(ENDED, outcome=json.loads(json.dumps(outcome_value(carried))))
    document.read()
    assert document.outcome == carried
    assert document.is_about(job_of("one"))


def test_of_two_agents_one_gets_the_job() -> None:
    """Two processes of one state directory that was copied."""
    store = FakeStore()
    offered(store)
    first, second = JobDocument(store, KEY, AGENT), JobDocument(store, KEY, AGENT)
    assert [first.read(), second.read()] == [OFFERED, OFFERED]
    assert first.move(TAKEN)
    assert not second.move(TAKEN)
    assert second.state == TAKEN
    with pytest.raises(ValueError, match="cannot go from taken to taken"):
        second.move(TAKEN)


def test_a_job_that_is_taken_back_cannot_be_taken() -> None:
    """The offer was closed between the agent's look and its taking."""
    store = FakeStore()
    lead = offered(store)
    agent = JobDocument(store, KEY, AGENT)
    agent.read()
    assert lead.move(CLOSED)
    assert not agent.move(TAKEN)
    assert agent.state == CLOSED


def test_a_job_that_was_taken_is_not_closed_as_an_offer() -> None:
    """The lead looks again then, and waits for its end."""
    store = FakeStore()
    lead = offered(store)
    agent = JobDocument(store, KEY, AGENT)
    agent.read()
    assert agent.move(TAKEN)
    assert not lead.move(CLOSED)
    assert lead.state == TAKEN


def test_a_late_report_does_not_reopen_what_was_closed() -> None:
    """The agent was paused, its lease was taken, and its shards are copied by somebody else."""
    store = FakeStore()
    lead = offered(store)
    agent = JobDocument(store, KEY, AGENT)
    agent.read()
    agent.move(TAKEN)
    lead.read()
    assert lead.move(CLOSED)
    assert not agent.move(ENDED, outcome=outcome_value(Carried()))
    assert agent.state == CLOSED


def test_a_former_lead_offers_nothing_on_what_the_present_one_has_closed() -> None:
    """It wakes with the revision that it read before."""
    store = FakeStore()
    former = JobDocument(store, KEY, LEAD)
    former.read()
    present = offered(store, "two", 2)
    assert not former.move(OFFERED, job=job_of("old").as_value(), outcome=None)
    assert present.read() == OFFERED
    assert present.is_about(job_of("two"))


@pytest.mark.parametrize("table", [LEAD, AGENT])
def test_nobody_makes_a_step_of_the_other_side(table: Any) -> None:
    """One bug must not turn a job that runs into one that ended."""
    for state, after in table.items():
        other = AGENT if table is LEAD else LEAD
        assert not set(after) & set(other.get(state, ()))


def test_two_that_join_at_once_are_both_there() -> None:
    """Each change is made on what is there by then."""
    store = FakeStore()
    first, second = FleetDocument(store), FleetDocument(store)
    first.read()
    second.read()
    first.enroll("a")
    second.enroll("b")
    first.order({"id": "1"})
    second.strike(["a"])
    second.read()
    assert second.agents == ["b"]
    assert second.rest == {"id": "1"}


def test_nothing_is_written_where_nobody_has_joined() -> None:
    """A migration of one agent is as it ever was."""
    store = FakeStore()
    fleet = FleetDocument(store)
    fleet.read()
    fleet.order({"id": "1"})
    fleet.strike(["a"])
    assert store.documents == {}


class Jobs:
    """One slot, two leads of which the second takes over at some time, an agent, lost answers: one walk among them.

    Nobody works on a job that its lead believes to be at rest, and no job is done that nobody asked for.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.store = FakeStore()
        self.leads = {1: JobDocument(self.store, KEY, LEAD), 2: JobDocument(self.store, KEY, LEAD)}
        self.agent = JobDocument(self.store, KEY, AGENT)
        self.epoch = 1
        self.settled = True
        self.working: str | None = None
        self.seen_epoch: int | None = None
        self.asked: dict[str, int] = {}
        # Jobs that their lead knows to be at rest.
        self.at_rest: set[str] = set()

    def _move(self, document: JobDocument, state: str, **values: Any) -> bool:
        self.store.lose = self.chance.choice([None, None, None, None, "now", "late", "never"])
        try:
            return document.move(state, **values)
        except TransportError:
            return False
        finally:
            self.store.lose = None

    def walk(self, steps: int) -> set[str]:
        """Do whatever comes; gives the jobs that were worked on."""
        worked: set[str] = set()
        for _step in range(steps):
            self.chance.choice(self.ACTIONS)(self)
            self.check()
            worked |= {self.working} if self.working else set()
        return worked

    def lead_offers(self) -> None:
        """The present one, once it has closed what it found."""
        if self.settled and self.leads[self.epoch].read() == CLOSED:
            self._offer(self.epoch)

    def former_lead_wakes(self) -> None:
        """It has passed its gate before its pause: it knows what it had read."""
        if self.epoch == 2 and self.leads[1].state == CLOSED:
            self._offer(1)

    def _offer(self, epoch: int) -> None:
        number = str(len(self.asked))
        self.asked[number] = epoch
        self._move(self.leads[epoch], OFFERED, job=job_of(number, epoch).as_value(), outcome=None)

    def lead_withdraws(self) -> None:
        """What the present one wants no more, or finds of a former one."""
        document = self.leads[self.epoch]
        state = document.read()
        number = document.job.number if document.job else ""
        if state in (OFFERED, ENDED) and self._move(document, CLOSED):
            self.at_rest.add(number)
        elif state == TAKEN:
            self._move(document, REVOKED)
        self.settled = self.settled or document.state == CLOSED

    def another_leads(self) -> None:
        """It closes what there is before it offers anything."""
        if self.epoch == 1:
            self.epoch, self.settled = 2, False

    def agent_reads(self) -> None:
        """Its look at the document."""
        self.agent.read()
        self.seen_epoch = None

    def agent_looks_who_leads(self) -> None:
        """After the document, not before."""
        self.seen_epoch = self.epoch

    def agent_takes(self) -> None:
        """What is offered by the lead that it has seen; it works when it knows that it has it."""
        job = self.agent.job
        if self.working is None and self.agent.state == OFFERED and job is not None and job.epoch == self.seen_epoch:
            self.working = job.number if self._move(self.agent, TAKEN) else None
            self.seen_epoch = None

    def agent_ends(self) -> None:
        """It has stopped before it says so; after a restart it says so of what a former process had."""
        if self.working is None and self.chance.random() < 0.8:
            return
        self.working = self.seen_epoch = None
        if self.agent.read() in OPEN:
            self._move(self.agent, ENDED, outcome=outcome_value(Carried()))

    def lost_requests_run(self) -> None:
        """Behind everything that was done meanwhile."""
        self.store.run_late()

    def check(self) -> None:
        """What must hold at any moment."""
        assert self.working not in self.at_rest, "its shards may be copied by somebody else by now"
        if self.working is not None:
            entry = self.store.documents[KEY]
            assert entry.body["job"]["number"] == self.working
            assert entry.body["state"] in OPEN
            assert not self.settled or self.asked[self.working] == self.epoch, "a job of a former lead"

    ACTIONS = (
        lead_offers, former_lead_wakes, lead_withdraws, another_leads, agent_reads, *[agent_looks_who_leads] * 3,
        *[agent_takes] * 3, agent_ends, lost_requests_run,
    )  # fmt: skip


def test_whatever_comes_nobody_works_on_what_its_lead_believes_at_rest() -> None:
    """Many walks, most of which do something."""
    assert sum(bool(Jobs(seed).walk(60)) for seed in range(2000)) > 200
