# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A running emulated cluster behind a deployment: what the platform does to it, and what it sees of it."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster
from tests.testbed.platform.client import PlatformClient
from tests.testbed.platform.launch import TestPlatform, behind

NO_WAIT = 0.3  # seconds in which a silent door says nothing
REFUSED = (ConnectionError, http.client.RemoteDisconnected, ssl.SSLError)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """A managed cluster."""
    options = {"mode_delay": 0, "mode_put_delay": 0}
    directory = tmp_path_factory.mktemp("target")
    with TestCluster.start(
        directory, name="target", flavour="managed", version="3.12.10", root_password="first", options=options
    ) as started:
        yield started


@pytest.fixture(scope="module", params=["silent", "reset"])
def platform(
    request: pytest.FixtureRequest, target: TestCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestPlatform]:
    """A platform whose deployment is the cluster; clients that may not enter meet either kind of door."""
    door = request.param
    with TestPlatform.start(
        tmp_path_factory.mktemp("platform"),
        deployments=[{"name": "target", "cluster": behind(target)}],
        options={"time_scale": 0.05, "readings": {"7": f"blocked-{door}", "11": f"paused-{door}"}},
    ) as started:
        started.control.fault("rotate_password", password=target.root_password)
        yield started
        assert "Traceback" not in started.log_path.read_text()


def _deployment(api: PlatformClient, platform: TestPlatform) -> Any:
    return api.get(f"/api/data/v1/deployments/{platform.deployment}")


def _is_open(target: TestCluster) -> bool:
    """Whether a client gets as far as TLS; a silent door is one that says nothing for a while."""
    parts = urlsplit(target.coordinators[0])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=NO_WAIT) as plain:
            context.wrap_socket(plain, server_hostname=parts.hostname).close()
    except (OSError, TimeoutError):
        return False
    return True


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _version(target: TestCluster, password: str, ca_path: Path | None = None) -> int:
    client = Client.user(target, "root", password)
    if ca_path is not None:
        client = Client(target.coordinators[0], ca_path, client.authorization)
    with client:
        return client("GET", "/_api/version").status


def test_the_deployment_shows_the_cluster(platform: TestPlatform, api: PlatformClient, target: TestCluster) -> None:
    found = _deployment(api, platform)
    assert found["version"] == "3.12.10"
    assert found["status"]["endpoint_self_signed"] == target.coordinators[0]
    ids = {one["id"] for one in found["status"]["servers"] if one["type"] == "dbserver"}
    assert ids == set(target.dbservers)
    path = f"/api/crypto/v1/cacertificates/{found['certificates']['ca_certificate_id']}"
    assert api.get(path)["certificate_pem"] == target.ca_path.read_text()


def test_the_password_rotates_on_the_cluster(platform: TestPlatform, api: PlatformClient, target: TestCluster) -> None:
    path = f"/api/data/v1/deploymentcredentials/{platform.deployment}"
    before = api.get(path)["password"]
    assert _version(target, before) == 200
    platform.control.fault("rotate_password")
    assert _version(target, before) == 401
    assert _version(target, api.get(path)["password"]) == 200
    platform.control.fault("rotate_password", password=target.root_password)


@pytest.mark.parametrize("state", ["paused", "deleted", "creating", "restoring"])
def test_a_deployment_that_does_not_run_lets_nobody_in(platform: TestPlatform, target: TestCluster, state: str) -> None:
    assert _is_open(target)
    platform.control.fault("state", state=state)
    assert not _is_open(target)
    platform.control.fault("state", state="ready")
    assert _is_open(target)
    assert _version(target, target.root_password) == 200


def test_resuming_lets_clients_in_when_it_is_ready(
    platform: TestPlatform, api: PlatformClient, target: TestCluster
) -> None:
    path = f"/api/data/v1/deployments/{platform.deployment}"
    with Client.root(target) as client:
        assert client("GET", "/_api/version").status == 200
        assert api("POST", f"{path}/pause").status == 200
        with pytest.raises(REFUSED):
            client("GET", "/_api/version")
    assert api("POST", f"{path}/resume").status == 200
    _wait(lambda: bool(_deployment(api, platform)["status"].get("ready")))
    assert _is_open(target)


def test_the_allowlist_keeps_clients_out(platform: TestPlatform, api: PlatformClient, target: TestCluster) -> None:
    identifier = platform.control.fault("allowlist", ranges=["203.0.113.0/24"])["result"]
    assert not _is_open(target)
    key = platform.control.fault("add_key", roles=["ipwhitelist-admin"])["result"]
    with PlatformClient(platform) as admin:
        admin.login(key["id"], key["secret"])
        ranges = {"cidr_ranges": ["203.0.113.0/24", "127.0.0.1 # here"]}
        assert admin("PATCH", f"/api/security/v1/ipallowlists/{identifier}", ranges).status == 200
    assert _is_open(target)
    platform.control.fault("allowlist")
    assert _is_open(target)


def test_another_certificate_is_served_after_its_rotation(
    platform: TestPlatform, api: PlatformClient, target: TestCluster, tmp_path: Path
) -> None:
    def current() -> str:
        identifier = _deployment(api, platform)["certificates"]["ca_certificate_id"]
        pem: str = api.get(f"/api/crypto/v1/cacertificates/{identifier}")["certificate_pem"]
        return pem

    old, new = tmp_path / "old.pem", tmp_path / "new.pem"
    old.write_text(current())
    with Client(target.coordinators[0], old, Client.root(target).authorization) as client:
        assert client("GET", "/_api/version").status == 200
        platform.control.fault("rotate_certificate")
        with pytest.raises(REFUSED):
            client("GET", "/_api/version")
    new.write_text(current())
    with pytest.raises(ssl.SSLCertVerificationError):
        _version(target, target.root_password, old)
    assert _version(target, target.root_password, new) == 200
    _wait(lambda: bool(_deployment(api, platform)["status"].get("ready")))
    target.control.fault("load_keyfile", path=str(target.ca_path.parent / "server.keyfile"))
    assert _version(target, target.root_password) == 200


def test_read_only_is_what_the_cluster_is(platform: TestPlatform, api: PlatformClient, target: TestCluster) -> None:
    assert "read_only" not in _deployment(api, platform)["status"]
    with Client.root(target) as client:
        client("PUT", "/_admin/server/mode", {"mode": "readonly"})
        _wait(lambda: bool(_deployment(api, platform)["status"].get("read_only")))
        client("PUT", "/_admin/server/mode", {"mode": "default"})
        _wait(lambda: "read_only" not in _deployment(api, platform)["status"])


def test_one_server_restarts(platform: TestPlatform, api: PlatformClient, target: TestCluster) -> None:
    server = next(iter(target.dbservers))
    with Client.superuser(target, target.coordinators[0]) as client:
        before = client("GET", "/_admin/cluster/health").json["Health"][server]["SyncTime"]
        path = f"/api/data/v1/deployments/{platform.deployment}/rotate/{server}"
        assert api("POST", path).status == 200
        _wait(lambda: not any(one.get("rotation_pending") for one in _deployment(api, platform)["status"]["servers"]))
        assert client("GET", "/_admin/cluster/health").json["Health"][server]["SyncTime"] >= before
    assert _version(target, target.root_password) == 200


def test_a_cluster_that_is_gone_is_not_ready(tmp_path: Path) -> None:
    with TestCluster.start(tmp_path, name="gone", flavour="managed", root_password="x") as cluster:
        platform = TestPlatform.start(tmp_path, deployments=[{"cluster": behind(cluster)}])
        with platform, PlatformClient(platform) as api:
            api.login()
            assert _deployment(api, platform)["status"]["ready"] is True
            cluster.stop()
            assert "ready" not in _deployment(api, platform)["status"]
