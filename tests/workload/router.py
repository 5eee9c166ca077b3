# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a write goes: to the source as long as it takes writes, to the target from its first acknowledgement on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from arango.database import StandardDatabase
from arango.exceptions import ArangoServerError
from requests.exceptions import RequestException

from tests.workload.clients import Connection
from tests.workload.record import Side

__all__ = ["Refusals", "Router", "Stopped", "UnknownOutcomeError"]

RETRY_EVERY = 0.05  # seconds between two rounds over both sides while a write is refused
# Read-only (1004), forbidden (11), unknown database or collection (the target may not have it yet), aborted
# transactions (the cutover cancels those that run), shutting down.
REFUSED_ERRORS = {11, 30, 503, 1004, 1203, 1228, 1650, 1651, 1652, 1653, 1654, 1655}
REFUSED_STATUS = {401, 403, 503}
T = TypeVar("T")


class Stopped(Exception):  # noqa: N818  (not an error)
    """The workload ends while a write is still refused by both sides."""


class UnknownOutcomeError(Exception):
    """The connection broke: the write may have been carried out, now or later."""


@dataclass
class Refusals:
    """How often each side refused, and the longest time (s) that one write had to wait."""

    count: dict[str, int] = field(default_factory=lambda: {"source": 0, "target": 0})
    longest_wait: float = 0.0


def refused(error: ArangoServerError) -> bool:
    """Whether the server certainly has not carried out the write."""
    return error.error_code in REFUSED_ERRORS or ((error.error_code or 0) < 100 and error.http_code in REFUSED_STATUS)


class Router:
    """Serves one thread."""

    def __init__(self, source: Connection, target: Connection, stop: threading.Event) -> None:
        self._sides: dict[Side, Connection] = {"source": source, "target": target}
        self._stop = stop
        self.moved = False
        self.refusals = Refusals()

    def write(self, database: str, operation: Callable[[StandardDatabase], T]) -> tuple[Side, T]:
        """Carry out ``operation`` on the side that takes it; return that side and the answer.

        Raises Stopped, UnknownOutcomeError, or the server's error when it is no refusal.
        """
        begun = time.monotonic()
        while not self._stop.is_set():
            round_begun = time.monotonic()
            for side in self._order():
                answered, answer = self._attempt(side, database, operation)
                if answered:
                    self.moved = side == "target"
                    self.refusals.longest_wait = max(self.refusals.longest_wait, time.monotonic() - begun)
                    return side, answer
            self._stop.wait(max(0.0, RETRY_EVERY - (time.monotonic() - round_begun)))
        raise Stopped

    def _order(self) -> tuple[Side, ...]:
        return ("target",) if self.moved else ("source", "target")

    def _attempt(self, side: Side, database: str, operation: Callable[[StandardDatabase], T]) -> tuple[bool, T]:
        try:
            return True, operation(self._sides[side].database(database))
        except ArangoServerError as error:
            if not refused(error):
                raise
            self.refusals.count[side] += 1
            return False, None  # type: ignore[return-value]
        except (RequestException, ConnectionAbortedError) as error:
            raise UnknownOutcomeError(f"{side}: {error}") from error
