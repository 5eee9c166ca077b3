# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Time: clocks that tests can replace, deadlines and growing pauses. All durations are seconds."""

from __future__ import annotations

import random
import time
from typing import Optional, Protocol


class Clock(Protocol):
    """What is asked of a clock."""

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""

    def wall(self) -> float:
        """Seconds since 1970 by the machine's calendar clock."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """See ``Clock``."""
        return time.monotonic()

    def wall(self) -> float:
        """See ``Clock``."""
        return time.time()


SYSTEM_CLOCK = SystemClock()


class Deadline:
    """A moment on the monotonic clock; ``seconds`` None means never."""

    def __init__(self, seconds: Optional[float], clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._end = None if seconds is None else clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below 0; infinite without an end."""
        if self._end is None:
            return float("inf")
        return max(0.0, self._end - self._clock.monotonic())

    @property
    def expired(self) -> bool:
        """True once the moment is reached."""
        return self._end is not None and self._clock.monotonic() >= self._end

    def within(self, seconds: float) -> Deadline:
        """A deadline at most ``seconds`` from now and never after this one."""
        return Deadline(min(seconds, self.remaining()), self._clock)


class Every:
    """Says when something is due again; seconds by the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: Optional[float] = None

    def due(self, seconds: float) -> bool:
        """Whether so many seconds have passed since ``done``."""
        return self._last is None or self._clock.monotonic() - self._last >= seconds

    def done(self) -> None:
        """Begin to count."""
        self._last = self._clock.monotonic()


class Backoff:
    """Pauses that grow by ``factor`` from ``first`` up to ``cap``, each drawn from the upper half of its range."""

    def __init__(
        self,
        first: float = 0.2,
        cap: float = 30.0,
        factor: float = 2.0,
        rng: Optional[random.Random] = None,
    ) -> None:
        if first <= 0 or cap < first or factor < 1:
            raise ValueError("a back-off needs 0 < first <= cap and factor >= 1")
        self._first = first
        self._cap = cap
        self._factor = factor
        # One of its own would be seeded anew by the kernel for every request.
        self._random = random.random if rng is None else rng.random
        self._next = first

    def next(self) -> float:
        """The pause to make now; the following one will be longer."""
        pause = self._next
        self._next = min(self._cap, self._next * self._factor)
        return pause * (0.5 + 0.5 * self._random())

    def reset(self) -> None:
        """Begin with the first pause again (after a success)."""
        self._next = self._first
