# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A shard through any sequence of writes, fail-overs, lost logs, doubts, checkpoints and restarts (I1 to I4)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardState
from tests.unit.plugins.module_utils._engine.fake_target import FakeTarget
from tests.unit.plugins.module_utils._engine.stepped import SERVERS, Agent, SourceShard

KEYS = st.sampled_from("abcdef")
NAMES = st.sampled_from(SERVERS)
CHANGES = st.lists(st.tuples(st.sampled_from(["write", "remove", "read"]), KEYS), max_size=8)


class Lifecycle(RuleBasedStateMachine):
    """The source goes its way, the agent does a little now and then, and in the end both sides are equal."""

    @initialize(keys=st.lists(KEYS, max_size=6))
    def begin(self, keys: list[str]) -> None:
        """A shard with some documents."""
        self.directory = Path(tempfile.mkdtemp(prefix="lifecycle-"))
        self.source = SourceShard()
        self.target = FakeTarget()
        self.journal: dict[str, Any] = {}
        for key in keys:
            self.source.write(key)
        self.agent = Agent(self.directory, self.source, self.target, self.journal)

    def teardown(self) -> None:
        """Whatever has happened: once it is known and worked off, nothing differs."""
        if not hasattr(self, "agent"):
            return
        self.source.meanwhile = lambda: None
        for _turn in range(10):
            self.agent.read_all()
            self.agent.notice()
            self.agent.pump()
            self.agent.work()
        self.agent.read_all()
        self.agent.pump()
        assert self.agent.shard.state is ShardState.IN_SYNC
        assert self.target.documents == self.source.leading.documents
        assert not [found for found in self.agent.findings if found.severity == "error"]
        shutil.rmtree(self.directory)

    @rule(key=KEYS)
    def write(self, key: str) -> None:
        """A document gets a new state."""
        self.source.write(key)

    @rule(key=KEYS)
    def remove(self, key: str) -> None:
        """A document goes."""
        self.source.remove(key)

    @rule(name=NAMES)
    def fall_behind(self, name: str) -> None:
        """A follower gets nothing until the next fail-over."""
        if name != self.source.leader:
            self.source.replicas[name].behind = True

    @rule(name=NAMES)
    def fail_over(self, name: str) -> None:
        """Another server leads."""
        self.source.fail_over(name)

    @rule(name=NAMES)
    def purge(self, name: str) -> None:
        """A log is purged, read or not."""
        self.source.purge(name)

    @rule(name=NAMES)
    def lose(self, name: str) -> None:
        """A follower comes back empty."""
        if name != self.source.leader:
            self.source.lose(name)

    @rule(name=NAMES, count=st.integers(1, 4))
    def read(self, name: str, count: int) -> None:
        """A tailer reads on."""
        self.agent.read(name, count)

    @rule(count=st.integers(1, 2))
    def apply(self, count: int) -> None:
        """The applier works."""
        self.agent.pump(count)

    @rule()
    def notice(self) -> None:
        """The inventory is read."""
        self.agent.notice()

    @rule(changes=CHANGES)
    def work(self, changes: list[tuple[str, str]]) -> None:
        """A copy, a comparison or a spool is worked on, while the source changes at each look."""

        def meanwhile() -> None:
            if changes:
                what, key = changes.pop()
                if what == "read":
                    self.agent.read_all()
                else:
                    getattr(self.source, what)(key)

        self.source.meanwhile = meanwhile
        self.agent.work()
        self.source.meanwhile = lambda: None

    @rule()
    def checkpoint(self) -> None:
        """States and positions are journaled."""
        self.agent.checkpoint()

    @rule()
    def restart(self) -> None:
        """The agent is killed and goes on from the journal."""
        if "in_sync" not in self.journal:
            # A first copy that was broken off is known to the journal as a collection that was made.
            self.journal["in_sync"] = None
        self.agent = Agent(self.directory, self.source, self.target, self.journal)

    @invariant()
    def positions_stay_behind_what_is_needed(self) -> None:
        """No shard is in sync with markers that nobody holds (I3)."""
        if not hasattr(self, "agent"):
            return
        shard = self.agent.shard
        if shard.state is not ShardState.IN_SYNC or shard.plan.leader != self.source.leader:
            return
        if self.agent.pool._queues[0] or self.agent.positions[self.source.leader].tick < self.source.leading.end:
            return
        if self._gap():
            return
        assert self.target.documents == self.source.leading.documents

    def _gap(self) -> bool:
        """Whether there is a doubt that the agent cannot know of yet."""
        leader = self.source.leader
        replica = self.source.replicas[leader]
        agent = self.agent
        return agent.positions[leader].tick < replica.purged or agent._replaced(leader)


def test_i3_a_shard_survives_everything() -> None:
    """Every sequence ends equal."""
    drawn = settings(max_examples=150, stateful_step_count=30, deadline=None, database=None, derandomize=True)
    run_state_machine_as_test(Lifecycle, settings=drawn)
