# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has changed, as numbered events with replay: for the page, for watchers and for webhooks (design §9)."""
from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Optional

from .._core.clock import SYSTEM_CLOCK, Clock
from .._engine.display import lookup, status_line
from .._engine.throttle import beyond

# Enough for a reader that was away for minutes; who was away longer reads the status document anyway.
KEPT = 1000
HEARTBEAT_SECONDS = 10.0


@dataclass(frozen=True)
class Event:
    """``kind`` is ``state``, ``ready``, ``blocked``, ``step``, ``attempt``, ``problem``, ``resolved``, ``lag`` or
    ``status``.
    """

    number: int
    kind: str
    data: Mapping[str, Any]

    def as_text(self) -> bytes:
        """In the form of server-sent events."""
        body = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        return f"id: {self.number}\nevent: {self.kind}\ndata: {body}\n\n".encode()


class EventLog:
    """The last events in memory; thread safe. Numbers go on growing as long as the agent lives.

    ``listener`` gets kind and data of each event at once, in the publisher's thread: it must neither block nor raise.
    """

    def __init__(
        self, clock: Clock = SYSTEM_CLOCK, listener: Optional[Callable[[str, Mapping[str, Any]], None]] = None
    ) -> None:
        self._listener = listener
        # Numbers of an earlier process are below those of this one: a reader that comes back misses nothing.
        self._next = int(clock.wall() * 1000)
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._changed = threading.Condition()
        self._closed = False

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Add one."""
        with self._changed:
            self._events.append(Event(self._next, kind, dict(data)))
            self._next += 1
            self._changed.notify_all()
        if self._listener is not None:
            self._listener(kind, data)

    def since(self, number: Optional[int]) -> list[Event]:
        """Events after ``number``; None gives the last one alone."""
        with self._changed:
            if number is None:
                return list(self._events)[-1:]
            return [event for event in self._events if event.number > number]

    def close(self) -> None:
        """End every stream."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stream(self, after: Optional[int], heartbeat: float = HEARTBEAT_SECONDS) -> Iterator[bytes]:
        """Events as they come, from the one after ``after``; a comment now and then shows that nothing is broken."""
        yield b"retry: 2000\n\n"
        while True:
            found = self.since(after)
            for event in found:
                after = event.number
                yield event.as_text()
            if found:
                continue
            with self._changed:
                if self._closed:
                    return
                newer = self._events and (after is None or self._events[-1].number > after)
                if not newer and not self._changed.wait(heartbeat):
                    yield b": still here\n\n"


class Changes:
    """Finds out what is new between two status documents, and publishes it.

    ``max_lag``: seconds of lag above which it is an event, and again once it has come back clearly; None for never.
    """

    def __init__(self, log: EventLog, max_lag: Optional[float] = None) -> None:
        self._log = log
        self._max_lag = max_lag
        self._lags = False
        self._before: Optional[Mapping[str, Any]] = None

    def look(self, status: Mapping[str, Any]) -> None:
        """Compare with the document of the last look."""
        before, self._before = self._before, status
        was = None if before is None else before.get("state")
        if before is None or was != status.get("state"):
            self._publish("state", status, {"state": status.get("state"), "before": was})
        self._lag(status)
        if before is None:
            return
        self._cutover(before, status)
        self._problems(before, status)
        if status_line(before) != status_line(status):
            self._publish("status", status, {"line": status_line(status)})

    def _lag(self, status: Mapping[str, Any]) -> None:
        lag = lookup(status, "replication.lag_seconds")
        if self._max_lag is None or lag is None:
            return
        lags = beyond(lag, self._max_lag, held=self._lags)
        if lags != self._lags:
            self._lags = lags
            self._publish("lag", status, {"high": lags, "lag_seconds": lag, "max_lag": self._max_lag})

    def _cutover(self, before: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        ready = bool(lookup(status, "cutover.ready"))
        if ready != bool(lookup(before, "cutover.ready")):
            blockers = lookup(status, "cutover.blockers") or []
            self._publish("ready" if ready else "blocked", status, {"blockers": blockers})
        step = lookup(status, "cutover.step")
        if step is not None and step != lookup(before, "cutover.step"):
            self._publish("step", status, {"step": step})
        attempt = lookup(status, "cutover.last_attempt")
        if attempt is not None and attempt != lookup(before, "cutover.last_attempt"):
            self._publish("attempt", status, {"attempt": attempt})

    def _problems(self, before: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        old = {_name(item): item for item in before.get("problems") or []}
        new = {_name(item): item for item in status.get("problems") or []}
        for name in sorted(set(new) - set(old)):
            self._publish("problem", status, {"problem": new[name]})
        for name in sorted(set(old) - set(new)):
            self._publish("resolved", status, {"problem": old[name]})

    def _publish(self, kind: str, status: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        migration = status.get("migration") or {}
        self._log.publish(kind, {"kind": kind, "migration": migration.get("name"), "at": status.get("at"), **data})


def _name(problem: Mapping[str, Any]) -> tuple[str, str]:
    return (str(problem.get("code")), str(problem.get("where")))
