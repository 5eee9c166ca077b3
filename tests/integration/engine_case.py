# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A whole engine in this process between two clusters: data, workload, waiting, comparing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core import tls
from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import Server, basic_auth
from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import parse_endpoint
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import HttpClient
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine, EngineConfig
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair
from tests.testbed.launch import TestCluster

SOURCE_USERS = {"app": "app-password", "reader": "reader-password"}


def request_of(pair: Pair, **changes: Any) -> dict[str, Any]:
    """The start request of a pair."""
    return {
        "source_endpoints": pair.source.coordinators,
        "source_ca_path": str(pair.source.ca_path),
        "target_endpoints": pair.target.coordinators,
        "target_ca_path": str(pair.target.ca_path),
        "target_password": PASSWORD,
        "ignore_metrics": True,
        "settle_after": 5.0,
        "late_write_watch": 2.0,
        "max_downtime": 60.0,
        "max_lag": 5.0,
        "checksum_seconds": 30.0,
        **changes,
    }


def make_engine(pair: Pair, directory: Path | None = None, **changes: Any) -> Engine:
    """An engine with its state directory."""
    config = EngineConfig(
        state_directory=directory or pair.directory / "engine",
        source_jwt_secret_path=pair.source.jwt_secret_path,
        time_scale=TIME_SCALE,
        **changes,
    )
    return Engine(config)


def as_user(cluster: TestCluster, name: str, password: str) -> Server:
    """A cluster's coordinator as a user."""
    context = tls.client_context(str(cluster.ca_path))
    authorization = basic_auth(name, password)
    client = HttpClient(parse_endpoint(cluster.coordinators[0], "test"), context=context, authorization=authorization)
    return Server(client, f"{name} at {cluster.coordinators[0]}")


def source_root(pair: Pair) -> Server:
    """The source as its user root, who is refused while it is read-only."""
    return as_user(pair.source, "root", pair.source.root_password)


class Fill:
    """Makes definitions and documents on the source."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.api = pair.clients.coordinators

    def definitions(self) -> None:
        """Two databases with collections, every kind of index, a graph, a view, an analyzer and users."""
        post = self.api.json
        post("POST", "/_api/database", database="_system", body={"name": "shop", "options": {"replicationFactor": 2}})
        for name, password in SOURCE_USERS.items():
            post("POST", "/_api/user", database="_system", body={"user": name, "passwd": password})
        post("PUT", "/_api/user/app/database/shop", database="_system", body={"grant": "rw"})
        post("PUT", "/_api/user/reader/database/shop", database="_system", body={"grant": "ro"})
        post(
            "POST",
            "/_api/analyzer",
            database="shop",
            body={"name": "lower", "type": "norm", "properties": {"locale": "en", "case": "lower"}, "features": []},
        )
        self.collection("things", numberOfShards=3)
        self.collection("orders", numberOfShards=2)
        self.collection("by_region", numberOfShards=2, shardKeys=["region"])
        self.collection("links", type=3, numberOfShards=2)
        self.index("things", {"type": "persistent", "fields": ["n"], "name": "by_n"})
        self.index("orders", {"type": "persistent", "fields": ["m"], "sparse": True, "name": "by_m"})
        self.collection("singles", numberOfShards=1)
        self.index("singles", {"type": "persistent", "fields": ["serial"], "unique": True, "name": "serial"})
        self.index("orders", {"type": "ttl", "fields": ["gone"], "expireAfter": 360000, "name": "expiry"})
        post(
            "POST",
            "/_api/view",
            database="shop",
            body={"name": "search", "type": "arangosearch", "links": {"things": {"includeAllFields": True}}},
        )
        edges = [{"collection": "links", "from": ["things"], "to": ["things"]}]
        post("POST", "/_api/gharial", database="shop", body={"name": "net", "edgeDefinitions": edges})

    def collection(self, name: str, **properties: Any) -> None:
        """One collection of the database shop."""
        body = {"name": name, "replicationFactor": 2, **properties}
        self.api.json("POST", "/_api/collection", database="shop", body=body)

    def index(self, collection: str, definition: Mapping[str, Any]) -> None:
        """One index."""
        query = {"collection": collection}
        self.api.json("POST", "/_api/index", database="shop", query=query, body=dict(definition))

    def documents(self, count: int = 300) -> None:
        """Some documents in each collection."""
        self.pair.insert("things", [{"_key": f"t{i}", "n": i, "text": f"Thing {i}"} for i in range(count)], "shop")
        self.pair.insert("orders", [{"_key": f"o{i}", "m": i % 7, "gone": 4e9} for i in range(count)], "shop")
        self.pair.insert("by_region", [{"n": i, "region": f"r{i % 5}"} for i in range(count)], "shop")
        self.pair.insert("singles", [{"_key": f"s{i}", "serial": i} for i in range(count)], "shop")
        edges = [{"_key": f"l{i}", "_from": f"things/t{i}", "_to": f"things/t{i + 1}"} for i in range(count - 1)]
        self.pair.insert("links", edges, "shop")


class Writer:
    """Writes to the source until it is refused; ends then."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        server = source_root(self.pair)
        while not self._stop.is_set():
            number = self.count
            body = [{"_key": f"w{number % 50}", "n": number, "more": "x" * (number % 40)} for _ in range(3)]
            try:
                server.json(
                    "POST", "/_api/document/things", database="shop", query={"overwriteMode": "replace"}, body=body
                )
                if number % 5 == 0:
                    server.json("DELETE", "/_api/document/orders", database="shop", body=[f"o{number % 200}"])
            except CutoverError:
                if self._stop.wait(0.02):
                    return
                continue
            self.count += 1
            time.sleep(0.005)


def wait_status(
    engine: Engine, condition: Callable[[dict[str, Any]], bool], seconds: float = 40.0, *, fail_on: bool = True
) -> dict[str, Any]:
    """The status document as soon as it is as wanted; fails at once when the migration failed."""
    deadline = time.monotonic() + seconds
    while True:
        status = engine.status()
        if condition(status):
            return status
        told = {name: status[name] for name in ("state", "shards", "waiting", "reason", "problems", "cutover")}
        assert not (fail_on and status["state"] == "failed"), told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def ready(status: Mapping[str, Any]) -> bool:
    """In sync, and the gate would let a cutover pass."""
    return bool(status["state"] == "running" and status["cutover"]["ready"])


def finished(status: Mapping[str, Any]) -> bool:
    """Completed with every late index built."""
    return bool(status["state"] == "completed" and status["late_indexes"]["pending"] == 0)


def all_differences(pair: Pair, database: str = "shop") -> dict[str, list[str]]:
    """Differing keys by collection, read from both storages."""
    answer = pair.clients.coordinators.json("GET", "/_api/collection", database=database)
    names = [item["name"] for item in answer["result"] if not item["name"].startswith("_")] + ["_graphs"]
    found = {name: pair.differences(name, database) for name in names}
    return {name: keys for name, keys in found.items() if keys}
