# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real modules, run in this process against a running agent."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from tests.unit.agent_fakes import TOKENS, RunningAgent, agent_config, make_certificates, running_agent

PACKAGE = "ansible_collections.cutover.arangodb.plugins.modules"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One set of certificates for all tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def agent(certificates: Any, tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent around a fake engine."""
    with running_agent(agent_config(certificates, tmp_path), certificates) as running:
        yield running


@dataclass
class Runner:
    """Runs a module with the agent's connection options."""

    agent: RunningAgent
    capsys: pytest.CaptureFixture[str]

    def __call__(self, name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        """The module's result; no secret may be in what it prints."""
        connection = {
            "agent_endpoint": f"https://127.0.0.1:{self.agent.port}",
            "agent_ca_path": str(self.agent.certificates.ca),
            "agent_token": TOKENS["cutover"],
        }
        arguments = {**connection, **options, "_ansible_check_mode": check, "_ansible_diff": True}
        module = importlib.import_module(f"{PACKAGE}.{name}")
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        printed = self.capsys.readouterr().out
        assert TOKENS["cutover"] not in printed
        assert "hush-hush" not in printed
        result: dict[str, Any] = json.loads(printed)
        return result


@pytest.fixture
def run(agent: RunningAgent, capsys: pytest.CaptureFixture[str]) -> Runner:
    """A runner against the agent of this test."""
    return Runner(agent, capsys)
