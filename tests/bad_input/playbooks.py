# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks of the installed collection for many hosts at once: each host of the inventory is one wrong input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.tools.outside import outside

__all__ = ["Operator", "Played"]

PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
_RESULT = re.compile(
    r"^(ok|changed|fatal|failed): \[([^\]]+)\](?:: FAILED!)?(?: \(item=.*?\))? => (\{.*\})$", re.MULTILINE
)


@dataclass
class Played:
    """What one host's tasks said: ``shown`` by those that passed, ``failure`` by the one that failed."""

    shown: list[Any] = field(default_factory=list)
    failure: dict[str, Any] = field(default_factory=dict)
    changed: bool = False


@dataclass(frozen=True)
class Operator:
    """Runs playbooks as a user does. ``home`` keeps inventory and settings."""

    home: Path
    collections: Path

    def play(
        self, name: str, hosts: Mapping[str, Mapping[str, Any]], *options: str
    ) -> tuple[dict[str, Played], str]:
        """Run a playbook for all hosts; what each one said, and the whole output."""
        inventory = self.home / "inventory.json"
        inventory.touch(mode=0o600)
        local = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "agent_become": False,
        }
        content = {"cutover_agents": {"hosts": {host: {**local, **values} for host, values in hosts.items()}}}
        inventory.write_text(json.dumps(content))
        done = subprocess.run(
            [str(PLAYBOOK), "-i", str(inventory), "--forks", "4", f"cutover.arangodb.{name}", *options],
            env=self._environment(), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        found = {host: Played() for host in hosts}
        for outcome, host, text in _RESULT.findall(done.stdout):
            result = json.loads(text)
            if outcome in ("fatal", "failed"):
                found[host].failure = result
            else:
                found[host].shown.append(result.get("msg"))
                found[host].changed |= outcome == "changed"
        return found, done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        (self.home / "ansible.cfg").touch()
        return {name: value for name, value in outside().items() if not name.startswith("ANSIBLE_")} | {
            "ANSIBLE_CONFIG": str(self.home / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_HOME": str(self.home / "ansible"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_CALLBACK_FORMAT_PRETTY": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "1",
        }
