# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Machines, the installed collection, and playbooks run as an operator would: over ssh, with sudo."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hosts.machines import Machine, ready, small_disk
from tests.roles.packed import install
from tests.tools.outside import outside

TOOLS = Path(sys.executable).parent
TOKEN = "hush-token-of-the-hosts"
SECRET = "hush-secret-of-the-source"


@dataclass(frozen=True)
class Play:
    """What a run of ansible-playbook ended with."""

    code: int
    output: str

    def fine(self) -> Play:
        """Itself, when it ended well."""
        assert self.code == 0, self.output
        return self

    @property
    def changed(self) -> int:
        """Changed tasks of all hosts in the recap."""
        return sum(map(int, re.findall(r"changed=(\d+)", self.output)))


@dataclass
class Controller:
    """Runs playbooks of an installed collection against machines."""

    directory: Path
    collections: Path
    machines: Sequence[Machine]
    variables: dict[str, Any] = field(default_factory=dict)

    def play(self, name: str, *options: str, on: Sequence[Machine] | None = None, **extra: Any) -> Play:
        """A playbook of the collection by its name; no output ever holds a secret."""
        hosts = {
            f"h{machine.number}": {
                "ansible_host": machine.address, "ansible_user": "ansible",
                "ansible_ssh_common_args": " ".join(machine.ssh_options()),
            }
            for machine in (self.machines if on is None else on)
        }  # fmt: skip
        inventory = self.directory / "inventory.yml"
        group = {"hosts": hosts, "vars": {**self.variables, **extra}}
        inventory.write_text(yaml.safe_dump({"cutover_agents": group}))
        environment = {
            **outside(), "ANSIBLE_COLLECTIONS_PATH": str(self.collections), "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_HOME": str(self.directory / "ansible"), "ANSIBLE_NOCOLOR": "1",
        }  # fmt: skip
        command = [str(TOOLS / "ansible-playbook"), "-i", str(inventory), f"cutover.arangodb.{name}", *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
        output = done.stdout + done.stderr
        assert TOKEN not in output
        assert SECRET not in output
        assert "PRIVATE KEY" not in output
        return Play(done.returncode, output)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as it is."""
    return install(tmp_path_factory.mktemp("collections"), TOOLS)


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with another version, so that the agent's archive is another file."""
    return install(tmp_path_factory.mktemp("newer"), TOOLS, "99.0.0")


@pytest.fixture(scope="session")
def machines_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where machines live, with the key that opens them."""
    with small_disk(tmp_path_factory.mktemp("machines")) as directory:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / "id")], check=True)
        yield directory


def made(directory: Path, number: int, suite: str) -> Iterator[Machine]:
    """A machine that is gone afterwards, whatever happens."""
    if not ready(suite):
        pytest.skip(f"there is no base of Debian {suite}; why was said at the beginning")
    machine = Machine(number, suite, directory / f"h{number}", (directory / "id.pub").read_text())
    try:
        machine.create()
        yield machine
    finally:
        machine.remove()


@pytest.fixture
def first(machines_directory: Path) -> Iterator[Machine]:
    """A fresh Debian 12."""
    yield from made(machines_directory, 1, "bookworm")


@pytest.fixture
def second(machines_directory: Path) -> Iterator[Machine]:
    """Another one."""
    yield from made(machines_directory, 2, "bookworm")


@pytest.fixture
def controller(tmp_path: Path, installed: Path) -> Controller:
    """A controller that knows no machine yet, with what every deployment needs."""
    (tmp_path / "source.jwt").write_text(SECRET)
    (tmp_path / "empty.cfg").write_text("")
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    return Controller(tmp_path, installed, (), {
        "ansible_python_interpreter": "/usr/bin/python3",
        "certificates_directory": str(tmp_path / "certificates"),
        "agent_source_jwt_secret_source": str(tmp_path / "source.jwt"),
        "agent_tokens": [{"name": "ops", "sha256": digest, "role": "cutover"}],
        "agent_token": TOKEN,
    })  # fmt: skip
