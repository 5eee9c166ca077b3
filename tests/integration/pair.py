# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A source and a target as processes, and one data path between them: what the tests of the data path share."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core import jwt, tls
from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import Coordinators, Server, basic_auth
from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import parse_endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import HttpClient
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane import DataPlane
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Settings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId, ShardPlan, ShardState
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.wal import log_end
from tests.testbed.launch import TestCluster

PASSWORD = "target-root"
SETTLE = 1.0
TIME_SCALE = 0.2


class OpenGate:
    """A lease that is always held."""

    def check(self) -> None:
        """Allow everything."""


class Clients:
    """The source as the engine sees it, and its target."""

    def __init__(self, source: TestCluster, target: TestCluster) -> None:
        secret = jwt.load_secret(str(source.jwt_secret_path))
        token = jwt.TokenSource(secret, lifetime=600.0)
        self.servers = {
            name: _server(url, source.ca_path, token, name) for name, url in source.dbservers.items()
        }
        self.coordinators = Coordinators([_server(url, source.ca_path, token, url) for url in source.coordinators])
        password = basic_auth("root", PASSWORD)
        self.target = Coordinators([_server(url, target.ca_path, password, url) for url in target.coordinators])

    def close(self) -> None:
        """Close all connections."""
        for server in self.servers.values():
            server.close()
        self.coordinators.close()
        self.target.close()


def _server(url: str, ca_path: Path, authorization: Callable[[], str], label: str) -> Server:
    context = tls.client_context(str(ca_path))
    client = HttpClient(parse_endpoint(url, "test"), context=context, authorization=authorization, pool=16)
    return Server(client, label)


class Pair:
    """Both clusters with clients for tests."""

    def __init__(self, source: TestCluster, target: TestCluster, directory: Path) -> None:
        self.source = source
        self.target = target
        self.directory = directory
        self.clients = Clients(source, target)
        self.findings: list[Finding] = []

    def create(self, name: str, database: str = "_system", **properties: object) -> None:
        """The same collection on both sides."""
        body = {"name": name, "numberOfShards": 3, "replicationFactor": 2, **properties}
        for side in (self.clients.coordinators, self.clients.target):
            side.json("POST", "/_api/collection", database=database, body=body)

    def create_index(self, name: str, definition: Mapping[str, object], database: str = "_system") -> None:
        """The same index on both sides."""
        for side in (self.clients.coordinators, self.clients.target):
            side.json("POST", "/_api/index", database=database, query={"collection": name}, body=definition)

    def insert(self, name: str, documents: Sequence[Mapping[str, object]], database: str = "_system") -> None:
        """Insert or replace documents on the source."""
        self.post(name, json.dumps(list(documents)).encode(), database)

    def post(self, name: str, body: bytes, database: str = "_system") -> None:
        """Insert or replace documents given as the text of an array."""
        answer = self.clients.coordinators.request(
            "POST", f"/_api/document/{name}", database=database, query={"overwriteMode": "replace"}, body=body
        )
        assert "x-arango-error-codes" not in answer.headers, answer.body

    def remove(self, name: str, keys: Sequence[str], database: str = "_system") -> None:
        """Remove documents on the source."""
        self.clients.coordinators.request("DELETE", f"/_api/document/{name}", database=database, body=list(keys))

    def plans(self, name: str, database: str = "_system", **changes: Any) -> list[ShardPlan]:
        """One plan for each shard of a source collection."""
        path = f"/_api/collection/{name}/shards"
        answer = self.clients.coordinators.json("GET", path, database=database, query={"details": True})
        plan_id = str(answer["id"])
        custom = answer.get("shardKeys", ["_key"]) != ["_key"]
        return [
            ShardPlan(
                ShardId(database, plan_id, shard),
                name,
                shard,
                servers[0],
                **{"key_determines_shard": not custom, **changes},
            )
            for shard, servers in answer["shards"].items()
        ]

    @contextmanager
    def plane(self, **settings: Any) -> Iterator[DataPlane]:
        """A data path with clients of its own; its state directory outlives it."""
        clients = Clients(self.source, self.target)
        plane = DataPlane(
            source=clients,
            target=clients.target,
            gate=OpenGate(),
            state_dir=self.directory / "state",
            settings=Settings(
                **{"settle_after": SETTLE / TIME_SCALE, "time_scale": TIME_SCALE, "batch_bytes": 256 * 1024, **settings}
            ),
            report=self.findings.append,
        )
        try:
            yield plane
        finally:
            clients_closer = threading.Timer(0.5, clients.close)
            clients_closer.start()
            left = plane.close(20.0)
            clients_closer.join()
            assert left == []

    def fresh(self) -> dict[str, int | None]:
        """The start positions of a first start."""
        return dict.fromkeys(self.source.dbservers, None)

    def ends(self) -> dict[str, int]:
        """Where the logs end now."""
        return {name: log_end(server).tick for name, server in self.clients.servers.items()}

    def drain(self, plane: DataPlane, seconds: float = 30.0) -> None:
        """Apply everything that was written before this call."""
        plane.drain(self.ends(), Deadline(seconds))

    def differences(self, name: str, database: str = "_system") -> list[str]:
        """Keys whose revision or content differ, read from both storages behind every API."""
        source = self.source.control.documents(database, name)
        target = self.target.control.documents(database, name)
        return sorted(key for key in source.keys() | target.keys() if source.get(key) != target.get(key))


def wait_in_sync(plane: DataPlane, seconds: float = 30.0) -> None:
    """Wait until every shard is in sync."""
    wait_for(
        lambda: set(plane.states().values()) <= {ShardState.IN_SYNC},
        seconds,
        lambda: f"{plane.states()} {plane.progress()}",
    )


def wait_for(condition: Callable[[], bool], seconds: float = 30.0, tell: Callable[[], str] = str) -> None:
    """Wait until something is true; fails with what ``tell`` gives."""
    deadline = time.monotonic() + seconds
    asked = time.monotonic()
    while not condition():
        now = time.monotonic()
        assert now < deadline, f"not reached in {seconds} s: {tell()}"
        # Comparing two clusters takes its time: who is waited for needs the processor, too.
        time.sleep(max(0.02, now - asked))
        asked = time.monotonic()
