# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A migration steered by the shipped playbooks, while its host reboots, its agent is upgraded, and a host is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.compare.whole import compare
from tests.demo.clusters import Clusters
from tests.e2e.dataset import USERS, WRITER, stock, tables
from tests.hosts.conftest import Controller
from tests.hosts.machines import CONTROLLER, Machine
from tests.hosts.test_service import GUARD, UNIT, shown
from tests.workload.process import Workload, WorkloadConfig
from tests.workload.shop import SHOP

pytestmark = pytest.mark.timeout(1800)
STATE = "/var/lib/cutover-arangodb"
DROP_IN = f"/run/systemd/system/{UNIT}.d"


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
    controller: Controller, first: Machine, installed: Path, newer: Path, clusters: Clusters, workload: Workload
) -> None:
    controller.machines = [first]
    equipped(controller, clusters)
    controller.play("deploy_agent").fine()
    controller.play("precheck").fine()
    controller.play("migrate", migration_watch=False).fine()
    first.power_off()
    first.start()
    controller.play("status", watch_until="in_sync", watch_timeout=300).fine()
    assert controller.play("migrate").fine().changed == 0

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

    first.run(f"systemctl stop {UNIT} && sed -i 's/\"format\":1,/\"format\":99,/' {STATE}/migration.json")
    controller.collections = installed
    refused = controller.play("deploy_agent", agent_health_timeout=5)
    assert refused.code != 0
    assert "migration.json was written by a newer version" in " ".join(refused.output.split())


def writable(clusters: Clusters) -> bool:
    """Whether users can write on the source."""
    parts = clusters.connect("source").database("stock").collection("parts")
    try:
        parts.update({"_key": "p2", "touched": time.time()})
    except Exception:  # noqa: BLE001 - whatever says no
        return False
    return True


def until(what: str, condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for something; AssertionError with its name."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def test_i6_the_guard_gives_the_source_back_when_the_agent_was_killed(
    controller: Controller, first: Machine, clusters: Clusters, workload: Workload
) -> None:
    """Under its hardened unit, while systemd does not start the agent again."""
    controller.machines = [first]
    equipped(controller, clusters)
    controller.play("deploy_agent").fine()
    controller.play("migrate").fine()
    controller.play("status", watch_until="ready", watch_timeout=300).fine()
    first.run(f"mkdir -p {DROP_IN} && printf '[Service]\nRestart=no\n' >{DROP_IN}/test.conf && systemctl daemon-reload")

    control = clusters.source.control
    held = control.fault("delay", path_regex="/_api/transaction/write", count=0, seconds=3)["id"]
    with ThreadPoolExecutor(1) as pool:
        cutover = pool.submit(controller.play, "cutover", gate_timeout=120, max_downtime=20)
        try:
            until("a fenced source", lambda: any(
                fault["id"] == held and fault["acted"] for fault in control.get("/state/faults")
            ))  # fmt: skip
            first.run("systemctl", "kill", "-s", "KILL", UNIT)
            control.clear()
            assert not writable(clusters)
            # The guard leaves the agent its whole time, and a new one the time to go on.
            until("a source that takes writes", lambda: writable(clusters), 400)
            assert shown(first, "ActiveState") == "failed"
            assert shown(first, "ActiveState", GUARD) == "active"
        finally:
            # The playbook waits for the agent.
            first.run(f"rm -r {DROP_IN} && systemctl daemon-reload && systemctl start {UNIT}")
        cutover.result()
    # The guard leaves its note to the agent, whose attempt it was.
    until("an attempt that the agent has closed", lambda: not (first.root / STATE.lstrip("/") / "fence.json").exists())
    controller.play("status", watch_until="ready", watch_timeout=300).fine()
    controller.play("cutover", gate_timeout=120).fine()
    all_built(controller, first)
    assert differences(clusters, workload) == []


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
