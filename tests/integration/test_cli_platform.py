# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The former tool's way with a managed deployment: key, secret and id instead of endpoint and credentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent import cli
from tests.testbed.platform.launch import TestPlatform
from tests.tools.ports import free_port
from tests.unit.agent_fakes import TOKENS, Certificates, RunningAgent, agent_config, make_certificates, running_agent

Run = Callable[..., int]
DEPLOYMENTS = (
    {"name": "target"},
    {"name": "private"},
    {"name": "single", "model": "developer"},
    {"name": "sleeping", "state": "paused"},
    {"name": "gone", "state": "deleted"},
    {"name": "young", "state": "bootstrapping"},
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPlatform]:
    """A platform with several deployments."""
    with TestPlatform.start(tmp_path_factory.mktemp("platform"), deployments=DEPLOYMENTS) as started:
        started.control.fault(
            "certificate", deployment=started.deployments[0], set={"use_well_known_certificate": True}
        )
        yield started
        assert "Traceback" not in started.log_path.read_text()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Those of the agent."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def agent(certificates: Certificates, tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent around a fake engine."""
    with running_agent(agent_config(certificates, tmp_path), certificates) as running:
        yield running


@pytest.fixture
def run(agent: RunningAgent, platform: TestPlatform, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with a deployment, by its number."""
    monkeypatch.setenv("TOKEN", TOKENS["cutover"])
    monkeypatch.setenv("OASIS_SECRET", platform.key_secret)

    def command(name: str, deployment: int, *rest: str) -> int:
        return cli.main([
            name, "--agent.endpoint", f"https://127.0.0.1:{agent.port}", "--agent.cacert", str(agent.certificates.ca),
            "--agent.token", "env:TOKEN", "--oasis.endpoint", platform.url, "--oasis.cacert", str(platform.ca_path),
            "--oasis.api-key", platform.key_id, "--oasis.api-secret", "env:OASIS_SECRET",
            "--arango-graph.deployment-id", platform.deployments[deployment], *rest,
        ])  # fmt: skip

    return command


SOURCE = ("--source.endpoint", "https://s:1")


def _started(agent: RunningAgent) -> dict[str, Any]:
    return next(argument for name, argument in reversed(agent.engine.calls) if name == "start")


def test_start_finds_endpoint_and_credentials(agent: RunningAgent, platform: TestPlatform, run: Run) -> None:
    assert run("start", 0, *SOURCE) == cli.FINE
    request = _started(agent)
    assert request["target_username"] == "root"
    assert request["target_password"]
    assert "target_ca_path" not in request
    assert request["target_endpoints"][0].endswith(":8529")
    assert platform.key_secret not in str(request)


def test_the_deployments_own_ca_is_sent_where_the_certificate_is_not_public(
    agent: RunningAgent, run: Run, tmp_path: Path
) -> None:
    assert run("start", 1, *SOURCE) == cli.FINE
    sent = _started(agent)
    assert sent["target_ca_pem"].startswith("-----BEGIN CERTIFICATE-----")
    assert sent["target_endpoints"][0].endswith(":18529")
    assert run("stop", 1, "--abort") == cli.FINE
    assert run("start", 1, *SOURCE, "--target.save-cacert", str(tmp_path / "ca.pem")) == cli.FINE
    assert (tmp_path / "ca.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    request = _started(agent)
    assert request["target_ca_path"] == str(tmp_path / "ca.pem")
    assert request["target_endpoints"][0].endswith(":18529")
    assert run("start", 1, *SOURCE, "--target.cacert", str(tmp_path / "ca.pem")) == cli.FINE
    assert run("precheck", 1, *SOURCE, "--target.cacert", "/other.pem") == cli.FINE
    assert run("stop", 1, "--abort") == cli.FINE
    assert run("start", 1, *SOURCE, "--target.send-cacert", str(tmp_path / "ca.pem")) == cli.FINE
    assert _started(agent)["target_ca_pem"] == (tmp_path / "ca.pem").read_text().strip()


@pytest.mark.parametrize(
    ("broken", "code", "exit_code", "says"),
    [
        ({"set": {"certificate_pem": ""}}, "CUT-PLATFORM-6", cli.USAGE, "private is none"),
        ({"set": {"certificate_pem": "no certificate"}}, "CUT-PLATFORM-6", cli.USAGE, "private is none"),
        ({"ends_in": -60}, "CUT-PLATFORM-18", cli.BLOCKED, "private has expired"),
    ],
)
def test_a_ca_that_is_missing_broken_or_past_is_told(
    agent: RunningAgent, platform: TestPlatform, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    broken: dict[str, Any], code: str, exit_code: int, says: str,
) -> None:  # fmt: skip
    assert run("start", 1, *SOURCE) == cli.FINE
    sound = _started(agent)["target_ca_pem"]
    agent.engine.calls.clear()
    of_it = {"deployment": platform.deployments[1]}
    platform.control.fault("certificate", **of_it, **broken)
    try:
        for more in ((), ("--target.save-cacert", str(tmp_path / "ca.pem"))):
            capsys.readouterr()
            assert run("start", 1, *SOURCE, *more) == exit_code
            shown = capsys.readouterr().err
            assert f"{says} ({code}). Remedy: " in shown
        assert not (tmp_path / "ca.pem").exists()
    finally:
        platform.control.fault("certificate", **of_it, set={"certificate_pem": sound}, ends_in=10_000_000)
    assert not [call for call in agent.engine.calls if call[0] == "start"]


@pytest.mark.parametrize(
    ("deployment", "more", "code", "exit_code"),
    [
        (2, (), "CUT-PLATFORM-15", cli.BLOCKED),
        (3, (), "CUT-PLATFORM-12", cli.BLOCKED),
        (4, (), "CUT-PLATFORM-13", cli.BLOCKED),
        (5, (), "CUT-PLATFORM-14", cli.BLOCKED),
        (0, ("--oasis.deployment-id", "nothing"), "CUT-PLATFORM-4", cli.USAGE),
        (0, ("--oasis.api-secret", "env:WRONG"), "CUT-PLATFORM-2", cli.USAGE),
        (0, ("--target.endpoint", "https://t:1"), "CUT-AGENT-36", cli.USAGE),
        (0, ("--oasis.endpoint", "dashboard"), "CUT-PLATFORM-1", cli.USAGE),
        (0, ("--oasis.endpoint", "http://127.0.0.1:1"), "CUT-PLATFORM-1", cli.USAGE),
        (0, ("--oasis.endpoint", "nowhere"), "CUT-HTTP-1", cli.UNREACHABLE),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_agent_is_asked(
    agent: RunningAgent, platform: TestPlatform, run: Run, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], deployment: int, more: tuple[str, ...], code: str, exit_code: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("WRONG", "not-the-secret")
    places = {"dashboard": platform.dashboard, "nowhere": f"https://127.0.0.1:{free_port()}"}
    assert run("start", deployment, *SOURCE, *(places.get(word, word) for word in more)) == exit_code
    shown = capsys.readouterr().err
    assert code in shown
    assert "Remedy: " in shown
    assert "not-the-secret" not in shown
    assert platform.key_secret not in shown
    assert not [call for call in agent.engine.calls if call[0] == "start"]


def test_status_and_stop_make_sure_of_the_deployment(
    agent: RunningAgent, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("start", 0, *SOURCE) == cli.FINE
    agent.engine.document["target"]["endpoints"] = _started(agent)["target_endpoints"]
    assert run("status", 0) == cli.FINE
    for command in (("status",), ("stop",), ("stop", "--abort")):
        assert run(command[0], 1, *command[1:]) == cli.USAGE
        assert "CUT-PLATFORM-7" in capsys.readouterr().err
    assert not [call for call in agent.engine.calls if call[0] in ("stop", "abort")]
    assert run("stop", 0) == cli.FINE
