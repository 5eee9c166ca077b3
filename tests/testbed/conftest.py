# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures of the emulator's own tests: clusters as processes, and a small client."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from arango.client import ArangoClient

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

_DEPLOYMENTS = (("selfhosted", "3.11.14"), ("selfhosted", "3.12.10"), ("single", "3.12.10"))
# requests lets these win over the CA that a client was given.
for _name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(_name, None)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """A self-hosted cluster for the tests of one module; they use names of their own in it."""
    with TestCluster.start(tmp_path_factory.mktemp("cluster"), name="src", root_password="secret") as started:
        yield started


@pytest.fixture(scope="module")
def client(cluster: TestCluster) -> Iterator[Client]:
    """`root` on the first coordinator."""
    with Client.root(cluster) as connected:
        yield connected


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., TestCluster]]:
    """Starts clusters with options of one test's own and stops them after it."""
    running: list[TestCluster] = []

    def begin(**wishes: object) -> TestCluster:
        values = {"name": f"c{len(running)}", "root_password": "secret", **wishes}
        running.append(TestCluster.start(tmp_path, **values))  # type: ignore[arg-type]
        return running[-1]

    yield begin
    for entry in running:
        entry.stop()


@pytest.fixture(scope="module", params=_DEPLOYMENTS, ids="-".join)
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """Clusters of two versions, and a single server."""
    flavour, version = request.param
    directory = tmp_path_factory.mktemp(flavour)
    with TestCluster.start(directory, name="src", version=version, flavour=flavour, root_password="secret") as started:
        yield started


@pytest.fixture(scope="module")
def clustered(request: pytest.FixtureRequest, deployment: TestCluster) -> bool:
    """Whether there are shards."""
    return bool(deployment.dbservers) and "single" not in request.node.name


@pytest.fixture(scope="module")
def arango(deployment: TestCluster) -> Iterator[ArangoClient]:
    """A client of all front servers."""
    client = ArangoClient(hosts=deployment.coordinators, verify_override=str(deployment.ca_path))
    yield client
    client.close()


@pytest.fixture(scope="module")
def database(arango: ArangoClient) -> Any:
    """A database of its own."""
    system: Any = arango.db("_system", "root", "secret", verify=True)
    system.create_database("broad")
    return arango.db("broad", "root", "secret", verify=True)
