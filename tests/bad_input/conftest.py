# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clusters, an idle agent and the installed collection, shared by all tests of wrong input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bad_input.sites import TIME_SCALE, Sites
from tests.build_agent import build
from tests.e2e.agent import Agent
from tests.roles.conftest import installed

__all__ = ["IdleAgent", "installed"]

AgentMaker = Callable[[str], Agent]


@dataclass(frozen=True)
class IdleAgent:
    """A running agent on which nothing was started, and the secret file that it reads."""

    agent: Agent
    secret: Path


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent, built from this checkout as a user's agent is."""
    return build(tmp_path_factory.mktemp("archive") / "cutover-agent.pyz")


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """All clusters."""
    with Sites(tmp_path_factory.mktemp("sites")) as made:
        yield made


@pytest.fixture(scope="session")
def idle(sites: Sites, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdleAgent]:
    """The agent that is asked to start what cannot be started."""
    home = tmp_path_factory.mktemp("idle")
    secret = home / "source.jwt"
    secret.write_bytes(sites.source.jwt_secret_path.read_bytes())
    secret.chmod(0o600)
    agent = Agent(archive, home / "agent", secret, TIME_SCALE)
    agent.start()
    yield IdleAgent(agent, secret)
    agent.stop()


@pytest.fixture
def make_agent(sites: Sites, archive: Path, tmp_path: Path) -> Iterator[AgentMaker]:
    """Starts agents of their own for a test that moves something."""
    made: list[Agent] = []

    def make(name: str) -> Agent:
        agent = Agent(archive, tmp_path / name, sites.source.jwt_secret_path, TIME_SCALE)
        made.append(agent)
        agent.start()
        return agent

    yield make
    for agent in made:
        agent.stop()
