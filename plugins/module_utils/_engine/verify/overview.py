# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What others see of the verification: status, report, gate, and what the proof has to know."""

from __future__ import annotations

from typing import Any, Optional

from ..._core.clock import Clock
from ..inspection import CollectionId, Inspection
from .coverage import Coverage
from .differences import Differences
from .readback import ReadBack
from .rounds import Rounds
from .touched import Touched


class Overview:
    """The reading half of the verifier, which sets these fields."""

    _clock: Clock
    _inspection: Inspection
    _readback: ReadBack
    _scale: float
    coverage: Coverage
    differences: Differences
    rounds: Rounds
    touched: Touched

    def document(self) -> dict[str, Any]:
        """``verification`` of the status document."""
        transient, confirmed = self.differences.counts()
        position = self._readback.position
        total, uncovered = self._extent()
        complete = total > 0 and not uncovered and position.at > 0
        return {
            "state": self._state(uncovered),
            "round": self.coverage.round,
            "verified_up_to": {name: str(tick) for name, tick in sorted(position.ticks.items())} if complete else None,
            "oldest_age_seconds": round(max(0.0, self._clock.wall() - position.at), 3) if complete else None,
            "pending": self.touched.count,
            "transient": transient,
            "confirmed": confirmed,
            "repaired": self.coverage.repaired,
        }

    def _extent(self) -> tuple[int, int]:
        """Collections that there are now, and those of them that no comparison holds for.

        Never from what the comparing thread saw last: the data path may know more since.
        """
        known, covered = self._inspection.standings(), self.coverage.all()
        holds = sum(
            identity in covered and self.rounds.holds(identity, standing)
            for identity, standing in known.items()
        )
        return len(known), len(known) - holds

    def _state(self, uncovered: int) -> str:
        if self.rounds.suspended:
            return "cutover"
        if self._inspection.paused:
            return "paused"
        return "comparing" if uncovered else "watching"

    def report(self) -> dict[str, Any]:
        """``verification`` of the report: what was compared how."""
        covered = self.coverage.all()
        known = self._inspection.standings()
        own = {identity for identity in covered if identity in known and not known[identity].likeness.keeps_revisions}
        hashed = sum(item.hashed for identity, item in covered.items() if identity not in own)
        return {
            **self.document(),
            "collections": len(covered),
            "documents": sum(item.documents for item in covered.values()),
            "methods": {
                "keys, revisions and contents": hashed,
                "keys and revisions": len(covered) - hashed - len(own),
                **({"keys and contents, as the target has revisions of its own": len(own)} if own else {}),
            },
        }

    def accepted(self) -> dict[tuple[str, str], dict[str, int]]:
        """Keys that may differ by database and collection, each with how many more documents the source has by it."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for item in self.differences.accepted():
            more = len(item.here) - len(item.there)
            found.setdefault((item.collection[0], item.name), {})[item.key] = more
        return found

    def risky(self) -> set[tuple[str, str]]:
        """Database and name of collections whose contents were never compared, or where something was put right."""
        known = self._inspection.standings()
        hashed = {identity for identity, item in self.coverage.all().items() if item.hashed}
        found = {(identity[0], standing.name) for identity, standing in known.items() if identity not in hashed}
        return found | self.differences.repaired_places

    def verified_up_to(self, collection: CollectionId, server: str) -> Optional[tuple[int, float]]:
        """The tick up to which a shard led by this server is verified, and its age in seconds; None before that."""
        position = self._readback.position
        tick = position.ticks.get(server)
        if tick is None or self.coverage.get(collection) is None or self.differences.of(collection):
            return None
        return tick, max(0.0, self._clock.wall() - position.at)

    def blockers(self, max_lag: float) -> list[str]:
        """Why the cutover cannot rely on the verification now."""
        found = []
        total, uncovered = self._extent()
        if uncovered:
            text = f"{uncovered} of {total} collections are not compared as a whole yet"
            found.append(f"{text} since their last copy or repair")
        age = self._clock.wall() - self._readback.position.at
        if not self.touched.empty and age > 2 * max_lag + 10 * self._scale:
            found.append(f"{self.touched.count} written keys are still to be read back")
        transient = len(self.differences) - len(self.differences.staying())
        if transient:
            found.append(f"{transient} documents differ and are being looked at again")
        return found
