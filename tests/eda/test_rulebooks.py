# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shipped rulebooks, run by ansible-rulebook out of the installed collection against an agent and a controller.

``tests/eda/run.sh`` makes the environment that CUTOVER_RULEBOOK_BIN names.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.config import WebhookConfig
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import Endpoint
from tests.eda.launches import TOKEN as CONTROLLER_TOKEN
from tests.eda.launches import Launches, controller
from tests.roles.packed import install
from tests.tools.ports import free_port
from tests.unit.agent_fakes import TOKENS, Certificates, RunningAgent, agent_config, make_certificates, running_agent
from tests.unit.webhook_receiver import SECRET

pytestmark = pytest.mark.timeout(600)
if "CUTOVER_RULEBOOK_BIN" not in os.environ:
    pytest.skip("make eda brings the ansible-rulebook that these run", allow_module_level=True)
BIN = Path(os.environ["CUTOVER_RULEBOOK_BIN"])
WAIT = 180.0
TELL, ABORT, APPROVAL = "Tell somebody", "ArangoDB: Abort the migration", "ArangoDB: Cutover with approval"
LIMITS = "ArangoDB: Change how fast the migration goes"
PROBLEM = {"code": "CUT-DISK-1", "severity": "error", "where": "agent", "text": "it is full", "remedy": "Make room."}


@dataclass(frozen=True)
class World:
    """What a rulebook meets."""

    directory: Path
    collections: Path
    certificates: Certificates
    launches: Launches
    controller: str


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as a user has it."""
    return install(tmp_path_factory.mktemp("collections"), BIN)


@pytest.fixture
def world(tmp_path: Path, collections: Path) -> Iterator[World]:
    """A controller with the templates that the rulebooks name."""
    certificates = make_certificates(tmp_path)
    launches = Launches([TELL, ABORT, LIMITS], [APPROVAL])
    with controller(launches, certificates.server_keyfile) as address:
        yield World(tmp_path, collections, certificates, launches, address)


@contextlib.contextmanager
def rulebook(world: World, name: str, **variables: Any) -> Iterator[Path]:
    """ansible-rulebook with a rulebook of the collection until the block ends; gives its output."""
    files = {
        "variables.yml": {"organization": "Default", "tell_template": TELL, **variables},
        "inventory.yml": {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}},
    }
    for file, content in files.items():
        (world.directory / file).write_text(yaml.safe_dump(content))
    command = [
        str(BIN / "ansible-rulebook"), "--rulebook", f"cutover.arangodb.{name}", "--vars", "variables.yml", "-i",
        "inventory.yml", "--controller-url", world.controller, "--controller-token", CONTROLLER_TOKEN,
        "--controller-ssl-verify", str(world.certificates.ca), "--verbose",
    ]  # fmt: skip
    environment = {
        **os.environ, "ANSIBLE_COLLECTIONS_PATH": str(world.collections), "PATH": f"{BIN}:{os.environ['PATH']}",
        "EDA_JOB_TEMPLATE_REFRESH_DELAY": "0.2", "ANSIBLE_HOME": str(world.directory / "home"),
    }  # fmt: skip
    environment.pop("PYTHONPATH", None)
    shown = world.directory / "output"
    with open(shown, "wb") as output:
        process = subprocess.Popen(
            command, cwd=world.directory, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield shown
    finally:
        process.terminate()
        process.wait(60)


def change(agent: RunningAgent, path: str, value: Any) -> None:
    """Another status from now on."""
    document = copy.deepcopy(agent.engine.document)
    part = document
    *steps, last = path.split(".")
    for step in steps:
        part = part[step]
    part[last] = value
    agent.engine.document = document


def live(agent: RunningAgent, launches: Launches) -> None:
    """A migration that lags, is ready, finds something and fails, each when the last one was reacted to."""
    change(agent, "replication.lag_seconds", 1000.0)
    name, given = launches.next()
    assert (name, given["load"]) == (LIMITS, "gentle")
    name, told = launches.next()
    assert (name, told["subject"][:25]) == (TELL, "The migration lags behind")
    change(agent, "replication.lag_seconds", 0.1)
    name, given = launches.next()
    assert (name, given["load"]) == (LIMITS, "balanced")
    change(agent, "cutover.ready", True)
    assert launches.next()[0] == APPROVAL
    change(agent, "problems", [PROBLEM])
    name, told = launches.next()
    assert (name, told["subject"]) == (TELL, "The migration has found something: CUT-DISK-1")
    assert told["migration_event"]["problem"] == PROBLEM
    change(agent, "state", "failed")
    assert [launches.next()[0] for _ in range(2)] == [TELL, ABORT]


def test_the_rulebook_reacts_to_what_the_event_source_reads(world: World) -> None:
    (world.directory / "token").write_text(TOKENS["read"])
    with running_agent(agent_config(world.certificates, world.directory), world.certificates) as agent:
        variables = {
            "agent_endpoint": f"https://127.0.0.1:{agent.port}", "agent_ca_path": str(world.certificates.ca),
            "agent_token_path": str(world.directory / "token"), "max_lag": 300, "figures_interval": 1,
        }  # fmt: skip
        with rulebook(world, "live_migration", **variables) as output:
            live(agent, world.launches)
    assert "ERROR" not in output.read_text()


def post(world: World, port: int, event: dict[str, Any], secret: str = SECRET) -> int:
    """Post an event as anybody could; gives the status."""
    body = json.dumps(event).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    context = ssl.create_default_context(cafile=str(world.certificates.ca))
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=WAIT)
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    connection.request("POST", "/agent", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def await_listener(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + WAIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_the_rulebook_reacts_to_what_the_agent_posts(world: World) -> None:
    """ansible.eda.webhook verifies the signature; what is not signed, old or known already changes nothing."""
    port = free_port()
    variables = {
        "webhook_port": port, "webhook_certfile": str(world.certificates.server_keyfile),
        "webhook_keyfile": str(world.certificates.server_keyfile), "webhook_secret": SECRET,
    }  # fmt: skip
    (world.directory / "secret.webhook").write_text(SECRET)
    hook = WebhookConfig(
        Endpoint("https", "127.0.0.1", port), "/agent", world.directory / "secret.webhook", world.certificates.ca
    )
    config = agent_config(world.certificates, world.directory, webhook=hook)
    with rulebook(world, "live_migration_webhook", **variables) as output:
        await_listener(port)
        event = {"kind": "ready", "stream": "x", "sequence": 1, "sent_at": "2020-01-01T00:00:00.000Z"}
        assert post(world, port, event, "another-secret-altogether") == 401
        assert post(world, port, event) == 200
        with running_agent(config, world.certificates) as agent:
            live(agent, world.launches)
    assert world.launches.none_more()
    assert "ERROR" not in output.read_text()
    assert SECRET not in output.read_text()
