# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks at the status all the time, so that events and curves exist whether or not somebody looks at the page."""
from __future__ import annotations

import logging
import threading
from typing import Any, Callable

from .._core.clock import SYSTEM_CLOCK, Clock
from .events import Changes, EventLog
from .history import SAMPLE_SECONDS, History

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.5


class Watcher:
    """One thread from ``start`` to ``close``."""

    def __init__(
        self,
        status: Callable[[], dict[str, Any]],
        events: EventLog,
        history: History,
        clock: Clock = SYSTEM_CLOCK,
        max_lag: float | None = None,
    ) -> None:
        self._status = status
        self._events = events
        self._history = history
        self._changes = Changes(events, max_lag)
        self._clock = clock
        self._sampled: float | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def look(self) -> None:
        """One look; a status that cannot be had now is looked at again later."""
        status = self._status()
        self._changes.look(status)
        now = self._clock.monotonic()
        if self._sampled is None or now - self._sampled >= SAMPLE_SECONDS:
            self._sampled = now
            self._history.add(now, status)

    def _run(self) -> None:
        while not self._end.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:
                LOG.exception("the status could not be looked at")

    def close(self) -> None:
        """End the thread and every stream of events."""
        self._end.set()
        self._events.close()
        if self._thread.is_alive():
            self._thread.join(5.0)
