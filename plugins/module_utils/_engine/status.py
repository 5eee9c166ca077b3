# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The status document (design §9): one object for API, modules, command line, page and report. No secrets."""

from __future__ import annotations

from typing import Any, Optional

from .._core.clock import SYSTEM_CLOCK, Clock
from . import gate, states, throttle
from .attempt import steps_document
from .cleanup import DONE
from .dataplane_types import Progress
from .eta import bytes_in_all, seconds_left
from .fence import READONLY, summary
from .load import Load
from .migration import Migration
from .shards import ShardState
from .source_disks import SourceDisks
from .times import stamp

SCHEMA = 1
_SHARD_NAMES = {
    ShardState.PENDING: "pending",
    ShardState.COPYING: "copying",
    ShardState.CATCHING_UP: "catching_up",
    ShardState.IN_SYNC: "in_sync",
    ShardState.HELD: "held",
    ShardState.SUSPECT: "suspect",
}
# The rate of the last moments says little about large collections to come.
_ETA_BAND = (0.7, 1.0, 1.6)
_BUSY_STATES = (states.INITIALIZING, states.INITIAL_SYNC, states.RUNNING, states.STOPPING)

_NO_DISK = dict.fromkeys(("disk_free_share", "log_growth_share", "retention_runway_seconds"))


def inactive(clock: Clock = SYSTEM_CLOCK) -> dict[str, Any]:
    """The document when no migration was ever started here."""
    document = _empty(clock)
    document["allowed_actions"] = states.allowed_actions(states.INACTIVE, False)
    return document


def with_age(document: dict[str, Any], clock: Clock = SYSTEM_CLOCK) -> dict[str, Any]:
    """A copy that says how old the snapshot is."""
    age = max(0.0, clock.wall() - document["at_seconds"])
    shown = {name: value for name, value in document.items() if name != "at_seconds"}
    return {**shown, "age_seconds": round(age, 3)}


def _empty(clock: Clock) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "migration": None,
        "at": stamp(clock.wall()),
        "at_seconds": clock.wall(),
        "age_seconds": 0.0,
        "state": states.INACTIVE,
        "since": None,
        "pause": {"state": "none", "by": None, "reason": None, "since": None},
        "waiting": {"for": None, "since": None},
        "reason": None,
        "allowed_actions": [],
        "progress": _progress(None, None),
        "replication": _replication(None),
        "shards": {**dict.fromkeys(_SHARD_NAMES.values(), 0), "total": 0},
        "verification": None,
        "throttle": throttle.document(None, None, Load().load),
        "cutover": {
            "ready": False,
            "blockers": [],
            "predicted_downtime_seconds": None,
            "step": None,
            "steps": [],
            "last_attempt": None,
            "attempts": 0,
        },
        "source": {"mode": None},
        "target": {"mode": None},
        "workers": [],
        "joined": None,
        "problems": [],
        "findings_total": 0,
        "late_indexes": {"pending": 0, "built": 0, "failed": 0},
        "limits": {},
        "totals": {"errors": 0, "retries": 0, "recopies": 0, "restarts": 0},
        "links": {},
    }


def build(migration: Migration, clock: Clock = SYSTEM_CLOCK) -> dict[str, Any]:
    """The document of a migration, from memory only."""
    document = _empty(clock)
    spec = migration.spec
    paused, waiting, reason = migration.pause.value, migration.waiting, migration.reason
    state = migration.state
    facts = migration.facts()
    document.update(
        migration={"id": migration.id, "name": spec.name, "config_digest": spec.config_digest},
        state=state,
        since=migration.since,
        allowed_actions=states.allowed_actions(state, paused is not None, migration.cleanup != DONE),
        problems=[*migration.findings.problems(), *(migration.guard.problems() if state in _BUSY_STATES else ())],
        findings_total=len(migration.findings.all()),
        late_indexes=migration.late.counts() if migration.late else dict(migration.late_counts),
        cutover=_cutover(migration, facts),
        limits={"max_downtime": spec.max_downtime, "max_lag": spec.max_lag, **migration.load.shown(clock.wall())},
    )
    document["pause"] = _pause(migration) or document["pause"]
    if waiting is not None:
        document["waiting"] = {"for": waiting[0], "since": waiting[1]}
    if state == states.FAILED and reason is not None:
        document["reason"] = {"code": reason.code, "text": reason.message, "remedy": reason.remedy}
    _add_parts(document, migration)
    return document


def _pause(migration: Migration) -> Optional[dict[str, Any]]:
    """``pause`` of the document; None without one. The operator's comes before that of the protection."""
    running, paused = migration.running, migration.pause.value
    if paused is None:
        return running.protection.pause() if running else None
    state = "paused" if running is None or running.plane.rests else "pausing"
    return {"state": state, **paused}


def _add_parts(document: dict[str, Any], migration: Migration) -> None:
    world, running = migration.world, migration.running
    spec = migration.spec
    modes = running.modes if running else migration.modes
    mode = summary(modes) if modes else None
    document["source"] = {
        "endpoints": [endpoint.url for endpoint in spec.source_endpoints],
        "version": world.source.version if world else None,
        "cluster_id": world.source.cluster_id if world else None,
        "mode": mode or (READONLY if migration.state == states.COMPLETED else None),
    }
    document["target"] = {
        "endpoints": [endpoint.url for endpoint in spec.target_endpoints],
        "version": world.target_version_text if world else None,
        "mode": "open" if migration.state == states.COMPLETED else "closed",
    }
    if world is not None:
        document["workers"] = [world.lease.describe(), *(running.fleet.workers() if running else ())]
    progress = running.plane.progress() if running else migration.last_progress
    shards = running.plane.counts() if running else migration.last_shards
    if progress is None:
        return
    if running is not None:
        document["throttle"] = running.protection.document()
    document["verification"] = running.verifier.document() if running else migration.last_verification
    counts = {name: shards.get(state, 0) for state, name in _SHARD_NAMES.items()}
    document["shards"] = {**counts, "total": sum(counts.values())}
    document["progress"] = _progress(progress, document["shards"])
    document["replication"] = _replication(progress, running.disks if running else None)
    document["totals"] = {
        "errors": progress.errors,
        "retries": progress.retries,
        "recopies": progress.recopies,
        "restarts": max(0, world.lease.epoch - 1) if world else 0,
    }
    if running is not None and progress.waiting and document["waiting"]["for"] is None:
        document["waiting"] = {"for": progress.waiting[0], "since": None}


def _cutover(migration: Migration, facts: Optional[gate.Facts]) -> dict[str, Any]:
    attempt = migration.last_attempt
    cutover = migration.cutover
    if cutover is not None and cutover.attempt is not None:
        attempt = cutover.attempt
    blockers = gate.blockers(facts) if facts is not None and migration.state in _BUSY_STATES else []
    last = attempt.document() if attempt and attempt.result else None
    steps = steps_document(attempt)
    if attempt is None and migration.report is not None:
        last, steps = migration.report["attempt"], migration.report["steps"]
    side = migration.revocation or migration.rehearsal
    if cutover is None and side is not None:
        steps = side.steps.document()
    return {
        "ready": migration.state == states.RUNNING and facts is not None and not blockers,
        "blockers": blockers,
        "predicted_downtime_seconds": gate.predicted_downtime(facts) if facts else None,
        "step": cutover.step if cutover else side.steps.current if side else None,
        "steps": steps,
        "last_attempt": last,
        "attempts": migration.attempts,
    }


def _progress(progress: Optional[Progress], shards: Optional[dict[str, int]]) -> dict[str, Any]:
    percent = None
    if progress is not None and shards is not None:
        if progress.documents_total:
            percent = min(100.0, round(100.0 * progress.documents_copied / progress.documents_total, 1))
        elif shards["total"]:
            percent = round(100.0 * (shards["in_sync"] + shards["held"]) / shards["total"], 1)
        if shards["total"] and shards["in_sync"] + shards["held"] == shards["total"]:
            percent = 100.0
    total, rate = bytes_in_all(progress), progress.bytes_per_second if progress else None
    left = seconds_left(progress)
    if left is not None and percent == 100.0:
        left = 0.0
    eta = [None if left is None else round(left * share, 1) for share in _ETA_BAND]
    return {
        "percent": percent,
        "bytes_copied": progress.bytes_copied if progress else None,
        "bytes_total": total,
        "documents_copied": progress.documents_copied if progress else None,
        "documents_total": progress.documents_total if progress else None,
        "bytes_per_second": None if rate is None else round(rate),
        "eta_seconds": eta[1],
        "eta_low": eta[0],
        "eta_high": eta[2],
    }


def _replication(progress: Optional[Progress], disks: Optional[SourceDisks] = None) -> dict[str, Any]:
    servers = progress.servers if progress else {}
    runway = disks.runway if disks else None
    of_disks = disks.servers() if disks else {}
    return {
        "lag_seconds": progress.lag_seconds if progress else None,
        "operations_per_second": progress.operations_per_second if progress else None,
        "behind_bytes": progress.queued_bytes + progress.spooled_bytes if progress else None,
        "applied_total": progress.operations_applied if progress else None,
        "retention_runway_seconds": None if runway is None else round(runway, 1),
        "servers": [
            {
                "id": name,
                "read_tick": _text(position.read_tick),
                "last_tick": _text(position.last_tick),
                "restart_tick": _text(position.restart_tick),
                "lag_seconds": position.lag_seconds,
                "error": position.error,
                **of_disks.get(name, _NO_DISK),
            }
            for name, position in sorted(servers.items())
        ],
    }


def _text(tick: Optional[int]) -> Optional[str]:
    return None if tick is None else str(tick)
