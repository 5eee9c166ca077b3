# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verification while a migration runs: rounds over all collections, and written keys read back (design §6).

A collection is covered when all its documents were compared since it was last copied or in doubt; keys written since
that comparison began are read back soon after. So at the cutover only the last seconds' keys are left.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import AbstractSet, Optional

from ..._core.catalogue import lookup as catalogued
from ..._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from ..._core.errors import ArangoError, CutoverError
from ..._core.retry import GONE
from ..findings import Finding, Findings
from ..inspection import CollectionId, Inspection, Standing
from ..keys import LargestKeys
from ..likeness import Likeness
from ..patience import Stopped
from .coverage import Comparison, Coverage
from .differences import STAYS, Differences
from .matching import Matching
from .overview import Overview
from .pace import Pace
from .readback import ReadBack
from .recurring import RECURS, Recurring
from .rows import Found, Front, hashes_alike, lookup, lookup_documents, scan, scan_documents
from .scanning import HaltedError, compare
from .touched import Touched

LOG = logging.getLogger(__name__)
_CYCLE_SECONDS = 2.0
_LEAST_SECONDS = 0.2
_CONFIRM_SECONDS = 3.0
# Rounds after the first one leave room: a share of the rate, and a rest in proportion to what they took.
_LATER_SHARE = 0.1
_REST_TIMES = 20.0
_LONGEST_REST = 60.0
_BETWEEN_ROUNDS = 30.0
_PAUSE = 0.02
# The second one meets only what was written during the first one.
_FRESH_CYCLES = 2
_TROUBLE = "CUT-VERIFY-4"


@dataclass(frozen=True)
class Options:
    """What the operator may choose: keys per second for rounds, and whether differences are repaired."""

    rate: float
    repair: bool
    time_scale: float = 1.0


class Verifier(Overview):
    """Two threads; state on disk. Public methods may be called from any thread."""

    def __init__(
        self,
        source: Front,
        target: Front,
        inspection: Inspection,
        findings: Findings,
        directory: Path,
        options: Options,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._fronts = (source, target)
        self._inspection = inspection
        self._findings = findings
        self._directory = directory
        self._scale = options.time_scale
        self._clock = clock
        self._stop = threading.Event()
        self._suspended = 0
        self._scanning = threading.Lock()
        self._cycling = threading.Lock()
        self._epochs: dict[CollectionId, int] = {}
        self._in_progress: Optional[CollectionId] = None
        self._compared = time.monotonic()
        self._disturbances: dict[CollectionId, int] = {}
        self._tried: dict[CollectionId, float] = {}
        self._inexact: set[CollectionId] = set()
        self._hashed: Optional[bool] = None
        self._threads: list[threading.Thread] = []
        self.coverage = Coverage(directory / "coverage.json")
        self.touched = Touched(directory / "touched")
        self.keys = LargestKeys(directory / "largest-keys.json")
        self.differences = Differences(findings)
        self._recurring = Recurring(findings)
        self._repair = options.repair
        self._pace = Pace(options.rate, self._stop)
        self._readback = ReadBack(
            source,
            target,
            inspection,
            self.touched,
            self.differences,
            read=self._look_up,
            inexact=self._inexact.add,
            needed=self._is_needed,
            invalidate=self.invalidate,
            repaired=self.coverage.count_repaired,
            confirm_seconds=_CONFIRM_SECONDS * self._scale,
            may_repair=self._may_repair,
            clock=clock,
        )

    # -- life -----------------------------------------------------------------------------------------------------

    def resume(self, *, inherited: bool) -> None:
        """Before the data path starts: what an earlier process has covered holds for collections that go on in sync.

        Nothing holds when the migration is ``inherited``: another agent wrote since, and its keys are on its disk.
        """
        known = self._inspection.standings()
        adopted = {identity for identity, standing in known.items() if standing.adopted}
        self.coverage.keep(set() if inherited else adopted)
        self._inspection.observe(self._observe)
        for collection in self.coverage.all():
            self._disturbances[collection] = known[collection].disturbance
            self._inspection.watch(collection)
        self._recall({f"{identity[0]}/{standing.name}": identity for identity, standing in known.items()})

    def _recall(self, places: Mapping[str, CollectionId]) -> None:
        """What an earlier process has told is looked at again, so that it ends when its cause is gone."""
        for item in self._findings.all():
            code, where = item["code"], item["where"]
            if code in (STAYS, RECURS) and where not in places:
                self._findings.resolve(code, where)
            elif code == RECURS:
                self._recurring.recall(places[where], where, self.coverage.round)
            elif code == STAYS:
                key, name = str(item["key"]), where.partition("/")[2]
                self.differences.recall(places[where], name, key, time.monotonic())
                self.touched.note(places[where], [key.encode("utf-8", "surrogateescape")])

    def start(self) -> None:
        """Begin to compare."""
        for name, run in (("verify-scan", self._scan), ("verify-keys", self._read_back)):
            thread = threading.Thread(target=run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Begin nothing new."""
        self._stop.set()

    def close(self, timeout: float) -> None:
        """End both threads; calls that wait for an answer end with their connections."""
        self._stop.set()
        deadline = Deadline(timeout)
        for thread in self._threads:
            thread.join(deadline.remaining())

    def save(self) -> None:
        """Before a checkpoint: everything that markers before it have touched is on disk. Raises CUT-DISK-1.

        A comparison that ends meanwhile is written next time: what it has left to be read back is not all on disk yet.
        """
        covered = self.coverage.state()
        try:
            self.touched.save()
        except OSError as error:
            text = f"cannot write below {self._directory}: {error.strerror or error}"
            raise CutoverError("CUT-DISK-1", text, retriable=True) from error
        self.keys.save()
        self.coverage.save(covered)

    def set_rate(self, keys_per_second: float) -> None:
        """Another budget from now on."""
        self._pace.rate = keys_per_second

    # -- what the data path tells ---------------------------------------------------------------------------------

    def _observe(self, collection: CollectionId, keys: Optional[AbstractSet[bytes]]) -> None:
        """In a tailer's thread."""
        if keys is None:
            self.invalidate(collection)
        elif keys:
            self.touched.note(collection, keys)
            self.keys.written(collection, keys)

    def invalidate(self, collection: CollectionId) -> None:
        """What was compared of this collection says nothing any more."""
        self._epochs[collection] = self._epochs.get(collection, 0) + 1
        self.coverage.drop(collection)

    def _look_up(
        self, front: Front, collection: CollectionId, name: str, keys: Sequence[str], likeness: Likeness
    ) -> Found:
        if likeness.keeps_revisions and self._is_hashed(collection):
            return lookup(front, collection[0], name, keys, True)
        return lookup_documents(front, collection[0], name, keys, likeness)

    def _stream(
        self, front: Front, collection: CollectionId, standing: Standing, contents: bool
    ) -> Generator[list[str], None, None]:
        """The rows of one side; where hashes or revisions say nothing, contents are decoded here."""
        if not standing.likeness.keeps_revisions or (contents and not self._is_hashed(collection)):
            return scan_documents(front, collection[0], standing.name, standing.likeness)
        return scan(front, collection[0], standing.name, contents)

    def doubt(self, places: Collection[tuple[str, str]]) -> None:
        """Databases and names of collections that the proof found different: what was compared of them is void."""
        for identity, standing in self._inspection.standings().items():
            if (identity[0], standing.name) in places:
                self.invalidate(identity)

    def _is_hashed(self, collection: CollectionId) -> bool:
        return bool(self._hashed) and collection not in self._inexact

    def _is_needed(self, collection: CollectionId) -> bool:
        return self._in_progress == collection or self.coverage.get(collection) is not None

    def _may_repair(self, collection: CollectionId, name: str) -> bool:
        return self._repair and self._recurring.may_repair(collection, name, self.coverage.round)

    def _is_equal(self, collection: CollectionId) -> bool:
        """What the last comparison left was read back, and is the same now."""
        ended = self._clock.wall() - (time.monotonic() - self._compared)
        return self._readback.position.at >= ended and self.differences.equal(collection)

    # -- rounds ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """No round reads meanwhile."""
        self._suspended += 1
        try:
            yield
        finally:
            self._suspended -= 1

    def _halted(self) -> bool:
        return self._stop.is_set() or bool(self._suspended) or self._inspection.paused

    def _scan(self) -> None:
        pauses = Backoff(_LEAST_SECONDS, 10.0)
        rest = 0.0
        while not self._stop.wait(rest):
            rest = max(_LEAST_SECONDS, self._scale)
            if self._halted():
                continue
            chosen = self._choose()
            if chosen is None:
                continue
            first = self.coverage.get(chosen[0]) is None
            began = time.monotonic()
            try:
                with self._scanning:
                    self._compare(*chosen)
                pauses.reset()
                taken = time.monotonic() - began
                rest = 0.0 if first else min(_REST_TIMES * taken, _LONGEST_REST * self._scale)
            except (HaltedError, Stopped):
                continue
            except (CutoverError, OSError) as error:
                # A collection that is being dropped is gone on one side first.
                if not isinstance(error, ArangoError) or error.error_num not in GONE:
                    self._trouble(error)
                rest = pauses.next()

    def _choose(self) -> Optional[tuple[CollectionId, Standing]]:
        """The next collection: one that is not covered first, then those of the present round."""
        known = self._inspection.standings()
        self._forget_others(known)
        covered = self._covered(known)
        calm = {identity: standing for identity, standing in known.items() if standing.calm}
        uncovered = len(known.keys() - covered.keys())
        due = [identity for identity in calm if identity not in covered] or [
            identity for identity in calm if covered[identity].round < self.coverage.round
        ]
        if due:
            chosen = min(due, key=lambda identity: (self._tried.get(identity, 0.0), identity))
            self._tried[chosen] = time.monotonic()
            return chosen, calm[chosen]
        if calm and not uncovered and time.monotonic() - self._compared >= _BETWEEN_ROUNDS * self._scale:
            self._recurring.round_ended(self.coverage.round, self._is_equal)
            self.coverage.next_round()
        return None

    def _covered(self, known: Mapping[CollectionId, Standing]) -> dict[CollectionId, Comparison]:
        """What is covered, after a look at what may have changed that."""
        lost = self.touched.take_lost()
        for identity in self.coverage.all():
            standing = known.get(identity)
            if identity in lost or standing is None or standing.disturbance != self._disturbances.get(identity):
                self.invalidate(identity)
        return self.coverage.all()

    def _forget_others(self, known: Mapping[CollectionId, Standing]) -> None:
        gone = set(self._tried) - set(known)
        for identity in gone:
            del self._tried[identity]
            self._epochs.pop(identity, None)
            self.coverage.drop(identity)
        if gone:
            self.differences.forget(gone)
            self._recurring.forget(gone)

    def _compare(self, collection: CollectionId, standing: Standing, urgent: bool = False) -> None:
        """One comparison; it counts only if nothing has disturbed the collection meanwhile."""
        if self._hashed is None:
            self._hashed = hashes_alike(*self._fronts)
        epoch = self._epochs.get(collection, 0)
        self._in_progress = collection
        matching = Matching(self._directory / "matching")
        try:
            self._inspection.watch(collection)
            ticks, at = self._inspection.ticks(), self._clock.wall()
            first = urgent or self.coverage.get(collection) is None
            share = math.inf if urgent else 1.0 if first else _LATER_SHARE
            # Decoding takes its time: a first comparison is by keys and revisions then, later ones by contents.
            hashed = not standing.likeness.keeps_revisions or self._is_hashed(collection) or not first
            documents = compare(
                [self._stream(front, collection, standing, hashed) for front in self._fronts],
                matching,
                partial(self._pace.spend, share=share),
                self._stop.is_set if urgent else self._halted,
                partial(self.keys.rows, collection),
            )
            for keys in matching.leftovers():
                self.touched.note(collection, [key.encode("utf-8", "surrogateescape") for key in keys])
            now = self._inspection.standing(collection)
            undisturbed = now is not None and now.calm and now.disturbance == standing.disturbance
            if undisturbed and epoch == self._epochs.get(collection, 0):
                self._disturbances[collection] = standing.disturbance
                self.coverage.put(collection, Comparison(self.coverage.round, at, ticks, documents, hashed))
        finally:
            self._in_progress = None
            self._compared = time.monotonic()
            matching.close()
        self._findings.resolve(_TROUBLE)

    def _trouble(self, error: Exception) -> None:
        if self._stop.is_set():
            return
        text = error.message if isinstance(error, CutoverError) else str(error)
        LOG.warning("the verification: %s", text)
        self._findings.report(Finding(_TROUBLE, "warning", "verification", text, catalogued(_TROUBLE).remedy))

    # -- keys -----------------------------------------------------------------------------------------------------

    def _read_back(self) -> None:
        pauses = Backoff(_LEAST_SECONDS, 10.0)
        pause = 0.0
        while not self._stop.wait(pause):
            pause = max(_LEAST_SECONDS, _CYCLE_SECONDS * self._scale)
            if self._inspection.paused:
                continue
            try:
                with self._cycling:
                    self._readback.cycle()
                pauses.reset()
            except Stopped:
                continue
            except (CutoverError, OSError) as error:
                self._trouble(error)
                pause = pauses.next()

    def freshen(self, deadline: Deadline) -> None:
        """Before the fence: read back what was written so far, so that little is left for the time without writes.

        What cannot be looked at now is left to ``finish``.
        """
        try:
            for _cycle in range(_FRESH_CYCLES):
                with _held(self._cycling, deadline):
                    self._readback.cycle()
        except Stopped:
            return
        except (CutoverError, OSError) as error:
            self._trouble(error)

    def finish(self, deadline: Deadline) -> list[str]:
        """At the cutover, when nobody writes: cover what is not covered, read back what is left (design §5 step 7a, b).

        Returns what differs; raises CUT-VERIFY-11 at the deadline.
        """
        with self.suspended(), _held(self._scanning, deadline), _held(self._cycling, deadline):
            while not self._finished(deadline):
                self._stop.wait(_PAUSE)
            accepted = self.differences.accepted()
            staying = [item for item in self.differences.staying() if item not in accepted]
            return [f"{item.where} key {item.key}: {item.kind}" for item in staying]

    def _finished(self, deadline: Deadline) -> bool:
        known = self._inspection.standings()
        covered = self._covered(known)
        uncovered = [identity for identity in known if identity not in covered]
        for identity in uncovered:
            if known[identity].calm:
                self._compare(identity, known[identity], urgent=True)
        complete = self._readback.cycle(patient=False)
        staying = len(self.differences.staying())
        if not uncovered and complete and len(self.differences) == staying and self.touched.count <= staying:
            return True
        if deadline.expired or self._stop.is_set():
            text = (
                f"{len(uncovered)} collections are not compared, {self.touched.count} keys are not read back, "
                f"{len(self.differences)} documents differ"
            )
            raise CutoverError("CUT-VERIFY-11", text, retriable=True)
        return False


@contextlib.contextmanager
def _held(lock: threading.Lock, deadline: Deadline) -> Iterator[None]:
    """A lock that a thread holds for one batch or cycle only; raises CUT-VERIFY-11 at the deadline."""
    if not lock.acquire(timeout=min(deadline.remaining(), threading.TIMEOUT_MAX)):
        raise CutoverError("CUT-VERIFY-11", "a comparison could not be interrupted in time", retriable=True)
    try:
        yield
    finally:
        lock.release()
