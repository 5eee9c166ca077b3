# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Background agents: started once, restarted when something has changed, ended on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.config import AgentConfig
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.daemon import fingerprint, shut_down
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError

PROGRAM = """
import signal, sys
from pathlib import Path
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.daemon import ensure_running
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError

def agent(on_ready):
    if sys.argv[3] == "broken":
        raise CutoverError("CUT-AGENT-3", "listening: Address already in use")
    if sys.argv[3] == "bug":
        raise ValueError("a bug")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    on_ready()
    signal.sigwait([signal.SIGTERM])

try:
    print(ensure_running(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], agent))
except CutoverError as error:
    print(error.code, error.message)
"""


@pytest.fixture
def pid_file(tmp_path: Path) -> Iterator[Path]:
    """Where the pid is; whatever still runs is ended afterwards."""
    path = tmp_path / "agent.pid"
    yield path
    shut_down(path)


def start(pid_file: Path, wanted: str) -> str:
    """What a start prints; it must come back although the agent goes on."""
    arguments = [sys.executable, "-c", PROGRAM, str(pid_file), str(pid_file.with_name("log")), wanted]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def pid_of(pid_file: Path) -> int:
    return int(json.loads(pid_file.read_text())["pid"])


def test_started_running_restarted_ended(pid_file: Path) -> None:
    assert start(pid_file, "one") == "started"
    first = pid_of(pid_file)
    os.kill(first, 0)
    assert start(pid_file, "one") == "running"
    assert pid_of(pid_file) == first
    assert start(pid_file, "two") == "restarted"
    assert pid_of(pid_file) != first
    assert shut_down(pid_file) is True
    assert shut_down(pid_file) is False
    assert start(pid_file, "two") == "started"


def test_a_killed_agent_leaves_no_lock(pid_file: Path) -> None:
    start(pid_file, "one")
    os.kill(pid_of(pid_file), 9)
    shut_down(pid_file)
    assert start(pid_file, "one") == "started"


def test_the_reason_of_a_failed_start_reaches_the_starter(pid_file: Path) -> None:
    assert start(pid_file, "broken") == "CUT-AGENT-3 listening: Address already in use"
    assert start(pid_file, "bug").startswith("CUT-AGENT-7 the agent was not ready")
    assert "a bug" in pid_file.with_name("log").read_text()


def test_nothing_to_shut_down(tmp_path: Path) -> None:
    assert shut_down(tmp_path / "none") is False


def test_fingerprint_follows_everything_that_a_restart_reads(tmp_path: Path) -> None:
    names = ("archive", "config", "keyfile", "ca")
    paths = {name: tmp_path / name for name in names}
    for path in paths.values():
        path.write_text("1")
    config = AgentConfig(
        tls_keyfile=paths["keyfile"], client_ca=paths["ca"], state_directory=tmp_path, source_jwt_secret_path=tmp_path
    )
    seen = {fingerprint(paths["archive"], paths["config"], config)}
    for path in paths.values():
        path.write_text("2")
        seen.add(fingerprint(paths["archive"], paths["config"], config))
    assert len(seen) == 1 + len(names)


def test_a_pid_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "directory"
    blocked.mkdir()
    with pytest.raises(CutoverError, match="directory"):
        shut_down(blocked)
