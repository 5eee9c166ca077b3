# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent as a service of systemd: put there, changed, killed, taken away; on each Debian that is supported."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.conftest import Controller, made
from tests.hosts.machines import SUITES, Machine

pytestmark = pytest.mark.timeout(1800)
UNIT = "cutover-agent.service"
GUARD = "cutover-guard.service"
CONFIG = "/etc/cutover-arangodb"
STARTED, READ_AGAIN = "listens on https", "the certificates were read again"


# One of them stands for all in the quick part.
SUITES_ONE_QUICK = [pytest.param(suite, marks=[pytest.mark.quick] * (suite == "bookworm")) for suite in SUITES]


@pytest.fixture
def machine(request: pytest.FixtureRequest, machines_directory: Path) -> Iterator[Machine]:
    """A machine of the suite that the test names."""
    yield from made(machines_directory, 3, request.param)


@pytest.fixture
def oldest(machines_directory: Path) -> Iterator[Machine]:
    """The oldest Debian, with the oldest Python."""
    yield from made(machines_directory, 4, SUITES[0])


@pytest.fixture
def newest(machines_directory: Path) -> Iterator[Machine]:
    """The newest ones."""
    yield from made(machines_directory, 5, SUITES[-1])


def shown(machine: Machine, name: str, unit: str = UNIT) -> str:
    """A property of the unit."""
    return machine.run("systemctl", "show", "--value", "-p", name, unit).strip()


def traces(machine: Machine) -> set[str]:
    """Files, users and groups that could be the agent's."""
    found = machine.run(
        "find /etc /usr/local /var/lib /var/log /run /home /root -xdev -iname '*cutover*' "
        "-not -path '*/journal/*' -not -path '*/ansible*'; "
        "getent passwd cutover-agent || true; getent group cutover-agent || true"
    )
    return {line for line in found.splitlines() if line}


def logged(machine: Machine, text: str) -> int:
    """How many lines with a text the agent has logged since it was put there."""
    machine.run("journalctl", "--sync")
    return machine.run("journalctl", "-u", UNIT, "--no-pager").count(text)


def wait_for_other_pid(machine: Machine, pid: str) -> None:
    deadline = time.monotonic() + 60
    while shown(machine, "MainPID") in (pid, "0") or shown(machine, "ActiveState") != "active":
        assert time.monotonic() < deadline, machine.run(f"journalctl -u {UNIT} -n 50 --no-pager")
        time.sleep(0.2)


@pytest.mark.parametrize("machine", SUITES_ONE_QUICK, indirect=True)
def test_from_the_first_check_to_the_last_trace(controller: Controller, machine: Machine) -> None:
    controller.machines = [machine]
    before = traces(machine)
    checked = controller.play("deploy_agent", "--check", "--diff").fine()
    assert checked.changed > 0
    assert traces(machine) == before

    controller.play("deploy_agent", "--diff", "-vvv").fine()
    pid = assert_runs(machine)
    again = controller.play("deploy_agent").fine()
    assert (again.changed, shown(machine, "MainPID")) == (0, pid)
    for unit in (UNIT, GUARD):
        exposure = machine.run(f"systemd-analyze security --no-pager {unit} | tail -1")
        level = re.search(r"([0-9.]+) \w+", exposure)
        assert level is not None
        assert float(level.group(1)) <= 2.0, exposure
        assert "Unknown" not in machine.run(f"systemd-analyze verify {unit} 2>&1 || true")

    machine.run("kill", "-9", pid)
    wait_for_other_pid(machine, pid)
    controller.play("status").fine()
    begun = time.monotonic()
    machine.run("systemctl", "stop", UNIT)
    print(f"stopped in {time.monotonic() - begun:.1f} s (10 s are allowed)")
    assert shown(machine, "Result") == "success"

    controller.play("remove_agent").fine()
    assert traces(machine) == before
    assert controller.play("remove_agent").fine().changed == 0


def assert_runs(machine: Machine) -> str:
    """Agent and guard are services of systemd, as a user of their own; the agent's process."""
    assert (shown(machine, "ActiveState"), shown(machine, "Type")) == ("active", "notify")
    assert shown(machine, "UnitFileState") == "enabled"
    assert (shown(machine, "ActiveState", GUARD), shown(machine, "UnitFileState", GUARD)) == ("active", "enabled")
    assert "ready" in shown(machine, "StatusText") or "inactive" in shown(machine, "StatusText")
    pid = shown(machine, "MainPID")
    assert machine.run("ps", "-o", "user=", "-p", pid).strip().startswith("cutover")
    # What it may name is not the agent's to change.
    for path in (CONFIG, f"{CONFIG}/agent.json"):
        assert machine.run("stat", "-c", "%U", path).strip() == "root"
        machine.run(f"runuser -u cutover-agent -- sh -c 'test -r {path} && test ! -w {path}'")
    return pid


@pytest.mark.quick
def test_the_oldest_and_the_newest_python(controller: Controller, oldest: Machine, newest: Machine) -> None:
    controller.machines = [oldest, newest]
    controller.play("deploy_agent").fine()
    for machine in controller.machines:
        assert_runs(machine)


@pytest.mark.parametrize("machine", SUITES, indirect=True)
def test_what_is_changed_is_changed_alone(controller: Controller, machine: Machine) -> None:
    """Without a guard and with one; a configuration restarts once, certificates are read without a restart."""
    controller.machines = [machine]
    controller.play("deploy_agent").fine()
    pid = shown(machine, "MainPID")
    controller.play("deploy_agent", agent_guard=False).fine()
    assert shown(machine, "LoadState", GUARD) == "not-found"
    assert controller.play("deploy_agent", agent_guard=False).fine().changed == 0
    controller.play("deploy_agent").fine()
    assert (shown(machine, "ActiveState", GUARD), shown(machine, "MainPID")) == ("active", pid)

    assert logged(machine, STARTED) == 1
    controller.variables["agent_log_format"] = "json"
    controller.play("deploy_agent").fine()
    changed = shown(machine, "MainPID")
    assert (changed != pid, logged(machine, STARTED)) == (True, 2)

    # The agent's certificate is valid for 397 days, its CA for ten years.
    assert controller.play("deploy_agent", certificates_renew_before=390).fine().changed == 0
    renewals: tuple[dict[str, Any], ...] = (
        {"certificates_valid_days": 400, "certificates_renew_before": 398}, {"certificates_key_type": "ed25519"},
    )  # fmt: skip
    for options in renewals:
        before = logged(machine, READ_AGAIN)
        assert controller.play("deploy_agent", **options).fine().changed > 0
        wait_until_logged(machine, READ_AGAIN, before + 1)
        controller.play("status").fine()
    assert (shown(machine, "MainPID"), logged(machine, STARTED)) == (changed, 2)


def wait_until_logged(machine: Machine, text: str, times: int) -> None:
    deadline = time.monotonic() + 60
    while logged(machine, text) < times:
        assert time.monotonic() < deadline, machine.run(f"journalctl -u {UNIT} -n 50 --no-pager")
        time.sleep(0.2)


def test_upgrade_and_rollback(controller: Controller, first: Machine, installed: Path, newer: Path) -> None:
    """The new archive lies beside the old one, to which an older collection goes back; no third one stays."""
    controller.machines = [first]
    link = "/usr/local/lib/cutover-arangodb/cutover-agent.pyz"
    archives = []
    for collections in (installed, newer, installed):
        controller.collections = collections
        controller.play("deploy_agent").fine()
        archives.append(first.run("readlink", link).strip())
        assert archives[-1] in shown(first, "ExecStart")
        assert controller.play("deploy_agent").fine().changed == 0
    assert (archives[0] == archives[2], archives[0] != archives[1]) == (True, True)
    assert logged(first, STARTED) == 3

    directory, _slash, name = link.rpartition("/")
    first.run(f"touch -d 2020-01-01 {directory}/cutover-agent-000000000000.pyz")
    assert controller.play("deploy_agent").fine().changed == 1
    assert set(first.run("ls", directory).split()) == {name, *archives}


def test_several_on_one_host(controller: Controller, first: Machine) -> None:
    controller.machines = [first]
    before = traces(first)
    for name, port in (("north", 8629), ("south", 8630)):
        controller.play("deploy_agent", agent_instance=name, agent_port=port).fine()
    for name in ("north", "south"):
        for unit in ("agent", "guard"):
            assert shown(first, "ActiveState", f"cutover-{unit}@{name}.service") == "active"
    controller.play("status", agent_instance="south", agent_port=8630).fine()
    controller.play("remove_agent", agent_instance="north", agent_port=8629).fine()
    assert shown(first, "ActiveState", "cutover-agent@south.service") == "active"
    controller.play("status", agent_instance="south", agent_port=8630).fine()
    controller.play("remove_agent", agent_instance="south", agent_port=8630).fine()
    assert traces(first) == before


def test_what_cannot_work_is_said_and_leaves_the_old_agent_alone(controller: Controller, first: Machine) -> None:
    """Bad input that only a real host can show."""
    controller.machines = [first]
    controller.play("deploy_agent").fine()
    pid = shown(first, "MainPID")
    first.run("systemd-run --unit=squatter python3 -m http.server 8700 --bind 127.0.0.1")
    old = first.root / "usr/local/bin/python-old"
    old.write_text("#!/bin/sh\necho 3.8\n")
    old.chmod(0o755)
    wrong: tuple[tuple[str, Any, str], ...] = (
        ("agent_port", 8700, "port 8700"),
        ("agent_listen_host", "203.0.113.9", "203.0.113.9"),
        ("agent_python", "/usr/bin/python-that-is-not-there", "python-that-is-not-there"),
        ("agent_python", "/usr/local/bin/python-old", "needs Python 3.9 or newer; /usr/local/bin/python-old is 3.8"),
    )
    for field, value, text in wrong:
        extra: dict[str, Any] = {field: value, "agent_health_timeout": 5}
        refused = controller.play("deploy_agent", **extra)
        assert refused.code != 0
        assert text in " ".join(refused.output.split()), refused.output[-3000:]
    first.run("install -m 0600 /etc/hostname /etc/only-root.jwt")
    del controller.variables["agent_source_jwt_secret_source"]
    refused = controller.play("deploy_agent", agent_source_jwt_secret_path="/etc/only-root.jwt")
    assert refused.code != 0
    assert "/etc/only-root.jwt: cutover-agent could not read it: Permission denied" in " ".join(refused.output.split())
    controller.play("deploy_agent").fine()
    assert (shown(first, "ActiveState"), shown(first, "MainPID")) == ("active", pid)
