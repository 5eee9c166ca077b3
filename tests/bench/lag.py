# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far the target is behind while the source is written, with a burst in the middle."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from tests.bench.bed import Bed, Emulators, checked, documents, percentile
from tests.bench.figures import Figure
from tests.testbed.client import Client

RATE = 2_000  # documents a second
_BURST = 5
_BURST_SECONDS = 5.0
_STEP = 0.1
_SIZE = 300
_AFTER = 10.0  # seconds in which the lag must be small again


class Writer(threading.Thread):
    """Writes in bulk at a rate that can be changed until it is told to stop; new keys all the time."""

    def __init__(self, bed: Bed, name: str) -> None:
        super().__init__(name="writer", daemon=True)
        self._bed, self._collection = bed, name
        self.rate: float = RATE
        self.ended = threading.Event()
        self.written = 0

    def run(self) -> None:
        """Until told to stop, or until the source takes no writes any more."""
        with Client.root(self._bed.source) as client:
            due = time.monotonic()
            while not self.ended.wait(max(0.0, due - time.monotonic())):
                due += _STEP
                number = int(self.rate * _STEP)
                body = b"[" + b",".join(documents(self._collection, self.written, number, _SIZE)) + b"]"
                answer = client("POST", f"/_api/document/{self._collection}?silent=true", body)
                if answer.status == 403:
                    return
                checked(answer, 201, 202)
                self.written += number


def figures(seconds: float) -> Iterator[Figure]:
    """Percentiles outside the burst, and the seconds until it was made up for."""
    with Bed(shapes=((1, 3), (1, 3))) as bed:
        bed.create("things", 9)
        bed.migrate()
        emulators = Emulators(bed)
        writer = Writer(bed, "things")
        writer.start()
        try:
            calm = _samples(bed, seconds / 2)
            writer.rate = RATE * _BURST
            burst = _samples(bed, _BURST_SECONDS)
            writer.rate = RATE
            after = _samples(bed, _AFTER)
            calm += _samples(bed, seconds / 2)
        finally:
            writer.ended.set()
            writer.join()
        busy = str(emulators)
    lags = [lag for _at, lag in calm]
    late = [at for at, lag in after if lag > 1.0]
    median, most = percentile(lags, 0.5), max(lags)
    what = f"{RATE:,} documents/s in bulk for {seconds:.0f} s; median {median:.2f} s, largest {most:.2f} s; {busy}"
    yield Figure("lag", percentile(lags, 0.99), "s (p99)", 1.0, what, at_most=True)
    worst = max(lag for _at, lag in burst + after)
    told = f"after {_BURST_SECONDS:.0f} s at {RATE * _BURST:,} documents/s; largest {worst:.2f} s"
    yield Figure("lag_after_burst", max(late, default=0.0), "s until under 1 s", _AFTER - 0.5, told, at_most=True)


def _samples(bed: Bed, seconds: float) -> list[tuple[float, float]]:
    """Seconds since the beginning and the lag then."""
    found, begun = [], time.monotonic()
    while (at := time.monotonic() - begun) < seconds:
        lag = bed.agent.status()["replication"]["lag_seconds"]
        found.append((at, float("inf") if lag is None else float(lag)))
        time.sleep(0.05)
    return found
