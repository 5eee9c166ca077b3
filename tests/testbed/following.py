# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tests want to know of the requests that may write: a record of them, and when a lost one has been repeated."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.testbed.message import Incoming, Request, Response

Answer = Response | None
READING = ("GET", "HEAD", "OPTIONS")
_KEPT = 10_000  # requests
_BODY = 4096  # bytes of each


@dataclass
class _Lost:
    """A request whose answer was lost: it runs when it was repeated and `writes` others have followed."""

    request: Incoming
    writes: int
    run: Callable[[], object]
    repeated: bool = False

    def is_due(self, other: Incoming) -> bool:
        """Take note of a request that was answered."""
        mine = self.request
        if other is mine:
            return False
        if self.repeated:
            self.writes -= 1
            return self.writes <= 0
        self.repeated = (mine.method, mine.target, mine.body) == (other.method, other.target, other.body)
        return False


class Following:
    """Sees every request that may write, also those that a fault is waiting for."""

    def __init__(self) -> None:
        self.recorded: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.recording = False
        self._lost: list[_Lost] = []

    @property
    def idle(self) -> bool:
        """Whether nobody wants to know."""
        return not self.recording and not self._lost

    def record(self, on: bool) -> bool:
        """Begin a new record, or end it; it stays readable."""
        if on:
            self.recorded.clear()
        self.recording = on
        return on

    def after_retry(self, request: Incoming, writes: int, run: Callable[[], object]) -> None:
        """Call `run` when the request was repeated and `writes` others have been carried out after that."""
        self._lost.append(_Lost(request, writes, run))

    async def answer(self, request: Request, answer: Answer | Awaitable[Answer]) -> Answer:
        """Pass an answer on, and take note of its request."""
        entry = _entry(request)
        if self.recording:
            self.recorded.append(entry)
        made = await answer if isinstance(answer, Awaitable) else answer
        entry["user"] = request.principal.user if request.principal is not None else None
        entry["status"] = made.status if made is not None else None
        self.done(request)
        return made

    def done(self, request: Incoming) -> None:
        """Begin what waited for a request that was answered just now."""
        due = [lost for lost in self._lost if lost.is_due(request)]
        self._lost = [lost for lost in self._lost if lost not in due]
        for lost in due:
            lost.run()


def _entry(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "target": request.target,
        "server": request.server.short_name,
        "user": None,
        "status": None,
        "body": request.body[:_BODY].decode("utf-8", "replace"),
    }
