# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines that come again in each round: logged at once, then after growing pauses, with how often they came."""

from __future__ import annotations

import logging
from typing import Optional

from .clock import SYSTEM_CLOCK, Clock

FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3600.0


class Repeats:
    """What is told by one place of the program; for one thread. Durations are seconds."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._told: dict[str, _Told] = {}

    def line(self, key: str, text: str) -> Optional[str]:
        """The text to log now for what came again under ``key``; None while it rests."""
        now = self._clock.monotonic()
        told = self._told.get(key)
        if told is None:
            self._told[key] = _Told(now + FIRST_PAUSE)
            return text
        told.count += 1
        if now < told.next:
            return None
        told.pause = min(2 * told.pause, LONGEST_PAUSE)
        told.next = now + told.pause
        return f"{text} (came {told.count} times by now)"

    def log(self, log: logging.Logger, level: int, key: str, text: str) -> None:
        """Log what ``line`` gives."""
        line = self.line(key, text)
        if line is not None:
            log.log(level, "%s", line)

    def forget(self) -> None:
        """It is over: the next one is told at once."""
        self._told.clear()


class _Told:
    """When a line is due again, and how often it came."""

    def __init__(self, following: float) -> None:
        self.next = following
        self.pause = FIRST_PAUSE
        self.count = 1
