# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two clusters and the agent's process, as every benchmark of the agent needs them."""

from __future__ import annotations

import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.bench.process import Stopwatch
from tests.build_agent import build
from tests.demo.clusters import Clusters, Shape
from tests.e2e.agent import Agent
from tests.e2e.migration import in_sync
from tests.testbed import hlc
from tests.testbed.client import Answer, Client
from tests.testbed.launch import TestCluster

_FIRST_REVISION = 1_790_000_000_000 << 20
_PATIENCE = 420.0  # seconds: all benches together are to end within 25 minutes
_BETWEEN_LOOKS = 0.5  # seconds: each look is a connection of its own, with the handshake of TLS paid by the agent


def checked(answer: Answer, *expected: int) -> Answer:
    """The answer if it is one of those expected; RuntimeError otherwise."""
    if answer.status not in expected:
        raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
    return answer


def _prose(length: int) -> bytes:
    """Text that compresses like text: words of a few letters, in no order that repeats."""
    draw = random.Random(1)
    words = ["".join(draw.choices("eeeaaooiinnrrssttlldhucmpgbfyv", k=draw.randint(2, 9))) for _word in range(4000)]
    return " ".join(draw.choices(words, k=length // 4)).encode()[:length]


_PROSE = _prose(1 << 17)


def documents(collection: str, first: int, number: int, size: int) -> Iterator[bytes]:
    """Documents of about `size` bytes as a dump has them."""
    for index in range(first, first + number):
        revision = hlc.encode(_FIRST_REVISION + (index << 12))
        head = (
            f'{{"_key":"k{index:07}","_id":"{collection}/k{index:07}","_rev":"{revision}","number":{index},'
            f'"price":{index % 977}.25,"tags":["red","green"],"place":{{"city":"Köln","zip":"{index % 99999:05}"}},'
            '"text":"'
        ).encode()
        length = max(0, size - 2 - len(head))
        start = index * 7919 % max(1, len(_PROSE) - length)
        text = _PROSE if length <= len(_PROSE) else _PROSE * (1 + length // len(_PROSE))
        yield head + text[start : start + length] + b'"}'


class Bed:
    """A context manager; clusters of the given shapes, a built agent that does nothing yet."""

    def __init__(self, shapes: tuple[Shape, Shape] = ((1, 2), (1, 2)), **options: Any) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="bench-")
        home = Path(self._directory.name)
        self.home = home
        self.clusters = Clusters(home, versions=("3.12.10", "3.12.10"), shapes=shapes, options=options)
        self.source, self.target = self.clusters.source, self.clusters.target
        self.archive = build(home / "cutover-agent.pyz")
        self.agent = Agent(self.archive, home / "agent", self.source.jwt_secret_path, 1.0)

    def __enter__(self) -> Bed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.agent.stop()
        self.clusters.stop()
        self._directory.cleanup()

    def create(self, name: str, shards: int, database: str = "_system", **properties: object) -> None:
        """A collection on the source; one copy of each document unless told otherwise."""
        with Client.root(self.source) as client:
            body = {"name": name, "numberOfShards": shards, "replicationFactor": 1, **properties}
            checked(client("POST", f"/_db/{database}/_api/collection", body), 200)

    def load(self, name: str, number: int, size: int, cluster: TestCluster | None = None) -> int:
        """Fill a collection; the bytes of its documents."""
        step, total = max(1, min(10_000, (8 << 20) // size)), 0
        with Client.root(cluster or self.source) as client:
            for first in range(0, number, step):
                body = b"\n".join(documents(name, first, min(step, number - first), size))
                total += len(body)
                target = f"/_api/replication/restore-data?collection={name}&preserveRevisionIds=true"
                checked(client("PUT", target, body), 200)
        return total

    def finished(self, route: str, wish: Mapping[str, Any], between: float = 0.05) -> None:
        """Ask the agent for something that takes long, and look every ``between`` seconds for the end of it."""
        run = self.agent.call("POST", route, wish)
        while (answer := self.agent.call("GET", f"{route}/{run['id']}"))["state"] == "running":
            time.sleep(between)
        if answer["state"] != "finished":
            raise RuntimeError(f"{route} ended as {answer}")

    def sides(self) -> list[str]:
        """Endpoint, CA and password of both, as the scripts take them."""
        return [
            text for cluster in (self.source, self.target)
            for text in (cluster.coordinators[0], str(cluster.ca_path), cluster.root_password)
        ]

    def clear(self, *names: str, cluster: TestCluster | None = None) -> None:
        """Drop collections, of the target unless told otherwise, which were there for the peers."""
        with Client.root(cluster or self.target) as client:
            for name in names:
                checked(client("DELETE", f"/_api/collection/{name}"), 200)

    def request(self, **fields: Any) -> dict[str, Any]:
        """The start request."""
        return {
            "source_endpoints": self.source.coordinators, "source_ca_path": str(self.source.ca_path),
            "target_endpoints": self.target.coordinators, "target_ca_path": str(self.target.ca_path),
            "target_password": self.target.root_password, "ignore_metrics": True, **fields,
        }

    def begin(self, **fields: Any) -> None:
        """Start the migration; the agent runs already."""
        self.agent.call("POST", "/v1/migration", self.request(**fields))

    def migrate(self, **fields: Any) -> float:
        """Start the agent and the migration, wait until every shard is in sync; CPU seconds of the agent for it."""
        if self.agent.pid is None:
            self.agent.start()
        watch = self.watch()
        self.begin(**fields)
        self.wait("every shard in sync", in_sync)
        return watch.seconds()

    def wait(
        self, what: str, condition: Callable[[dict[str, Any]], bool], between: float = _BETWEEN_LOOKS
    ) -> dict[str, Any]:
        """Wait for something in the agent's status document, which is given back; looks every ``between`` seconds."""
        return self.agent.wait(what, condition, _PATIENCE, between)

    def watch(self) -> Stopwatch:
        """CPU seconds of the agent from now on."""
        return Stopwatch(self.pid)

    @property
    def pid(self) -> int:
        """The agent's process."""
        pid = self.agent.pid
        if pid is None:
            raise RuntimeError(f"the agent has ended: {self.agent.log()}")
        return pid

    def count(self, name: str, cluster: TestCluster, database: str = "_system") -> int:
        """Documents of a collection."""
        with Client.root(cluster) as client:
            answer = checked(client("GET", f"/_db/{database}/_api/collection/{name}/count"), 200)
        return int(answer.json["count"])


class Emulators:
    """CPU seconds of both clusters since it was made; as a text for the conditions of a figure.

    A core that is busy all the time says that the emulator, and not the agent, was the limit.
    """

    def __init__(self, bed: Bed, **others: int) -> None:
        """``others`` = processes that serve beside them, by what they are called."""
        pids = {"source": bed.source.pid, "target": bed.target.pid, **others}
        self._watches = {name: Stopwatch(pid) for name, pid in pids.items()}
        self._begun = time.monotonic()

    def __str__(self) -> str:
        busy = ", ".join(f"{name} {watch.seconds():.1f} s" for name, watch in self._watches.items())
        return f"busy for (of {time.monotonic() - self._begun:.1f} s): emulated {busy}"


class Children:
    """CPU seconds of processes that were started and waited for since it was made."""

    def __init__(self) -> None:
        self._start = self._now()

    @staticmethod
    def _now() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def seconds(self) -> float:
        """CPU seconds so far."""
        return self._now() - self._start


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
