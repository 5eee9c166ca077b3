# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An agent that is stopped in the middle of a request: others go on, and nothing of it survives when it wakes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.agent import Agent, Refused
from tests.e2e.migration import TIME_SCALE, Migration, in_sync

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

APPLYING = r"^/_db/shop/_api/document/(orders|counters|ledger|events|seats)"
CANCELLING = r"/_api/transaction/write"


def until(what: str, condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something; AssertionError with its name."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def writable(migration: Migration) -> bool:
    """Whether users can write on the source."""
    parts = migration.clusters.connect("source").database("stock").collection("parts")
    try:
        parts.update({"_key": "p2", "touched": time.time()})
    except Exception:  # noqa: BLE001 - whatever says no
        return False
    return True


@contextmanager
def guarded(agent: Agent) -> Iterator[subprocess.Popen[bytes]]:
    """A guard runs beside the agent."""
    process = agent.guard()
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@contextmanager
def migrating(home: Path, archive: Path, name: str) -> Iterator[Migration]:
    """Everything is in sync, and the gate would let a cutover pass."""
    with Migration(home, archive, name) as migration:
        migration.fill()
        migration.agent.start()
        migration.agent.call("POST", "/v1/migration", migration.request())
        migration.wait_in_sync()
        migration.agent.wait("ready", lambda status: bool(status["cutover"]["ready"]), 60)
        yield migration


def started(agent: Agent, migration: Migration) -> bool:
    """Whether it takes over; a renewal that the frozen agent had sent may still make its lease look alive."""
    try:
        agent.call("POST", "/v1/migration", migration.request())
    except Refused as error:
        if error.error["code"] != "CUT-STATE-4":
            raise
        return False
    return True


def freeze_fenced(migration: Migration, max_downtime: float) -> None:
    """Begin a cutover, and stop the agent while it cancels writers on the fenced source."""
    held = migration.clusters.source.control.fault("delay", path_regex=CANCELLING, count=0, seconds=3)["id"]
    migration.agent.call("POST", "/v1/migration/stop", {"wait_timeout": 60, "max_downtime": max_downtime})
    migration.await_fault("source", held, seconds=60)
    migration.agent.freeze()
    migration.clusters.source.control.clear()
    assert (migration.agent.state_directory / "fence.json").exists()
    assert not writable(migration)


def test_i6_the_guard_gives_the_source_back_and_the_agent_obeys_when_it_wakes(tmp_path: Path, archive: Path) -> None:
    """The record is won by the guard; nothing of the stopped attempt opens the target later."""
    with migrating(tmp_path, archive, "guarded") as migration, guarded(migration.agent):
        freeze_fenced(migration, 5.0)
        until("a source that takes writes", lambda: writable(migration), 90)
        migration.agent.thaw()
        status = migration.agent.wait(
            "the way back", lambda status: in_sync(status) and bool(status["cutover"]["last_attempt"]), 90
        )
        assert status["cutover"]["last_attempt"]["result"] == "rolled-back"
        assert writable(migration)
        assert not (migration.agent.state_directory / "fence.json").exists()
        migration.cut_over()
        assert migration.differences() == []


def test_i6_without_a_target_the_guard_ends_the_agent_and_gives_the_source_back(tmp_path: Path, archive: Path) -> None:
    """No opening was tried from this host: nobody can have opened the target."""
    with migrating(tmp_path, archive, "no-target") as migration, guarded(migration.agent):
        freeze_fenced(migration, 5.0)
        os.kill(migration.clusters.target.pid, signal.SIGKILL)
        assert migration.agent.wait_ended(90) == -signal.SIGKILL
        until("a source that takes writes", lambda: writable(migration), 60)


def test_i7_without_a_target_an_opening_that_was_tried_keeps_the_fence(tmp_path: Path, archive: Path) -> None:
    """The guard alarms: log, file, exit code."""
    with migrating(tmp_path, archive, "tried") as migration:
        guard = migration.agent.guard()
        try:
            freeze_fenced(migration, 5.0)
            (migration.agent.state_directory / "opening-attempted.json").write_text("{}")
            os.kill(migration.clusters.target.pid, signal.SIGKILL)
            alarm = migration.agent.state_directory / "guard-alarm.json"
            until("the alarm", alarm.exists, 90)
            assert json.loads(alarm.read_text())["code"] == "CUT-GUARD-2"
            assert not writable(migration)
        finally:
            guard.send_signal(signal.SIGTERM)
            code = guard.wait(20)
            migration.agent.thaw()
        assert code == 5
        assert "ALARM" in migration.agent.config_path.with_name("guard.log").read_text()


def test_i6_a_rescue_from_elsewhere_gives_the_source_back(tmp_path: Path, archive: Path) -> None:
    """The agent's host is lost in the middle of a cutover; its ticket and the target's credentials are enough."""
    with migrating(tmp_path, archive, "rescued") as migration:
        ticket = tmp_path / "ticket.json"
        ticket.write_text(json.dumps(migration.agent.call("POST", "/v1/migration/rescue-ticket", {})))
        freeze_fenced(migration, 100.0)
        source, target = migration.clusters.source, migration.clusters.target
        endpoints = [part for url in target.coordinators for part in ("--target.endpoint", url)]
        done = migration.agent.run(
            "rescue", "--rescue-file", str(ticket), "--source.cacert", str(source.ca_path), *endpoints,
            "--target.cacert", str(target.ca_path), "--target.password", "env:TARGET", TARGET=target.root_password,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"changed": True, "decision": "none", "mode": "default"}
        assert writable(migration)
        migration.agent.thaw()
        migration.agent.wait("the way back", lambda status: bool(status["cutover"]["last_attempt"]), 90)
        assert writable(migration)


def test_i7_a_frozen_agent_is_taken_over_and_nothing_of_it_survives(tmp_path: Path, archive: Path) -> None:
    """Stopped past its lease with requests under way, which the target carries out when another agent works already."""
    with migrating(tmp_path, archive, "frozen") as migration:
        first = migration.agent
        second = Agent(archive, tmp_path / "second", migration.clusters.source.jwt_secret_path, TIME_SCALE)
        workload = migration.begin_writing(speed=0.5)
        control = migration.clusters.target.control
        held = control.fault("delay", path_regex=APPLYING, count=3, seconds=8)["id"]
        migration.await_fault("target", held, acted=2)
        first.freeze()
        try:
            second.start()
            until("a take-over", lambda: started(second, migration), 90)
            status = second.wait("the take-over", in_sync, 90)
            assert status["totals"]["restarts"] == 1
            migration.agent = second
            migration.cut_over(180)
            first.thaw()
            failed = first.wait("the first one stops", lambda status: status["state"] == "failed", 60)
            assert failed["reason"]["code"] in ("CUT-LEASE-2", "CUT-STATE-4", "CUT-STATE-7")
            with pytest.raises(Refused):
                first.call("POST", "/v1/migration/stop", {})
            assert workload.figures()["writes"]["target"] > 0, "nobody writes to the opened target"
            assert migration.differences() == []
        finally:
            first.thaw()
            first.stop()
            migration.agent = first
            second.stop()
