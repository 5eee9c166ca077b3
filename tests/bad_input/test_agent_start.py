# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Agents that must not start: the secret file, the port."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bad_input.cases import SECRETS, SecretFile
from tests.bad_input.commands import run_cli
from tests.bad_input.sites import TIME_SCALE, Sites, untouched
from tests.e2e.agent import Agent

DEFAULT_PORT = 8629
USAGE, FAILED = 2, 5


@pytest.fixture
def configured(sites: Sites, archive: Path, tmp_path: Path) -> Path:
    """The configuration file of an agent that is not running."""
    return Agent(archive, tmp_path / "agent", sites.source.jwt_secret_path, TIME_SCALE).config_path


def change(config: Path, **fields: Any) -> None:
    """Set fields of a configuration file; None takes one out."""
    document = {**json.loads(config.read_text()), **fields}
    config.write_text(json.dumps({name: value for name, value in document.items() if value is not None}))


@pytest.mark.parametrize("secret", [one for one in SECRETS if one.code], ids=lambda secret: secret.name)
@pytest.mark.parametrize("way", ["foreground", "background"])
def test_an_unusable_secret_file(
    sites: Sites, archive: Path, configured: Path, tmp_path: Path, secret: SecretFile, way: str
) -> None:
    path = tmp_path / "source.jwt"
    if secret.content is not None:
        path.write_bytes(secret.content)
    change(configured, source_jwt_secret_path=str(path))
    flags = ["--config", str(configured)]
    if way == "background":
        flags += ["--background", "--pid-file", str(tmp_path / "agent.pid"), "--log-file", str(tmp_path / "log")]
    with untouched(*sites.all):
        done = run_cli(archive, "serve", *flags)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.startswith(f"source_jwt_secret_path: the file '{path}' ")
    assert secret.says in done.stderr
    assert f"({secret.code}). Remedy: " in done.stderr
    assert secret.remedy in done.stderr
    assert os.listdir(configured.parent / "state") == []


@pytest.fixture
def address() -> Iterator[str]:
    """A loopback address whose port 8629 is in use: one of this process's own, so that nobody is in the way."""
    number = os.getpid()
    host = f"127.86.{number // 250 % 250}.{number % 250 + 1}"
    with socket.socket() as listener:
        listener.bind((host, DEFAULT_PORT))
        listener.listen()
        yield host


@pytest.mark.parametrize("way", ["foreground", "background"])
def test_port_8629_is_in_use(
    sites: Sites, archive: Path, configured: Path, tmp_path: Path, address: str, way: str
) -> None:
    change(configured, listen_host=address, port=None)
    flags = ["--config", str(configured)]
    if way == "background":
        flags += ["--background", "--pid-file", str(tmp_path / "agent.pid"), "--log-file", str(tmp_path / "log")]
    with untouched(*sites.all):
        done = run_cli(archive, "serve", *flags)
    assert (done.returncode, done.stdout) == (FAILED, "")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"port 8629: the agent cannot listen on {address}:8629: Address already in use (")
    assert "(CUT-AGENT-3). " in last
    assert "Remedy: Find out what uses the port" in last
    assert "choose another port or listen_host" in last


def test_the_port_can_be_chosen_by_a_flag(
    archive: Path, configured: Path, address: str, tmp_path: Path
) -> None:
    """What the remedy advises works; the agent in the background is ended as the role does it."""
    change(configured, listen_host=address, port=None)
    pid_file = ["--pid-file", str(tmp_path / "agent.pid")]
    begin = ["--config", str(configured), "--background", *pid_file, "--log-file", str(tmp_path / "log")]
    done = run_cli(archive, "serve", *begin, "--agent.master-port", "0")
    try:
        assert (done.returncode, done.stdout) == (0, "started\n"), done.stderr
    finally:
        ended = run_cli(archive, "serve", "--shutdown", *pid_file)
    assert ended.stdout == "ended\n"
