# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One pair of emulated clusters for all tests here; what a test makes them pretend ends with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._platform import deployments
from ansible_collections.cutover.arangodb.plugins.module_utils._platform.client import Connection, PlatformClient
from tests.testbed.launch import TestCluster
from tests.testbed.platform.launch import TestPlatform
from tests.unit.plugins.module_utils._engine.precheck.rig import PASSWORD, Rig

Describe = Callable[..., dict[str, Any]]


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


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPlatform]:
    """A managed platform with one sound deployment."""
    with TestPlatform.start(tmp_path_factory.mktemp("platform"), options={"time_scale": 0.02}) as started:
        yield started


@pytest.fixture
def described(platform: TestPlatform, monkeypatch: pytest.MonkeyPatch) -> Describe:
    """What the controller is told about the deployment now, by any key and for any addresses."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def ask(*addresses: str, **key: str) -> dict[str, Any]:
        who = {"key_id": platform.key_id, "key_secret": platform.key_secret, **key}
        connection = Connection(endpoint=platform.url, ca_path=str(platform.ca_path), **who)
        with PlatformClient(connection) as client:
            return deployments.describe(client, deployments.find(client, platform.deployment, None), addresses)

    return ask


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
