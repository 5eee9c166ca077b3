# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Events that wait to be delivered: in order, numbered without gaps, bounded, and kept over restarts."""
from __future__ import annotations

import logging
import os
import threading
from collections import deque
from pathlib import Path
from typing import Any, Mapping, Optional

from .._core.errors import CutoverError
from .._core.repeats import Repeats
from .._engine.files import read_json, write_json

LOG = logging.getLogger(__name__)
# Changes of state are few: so many are days of a receiver that is away.
KEPT = 1000


class Outbox:
    """The oldest event is delivered first. Thread safe; only ``save`` touches the disk.

    ``stream`` names the count: a receiver that misses a number of the same stream has missed events. When there is no
    room the oldest ones go, and their numbers with them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._repeats = Repeats()
        self._changed = False
        self._dropped = 0
        known = self._read()
        self.stream: str = known["stream"]
        self._next: int = known["next"]
        self._events: deque[dict[str, Any]] = deque(known["events"], maxlen=KEPT)

    def _read(self) -> dict[str, Any]:
        """What the file holds, or a new stream."""
        try:
            known = read_json(self._path)
            if known is not None:
                return {"stream": str(known["stream"]), "next": int(known["next"]), "events": list(known["events"])}
        except (CutoverError, KeyError, TypeError, ValueError) as error:
            LOG.warning("events that were not delivered are lost, %s cannot be used: %s", self._path, error)
        return {"stream": os.urandom(8).hex(), "next": 1, "events": []}

    def add(self, data: Mapping[str, Any]) -> None:
        """Number an event and keep it as the last one."""
        with self._lock:
            self._dropped += len(self._events) == KEPT
            self._events.append({"stream": self.stream, "sequence": self._next, **data})
            self._next += 1
            self._changed = True

    def first(self) -> Optional[dict[str, Any]]:
        """The event to deliver now."""
        with self._lock:
            return self._events[0] if self._events else None

    def delivered(self, event: Mapping[str, Any]) -> None:
        """Forget an event, which may have been dropped meanwhile."""
        with self._lock:
            if self._events and self._events[0]["sequence"] == event["sequence"]:
                self._events.popleft()
                self._changed = True

    @property
    def waiting(self) -> int:
        """How many are still to be delivered."""
        with self._lock:
            return len(self._events)

    @property
    def dropped(self) -> int:
        """How many went undelivered since the agent runs."""
        with self._lock:
            return self._dropped

    def save(self) -> None:
        """Write to disk what has changed; when that fails, memory goes on without it."""
        with self._lock:
            if not self._changed:
                return
            self._changed = False
            value = {"stream": self.stream, "next": self._next, "events": list(self._events)}
        try:
            write_json(self._path, value)
            self._repeats.forget()
        except CutoverError as error:
            self._changed = True
            self._repeats.log(LOG, logging.WARNING, "save", f"events would not survive a restart: {error}")
