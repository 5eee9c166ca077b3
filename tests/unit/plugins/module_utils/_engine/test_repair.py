# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare and repair: rest, spool, position, sweep, documents that are lacking, spool again (design §4.6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardState
from tests.unit.plugins.module_utils._engine.fake_target import FakeTarget
from tests.unit.plugins.module_utils._engine.stepped import ID, Agent, SourceShard


class World:
    """A shard in sync."""

    def __init__(self, directory: Path, target: FakeTarget | None = None) -> None:
        self.source = SourceShard()
        self.target = target or FakeTarget()
        self.agent = Agent(directory, self.source, self.target, {})

    def in_sync(self) -> None:
        """Read and apply everything."""
        for _turn in range(3):
            self.agent.read_all()
            self.agent.pump()
            self.agent.work()
        self.agent.pump()
        assert self.agent.shard.state is ShardState.IN_SYNC
        assert self.target.documents == self.source.leading.documents

    def gap(self) -> None:
        """What was not read yet is gone; the agent sees it."""
        self.source.write("unread")
        self.source.purge(self.source.leader)
        self.agent.read(self.source.leader, 9)
        assert self.agent.shard.state is ShardState.SUSPECT


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    for key in "abc":
        made.source.write(key)
    made.in_sync()
    return made


def test_only_what_differs_is_written(world: World) -> None:
    world.source.write("a")
    world.source.remove("b")
    world.source.write("d")
    world.target.requests.clear()
    world.gap()
    world.in_sync()
    assert world.agent.repairs.documents.total == 3
    written = {item["_key"] for method, path, body in world.target.requests if method == "POST" for item in body}
    assert written == {"a", "d", "unread"}
    assert {(found.code, found.severity) for found in world.agent.findings} == {
        ("CUT-DATA-5", "warning"),
        ("CUT-DATA-5", "info"),
    }


def test_i3_what_changes_at_any_moment_of_the_comparison_is_not_lost(world: World) -> None:
    looks = iter(range(100))

    def write_and_read() -> None:
        world.source.write(f"k{next(looks)}")
        world.agent.read("S1", 9)

    world.source.meanwhile = write_and_read
    world.gap()
    world.agent.work()
    world.source.meanwhile = lambda: None
    world.in_sync()
    assert next(looks) > 3


def test_i3_what_the_target_lost_or_nobody_knows_is_put_right(world: World) -> None:
    del world.target.documents["a"]
    world.target.documents["x"] = b'{"_key":"x","_rev":"77"}'
    world.target.documents["b"] = b'{"_key":"b","_rev":"99"}'
    world.agent.doubts.shards([ID], "verification", "it differs")
    world.in_sync()


def test_i1_a_leader_that_lacks_something_takes_it_from_the_target_too(world: World) -> None:
    world.source.replicas["S2"].behind = True
    world.source.write("a")
    world.source.write("lost")
    world.agent.read_all()
    world.source.fail_over("S2")
    world.agent.notice()
    world.agent.pump()
    world.in_sync()
    assert "lost" not in world.target.documents
    assert {found.severity for found in world.agent.findings} == {"warning", "info"}


def test_unique_values_may_have_gone_round(tmp_path: Path) -> None:
    world = World(tmp_path, FakeTarget(unique=["u"]))
    for number in range(7):
        world.source.write(f"k{number}", u=number)
    world.in_sync()
    for number in range(7):
        world.source.write(f"k{number}", u=(number + 1) % 7)
    world.gap()
    world.in_sync()
    assert world.agent.notes.noted == []


def test_i3_a_doubt_in_the_middle_begins_anew(world: World) -> None:
    world.source.write("a")
    world.source.write("d")
    world.gap()
    first = world.agent.shard

    def elsewhere() -> None:
        if world.source.leader == "S1":
            world.source.fail_over("S3")
            world.agent.notice()

    world.source.meanwhile = elsewhere
    world.agent.work()
    assert first.gone
    assert world.agent.shard is not first
    assert world.agent.shard.state is ShardState.SUSPECT
    assert world.agent.shard.plan.leader == "S3"
    world.in_sync()


def test_a_shard_that_somebody_holds_or_that_was_refused_waits(world: World) -> None:
    repairs, tailer = world.agent.repairs, world.agent.tailers["S1"]
    world.agent.shard.holds.add("index")
    world.gap()
    assert world.agent.shard.holds == {"index"}, "the hold is still somebody's"
    tailer.patience.stop.set()
    tailer.patience.pump = lambda: _stop(world)  # type: ignore[attr-defined]
    with pytest.raises(TimeoutError):
        repairs._choose(tailer)
    world.agent.shard.holds.clear()
    world.agent.shard.not_before = float("inf")
    with pytest.raises(TimeoutError):
        repairs._choose(tailer)
    world.agent.shard.not_before = 0.0
    tailer.patience.pump = lambda: None  # type: ignore[attr-defined]
    assert repairs._choose(tailer) == [world.agent.shard]


def _stop(world: World) -> None:
    """The second look means that there was nothing to choose."""
    world.agent.findings.append(None)
    if len(world.agent.findings) % 3 == 0:
        raise TimeoutError


def test_i3_an_error_is_told_and_tried_again(world: World) -> None:
    world.gap()
    first = world.agent.shard
    world.agent.doubts.shard(first, RuntimeError("broken"))
    again = world.agent.shard
    assert (again.state, again.troubles, first.gone) == (ShardState.SUSPECT, 1, True)
    world.agent.doubts.shard(first, RuntimeError("late"))
    assert world.agent.shard is again, "an error of a former life says nothing"
    assert [found.severity for found in world.agent.findings if found.code == "CUT-DATA-7"] == ["error"]
    world.in_sync()
    assert world.agent.shard.troubles == 0
    assert [found.severity for found in world.agent.findings if found.code == "CUT-DATA-7"] == ["error", "info"]
