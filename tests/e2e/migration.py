# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One small migration: clusters, data, users' workload and the agent's process."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.compare.whole import compare
from tests.demo.clusters import Clusters
from tests.e2e.agent import Agent
from tests.e2e.dataset import USERS, WRITER, stock, tables
from tests.e2e.variants import planned
from tests.workload.process import Workload, WorkloadConfig
from tests.workload.shop import SHOP

__all__ = ["Migration"]

TIME_SCALE = 0.2  # all waits of agent and emulator are five times shorter than in life
BETWEEN_LOOKS = 0.02


def in_sync(status: Mapping[str, Any]) -> bool:
    """Whether the status document says that every shard is in sync."""
    shards = status["shards"]
    return bool(status["state"] == "running" and 0 < shards["total"] == shards["in_sync"])


def _finished(status: Mapping[str, Any]) -> bool:
    return bool(status["state"] == "completed" and status["late_indexes"]["pending"] == 0)


class Migration:
    """A context manager; ``draw`` decides whatever the scenario leaves open."""

    def __init__(self, home: Path, archive: Path, seed: str) -> None:
        self.draw = random.Random(seed)
        self.variants = variants = planned(int(seed) if seed.isdigit() else 0)
        options = {
            "time_scale": TIME_SCALE, "truncate_threshold": 600, "license": "community", "readings": variants.option(),
        }
        # Where the two versions hash documents differently, bodies have to be compared instead of checksums.
        target_options = {"checksum_seed": self.draw.choice([0, 0, 7])}
        print(f"seed {seed}: {variants}, {variants.option()}, {target_options}")
        self.clusters = Clusters(home, versions=variants.versions, options=options, target_options=target_options)
        self.agent = Agent(archive, home / "agent", self.clusters.source.jwt_secret_path, TIME_SCALE)
        self._seed = seed
        self.workload: Workload | None = None

    def __enter__(self) -> Migration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.workload is not None:
            self.workload.stop()
        self.agent.stop()
        self.clusters.stop()

    def fill(self) -> None:
        """Data and users on the source."""
        self.clusters.fill((stock(self.draw), SHOP), USERS, tables(self.draw))

    def begin_writing(self, speed: float) -> Workload:
        """Start the workload in threads of this process."""
        config = WorkloadConfig(
            source=self.clusters.endpoint("source", WRITER.name, WRITER.password),
            target=self.clusters.endpoint("target", WRITER.name, WRITER.password),
            watch=self.clusters.endpoint("target"), seed=self._seed, speed=speed, heap_size=700,
        )
        self.workload = Workload(config)
        self.workload.start()
        return self.workload

    def request(self, **fields: Any) -> dict[str, Any]:
        """The start request."""
        source, target = self.clusters.source, self.clusters.target
        return {
            "source_endpoints": source.coordinators, "source_ca_path": str(source.ca_path),
            "target_endpoints": target.coordinators, "target_ca_path": str(target.ca_path),
            "target_password": target.root_password, "settle_after": 20, "ignore_metrics": self.variants.blocked,
            **fields,
        }

    def wait_in_sync(self, seconds: float = 90) -> None:
        """Until every shard is in sync."""
        self.agent.wait("every shard in sync", in_sync, seconds)

    def cut_over(self, seconds: float = 120) -> None:
        """Wait until ready, stop, wait until completed with every late index built."""
        self.agent.wait("ready for the cutover", lambda status: bool(status["cutover"]["ready"]), seconds)
        self.agent.call("POST", "/v1/migration/stop", {"wait_timeout": 60})
        self.agent.wait("completed", _finished, seconds)

    def await_fault(self, side: str, number: int, acted: int = 1, seconds: float = 30) -> None:
        """Until a fault has acted so often."""
        control = self.clusters.cluster(side).control
        deadline = time.monotonic() + seconds
        while self.acted(side, number) < acted:
            if time.monotonic() > deadline:
                raise AssertionError(f"fault {number} of the {side} has not acted: {control.get('/state/faults')}")
            time.sleep(BETWEEN_LOOKS)

    def acted(self, side: str, number: int) -> int:
        """How often a fault has acted."""
        faults = self.clusters.cluster(side).control.get("/state/faults")
        return int(next(fault["acted"] for fault in faults if fault["id"] == number))

    def differences(self) -> list[str]:
        """Stop the workload and compare everything."""
        record = {}
        errors: list[str] = []
        if self.workload is not None:
            self.workload.stop()
            record = self.workload.record.entries()
            errors = self.workload.figures()["errors"]
        sides = self.clusters.side("source"), self.clusters.side("target")
        result = compare(*sides, record, self.clusters.logins(USERS))
        return [*map(str, result.differences), *errors]
