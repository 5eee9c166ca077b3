# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What holds the copy back: token buckets, and copiers per source server that give way to others (design §4.10)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Callable, Optional

from .._core.clock import SYSTEM_CLOCK, Clock
from .load import PRESETS, Budget
from .patience import Patience

MEGABYTE = 1_000_000
# What was not used for so many seconds may be used at once.
_BURST_SECONDS = 1.0
_LONGEST_WAIT = 0.2
# A limit counts as used up for so many seconds after somebody had to wait for it.
_RECENT_SECONDS = 3.0


class Bucket:
    """Tokens per second on the monotonic clock. Spending never waits: a debt is paid off before the next one begins.

    For the caller's lock to guard.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._rate: Optional[float] = None
        self._tokens = 0.0
        self._at = clock.monotonic()
        self._waited_at: Optional[float] = None

    def set_rate(self, rate: Optional[float]) -> None:
        """Tokens per second from now on, None = no limit. A debt of the old rate is forgotten."""
        if rate != self._rate:
            self._rate, self._tokens, self._at = rate, 0.0, self._clock.monotonic()

    def spend(self, count: float) -> None:
        """So much was used."""
        if self._rate is not None:
            self._fill(self._rate)
            self._tokens -= count

    def wait_seconds(self) -> float:
        """How long until the debt is paid off; 0 = go on."""
        if self._rate is None:
            return 0.0
        self._fill(self._rate)
        if self._tokens >= 0:
            return 0.0
        self._waited_at = self._clock.monotonic()
        return -self._tokens / self._rate

    @property
    def used_up(self) -> bool:
        """Whether somebody had to wait for it just now."""
        if self._rate is None or self._waited_at is None:
            return False
        return self._clock.monotonic() - self._waited_at < _RECENT_SECONDS

    def _fill(self, rate: float) -> None:
        now = self._clock.monotonic()
        self._tokens = min(rate * _BURST_SECONDS, self._tokens + rate * (now - self._at))
        self._at = now


class Brake:
    """Passage of every step of the copy. Replication is counted against the limits, but never held back: the source
    would have to keep its log longer.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._changed = threading.Condition()
        self._bytes = Bucket(clock)
        self._operations = Bucket(clock)
        self._budget: Budget = PRESETS["balanced"]
        self._held = False
        self._inside: dict[str, int] = {}
        self._allowed: dict[str, int] = {}
        # Whether agents that copy for this one rest, too.
        self.others_rest: Callable[[], bool] = _alone

    def tune(self, budget: Budget) -> None:
        """These limits from now on."""
        with self._changed:
            self._budget = budget
            bandwidth = budget.mb_per_second
            self._bytes.set_rate(None if bandwidth is None else bandwidth * MEGABYTE)
            self._operations.set_rate(budget.operations_per_second)
            self._changed.notify_all()

    def hold(self, held: bool) -> None:
        """Let no step of the copy begin, or let them begin again."""
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def adapt(self, queues: Mapping[str, float], target_queue: float) -> None:
        """Fewer copiers, by half, for a server whose requests wait; one more for one that has time again.

        ``queues`` are the queue times of source servers, seconds; a busy target slows all of them.
        """
        with self._changed:
            limit = self._budget.queue_seconds
            for name, queue in queues.items():
                allowed, worst = self.allowed(name), max(queue, target_queue)
                if limit is not None and worst > limit:
                    self._allowed[name] = max(1, allowed // 2)
                elif limit is None or worst <= limit / 2:
                    self._allowed[name] = allowed + 1
            self._changed.notify_all()

    def allowed(self, server: str) -> int:
        """How many copiers may work on this server at once."""
        return min(self._budget.copiers, self._allowed.get(server, self._budget.copiers))

    def used_up(self) -> tuple[bool, bool]:
        """Whether the limits of bandwidth and of operations hold the copy back now."""
        with self._changed:
            return self._bytes.used_up, self._operations.used_up

    @contextmanager
    def passage(self, server: str, patience: Patience) -> Iterator[None]:
        """One step of the copy from a server: begins when it may. Raises ``Stopped``."""
        with self._changed:
            while True:
                patience.check()
                wait = self._wait_seconds(server)
                if not wait:
                    break
                self._changed.wait(min(wait, _LONGEST_WAIT))
            self._inside[server] = self._inside.get(server, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._inside[server] -= 1
                self._changed.notify_all()

    def spent(self, size: int, operations: int) -> None:
        """So many bytes of documents, and documents or operations, were moved."""
        with self._changed:
            self._bytes.spend(size)
            self._operations.spend(operations)

    @property
    def idle(self) -> bool:
        """Whether no step of the copy is under way."""
        with self._changed:
            inside = any(self._inside.values())
        return not inside and self.others_rest()

    @property
    def held(self) -> bool:
        """Whether the copy stands still."""
        return self._held

    def _wait_seconds(self, server: str) -> float:
        if self._held or self._inside.get(server, 0) >= self.allowed(server):
            return _LONGEST_WAIT
        return max(self._bytes.wait_seconds(), self._operations.wait_seconds())


def _alone() -> bool:
    """Nobody else copies."""
    return True
