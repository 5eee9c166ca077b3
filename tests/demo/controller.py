# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operator: a built and installed collection, an inventory, and playbooks run by name."""

from __future__ import annotations

import getpass
import grp
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.tools.outside import outside

__all__ = ["Controller", "Run"]

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    """How a playbook ended; ``changed`` is the recap's number."""

    status: int
    output: str
    changed: int


class Controller:
    """Runs ``ansible-playbook`` the way a user does, with the installed collection only."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._inventory = home / "inventory.yml"
        (home / "ansible.cfg").touch()
        # Neither the checkout's import tree nor the settings of whoever runs this: only what is installed counts.
        self._environment = {name: value for name, value in outside().items() if not name.startswith("ANSIBLE_")}
        self._environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(home / "collections"),
            "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
            "ANSIBLE_HOME": str(home / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "PYTHONUNBUFFERED": "1",
        }
        if sys.stdout.isatty():
            self._environment["ANSIBLE_FORCE_COLOR"] = "true"

    def install(self) -> Path:
        """Build the collection from the checkout and install the result; return the archive's path."""
        galaxy = [str(BIN / "ansible-galaxy"), "collection"]
        distribution = self._home / "dist"
        self._quietly([*galaxy, "build", "--force", "--output-path", str(distribution), str(ROOT)])
        archive = next(distribution.glob("cutover-arangodb-*.tar.gz"))
        target = str(self._home / "collections")
        self._quietly([*galaxy, "install", "--offline", "--force", "--collections-path", target, str(archive)])
        return archive

    def _quietly(self, command: list[str]) -> None:
        done = subprocess.run(
            command, check=False, env=self._environment, cwd=self._home, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")

    def write_inventory(self, variables: Mapping[str, Any]) -> None:
        """Write an inventory with one agent host: this one, without becoming root."""
        agent = self._home / "agent"
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "agent_become": False,
            "agent_python": sys.executable,
            "agent_supervisor": "process",
            "agent_manage_user": False,
            "agent_user": getpass.getuser(),
            "agent_group": grp.getgrgid(os.getgid()).gr_name,
            **{f"agent_{name}_directory": str(agent / name) for name in ("install", "config", "state", "run", "log")},
        }
        content = {"cutover_agents": {"hosts": {"agent-host": {**host, **variables}}}}
        self._inventory.touch(mode=0o600)
        self._inventory.write_text(json.dumps(content, indent=2), encoding="utf-8")

    def play(self, name: str, **variables: Any) -> Run:
        """Run a playbook of the collection and show its output as it comes."""
        command = [str(BIN / "ansible-playbook"), f"cutover.arangodb.{name}", "-i", str(self._inventory)]
        if variables:
            command += ["--extra-vars", json.dumps(variables)]
        print(f"$ ansible-playbook cutover.arangodb.{name}", *(f"-e {k}={v}" for k, v in variables.items()), flush=True)
        lines: list[str] = []
        with subprocess.Popen(
            command, env=self._environment, cwd=self._home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    print(f"  {line}" if line.strip() else "", end="", flush=True)
            except BaseException:
                process.terminate()
                raise
        output = "".join(lines)
        recap = re.search(r"changed=(\d+)", output)
        return Run(process.returncode, output, int(recap.group(1)) if recap else 0)

    def quiet_play(self, name: str) -> None:
        """Run a playbook that has to succeed, without showing it."""
        self._quietly([str(BIN / "ansible-playbook"), f"cutover.arangodb.{name}", "-i", str(self._inventory)])

    def ping(self) -> None:
        """What Ansible itself takes for the least that it can do on the agent's host."""
        self._quietly([str(BIN / "ansible"), "all", "-i", str(self._inventory), "-m", "ansible.builtin.ping"])

    def agent_pid(self) -> int | None:
        """The agent's process, if its pid file names a live one."""
        try:
            pid = int(json.loads((self._home / "agent" / "run" / "agent.pid").read_text(encoding="utf-8"))["pid"])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, KeyError):
            return None
        return pid if str(self._home).encode() in command else None
