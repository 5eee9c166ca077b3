# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clusters on which one prerequisite after the other is broken, and what puts each of them right again."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.engine_case import as_user
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair, wait_for
from tests.testbed.launch import TestCluster

APP, APP_PASSWORD = "app", "app-password"
_STARTS: dict[str, dict[str, Any]] = {
    "source": {"options": {"extended_names": True}},
    "target": {"flavour": "managed"},
    "modern": {"version": "3.12.10", "options": {"vector_index": True}},
    "community": {"version": "3.12.3", "flavour": "managed", "options": {"license": "community"}},
    "four": {"version": "4.0.0", "flavour": "managed"},
    "single": {"flavour": "single"},
}


class Site:
    """Clusters by name, started when they are first asked for.

    What a case breaks is undone by ``undo``, and ``patch`` is its monkeypatch; both end with the case.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.undo = ExitStack()
        self.patch = pytest.MonkeyPatch()
        self._running = ExitStack()
        self._clusters: dict[str, TestCluster] = {}
        self._pairs: dict[tuple[str, str], Pair] = {}

    def cluster(self, name: str) -> TestCluster:
        """The cluster of that name (``_STARTS``)."""
        if name not in self._clusters:
            given = dict(_STARTS[name])
            options = {"time_scale": TIME_SCALE, **given.pop("options", {})}
            started = TestCluster.start(self.directory, name=name, root_password=PASSWORD, options=options, **given)
            self._clusters[name] = self._running.enter_context(started)
        return self._clusters[name]

    def pair(self, source: str, target: str) -> Pair:
        """Both clusters; the source has a database, a collection of two shards and a user."""
        key = (source, target)
        if key not in self._pairs:
            new = source not in self._clusters
            made = Pair(self.cluster(source), self.cluster(target), self.directory / "-".join(key))
            made.directory.mkdir()
            self._running.callback(made.clients.close)
            self._pairs[key] = made
            if new:
                _fill(made)
        return self._pairs[key]

    def pretend(self, cluster: TestCluster, path_regex: str, answer: object, server: str = "") -> None:
        """Let a cluster give this answer to all requests of a path."""
        body = answer if isinstance(answer, str) else json.dumps(answer)
        cluster.control.fault("status", path_regex=path_regex, status=200, body=body, count=0, server=server)
        self.undo.callback(cluster.control.clear)

    def order(self, cluster: TestCluster, kind: str, undo: dict[str, Any], **fields: Any) -> None:
        """Do something to a cluster; ``undo`` holds the order that takes it back."""
        cluster.control.fault(kind, **fields)
        self.undo.callback(lambda: cluster.control.fault(**undo))

    def asked(self, cluster: TestCluster, method: str, path: str, database: str) -> None:
        """Undo by a request to the cluster, whatever its answer."""

        def ask() -> None:
            root = as_user(cluster, "root", PASSWORD)
            root.request(method, path, database=database, raise_for=False)
            root.close()

        self.undo.callback(ask)

    def collection(self, pair: Pair, name: str, **properties: Any) -> None:
        """A further collection of the source."""
        body = {"name": name, **properties}
        pair.clients.coordinators.json("POST", "/_api/collection", database="shop", body=body)
        self.asked(pair.source, "DELETE", f"/_api/collection/{quote(name)}", "shop")

    def set_mode(self, cluster: TestCluster, mode: str) -> None:
        """Set the mode and wait until every server has it."""
        root = as_user(cluster, "root", PASSWORD)
        root.json("PUT", "/_admin/server/mode", database="_system", body={"mode": mode})
        root.close()
        wait_for(lambda: set(_readonly(cluster).values()) == {mode == "readonly"})

    def put_right(self) -> None:
        """Undo what the case has broken."""
        self.patch.undo()
        self.undo.close()

    def close(self) -> None:
        """Stop every cluster."""
        self.put_right()
        self._running.close()


def _fill(pair: Pair) -> None:
    ask = pair.clients.coordinators.json
    ask("POST", "/_api/database", database="_system", body={"name": "shop"})
    ask("POST", "/_api/user", database="_system", body={"user": APP, "passwd": APP_PASSWORD})
    ask("PUT", f"/_api/user/{APP}/database/shop", database="_system", body={"grant": "rw"})
    body = {"name": "things", "numberOfShards": 2, "replicationFactor": 2}
    ask("POST", "/_api/collection", database="shop", body=body)
    pair.insert("things", [{"_key": f"t{number}", "n": number} for number in range(40)], "shop")


def _readonly(cluster: TestCluster) -> dict[str, bool]:
    servers = cluster.control.get("/state/overview")["servers"]
    return {name: server["readonly"] for name, server in servers.items() if server["role"] != "agent"}


def held(cluster: TestCluster) -> dict[str, Any]:
    """Documents of the source as they are in storage, and which servers are read-only."""
    return {"things": cluster.control.documents("shop", "things"), "readonly": _readonly(cluster)}


def lets_in(cluster: TestCluster) -> bool:
    """Whether the source's user may do something on the target."""
    app = as_user(cluster, APP, APP_PASSWORD)
    try:
        return app.request("GET", "/_api/version", database="shop", raise_for=False).status == 200
    finally:
        app.close()
