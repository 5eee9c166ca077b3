# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether to give way, and why: one pure decision from what independent collectors measured (design §4.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Optional

from .load import Budget

MIB = 1024 * 1024
# Shares of a source server's disk: free at least, and taken by the log that is kept for us at most.
LOW_SHARE = 0.1
KEPT_SHARE = 0.25
# A reason that holds goes only when its value has come back so far.
_EASED = 0.8
# Replication that is so far behind needs the target for itself.
_LAG_SECONDS = 300.0


@dataclass(frozen=True)
class Signals:
    """What was measured; None = not known, which never is a reason. Sizes are bytes, durations seconds."""

    agent_free: Optional[int] = None
    source_free_share: Optional[float] = None
    source_log_growth: Optional[float] = None
    source_queue: Optional[float] = None
    target_queue: Optional[float] = None
    lag: Optional[float] = None
    bandwidth_used_up: Optional[float] = None
    operations_used_up: Optional[float] = None


@dataclass(frozen=True)
class Verdict:
    """The first reason to give way; ``hold``: copying stops, else it is only slower."""

    reason: str
    metric: str
    value: float
    threshold: float
    hold: bool = False


def beyond(value: float, threshold: float, *, below: bool = False, held: bool) -> bool:
    """Whether a value is above its threshold (or ``below`` it); one that was just before has to come back clearly."""
    share = _EASED if held else 1.0
    return value * share < threshold if below else value > threshold * share


@dataclass(frozen=True)
class Rule:
    """A reason: the metric's value is ``above`` or ``below`` its threshold, or is ``given`` at all.

    A threshold of None switches it off.
    """

    reason: str
    metric: str
    value: Callable[[Signals], Optional[float]]
    threshold: Callable[[Budget], Optional[float]]
    sense: str = "above"
    hold: bool = False

    def judge(self, signals: Signals, budget: Budget, held: bool) -> Optional[Verdict]:
        """The verdict if it is a reason now; ``held``: it was one just before."""
        value, threshold = self.value(signals), self.threshold(budget)
        if value is None or threshold is None:
            return None
        reached = self.sense == "given" or beyond(value, threshold, below=self.sense == "below", held=held)
        return Verdict(self.reason, self.metric, value, threshold, self.hold) if reached else None


# The first one that holds is shown and obeyed: what can do harm comes before what is only polite.
RULES = (
    Rule("the agent's disk is nearly full", "agent_free_bytes", lambda signals: signals.agent_free,
         lambda _: 256.0 * MIB, sense="below", hold=True),
    Rule("a source server's disk is nearly full", "source_free_share", lambda signals: signals.source_free_share,
         lambda _: LOW_SHARE, sense="below", hold=True),
    Rule("a source server's log grows on its disk because of us", "source_log_growth_share",
         lambda signals: signals.source_log_growth, lambda _: KEPT_SHARE, hold=True),
    Rule("the source's servers are busy", "source_queue_seconds", lambda signals: signals.source_queue,
         lambda budget: budget.queue_seconds),
    Rule("the target's servers are busy", "target_queue_seconds", lambda signals: signals.target_queue,
         lambda budget: budget.queue_seconds),
    Rule("replication is far behind", "lag_seconds", lambda signals: signals.lag, lambda _: _LAG_SECONDS),
    Rule("the limit of bandwidth", "mb_per_second", lambda signals: signals.bandwidth_used_up,
         lambda budget: budget.mb_per_second, sense="given"),
    Rule("the limit of operations", "operations_per_second", lambda signals: signals.operations_used_up,
         lambda budget: budget.operations_per_second, sense="given"),
)  # fmt: skip


def decide(signals: Signals, budget: Budget, before: Optional[Verdict] = None) -> Optional[Verdict]:
    """The first reason that holds, None without any; ``before`` is the verdict until now."""
    for rule in RULES:
        verdict = rule.judge(signals, budget, before is not None and before.reason == rule.reason)
        if verdict is not None:
            return verdict
    return None


def document(verdict: Optional[Verdict], since: Optional[str], load: str) -> dict[str, Any]:
    """``throttle`` of the status document (design §9)."""
    return {
        "active": verdict is not None,
        "reason": verdict.reason if verdict else None,
        "metric": verdict.metric if verdict else None,
        "value": round(verdict.value, 3) if verdict else None,
        "threshold": verdict.threshold if verdict else None,
        "since": since,
        "load": load,
    }
