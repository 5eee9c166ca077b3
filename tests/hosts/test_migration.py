# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A migration steered by the shipped playbooks, while its host reboots, its agent is upgraded, and a host is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compare.whole import compare
from tests.demo.clusters import Clusters
from tests.e2e.dataset import USERS, WRITER, stock, tables
from tests.hosts.conftest import Controller
from tests.hosts.machines import CONTROLLER, Machine
from tests.hosts.test_service import shown
from tests.workload.process import Workload, WorkloadConfig
from tests.workload.shop import SHOP

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[Clusters]:
    """Source and target on the controller's address, with data."""
    options = {"host": CONTROLLER, "license": "community"}
    started = Clusters(tmp_path, versions=("3.11.14", "3.12.10"), options=options)
    draw = random.Random("hosts")
    try:
        started.fill((stock(draw), SHOP), USERS, tables(draw))
        yield started
    finally:
        started.stop()


@pytest.fixture
def workload(clusters: Clusters) -> Iterator[Workload]:
    """Users who write all the time."""
    running = Workload(WorkloadConfig(
        source=clusters.endpoint("source", WRITER.name, WRITER.password),
        target=clusters.endpoint("target", WRITER.name, WRITER.password),
        watch=clusters.endpoint("target"), seed="hosts", speed=0.3, heap_size=400,
    ))  # fmt: skip
    running.start()
    yield running
    running.stop()


def equipped(controller: Controller, clusters: Clusters) -> None:
    """Everything that the playbooks want to know."""
    secret = controller.directory / "source.jwt"
    secret.write_bytes(clusters.source.jwt_secret_path.read_bytes())
    controller.variables |= {
        "agent_source_ca_source": str(clusters.source.ca_path),
        "agent_target_ca_source": str(clusters.target.ca_path),
        "agent_time_scale": 0.3,
        "source_endpoints": list(clusters.source.coordinators),
        "source_ca_path": "/etc/cutover-arangodb/source-ca.pem",
        "target_endpoints": list(clusters.target.coordinators),
        "target_ca_path": "/etc/cutover-arangodb/target-ca.pem",
        "target_password": clusters.target.root_password,
        "settle_after": 10,
        "ignore_metrics": True,
    }


def differences(clusters: Clusters, workload: Workload) -> list[Any]:
    """What differs in the end, by the emulator's own state and the users' record."""
    workload.stop()
    sides = clusters.side("source"), clusters.side("target")
    result = compare(*sides, workload.record.entries(), clusters.logins(USERS))
    return [*map(str, result.differences), *workload.figures()["errors"]]


def all_built(controller: Controller, machine: Machine) -> None:
    """Wait for the indexes that are built after the opening, in the background."""
    deadline = time.monotonic() + 120
    while ", 0 pending," not in controller.play("status", on=[machine]).fine().output:
        assert time.monotonic() < deadline
        time.sleep(1)


def test_reboot_upgrade_and_cutover(
    controller: Controller, first: Machine, newer: Path, clusters: Clusters, workload: Workload
) -> None:
    controller.machines = [first]
    equipped(controller, clusters)
    controller.play("deploy_agent").fine()
    controller.play("precheck").fine()
    controller.play("migrate").fine()
    again = controller.play("migrate").fine()
    assert again.changed == 0
    controller.play("status", watch_until="in_sync", watch_timeout=300).fine()

    first.crash()
    first.start()
    controller.play("status", watch_until="in_sync", watch_timeout=300).fine()

    controller.collections = newer
    controller.play("deploy_agent").fine()
    assert "99.0.0" in first.run("journalctl -u cutover-agent.service --no-pager")
    controller.play("status", watch_until="ready", watch_timeout=300).fine()
    controller.play("cutover", gate_timeout=120).fine()
    assert controller.play("cutover").fine().changed == 0
    all_built(controller, first)
    assert differences(clusters, workload) == []
    assert shown(first, "ActiveState") == "active"


def test_another_host_takes_over(
    controller: Controller, first: Machine, second: Machine, clusters: Clusters, workload: Workload
) -> None:
    controller.machines = [first, second]
    equipped(controller, clusters)
    controller.play("deploy_agent").fine()
    controller.play("migrate", on=[first]).fine()
    controller.play("status", on=[first], watch_until="in_sync", watch_timeout=300).fine()
    refused = controller.play("migrate", on=[second])
    assert refused.code != 0
    assert "h1" in refused.output
    first.power_off()
    controller.play("migrate", on=[second]).fine()
    controller.play("status", on=[second], watch_until="ready", watch_timeout=300).fine()
    controller.play("cutover", on=[second], gate_timeout=120).fine()
    all_built(controller, second)
    assert differences(clusters, workload) == []
