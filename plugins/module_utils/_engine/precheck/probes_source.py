# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Probes of the source: every one reads, and leaves no registration behind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Callable

from ..._core import velocypack
from ..._core.arango import Server
from ..._core.errors import ArangoError, CutoverError
from ..exactness import prints_exactly
from ..server_watch import reboot_id
from ..wal import Position, log_end, retained_from, tail
from .capability import Seen
from .context import Context
from .measure import ARCHIVED, FREE, TOTAL
from .outcome import listed
from .source_facts import TIMEOUT

# The smallest piece of a log that a server sends, and nobody's registration.
_CHUNK = 16 * 1024
_NOBODY = 0
_DISKS = (FREE, TOTAL, ARCHIVED)
_PACKED = {"Accept": "application/x-velocypack"}


def refused(error: CutoverError) -> bool:
    """Whether a server, a setting or a front-end says no for good (facts §9)."""
    return isinstance(error, ArangoError) and not error.retriable


def _every(
    context: Context, servers: Mapping[str, Server], call: Callable[[Server], bool], right: str, wrong: str
) -> Seen:
    """Whether the call is true of every server; one that is refused counts as false."""
    results = context.gather({name: partial(call, server) for name, server in servers.items()})
    lacking = []
    for name, result in results.items():
        if result.error is not None and not refused(result.error):
            raise result.error
        if result.error is not None or not result.value:
            lacking.append(name)
    return Seen(not lacking, f"{wrong} on {listed(sorted(lacking))}" if lacking else right)


def parallel_dump(context: Context) -> Seen:
    """See the registry."""
    name, answer = context.source.parallel_dump()
    return Seen(answer.there, f"{name} answered {answer.status} when it was asked for a dump that does not exist")


def log_end_readable(context: Context) -> Seen:
    """See the registry: the last position of a log must not look like a gap."""

    def read(server: Server) -> bool:
        end = log_end(server)
        return tail(server, Position(end.tick, end.tick), _CHUNK, None).from_present

    return _every(
        context, context.source.dbservers(), read,
        "every DB-Server's log goes on from its last position", "a gap seems to follow the last position",
    )  # fmt: skip


def shard_guids(context: Context) -> Seen:
    """See the registry."""

    def read(server: Server) -> bool:
        answer = server.json("GET", "/_api/collection", database="_system", timeout=TIMEOUT)
        return all(str(one["globallyUniqueId"]).endswith(f"/{one['name']}") for one in answer["result"])

    return _every(
        context, context.source.dbservers(), read,
        "the shards of _system are listed with plan id and name", "shards are listed otherwise",
    )  # fmt: skip


def reboot_ids(context: Context) -> Seen:
    """See the registry."""
    return _every(
        context, context.source.dbservers(), lambda server: reboot_id(server) is not None,
        "every DB-Server tells its rebootId", "no rebootId is told",
    )  # fmt: skip


def log_clients(context: Context) -> Seen:
    """See the registry."""

    def read(server: Server) -> bool:
        retained_from(server, _NOBODY)
        return True

    return _every(
        context, context.source.dbservers(), read,
        "every DB-Server lists for whom it keeps its log", "the clients of the log are not listed",
    )  # fmt: skip


def disk_metrics(context: Context) -> Seen:
    """See the registry."""
    try:
        metrics = context.source.metrics()
    except ArangoError as error:
        if not refused(error):
            raise
        return Seen(False, f"metrics are refused: {error.message}")
    lacking = sorted({name for values in metrics.values() for name in _DISKS if name not in values})
    return Seen(not lacking, f"missing: {listed(lacking)}" if lacking else "every DB-Server tells disk and log sizes")


def running_writers(context: Context) -> Seen:
    """See the registry: what runs is listed by each coordinator, and ended there."""

    def read(server: Server) -> bool:
        queries = server.json("GET", "/_api/query/current", query={"all": True}, timeout=TIMEOUT)
        transactions = server.json("GET", "/_api/transaction", timeout=TIMEOUT)
        return isinstance(queries or [], list) and isinstance((transactions or {}).get("transactions", []), list)

    return _every(
        context, context.source.fronts(), read,
        "every coordinator lists its queries and transactions", "queries or transactions are not listed",
    )  # fmt: skip


def modes(context: Context) -> Seen:
    """See the registry."""
    found = context.source.modes()
    silent = sorted(name for name, result in found.items() if result.error is not None)
    return Seen(not silent, f"not shown by {listed(silent)}" if silent else "every server shows its mode")


def exact_numbers(context: Context) -> Seen:
    """See the registry; the collection is there in every database, the document in none."""
    about = str(context.source.about()["version"])
    if prints_exactly(about):
        return Seen(True, f"{about} prints every number exactly")
    try:
        answer = context.source.coordinators().request(
            "PUT", "/_api/document/_graphs", database="_system", query={"onlyget": True}, body=["cutover-probe"],
            headers=_PACKED, timeout=TIMEOUT, idempotent=True,
        )  # fmt: skip
        found: Any = velocypack.loads(answer.body)
    except (ArangoError, ValueError) as error:
        if isinstance(error, ArangoError) and error.retriable:
            raise
        return Seen(False, f"{about} does not print every number exactly, nor answers as VelocyPack: {error}")
    there = isinstance(found, list) and len(found) == 1
    return Seen(there, f"{about} answers documents as VelocyPack" if there else "the answer is no list of documents")
