# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build_agent import build
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair
from tests.testbed.launch import TestCluster

SOURCE_OPTIONS = {"time_scale": TIME_SCALE, "truncate_threshold": 50}


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's archive."""
    return build(tmp_path_factory.mktemp("archive") / "cutover-agent.pyz")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """A source whose DB-Servers can be reached and a managed target."""
    with (
        TestCluster.start(tmp_path, name="source", options=SOURCE_OPTIONS) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", root_password=PASSWORD, options={"time_scale": TIME_SCALE}
        ) as target,
    ):
        both = Pair(source, target, tmp_path)
        (tmp_path / "state").mkdir()
        yield both
        both.clients.close()
