# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the role `agent` asks a host before it touches anything."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "roles/agent/files/could_run.py"
AGENT_PORT = 8629


def asked(config: Path, host: str, port: int, secret: str = "", user: str = "") -> str:
    """What it says, sent to the host as the role sends it."""
    arguments = [str(config), user or getpass.getuser(), host, str(port), secret]
    command = [sys.executable, "-c", PROGRAM.read_text(), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where the configuration of the agent that runs already would be."""
    return tmp_path / "agent.json"


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"port": null}', '{"port": 1}'])
def test_a_port_that_somebody_else_holds(config: Path, port: int, content: str | None) -> None:
    """Whatever the old configuration says, if it is not this port."""
    if content is not None:
        config.write_text(content)
    said = asked(config, "127.0.0.1", port)
    where = f"agent_listen_host 127.0.0.1, agent_port {port}"
    assert said.startswith(f"{where}: the agent could not listen there: Address already in use. ")
    assert "\n" not in said


def test_its_own_port_is_no_obstacle(config: Path, port: int) -> None:
    config.write_text(json.dumps({"port": port}))
    assert asked(config, "127.0.0.1", port) == ""
    assert "Cannot assign requested address" in asked(config, "203.0.113.9", port)


def test_a_name_that_nobody_knows(config: Path) -> None:
    assert "agent_listen_host no-such-host.invalid" in asked(config, "no-such-host.invalid", AGENT_PORT)


def test_a_secret_that_is_not_there(config: Path, tmp_path: Path) -> None:
    config.write_text(json.dumps({"port": AGENT_PORT}))
    secret = tmp_path / "source.jwt"
    for user in (getpass.getuser(), "nobody-has-this-name"):
        said = asked(config, "127.0.0.1", AGENT_PORT, str(secret), user)
        assert said.startswith(f"agent_source_jwt_secret_path {secret}: {user} could not read it: No such file")
        assert "agent_source_jwt_secret_source" in said
    secret.write_text("s3cr3t")
    assert asked(config, "127.0.0.1", AGENT_PORT, str(secret)) == ""


@pytest.mark.parametrize("content", [b"", b" \n", b"x" * 65, b"-----BEGIN EC PRIVATE KEY-----\nMH\n"])
def test_a_secret_that_cannot_be_one(config: Path, tmp_path: Path, content: bytes) -> None:
    """Never repeated."""
    secret = tmp_path / "source.jwt"
    secret.write_bytes(content)
    said = asked(config, "127.0.0.1", AGENT_PORT, str(secret))
    holds = "it must hold what the source's --server.jwt-secret-keyfile holds: 1 to 64 bytes, no PEM key."
    assert said == f"agent_source_jwt_secret_path {secret}: {holds}"
    secret.write_bytes(b"x" * 64 + b"\n")
    assert asked(config, "127.0.0.1", AGENT_PORT, str(secret)) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask for what another user may do")
def test_what_root_may_do_and_the_user_of_the_agent_may_not(config: Path, tmp_path: Path) -> None:
    config.write_text(json.dumps({"port": AGENT_PORT}))
    config.chmod(0o600)
    secret = tmp_path / "source.jwt"
    secret.write_text("s3cr3t")
    secret.chmod(0o600)

    def of(user: str) -> str:
        return asked(config, "127.0.0.1", AGENT_PORT, str(secret), user)

    assert f"{secret}: nobody could not read it: Permission denied" in of("nobody")
    assert of("root") == ""
    assert of("is-still-to-be-made") == ""  # what it may read is not known yet


def test_all_that_is_wrong_is_said_at_once(config: Path, port: int) -> None:
    said = asked(config, "127.0.0.1", port, "/no/such/file").splitlines()
    assert [line.partition(" ")[0] for line in said] == ["agent_listen_host", "agent_source_jwt_secret_path"]
