# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pairs of clusters and the agent's archive for big things."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build_agent import build
from tests.integration.conftest import pair

__all__ = ["pair"]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's archive."""
    return build(tmp_path_factory.mktemp("archive") / "cutover-agent.pyz")
