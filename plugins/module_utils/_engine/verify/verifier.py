# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verification while a migration runs: rounds over all collections, and written keys read back (design §6).

A collection is covered when all its documents were compared since it was last copied or in doubt; keys written since
that comparison began are read back soon after. So at the cutover only the last seconds' keys are left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import AbstractSet, Optional

from ..._core.catalogue import lookup as catalogued
from ..._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from ..._core.errors import CutoverError
from ..findings import Finding, Findings
from ..inspection import CollectionId, Inspection
from ..keys import LargestKeys
from ..patience import Stopped
from .coverage import Coverage
from .differences import STAYS, Differences
from .overview import Overview
from .pace import Pace
from .readback import ReadBack
from .reading import Reading
from .recurring import RECURS, Recurring
from .rounds import LEAST_SECONDS, Rounds, held
from .rows import Front
from .touched import Touched

LOG = logging.getLogger(__name__)
_CYCLE_SECONDS = 2.0
_CONFIRM_SECONDS = 3.0
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
        self._inspection = inspection
        self._findings = findings
        self._directory = directory
        self._scale = options.time_scale
        self._clock = clock
        self._stop = threading.Event()
        self._cycling = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.coverage = Coverage(directory / "coverage.json")
        self.touched = Touched(directory / "touched")
        self.keys = LargestKeys(directory / "largest-keys.json")
        self.differences = Differences(findings)
        self._recurring = Recurring(findings)
        self._repair = options.repair
        self._pace = Pace(options.rate, self._stop)
        reading = Reading(source, target)
        self.rounds = Rounds(
            reading,
            inspection,
            self.coverage,
            self.touched,
            self.keys,
            self.differences,
            self._recurring,
            directory=directory,
            pace=self._pace,
            stop=self._stop,
            trouble=self._trouble,
            verified_at=lambda: self._readback.position.at,
            time_scale=self._scale,
            clock=clock,
        )
        self._readback = ReadBack(
            source,
            target,
            inspection,
            self.touched,
            self.differences,
            read=reading.look_up,
            inexact=reading.inexact,
            needed=self.rounds.concerns,
            invalidate=self.rounds.invalidate,
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
        self.rounds.adopt(known)
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
        for name, run in (("verify-scan", self.rounds.run), ("verify-keys", self._read_back)):
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
            self.rounds.invalidate(collection)
        elif keys:
            self.touched.note(collection, keys)
            self.keys.written(collection, keys)

    def doubt(self, places: Collection[tuple[str, str]]) -> None:
        """Databases and names of collections that the proof found different: what was compared of them is void."""
        for identity, standing in self._inspection.standings().items():
            if (identity[0], standing.name) in places:
                self.rounds.invalidate(identity)

    def _may_repair(self, collection: CollectionId, name: str) -> bool:
        return self._repair and self._recurring.may_repair(collection, name, self.coverage.round)

    def _trouble(self, error: Optional[Exception]) -> None:
        if error is None:
            self._findings.resolve(_TROUBLE)
        elif not self._stop.is_set():
            text = error.message if isinstance(error, CutoverError) else str(error)
            LOG.warning("the verification: %s", text)
            self._findings.report(Finding(_TROUBLE, "warning", "verification", text, catalogued(_TROUBLE).remedy))

    # -- keys -----------------------------------------------------------------------------------------------------

    def _read_back(self) -> None:
        pauses = Backoff(LEAST_SECONDS, 10.0)
        pause = 0.0
        while not self._stop.wait(pause):
            pause = max(LEAST_SECONDS, _CYCLE_SECONDS * self._scale)
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
                with held(self._cycling, deadline):
                    self._readback.cycle()
        except Stopped:
            return
        except (CutoverError, OSError) as error:
            self._trouble(error)

    def finish(self, deadline: Deadline) -> list[str]:
        """At the cutover, when nobody writes: cover what is not covered, read back what is left (design §5 step 7a, b).

        Returns what differs; raises CUT-VERIFY-11 at the deadline.
        """
        with self.rounds.alone(deadline), held(self._cycling, deadline):
            while not self._finished(deadline):
                self._stop.wait(_PAUSE)
            accepted = self.differences.accepted()
            staying = [item for item in self.differences.staying() if item not in accepted]
            return [f"{item.where} key {item.key}: {item.kind}" for item in staying]

    def _finished(self, deadline: Deadline) -> bool:
        known = self._inspection.standings()
        covered = self.rounds.covered(known)
        uncovered = [identity for identity in known if identity not in covered]
        for identity in uncovered:
            if known[identity].calm:
                self.rounds.compare(identity, known[identity], urgent=True)
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
