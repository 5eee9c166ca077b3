# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The clusters that wrong requests are about, and their own record of what was asked of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.testbed.client import Client
from tests.testbed.launch import Flavour, TestCluster

__all__ = ["PASSWORD", "TIME_SCALE", "Sites", "untouched", "wait_until_known"]

PASSWORD = "the-target's-own-password"
TIME_SCALE = 0.2
DOCUMENTS = 60
READING = ("GET", "HEAD", "OPTIONS")
# The prechecks ask for a batch of a dump that does not exist, to learn whether the API is there (facts §4.3), and let
# AQL return values; what a query had written would show in the counts.
PROBES = ("POST /_api/dump/next/cutover-probe", "POST /_api/cursor")


class Sites:
    """A source with data, an empty target, one that is in use, and a single server. A context manager."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running = ExitStack()
        self._serial = 0
        self.source = self._start("source", "selfhosted")
        self.target = self._start("target", "managed")
        self.occupied = self._start("occupied", "managed")
        self.single = self._start("single", "single")
        fill(self.source, "shop", DOCUMENTS)
        fill(self.occupied, "billing", 7)
        fill(self.occupied, "archive", 3)

    def _start(self, name: str, flavour: Flavour) -> TestCluster:
        password = PASSWORD if flavour == "managed" else f"{name}-root-password"
        options = {"time_scale": TIME_SCALE}
        cluster = self._running.enter_context(
            TestCluster.start(self._home, name=name, flavour=flavour, root_password=password, options=options)
        )
        with Client.root(cluster) as root:
            root("GET", "/_api/version")  # the first login is when the emulator writes down its user root
        return cluster

    def another_target(self) -> TestCluster:
        """A further empty target, for a test that fills it."""
        self._serial += 1
        return self._start(f"target{self._serial}", "managed")

    def request(self, target: TestCluster | None = None, **changes: Any) -> dict[str, Any]:
        """A start request without fault but for ``changes``; an option of None is left out."""
        target = target or self.target
        request = {
            "source_endpoints": self.source.coordinators, "source_ca_path": str(self.source.ca_path),
            "target_endpoints": target.coordinators, "target_ca_path": str(target.ca_path),
            "target_password": PASSWORD, "ignore_metrics": True, "settle_after": 5.0, "late_write_watch": 1.0,
            **changes,
        }  # fmt: skip
        return {name: value for name, value in request.items() if value is not None}

    @property
    def all(self) -> tuple[TestCluster, ...]:
        """The clusters that every test shares."""
        return self.source, self.target, self.occupied, self.single

    def set_mode(self, mode: str) -> None:
        """Set the source's mode as its administrator does, and wait until every server shows it."""
        with Client.root(self.source) as root:
            assert root("PUT", "/_admin/server/mode", {"mode": mode}).status == 200
        wait_until_known(self.source, mode)

    def __enter__(self) -> Sites:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()


def fill(cluster: TestCluster, database: str, count: int) -> None:
    """A database with one collection of ``count`` documents."""
    with Client.root(cluster) as root:
        assert root("POST", "/_api/database", {"name": database}).status == 201
        body = {"name": "items", "numberOfShards": 2, "replicationFactor": 2}
        assert root("POST", f"/_db/{database}/_api/collection", body).status == 200
        documents = [{"_key": f"k{number}", "number": number} for number in range(count)]
        assert root("POST", f"/_db/{database}/_api/document/items", documents).status in (201, 202)


def modes(cluster: TestCluster) -> set[bool]:
    """Whether servers are read-only, by the emulator's own state."""
    servers = cluster.control.get("/state/overview")["servers"].values()
    return {server["readonly"] for server in servers if server["role"] != "agent"}


def wait_until_known(cluster: TestCluster, mode: str, seconds: float = 20.0) -> None:
    """Until every server shows the mode: the flag reaches each one at a time of its own (facts §2.3)."""
    deadline = time.monotonic() + seconds
    while modes(cluster) != {mode == "readonly"}:
        assert time.monotonic() < deadline, f"the servers of {cluster.name} never all became {mode}"
        time.sleep(0.05)


def written(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """How often each request came between two records that may have changed something."""
    return {
        name: count - before.get(name, 0)
        for name, count in after.items()
        if count != before.get(name, 0) and name.split(" ")[0] not in READING and name not in PROBES
    }


def _holds(cluster: TestCluster) -> dict[tuple[str, str], Any]:
    """The number of documents of every collection, and which servers are read-only."""
    overview = cluster.control.get("/state/overview")
    found: dict[tuple[str, str], Any] = {
        (database, name): entry["count"]
        for database, collections in overview["databases"].items()
        for name, entry in collections.items()
    }
    return found | {("readonly", name): server["readonly"] for name, server in overview["servers"].items()}


@contextmanager
def untouched(*clusters: TestCluster) -> Iterator[None]:
    """Fails when a request that may write reached one of the clusters, by the emulator's own record."""
    before = {one.name: (one.control.get("/state/requests"), _holds(one)) for one in clusters}
    yield
    for one in clusters:
        requests, held = before[one.name]
        new = written(requests, one.control.get("/state/requests"))
        assert not new, f"{one.name} was sent {new}"
        now = _holds(one)
        changed = {key: (held.get(key), now.get(key)) for key in held.keys() | now if held.get(key) != now.get(key)}
        assert not changed, f"in {one.name} has changed: {changed}"
