# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request to fence whose answer was lost may run when the way back is over: the source does not stay read-only."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SYSTEM_CLOCK
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import cutover_world, fence_note, supervisor
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import decision as record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover import Cutover
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover_world import LiveWorld
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.decision import Decision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.fence_note import read_note
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.late_fence import LateFence
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.supervisor import Supervisor
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.wayback import quiet_seconds
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.world import Paths
from tests.unit.control_fakes import Crash, FakeStore, HandClocks, unreachable

MAX_DOWNTIME = 0.3
SETTLE = 300.0


class Front:
    """A coordinator. Of the next requests to fence ``lost`` ones are not answered; they run when ``run_late`` says. So
    do ``lost_lifts`` of the next ones to lift.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self.label = name
        self.client = SimpleNamespace(endpoint=SimpleNamespace(url=f"https://{name}:8529"))

    def json(self, method: str, path: str, *, body: Any = None, **options: Any) -> dict[str, Any]:
        if path == "/_admin/server/mode":
            if method == "PUT":
                self._cluster.put(body["mode"])
            return {"mode": self._cluster.mode}
        return {}

    def request(self, *arguments: Any, **options: Any) -> None:
        """Cancels writers."""


class Cluster:
    """A source of two coordinators."""

    def __init__(self) -> None:
        self.mode = "default"
        self.lost = 0
        self.lost_lifts = 0
        self.late: list[str] = []
        self.crash = False
        self.fronts = {name: Front(self, name) for name in ("CRDN-1", "CRDN-2")}

    def put(self, mode: str) -> None:
        if self.crash:
            self.crash = False
            self.late.append(mode)
            raise Crash
        if mode == "readonly" and self.lost:
            self.lost -= 1
            self.late.append(mode)
            raise unreachable()
        if mode == "default" and self.lost_lifts:
            self.lost_lifts -= 1
            self.late.append(mode)
            raise unreachable()
        self.mode = mode

    def run_late(self) -> None:
        """What was lost runs now."""
        for mode in self.late:
            self.mode = mode
        self.late.clear()

    def labels(self) -> dict[str, Front]:
        return self.fronts

    def refresh(self) -> None:
        """Nobody comes or goes."""

    def unconnected(self) -> list[str]:
        return []


class Doubting:
    """A data path about which a new doubt comes up all the time."""

    def __init__(self) -> None:
        self._doubts = itertools.count()
        self.modes: dict[str, str] = {}

    @property
    def plane(self) -> SimpleNamespace:
        return SimpleNamespace(doubts=next(self._doubts), end_watch=bool, resume=bool)


class Agent:
    """An agent whose data path is in doubt, so that every attempt takes the way back behind its fence."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clocks = HandClocks()
        monkeypatch.setattr(cutover_world, "SystemClocks", lambda: self.clocks)
        monkeypatch.setattr(fence_note, "SystemClocks", lambda: self.clocks)
        self.source = Cluster()
        self.directory = directory
        self.decision = Decision(FakeStore())
        self.world: Any = SimpleNamespace(
            source=self.source,
            lease=SimpleNamespace(owner=SimpleNamespace(id="agent"), check=lambda: None),
            paths=Paths(directory),
            settings=SimpleNamespace(time_scale=1.0, settle_seconds=SETTLE),
            decision=self.decision,
        )

    def cutover(self) -> Cutover:
        running: Any = Doubting()
        return Cutover(LiveWorld(self.world, running, Findings(), threading.Event()), self.decision, threading.Event())

    def recover(self) -> str:
        """After a restart."""
        live = LiveWorld(self.world, None, Findings(), threading.Event())
        return Cutover(live, self.decision, threading.Event()).recover()

    def late_fence(self) -> LateFence:
        return LateFence(self.world, Findings(), threading.Event())

    def attempt(self, number: int = 1) -> None:
        assert self.cutover().run(number, MAX_DOWNTIME).result == "rolled-back"
        assert (self.source.mode, self.decision.read()) == ("default", record.NONE)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    return Agent(tmp_path, monkeypatch)


def migration() -> Any:
    """As the supervisor knows it after a restart."""
    return SimpleNamespace(
        attempts=1, findings=Findings(), stop_event=threading.Event(), clock=SYSTEM_CLOCK, last_attempt=object(),
        be_quiet=lambda world: None, spec=SimpleNamespace(max_downtime=MAX_DOWNTIME),
    )  # fmt: skip


def test_a_way_back_after_answered_requests_leaves_nothing_to_look_for(agent: Agent) -> None:
    agent.attempt()
    assert quiet_seconds(agent.decision.values, "agent") == 0.0
    assert read_note(agent.directory) is None
    assert not agent.late_fence().pending


@pytest.mark.parametrize("lost", [1, 1000], ids=["another-coordinator-took-it", "nobody-answered"])
def test_i6_a_fence_that_goes_up_after_the_way_back_is_lifted(agent: Agent, lost: int) -> None:
    agent.source.lost = lost
    agent.attempt()
    late = agent.late_fence()
    assert late.pending
    late.look()
    assert agent.source.mode == "default"
    agent.source.run_late()
    assert agent.source.mode == "readonly"
    late.look()
    assert (agent.source.mode, agent.decision.read()) == ("default", record.NONE)


def test_i6_it_is_looked_for_as_long_as_it_may_come(agent: Agent) -> None:
    agent.source.lost = 1
    agent.attempt()
    late = agent.late_fence()
    agent.clocks.boot_now += SETTLE - 1
    late.look()
    assert late.pending
    agent.clocks.boot_now += SETTLE
    late.look()
    assert not late.pending
    assert read_note(agent.directory) is None


def test_i6_another_attempt_does_not_forget_it(agent: Agent) -> None:
    agent.source.lost = 1
    agent.attempt()
    agent.attempt(2)
    agent.source.run_late()
    agent.late_fence().look()
    assert agent.source.mode == "default"


def test_i6_a_request_that_was_cut_by_a_crash_is_looked_for_by_the_restart(agent: Agent) -> None:
    agent.source.crash = True
    with pytest.raises(Crash):
        agent.cutover().run(1, MAX_DOWNTIME)
    assert agent.recover() == record.NONE
    assert agent.source.mode == "default"
    agent.source.run_late()
    agent.late_fence().look()
    assert agent.source.mode == "default"


def test_i7_nobody_lifts_it_without_the_record(agent: Agent) -> None:
    """Another agent may have begun a cutover of its own by then."""
    agent.source.lost = 1
    agent.attempt()
    note = read_note(agent.directory)
    assert note is not None
    assert not note.blind(agent.clocks, 1.0)


def test_a_source_that_is_not_reached_is_looked_at_again(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it: the migration goes on."""
    agent.source.lost = 1
    agent.attempt()
    with monkeypatch.context() as patch:
        patch.setattr(Front, "json", lambda *_arguments, **_options: (_ for _ in ()).throw(unreachable()))
        agent.late_fence().look()
    assert agent.late_fence().pending
    agent.clocks.boot_now += 2 * SETTLE
    with monkeypatch.context() as patch:
        patch.setattr(Front, "json", lambda *_arguments, **_options: (_ for _ in ()).throw(unreachable()))
        agent.late_fence().look()
    assert agent.late_fence().pending, "the last look is one at which somebody was seen"
    agent.late_fence().look()
    assert not agent.late_fence().pending


def test_i6_the_fence_of_a_lost_agent_is_looked_for_by_whoever_took_over(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its note and its guard went with its host."""
    agent.source.crash = True
    with pytest.raises(Crash):
        agent.cutover().run(1, MAX_DOWNTIME)
    other = tmp_path / "other"
    other.mkdir()
    agent.world.paths, agent.directory = Paths(other), other
    agent.world.lease = SimpleNamespace(owner=SimpleNamespace(id="other"), check=lambda: None)
    agent.world.spec = SimpleNamespace(max_downtime=MAX_DOWNTIME)
    with monkeypatch.context() as patch:
        patch.setattr(supervisor, "build_report", lambda *_arguments: {})
        assert Supervisor(migration())._recover_decision(agent.world) == record.NONE
    assert agent.source.mode == "default"
    agent.source.run_late()
    assert agent.source.mode == "readonly"
    agent.late_fence().look()
    assert (agent.source.mode, agent.decision.read()) == ("default", record.NONE)
    assert quiet_seconds(agent.decision.values, "other") >= SETTLE
    assert agent.decision.values["quiet_but"] is None, "the lost one may not be lost, and lift what is put up next"


def test_i7_no_fence_is_put_up_while_a_lost_request_may_lift_it(agent: Agent) -> None:
    """Neither by the agent that has sent it, nor after its restart."""
    agent.source.lost_lifts = 1
    agent.attempt()
    assert quiet_seconds(agent.decision.values, "agent") >= SETTLE


def test_i7_who_recovers_does_not_know_what_was_sent_before(agent: Agent) -> None:
    agent.source.crash = True
    with pytest.raises(Crash):
        agent.cutover().run(1, MAX_DOWNTIME)
    assert agent.recover() == record.NONE
    assert quiet_seconds(agent.decision.values, "agent") >= SETTLE


def test_a_restart_does_not_take_it_for_an_attempt_of_its_own(agent: Agent) -> None:
    """The status goes on to tell how the attempt really ended."""
    agent.source.lost = 1
    agent.attempt()
    known = migration()
    ended = known.last_attempt
    assert Supervisor(known)._recover_decision(agent.world) == record.NONE
    assert known.last_attempt is ended
    assert agent.late_fence().pending
