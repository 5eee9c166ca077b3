# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's time: it can be moved forward, and shown wrongly; work that is due later waits for it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable

Step = Callable[[], "Awaitable[None] | None"]
_BEAT = 0.02  # seconds between two looks at what is due


class Clock:
    """Seconds since 1970; `skew` is added to every time that is shown, and does not make anything happen."""

    def __init__(self, time_scale: float = 1.0) -> None:
        self.skew = 0.0
        self._time_scale = time_scale
        self._advanced = 0.0
        self._due: float | None = None  # the moment of the step that is done just now
        self._waiting: list[tuple[float, int, Step]] = []
        self._serial = itertools.count()
        self._lock = asyncio.Lock()

    def now(self) -> float:
        """The true time of the emulated world."""
        return time.time() + self._advanced if self._due is None else self._due

    def after(self, seconds: float, step: Step) -> None:
        """Do something when the work of so many seconds, times `time_scale`, is done."""
        self.at(self.now() + seconds * self._time_scale, step)

    def at(self, moment: float, step: Step) -> None:
        """Do something at a moment."""
        heapq.heappush(self._waiting, (moment, next(self._serial), step))

    async def advance(self, seconds: float) -> None:
        """Move the time forward; whatever becomes due meanwhile is done in its order."""
        self._advanced += seconds
        await self.settle()

    async def settle(self) -> None:
        """Do what is due, each step at the moment for which it was planned."""
        async with self._lock:
            until = self.now()
            try:
                while self._waiting and self._waiting[0][0] <= until:
                    self._due, _serial, step = heapq.heappop(self._waiting)
                    done = step()
                    if isinstance(done, Awaitable):
                        await done
            finally:
                self._due = None

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            await self.settle()
            await asyncio.sleep(_BEAT)
