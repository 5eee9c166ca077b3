# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command line where no agent was deployed: the mode set directly, and an agent of its own in the background."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pair import PASSWORD, Pair, wait_for
from tests.tools.outside import outside
from tests.tools.ports import free_port
from tests.unit.agent_fakes import make_certificates

Done = subprocess.CompletedProcess[str]


def _run(archive: Path, *arguments: str) -> Done:
    return subprocess.run(
        [sys.executable, str(archive), *arguments], capture_output=True, text=True, timeout=110, check=False,
        env={**outside(), "TARGET_PASSWORD": PASSWORD},
    )  # fmt: skip


def _source(pair: Pair) -> list[str]:
    return [
        "--source.endpoint", pair.source.coordinators[0], "--source.cacert", str(pair.source.ca_path),
        "--source.jwtSecret", str(pair.source.jwt_secret_path), "--source.keyfile", "client.keyfile",
    ]  # fmt: skip


def test_the_mode_is_set_without_an_agent(pair: Pair, archive: Path) -> None:
    for mode, changed in (("readonly", True), ("readonly", False), ("default", True)):
        done = _run(archive, "set-server-mode", *_source(pair), f"--source.server-mode={mode}", "--output", "json")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert (answer["mode"], answer["changed"]) == (mode, changed)
        assert set(answer["servers"].values()) == {mode}


@pytest.fixture
def own_agent(archive: Path, tmp_path: Path) -> Iterator[list[str]]:
    """Flags of an agent that `start` is to run; it is ended afterwards."""
    certificates = make_certificates(tmp_path)
    yield ["--agent.master-port", str(free_port()), "--agent.cacert", str(certificates.ca),
           "--agent.keyfile", str(certificates.server_keyfile), "--agent.state-directory", str(tmp_path / "own"),
           "--agent.client-auth-cacert", str(certificates.ca),
           "--agent.client-auth-keyfile", str(certificates.client_keyfile)]  # fmt: skip
    _run(archive, "serve", "--shutdown", "--pid-file", str(tmp_path / "own" / "agent.pid"))


def test_start_runs_the_agent_and_the_same_again_finds_it(
    pair: Pair, archive: Path, own_agent: list[str], tmp_path: Path
) -> None:
    body = {"name": "things", "numberOfShards": 2, "replicationFactor": 2}
    pair.clients.coordinators.json("POST", "/_api/collection", database="_system", body=body)
    pair.insert("things", [{"_key": f"k{number}"} for number in range(50)])
    target = [
        "--target.endpoint", pair.target.coordinators[0], "--target.cacert", str(pair.target.ca_path),
        "--target.password", "env:TARGET_PASSWORD", "--source.ignore-metrics",
    ]  # fmt: skip
    command = ["start", *own_agent, *_source(pair), *target]
    checked = _run(archive, *command, "--check-only")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    done = _run(archive, *command, "--watch")
    assert done.returncode == 0, done.stderr
    assert "in sync" in done.stdout
    pid = _pid(tmp_path)
    assert _run(archive, *command).returncode == 0
    assert _pid(tmp_path) == pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{pid}").exists())
    again = _run(archive, *command, "--watch")
    assert again.returncode == 0, again.stderr
    assert _pid(tmp_path) != pid
    assert (tmp_path / "own" / "agent.json").stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in (tmp_path / "own" / "agent.json").read_text()
    client = [*own_agent[:4], *own_agent[-2:]]
    assert _run(archive, "stop", "--abort", *client).returncode == 0


def _pid(directory: Path) -> int:
    return int(json.loads((directory / "own" / "agent.pid").read_text())["pid"])
