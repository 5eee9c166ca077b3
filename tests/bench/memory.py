# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's peak memory: it does not grow with the data, and not with a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bench.bed import Bed, checked, documents
from tests.bench.figures import Figure
from tests.bench.process import memory
from tests.bench.sink import Sink
from tests.testbed.client import Client

_SIZE = 20_000
_SHARDS = 16
_TIMES = 10
_COPIERS = 8


def figures(megabytes: int, transaction: int) -> Iterator[Figure]:
    """Peaks by the size of the data, and with one large transaction."""
    small, large = (_copied(megabytes * times) for times in (1, _TIMES))
    what = f"{megabytes * _TIMES:,} MB of documents of {_SIZE:,} bytes, {_SHARDS} shards, {_COPIERS} copiers"
    yield Figure("memory", large / 1e6, "MB (VmHWM)", 200, what, at_most=True)
    told = f"{what}, against {megabytes:,} MB"
    yield Figure.against("memory_growth", large / 1e6, small / 1e6, "MB (VmHWM)", 1.1, told)
    peak = _transaction(transaction) / 1e6
    yield Figure("memory_transaction", peak, "MB (VmHWM)", 200, f"one transaction of {transaction} MB", at_most=True)


def _copied(megabytes: int) -> int:
    """Peak bytes at the end of a snapshot copy."""
    with Bed() as bed, Sink(bed.target) as sink:
        bed.create("things", _SHARDS)
        bed.load("things", megabytes * 1_000_000 // _SIZE, _SIZE)
        bed.migrate(target_endpoints=[sink.url], copiers=_COPIERS // len(bed.source.dbservers))
        return memory(bed.pid, "VmHWM")


def _transaction(megabytes: int) -> int:
    """Peak bytes when a streaming transaction was applied that wrote so much."""
    number, step = megabytes * 1_000_000 // _SIZE, 200
    with Bed() as bed:
        bed.create("things", 1)
        bed.migrate()
        with Client.root(bed.source) as client:
            order = {"collections": {"write": ["things"]}, "maxTransactionSize": megabytes * 2_000_000}
            begun = checked(client("POST", "/_api/transaction/begin", order), 201).json["result"]["id"]
            inside = {"x-arango-trx-id": str(begun)}
            for first in range(0, number, step):
                body = b"[" + b",".join(documents("things", first, min(step, number - first), _SIZE)) + b"]"
                checked(client("POST", "/_api/document/things?silent=true", body, inside), 201, 202)
            checked(client("PUT", f"/_api/transaction/{begun}"), 200)

        def arrived(status: dict[str, Any]) -> bool:
            return (status["replication"]["lag_seconds"] or 0) < 5 and bed.count("things", bed.target) == number

        bed.wait("the transaction on the target", arrived)
        return memory(bed.pid, "VmHWM")
