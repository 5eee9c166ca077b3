# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rounds: all documents of collection after collection compared, again and again (design §6)."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Callable, Optional

from ..._core.clock import Backoff, Clock, Deadline
from ..._core.errors import ArangoError, CutoverError
from ..._core.retry import GONE
from ..inspection import CollectionId, Inspection, Standing
from ..keys import LargestKeys
from ..patience import Stopped
from .coverage import Comparison, Coverage
from .differences import Differences
from .matching import Matching
from .pace import Pace
from .reading import Reading
from .recurring import Recurring
from .scanning import HaltedError, compare
from .touched import Touched

LEAST_SECONDS = 0.2
# Rounds after the first one leave room: a share of the rate, and a rest in proportion to what they took.
_LATER_SHARE = 0.1
_REST_TIMES = 20.0
_LONGEST_REST = 60.0
_BETWEEN_ROUNDS = 30.0


class Rounds:
    """One thread's work, ``run``. What it finds different is noted as touched, and read back like written keys."""

    def __init__(
        self,
        reading: Reading,
        inspection: Inspection,
        coverage: Coverage,
        touched: Touched,
        keys: LargestKeys,
        differences: Differences,
        recurring: Recurring,
        *,
        directory: Path,
        pace: Pace,
        stop: threading.Event,
        trouble: Callable[[Optional[Exception]], None],
        verified_at: Callable[[], float],
        time_scale: float,
        clock: Clock,
    ) -> None:
        """``trouble`` is told of an error, and by None that it is over; ``verified_at`` says up to when (seconds since
        1970) written keys were read back.
        """
        self._reading = reading
        self._inspection = inspection
        self._coverage = coverage
        self._touched = touched
        self._keys = keys
        self._differences = differences
        self._recurring = recurring
        self._directory = directory
        self._pace = pace
        self._stop = stop
        self._trouble = trouble
        self._verified_at = verified_at
        self._scale = time_scale
        self._clock = clock
        self._suspended = 0
        self._scanning = threading.Lock()
        self._epochs: dict[CollectionId, int] = {}
        self._in_progress: Optional[CollectionId] = None
        self._compared = time.monotonic()
        self._disturbances: dict[CollectionId, int] = {}
        self._tried: dict[CollectionId, float] = {}

    # -- what holds -----------------------------------------------------------------------------------------------

    def adopt(self, known: Mapping[CollectionId, Standing]) -> None:
        """What is covered holds as long as these collections go on undisturbed."""
        for collection in self._coverage.all():
            self._disturbances[collection] = known[collection].disturbance
            self._inspection.watch(collection)

    def invalidate(self, collection: CollectionId) -> None:
        """What was compared of this collection says nothing any more."""
        self._epochs[collection] = self._epochs.get(collection, 0) + 1
        self._coverage.drop(collection)

    def holds(self, collection: CollectionId, standing: Standing) -> bool:
        """Whether nothing has disturbed the collection since its comparison."""
        return standing.disturbance == self._disturbances.get(collection)

    def concerns(self, collection: CollectionId) -> bool:
        """Whether a comparison counts on what is written to the collection being read back."""
        return self._in_progress == collection or self._coverage.get(collection) is not None

    def covered(self, known: Mapping[CollectionId, Standing]) -> dict[CollectionId, Comparison]:
        """What is covered, after a look at what may have changed that."""
        lost = self._touched.take_lost()
        for identity in self._coverage.all():
            standing = known.get(identity)
            if identity in lost or standing is None or not self.holds(identity, standing):
                self.invalidate(identity)
        return self._coverage.all()

    # -- rounds ---------------------------------------------------------------------------------------------------

    @property
    def suspended(self) -> bool:
        """Whether somebody else has the collections to himself."""
        return bool(self._suspended)

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """No round goes on meanwhile."""
        self._suspended += 1
        try:
            yield
        finally:
            self._suspended -= 1

    @contextlib.contextmanager
    def alone(self, deadline: Deadline) -> Iterator[None]:
        """No round reads meanwhile; raises CUT-VERIFY-11 when one cannot be interrupted by the deadline."""
        with self.suspend(), held(self._scanning, deadline):
            yield

    def _halted(self) -> bool:
        return self._stop.is_set() or self.suspended or self._inspection.paused

    def run(self) -> None:
        """Compare until told to stop; trouble is told and tried again."""
        pauses = Backoff(LEAST_SECONDS, 10.0)
        rest = 0.0
        while not self._stop.wait(rest):
            rest = max(LEAST_SECONDS, self._scale)
            if self._halted():
                continue
            chosen = self.choose()
            if chosen is None:
                continue
            first = self._coverage.get(chosen[0]) is None
            began = time.monotonic()
            try:
                with self._scanning:
                    self.compare(*chosen)
                pauses.reset()
                taken = time.monotonic() - began
                rest = 0.0 if first else max(rest, min(_REST_TIMES * taken, _LONGEST_REST * self._scale))
            except (HaltedError, Stopped):
                continue
            except (CutoverError, OSError) as error:
                # A collection that is being dropped is gone on one side first.
                if not isinstance(error, ArangoError) or error.error_num not in GONE:
                    self._trouble(error)
                rest = pauses.next()

    def choose(self) -> Optional[tuple[CollectionId, Standing]]:
        """The next collection: one that is not covered first, then those of the present round."""
        known = self._inspection.standings()
        self._forget_others(known)
        covered = self.covered(known)
        calm = {identity: standing for identity, standing in known.items() if standing.calm}
        uncovered = len(known.keys() - covered.keys())
        due = [identity for identity in calm if identity not in covered] or [
            identity for identity in calm if covered[identity].round < self._coverage.round
        ]
        if due:
            chosen = min(due, key=lambda identity: (self._tried.get(identity, 0.0), identity))
            self._tried[chosen] = time.monotonic()
            return chosen, calm[chosen]
        if calm and not uncovered and time.monotonic() - self._compared >= _BETWEEN_ROUNDS * self._scale:
            self._recurring.round_ended(self._coverage.round, self._is_equal)
            self._coverage.next_round()
        return None

    def _is_equal(self, collection: CollectionId) -> bool:
        """What the last comparison left was read back, and is the same now."""
        ended = self._clock.wall() - (time.monotonic() - self._compared)
        return self._verified_at() >= ended and self._differences.equal(collection)

    def _forget_others(self, known: Mapping[CollectionId, Standing]) -> None:
        gone = set(self._tried) - set(known)
        for identity in gone:
            del self._tried[identity]
            self._epochs.pop(identity, None)
            self._coverage.drop(identity)
        if gone:
            self._differences.forget(gone)
            self._recurring.forget(gone)

    def compare(self, collection: CollectionId, standing: Standing, urgent: bool = False) -> None:
        """One comparison; it counts only if nothing has disturbed the collection meanwhile.

        An ``urgent`` one spares nobody, and ends early only when everything does.
        """
        self._reading.probe()
        epoch = self._epochs.get(collection, 0)
        self._in_progress = collection
        matching = Matching(self._directory / "matching")
        try:
            self._inspection.watch(collection)
            ticks, at = self._inspection.ticks(), self._clock.wall()
            first = urgent or self._coverage.get(collection) is None
            share = math.inf if urgent else 1.0 if first else _LATER_SHARE
            # Decoding takes its time: a first comparison is by keys and revisions then, later ones by contents.
            hashed = not standing.likeness.keeps_revisions or self._reading.is_hashed(collection) or not first
            documents = compare(
                self._reading.streams(collection, standing, hashed),
                matching,
                partial(self._pace.spend, share=share),
                self._stop.is_set if urgent else self._halted,
                partial(self._keys.rows, collection),
            )
            for keys in matching.leftovers():
                self._touched.note(collection, [key.encode("utf-8", "surrogateescape") for key in keys])
            now = self._inspection.standing(collection)
            undisturbed = now is not None and now.calm and now.disturbance == standing.disturbance
            if undisturbed and epoch == self._epochs.get(collection, 0):
                self._disturbances[collection] = standing.disturbance
                self._coverage.put(collection, Comparison(self._coverage.round, at, ticks, documents, hashed))
        finally:
            self._in_progress = None
            self._compared = time.monotonic()
            matching.close()
        self._trouble(None)


@contextlib.contextmanager
def held(lock: threading.Lock, deadline: Deadline) -> Iterator[None]:
    """A lock that a thread holds for one batch or cycle only; raises CUT-VERIFY-11 at the deadline."""
    if not lock.acquire(timeout=min(deadline.remaining(), threading.TIMEOUT_MAX)):
        raise CutoverError("CUT-VERIFY-11", "a comparison could not be interrupted in time", retriable=True)
    try:
        yield
    finally:
        lock.release()
