# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gate of the cutover: every blocker at once, each with its remedy, and the expected downtime (design §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from .._core.catalogue import lookup
from . import estimate
from .fence import MIXED, summary
from .shards import ShardState

_CALM = frozenset({ShardState.IN_SYNC})


@dataclass(frozen=True)
class Facts:
    """What the gate looks at, all from memory but ``modes``, which is read for a real attempt only."""

    shards: Mapping[ShardState, int]
    lag_seconds: Optional[float]
    max_lag: float
    recheck_pending: int
    indexes_missing: int
    unexplained_shards: int
    findings: Sequence[Mapping[str, Any]]
    users_current: bool
    paused: bool
    waiting: Optional[str]
    documents: int
    max_downtime: float
    modes: Optional[Mapping[str, str]] = None
    modes_error: Optional[str] = None
    checksum_seconds: float = 2.0
    unverified: Sequence[str] = ()
    measured: Mapping[str, float] = field(default_factory=dict)
    time_scale: float = 1.0
    collections: int = 0
    quiet_seconds: float = 0.0
    guard_missing: bool = False
    keys: Optional[str] = None
    keys_known: bool = True
    open_jobs: int = 0


KEYS_UNKNOWN = "CUT-KEYS-2"


def blocker(code: str, text: str, remedy: Optional[str] = None) -> dict[str, str]:
    """One entry of ``cutover.blockers``."""
    return {"code": code, "text": text, "remedy": lookup(code).remedy if remedy is None else remedy}


def blockers(facts: Facts) -> list[dict[str, str]]:
    """All reasons why the cutover may not begin now; empty when it may."""
    found = []
    open_shards = {state.value: count for state, count in facts.shards.items() if state not in _CALM and count}
    if open_shards:
        text = ", ".join(f"{count} {state}" for state, count in open_shards.items())
        found.append(blocker("CUT-GATE-2", f"shards that are not in sync: {text}"))
    unfinished = {
        "snapshots that other agents may still be copying": facts.open_jobs,
        "shards in the logs that no definition explains yet": facts.unexplained_shards,
    }
    found.extend(blocker("CUT-GATE-2", f"{count} {what}") for what, count in unfinished.items() if count)
    if facts.lag_seconds is None or facts.lag_seconds > facts.max_lag:
        lag = "unknown" if facts.lag_seconds is None else f"{facts.lag_seconds:.1f} s"
        found.append(blocker("CUT-GATE-3", f"the lag is {lag}, allowed are {facts.max_lag:g} s"))
    if facts.recheck_pending:
        found.append(blocker("CUT-GATE-4", f"{facts.recheck_pending} writes of unknown outcome are to be read back"))
    if facts.indexes_missing:
        found.append(blocker("CUT-GATE-5", f"{facts.indexes_missing} indexes are still to be built"))
    for item in facts.findings:
        found.append(blocker(str(item["code"]), f"{item['where']}: {item['message']}", str(item["remedy"])))
    if not facts.users_current:
        found.append(blocker("CUT-GATE-11", "the users on the target are not what they must be yet"))
    found.extend(blocker("CUT-VERIFY-10", text) for text in facts.unverified)
    if facts.keys is not None:
        found.append(blocker("CUT-KEYS-1" if facts.keys_known else KEYS_UNKNOWN, facts.keys))
    if facts.paused:
        found.append(blocker("CUT-GATE-9", "the migration is paused"))
    if facts.waiting is not None:
        found.append(blocker("CUT-GATE-10", f"waiting for {facts.waiting}"))
    found.extend(_host_blockers(facts))
    found.extend(_mode_blockers(facts))
    expected = predicted_downtime(facts)
    if expected["low"] > facts.max_downtime:
        text = f"at least {expected['low']:.0f} s are expected, max_downtime is {facts.max_downtime:g} s"
        found.append(blocker("CUT-GATE-8", text))
    return found


def _host_blockers(facts: Facts) -> list[dict[str, str]]:
    found = []
    if facts.quiet_seconds > 0:
        text = f"who took the last way back may still lift a fence for {facts.quiet_seconds:.0f} s"
        found.append(blocker("CUT-GATE-12", text))
    if facts.guard_missing:
        found.append(blocker("CUT-GATE-13", "no guard runs on the agent's host, and require_guard is set"))
    return found


def _mode_blockers(facts: Facts) -> list[dict[str, str]]:
    if facts.modes_error is not None:
        return [blocker("CUT-GATE-7", f"the mode of the source's servers cannot be read: {facts.modes_error}")]
    if facts.modes is not None and summary(facts.modes) == MIXED:
        return [blocker("CUT-GATE-7", f"the source's servers show different modes: {dict(facts.modes)}")]
    return []


def predicted_downtime(facts: Facts) -> dict[str, float]:
    """Expected seconds without writes: low, mid and high; from measured figures where there are any."""
    return estimate.total(
        estimate.parts(
            documents=facts.documents,
            checksum_seconds=facts.checksum_seconds,
            collections=facts.collections,
            lag_seconds=facts.lag_seconds,
            measured=facts.measured,
            time_scale=facts.time_scale,
        )
    )
