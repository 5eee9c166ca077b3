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

from tests.workload.clients import Connection, NotConnectedError
from tests.workload.record import Side

__all__ = ["HalfDoneError", "Refusals", "Router", "Stopped", "UnknownOutcomeError", "refused", "unknown"]

RETRY_EVERY = 0.05  # seconds between two rounds over both sides while a write is refused
# Read-only (1004), forbidden (11), unknown database or collection (the target may not have it yet), aborted
# transactions (the cutover cancels those that run), shutting down, full queues (21003, 21004), no room (1104), too few
# replicas (1429), a document that another write holds (1200, 18).
REFUSED_ERRORS = {
    11, 18, 30, 503, 1004, 1104, 1200, 1203, 1228, 1429, 1650, 1651, 1652, 1653, 1654, 1655, 21003, 21004,
}
REFUSED_STATUS = {401, 403, 429, 503}
# A leader that has just changed may have done a part (facts §7.8); whatever else fails with 5xx, too.
UNKNOWN_ERRORS = {1457, 1465, 1478, 1489, 1490, 1491, 1495, 1496}
T = TypeVar("T")


class Stopped(Exception):  # noqa: N818  (not an error)
    """The workload ends while a write is still refused by both sides."""


class UnknownOutcomeError(Exception):
    """No answer, or one that tells nothing: ``side`` may have carried out the write, now or later."""

    def __init__(self, side: Side, cause: Exception) -> None:
        super().__init__(f"{side}: {cause}")
        self.side = side


class HalfDoneError(Exception):
    """An operation of several requests failed after one that may stay: the outcome is unknown, whatever the cause."""


@dataclass
class Refusals:
    """How often each side refused, and the longest time (s) that one write had to wait."""

    count: dict[str, int] = field(default_factory=lambda: {"source": 0, "target": 0})
    longest_wait: float = 0.0


def refused(error: ArangoServerError) -> bool:
    """Whether the server certainly has not carried out the write."""
    if error.error_code in UNKNOWN_ERRORS:
        return False
    return error.error_code in REFUSED_ERRORS or ((error.error_code or 0) < 1000 and error.http_code in REFUSED_STATUS)


def unknown(error: ArangoServerError) -> bool:
    """Whether the server may have carried out the write."""
    return not refused(error) and (error.error_code in UNKNOWN_ERRORS or (error.http_code or 500) >= 500)


class Router:
    """Serves one thread; without a target it waits for the source."""

    def __init__(self, source: Connection, target: Connection | None, stop: threading.Event) -> None:
        self._sides: dict[Side, Connection] = {"source": source}
        if target is not None:
            self._sides["target"] = target
        self._stop = stop
        self.movable = target is not None
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
        return ("target",) if self.moved else tuple(self._sides)

    def _attempt(self, side: Side, database: str, operation: Callable[[StandardDatabase], T]) -> tuple[bool, T]:
        try:
            return True, operation(self._sides[side].database(database))
        except ArangoServerError as error:
            if unknown(error):
                raise UnknownOutcomeError(side, error) from error
            if not refused(error):
                raise
        except NotConnectedError:
            self._sides[side].move_on()
        except (RequestException, ConnectionAbortedError, HalfDoneError) as error:
            raise UnknownOutcomeError(side, error) from error
        self.refusals.count[side] += 1
        return False, None  # type: ignore[return-value]
