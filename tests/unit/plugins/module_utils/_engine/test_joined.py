# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An agent that copies for another one: it does what the present lead asks, and nothing without its own lease."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError, TransportError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision, states
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.fleet_journal import (
    CLOSED,
    ENDED,
    LEAD,
    OFFERED,
    REVOKED,
    TAKEN,
    FleetDocument,
    Job,
    JobDocument,
    agent_key,
    job_key,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.joined_session import Session, _journal_of
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Journal
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import Lease, LeaseLostError, Owner, Watch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lending import Carried
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import Load
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spec import parse
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.world import MIGRATION_KEY
from tests.unit.control_fakes import FakeStore
from tests.unit.plugins.module_utils._engine.test_copier import FakeServer
from tests.unit.plugins.module_utils._engine.test_copier import refused as refusal_of

LEADER = Owner("a" * 32, "lead.example")
MINE = Owner("b" * 32, "other.example")
PLAN = ShardPlan(ShardId("d", "1", "s2"), "c", "9/s2", "S1")
SPEC = parse({
    "source_endpoints": ["https://source.example:8529"], "target_endpoints": ["https://target.example:8529"],
    "target_password": "secret", "join": True,
})  # fmt: skip
DOCUMENT = b'{"_key":"a","_rev":"_x"}\n'


class Target:
    """Takes what is restored; ``before`` is called first, and may raise or answer."""

    queue_time = 0.0

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.before: Callable[[], Response | None] = lambda: None

    def request(self, method: str, path: str, **options: Any) -> Response:
        """A restore, or the probe's reading back."""
        if "data" not in options:
            return Response(200, {}, b'[{"_key":"a","_rev":"_x"}]')
        answer = self.before()
        if answer is not None:
            return answer
        self.bodies.append(b"".join(options["data"]))
        if path.startswith("/_api/document"):
            refusal = b'[{"error":true,"errorNum":1,"errorMessage":""}]'
            return Response(202, {"x-arango-error-codes": '{"1":1}'}, refusal)
        return Response(200, {}, b'{"result":true}')

    def close(self) -> None:
        """Nothing is open."""


class World:
    """A journal with a lead, and one session."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.store.stop = threading.Event()  # type: ignore[attr-defined]
        self.lead = Lease(self.store, LEADER, 60.0)
        self.lead.acquire()
        self.store.create(MIGRATION_KEY, {"state": "initial-sync", "config_digest": SPEC.config_digest, "id": "1"})
        self.server = FakeServer([])
        self.target = Target()
        self.session = self.new_session()
        self.job = JobDocument(self.store, job_key(MINE.id, 0), LEAD)

    def new_session(self) -> Session:
        """As after a restart."""
        source: Any = SimpleNamespace(
            servers={"S1": self.server}, coordinators=None, version="3.12.5", refresh=lambda: None, close=lambda: None
        )
        self.server.queue_time = 0.0  # type: ignore[attr-defined]
        arguments: Any = (SPEC, source, self.target, None, self.store, MINE)
        return Session(*arguments, 0.02, Load)

    def offer(self, epoch: int | None = None) -> None:
        """By the lead of this epoch, or the present one."""
        job = Job("one", self.lead.epoch if epoch is None else epoch, "S1", (PLAN,))
        self.job.read()
        assert self.job.move(OFFERED, job=job.as_value(), outcome=None)

    def until(self, state: str) -> None:
        """The job is in that state."""
        wait_for(lambda: self.job.read() == state)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until the session's threads have done it."""
    pause = threading.Event()
    for _look in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("not in time")


@pytest.fixture
def world() -> Iterator[World]:
    """One whose session is closed in the end."""
    made = World()
    yield made
    made.session.close(5.0)


def test_a_job_is_taken_copied_and_told(world: World) -> None:
    """Its bodies go as they are."""
    world.server.script = [DOCUMENT]
    world.offer()
    assert not world.session.join().over
    world.until(ENDED)
    assert world.job.outcome == Carried(copied=frozenset({"s2"}))
    assert world.target.bodies[-1] == DOCUMENT
    assert world.session.tick().state == states.INITIAL_SYNC
    assert world.session.transfer.bytes.total == len(DOCUMENT)


def test_a_job_of_a_former_lead_is_not_taken(world: World) -> None:
    """Its shards may be somebody else's by now."""
    world.session.join()
    world.offer(epoch=world.lead.epoch + 1)
    asked: list[str] = []
    world.store.before = asked.append
    wait_for(lambda: asked.count("read lease") > 2)
    assert world.job.read() == OFFERED
    assert world.target.bodies == []


def test_what_a_killed_process_was_copying_is_given_up(world: World) -> None:
    """What it has sent may still run: the whole of it is in doubt."""
    world.offer()
    entry = world.store.documents[world.job.key]
    world.store.replace(world.job.key, {**entry.body, "state": TAKEN}, entry.rev)
    world.session.join()
    assert world.job.read() == ENDED
    assert world.job.outcome.copied == frozenset()
    assert world.job.outcome.unsettled == frozenset({"s2"})


def test_a_request_without_an_answer_is_told_without_its_keys(world: World) -> None:
    """The lead reads the collection back."""
    answers = iter([TransportError("CUT-HTTP-4", "no answer", outcome_unknown=True)])

    def lost() -> None:
        for error in answers:
            raise error

    world.target.before = lost
    world.server.script = [DOCUMENT]
    world.offer()
    world.session.join()
    world.until(ENDED)
    assert world.job.outcome == Carried(copied=frozenset({"s2"}), unsettled=frozenset({"s2"}))
    assert '"a"' not in str(world.store.documents[world.job.key].body)


def test_i9_a_document_that_the_target_refuses_is_left_to_the_lead(world: World) -> None:
    """Who tells of it by its key."""

    def refuses() -> None:
        if not world.target.bodies:
            world.target.bodies.append(b"")
            raise refusal_of(400, 10)
        if world.target.bodies[-1] == b"":
            world.target.bodies.append(b"once")
            raise refusal_of(400, 10)

    world.target.before = refuses
    world.server.script = [DOCUMENT]
    world.offer()
    world.session.join()
    world.until(ENDED)
    assert world.job.outcome.copied == frozenset()
    assert world.job.outcome.refused == frozenset({"s2"})


def held_in_a_write(world: World, documents: int) -> threading.Event:
    """It copies so many documents, and waits in its first write for what is returned."""
    entered, go_on = threading.Event(), threading.Event()

    def held() -> None:
        entered.set()
        assert go_on.wait(10)

    world.target.before = held
    world.server.script = [DOCUMENT] * documents
    world.offer()
    world.session.join()
    assert entered.wait(10)
    return go_on


def test_i1_nothing_is_written_when_its_lease_was_taken(world: World) -> None:
    """It was paused: the lead believes it lost, and copies its shards anew."""
    go_on = held_in_a_write(world, documents=3)
    watch = Watch(world.store, agent_key(MINE.id), 60.0)
    watch.look()
    wait_for(lambda: watch.look() is None and watch.take(LEADER.id))
    world.job.read()
    assert world.job.move(CLOSED)
    with pytest.raises(LeaseLostError):
        world.session.lease.renew()
    go_on.set()
    wait_for(lambda: not world.session.jobs())
    assert len(world.target.bodies) == 1, "only what was under way"
    assert world.job.read() == CLOSED


def test_a_revoked_job_ends_between_two_writes(world: World) -> None:
    """Its collection was dropped."""
    go_on = held_in_a_write(world, documents=3)
    world.until(TAKEN)
    assert world.job.move(REVOKED)
    world.session.tick()
    go_on.set()
    world.until(ENDED)
    assert world.job.outcome.copied == frozenset()
    assert len(world.target.bodies) == 1


def test_it_rests_when_all_are_to_and_tells_so(world: World) -> None:
    """Not before nothing is written any more, and it takes no job meanwhile."""
    go_on = held_in_a_write(world, documents=2)
    fleet = FleetDocument(world.store)
    fleet.read()
    fleet.order({"id": "7"})
    world.session.tick()
    assert world.session.asked_to_rest
    assert world.store.documents[agent_key(MINE.id)].body["rests"] is None
    go_on.set()
    wait_for(lambda: _ticked(world) == "7")
    written = len(world.target.bodies)
    fleet.order(None)
    world.session.tick()
    world.until(ENDED)
    assert world.job.outcome.copied == frozenset({"s2"})
    assert len(world.target.bodies) > written


def _ticked(world: World) -> Any:
    world.session.tick()
    return world.store.documents[agent_key(MINE.id)].body["rests"]


def test_a_server_that_cannot_be_reached_from_here_is_left_to_the_lead(world: World) -> None:
    """Who may have a way to it."""
    world.server.script = [TransportError("CUT-HTTP-1", "no way", outcome_unknown=False) for _try in range(1000)]
    world.offer()
    world.session.join()
    world.until(ENDED)
    assert world.job.outcome == Carried(error="no way")


def test_it_is_enrolled_again_when_it_was_struck(world: World) -> None:
    """The lead had seen it leave, and has missed that it was back."""
    world.session.join()
    FleetDocument(world.store).read()
    fleet = FleetDocument(world.store)
    fleet.read()
    fleet.strike([MINE.id])
    world.session.tick()
    fleet.read()
    assert fleet.agents == [MINE.id]


@pytest.mark.parametrize(
    ("journaled", "decided", "over"),
    [
        ("running", None, False),
        ("stopping", decision.FENCED, False),
        ("stopping", decision.OPENING, True),
        ("stopping", decision.COMPLETED, True),
        ("aborting", None, False),
        ("aborted", None, True),
    ],
)
def test_it_ends_with_the_migration(world: World, journaled: str, decided: str | None, over: bool) -> None:
    """And does not join one that is over."""
    entry = world.store.documents[MIGRATION_KEY]
    world.store.replace(MIGRATION_KEY, {**entry.body, "state": journaled}, entry.rev)
    if decided:
        world.store.create(decision.KEY, {"state": decided})
    assert world.session.join().over is over
    assert (agent_key(MINE.id) in world.store.documents) is not over


@pytest.mark.parametrize("known", [None, {}, {"name": "another", "config_digest": "0"}])
def test_there_must_be_that_migration(monkeypatch: pytest.MonkeyPatch, known: dict[str, str] | None) -> None:
    """One that was replaced, or whose target was emptied, is not copied for."""
    store = FakeStore()
    if known is not None:
        store.create(MIGRATION_KEY, known)
    monkeypatch.setattr(Journal, "find", lambda _target: None if known is None else store)
    with pytest.raises(CutoverError) as refused:
        _journal_of(Target(), SPEC)  # type: ignore[arg-type]
    assert refused.value.code == "CUT-FLEET-3"


def test_its_end_gives_the_lease_back(world: World) -> None:
    """So that the lead does not have to wait for it."""
    world.session.join()
    world.session.close(5.0)
    body: Mapping[str, Any] = world.store.documents[agent_key(MINE.id)].body
    assert body["owner"] is None
