# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who writes most on the source, by collection and by user, as far as the source shows it (facts §2.4, §5.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ..fence import writes
from .measure import Collection
from .sampling import Observed, leaders_of

MOST_NAMED = 10
# Counts requests of a leader by database, collection, shard and, as the server is set up, user (3.10.13, 3.11.7 on).
_METRIC = "arangodb_collection_leader_writes_total"
_SAMPLE = re.compile(rf'^{_METRIC}\{{((?:[^}}"]|"(?:[^"\\]|\\.)*")*)\}}\s+([0-9.eE+-]+)', re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ADVICE = (
    "start the source's DB-Servers with --server.export-shard-usage-metrics=enabled-per-shard-per-user "
    "(3.10.13, 3.11.7 or newer) to see every user who writes"
)
Writer = tuple[str, str, Optional[str]]


def writers(observed: Observed, collections: list[Collection]) -> dict[str, Any]:
    """``collections`` and ``users`` that write most, each with how it is known; None where nothing tells."""
    by_metric = _by_metric(observed)
    by_log = _by_log(observed, collections)
    rates = by_log if by_log is not None else _summed(by_metric)
    users = _users_by_metric(by_metric)
    users_from = "metrics"
    if users is None:
        users, users_from = _users_by_query(observed), "running queries"
    return {
        "collections": rates,
        "collections_from": "logs" if by_log is not None else "metrics" if rates is not None else None,
        "users": users or None,
        "users_from": users_from if users else None,
        "advice": None if users_from == "metrics" else ADVICE,
    }


def _by_log(observed: Observed, collections: list[Collection]) -> Optional[list[dict[str, Any]]]:
    """Only the leader's markers count: every replica logs the same write (facts §5.6)."""
    if observed.logs is None:
        return None
    leads = leaders_of(collections)
    found: dict[tuple[str, str], list[float]] = {}
    for server, sample in observed.logs.items():
        for shard, written in sample.by_shard.items():
            one = leads.get((server, shard))
            if one is not None:
                total = found.setdefault((one.database, one.name), [0.0, 0.0])
                total[0] += written.writes / sample.share / observed.seconds
                total[1] += written.bytes / sample.share / observed.seconds
    listed = [
        {
            "database": database, "collection": name, "writes_per_second": round(rate, 2),
            "bytes_per_second": round(size),
        }
        for (database, name), (rate, size) in found.items()
    ]  # fmt: skip
    return _top(listed, "writes_per_second")


def log_bytes_per_second(observed: Observed, collections: list[Collection]) -> Optional[float]:
    """Bytes of markers of leaders in a second: what replication reads and spools hold; None without a sample."""
    if observed.logs is None:
        return None
    leads = leaders_of(collections)
    return sum(
        written.bytes / sample.share / observed.seconds
        for server, sample in observed.logs.items()
        for shard, written in sample.by_shard.items()
        if (server, shard) in leads
    )


def _samples(text: str) -> Iterator[tuple[Mapping[str, str], float]]:
    for labels, value in _SAMPLE.findall(text):
        yield dict(_LABEL.findall(labels)), float(value)


def _by_metric(observed: Observed) -> Optional[dict[Writer, float]]:
    """Writes in a second by database, collection and user; None where no server counts them."""
    found: dict[Writer, float] = {}
    counted = False
    for server, after in observed.after.items():
        for sign, text in ((-1, observed.before[server].metrics), (1, after.metrics)):
            for labels, value in _samples(text):
                counted = True
                key = (labels.get("db", ""), labels.get("collection", ""), labels.get("user"))
                found[key] = found.get(key, 0.0) + sign * value
    if not counted:
        return None
    return {key: value / observed.seconds for key, value in found.items() if value > 0}


def _summed(rates: Optional[Mapping[Writer, float]]) -> Optional[list[dict[str, Any]]]:
    if rates is None:
        return None
    found: dict[tuple[str, str], float] = {}
    for (database, name, _user), rate in rates.items():
        found[database, name] = found.get((database, name), 0.0) + rate
    listed = [
        {"database": database, "collection": name, "writes_per_second": round(rate, 2), "bytes_per_second": None}
        for (database, name), rate in found.items()
    ]
    return _top(listed, "writes_per_second")


def _users_by_metric(rates: Optional[Mapping[Writer, float]]) -> Optional[list[dict[str, Any]]]:
    """None unless the servers count by user."""
    if not rates or all(user is None for _database, _name, user in rates):
        return None
    listed = [
        {"user": user, "database": database, "collection": name, "writes_per_second": round(rate, 2)}
        for (database, name, user), rate in rates.items()
        if user is not None
    ]
    return _top(listed, "writes_per_second")


def _users_by_query(observed: Observed) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], set[str]] = {}
    for query in observed.queries:
        if writes(query):
            who = (str(query.get("user") or ""), str(query.get("database") or ""))
            found.setdefault(who, set()).add(str(query.get("id")))
    listed = [
        {"user": user, "database": database, "collection": None, "queries": len(queries)}
        for (user, database), queries in found.items()
        if user
    ]
    return _top(listed, "queries")


def _top(items: list[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: -float(item[by]))[:MOST_NAMED]
