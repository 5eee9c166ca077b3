# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lead and those who copy for it: what a lost agent leaves is taken back, and its gate is shut."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import fleet_journal
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.fleet import Fleet, Hand, Mate, end_former_jobs
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.fleet_journal import (
    AGENT,
    CLOSED,
    ENDED,
    OFFERED,
    REVOKED,
    TAKEN,
    FleetDocument,
    JobDocument,
    agent_key,
    job_key,
    outcome_value,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import Lease, LeaseLostError, Owner, Watch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lending import Carried, Carrier
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Stopped, Troubles
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan
from tests.unit.control_fakes import FakeStore, HandClocks

DURATION = 30.0
LEAD = Owner("a" * 32, "lead.example")
OTHER = Owner("b" * 32, "other.example")
PLANS = [ShardPlan(ShardId("d", "1", name), "c", f"9/{name}", "PRMR-1") for name in ("s2", "s3")]
BOTH = frozenset({"s2", "s3"})


class Steps(Patience):
    """Instead of waiting it does what comes next."""

    def __init__(self, *steps: Callable[[], Any]) -> None:
        super().__init__(threading.Event(), Troubles(), 0.0)
        self.steps = list(steps)

    def sleep(self, seconds: float) -> None:
        """See ``Patience``; a wait that nothing ends is an error of the test."""
        self.steps.pop(0)()


class Plane:
    """What the fleet's thread asks of the data path."""

    def __init__(self) -> None:
        self.copy_rests = False
        self.hands: list[Carrier] = []
        self.copied = (0, 0)

    def hire(self, carrier: Carrier) -> None:
        """See ``Lending``."""
        self.hands.append(carrier)

    def copied_elsewhere(self, size: int, documents: int) -> None:
        """See ``Lending``."""
        self.copied = (self.copied[0] + size, self.copied[1] + documents)


class World:
    """A journal, a lead with its fleet, and an agent that has joined."""

    def __init__(self) -> None:
        self.store, self.clocks, self.plane = FakeStore(), HandClocks(), Plane()
        self.figures: dict[str, Any] = {}
        self.lead = Lease(self.store, LEAD, 10 * DURATION, self.clocks)
        self.lead.acquire()
        self.agent = Lease(
            self.store, OTHER, DURATION, self.clocks, key=agent_key(OTHER.id), figures=lambda: self.figures
        )
        self.agent.acquire()
        FleetDocument(self.store).enroll(OTHER.id)
        self.fleet = Fleet(self.store, self.lead, self.plane, time_scale=1.0, clocks=self.clocks)
        self.documents = [JobDocument(self.store, job_key(OTHER.id, slot), AGENT) for slot in (0, 1)]

    def welcome(self) -> Hand:
        """The lead has seen the agent renew its lease."""
        self.fleet.look()
        self.agent.renew()
        self.fleet.look()
        hand = self.plane.hands[0]
        assert isinstance(hand, Hand)
        return hand

    def take(self) -> None:
        """The agent takes what it is offered."""
        assert self.documents[0].read() == OFFERED
        assert self.documents[0].move(TAKEN)

    def end(self, carried: Carried) -> Callable[[], None]:
        """The agent tells what came of it."""

        def told() -> None:
            self.documents[0].read()
            assert self.documents[0].move(ENDED, outcome=outcome_value(carried))

        return told

    def lose(self) -> None:
        """Nothing is heard of the agent for as long as its lease lasts."""
        self.clocks.pass_by(DURATION)
        self.fleet.look()


def carry(hand: Hand, *steps: Callable[[], Any], wanted: Callable[[], bool] = lambda: True) -> Carried:
    """One job; the steps come one after the other while it is waited for."""
    return hand.carry("PRMR-1", PLANS, wanted, Steps(*steps))


def test_an_agent_is_given_work_when_it_was_seen_to_live() -> None:
    """Documents of one that is long gone look like those of one that has just joined."""
    world = World()
    world.fleet.look()
    assert world.plane.hands == []
    assert world.fleet.workers() == []
    world.welcome()
    assert len(world.plane.hands) == 2
    assert [worker["host"] for worker in world.fleet.workers()] == ["other.example"]


def test_a_job_is_offered_taken_ended_and_closed() -> None:
    """And what came of it is told."""
    world = World()
    carried = Carried(copied=BOTH)
    assert carry(world.welcome(), world.take, world.end(carried)) == carried
    assert world.documents[0].read() == CLOSED


def test_a_lost_answer_offers_a_job_once() -> None:
    """The journal's own write id is behind that; here the offer is found on the second look."""
    world = World()
    hand = world.welcome()
    world.store.lose = "now"
    assert carry(hand, lambda: None, world.take, world.end(Carried(copied=BOTH))) == Carried(copied=BOTH)


def test_i1_what_a_lost_agent_was_copying_is_in_doubt_and_its_gate_is_shut() -> None:
    """Its lease is taken before the job is closed: it cannot renew when it wakes."""
    world = World()
    carried = carry(world.welcome(), world.take, world.lose)
    assert carried.copied == frozenset()
    assert carried.unsettled == BOTH
    assert world.documents[0].read() == CLOSED
    assert not world.plane.hands[0].present
    with pytest.raises(LeaseLostError) as lost:
        world.agent.renew()
    assert not lost.value.retriable
    with pytest.raises(LeaseLostError):
        world.agent.check()


def test_i1_an_agent_that_renews_in_the_last_moment_is_not_lost() -> None:
    """Compare-and-set decides."""
    world = World()
    hand = world.welcome()
    world.clocks.pass_by(DURATION)
    world.store.before = lambda name: _once(world, name)
    world.fleet.look()
    assert hand.present
    world.agent.check()


def _once(world: World, name: str) -> None:
    if name == f"replace {agent_key(OTHER.id)}":
        world.store.before = lambda name: None
        world.agent.renew()


def test_an_offer_that_nobody_takes_goes_back() -> None:
    """Nobody has begun it: it is as if it had never been."""
    world = World()
    assert carry(world.welcome(), world.lose) == Carried()
    assert world.documents[0].read() == CLOSED


def test_what_is_not_wanted_any_more_is_revoked_and_waited_for() -> None:
    """Its collection was dropped: until the agent has stopped, nobody may make another one of that name."""
    world = World()
    wanted = [True]

    def dropped() -> None:
        wanted.clear()

    def stops() -> None:
        assert world.documents[0].read() == REVOKED
        world.end(Carried(error="withdrawn"))()

    carried = carry(world.welcome(), world.take, dropped, stops, wanted=lambda: bool(wanted))
    assert carried == Carried(error="withdrawn")


def test_nothing_is_offered_without_the_leads_own_lease() -> None:
    """Another one leads by now."""
    world = World()
    hand = world.welcome()
    world.clocks.pass_by(11 * DURATION)
    third = Lease(world.store, Owner("c" * 32, "third.example"), DURATION, world.clocks)
    world.clocks.pause = lambda stop, seconds: world.clocks.pass_by(seconds) or False  # type: ignore[method-assign]
    third.acquire()
    with pytest.raises(LeaseLostError):
        world.lead.renew()
    with pytest.raises(Stopped):
        carry(hand)
    assert world.documents[0].read() == CLOSED


def test_all_are_told_to_rest_and_tell_when_they_do() -> None:
    """A pause is not announced while somebody still writes."""
    world = World()
    hand = world.welcome()
    world.plane.copy_rests = True
    world.fleet.look()
    rest = world.fleet.rest
    assert rest is not None
    assert not hand.rests
    world.figures = {"rests": "an earlier one"}
    world.agent.renew()
    world.fleet.look()
    assert not hand.rests
    world.figures = {"rests": rest["id"]}
    world.agent.renew()
    world.fleet.look()
    assert hand.rests
    world.plane.copy_rests = False
    world.fleet.look()
    assert world.fleet.rest is None


def test_figures_of_others_count_as_progress_once() -> None:
    """A new session begins at 0 again."""
    world = World()
    world.welcome()
    for size, documents in ((100, 3), (100, 3), (250, 9)):
        world.figures = {"bytes": size, "documents": documents}
        world.agent.renew()
        world.fleet.look()
    assert world.plane.copied == (250, 9)


def test_one_that_left_is_forgotten_and_welcome_again() -> None:
    """Its agent was stopped and started."""
    world = World()
    world.welcome()
    world.agent.release()
    world.fleet.look()
    assert world.fleet.workers() == []
    assert FleetDocument(world.store).agents == []
    assert not any(hand.present for hand in world.plane.hands)
    world.agent.acquire()
    FleetDocument(world.store).enroll(OTHER.id)
    world.welcome()
    assert len(world.plane.hands) == 4


def former(world: World, *steps: Callable[[], Any]) -> None:
    """A lead of the next epoch ends what it finds."""
    coming = list(steps)

    def wait(seconds: float) -> bool:
        if not coming:
            return True
        coming.pop(0)()
        return False

    end_former_jobs(world.store, world.lead, wait, time_scale=1.0, clocks=world.clocks)


def begun(world: World) -> None:
    """The agent works on a job, and its lead is gone."""
    hand = world.welcome()
    with pytest.raises(IndexError):
        carry(hand, world.take)


def test_i1_a_new_lead_waits_until_former_jobs_have_ended() -> None:
    """What an agent still wrote for the former one could be older than what the new one has replicated."""
    world = World()
    begun(world)

    def ends() -> None:
        assert world.documents[0].read() == REVOKED
        world.end(Carried(error="withdrawn"))()

    with pytest.raises(CutoverError) as refused:
        former(world)
    assert refused.value.code == "CUT-FLEET-2"
    assert "other.example" in str(refused.value)
    former(world, lambda: None, ends)
    assert world.documents[0].read() == CLOSED


def test_an_offer_of_a_former_epoch_that_comes_late_blocks_nobody() -> None:
    """Its lead was killed before the answer came, and the next one had ended all that it found."""
    world = World()
    hand = world.welcome()
    with pytest.raises(IndexError):
        carry(hand)
    late = world.store.documents[job_key(OTHER.id, 0)].body
    former(world)
    world.lead.acquire()
    document = JobDocument(world.store, job_key(OTHER.id, 0), fleet_journal.LEAD)
    document.read()
    job = {**late["job"], "epoch": late["job"]["epoch"] - 1, "id": "late"}
    assert document.move(OFFERED, job=job, outcome=None)
    carried = Carried(copied=BOTH)
    assert carry(hand, world.take, world.end(carried)) == carried


def test_i1_a_new_lead_takes_the_lease_of_an_agent_that_does_not_answer() -> None:
    """As it was lost with the former lead."""
    world = World()
    begun(world)
    former(world, lambda: world.clocks.pass_by(DURATION))
    assert world.documents[0].read() == CLOSED
    with pytest.raises(LeaseLostError):
        world.agent.renew()


def test_where_nobody_has_joined_a_lead_reads_one_document() -> None:
    """A migration of one agent is as it ever was."""
    store, clocks = FakeStore(), HandClocks()
    lead = Lease(store, LEAD, DURATION, clocks)
    lead.acquire()
    asked: list[str] = []
    store.before = asked.append
    end_former_jobs(store, lead, lambda seconds: True, time_scale=1.0, clocks=clocks)
    Fleet(store, lead, Plane(), time_scale=1.0, clocks=clocks).look()
    assert asked == ["read fleet", "read fleet"]


def test_a_watch_counts_from_when_it_saw() -> None:
    """Reading may take long: the holder may have renewed meanwhile."""
    store, clocks = FakeStore(), HandClocks()
    lease = Lease(store, OTHER, DURATION, clocks, key="k")
    lease.acquire()
    watch = Watch(store, "k", DURATION, clocks)
    store.before = lambda name: clocks.pass_by(DURATION)
    watch.look()
    assert not watch.ran_out
    store.before = lambda name: None
    clocks.pass_by(DURATION)
    assert watch.ran_out
    assert Mate(OTHER.id, watch).describe()["last_seen_seconds"] == DURATION
