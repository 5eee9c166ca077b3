# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Doubts: which shards begin anew, what holds the restart position meanwhile, and when a finding ends (I3, I4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cases import Cases
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding, Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import (
    AFTER_DOUBT,
    NEXT,
    ShardBook,
    ShardId,
    ShardPlan,
    ShardState,
)
from tests.unit.plugins.module_utils._engine.fake_target import FakeTarget
from tests.unit.plugins.module_utils._engine.stepped import Agent, SourceShard

ONE, TWO = ShardId("d", "1", "s1"), ShardId("d", "1", "s2")


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    source = SourceShard()
    source.write("a")
    made = Agent(tmp_path, source, FakeTarget(), {})
    for _turn in range(2):
        made.work()
        made.pump()
    assert made.shard.state is ShardState.IN_SYNC
    return made


def test_an_error_of_a_shard_whose_work_is_being_ended_is_no_finding(agent: Agent) -> None:
    """The next life of the data path would never see it end."""
    agent.ending.set()
    agent.doubts.shard(agent.shard, ValueError("closed"))
    assert agent.findings == []
    agent.ending.clear()
    agent.doubts.shard(agent.shard, ValueError("broken"))
    assert [item.code for item in agent.findings] == ["CUT-DATA-7"]


def test_every_state_has_a_doubt_and_a_way_on() -> None:
    assert set(AFTER_DOUBT) == set(NEXT) == set(ShardState)
    for state, after in AFTER_DOUBT.items():
        assert after in (ShardState.PENDING, ShardState.SUSPECT)
        assert (after is ShardState.PENDING) == (state in (ShardState.PENDING, ShardState.COPYING)), state


@pytest.mark.parametrize("state", list(ShardState))
def test_i3_a_life_that_has_ended_is_let_go(tmp_path: Path, state: ShardState) -> None:
    book = ShardBook(tmp_path)
    old = book.add(ShardPlan(ONE, "c", "c1/s1", "S1"), state)
    old.holds, old.queued_units, old.watched = {"replay", "index"}, 1, True
    fresh = book.begin_anew(old, "S2")
    assert old.gone
    assert book.get(ONE) is fresh
    assert (fresh.state, fresh.plan.leader, fresh.start_tick) == (AFTER_DOUBT[state], "S2", None)
    assert fresh.plan.first_copy_into_empty == (state is ShardState.PENDING)
    assert (fresh.holds, fresh.watched) == ({"index"}, True)
    assert set(fresh.pins).isdisjoint(old.pins), "nobody lets go of what the other one holds"
    assert fresh.spool.path != old.spool.path
    assert not fresh.rested
    old.queued_units = 0
    assert fresh.rested


def test_i4_the_position_is_held_until_the_journal_knows(agent: Agent) -> None:
    ledger = agent._ledger("S1")
    held = ledger.restart_tick
    agent.source.write("b")
    agent.read("S1", 9)
    agent.doubts.shards([agent.shard.id], "test", "a doubt")
    agent.pump()
    assert ledger.restart_tick == held, "what was dropped is not done"
    agent.doubts.journaled()
    assert ledger.restart_tick == held, "these positions were handed out before the doubt"
    agent.checkpoint()
    assert agent.journal["suspect"]
    assert ledger.restart_tick > held


def test_the_position_of_a_collection_that_is_gone_is_not_held(agent: Agent) -> None:
    agent.source.write("b")
    agent.read("S1", 9)
    agent.doubts.shards([agent.shard.id], "test", "a doubt")
    agent.pump()
    agent.doubts.forget([agent.shard])
    assert agent._ledger("S1").restart_tick == agent.source.leading.end


def test_only_what_a_server_leads_is_in_doubt(agent: Agent) -> None:
    count = agent.doubts.count
    agent.doubts.server("S2", "restart", "it was restarted")
    assert agent.doubts.count == count
    assert not agent.shard.gone
    agent.doubts.server("S1", "restart", "it was restarted")
    assert agent.doubts.count == count + 1
    assert [change.kind for change in agent.doubts.changes()] == ["restart", "restart"]


def test_i8_a_server_that_flaps_for_months_fills_no_memory(agent: Agent) -> None:
    """Each doubt about it may name ten thousand shards."""
    for number in range(1000):
        agent.doubts.server("S2", "restart", f"it was restarted {number}")
    kept = agent.doubts.changes()
    assert len(kept) <= 100
    assert kept[-1].text == "it was restarted 999"


def test_i9_a_case_ends_by_itself() -> None:
    findings = Findings()
    cases = Cases(findings.report)

    def told() -> list[tuple[str, str, int]]:
        return [(item["where"], item["severity"], item["count"]) for item in findings.all()]

    cases.open("CUT-TOPO-8", "warning", "server S1", "it was restarted", [ONE, TWO])
    assert told() == [("server S1", "warning", 1)]
    cases.close([ONE])
    assert told() == [("server S1", "warning", 1)]
    cases.open("CUT-TOPO-8", "warning", "server S1", "it was restarted again", [ONE])
    cases.close([TWO])
    assert told() == [("server S1", "warning", 2)]
    cases.close([ONE])
    assert told() == [("server S1", "info", 3)]
    assert "again; 3 shards were compared" in findings.all()[0]["message"]
    assert findings.blocking() == []
    cases.open("CUT-TOPO-8", "warning", "server S1", "it was restarted", [])
    assert "no shard is concerned" in findings.all()[0]["message"]


def test_the_last_report_says_how_things_stand() -> None:
    findings = Findings()
    findings.report(Finding("CUT-DATA-7", "error", "d/c", "broken", "repair it"))
    findings.report(Finding("CUT-DATA-7", "info", "d/c", "repaired", "nothing"))
    (item,) = findings.all()
    assert (item["severity"], item["message"], item["remedy"], item["count"]) == ("info", "repaired", "nothing", 2)
