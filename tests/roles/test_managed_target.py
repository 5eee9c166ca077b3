# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole migration into a deployment of the managed platform by playbooks, as talkative as they can be.

Password and certificate are rotated under way. Afterwards every secret is looked for everywhere.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bad_input.sites import fill
from tests.roles.conftest import Host
from tests.roles.test_secrets import TIME_SCALE, Processes, Scanner, look_everywhere
from tests.testbed.client import Client
from tests.testbed.launch import TestCluster
from tests.testbed.platform.launch import TestPlatform, behind

# Each test starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(900)

Clusters = tuple[TestCluster, TestCluster]


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[Clusters]:
    """A source with data and a managed target."""
    options = {"time_scale": TIME_SCALE}
    password = secrets.token_urlsafe(18)
    with (
        TestCluster.start(tmp_path, name="source", options=options) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", version="3.12.10", root_password=password, options=options
        ) as target,
    ):
        fill(source, "shop", 300)
        yield source, target


@pytest.fixture
def platform(tmp_path: Path, clusters: Clusters) -> Iterator[TestPlatform]:
    """The platform that has the target, with its password."""
    deployment = {"name": "target", "cluster": behind(clusters[1])}
    with TestPlatform.start(tmp_path, deployments=[deployment], options={"time_scale": 0.02}) as started:
        started.control.fault("rotate_password", password=clusters[1].root_password)
        yield started
        assert "Traceback" not in started.log_path.read_text()


@pytest.fixture
def managed(host: Host, installed: Path, clusters: Clusters, platform: TestPlatform) -> Host:
    """The host with the real engine; the target is known by the platform only."""
    source = clusters[0]
    own = {name: value for name, value in host.variables.items() if not name.startswith("target_")}
    variables = {
        **own,
        "ansible_remote_tmp": str(host.directory / "remote"),
        "source_endpoints": source.coordinators, "source_ca_path": str(source.ca_path),
        "platform_endpoint": platform.url, "platform_ca_path": str(platform.ca_path),
        "platform_key_id": platform.key_id, "platform_key_secret": platform.key_secret,
        "deployment_id": platform.deployment, "agent_addresses": ["127.0.0.1"],
        "ignore_metrics": True, "settle_after": 5, "late_write_watch": 1,
        "source_jwt_secret_path": str(source.jwt_secret_path), "agent_time_scale": TIME_SCALE,
        "agent_source_jwt_secret_source": str(source.jwt_secret_path),
    }  # fmt: skip
    return dataclasses.replace(host, collections=installed, variables=variables)


def write(source: TestCluster, first: int, count: int = 50) -> None:
    with Client.root(source) as root:
        for number in range(first, first + count):
            body = {"_key": f"later{number}", "later": number}
            assert root("POST", "/_db/shop/_api/document/items", body).status in (201, 202)


def made_backups(platform: TestPlatform) -> list[Any]:
    return list(platform.control.get("/state/overview")["backups"].values())


def test_password_and_certificate_are_rotated_under_way_and_no_secret_is_shown(
    managed: Host, clusters: Clusters, platform: TestPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = clusters
    scanner = Scanner()
    scanner.know("platform key", platform.key_secret)
    scanner.know("first password", target.root_password, "root")
    log = managed.directory / "ansible" / "ansible.log"
    log.parent.mkdir()
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))

    def play(name: str, *options: str, refused: str = "", **extra: object) -> str:
        played = managed.play(name, "-vvv", "--diff", *options, **extra)
        scanner.look(f"output of {name}", played.output.encode())
        assert bool(played.code) is bool(refused), played.output
        assert refused in played.output
        return played.output

    with Processes(scanner) as processes:
        play("precheck")
        play("deploy_agent")
        platform.control.fault("state", state="paused")
        play("migrate", refused="CUT-PLATFORM-12")
        play("migrate", "--check", resume_deployment=True, backup_target=True)
        assert made_backups(platform) == []
        assert platform.control.get("/state/overview")["deployments"][platform.deployment]["state"] == "paused"
        play("migrate", resume_deployment=True, backup_target=True)
        assert [one["name"] for one in made_backups(platform)] == ["before-default"]
        play("status", watch_until="ready", watch_timeout=120)

        new = secrets.token_urlsafe(18)
        scanner.know("second password", new, "root")
        platform.control.fault("rotate_password", password=new)
        write(source, 0)
        assert "target credentials" in play("status", watch_until="ready", watch_timeout=3, refused="CUT-")
        play("migrate", backup_target=True)
        play("status", watch_until="ready", watch_timeout=120)

        platform.control.fault("rotate_certificate")
        write(source, 50)
        assert "does not verify" in play("status", watch_until="ready", watch_timeout=3, refused="CUT-")
        play("migrate", backup_target=True)
        play("status", watch_until="ready", watch_timeout=120)
        look_everywhere(scanner, managed, clusters)
        assert len(made_backups(platform)) == 1

        other = platform.control.fault("add_deployment", name="other")["result"]
        play("cutover", deployment_id=other, refused="CUT-PLATFORM-7")
        play("cutover", gate_timeout=60)
        look_everywhere(scanner, managed, clusters)
    assert any(b"ansible-playbook" in seen for seen in processes.seen)
    assert len(target.control.documents("shop", "items")) == 400
    assert sorted(scanner.found) == [("host/state/migration.json", "second password")]


def test_both_ways_to_name_a_target_are_refused(managed: Host, clusters: Clusters) -> None:
    played = managed.play("precheck", target_endpoints=clusters[1].coordinators)
    assert played.code != 0
    assert "target_endpoints, deployment_id: give either" in played.output


def test_the_old_tools_variables_name_a_deployment(
    managed: Host, platform: TestPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("ARANGO_GRAPH_API_KEY", platform.key_id), ("ARANGO_GRAPH_API_SECRET", platform.key_secret),
        ("ARANGO_GRAPH_DEPLOYMENT_ID", platform.deployment),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    given = ("deployment_id", "platform_key_id", "platform_key_secret")
    managed.variables = {name: value for name, value in managed.variables.items() if name not in given}
    report = managed.directory / "report.xml"
    played = managed.play("precheck", report_path=str(report))
    assert played.code == 0, played.output
    assert platform.key_secret not in played.output
    assert platform.key_secret not in report.read_text()
    assert 'name="platform-state"' in report.read_text()
