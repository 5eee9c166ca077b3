# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One pair of emulated clusters for all tests here; what a test makes them pretend ends with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed.launch import TestCluster
from tests.unit.plugins.module_utils._engine.precheck.rig import PASSWORD, Rig


@pytest.fixture(scope="session")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestCluster, TestCluster, Path]]:
    directory = tmp_path_factory.mktemp("precheck")
    with (
        TestCluster.start(directory, name="source") as source,
        TestCluster.start(
            directory, name="target", version="3.12.10", flavour="managed", root_password=PASSWORD
        ) as target,
    ):
        yield source, target, directory


@pytest.fixture
def rig(clusters: tuple[TestCluster, TestCluster, Path]) -> Iterator[Rig]:
    source, target, directory = clusters
    yield Rig(source, target, directory)
    source.control.clear()
    target.control.clear()


@pytest.fixture
def own_rig(tmp_path: Path) -> Iterator[Rig]:
    """Clusters of one test alone, which may break them for good."""
    with (
        TestCluster.start(tmp_path, name="source") as source,
        TestCluster.start(tmp_path, name="target", root_password=PASSWORD) as target,
    ):
        yield Rig(source, target, tmp_path)
