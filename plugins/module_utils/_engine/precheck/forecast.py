# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a migration is going to need: sizes, times, growth of logs, write downtime (formulas in docs/sizing.md).

Bytes, seconds and bytes per second; None stands for what is not known, and ``notes`` say why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Optional, TypeVar

from ..._core.arango import segment
from ..._core.errors import CutoverError
from .. import estimate
from ..brake import MEGABYTE
from .context import Context
from .measure import ARCHIVED, FREE, Collection, data_size, metrics_of
from .outcome import BlockedError
from .rows_capacity import TARGET_RESERVE
from .sampling import Observed, observe
from .writers import log_bytes_per_second, writers

Value = TypeVar("Value")
# Between two looks where no sample was asked for.
_WINDOW = 1.0
# Counting more collections than this takes longer than a forecast is worth, unless a sample was asked for.
MOST_COUNTED = 500
_LOGS = (ARCHIVED, "rocksdb_live_wal_files_size")
_WRITES = "arangodb_document_writes_total"
_GIGABYTE = 1e9


def make(context: Context) -> dict[str, Any]:
    """The whole forecast; it never fails: what cannot be measured is None with a note."""
    notes: list[str] = []

    def tried(what: str, measure: Callable[[], Value]) -> Optional[Value]:
        try:
            return measure()
        except (BlockedError, CutoverError, KeyError, TypeError, ValueError, AttributeError) as error:
            notes.append(f"{what}: {error.message if isinstance(error, CutoverError) else error}")
            return None

    collections = tried("collections", context.collections) or []
    counts = tried("documents", partial(_counts, context, collections))
    observed = tried("writes", partial(_observed, context, collections, counts or {}))
    size = _size(tried("size", context.source.metrics) or {}, collections, counts, observed)
    copy = _copy(context, size)
    target_metrics = tried("target", context.target.metrics) or {}
    servers = tried("target", lambda: len(context.target.members("dbserver"))) or len(target_metrics) or None
    return {
        "seconds_observed": None if observed is None else round(observed.seconds, 2),
        "sample_seconds": context.asked.sample_seconds,
        "size": size,
        "target": _target(context, size, collections, counts, target_metrics, servers),
        "copy": copy,
        "log": _log(observed, collections, copy["seconds"]),
        "downtime": _downtime(context, collections, counts),
        "writers": None if observed is None else writers(observed, collections),
        "notes": notes,
    }


def _counts(context: Context, collections: list[Collection]) -> Optional[dict[str, int]]:
    """Documents by label; None where there are too many collections to ask for."""
    if len(collections) > MOST_COUNTED and not context.asked.sample_seconds:
        raise ValueError(f"not counted in more than {MOST_COUNTED} collections without sample_seconds")
    calls = {
        one.label: partial(context.source.get, f"/_api/collection/{segment(one.name)}/count", database=one.database)
        for one in collections
    }
    return {label: int(result.get()["count"]) for label, result in context.gather(calls).items()}


def _observed(context: Context, collections: list[Collection], counts: Mapping[str, int]) -> Observed:
    seconds = context.asked.sample_seconds
    servers, fronts = context.source.dbservers(), context.source.fronts()
    return observe(servers, fronts, max(_WINDOW, seconds), collections, counts, seconds)


def _size(
    metrics: Mapping[str, Mapping[str, float]], collections: list[Collection],
    counts: Optional[Mapping[str, int]], observed: Optional[Observed],
) -> dict[str, Any]:  # fmt: skip
    """What the source holds: on its disks with all replicas and indexes, and as JSON to be copied once."""
    by_server = {name: data_size(one) for name, one in metrics.items()}
    known = [size for size in by_server.values() if size is not None]
    stored = sum(known) if known and len(known) == len(by_server) else None
    documents = None if counts is None else sum(counts.values())
    return {
        "collections": len(collections),
        "shards": sum(len(one.parameters.get("shards") or {}) for one in collections),
        "documents": documents,
        "stored_bytes": stored,
        "stored_bytes_by_server": by_server,
        "copied_bytes": _copied_bytes(collections, counts, observed),
        "read_bytes_per_second": _read_rate(observed),
    }


def _copied_bytes(
    collections: list[Collection], counts: Optional[Mapping[str, int]], observed: Optional[Observed]
) -> Optional[int]:
    """Documents times the mean size of those that were read, collection by collection where that is known."""
    if counts is None or observed is None or observed.shards is None:
        return None
    documents: dict[str, int] = {}
    bytes_: dict[str, int] = {}
    for found in observed.shards.values():
        for label, read in found.items():
            documents[label] = documents.get(label, 0) + read.documents
            bytes_[label] = bytes_.get(label, 0) + read.bytes
    if not sum(counts.values()):
        return 0
    if not sum(documents.values()):
        return None
    mean = sum(bytes_.values()) / sum(documents.values())
    total = 0.0
    for one in collections:
        seen = documents.get(one.label, 0)
        total += counts.get(one.label, 0) * (bytes_[one.label] / seen if seen else mean)
    return round(total)


def _read_rate(observed: Optional[Observed]) -> Optional[int]:
    """Bytes in a second that all DB-Servers gave together, each to one reader."""
    if observed is None or observed.shards is None:
        return None
    rates = []
    for found in observed.shards.values():
        seconds = sum(read.seconds for read in found.values())
        if seconds > 0:
            rates.append(sum(read.bytes for read in found.values()) / seconds)
    return round(sum(rates)) if rates else None


def _copies(value: object, servers: int) -> int:
    return servers if value == "satellite" else int(value) if isinstance(value, int) and value > 0 else 1


def replication_ratio(
    context: Context, collections: list[Collection], counts: Optional[Mapping[str, int]], servers: Mapping[str, int]
) -> float:
    """Copies on the target for each copy on the source, weighted by documents (by shards where they are unknown)."""
    source = target = 0.0
    for one in collections:
        weight = len(one.parameters.get("shards") or {}) if counts is None else counts.get(one.label, 0)
        before = one.parameters.get("replicationFactor")
        after = context.spec.shape.overrides.collection(one.database, one.parameters).get("replicationFactor")
        source += weight * _copies(before, servers["source"])
        target += weight * _copies(after, servers["target"])
    return target / source if source else 1.0


def _target(
    context: Context, size: Mapping[str, Any], collections: list[Collection], counts: Optional[Mapping[str, int]],
    metrics: Mapping[str, Mapping[str, float]], servers: Optional[int],
) -> dict[str, Any]:  # fmt: skip
    """Bytes needed on each DB-Server against what is free there, and what the deployment was ordered with."""
    free = [one[FREE] for one in metrics.values() if FREE in one]
    stored = size["stored_bytes"]
    need = None
    if stored is not None and servers:
        both = {"source": max(1, len(size["stored_bytes_by_server"])), "target": servers}
        need = round(stored * replication_ratio(context, collections, counts, both) * TARGET_RESERVE / servers)
    least = min(free) if free and len(free) == len(metrics) else None
    return {
        "dbservers": servers,
        "need_bytes_per_server": need,
        "least_free_bytes": least,
        "fits": None if need is None or least is None else need <= least,
        "deployment": _deployment(context, need),
    }


def _deployment(context: Context, need: Optional[int]) -> Optional[dict[str, Any]]:
    """Sizes as the platform tells them (in gigabytes); None where the target is no deployment, or tells none."""
    about = context.environment.deployment or {}
    sizes = (about.get("deployment") or {}).get("size") or {}
    if not sizes:
        return None
    disk = float(sizes.get("dbserver_disk_size") or 0) * _GIGABYTE or None
    memory = float(sizes.get("dbserver_memory_size") or 0) * _GIGABYTE or None
    return {
        "dbservers": sizes.get("dbservers"),
        "disk_bytes_per_server": disk,
        "memory_bytes_per_server": memory,
        "fits": None if need is None or disk is None else need <= disk,
    }


def _copy(context: Context, size: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds of the copy: as fast as the source was read, or as the request's load allows outside of its windows."""
    rate: Optional[float] = size["read_bytes_per_second"]
    tuning = context.spec.tuning
    limit = replace(tuning, windows=()).at(0.0).mb_per_second
    limited_by = "reading of the source"
    if limit is not None and rate is not None and limit * MEGABYTE < rate:
        rate, limited_by = limit * MEGABYTE, "load" if tuning.mb_per_second is None else "mb_per_second"
    known = rate and size["copied_bytes"] is not None
    return {
        "bytes_per_second": rate,
        "limited_by": limited_by if rate else None,
        "seconds": round(size["copied_bytes"] / rate, 1) if known and rate else None,
    }


def _log(observed: Optional[Observed], collections: list[Collection], seconds: Optional[float]) -> dict[str, Any]:
    """Growth of the logs and of spools, and how long the fullest disk can take it."""
    found: dict[str, Any] = dict.fromkeys((
        "writes_per_second", "markers_bytes_per_second", "growth_bytes_per_second", "spool_bytes",
        "kept_bytes_by_server", "runway_seconds",
    ))  # fmt: skip
    if observed is None:
        return found
    before = {name: metrics_of(one.metrics) for name, one in observed.before.items()}
    after = {name: metrics_of(one.metrics) for name, one in observed.after.items()}
    if all(_WRITES in one for one in (*before.values(), *after.values())):
        writes = sum(after[name][_WRITES] - before[name][_WRITES] for name in after)
        found["writes_per_second"] = round(max(0.0, writes) / observed.seconds, 2)
    growth = {name: _growth(before[name], after[name], observed.seconds) for name in after}
    # Files grow in steps: sizes that did not move although there were writes say nothing.
    moved = any(growth.values()) or not found["writes_per_second"]
    if growth and moved and all(rate is not None for rate in growth.values()):
        rates = {name: float(rate or 0.0) for name, rate in growth.items()}
        found["growth_bytes_per_second"] = round(sum(rates.values()))
        found["runway_seconds"] = min(
            (after[name][FREE] / rate for name, rate in rates.items() if rate > 0 and FREE in after[name]), default=None
        )
        if seconds is not None:
            found["kept_bytes_by_server"] = {name: round(rate * seconds) for name, rate in rates.items()}
    markers = log_bytes_per_second(observed, collections)
    if markers is not None:
        found["markers_bytes_per_second"] = round(markers)
        found["spool_bytes"] = None if seconds is None else round(markers * seconds)
    return found


def _growth(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> Optional[float]:
    """Bytes in a second by which a server's log files have grown; None where some were removed meanwhile."""
    if not all(name in one for name in _LOGS for one in (before, after)):
        return None
    grown = sum(after[name] - before[name] for name in _LOGS)
    return grown / seconds if grown >= 0 else None


def _downtime(
    context: Context, collections: list[Collection], counts: Optional[Mapping[str, int]]
) -> dict[str, Any]:
    """The band of a cutover's write downtime before anything was rehearsed; the agent tells it anew all the time."""
    spec = context.spec
    # Unknown numbers of documents take the whole time that is allowed for checksums.
    documents = 10**12 if counts is None else sum(counts.values())
    parts = estimate.parts(
        documents=documents, collections=len(collections), checksum_seconds=spec.checksum_seconds, lag_seconds=None,
        measured={}, time_scale=1.0,
    )  # fmt: skip
    band = estimate.total(parts)
    return {**band, "max_downtime": spec.max_downtime, "fits": band["high"] <= spec.max_downtime}
