# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks, run by name from the installed collection, against an agent with the fake engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.roles.conftest import ROOT, Host, running_agent, with_other_engine

# Each test starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)


def test_a_migration_by_playbooks_alone(host: Host) -> None:
    deployed = host.play("deploy_agent")
    assert deployed.code == 0, deployed.output

    early = host.play("cutover")
    assert early.code != 0
    assert "the migration is inactive" in early.output

    checked = host.play("migrate", "--check", "--diff")
    assert (checked.code, checked.changed) == (0, 1), checked.output
    started = host.play("migrate", "-vvv")
    assert (started.code, started.changed) == (0, 1), started.output
    assert "state            running" in started.output
    assert host.play("migrate").changed == 0
    other = host.play("migrate", early_readers=True)
    assert other.code != 0
    assert "another specification" in other.output

    status = host.play("status")
    assert status.code == 0, status.output
    assert re.search(r"^\[localhost\] running \| copied", status.output, re.M)

    watched = host.play("watch", watch_until="in_sync")
    assert (watched.code, watched.changed) == (0, 0), watched.output
    for name, state in (("pause", "paused"), ("resume", "none")):
        done = host.play(name, pause_reason="backup")
        assert (done.code, done.changed) == (0, 1), done.output
        told = re.search(r"paused by the operator since .*: backup", host.play("status").output)
        assert (told is not None) is (state == "paused")
        assert host.play(name).changed == 0

    for limits, changed in (({"load": "gentle", "mb_per_second": 0}, 1), ({"load": "gentle"}, 0)):
        tuned = host.play("limits", **limits)
        assert (tuned.code, tuned.changed) == (0, changed), tuned.output
    assert "any of the following are missing: load" in host.play("limits").output

    verified = host.play("verify", verify_mode="documents")
    assert (verified.code, verified.changed) == (0, 0), verified.output
    assert "result           equal" in verified.output

    rehearsed = host.play("rehearse", fence_seconds=5)
    assert (rehearsed.code, rehearsed.changed) == (0, 1), rehearsed.output

    assert host.play("cutover", "--check").changed == 1
    done = host.play("cutover")
    assert (done.code, done.changed) == (0, 1), done.output
    assert "state            completed" in done.output
    assert host.play("cutover").changed == 0
    refused = host.play("migrate")
    assert refused.code != 0
    assert "completed" in refused.output

    switched = host.play("server_mode", server_mode="readonly")
    assert (switched.code, switched.changed) == (0, 1), switched.output


def hook(host: Host, name: str, *tasks: dict[str, Any]) -> str:
    """A file of tasks that notes that it was run, and in which state."""
    noted = "echo {{ inventory_hostname }} " + name + " {{ cutover_status.state }} >> " + str(host.directory / "noted")
    path = host.directory / f"{name}.yml"
    path.write_text(yaml.safe_dump([{"name": "Note", "ansible.builtin.shell": noted}, *tasks]))
    return str(path)


def noted(host: Host) -> list[str]:
    """Which hooks were run since the last time, and what the state was then."""
    path = host.directory / "noted"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [line.removeprefix("localhost ") for line in lines]


@pytest.mark.usefixtures("agent")
def test_own_tasks_are_run_at_their_time_and_a_failure_takes_the_way_back(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("pre_cutover_tasks", "on_fenced_tasks", "post_open_tasks", "on_rollback_tasks")
    hooks = {name: hook(host, name) for name in names}
    assert host.play("migrate").code == 0
    absent = host.play("cutover", **{**hooks, "post_open_tasks": "/absent.yml"})
    assert absent.code != 0
    assert "post_open_tasks: there is no file /absent.yml" in absent.output

    assert host.play("cutover", "--check", **hooks).code == 0
    assert noted(host) == []

    broken = {"name": "Fail", "ansible.builtin.fail": {"msg": "the load balancer does not answer"}}
    failed = host.play("cutover", **{**hooks, "on_fenced_tasks": hook(host, "broken", broken)})
    assert failed.code != 0
    assert "the load balancer does not answer" in failed.output
    assert noted(host) == ["broken stopping", "on_rollback_tasks running"]

    slow = {"name": "Hang", "ansible.builtin.command": "sleep 300"}
    hung = host.play("cutover", **{**hooks, "on_fenced_tasks": hook(host, "slow", slow)}, hook_timeout=3)
    assert hung.code != 0
    assert noted(host) == ["slow stopping", "on_rollback_tasks running"]

    late = host.play("cutover", **{**hooks, "post_open_tasks": hook(host, "late", broken)})
    assert late.code != 0
    assert "The target is open and stays so" in late.output
    assert noted(host) == ["on_fenced_tasks stopping", "late completed"]
    monkeypatch.chdir(host.directory)
    monkeypatch.setenv("PWD", "/")
    again = host.play("cutover", **{**hooks, "post_open_tasks": "post_open_tasks.yml"})
    assert (again.code, again.output.count("failed=0")) == (0, 1), again.output
    assert noted(host) == ["post_open_tasks completed"]


@pytest.mark.usefixtures("agent")
def test_a_proxy_that_is_not_reached_takes_the_way_back(host: Host) -> None:
    """The example of the documentation: without its own look at it Ansible would leave the rescue out."""
    assert host.play("migrate").code == 0
    undone = host.play(
        "cutover", on_fenced_tasks=str(ROOT / "docs/examples/switch_proxy.yml"),
        on_rollback_tasks=hook(host, "on_rollback_tasks"), proxy_host="proxy.invalid", proxy_become=False,
    )  # fmt: skip
    assert undone.code == 2, undone.output
    assert "proxy.invalid was not reached" in undone.output
    assert noted(host) == ["on_rollback_tasks running"]


@pytest.mark.usefixtures("agent")
def test_what_a_rescue_needs_is_made_last_and_never_shown(host: Host) -> None:
    """Its time begins when nothing blocks the cutover; why it cannot be had, or kept, is told."""
    assert host.play("migrate").code == 0
    rescue_file = host.directory / "rescue.json"
    absent = host.play("cutover", rescue_file=str(host.directory / "absent/rescue.json"))
    assert absent.code != 0
    assert "rescue_file: there is no directory for" in absent.output
    done = host.play("cutover", "-vvv", "--diff", rescue_file=str(rescue_file), gate_timeout=20)
    assert (done.code, done.changed) == (0, 1), done.output
    names = ("Wait until nothing blocks it", "Get what a rescue needs")
    steps = [done.output.index(f"TASK [{name}]") for name in names]
    assert steps == sorted(steps)
    token = json.loads(rescue_file.read_text())["token"]
    assert token not in done.output
    refused = host.play("cutover", rescue_file=str(rescue_file), agent_token="unknown")
    assert refused.code != 0
    assert "CUT-AGENT-10" in refused.output


def test_a_group_in_which_nobody_leads_is_told_so(host: Host, tmp_path: Path) -> None:
    """The lead is away: only the server mode needs none, where it can ask the source itself."""
    joined = '"joined": {"lead_host": "agent-0"}'
    group = with_other_engine(host, tmp_path, '"joined": None', joined, others={"agent-2": {}})
    with running_agent(group, host.directory / "source.jwt"):
        refused = group.play("pause")
        told = " ".join(refused.output.split())
        assert refused.code == 2, refused.output
        assert "localhost, agent-2: none of these agents leads, they copy for the one on host agent-0" in told
        modes = group.play("server_mode", server_mode="default")
        assert (modes.code, modes.output.count('"msg": "default, asked agent')) == (0, 1), modes.output
        assert group.play("server_mode", server_mode="default", source_endpoints=[]).code == 2


def test_precheck_and_status_without_source_or_agent(host: Host) -> None:
    host.install_path("config").mkdir()
    host.install_path("config/source.jwt").write_text("s3cr3t")
    failed = host.play("precheck")
    assert failed.code != 0
    assert "Not passed" in failed.output
    assert "s3cr3t" not in failed.output
    unreachable = host.play("status")
    assert unreachable.code != 0
    assert "CUT-AGENT" in unreachable.output or "CUT-TLS" in unreachable.output


def test_every_variable_of_a_playbook_is_in_its_header() -> None:
    documented_elsewhere = {"item", "omit", "ansible_playbook_python", "ansible_failed_result"}
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        text = path.read_text()
        header = text.split("\n- name:")[0]
        used = set(re.findall(r"\b([a-z]\w+) \| default\(", text)) | set(re.findall(r"\{\{ ([a-z]\w+) \}\}", text))
        missing = {name for name in used - documented_elsewhere if name not in header}
        assert not missing, (path.name, missing)


def test_playbooks_have_names_for_every_play_and_task() -> None:
    for path in sorted((ROOT / "playbooks").glob("*.yml")):
        for play in yaml.safe_load(path.read_text()):
            assert play["name"]
            assert all(task["name"] for task in play.get("tasks", []))
