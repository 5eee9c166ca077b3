# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that a run is made of: clusters, users' workload, agents, and who tries the target all the time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.demo.clusters import Clusters
from tests.e2e.agent import Agent, Refused, Status
from tests.e2e.dataset import ADMINISTRATOR, USERS, WRITER, stock, tables
from tests.soak.draw import Scenario
from tests.soak.kinds import OFF_VERBS
from tests.soak.log import say
from tests.soak.prober import Prober
from tests.testbed.launch import Control
from tests.testbed.options import parse_version
from tests.workload.architect import VERBS
from tests.workload.process import Workload, WorkloadConfig
from tests.workload.record import Place
from tests.workload.shop import SHOP

__all__ = ["TIME_SCALE", "World"]

TIME_SCALE = 0.2  # one factor for all waits of agent and emulator
PATIENCE = 150.0  # seconds: the machine may be busy with other things
MOST_CHANGES = 120  # of definitions: three times what a run on an idle machine makes
BIG = 150
SHARED_MEGABYTES = 0.05  # a second: slow enough that agents that join find work


class World:
    """A context manager; `forgetful`: collections of which the source itself lost acknowledged writes.

    `forgot_fenced`: those of them that lost theirs while a cutover kept everybody from writing.
    """

    def __init__(self, home: Path, archive: Path, scenario: Scenario) -> None:
        self.scenario = scenario
        options = {
            "time_scale": TIME_SCALE, "readings": scenario.variants.option(), "license": scenario.edition,
            "truncate_threshold": scenario.options["truncate_threshold"],
            "intermediate_commit_count": scenario.options["intermediate_commit_count"],
        }
        self.clusters = Clusters(
            home, versions=scenario.variants.versions, options=options, shapes=scenario.shapes,
            target_options={"checksum_seed": scenario.options["checksum_seed"]}, flavour=scenario.flavour,
        )
        self._home, self._archive = home, archive
        self.agents: list[Agent] = []
        self.joined: list[Agent] = []
        self.workload: Workload | None = None
        self.prober: Prober | None = None
        self.forgetful: set[Place] = set()
        self.forgot_fenced: set[Place] = set()
        self.meanwhile: Callable[[], None] = lambda: None
        self.peak_rss = 0
        self.idle_threads = 0

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_writing()
        for agent in (*self.agents, *self.joined):
            agent.stop()
        self.clusters.stop()

    @property
    def agent(self) -> Agent:
        """The agent that works now."""
        return self.agents[-1]

    def prepare(self) -> None:
        """Data, users, an agent that does nothing yet, and everybody at work."""
        draw = random.Random(f"data {self.scenario.seed}")
        users = (*USERS, ADMINISTRATOR)
        self.clusters.fill((stock(draw), SHOP), users, tables(draw, BIG))
        self._new_agent()
        self.idle_threads = threads(self.agent.pid or 0)
        self.workload = Workload(self._workload_config())
        self.workload.start()
        self.prober = Prober(self.clusters, self.workload.record, WRITER)
        self.prober.start()

    def _workload_config(self) -> WorkloadConfig:
        scenario, clusters = self.scenario, self.clusters
        verbs = [verb for verb in VERBS if verb not in OFF_VERBS and scenario.definitions]
        administrator = None
        if scenario.users or scenario.definitions:
            administrator = clusters.endpoint("source", ADMINISTRATOR.name, ADMINISTRATOR.password)
        return WorkloadConfig(
            source=clusters.endpoint("source", WRITER.name, WRITER.password),
            target=clusters.endpoint("target", WRITER.name, WRITER.password),
            watch=clusters.endpoint("target"), seed=str(scenario.seed), speed=scenario.speed, heap_size=700,
            administrator=administrator, clerk=scenario.users, verbs=tuple(verbs),
            most_changes=MOST_CHANGES,
            source_version=parse_version(scenario.variants.versions[0])[:2],
        )

    def _new_agent(self) -> None:
        self.agents.append(self._started_agent(f"agent{len(self.agents) + 1}"))

    def _started_agent(self, name: str) -> Agent:
        agent = Agent(self._archive, self._home / name, self.clusters.source.jwt_secret_path, TIME_SCALE)
        agent.timeout = 15.0
        agent.start()
        return agent

    def request(self) -> dict[str, Any]:
        """The start request."""
        source, target, layout = self.clusters.source, self.clusters.target, self.scenario.layout
        return {
            "source_endpoints": source.coordinators, "source_ca_path": str(source.ca_path),
            "target_endpoints": target.coordinators, "target_ca_path": str(target.ca_path),
            "target_password": target.root_password, "settle_after": 15, "max_downtime": 60, "max_lag": 20,
            "late_write_watch": 3, "ignore_metrics": True, "early_readers": self.scenario.early_readers,
            "number_of_shards": dict(layout), "rev_policy": dict.fromkeys(layout, "regenerate"),
            "compress": self.scenario.compress,
            **({"mb_per_second": SHARED_MEGABYTES} if self.scenario.agents > 1 else {}),
        }

    def start_migration(self) -> None:
        """Give the start request until it is taken; then others join."""
        self._start(self.agent, join=self.scenario.agents > 1)
        for number in range(1, self.scenario.agents):
            self.joined.append(self._started_agent(f"joined{number}"))
            self._start(self.joined[-1], join=True)

    def _start(self, agent: Agent, *, join: bool) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                agent.call("POST", "/v1/migration", {**self.request(), **({"join": True} if join else {})})
                return
            except (Refused, OSError) as error:
                if not may_be_taken_later(error) or time.monotonic() > deadline:
                    raise
                say(f"start refused for now: {str(error)[:300]}")
            self.meanwhile()
            time.sleep(0.5)

    def another_agent(self) -> bool:
        """A host with an empty disk goes on with this migration; False when it was completed: the first is asked on."""
        self._new_agent()
        try:
            self._start(self.agent, join=False)
        except Refused as refused:
            if not is_completed(refused):
                raise
            say(f"nothing to take over: {refused}")
            self.agents.insert(0, self.agents.pop())
            return False
        return True

    def status(self) -> Status | None:
        """The status document; None when the agent does not answer."""
        agent = self.agent
        try:
            status = agent.status()
        except (OSError, Refused, ValueError):
            return None
        self.peak_rss = max(self.peak_rss, peak(agent.pid or 0))
        return status

    def wait(self, what: str, condition: Callable[[Status], bool], seconds: float = PATIENCE) -> Status:
        """Wait until the status document satisfies a condition; AssertionError with all that is known otherwise."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            if status is not None and condition(status):
                return status
            if self.agent.fell is not None:
                raise AssertionError(f"the agent ended by itself ({self.agent.fell}), before {what}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:.0f} s: {what}: {self.not_in_sync()} {brief(status)}")
            if status is not None and status["state"] == "failed":
                raise AssertionError(f"failed instead of {what}: {brief(status)}")
            time.sleep(0.1)

    def not_in_sync(self) -> str:
        """Shards of which something is still to be done."""
        try:
            return str([shard for shard in self.agent.shards() if shard["state"] != "in-sync"])[:2000]
        except (OSError, Refused, ValueError):
            return "the agent does not tell its shards"

    def control(self, side: str) -> Control:
        """Where faults of a side are ordered."""
        return self.clusters.cluster(side).control

    def server(self, side: str, role: str, number: int) -> str:
        """The id of one of the servers of a role, `any` of them."""
        servers = self.control(side).get("/state/overview")["servers"]
        wanted: list[str] = sorted(name for name, one in servers.items() if role in (one["role"], "any"))
        return wanted[number % len(wanted)]

    def _shards(self) -> list[tuple[str, str, str, list[str]]]:
        """Database, collection, shard and servers of everything that users have on the source."""
        databases = self.control("source").get("/state/overview")["databases"]
        return [
            (database, name, shard, servers)
            for database, collections in sorted(databases.items())
            for name, one in sorted(collections.items())
            for shard, servers in sorted(one["shards"].items())
            if not name.startswith("_")
        ]

    def shard(self, number: int, *, replicated: bool = False) -> tuple[str, str]:
        """Database and name of one of the shards."""
        found = [one for one in self._shards() if len(one[3]) > 1 or not replicated]
        database, _collection, shard, _servers = found[number % len(found)]
        return database, shard

    def movable(self, number: int) -> tuple[str, str, str]:
        """Database and name of a shard, and a DB-Server that has no copy of it."""
        servers = self.control("source").get("/state/overview")["servers"]
        names = {name for name, one in servers.items() if one["role"] == "dbserver" and one["running"]}
        found = [(one, sorted(names - set(one[3]))) for one in self._shards() if names - set(one[3])]
        (database, _collection, shard, _servers), free = found[number % len(found)]
        return database, shard, free[0]

    def source_forgets(self, database: str, shard: str) -> None:
        """The source is about to lose acknowledged writes of a shard by itself."""
        self.forgetful |= self._places(database, shard)

    def source_forgot(self, database: str, shard: str) -> None:
        """It has lost them just now."""
        servers = self.control("source").get("/state/overview")["servers"]
        if any(one["readonly"] for one in servers.values()):
            self.forgot_fenced |= self._places(database, shard)

    def _places(self, database: str, shard: str) -> set[Place]:
        return {(one[0], one[1]) for one in self._shards() if (one[0], one[2]) == (database, shard)}

    def stop_writing(self) -> None:
        """Nobody writes any more."""
        if self.prober is not None:
            self.prober.stop()
        if self.workload is not None:
            self.workload.stop()


def may_be_taken_later(error: Refused | OSError) -> bool:
    """Whether an operator would give the start again: what a check has found may be a fault that ends."""
    if isinstance(error, OSError):
        return True
    passes = error.error.get("retriable") or error.status in (409, 503) or error.error.get("code") == "CUT-PRECHECK-2"
    return bool(passes) and not is_completed(error)


def is_completed(error: Refused | OSError) -> bool:
    """Whether a start was refused because the migration was completed before it came."""
    return isinstance(error, Refused) and error.error.get("code") == "CUT-STATE-3"


def brief(status: Status | None) -> str:
    """The parts of a status document that tell what is wrong."""
    if status is None:
        return "the agent does not answer"
    names = ("state", "shards", "waiting", "reason", "problems", "cutover", "verification", "replication", "totals")
    return str({name: status.get(name) for name in names})[:3000]


def process_number(pid: int, name: str) -> int:
    """A number of /proc/PID/status; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def peak(pid: int) -> int:
    """The largest memory (bytes) that a process ever had."""
    return process_number(pid, "VmHWM") * 1024


def threads(pid: int) -> int:
    """How many threads a process has."""
    return process_number(pid, "Threads")
