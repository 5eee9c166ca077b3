# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Big things, migrated for real: small versions of them by default, the sizes of the design with CUTOVER_BIG=1.

A smaller number than 1 is a share of these sizes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.agent import Agent
from tests.integration.engine_case import finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import TIME_SCALE, Pair, wait_for

SHARE = float(os.environ.get("CUTOVER_BIG") or 0.0)
SECONDS = 1800.0 if SHARE else 90.0
DOCUMENT_BYTES = max(3_000_000, int(SHARE * 50_000_000))
TRANSACTION_BYTES = max(32 << 20, int(SHARE * (2 << 30)))
COLLECTIONS = max(150, int(SHARE * 10_000))
DOCUMENTS = max(15_000, int(SHARE * 300_000))
DOCUMENT_TEXT = 400
pytestmark = pytest.mark.timeout(7200 if SHARE else 240)


def _collection(pair: Pair, name: str, shards: int = 1) -> None:
    body = {"name": name, "numberOfShards": shards, "replicationFactor": 1}
    pair.clients.coordinators.json("POST", "/_api/collection", database="_system", body=body, timeout=300.0)


def test_documents_of_the_largest_size(pair: Pair) -> None:
    """Copied, written and replaced while running, each in one piece."""
    _collection(pair, "large", 2)
    text = "x" * DOCUMENT_BYTES
    pair.insert("large", [{"_key": "copied", "text": text}])
    pair.insert("large", [{"_key": "replaced", "text": text}])
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready, SECONDS)
        pair.insert("large", [{"_key": "written", "text": text}])
        pair.insert("large", [{"_key": "replaced", "text": text[:-1] + "y"}])
        wait_status(engine, ready, SECONDS)
        engine.stop({"wait_timeout": SECONDS})
        wait_status(engine, finished, SECONDS)
        assert pair.differences("large") == []
        assert len(pair.target.control.documents("_system", "large")) == 3
    finally:
        engine.close(30.0)


def test_a_large_transaction(pair: Pair) -> None:
    """Its operations come into sight at once, with its commit."""
    _collection(pair, "accounts", 3)
    _collection(pair, "bookings", 3)
    engine = make_engine(pair)
    size, portion = 4096, 1000
    count = TRANSACTION_BYTES // size // portion
    api = pair.clients.coordinators
    try:
        engine.start(request_of(pair))
        wait_status(engine, ready, SECONDS)
        limits = {"lockTimeout": 0, "maxTransactionSize": 4 << 30}
        body = {"collections": {"write": ["accounts", "bookings"]}, **limits}
        begun = api.json("POST", "/_api/transaction/begin", database="_system", body=body)["result"]["id"]
        for number in range(count):
            name = ("accounts", "bookings")[number % 2]
            documents = [{"_key": f"{number}-{item}", "text": "x" * size} for item in range(portion)]
            api.request(
                "POST", f"/_api/document/{name}", database="_system", body=json.dumps(documents).encode(),
                headers={"x-arango-trx-id": begun}, query={"silent": True}, timeout=300.0,
            )  # fmt: skip
        api.json("PUT", f"/_api/transaction/{begun}", database="_system", timeout=600.0)
        wait_status(engine, ready, SECONDS)
        engine.stop({"wait_timeout": SECONDS})
        wait_status(engine, finished, SECONDS)
        assert pair.differences("accounts") == pair.differences("bookings") == []
        there = [len(pair.target.control.documents("_system", name)) for name in ("accounts", "bookings")]
        assert sum(there) == count * portion
    finally:
        engine.close(30.0)


def test_many_collections(pair: Pair) -> None:
    """Most of them with a document or two."""
    for number in range(COLLECTIONS):
        _collection(pair, f"c{number}")
        if number % 3:
            pair.insert(f"c{number}", [{"_key": "a", "n": number}])
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, max_downtime=3600.0))
        wait_status(engine, ready, SECONDS)
        engine.stop({"wait_timeout": SECONDS})
        wait_status(engine, finished, SECONDS)
        assert [name for name in map("c{}".format, range(COLLECTIONS)) if pair.differences(name)] == []
    finally:
        engine.close(30.0)


def _peak_bytes(agent: Agent) -> int:
    """The most memory that the agent's process has had."""
    lines = Path(f"/proc/{agent.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _status(agent: Agent, condition: Callable[[dict[str, Any]], bool]) -> None:
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = [agent.call("GET", "/v1/migration")]
        return condition(found[0])

    wait_for(look, SECONDS, lambda: str(found) + agent.log())


@pytest.mark.parametrize("factor", [1, 10])
def test_one_huge_shard(pair: Pair, archive: Path, tmp_path: Path, factor: int, record_property: Any) -> None:
    """An agent that was killed copies nothing again; at full size, ten times the data takes hardly more memory."""
    _collection(pair, "huge")
    portion = 5000
    for first in range(0, DOCUMENTS * factor, portion):
        numbers = range(first, first + portion)
        pair.insert("huge", [{"_key": f"k{number}", "n": number, "text": "x" * DOCUMENT_TEXT} for number in numbers])
    agent = Agent(archive, tmp_path / "agent", pair.source.jwt_secret_path, TIME_SCALE)
    agent.start()
    try:
        agent.call("POST", "/v1/migration", request_of(pair))
        _status(agent, ready)
        PEAKS[factor] = _peak_bytes(agent)
        record_property("peak_bytes", PEAKS[factor])
        agent.kill()
        agent.start()
        _status(agent, ready)
        again = agent.call("GET", "/v1/migration")
        assert again["progress"]["documents_copied"] == 0
        assert again["totals"]["recopies"] == 0
        agent.call("POST", "/v1/migration/stop", {})
        _status(agent, finished)
        assert pair.differences("huge") == []
    finally:
        agent.stop()
    print(f"peak of the agent with {DOCUMENTS * factor} documents: {PEAKS[factor] / 2**20:.1f} MiB")
    if factor > 1 and SHARE >= 1:  # with little data the buffers are not full yet
        assert PEAKS[factor] < 1.15 * PEAKS[1]


PEAKS: dict[int, int] = {}
