# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's host is lost in the middle of a cutover: the playbook rescue gives the source back, by the record."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.engine_case import source_root
from tests.integration.pair import Pair
from tests.roles.conftest import Host, Play

# Starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)

# Of the requests that a fence makes before it waits for running writers to end.
CANCELLING = r"/_api/transaction/write"
DECISION = "/_api/document/_cutover/decision"


def until(what: str, condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for something; AssertionError with its name."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def modes(pair: Pair) -> set[str]:
    """What the source's coordinators say of themselves."""
    answers = pair.clients.coordinators.servers
    return {str(server.json("GET", "/_admin/server/mode")["mode"]) for server in answers}


def decision(pair: Pair) -> str:
    """The state of the record on the target."""
    return str(pair.clients.target.json("GET", DECISION)["state"])


def decide(pair: Pair, state: str) -> None:
    """Write the record as its owner would."""
    pair.clients.target.json("PATCH", DECISION, body={"state": state})


@contextmanager
def guarded(host: Host) -> Iterator[None]:
    """A guard beside the agent, which is killed in the end."""
    archive, config = (host.install_path(name) for name in ("install/cutover-agent.pyz", "config/agent.json"))
    command = [sys.executable, str(archive), "guard", "--config", str(config)]
    with (host.directory / "guard.log").open("ab") as log:
        guard = subprocess.Popen(command, stderr=log, stdout=log)
    try:
        yield
    finally:
        guard.kill()
        guard.wait(20)


def lose_the_host(host: Host, clusters: Pair, rescue_file: Path) -> Play:
    """A cutover by playbook, whose agent and guard are killed while the source is fenced; what the playbook said."""
    clusters.source.control.fault("delay", path_regex=CANCELLING, count=0, seconds=3)
    options = {"gate_timeout": 60, "max_downtime": 100, "cutover_timeout": 20}
    with ThreadPoolExecutor(1) as pool:
        with guarded(host):
            playing = pool.submit(host.play, "cutover", "-vvv", "--diff", rescue_file=str(rescue_file), **options)
            until("the fence", lambda: modes(clusters) == {"readonly"})
            os.kill(json.loads(host.install_path("run/agent.pid").read_text())["pid"], signal.SIGKILL)
        played = playing.result()
    clusters.source.control.clear()
    return played


def test_i6_a_source_whose_agent_is_lost_is_given_back(real_host: Host, clusters: Pair, tmp_path: Path) -> None:
    """Refused while an opening is decided, told in check mode, done once, and never a token in what is shown."""
    for name in ("deploy_agent", "migrate"):
        played = real_host.play(name)
        assert played.code == 0, played.output
    rescue_file = tmp_path / "rescue.json"
    shown = [lose_the_host(real_host, clusters, rescue_file)]
    assert shown[0].code != 0
    assert stat.S_IMODE(rescue_file.stat().st_mode) == 0o600
    fenced = decision(clusters)
    assert fenced in ("fencing", "fenced")

    def rescue(*options: str) -> Play:
        shown.append(real_host.play("rescue", "-vvv", "--diff", *options, rescue_file=str(rescue_file)))
        return shown[-1]

    for decided in ("opening", "completed"):
        decide(clusters, decided)
        for options in ((), ("--check",)):
            refused = rescue(*options)
            assert refused.code != 0
            assert "CUT-RESCUE-1" in refused.output
        assert (decision(clusters), modes(clusters)) == (decided, {"readonly"})
    decide(clusters, fenced)

    told = rescue("--check")
    assert (told.code, told.changed) == (0, 1), told.output
    assert (decision(clusters), modes(clusters)) == (fenced, {"readonly"})
    done = rescue()
    assert (done.code, done.changed) == (0, 1), done.output
    assert (decision(clusters), modes(clusters)) == ("none", {"default"})
    source_root(clusters).json("POST", "/_api/document/things", database="shop", body={"after": "the rescue"})
    again = rescue()
    assert (again.code, again.changed) == (0, 0), again.output

    token = json.loads(rescue_file.read_text())["token"]
    assert all(token not in played.output and token.split(".")[2] not in played.output for played in shown)
