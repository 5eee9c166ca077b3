# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The packed and installed collection, with the fake engine in it, and a host that is a directory of this machine."""

from __future__ import annotations

import dataclasses
import getpass
import grp
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._module.archive import build_archive, write_archive
from tests.e2e.agent import Agent
from tests.integration.conftest import SOURCE_OPTIONS
from tests.integration.engine_case import Fill, request_of
from tests.integration.pair import PASSWORD as TARGET_PASSWORD
from tests.integration.pair import TIME_SCALE, Pair
from tests.roles.packed import install
from tests.testbed.launch import TestCluster
from tests.tools.outside import outside
from tests.tools.ports import free_port
from tests.unit.agent_fakes import Certificates, make_certificates

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ansible_collections.cutover.arangodb.plugins.module_utils."
ENGINE = "ansible_collections/cutover/arangodb/plugins/module_utils/_engine/engine.py"
TOKEN = "hush-token-of-the-test"
PASSWORD = "hush-password-of-the-test"
# Where ansible-playbook and ansible-galaxy are taken from: `make floor` names other versions of Ansible here.
TOOLS = Path(os.environ.get("CUTOVER_ANSIBLE_BIN") or Path(sys.executable).parent)


def mode_of(pair: Pair) -> str:
    """The mode of the source, as its root sees it."""
    return str(pair.clients.coordinators.json("GET", "/_admin/server/mode")["mode"])


@dataclass(frozen=True)
class Play:
    """What a run of ansible-playbook ended with."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """Number of changed tasks in the recap."""
        found = re.search(r"changed=(\d+)", self.output)
        if found is None:
            raise AssertionError(self.output)
        return int(found.group(1))


@dataclass
class Host:
    """One host of the group cutover_agents, whose files all lie in `directory`; ``others``: more hosts of the group."""

    directory: Path
    collections: Path
    variables: dict[str, Any] = field(default_factory=dict)
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def run_tasks(self, tasks: Sequence[dict[str, Any]], **extra: Any) -> list[dict[str, Any]]:
        """Run tasks with the action group told where the agent is; the result of each, failed or not."""
        named = [f"shown_{number}" for number in range(len(tasks))]
        steps = [{**task, "register": name, "ignore_errors": True} for task, name in zip(tasks, named, strict=True)]
        shown = self.directory / "results.json"
        content = "{{ [" + ", ".join(named) + "] | to_json }}"
        steps.append({"ansible.builtin.copy": {"content": content, "dest": str(shown)}})
        endpoint = {"agent_endpoint": f"https://127.0.0.1:{self.variables['agent_port']}"}
        play = {"hosts": "all", "gather_facts": False, "tasks": steps,
                "module_defaults": {"group/cutover.arangodb.arangodb": endpoint}}  # fmt: skip
        playbook = self.directory / "tasks.yml"
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        played = self._run(str(playbook), (), extra)
        assert played.code == 0, played.output
        results: list[dict[str, Any]] = json.loads(shown.read_text())
        return results

    def play(self, name: str, *options: str, **extra: Any) -> Play:
        """Run a playbook of the collection by its name; the output never holds a secret."""
        return self._run(f"cutover.arangodb.{name}", options, extra)

    def _run(self, playbook: str, options: Sequence[str], extra: Mapping[str, Any]) -> Play:
        inventory = self.directory / "inventory.yml"
        hosts = {"localhost": {**self.variables, **extra}}
        hosts |= {name: {**self.variables, **variables, **extra} for name, variables in self.others.items()}
        inventory.write_text(yaml.safe_dump({"cutover_agents": {"hosts": hosts}}, sort_keys=False))
        environment = {
            **outside(),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "true",
        }
        command = [str(TOOLS / "ansible-playbook"), "-i", str(inventory), playbook, *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        output = done.stdout + done.stderr
        for secret in {TOKEN, PASSWORD, self.variables.get("agent_token", TOKEN)}:
            assert secret not in output
        return Play(done.returncode, output)

    def install_path(self, name: str) -> Path:
        """A directory or file of the agent on this host."""
        return self.directory / "host" / name


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection, built and installed as a user would."""
    return install(tmp_path_factory.mktemp("collections"), TOOLS)


@pytest.fixture(scope="session")
def collections(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed collection with the fake engine in it."""
    copied = tmp_path_factory.mktemp("fake") / "installed"
    shutil.copytree(installed, copied)
    (copied / ENGINE).write_text((ROOT / "tests/unit/fake_engine.py").read_text().replace(PREFIX, ".."))
    return copied


def with_other_engine(host: Host, directory: Path, old: str, new: str, **changes: Any) -> Host:
    """The host with a collection, in `directory`, whose fake engine says something else."""
    copied = directory / "other"
    shutil.copytree(host.collections, copied)
    content = (copied / ENGINE).read_text()
    assert old in content
    (copied / ENGINE).write_text(content.replace(old, new))
    return dataclasses.replace(host, collections=copied, **changes)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One set of certificates for all tests."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def here(directory: Path, certificates: Certificates) -> dict[str, Any]:
    """Variables of an agent of this user, without systemd, whose files all lie in `directory`/host."""
    port = free_port()
    directories = {
        f"agent_{kind}_directory": str(directory / "host" / kind)
        for kind in ("install", "config", "state", "run", "log")
    }
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "agent_python": "{{ ansible_playbook_python }}",
        "agent_become": False,
        "agent_supervisor": "process",
        "agent_manage_user": False,
        "agent_user": getpass.getuser(),
        "agent_group": grp.getgrgid(os.getgid()).gr_name,
        "agent_port": port,
        "agent_tls_keyfile_source": str(certificates.server_keyfile),
        "agent_tls_ca_source": str(certificates.ca),
        **directories,
    }


def end_agent(directory: Path) -> None:
    """End what may be left of the agent whose directories are in `directory`."""
    archive = directory / "install/cutover-agent.pyz"
    if archive.exists():
        pid_file = str(directory / "run/agent.pid")
        command = [sys.executable, str(archive), "serve", "--shutdown", "--pid-file", pid_file]
        subprocess.run(command, check=True, timeout=60)


@contextmanager
def new_host(directory: Path, collections: Path, certificates: Certificates) -> Iterator[Host]:
    """A host without an agent; whatever was put there is removed afterwards."""
    (directory / "source.jwt").write_text("s3cr3t")
    (directory / "host").mkdir()
    yield Host(directory, collections, {
        **here(directory, certificates),
        "agent_source_jwt_secret_source": str(directory / "source.jwt"),
        "agent_tokens": [{"name": "ops", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "role": "cutover"}],
        "agent_token": TOKEN,
        "source_endpoints": ["https://127.0.0.1:1"],
        "target_endpoints": ["https://127.0.0.1:2"],
        "target_password": PASSWORD,
    })  # fmt: skip
    end_agent(directory / "host")


@pytest.fixture
def host(tmp_path: Path, collections: Path, certificates: Certificates) -> Iterator[Host]:
    """A host of one test's own."""
    with new_host(tmp_path, collections, certificates) as made:
        yield made


@contextmanager
def running_agent(host: Host, secret: Path) -> Iterator[Agent]:
    """An agent with the engine that the host has, started by hand: the role, which takes longer, has its own tests."""
    archive = host.directory / "cutover-agent.pyz"
    write_archive(archive, build_archive(host.collections / "ansible_collections/cutover/arangodb"))
    agent = Agent(archive, host.directory / "agent", secret, TIME_SCALE)
    agent.start()
    own = {"agent_endpoint": agent.endpoint, "agent_ca_path": str(agent.ca_path), "agent_token": agent.token}
    host.variables = {**host.variables, **own}
    yield agent
    agent.stop()


@pytest.fixture
def agent(host: Host) -> Iterator[Agent]:
    """An agent of the host, with the fake engine."""
    with running_agent(host, host.directory / "source.jwt") as started:
        yield started


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[Pair]:
    """A source with data and an empty managed target."""
    options = {"time_scale": TIME_SCALE}
    with (
        TestCluster.start(tmp_path, name="source", options=SOURCE_OPTIONS) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", root_password=TARGET_PASSWORD, options=options
        ) as target,
    ):
        both = Pair(source, target, tmp_path)
        fill = Fill(both)
        fill.definitions()
        fill.documents()
        yield both
        both.clients.close()


@pytest.fixture
def real_host(host: Host, installed: Path, clusters: Pair) -> Host:
    """The host with the engine as it was packed, and the variables of both clusters."""
    specification: dict[str, Any] = request_of(clusters)
    variables = {
        **host.variables,
        **specification,
        "agent_time_scale": TIME_SCALE,
        "agent_source_jwt_secret_source": str(clusters.source.jwt_secret_path),
        "source_jwt_secret_path": str(clusters.source.jwt_secret_path),
    }
    return dataclasses.replace(host, collections=installed, variables=variables)


@pytest.fixture
def real_agent(real_host: Host, clusters: Pair) -> Iterator[Agent]:
    """An agent of that host."""
    with running_agent(real_host, clusters.source.jwt_secret_path) as started:
        yield started
