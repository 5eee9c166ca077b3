# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands and files of the pages, typed and used as they are printed, between two emulated clusters.

What is a place or an address on the page has another one here, and what the testbed needs more is added.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shlex
import shutil
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._core.agent_api import AgentApi
from tests.controller.fake import TOKEN as CONTROLLER_TOKEN
from tests.controller.fake import Controller, running
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair
from tests.roles.conftest import TOOLS, end_agent, here, mode_of
from tests.roles.packed import copy_parts
from tests.roles.terminal import Terminal
from tests.roles.way import FILES, WAY, Step
from tests.testbed.platform.launch import TestPlatform, behind
from tests.tools.blocks import ROOT, every_block, numberless, plain, shown_below
from tests.unit.agent_fakes import Certificates
from tests.unit.webhook_receiver import SECRET, Receiver, receiver

# Starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(1200)

AGENT_TOKEN = "a-long-random-word-of-the-test"
DAMAGED = {"lose": ("drop_document", "orders", "o299"), "alter": ("alter_document", "things", "t250"),
           "differ": ("alter_document", "things", "t200")}  # fmt: skip
# What the inventory of the page has besides, because of the testbed.
BESIDES = {
    "ignore_metrics": True, "settle_after": 5, "late_write_watch": 200, "repair": False, "agent_time_scale": TIME_SCALE,
    "watch_interval": 0.5, "max_lag": 30, "max_downtime": 120,
    "proxy_become": False, "proxy_program": "/bin/true", "proxy_reload": "/bin/true",
}  # fmt: skip
IN_THE_TESTBED = "--source.ignore-metrics --settle-after 5 --late-write-watch 200 --max-lag 30 --max-downtime 120"


@dataclass
class World:
    """Everything that the pages name, as it is here."""

    directory: Path
    clusters: Pair
    platform: TestPlatform
    receives: Receiver
    controller: Controller
    awx: str
    certificates: Certificates
    own: dict[str, Any]

    @property
    def agent(self) -> str:
        """The agent's address."""
        return f"127.0.0.1:{self.own['agent_port']}"

    def in_this_place(self, text: str) -> str:
        """A command or a file of a page with the places and addresses of this machine."""
        source, target = self.clusters.source.coordinators, self.clusters.target.coordinators
        for word, here_it_is in {
            "/usr/local/lib/cutover-arangodb": self.own["agent_install_directory"],
            "/etc/cutover-arangodb": self.own["agent_config_directory"],
            "/etc/arangodb/jwt": str(self.clusters.source.jwt_secret_path),
            "/etc/prometheus/cutover-ca.pem": str(self.certificates.ca),
            "/etc/prometheus/cutover.token": str(self.directory / "agent.token"),
            "/srv/safe": str(self.directory / "safe"),
            "https://db1.example.com:8529": source[0],
            "https://db2.example.com:8529": source[1],
            "https://abc123.arangodb.cloud:8529": target[0],
            "migration-host.example.com:8629": self.agent,
            "agent-1.example.com:8629": self.agent,
            "https://awx.example.com": self.awx,
            "https://eda.example.com:5000/agent": self.receives.url,
            "proxy.example.com": "localhost",
            "hmkuedzw9oavvjmjdo0i": self.platform.deployment,
            "example-key": self.platform.key_id,
            "--oasis.api-key KEY": f"--oasis.api-key {self.platform.key_id} --oasis.endpoint {self.platform.url} "
            f"--oasis.cacert {self.platform.ca_path} {IN_THE_TESTBED}",
            "--oasis.deployment-id ID": f"--oasis.deployment-id {self.platform.deployment}",
            # The clocks of the testbed are faster, but this machine may be slower.
            "sample_seconds=20": "sample_seconds=1",
            "delay: 10": "delay: 1",
            "max_downtime=20": "max_downtime=120",
            "fence_seconds=10": "fence_seconds=60",
            "become: true": "become: false",
        }.items():
            text = text.replace(word, here_it_is)
        return text

    def write(self) -> None:
        """The files of the pages, and those that they presume."""
        made: dict[str, Any] = {}
        for block in every_block():
            name = FILES.get(block.name)
            if name is not None:
                made.setdefault(name, []).append(yaml.safe_load(self.in_this_place(block.text)))
        inventory, webhook = made["inventory.yml"]
        variables = inventory["cutover_agents"]["vars"]
        printed_here = {**variables, **webhook}
        variables.update({**self.own, **BESIDES, **printed_here, "proxy_config": str(self.directory / "haproxy.cfg")})
        made["inventory.yml"] = [inventory]
        made["managed/inventory.yml"] = [self._managed(inventory, made["managed/inventory.yml"][0])]
        for name in ("role_agent.yml", "role_certificates.yml"):
            made[name][0][0]["vars"] = {"vault_cutover_token": AGENT_TOKEN}
        made["tasks.yml"] = [[self._play(made["tasks.yml"][0])]]
        for name, (content,) in made.items():
            self._put(name, yaml.safe_dump(content, sort_keys=False))
        self._presumed()

    def _managed(self, inventory: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
        """The inventory with a deployment in the place of the target."""
        group = inventory["cutover_agents"]
        variables = {name: value for name, value in group["vars"].items() if not name.startswith("target_")}
        platform = {"platform_endpoint": self.platform.url, "platform_ca_path": str(self.platform.ca_path),
                    "vault_platform_key_secret": self.platform.key_secret, "agent_token": AGENT_TOKEN,
                    "vault_webhook_secret": SECRET}  # fmt: skip
        return {"cutover_agents": {**group, "vars": {**variables, **deployment, **platform}}}

    def _play(self, tasks: list[dict[str, Any]]) -> dict[str, Any]:
        """A play with these tasks, which are told where the agent listens."""
        there = {"group/cutover.arangodb.arangodb": {"agent_endpoint": f"https://{self.agent}"}}
        return {"hosts": "cutover_agents", "gather_facts": False, "tasks": tasks, "module_defaults": there}

    def _presumed(self) -> None:
        """What the reader has, or writes as the page says in words."""
        source, target = self.clusters.source, self.clusters.target
        ours = self.certificates.ca.read_text()
        for name in ("tls/source-ca.pem", "safe/source-ca.pem"):
            self._put(name, source.ca_path.read_text())
        for name in ("tls/target-ca.pem", "safe/target-ca.pem"):
            self._put(name, target.ca_path.read_text())
        for name in ("tls/agent-ca.pem", "agent-ca.pem", "safe/eda-ca.pem"):
            self._put(name, ours)
        self._put("tls/agent.keyfile", self.certificates.server_keyfile.read_text())
        self._put("secrets/source.jwt", source.jwt_secret_path.read_text())
        self._put("agent.token", AGENT_TOKEN)
        shutil.copy(ROOT / "docs/examples/switch_proxy.yml", self.directory)
        shutil.copy(ROOT / "docs/examples/haproxy.cfg", self.directory)
        secret = {"target_password": PASSWORD, "agent_token": AGENT_TOKEN, "vault_webhook_secret": SECRET,
                  "vault_agent_token": AGENT_TOKEN, "vault_controller_token": CONTROLLER_TOKEN, "vault_ssh_key": "KEY",
                  "vault_source_jwt": "JWT", "vault_platform_key_secret": self.platform.key_secret,
                  "controller_ca_path": str(self.certificates.ca)}  # fmt: skip
        self._put("plain.yml", yaml.safe_dump(secret))
        self._put("editor", f'#!/bin/sh\ncp {self.directory}/plain.yml "$1"\n').chmod(0o700)
        self._put("vault.password", "open sesame")

    def _put(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def world(tmp_path: Path, clusters: Pair, certificates: Certificates) -> Iterator[World]:
    """Both clusters, the platform that has the target, a controller, a receiver of webhooks, and no agent yet."""
    (tmp_path / "host").mkdir()
    controller = Controller()
    fields = [{"id": "username"}, {"id": "ssh_key_data", "secret": True}]
    controller.add("credential_types", {"name": "Machine", "kind": "ssh", "inputs": {"fields": fields}})
    with ExitStack() as stack:
        deployments = [{"name": "target", "cluster": behind(clusters.target)}]
        started = TestPlatform.start(tmp_path, deployments=deployments, options={"time_scale": 0.02})
        platform = stack.enter_context(started)
        platform.control.fault("rotate_password", password=PASSWORD)
        receives = stack.enter_context(receiver(certificates.server_keyfile))
        awx = stack.enter_context(running(controller, certificates.server_keyfile))
        own = here(tmp_path, certificates)
        made = World(tmp_path / "mine", clusters, platform, receives, controller, awx, certificates, own)
        made.write()
        stack.callback(end_agent, tmp_path / "host")
        yield made


class Session:
    """The way, step by step; what was printed stays."""

    def __init__(self, world: World, repository: Path) -> None:
        self.world = world
        self.output: dict[str, str] = {}
        mine = world.directory
        environment = {
            "PATH": f"{TOOLS}:{os.environ['PATH']}", "ANSIBLE_COLLECTIONS_PATH": str(mine / "collections"),
            "ANSIBLE_HOME": str(mine / "ansible"), "ANSIBLE_INVENTORY": str(mine / "inventory.yml"),
            "ANSIBLE_VAULT_PASSWORD_FILE": str(mine / "vault.password"), "EDITOR": str(mine / "editor"),
            "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_PIPELINING": "true", "SECRET": world.platform.key_secret,
            "CUTOVER_AGENT_ENDPOINT": f"https://{world.agent}",
        }  # fmt: skip
        # The repository, the controller, and the agent's host.
        self._terminals = [Terminal(directory, environment) for directory in (repository, mine, mine)]
        self._before: dict[str, Callable[[], None]] = {
            "": lambda: None, "ready": self.ready, "read_token": self.read_token,
        }  # fmt: skip
        self._before |= {name: partial(self.damage, *what) for name, what in DAMAGED.items()}

    def follow(self, step: Step) -> None:
        """Type one command, and see that it does what the page says."""
        self._before[step.first]()
        word = step.command.split()[0]
        terminal = self._terminals[0 if word == "ansible-galaxy" else 1 if word.startswith("ansible") else 2]
        command = self.world.in_this_place(plain(step.command))
        if word == "ansible-vault":  # which begins an editor on terminals only
            command = f"script -qec {shlex.quote(command)} /dev/null"
        if "…the same without" in command:
            command = next(line for line in reversed(self.output) if "--check-only" in line)
            command = f"{command.replace(' --check-only', '')} --watch"
        began = time.monotonic()
        ended = terminal.types(command)
        print(f"{time.monotonic() - began:6.1f} s  {step.command}", flush=True)
        self.output[command] = ended.stdout
        assert (ended.returncode != 0) is step.fails, f"{command}\n{ended.stdout}"
        assert step.says in ended.stdout, f"{command}\n{ended.stdout}"

    def status(self) -> dict[str, Any]:
        """The status document."""
        api = AgentApi.connect(
            f"https://{self.world.agent}", ca_path=str(self.world.certificates.ca), token=AGENT_TOKEN
        )
        return api.status()

    def until(self, what: str, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Wait for a status."""
        deadline = time.monotonic() + 120
        while not condition(status := self.status()):
            assert time.monotonic() < deadline, (what, status)
            time.sleep(0.1)

    def ready(self) -> None:
        """Nothing blocks a cutover."""
        self.until("ready", lambda status: bool(status["cutover"]["ready"]))

    def read_token(self) -> None:
        """The agent's host has a token for whoever only looks."""
        (Path(self.world.own["agent_config_directory"]) / "read.token").write_text(AGENT_TOKEN)

    def damage(self, kind: str, collection: str, key: str) -> None:
        """A document of the target is not the source's, and that is all that blocks."""
        self.ready()
        self.world.clusters.target.control.fault(kind, database="shop", collection=collection, key=key, **_body(kind))
        self.until(
            "one finding",
            lambda status: [blocker["code"] for blocker in status["cutover"]["blockers"]] == ["CUT-VERIFY-2"],
        )


def _body(kind: str) -> dict[str, Any]:
    return {"body": {"n": -1, "text": "damaged"}} if kind == "alter_document" else {}


def test_everything_that_the_pages_say_can_be_typed(world: World, tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    session = Session(world, copy_parts(tmp_path / "clone"))
    print()
    for step in WAY:
        session.follow(step)
        if step.command.endswith("configure_controller -e @controller.yml"):
            assert_controller(world)
        elif step.command.endswith(".html"):
            assert "<html" in (world.directory / re.split("[ =]", step.command)[-1]).read_text()
        elif "proxy_host=" in step.command:
            assert "default_backend target" in (world.directory / "haproxy.cfg").read_text()
        elif "server_mode=default" in step.command:
            assert mode_of(world.clusters) == "default"
            assert_scraped(world)
    assert_output(session)
    completed = [
        event for event in world.receives.tries if (event["kind"], event.get("state")) == ("state", "completed")
    ]
    assert len({event["sequence"] for event in completed}) == 3


def assert_controller(world: World) -> None:
    """The inventory of the controller has the hash of the token, and no secret."""
    (inventory,) = world.controller.stored["inventories"].values()
    (token,) = yaml.safe_load(inventory["variables"])["agent_tokens"]
    assert token["sha256"] == hashlib.sha256(AGENT_TOKEN.encode()).hexdigest()
    assert AGENT_TOKEN not in str(inventory)
    assert world.controller.named("credentials", "deployment")


def assert_scraped(world: World) -> None:
    """Prometheus would get metrics with what its configuration says, and a browser the status page."""
    path = world.directory / "prometheus.yml"
    (job,) = yaml.safe_load(path.read_text())["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    token = Path(job["authorization"]["credentials_file"]).read_text()
    context = ssl.create_default_context(cafile=job["tls_config"]["ca_file"])

    def get(path: str, authorization: str) -> bytes:
        request = urllib.request.Request(f"{job['scheme']}://{target}{path}", headers={"Authorization": authorization})
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            return bytes(answer.read())

    assert b"\ncutover_" in get("/metrics", f"Bearer {token}")
    assert b"<html" in get("/", f"Basic {base64.b64encode(f'anybody:{token}'.encode()).decode()}")
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "config", str(path)], check=True, timeout=60)
    else:
        print("promtool is not installed (apt-get install prometheus): it did not look at prometheus.yml")


def assert_output(session: Session) -> None:
    """What the README shows below its commands they have printed, but for figures; a watch depends on the time."""
    shown = shown_below("README.md")
    for name in ("precheck", "cutover"):
        command = f"ansible-playbook cutover.arangodb.{name}"
        lines = {numberless(line.strip().rstrip(",")) for line in session.output[command].splitlines()}
        for line in (line.rstrip(",") for line in shown[command] if line != "…"):
            begin = numberless(line).partition("…")[0]
            assert any(one.startswith(begin) for one in lines), f"{line}\n{session.output[command]}"
