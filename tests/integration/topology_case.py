# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to the servers of a source, a migration that it happens to, and how that must end (design §4.6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.integration.engine_case import (
    Fill,
    all_differences,
    finished,
    make_engine,
    ready,
    request_of,
    wait_status,
)
from tests.integration.pair import Pair, wait_for

Fault = Callable[[Pair], None]


@contextmanager
def migrating(pair: Pair, documents: int = 150) -> Iterator[Engine]:
    """A migration that is in sync."""
    fill = Fill(pair)
    fill.definitions()
    fill.documents(documents)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        total = wait_status(engine, ready, 60.0)["shards"]["total"]
        wait_for(lambda: journaled(pair) == total)
        yield engine
    finally:
        engine.close(20.0)


def journaled(pair: Pair) -> int:
    """How many shards a restart need not copy, by the journal."""
    documents = [json.loads(raw) for _rev, raw in pair.target.control.documents("_system", "_cutover").values()]
    collections = [item for document in documents for item in document.get("collections", {}).values()]
    return sum(len(item["in_sync"]) for item in collections)


def leaders(pair: Pair, collection: str = "things") -> dict[str, list[str]]:
    """The servers of each shard, the leader first."""
    path = f"/_api/collection/{collection}/shards"
    answer = pair.clients.coordinators.json("GET", path, database="shop", query={"details": True})
    return {shard: list(servers) for shard, servers in answer["shards"].items()}


def busiest(pair: Pair) -> str:
    """The DB-Server that leads most shards of ``things``."""
    led = [servers[0] for servers in leaders(pair).values()]
    return max(sorted(set(led)), key=led.count)


def cut_over(engine: Engine, pair: Pair) -> None:
    """Ends completed and identical."""
    complete(engine)
    assert all_differences(pair) == {}


def complete(engine: Engine) -> None:
    """Ends completed; what is noticed only now may cost an attempt."""
    for _attempt in range(3):
        before = engine.status()["cutover"]["attempts"]
        engine.stop({"wait_timeout": 60.0})
        status = wait_status(engine, lambda found, last=before: finished(found) or attempted(found, last), 90.0)  # type: ignore[misc]
        if status["state"] == "completed" or status["cutover"]["last_attempt"]["code"] != "CUT-CUTOVER-3":
            break
    assert status["state"] == "completed", status["cutover"]


def attempted(status: dict[str, Any], before: int = 0) -> bool:
    """Whether a cutover after so many attempts has ended without an opening."""
    attempt = status["cutover"]["last_attempt"]
    return bool(attempt and attempt["number"] > before and attempt["result"] in ("refused", "rolled-back"))


def codes(engine: Engine) -> set[tuple[str, str]]:
    """Code and severity of every finding."""
    return {(item["code"], item["severity"]) for item in engine.findings()}


def noticed(engine: Engine) -> bool:
    """Whether a doubt has come up."""
    return bool({code for code, _severity in codes(engine)} & {"CUT-TOPO-8", "CUT-DATA-5", "CUT-DATA-6"})


def fail_over(pair: Pair) -> None:
    """Every shard of one server gets another leader, which has everything."""
    pair.source.control.fault("fail_over", server=busiest(pair))


def fail_over_with_lag(pair: Pair) -> None:
    """The new leaders lack what was written last; applications write on."""
    for shard in leaders(pair):
        pair.source.control.fault("hold_replication", database="shop", shard=shard)
    pair.insert("things", [{"_key": f"lost{number}", "n": number} for number in range(60)], "shop")
    pair.insert("things", [{"_key": f"t{number}", "n": -1} for number in range(40)], "shop")
    pair.remove("things", [f"t{number}" for number in range(100, 120)], "shop")
    for shard in leaders(pair):
        pair.source.control.fault("fail_over", database="shop", shard=shard)


def restart(pair: Pair) -> None:
    """One server is started anew with its log."""
    pair.source.control.fault("restart_server", server=busiest(pair))


def die_and_come_back_empty(pair: Pair) -> None:
    """One server loses its data directory, others lead, and it comes back as a follower."""
    server = busiest(pair)
    pair.source.control.fault("kill_server", server=server, new_data_dir=True)
    pair.insert("things", [{"_key": f"n{number}", "n": number} for number in range(60)], "shop")
    pair.source.control.fault("restart_server", server=server)


def rebalance(pair: Pair) -> None:
    """Everything somewhere else."""
    pair.source.control.fault("rebalance", seed=5)
    pair.remove("things", [f"t{number}" for number in range(30)], "shop")
    pair.source.control.fault("rebalance", seed=6)


def purge(pair: Pair) -> None:
    """What was not read yet is gone from the logs."""
    pair.source.control.fault("purge_wal")


def clean_out(pair: Pair) -> None:
    """A new server takes what another one had."""
    pair.source.control.fault("add_server")
    pair.source.control.fault("clean_out_server", server=busiest(pair))


def there_and_back(pair: Pair) -> None:
    """Shards are moved away and back before anybody looks; what happened elsewhere is in no log of their leader."""
    everywhere = sorted(pair.source.dbservers)
    for shard, servers in leaders(pair).items():
        other = next(name for name in everywhere if name not in servers)
        pair.source.control.fault("move_shard", database="shop", shard=shard, to=other)
        pair.remove("things", [f"t{number}" for number in range(60, 90)], "shop")
        pair.source.control.fault("move_shard", database="shop", shard=shard, to=servers[0], **{"from": other})


FAULTS = (fail_over, fail_over_with_lag, restart, die_and_come_back_empty, rebalance, there_and_back, purge, clean_out)
