# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What migration_watch shows on a terminal and elsewhere, through a restart of the agent, and what async does to it."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.agent import Agent
from tests.roles.conftest import TOOLS, Host
from tests.tools.outside import outside

pytestmark = pytest.mark.timeout(600)
WATCH = "cutover.arangodb.migration_watch"


def until(what: str, condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for something; AssertionError with its name."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)


def on_a_terminal(host: Host, name: str, **environment: str) -> str:
    """What a playbook writes to a terminal; the inventory is that of the last play."""
    mine, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        while True:
            try:
                block = os.read(mine, 65536)
            except OSError:  # the other side is closed
                return
            shown.extend(block)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    own = {"ANSIBLE_COLLECTIONS_PATH": str(host.collections), "ANSIBLE_HOME": str(host.directory / "ansible")}
    command = [str(TOOLS / "ansible-playbook"), "-i", str(host.directory / "inventory.yml"), f"cutover.arangodb.{name}"]
    try:
        done = subprocess.run(
            command, env={**outside(), **own, **environment}, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
            timeout=240, check=False,
        )  # fmt: skip
    finally:
        os.close(theirs)
        reader.join()
        os.close(mine)
    assert done.returncode == 0, shown.decode()
    return shown.decode()


@pytest.mark.usefixtures("agent")
def test_a_bar_on_a_terminal_and_plain_lines_elsewhere(host: Host) -> None:
    assert host.play("migrate").code == 0
    drawn = on_a_terminal(host, "status")
    assert "\r\x1b[2K[############............] running | copied 50.0 %" in drawn
    assert "\r\x1b[2K[localhost] running | copied 50.0 %" in drawn, "the last line stays behind"
    for output in (on_a_terminal(host, "status", AWX_ISOLATED_DATA_DIR="/runner"), host.play("status").output):
        assert "[localhost] running | copied 50.0 %" in output
        assert "\x1b[2K" not in output
        assert "[####" not in output


def test_refused_in_the_background_and_without_an_agent(host: Host) -> None:
    options = {"agent_token": "{{ agent_token }}", "agent_ca_path": "/etc/ssl/certs/ca-certificates.crt"}
    task = {WATCH: {**options, "timeout": 86400}}
    background, absent = host.run_tasks([{**task, "async": 60, "poll": 0}, task])
    assert "it cannot run in the background" in background["msg"]
    assert absent["failed"]
    assert absent["failure"]["code"] == "CUT-AGENT-32"


@pytest.mark.usefixtures("agent")
def test_migrate_returns_at_once_where_nobody_watches(host: Host) -> None:
    started = host.play("migrate", migration_watch="false")
    assert (started.code, started.changed) == (0, 1), started.output
    assert "[localhost] running |" not in started.output
    assert "state            running" in started.output


def test_a_restart_of_the_agent_is_waited_out(
    real_host: Host, real_agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "ansible.log"
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))
    started = real_host.play("migrate")
    assert started.code == 0, started.output
    assert "| in sync" in started.output
    log.unlink()

    def seen(text: str) -> Callable[[], bool]:
        return lambda: log.exists() and text in log.read_text()

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(real_host.play, "watch", watch_until="aborted", watch_interval=0.2, watch_timeout=300)
        until("a line", seen("] running |"))
        real_agent.kill()
        until("a line that says so", seen("no answer from the agent"))
        real_agent.start()
        aborted = real_host.play("abort")
        assert aborted.code == 0, aborted.output
        watched = watching.result()
    assert watched.code == 0, watched.output
    assert "state            aborted" in watched.output
