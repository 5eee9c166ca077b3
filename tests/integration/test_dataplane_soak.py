# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything at once, drawn by seed: truncates, transactions, unique values, lost answers, restarts of the engine."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane import DataPlane
from tests.integration.pair import Pair, wait_for, wait_in_sync

NAMES = ("plain", "custom", "unique")
KEYS = 120


class Writer:
    """One thread of an application that checks nothing and tries everything."""

    def __init__(self, pair: Pair, seed: int) -> None:
        self._pair = pair
        self._draw = random.Random(seed)
        self._number = seed * 1_000_000

    def step(self) -> None:
        """One random operation; refusals by unique values are part of life."""
        draw, name = self._draw, self._draw.choice(NAMES)
        self._number += 1
        choice = draw.random()
        if choice < 0.02:
            self._request("PUT", f"/_api/collection/{name}/truncate", None)
        elif choice < 0.06 and name != "unique":
            self._in_transaction(name)
        elif choice < 0.12:
            query = "FOR d IN @@c FILTER d.n % 5 == @r UPDATE d WITH { touched: @t } IN @@c"
            bind = {"@c": name, "r": draw.randrange(5), "t": self._number}
            self._request("POST", "/_api/cursor", {"query": query, "bindVars": bind})
        elif choice < 0.35:
            self._request("DELETE", f"/_api/document/{name}", self._keys())
        else:
            documents = [self._document(name, key) for key in self._keys()]
            self._request("POST", f"/_api/document/{name}?overwriteMode=replace", documents)

    def _keys(self) -> list[str]:
        count = self._draw.choice((1, 1, 2, 8, 30))
        return list(dict.fromkeys(f"k{self._draw.randrange(KEYS)}" for _ in range(count)))

    def _document(self, name: str, key: str) -> dict[str, object]:
        document: dict[str, object] = {"n": self._number, "u": self._draw.randrange(KEYS)}
        if name == "custom":
            return {**document, "region": f"r{self._draw.randrange(7)}"}
        return {"_key": key, **document}

    def _in_transaction(self, name: str) -> None:
        answer = self._request("POST", "/_api/transaction/begin", {"collections": {"write": [name]}})
        if answer is None:
            return
        identity = answer["result"]["id"]
        for _ in range(3):
            documents = [self._document(name, key) for key in self._keys()]
            self._request("POST", f"/_api/document/{name}?overwriteMode=replace", documents, identity)
        self._request("PUT" if self._draw.random() < 0.7 else "DELETE", f"/_api/transaction/{identity}", None)

    def _request(self, method: str, path: str, body: object, transaction: str | None = None) -> dict | None:  # type: ignore[type-arg]
        headers = {"x-arango-trx-id": transaction} if transaction else {}
        plain, mark, query = path.partition("?")
        try:
            answer = self._pair.clients.coordinators.json(
                method,
                plain,
                database="_system",
                query=dict(part.split("=") for part in query.split("&")) if mark else None,
                body=body,
                headers=headers,
            )
        except ArangoError as error:
            assert error.status in (404, 409), error
            return None
        return answer if isinstance(answer, dict) else None


@contextmanager
def application(pair: Pair, seed: int, threads: int = 2) -> Iterator[None]:
    """Writers until the block ends."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def work(own: int) -> None:
        writer = Writer(pair, own)
        try:
            while not stop.is_set():
                writer.step()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    workers = [threading.Thread(target=work, args=(seed * 10 + index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop.set()
        for worker in workers:
            worker.join()
        assert not errors, errors


@pytest.mark.parametrize("seed", range(int(os.environ.get("DATAPLANE_SEEDS", "4"))))
def test_everything_at_once_ends_without_a_difference(pair: Pair, seed: int) -> None:
    draw = random.Random(seed)
    pair.create("plain")
    pair.create("custom", shardKeys=["region"])
    pair.create("unique", numberOfShards=1)
    pair.clients.coordinators.json(
        "POST", "/_api/index", database="_system", query={"collection": "unique"},
        body={"type": "persistent", "fields": ["u"], "unique": True},
    )
    pair.insert("plain", [{"_key": f"k{number}", "n": number} for number in range(KEYS)])
    for _ in range(8):
        path = draw.choice(["restore-data", "/_api/document", "/_api/cursor"])
        run = draw.choice(["late", "now", "never"])
        pair.target.control.fault("lost_answer", path_regex=path, run=run, nth=draw.randrange(1, 60))
    ticks: dict[str, int | None] = pair.fresh()
    plans = [plan for name in NAMES for plan in pair.plans(name)]
    for turn in range(3):
        with pair.plane(tail_chunk_bytes=draw.choice([16 * 1024, 1024 * 1024])) as plane:
            plane.register(plans, in_sync=turn > 0)
            plane.start(ticks)
            with application(pair, seed * 10 + turn):
                wait_in_sync(plane)
                if turn == 0:
                    _build_unique(pair, plane)
                ticks = dict(plane.restart_ticks())
                before = plane.progress().operations_applied
                _wait_applied(plane, before + 300)
            if turn == 2:
                pair.drain(plane)
                plane.settle(Deadline(40.0))
                wait_in_sync(plane)
                assert [finding for finding in pair.findings if finding.severity == "error"] == []
                assert {name: pair.differences(name) for name in NAMES} == {name: [] for name in NAMES}


def _wait_applied(plane: DataPlane, operations: int) -> None:
    wait_for(lambda: plane.progress().operations_applied > operations)


def _build_unique(pair: Pair, plane: DataPlane) -> None:
    """Build the unique index late, as the control path does."""
    [plan] = pair.plans("unique")
    wait_in_sync(plane)
    plane.hold("_system", plan.id.plan_id, "index", Deadline(20.0))
    pair.clients.target.json(
        "POST", "/_api/index", database="_system", query={"collection": "unique"},
        body={"type": "persistent", "fields": ["u"], "unique": True},
    )
    plane.release("_system", plan.id.plan_id, "index")
