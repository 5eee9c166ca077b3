# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The switch table of fault classes: what can go wrong during a run, in which phases, and whether it is drawn at all.

How each one is done stands in faults.py, under the same name.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["JOINED", "KINDS", "OFF_VERBS", "PHASES", "PRESETS", "Fields", "Kind"]

Fields = dict[str, Any]
Draw = Callable[[random.Random], Fields]
COPY, RUNNING, CUTOVER = "copy", "running", "cutover"
PHASES = (COPY, RUNNING, CUTOVER)
# Answers that a server or a front-end gives in place of its own (facts §7.8). `late`: it carries the request out after
# its own repetition; the others have not touched anything.
PRESETS = {
    "queue-full": "never", "queue-time": "never", "cluster-timeout": "late", "lock-timeout": "never",
    "leader-resigned": "never", "leadership-challenge": "never", "not-leader": "never",
    "backend-unavailable": "never", "shutting-down": "never", "write-write-conflict": "never",
    "too-many-requests": "never", "bad-gateway": "late", "unavailable": "never", "gateway-timeout": "late",
}


# They copy, and do nothing later.
JOINED_PHASES = (COPY, COPY, COPY, RUNNING, CUTOVER)
WITH_AGENTS = "drawn with --agents, where agents join"
# What the architect of the workload does not do in these runs, and why.
OFF_VERBS = {"change_replication": "replication is the target's own once a collection was made"}


@dataclass(frozen=True)
class Kind:
    """A class of faults; `off` says why it is not drawn, empty means that it is."""

    name: str
    draw: Draw
    phases: tuple[str, ...] = PHASES
    weight: int = 2
    off: str = ""


def nothing(_draw: random.Random) -> Fields:
    """No choice to make."""
    return {}


def server(draw: random.Random) -> Fields:
    """One of the servers, by number."""
    return {"number": draw.randrange(12)}


def sided(draw: random.Random) -> Fields:
    """One of the servers of either side."""
    return {"side": draw.choice(["source", "target"]), "number": draw.randrange(12)}


def shard(draw: random.Random) -> Fields:
    """One of the shards, by number."""
    return {"number": draw.randrange(1000)}


def lost(draw: random.Random) -> Fields:
    """Requests that are carried out, later, or never, and never answered."""
    return {"run": draw.choice(["late", "late", "now", "never"]), "probability": draw.choice([0.03, 0.1, 0.3])}


def refused(draw: random.Random) -> Fields:
    """Errors in place of answers."""
    return {"preset": draw.choice(sorted(PRESETS)), "probability": draw.choice([0.03, 0.1, 0.3])}


def broken(draw: random.Random) -> Fields:
    """Answers that do not arrive as they were sent."""
    kind: Fields = draw.choice(
        [
            {"fault": "cut", "after": draw.random()},
            {"fault": "stall", "after": draw.random(), "seconds": draw.uniform(0.2, 2.0)},
            {"fault": "content_length", "delta": draw.choice([-7, 9, 1000])},
            {"fault": "delay", "seconds": draw.uniform(0.05, 0.5)},
            {"fault": "slow_answer", "seconds": draw.uniform(0.05, 0.5)},
            {"fault": "drip", "bytes_per_second": draw.choice([2000, 20000])},
        ]
    )
    return {**kind, "probability": draw.choice([0.03, 0.1])}


def agent_death(draw: random.Random) -> Fields:
    """How long the agent is gone."""
    return {"away": draw.choice([0.0, 0.5, 2.0])}


def frozen(draw: random.Random) -> Fields:
    """Shorter or longer than the lease lasts."""
    return {"away": draw.choice([1.0, 3.0, 9.0])}


def skew(draw: random.Random) -> Fields:
    """A clock that is wrong by so many seconds."""
    return {"number": draw.randrange(12), "seconds": draw.choice([-40.0, -3.0, 3.0, 40.0])}


def capacity(draw: random.Random) -> Fields:
    """Requests a second that coordinators manage."""
    return {"side": draw.choice(["source", "target"]), "capacity": draw.choice([150, 400])}


def seeded(draw: random.Random) -> Fields:
    """A number that decides what moves where."""
    return {"seed": draw.randrange(1000)}


def takeover(draw: random.Random) -> Fields:
    """Whether the first agent is dead, or only stands still and comes back."""
    return {"frozen": draw.random() < 0.5}


def joined(draw: random.Random) -> Fields:
    """One of the agents that copy for another one, and how long it is gone: shorter or longer than its lease lasts."""
    return {"number": draw.randrange(12), "away": draw.choice([0.5, 3.0, 9.0])}


def damage(draw: random.Random) -> Fields:
    """A document of the target that is changed in silence."""
    return {"fault": draw.choice(["drop_document", "add_document", "revert_document"]), "number": draw.randrange(1000)}


KINDS = {
    kind.name: kind
    for kind in (
        Kind("lost_answers_of_target", lost, weight=4),
        Kind("lost_answers_of_source", lost),
        Kind("lost_answers_to_users", lost),
        Kind("errors_of_target", refused, weight=4),
        Kind("errors_of_source", refused, weight=3),
        Kind("broken_answers_of_target", broken, weight=3),
        Kind("broken_answers_of_source", broken, weight=4),
        Kind("kill_coordinator", sided),
        Kind("kill_dbserver", sided),
        Kind("restart_dbserver", sided),
        Kind("new_data_directory", server, (COPY, RUNNING)),
        Kind("fail_over", server),
        Kind("lagging_fail_over", shard),
        Kind("move_leader", shard),
        Kind("move_shard", shard),
        Kind("rebalance", seeded),
        Kind("clean_out_server", server, (COPY, RUNNING), weight=1),
        Kind("add_server", nothing, (COPY, RUNNING), weight=1),
        Kind("purge_wal", server),
        Kind("stale_coordinator", server),
        Kind("overload", capacity),
        Kind("clock_skew", skew),
        Kind("license_readonly_of_source", nothing, (COPY, RUNNING)),
        Kind("license_readonly_of_target", nothing),
        Kind("full_disk", sided),
        Kind("late_mode", server, (CUTOVER,), weight=3),
        Kind("agent_killed", agent_death, weight=5),
        Kind("agent_frozen", frozen, weight=2),
        Kind("take_over", takeover, weight=3),
        Kind("silent_damage", damage, (RUNNING,), weight=2),
        Kind("joined_killed", joined, JOINED_PHASES, off=WITH_AGENTS),
        Kind("joined_frozen", joined, JOINED_PHASES, off=WITH_AGENTS),
        Kind("joined_stopped", joined, JOINED_PHASES, off=WITH_AGENTS),
    )
}
# What hits agents that have joined.
JOINED = tuple(name for name, kind in KINDS.items() if kind.off == WITH_AGENTS)
