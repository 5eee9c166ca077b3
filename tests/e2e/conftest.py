# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Seeds of the end-to-end tests, and the agent's archive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.build_agent import build
from tests.e2e.variants import ENOUGH, planned, table


def seeds() -> list[str]:
    """What ``E2E_SEEDS`` says: a number of seeds, or a list like 7,12."""
    wanted = os.environ.get("E2E_SEEDS", str(ENOUGH))
    listed = wanted.split(",") if "," in wanted else [str(number) for number in range(int(wanted))]
    return [seed.strip() for seed in listed if seed.strip()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The variants that the migrations had."""
    if any("test_migration" in report.nodeid for report in terminalreporter.getreports("passed")):
        terminalreporter.write_line(table(planned(int(seed)) for seed in seeds() if seed.isdigit()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One end-to-end migration for each seed."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", seeds())


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent, built from this checkout as a user's agent is."""
    return build(tmp_path_factory.mktemp("archive") / "cutover-agent.pyz")
