# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roles take Debian, Ubuntu and RHEL-like hosts alike: they ask nowhere what a host is, and name what all have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(path for path in (ROOT / "roles").rglob("*") if path.suffix in (".yml", ".j2"))
TASKS = [path for path in FILES if path.parent.name in ("tasks", "handlers")]
# Nothing that installs packages, opens firewalls or sets contexts: those differ.
MODULES = {
    f"ansible.builtin.{name}"
    for name in ("assert", "command", "copy", "debug", "fail", "file", "find", "group", "include_tasks", "meta",
                 "set_fact", "stat", "systemd_service", "tempfile", "template", "uri", "user", "wait_for")
} | {f"cutover.arangodb.{name}" for name in ("agent_archive", "migration_info", "tls_keyfile")}  # fmt: skip
# In systemd, coreutils and shadow-utils of all of them; /bin is a link to /usr/bin on RHEL-like hosts.
PROGRAMS = {"journalctl", "rmdir", "tail", "{{ agent_python }}"}
PATHS = {"/bin/kill", "/usr/bin/python3", "/usr/sbin/nologin", "/etc/systemd/system", "/usr/local/lib"}
OURS = ("/etc/cutover-arangodb", "/var/lib/cutover-arangodb", "/var/log/cutover-arangodb", "/run/cutover-arangodb")
KEYWORDS = {
    "always", "args", "become", "block", "changed_when", "check_mode", "delegate_to", "delay", "diff", "failed_when",
    "loop", "loop_control", "name", "no_log", "notify", "register", "rescue", "retries", "run_once", "until", "vars",
    "when",
}  # fmt: skip


def tasks(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each task, also those of blocks."""
    for item in items:
        yield item
        for part in ("block", "rescue", "always"):
            yield from tasks(item.get(part, []))


@pytest.mark.parametrize("path", TASKS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_tasks_use_what_every_distribution_has(path: Path) -> None:
    for task in tasks(yaml.safe_load(path.read_text())):
        used = set(task) - KEYWORDS
        assert used <= MODULES, task["name"]
        command = task.get("ansible.builtin.command")
        if command is not None:
            assert command["argv"][0] in PROGRAMS, task["name"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_no_fact_is_asked_for_and_no_path_of_one_distribution_is_named(path: Path) -> None:
    content = path.read_text()
    assert re.findall(r"ansible_(?:os_family|distribution\w*|pkg_mgr|service_mgr|selinux|facts)\b", content) == []
    named = re.findall(r"(?<![\w./:}])/(?:bin|etc|lib|opt|run|sbin|srv|usr|var)/[\w./-]+", content)
    assert [name for name in named if not name.startswith((*PATHS, *OURS))] == []


@pytest.mark.parametrize("name", ["deploy_agent", "remove_agent"])
def test_the_playbooks_gather_no_facts(name: str) -> None:
    assert [play["gather_facts"] for play in yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text())] == [False]
