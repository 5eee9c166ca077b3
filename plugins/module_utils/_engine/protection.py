# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks again and again at how both sides and this host bear the migration, and gives way (design §4.10)."""

from __future__ import annotations

import logging
import shutil
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, Optional, Protocol

from .._core.clock import SYSTEM_CLOCK, Clock
from .brake import MEGABYTE, Brake
from .dataplane_types import Progress
from .load import Load
from .looker import Looker
from .shards import ShardState
from .throttle import RULES, Signals, Verdict, decide, document
from .times import stamp

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
_LEAST_LOOK = 0.1
_TO_COPY = (ShardState.PENDING, ShardState.COPYING)


class Moving(Protocol):
    """What is asked of the data path."""

    brake: Brake

    def progress(self) -> Progress:
        """Counters, from memory."""

    def counts(self) -> Counter[ShardState]:
        """How many shards stand where."""


class Disks(Protocol):
    """What is known of the source's disks; None while nothing is."""

    @property
    def free_share(self) -> Optional[float]:
        """The free share of the fullest one."""

    @property
    def kept_share(self) -> Optional[float]:
        """The largest share of one by which a log has grown for us."""


class Protection(Looker):
    """One thread; the verdict and the limits in force are read by anybody."""

    def __init__(
        self,
        plane: Moving,
        source_queues: Callable[[], Mapping[str, float]],
        target_queue: Callable[[], float],
        state_directory: Path,
        set_verify_rate: Callable[[float], None],
        load: Load,
        disks: Disks,
        *,
        time_scale: float = 1.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        pause = max(_LEAST_LOOK, LOOK_SECONDS * time_scale)
        super().__init__("protection", pause, "what the migration puts on both sides")
        self._plane = plane
        self._source_queues = source_queues
        self._target_queue = target_queue
        self._state_directory = state_directory
        self._set_verify_rate = set_verify_rate
        self._load = load
        self._disks = disks
        self._clock = clock
        self._looking = threading.Lock()
        self._verdict: Optional[Verdict] = None
        self._since: Optional[str] = None

    def start(self, known: Mapping[str, Any]) -> None:
        """Look once, then again and again in the background. ``known`` is what ``as_value`` gave in a former life."""
        rule = next((rule for rule in RULES if rule.hold and rule.reason == known.get("held")), None)
        if rule is not None:
            # Only the reason counts: it goes when its value has come back clearly, as without the restart.
            self._verdict, self._since = Verdict(rule.reason, rule.metric, 0.0, 0.0, hold=True), known.get("since")
        self.begin()

    def tune(self, load: Load) -> None:
        """These limits from now on."""
        self._load = load
        if self._thread is not None:
            self.look()

    def look(self) -> None:
        """Measure, decide, and let the copy feel it."""
        with self._looking:
            brake, load = self._plane.brake, self._load
            budget = load.at(self._clock.wall())
            brake.tune(budget)
            self._set_verify_rate(budget.verify_rate)
            sources, target = self._source_queues(), self._target_queue()
            brake.adapt(sources, target)
            signals = self._signals(sources, target)
            verdict = decide(signals, budget, self._verdict)
            brake.hold(verdict is not None and verdict.hold)
            self._show(verdict)

    def document(self) -> dict[str, Any]:
        """``throttle`` of the status document."""
        return document(self._verdict, self._since, self._load.load)

    def pause(self) -> Optional[dict[str, Any]]:
        """``pause`` of the status document (design §9) while the copy is held, else None."""
        verdict = self._verdict
        if verdict is None or not verdict.hold:
            return None
        state = "paused" if self._plane.brake.idle else "pausing"
        reason = f"copying rests, what is written is still followed: {verdict.reason}"
        return {"state": state, "by": "protection", "reason": reason, "since": self._since}

    def as_value(self) -> dict[str, Any]:
        """For the journal: what a restart must not forget."""
        verdict = self._verdict
        held = verdict.reason if verdict is not None and verdict.hold else None
        return {"held": held, "since": self._since if held else None}

    def _signals(self, sources: Mapping[str, float], target: float) -> Signals:
        progress = self._plane.progress()
        counts = self._plane.counts()
        copying = any(counts[state] for state in _TO_COPY)
        bandwidth, operations = self._plane.brake.used_up()
        return Signals(
            agent_free=_free(self._state_directory),
            source_free_share=self._disks.free_share,
            source_log_growth=self._disks.kept_share,
            source_queue=max(sources.values(), default=None),
            target_queue=target,
            lag=progress.lag_seconds if copying else None,
            bandwidth_used_up=progress.bytes_per_second / MEGABYTE if bandwidth else None,
            operations_used_up=progress.operations_per_second if operations else None,
        )

    def _show(self, verdict: Optional[Verdict]) -> None:
        before, self._verdict = self._verdict, verdict
        if (before.reason if before else None) == (verdict.reason if verdict else None):
            return
        self._since = stamp(self._clock.wall()) if verdict else None
        if verdict is None:
            LOG.info("no reason to give way any more")
        else:
            LOG.info("giving way: %s (%s %s, %s)", verdict.reason, verdict.metric, verdict.value, verdict.threshold)


def _free(directory: Path) -> Optional[int]:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None
