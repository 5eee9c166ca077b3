# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Agents for the tests of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.agent_fakes import Certificates, RunningAgent, agent_config, make_certificates, running_agent


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One set of certificates for all tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def agent(certificates: Certificates, tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent with three tokens around a fake engine."""
    with running_agent(agent_config(certificates, tmp_path), certificates) as running:
        yield running
