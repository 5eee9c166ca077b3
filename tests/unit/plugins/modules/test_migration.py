# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module `migration`: check, do, again, change, break."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import SYSTEM_CLOCK
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.load import Load
from tests.unit.agent_fakes import TOKENS, RunningAgent

SPEC: dict[str, Any] = {
    "source_endpoints": ["https://s:1"], "target_endpoints": ["https://t:1"], "target_password": "hush-hush",
}  # fmt: skip


def test_check_do_again(agent: RunningAgent, run: Any) -> None:
    checked = run("migration", check=True, **SPEC)
    assert checked["changed"] is True
    assert checked["diff"]["after"]["state"] == "initializing"
    assert agent.engine.document["state"] == "inactive"
    done = run("migration", **SPEC, wait=True)
    assert (done["changed"], done["migration"]["state"]) == (True, "running")
    assert done["diff"] == checked["diff"]
    again = run("migration", **SPEC)
    assert again["changed"] is False
    assert again["diff"]["before"] == again["diff"]["after"]
    assert run("migration", check=True, **SPEC)["changed"] is False
    refreshed = run("migration", **{**SPEC, "target_password": "other"})
    assert refreshed["changed"] is False
    assert agent.engine.calls[-1][1]["target_password"] == "other"


def test_other_limits_are_a_change_in_check_mode(agent: RunningAgent, run: Any) -> None:
    """Also those whose numbers were given one by one; what is in force already is none."""
    run("migration", **SPEC)
    agent.engine.document["limits"] = {"max_lag": 5.0, **Load().shown(SYSTEM_CLOCK.wall())}
    for limits, changed in (({}, False), ({"load": "fast"}, True), ({"copiers": 7}, True), ({"max_lag": 5.0}, False)):
        calls = len(agent.engine.calls)
        checked = run("migration", check=True, **SPEC, **limits)
        assert (checked["changed"], checked["migration"]["state"]) == (changed, "running"), limits
        assert len(agent.engine.calls) == calls
    window = {"from": "22:00", "to": "06:00", "mb_per_second": 3.0}
    assert run("migration", check=True, **SPEC, windows=[window])["changed"] is True


def test_another_specification_is_refused(run: Any) -> None:
    run("migration", **SPEC)
    for check in (True, False):
        refused = run("migration", check=check, **SPEC, early_readers=True)
        assert (refused["failed"], refused["failure"]["code"]) == (True, "CUT-AGENT-43")


def test_cutover_and_again(agent: RunningAgent, run: Any) -> None:
    run("migration", **SPEC)
    agent.engine.document["cutover"]["blockers"] = [{"code": "B-1", "text": "lag is 9 s", "remedy": "wait"}]
    checked = run("migration", check=True, state="stopped")
    assert checked["changed"] is True
    assert "lag is 9 s" in str(checked["warnings"])
    done = run("migration", state="stopped", max_downtime=20, gate_timeout=3)
    assert (done["changed"], done["migration"]["state"]) == (True, "completed")
    assert ("stop", {"max_downtime": 20.0, "wait_timeout": 3.0}) in agent.engine.calls
    assert run("migration", state="stopped")["changed"] is False
    refused = run("migration", **SPEC)
    assert "completed since" in refused["msg"]


def test_paused_and_resumed(agent: RunningAgent, run: Any) -> None:
    assert run("migration", state="paused")["failure"]["code"] == "CUT-AGENT-43"
    run("migration", **SPEC)
    checked = run("migration", check=True, state="paused", reason="backup")
    assert (checked["changed"], agent.engine.document["pause"]["state"]) == (True, "none")
    paused = run("migration", state="paused", reason="backup")
    assert paused["diff"] == checked["diff"]
    assert (paused["changed"], paused["migration"]["pause"]["reason"]) == (True, "backup")
    assert run("migration", state="paused")["changed"] is False
    assert run("migration", **SPEC)["migration"]["pause"]["state"] == "paused"
    resumed = run("migration", state="resumed")
    assert (resumed["changed"], resumed["migration"]["pause"]["state"]) == (True, "none")
    assert run("migration", state="resumed")["changed"] is False


def test_a_running_migration_is_tuned(agent: RunningAgent, run: Any) -> None:
    """What is given is changed, and said beforehand; what is not stays."""
    assert "any of the following are missing: load, mb_per_second" in run("migration", state="tuned")["msg"]
    assert run("migration", state="tuned", load="gentle")["failure"]["code"] == "CUT-AGENT-43"
    run("migration", **SPEC)
    agent.engine.document["limits"] = {"max_lag": 5.0, **Load().shown(SYSTEM_CLOCK.wall())}
    calls = len(agent.engine.calls)
    refused = run("migration", state="tuned", load="gentle", copiers=0)
    assert (refused["failure"]["code"], refused["failure"]["details"]["field"]) == ("CUT-SPEC-1", "copiers")
    wanted = {"state": "tuned", "load": "gentle", "mb_per_second": 0}
    checked = run("migration", check=True, **wanted)
    assert (checked["changed"], len(agent.engine.calls)) == (True, calls)
    assert checked["diff"] == {"before": {"load": "balanced"}, "after": {"load": "gentle"}}
    done = run("migration", **wanted, wait=True)
    assert (done["changed"], done["diff"], done["migration"]["limits"]["load"]) == (True, checked["diff"], "gentle")
    assert agent.engine.calls[-1] == ("limits", {"load": "gentle", "mb_per_second": 0.0})
    assert run("migration", check=True, **wanted)["changed"] is False
    assert run("migration", **wanted)["changed"] is False


def test_an_opening_is_held_and_released(agent: RunningAgent, run: Any) -> None:
    run("migration", **SPEC)
    assert run("migration", state="released", release="way_back")["changed"] is False
    assert run("migration", state="released", release="open")["failure"]["code"] == "CUT-AGENT-43"
    assert "release" in run("migration", state="released")["msg"]
    held = run("migration", state="stopped", hold_opening=True)
    assert (held["changed"], held["migration"]["state"]) == (True, "stopping")
    assert run("migration", state="stopped", hold_opening=True)["changed"] is False
    agent.engine.holds = False
    joined = run("migration", state="stopped", hold_opening=True)
    assert (joined["failed"], joined["failure"]["code"]) == (True, "CUT-STATE-5")
    back = run("migration", state="released", release="way_back", reason="no answer")
    assert (back["changed"], back["migration"]["state"]) == (True, "running")
    assert agent.engine.calls[-1] == ("release", {"open": False, "reason": "no answer"})
    run("migration", state="stopped", hold_opening=True)
    checked = run("migration", check=True, state="released", release="open")
    assert (checked["changed"], agent.engine.document["state"]) == (True, "stopping")
    opened = run("migration", state="released", release="open")
    assert (opened["changed"], opened["migration"]["state"]) == (True, "completed")
    assert run("migration", state="released", release="open")["changed"] is False


def test_accepted_findings_are_passed_on_as_they_were_named(agent: RunningAgent, run: Any) -> None:
    run("migration", **SPEC)
    named = [
        {"id": "CUT-VERIFY-2|db/c|k", "reason": "known"},
        {"code": "CUT-VERIFY-2", "where": "db/c", "key": "l", "reason": "known, too"},
    ]
    run("migration", state="stopped", accept_findings=named)
    stopped = next(options for name, options in agent.engine.calls if name == "stop")
    assert stopped["accept_findings"] == named
    for wrong in ({"reason": "r"}, {"id": "x", "code": "y", "reason": "r"}, {"code": "y", "reason": "r"}):
        assert run("migration", state="stopped", accept_findings=[wrong])["failed"]


def test_a_refused_cutover_lists_every_blocker(agent: RunningAgent, run: Any) -> None:
    run("migration", **SPEC)
    blockers = [{"code": f"B-{n}", "text": f"blocker {n}", "remedy": f"remedy {n}"} for n in range(3)]
    agent.engine.fail = CutoverError("CUT-GATE-1", "not ready", remedy="", details={"blockers": blockers})
    refused = run("migration", state="stopped")
    assert refused["failure"]["details"]["blockers"] == blockers
    assert refused["failure"]["http_status"] == 409
    for n in range(3):
        assert f"blocker {n}" in refused["msg"]
        assert f"remedy {n}" in refused["msg"]
    agent.engine.stop_result = "rolled-back"
    assert run("migration", state="stopped")["failure"]["code"] == "CUT-AGENT-42"


def test_nothing_started_cannot_be_cut_over(run: Any) -> None:
    refused = run("migration", state="stopped")
    assert refused["failure"]["code"] == "CUT-AGENT-43"
    assert "inactive" in refused["msg"]


def test_abort(agent: RunningAgent, run: Any) -> None:
    assert run("migration", state="aborted")["changed"] is False
    run("migration", **SPEC)
    assert run("migration", check=True, state="aborted")["changed"] is True
    assert run("migration", state="aborted")["migration"]["state"] == "aborted"
    assert run("migration", state="aborted")["changed"] is False


def test_waiting_is_bounded(agent: RunningAgent, run: Any) -> None:
    agent.engine.document["shards"]["total"] = 9
    late = run("migration", **SPEC, wait=True, wait_timeout=0.2, wait_interval=0.05)
    assert (late["failure"]["code"], late["failure"]["retriable"]) == ("CUT-AGENT-40", True)


def test_missing_and_wrong_options_are_named(run: Any) -> None:
    assert "target_password" in run("migration", source_endpoints=["https://s:1"], target_endpoints=["https://t:1"])["msg"]
    wrong = run("migration", **{**SPEC, "source_endpoints": ["https://root:hush-hush@s:1"]})
    assert wrong["failure"]["code"] == "CUT-SPEC-902"
    assert "source_endpoints" in wrong["msg"]
    assert "source_endpoints" in run("migration", **{**SPEC, "source_endpoints": ["s:1"]})["msg"]


def test_token_from_a_file_and_unreachable_agent(agent: RunningAgent, run: Any, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKENS["cutover"] + "\n")
    assert run("migration", agent_token=None, agent_token_path=str(path), state="aborted")["changed"] is False
    missing = run("migration", agent_token=None, agent_token_path=str(tmp_path / "none"), state="aborted")
    assert "agent_token_path" in missing["msg"]
    gone = run("migration", agent_endpoint="https://127.0.0.1:1", state="aborted")
    assert gone["failure"]["code"] == "CUT-AGENT-32"
    assert gone["failure"]["retriable"] is True
    assert gone["failure"]["endpoint"] == "https://127.0.0.1:1"
    plain = run("migration", agent_endpoint=f"http://127.0.0.1:{agent.port}", state="aborted")
    assert plain["failure"]["code"] == "CUT-AGENT-35"


def test_rehearsal(agent: RunningAgent, run: Any) -> None:
    assert run("migration", state="rehearsed")["failure"]["code"] == "CUT-AGENT-43"
    run("migration", **SPEC)
    assert run("migration", check=True, state="rehearsed")["changed"] is True
    assert not [call for call in agent.engine.calls if call[0] == "rehearse"]
    done = run("migration", state="rehearsed", fence_seconds=5, max_downtime=20)
    assert (done["changed"], done["migration"]["state"]) == (True, "running")
    assert ("rehearse", {"fence_seconds": 5.0, "max_downtime": 20.0}) in agent.engine.calls
    agent.engine.rehearse_result = "refused"
    assert run("migration", state="rehearsed")["failure"]["code"] == "CUT-AGENT-42"


def test_revocation(agent: RunningAgent, run: Any) -> None:
    assert "revoke_opening" in run("migration", state="revoked")["msg"]
    assert run("migration", state="revoked", revoke_opening="default")["failure"]["code"] == "CUT-AGENT-43"
    agent.engine.document["state"] = "completed"
    assert run("migration", check=True, state="revoked", revoke_opening="default")["changed"] is True
    assert agent.engine.document["state"] == "completed"
    assert run("migration", state="revoked", revoke_opening="other")["failure"]["http_status"] == 400
    done = run("migration", state="revoked", revoke_opening="default")
    assert (done["changed"], done["migration"]["state"]) == (True, "aborted")
    agent.engine.document["cutover"]["last_attempt"] = {"result": "revoked"}
    assert run("migration", state="revoked", revoke_opening="default")["changed"] is False
