# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rehearsal of a cutover while the source stays open: gate, and every step but the fence (design §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core.clock import Deadline
from .._core.errors import CutoverError
from . import gate
from .attempt import REHEARSED, Attempt
from .cutover_world import LiveWorld
from .running import Running
from .steps import Steps
from .times import stamp
from .world import World

if TYPE_CHECKING:
    from .migration import Migration


class Rehearsal:
    """One rehearsal; nobody is harmed by it, and the migration goes on."""

    STEPS = ("gate", "definitions", "drain", "proof")

    def __init__(self, migration: Migration, world: World, running: Running) -> None:
        self._migration = migration
        self._running = running
        self._live = LiveWorld(world, running, migration.findings, migration.stop_event)
        self.steps = Steps(self.STEPS)
        self.blockers: list[dict[str, str]] = []

    def run(self, max_downtime: float) -> Attempt:
        """The steps, of at most ``max_downtime`` seconds each; ``result`` is ``rehearsed`` or ``refused``."""
        migration = self._migration
        attempt = Attempt(migration.attempts, stamp(migration.clock.wall()), max_downtime)
        try:
            with self.steps.step("gate"):
                self._gate(max_downtime)
            with self.steps.step("definitions"):
                self._live.settle_definitions(Deadline(max_downtime))
            with self.steps.step("drain"):
                self._running.plane.apply_to(self._running.end_ticks(), Deadline(max_downtime))
            with self.steps.step("proof"):
                self._running.measure_proof(Deadline(max_downtime))
            attempt.result = REHEARSED
        except CutoverError as error:
            attempt.result, attempt.reason, attempt.code = "refused", error.message, error.code
            attempt.blockers = self.blockers
        return attempt

    def _gate(self, max_downtime: float) -> None:
        self._running.keys.examine(self._running.inventory, Deadline(max_downtime))
        self.blockers = self._migration.gate_blockers(max_downtime)
        if self.blockers:
            text = "; ".join(item["text"] for item in self.blockers)
            raise CutoverError("CUT-GATE-1", f"the cutover would be refused now: {text}")

    def document(self, attempt: Attempt) -> dict[str, Any]:
        """``rehearsal`` of the report: how it ended, its steps, and the downtime that is expected from now on."""
        facts = self._migration.facts()
        return {
            "at": attempt.at,
            "result": attempt.result,
            "reason": attempt.reason,
            "code": attempt.code,
            "fenced_seconds": attempt.fenced_seconds,
            "blockers": list(self.blockers),
            "steps": self.steps.document(),
            "predicted_downtime_seconds": gate.predicted_downtime(facts) if facts is not None else None,
        }
