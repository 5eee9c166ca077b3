# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line against a running agent: output, exit codes, secrets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent import cli
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from tests.unit.agent_fakes import TOKENS, RunningAgent

SPEC = ["--source.endpoint", "https://s:1", "--target.endpoint", "https://t:1", "--target.password", "env:PASSWORD"]


@pytest.fixture
def run(agent: RunningAgent, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command against the agent."""
    monkeypatch.setenv("TOKEN", TOKENS["cutover"])
    monkeypatch.setenv("PASSWORD", "hush-hush")
    where = ["--agent.endpoint", f"https://127.0.0.1:{agent.port}", "--agent.cacert", str(agent.certificates.ca)]
    return lambda command, *rest: cli.main([command, *where, "--agent.token", "env:TOKEN", *rest])


def test_start_sends_every_flag_once(agent: RunningAgent, run: Any) -> None:
    more = ["--source.endpoint", "https://s:2", "--accept", "row=why not", "--source.endpoint-map", "PRMR-1=https://x:1",
            "--early-readers", "--max-downtime", "20", "--source.ignore-metrics"]  # fmt: skip
    assert run("start", *SPEC, *more) == cli.FINE
    assert agent.engine.calls[-1] == ("start", {
        "source_endpoints": ["https://s:1", "https://s:2"], "target_endpoints": ["https://t:1"],
        "target_password": "hush-hush", "accept": [{"id": "row", "reason": "why not"}],
        "endpoint_map": {"PRMR-1": "https://x:1"}, "early_readers": True, "max_downtime": 20.0, "ignore_metrics": True,
    })  # fmt: skip


def test_status_as_table_json_and_watch(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status") == cli.FINE
    assert re.search(r"^state +inactive$", capsys.readouterr().out, re.M)
    assert run("status", "--output", "json") == cli.FINE
    assert json.loads(capsys.readouterr().out)["state"] == "inactive"
    agent.engine.document["state"] = "completed"
    assert run("status", "--watch") == cli.FINE
    assert capsys.readouterr().out.count("completed") == 1


def test_stop_waits_and_tells_why_it_was_not_made(
    agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("stop") == cli.BLOCKED
    run("start", *SPEC)
    agent.engine.stop_result = "rolled-back"
    assert run("stop") == cli.BLOCKED
    assert "a server did not answer" in capsys.readouterr().err
    agent.engine.fail = CutoverError(
        "CUT-GATE-1", "not ready", remedy="", details={"blockers": [{"code": "B-1", "text": "lag", "remedy": "wait"}]}
    )
    assert run("stop") == cli.BLOCKED
    assert "blocked: lag (B-1); wait" in capsys.readouterr().err
    agent.engine.stop_result = "completed"
    assert run("stop", "--max-downtime", "9", "--accept-finding", "CUT-VERIFY-2|db/c|k=known") == cli.FINE
    accepted = [{"id": "CUT-VERIFY-2|db/c|k", "reason": "known"}]
    assert ("stop", {"max_downtime": 9.0, "accept_findings": accepted}) in agent.engine.calls


def test_an_opening_is_held_and_released(
    agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run("start", *SPEC)
    for to, opens, state in (("way-back", False, "running"), ("open", True, "completed")):
        assert run("stop", "--hold-opening") == cli.FINE
        assert agent.engine.document["state"] == "stopping"
        assert ("stop", {"hold_opening": True}) in agent.engine.calls
        capsys.readouterr()
        assert run("release", "--to", to, "--reason", "the proxy is told") == cli.FINE
        assert agent.engine.calls[-1] == ("release", {"open": opens, "reason": "the proxy is told"})
        assert re.search(rf"^state +{state}", capsys.readouterr().out, re.M)
    with pytest.raises(SystemExit):
        run("release")


def test_limits_are_shown_and_changed(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("limits") == cli.FINE
    assert not [call for call in agent.engine.calls if call[0] == "limits"]
    run("start", *SPEC)
    assert run("limits", "--load", "gentle", "--mb-per-second", "12", "--copiers", "2") == cli.FINE
    assert agent.engine.calls[-1] == ("limits", {"load": "gentle", "mb_per_second": 12.0, "copiers": 2})
    assert re.search(r"^state +running", capsys.readouterr().out, re.M)
    agent.engine.fail = CutoverError("CUT-STATE-5", "there is nothing to limit in the state aborted")
    assert run("limits", "--load", "max") == cli.BLOCKED
    assert "nothing to limit" in capsys.readouterr().err
    assert run("limits", "--load", "furious") == cli.USAGE


def test_abort_and_server_mode(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("stop", "--abort") == cli.FINE
    assert run("set-server-mode", "--source.server-mode=readonly") == cli.FINE
    assert agent.engine.mode == "readonly"
    assert "the source is readonly" in capsys.readouterr().out


def test_precheck_and_check_only(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("precheck", *SPEC) == cli.FINE
    assert run("start", "--check-only", *SPEC) == cli.FINE
    assert capsys.readouterr().out.count("passed    source-is-cluster: fine") == 2
    assert not [call for call in agent.engine.calls if call[0] == "start"]
    assert run("precheck") == cli.USAGE


def test_what_only_prechecks_take_is_taken_by_check_only(
    agent: RunningAgent, run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, Any]] = []
    begin = cli.AgentApi.begin_precheck
    monkeypatch.setattr(cli.AgentApi, "begin_precheck", lambda api, body: asked.append(dict(body)) or begin(api, body))
    more = ("--sample-seconds", "2", "--probe-target")
    assert run("start", *SPEC, *more) == cli.USAGE
    assert "--sample-seconds needs --check-only" in capsys.readouterr().err
    assert run("start", "--check-only", *SPEC, *more) == cli.FINE
    assert run("precheck", *SPEC, *more) == cli.FINE
    assert [(body["sample_seconds"], body["probe_target"]) for body in asked] == [(2.0, True)] * 2
    assert not [call for call in agent.engine.calls if call[0] == "start"]


def test_a_secret_in_the_arguments_is_refused_unrepeated(
    agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("start", *SPEC[:-1], "hush-hush") == cli.USAGE
    shown = capsys.readouterr()
    assert "CUT-AGENT-30" in shown.err
    assert "hush" not in shown.err + shown.out
    assert not [call for call in agent.engine.calls if call[0] == "start"]


def test_unreachable_and_wrong_token(agent: RunningAgent, run: Any) -> None:
    assert cli.main(["status", "--agent.endpoint", "https://127.0.0.1:1"]) == cli.UNREACHABLE
    assert run("status", "--agent.token", "file:/nowhere") == cli.USAGE
    where = ["--agent.master-port", str(agent.port), "--agent.cacert", str(agent.certificates.ca)]
    assert cli.main(["status", *where]) == cli.FAILED


def test_usage_is_exit_code_2() -> None:
    for arguments in ([], ["dance"], ["set-server-mode"], ["set-server-mode", "--source.server-mode=off"]):
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
        assert caught.value.code == cli.USAGE


def test_serve_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve"]) == cli.USAGE
    assert cli.main(["serve", "--config", str(tmp_path / "none")]) == cli.USAGE
    assert "--config is needed" in capsys.readouterr().err
    assert cli.main(["serve", "--shutdown", "--pid-file", str(tmp_path / "none")]) == cli.FINE
    assert capsys.readouterr().out == "not running\n"


def test_rehearse_tells_what_to_expect(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    agent.engine.document["state"] = "running"
    agent.engine.document["cutover"]["predicted_downtime_seconds"] = {"low": 1.0, "mid": 2.0, "high": 3.0}
    assert run("rehearse", "--fence-seconds", "4") == cli.FINE
    assert "2.0 s without writes (1.0 to 3.0 s)" in capsys.readouterr().out
    assert ("rehearse", {"fence_seconds": 4.0}) in agent.engine.calls
    agent.engine.rehearse_result = "refused"
    assert run("rehearse") == cli.BLOCKED


def test_verify(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "--mode", "documents", "--repair", "--timeout", "9") == cli.FINE
    assert ("verification", {"mode": "documents", "repair": True, "timeout": 9.0}) in agent.engine.calls
    assert "tasks            not verified: they are not migrated" in capsys.readouterr().out
    difference = {"database": "db", "collection": "c", "key": "k1", "kind": "altered"}
    agent.engine.verified.update(equal=False, differences=[difference], differences_total=1)
    assert run("verify") == cli.DIFFERENT
    assert "  db/c k1: altered" in capsys.readouterr().out


def test_changes_are_differences(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("changes") == cli.FINE
    figures = {"created": 1, "changed": 0, "removed": 2}
    agent.engine.found.update(
        collections=[{"database": "db", "collection": "c", **figures, "keys": ["k"]}], totals=figures
    )
    assert run("changes") == cli.DIFFERENT
    assert "db/c: 1 created, 0 changed, 2 removed (such as k)" in capsys.readouterr().out
    agent.engine.fail = CutoverError("CUT-CHANGES-1", "not open")
    assert run("changes") == cli.BLOCKED


def test_revoke_opening_and_report(agent: RunningAgent, run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report") == cli.BLOCKED
    agent.engine.document["state"] = "completed"
    assert run("report") == cli.FINE
    assert run("report", "--html") == cli.FINE
    assert "<!DOCTYPE html>" in capsys.readouterr().out
    assert run("revoke-opening", "--name", "other") == cli.USAGE
    assert run("revoke-opening", "--name", "default") == cli.FINE


def test_the_environment_stands_for_flags_that_are_not_given(
    agent: RunningAgent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKENS["cutover"])
    for name, value in {
        "CUTOVER_AGENT_ENDPOINT": f"https://127.0.0.1:{agent.port}",
        "CUTOVER_AGENT_CA_PATH": str(agent.certificates.ca),
        "CUTOVER_AGENT_TOKEN_PATH": str(tmp_path / "token"),
        "CUTOVER_SOURCE_ENDPOINTS": "https://s:1, https://s:2",
        "CUTOVER_TARGET_ENDPOINTS": "https://t:1",
        "CUTOVER_TARGET_PASSWORD": "hush-hush",
    }.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["start", "--target.endpoint", "https://t:2"]) == cli.FINE
    assert agent.engine.calls[-1] == ("start", {
        "source_endpoints": ["https://s:1", "https://s:2"], "target_endpoints": ["https://t:2"],
        "target_password": "hush-hush",
    })  # fmt: skip
    monkeypatch.setenv("CUTOVER_AGENT_TOKEN", "wrong")
    assert cli.main(["status"]) == cli.FAILED
    assert cli.main(["status", "--agent.master-port", "1"]) == cli.UNREACHABLE


def test_a_part_of_the_platforms_flags_is_refused(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("start", *SPEC[:2], "--oasis.api-key", "k1") == cli.USAGE
    assert "--oasis.api-secret, --oasis.deployment-id: needed together" in capsys.readouterr().err
    assert run("status", "--arango-graph.api-secret", "hush-hush") == cli.USAGE
    shown = capsys.readouterr()
    assert "CUT-AGENT-30" in shown.err
    assert "hush" not in shown.err


def test_the_sources_secret_is_a_file(run: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for command in (["start", *SPEC], ["set-server-mode", "--source.server-mode=default"]):
        assert run(*command, "--source.jwtSecret", "hush-hush") == cli.USAGE
        shown = capsys.readouterr()
        assert "--source.jwtSecret takes the path of a file" in shown.err
        assert "hush" not in shown.err
    (tmp_path / "secret").write_text("s3")
    assert run("start", *SPEC, "--source.jwtSecret", str(tmp_path / "secret")) == cli.USAGE
    assert "--agent.keyfile is needed" in capsys.readouterr().err
    mode = ["set-server-mode", "--source.server-mode=default", "--source.jwtSecret", f"file:{tmp_path / 'secret'}"]
    assert run(*mode) == cli.USAGE
    assert "--source.endpoint is needed" in capsys.readouterr().err
