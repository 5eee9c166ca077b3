# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server under load: its queue, the time requests wait in it, and what it refuses (facts §7.8)."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.testbed.errors import ArangoError

QUEUE_TIME = "x-arango-queue-time-seconds"


class Load:
    """A queue that `capacity` requests a second leave, and that holds at most `limit` of them."""

    def __init__(self, capacity: float, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._limit = limit
        self._clock = clock
        self._length = 0.0
        self._seen = clock()

    def waiting(self) -> float:
        """Seconds that a request which came now would wait."""
        now = self._clock()
        self._length = max(0.0, self._length - (now - self._seen) * self._capacity)
        self._seen = now
        return self._length / self._capacity

    def arrive(self, accepted: str | None) -> float:
        """Put a request into the queue and answer the seconds it waits there.

        `accepted` = value of the request header by which a client says how long it would wait. errorNum 21004 when it
        would be longer, 21003 when the queue is full.
        """
        wait = self.waiting()
        if self._length >= self._limit:
            raise ArangoError(21003)
        if accepted is not None and _seconds(accepted) < wait:
            raise ArangoError(21004)
        self._length += 1
        return wait


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
