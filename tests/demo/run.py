# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The demo: a live cluster is moved into another one by playbooks while its users keep writing."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from arango.exceptions import ArangoServerError

from tests.compare.whole import Comparison, compare
from tests.demo.clusters import Clusters
from tests.demo.controller import Controller, Run
from tests.demo.flights import AVIATION, WEATHER, Flights
from tests.demo.report import Figures, table
from tests.demo.users import APPLICATION, READER, USERS
from tests.testbed.certificates import make, private
from tests.tools.ports import free_port
from tests.workload.client import WorkloadProcess
from tests.workload.process import WorkloadConfig
from tests.workload.record import Record
from tests.workload.shop import SHOP

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[2]
MODE_SWITCH = 3.0  # seconds that the emulator takes to become read-only: a slow PUT and the heartbeat
IN_SYNC_FOR = 10.0  # seconds in which the lag is measured
ON_TARGET_FOR = 5.0
LATE_INDEXES_WITHIN = 60.0


class DemoError(Exception):
    """Something did not go as the demo promises."""


class Demo:
    """One run with one flight of ``every``; every step prints what it does."""

    def __init__(self, home: Path, stack: ExitStack, every: int) -> None:
        self._home, self._stack = home, stack
        self._flights = Flights(ROOT / "build" / "data", every)
        self._begun = time.monotonic()
        self._controller = Controller(home)
        self._seconds_to_sync = 0.0
        self._sync_window = (0.0, 0.0)

    def say(self, text: str) -> None:
        """A heading with the time since the start."""
        print(f"\n== {time.monotonic() - self._begun:5.0f} s  {text}", flush=True)

    def play(self, name: str, *, fails: bool = False, **variables: Any) -> Run:
        """Run a playbook that has to succeed, or has to fail."""
        self.say(f"playbook {name}")
        run = self._controller.play(name, **variables)
        if (run.status != 0) != fails:
            raise DemoError(f"playbook {name} ended with {run.status}, which is {'no ' if fails else 'a '}failure")
        return run

    def prepare(self) -> None:
        """Clusters with data, the collection installed, an inventory, a workload that runs."""
        self.say("two clusters of 2 coordinators and 3 DB-Servers each start")
        self._clusters = Clusters(self._home)
        self._stack.callback(self._clusters.stop)
        self.say("flights, airports, planes and weather of New York 2013 are loaded into the source")
        counts = self._clusters.fill((AVIATION, WEATHER, SHOP), USERS, self._flights.tables())
        for (database, collection), count in counts.items():
            print(f"  {database}/{collection}: {count:,} documents")
        self.say("the collection is built and installed")
        print(f"  {self._controller.install().name}")
        self._controller.write_inventory(self._variables())
        self._stack.callback(self._end_agent)
        self.say("users begin to write")
        user, password = APPLICATION.name, APPLICATION.password
        config = WorkloadConfig(
            source=self._clusters.endpoint("source", user, password),
            target=self._clusters.endpoint("target", user, password),
            watch=self._clusters.endpoint("target"),
            record_path=str(self._home / "record"),
        )
        self._workload = WorkloadProcess(config, self._home / "workload.json")
        self._stack.callback(self._workload.kill)
        self._workload.wait_for("300 writes", lambda figures: figures["writes"]["source"] > 300, 60)

    def _variables(self) -> dict[str, Any]:
        """What a user writes into the inventory, and the certificate and token made for it."""
        certificates = self._home / "certificates"
        certificates.mkdir()
        ca_path, keyfile = make(certificates)
        token = secrets.token_urlsafe(32)
        private(self._home / "token", token.encode())
        port = free_port()
        source, target = self._clusters.source, self._clusters.target
        digest = hashlib.sha256(token.encode()).hexdigest()
        return {
            "agent_port": port,
            "agent_tls_keyfile_source": str(keyfile),
            "agent_tls_ca_source": str(ca_path),
            "agent_tokens": [{"name": "operator", "sha256": digest, "role": "cutover"}],
            "agent_token_path": str(self._home / "token"),
            "agent_source_jwt_secret_source": str(source.jwt_secret_path),
            "source_jwt_secret_path": str(source.jwt_secret_path),
            "source_endpoints": source.coordinators,
            "source_ca_path": str(source.ca_path),
            "target_endpoints": target.coordinators,
            "target_ca_path": str(target.ca_path),
            "target_password": target.root_password,
            "early_readers": True,
            "settle_after": 30,
        }

    def _end_agent(self) -> None:
        pid = self._controller.agent_pid()
        if pid is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.kill(pid, number)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and self._controller.agent_pid() == pid:
                time.sleep(0.1)
            if self._controller.agent_pid() != pid:
                return

    def migrate(self) -> None:
        """Until everything is in sync, with collections changing underneath."""
        self.play("precheck")
        self.play("deploy_agent")
        begun = time.monotonic()
        self.play("migrate")
        self._workload.tell("define")
        self._workload.tell("truncate")
        self.play("status")
        self._workload.wait_for("collections changed", lambda figures: figures["defined"], 60)
        self.play("status")
        self._seconds_to_sync = time.monotonic() - begun
        since = time.monotonic()
        self._workload.tell("truncate")
        self.read_early()
        time.sleep(IN_SYNC_FOR)
        self._sync_window = (since, time.monotonic())

    def read_early(self) -> None:
        """A reader's dashboard already works on the target; a write is refused there."""
        self.say(f"{READER.name} reads on the target, and tries to write")
        database = self._clusters.connect("target", READER.name, READER.password).database("aviation")
        count = database.collection("flights").count()
        print(f"  read: {count:,} flights")
        try:
            database.collection("airports").insert({"_key": "ZZZ", "name": "must not be"})
        except ArangoServerError as error:
            print(f"  write refused: {error}")
            return
        raise DemoError("a write on the target was taken before the cutover")

    def cut_over(self) -> None:
        """The cutover, and what is refused or unchanged after it."""
        self.play("status", watch_until="ready")
        # On a machine that is busy with other things what was written takes a while to be read back.
        self.play("cutover", gate_timeout=300)
        self.play("status")
        self._workload.wait_for(
            "every user writes to the target", lambda figures: figures["moved"] == figures["actors"], 60
        )
        time.sleep(ON_TARGET_FOR)
        refusal = self.play("migrate", fails=True)
        if "completed" not in refusal.output:
            raise DemoError("the refusal of a second migration does not say that the first one is completed")
        if self.play("cutover").changed:
            raise DemoError("a second cutover changed something")

    def compare(self) -> int:
        """Stop, compare, print; the exit code."""
        self.say("users stop; both clusters are compared")
        peak = self._peak_rss()
        final = self._workload.stop()
        self.await_late_indexes()
        clusters = self._clusters
        sides = clusters.side("source"), clusters.side("target")
        result = compare(*sides, Record.load(self._home / "record"), clusters.logins(USERS))
        problems = [*map(str, result.differences), *(f"workload: {text}" for text in final["errors"])]
        if final["first"].get("target", 0.0) < final["last"]["source"]:
            problems.append("workload: the source acknowledged a write after the target had")
        for problem in problems[:50]:
            print(f"  {problem}")
        figures = self._figures(final, result, len(problems), peak)
        print(table(figures))
        (ROOT / "build" / "demo.json").write_text(json.dumps(figures.as_dict(), indent=2), encoding="utf-8")
        print(f"{len(problems)} differences")
        return 1 if problems else 0

    def await_late_indexes(self) -> None:
        """The TTL index is built after the opening; the status tells when."""
        deadline = time.monotonic() + LATE_INDEXES_WITHIN
        while True:
            pending = re.search(r'late indexes .*"pending\\*": (\d+)', self.play("status").output)
            if pending is None or pending.group(1) == "0":
                return
            if time.monotonic() > deadline:
                raise DemoError(f"late indexes are not built within {LATE_INDEXES_WITHIN:.0f} s")
            time.sleep(1)

    def _peak_rss(self) -> int | None:
        pid = self._controller.agent_pid()
        if pid is None:
            raise DemoError("the agent does not run any more")
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return None

    def _figures(self, final: dict[str, Any], result: Comparison, differences: int, peak: int | None) -> Figures:
        since, until = self._sync_window
        lags = [lag for at, lag in final["lags"] if since <= at <= until]
        spans = [final["last"][side] - final["first"][side] for side in ("source", "target") if side in final["first"]]
        return Figures(
            documents=result.documents, bytes=result.bytes, seconds_to_sync=self._seconds_to_sync,
            seconds_in_all=time.monotonic() - self._begun,
            writes_on_source=final["writes"]["source"], writes_on_target=final["writes"]["target"],
            writes_per_second=final["steady"] / max(sum(spans), 1e-9),  # without the refills of the truncated heap
            lag_median=statistics.median(lags) if lags else None, lag_max=max(lags, default=None),
            write_downtime=final["downtime"], downtime_bound=MODE_SWITCH + 5.0, agent_peak_rss=peak,
            unknown_outcomes=final["unknown"], differences=differences,
        )


def terminate(number: int, frame: FrameType | None) -> None:
    """A termination unwinds like Ctrl-C, so that everything is cleaned up."""
    raise KeyboardInterrupt


def show_log(home: Path) -> None:
    """The end of the agent's log, for whoever has to find out what went wrong."""
    for log in sorted((home / "agent" / "log").glob("*")):
        print(f"-- {log.name}")
        print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]))


def main() -> int:
    """Run the demo; 0 only without any difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description="A live cluster is moved by playbooks.")
    parser.add_argument("--every", type=int, default=1, help="load one of so many flights (1)")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):  # SIGINT, too: a shell starts background jobs with it ignored
        signal.signal(number, terminate)
    home = ROOT / "build" / "demo"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    status = 1
    try:
        with ExitStack() as stack:
            demo = Demo(home, stack, options.every)
            try:
                demo.prepare()
                demo.migrate()
                demo.cut_over()
                status = demo.compare()
            except (DemoError, TimeoutError, RuntimeError) as error:
                print(f"\nthe demo failed: {error}")
                show_log(home)
    except KeyboardInterrupt:
        print("\ninterrupted; everything is stopped")
        status = 130
    finally:
        if not os.environ.get("DEMO_KEEP"):
            shutil.rmtree(home, ignore_errors=True)
    return status
