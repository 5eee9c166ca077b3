# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of sizes: servers, disks, limits. Disk sizes come from metrics, so ``ignore_metrics`` softens them."""

from __future__ import annotations

from typing import Any

from .context import Context
from .measure import FREE, TOTAL, data_size
from .outcome import Outcome, Row, bad, gibibytes, good, listed, unknown

# The source keeps its log for the migration: it needs room for that.
_SOURCE_FREE_SHARE = 0.1
_SOURCE_FREE_LEAST = 2 * 2**30
# Compaction, the log and indexes that are built need room on top of the data.
TARGET_RESERVE = 1.3


def _source_disk(context: Context) -> Outcome:
    tight: dict[str, str] = {}
    free: dict[str, float] = {}
    for name, metrics in context.source.metrics().items():
        if FREE not in metrics:
            return unknown(f"{name} has no metric {FREE}")
        free[name] = metrics[FREE]
        if metrics[FREE] < max(_SOURCE_FREE_LEAST, _SOURCE_FREE_SHARE * metrics.get(TOTAL, 0.0)):
            tight[name] = gibibytes(metrics[FREE])
    if tight:
        return bad(f"little free disk: {listed([f'{name} has {size}' for name, size in tight.items()])}", free=free)
    return good("the source's DB-Servers have room to keep their logs", free=free)


def _source_size(context: Context) -> float:
    sizes = {name: data_size(metrics) for name, metrics in context.source.metrics().items()}
    missing = [name for name, size in sizes.items() if size is None]
    if missing:
        raise ValueError(f"no metric of the data size on {listed(missing)}")
    return sum(size for size in sizes.values() if size is not None)


def _target_disk(context: Context) -> Outcome:
    size = _source_size(context)
    metrics = context.target.metrics()
    if not metrics or any(FREE not in one for one in metrics.values()):
        return unknown(f"not every DB-Server of the target gives the metric {FREE}")
    # Data is spread evenly at best: the server with the least room decides.
    need = size * TARGET_RESERVE / len(metrics)
    least = min(one[FREE] for one in metrics.values())
    measured: dict[str, Any] = {"need_per_server": need, "least_free": least, "source_size": size}
    if least < need:
        return bad(
            f"a DB-Server of the target has {gibibytes(least)} free, about {gibibytes(need)} are needed on each",
            **measured,
        )
    return good(f"each DB-Server of the target has at least {gibibytes(least)} free", **measured)


def _license_size(context: Context) -> Outcome:
    usage = context.target.license().get("diskUsage")
    if not usage:
        return good("the target's license has no size limit")
    size, limit, used = _source_size(context), float(usage["bytesLimit"]), float(usage["bytesUsed"])
    measured: dict[str, Any] = {"source_size": size, "limit": limit, "used": used}
    if used + size > limit:
        return bad(f"{gibibytes(used + size)} would exceed the license's {gibibytes(limit)}", **measured)
    return good(f"the license's limit of {gibibytes(limit)} is not reached", **measured)


def _dbservers(context: Context) -> Outcome:
    largest, where = 1, "none"
    for one in context.collections():
        factor = context.spec.shape.overrides.collection(one.database, one.parameters).get("replicationFactor")
        if isinstance(factor, int) and factor > largest:
            largest, where = factor, one.label
    count = len(context.target.members("dbserver"))
    if count < largest:
        return bad(
            f"the target has {count} DB-Servers, but {where} needs {largest} replicas",
            dbservers=count,
            replication_factor=largest,
        )
    return good(f"{count} DB-Servers for at most {largest} replicas", dbservers=count, replication_factor=largest)


def _scale(context: Context) -> Outcome:
    collections = context.collections()
    shards = sum(len(one.parameters.get("shards") or {}) for one in collections)
    databases = len(context.source.inventory())
    measured: dict[str, Any] = {"databases": databases, "collections": len(collections), "shards": shards}
    if shards > 10_000:
        return bad(f"{shards} shards are more than is planned for (10,000)", **measured)
    return good(f"{databases} databases, {len(collections)} collections, {shards} shards", **measured)


ROWS = (
    Row(
        "capacity-source-disk", "capacity", "error", "The source has room to keep its write-ahead logs", _source_disk,
        "Free disk space on the source's DB-Servers, or set ignore_metrics if you know better.", metric=True,
        why="The source keeps its log until it was applied. Needed: the larger of 2 GiB and 10 % of the "
        "disk, free on each DB-Server.",
    ),
    Row(
        "capacity-target-disk", "capacity", "error", "The target has room for the data", _target_disk,
        "Choose larger disks or more DB-Servers, or set ignore_metrics if you know better.", metric=True,
        why="Needed on each DB-Server: live data of all DB-Servers of the source × 1.3 ÷ number of DB-"
        "Servers of the target. Indexes and replicas are in the source's figure.",
    ),
    Row(
        "capacity-license", "capacity", "error", "The data fits into the target's license", _license_size,
        "Use a licensed target; the Community Edition becomes read-only over 100 GiB.", metric=True,
        why="Used bytes and the source's live data together must stay under the license's limit.",
    ),
    Row(
        "capacity-dbservers", "capacity", "error", "The target has as many DB-Servers as the largest replicationFactor",
        _dbservers, "Add DB-Servers to the target, or set replication_factor.",
        why="A collection cannot have more replicas than there are DB-Servers.",
    ),
    Row(
        "capacity-scale", "capacity", "warning", "The number of shards is within what is planned for", _scale,
        "Rehearse first; expect more memory on the agent's host.",
        why="The agent's memory and load are planned for up to 10,000 shards.",
    ),
)  # fmt: skip
