# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Seeds of the end-to-end tests, and the agent's archive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.build_agent import build


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``E2E_SEEDS`` is the number of seeds, or a list like 7,12."""
    if "seed" in metafunc.fixturenames:
        wanted = os.environ.get("E2E_SEEDS", "2")
        seeds = wanted.split(",") if "," in wanted else [str(number) for number in range(int(wanted))]
        metafunc.parametrize("seed", [seed.strip() for seed in seeds if seed.strip()])


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent, built from this checkout as a user's agent is."""
    return build(tmp_path_factory.mktemp("archive") / "cutover-agent.pyz")
