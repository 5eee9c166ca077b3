# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lag as a user would measure it: a document written on the source, looked for on the target."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from arango.exceptions import ArangoError
from requests.exceptions import RequestException

from tests.workload.actor import Actor
from tests.workload.clients import Connection, NotConnectedError
from tests.workload.shop import SHOP

__all__ = ["Beat", "Watch"]


@dataclass
class Samples:
    """Times of beats by number, and (time of sight, lag) pairs, seconds of the monotonic clock."""

    written: dict[int, float] = field(default_factory=dict)
    lags: list[tuple[float, float]] = field(default_factory=list)
    seen: int = 0


class Beat(Actor):
    """Writes the time's number into one document."""

    collection = "beat"
    rate = 8.0

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.samples = Samples()

    def step(self) -> None:
        if self.abandoned:
            return  # an old number could come late
        number = len(self.samples.written) + 1
        self.apply([("replace" if self.documents else "insert", {"_key": "beat", "number": number})])
        if not self.router.moved:
            self.samples.written[number] = time.monotonic()


class Watch(threading.Thread):
    """Reads the beat on the target; a sample is the age of the oldest beat that became visible."""

    EVERY = 0.05

    def __init__(self, target: Connection, samples: Samples, stop: threading.Event) -> None:
        super().__init__(name="watch", daemon=True)
        self._target, self._samples, self._stop_event = target, samples, stop

    def run(self) -> None:
        """Look until told to stop; the collection may not exist yet, and the target may be away for a while."""
        while not self._stop_event.wait(self.EVERY):
            try:
                document = self._target.database(SHOP.name).collection(Beat.collection).get("beat")
            except (ArangoError, NotConnectedError, RequestException, ConnectionAbortedError):
                continue
            if document:
                self.note(int(document["number"]), time.monotonic())

    def note(self, number: int, now: float) -> None:
        """Take a sample if the beat is newer than the last one seen."""
        written = self._samples.written.get(self._samples.seen + 1)
        if number > self._samples.seen:
            if written is not None and self._samples.seen:  # the first sight is the copy's, not the log's
                self._samples.lags.append((now, now - written))
            self._samples.seen = number
