# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attempts that were asked for: the gate, the estimate, then a cutover or a rehearsal of one (design §5)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Optional

from .._core.clock import Deadline
from .._core.errors import CutoverError
from . import gate, states
from .attempt import REHEARSED, Attempt
from .cutover import Cutover
from .cutover_world import LiveWorld
from .estimate import STEPS
from .opening_hold import OpeningHold
from .rehearsal import Rehearsal
from .report import build as build_report
from .running import Running
from .world import World

if TYPE_CHECKING:
    from .migration import Migration

LOG = logging.getLogger(__name__)
# For the target's key generators, before anybody is fenced.
_KEYS_SECONDS = 120.0
# To read back what was written, before anybody is fenced.
_FRESHEN_SECONDS = 60.0


class Attempts:
    """For the supervisor's thread, while the data path runs."""

    def __init__(self, migration: Migration, world: World, running: Running) -> None:
        self._migration = migration
        self._world = world
        self._running = running

    def make_what_is_asked(self) -> bool:
        """Make the cutover if the gate lets it, or a rehearsal; True when the target is open."""
        migration = self._migration
        if self._running.keys.due() and self._ready_but_for_keys():
            self._running.keys.examine(self._running.inventory, Deadline(_KEYS_SECONDS))
        if migration.rehearse_request is not None:
            request, migration.rehearse_request = migration.rehearse_request, None
            self._rehearse(request)
        if migration.stops.pending is None or not self._passes_gate(migration.stops.pending):
            return False
        request, migration.stops.pending = migration.stops.pending, None
        attempt = self._run(request["max_downtime"], hold=OpeningHold() if request["hold_opening"] else None)
        migration.stops.forget()
        attempt.by = request["by"]
        rehearsal = (migration.report or {}).get("rehearsal")
        report = build_report(migration, attempt)
        migration.keep_report(report if rehearsal is None else {**report, "rehearsal": rehearsal})
        if attempt.result == "completed":
            return True
        migration.enter(states.RUNNING)
        return False

    def _ready_but_for_keys(self) -> bool:
        facts = self._migration.facts()
        if self._migration.state != states.RUNNING or facts is None:
            return False
        return all(item["code"] in ("CUT-KEYS-1", gate.KEYS_UNKNOWN) for item in gate.blockers(facts))

    def _passes_gate(self, request: dict[str, Any]) -> bool:
        """Refuses for good when the time to wait for it is over."""
        migration = self._migration
        found = migration.gate_blockers(request["max_downtime"])
        if not found and "estimated" not in request:
            request["estimated"] = True
            self._running.keys.examine(self._running.inventory, Deadline(_KEYS_SECONDS))
            self._estimate(request["max_downtime"])
            found = migration.gate_blockers(request["max_downtime"])
        if not found:
            self._running.verifier.freshen(Deadline(_FRESHEN_SECONDS))
            found = migration.gate_blockers(request["max_downtime"])
        if found and migration.clock.monotonic() >= request["until"]:
            migration.stops.forget()
            self._refuse_quietly(found)
        return not found

    def _run(self, max_downtime: float, *, rehearsal: bool = False, hold: Optional[OpeningHold] = None) -> Attempt:
        migration = self._migration
        migration.enter(states.STOPPING)
        live = LiveWorld(self._world, self._running, migration.findings, migration.stop_event)
        cutover = Cutover(
            live,
            self._world.decision,
            migration.stop_event,
            migration.clock,
            rehearsal=rehearsal,
            warm_up=migration.spec.warm_up,
            hold=hold,
        )
        migration.cutover = cutover
        # Asked for while the gate was looking; from here on the state refuses a pause.
        if migration.abort_requested or migration.pause.value is not None:
            cutover.cancelled.set()
        migration.attempts += 1
        try:
            attempt = cutover.run(migration.attempts, max_downtime)
        finally:
            migration.last_attempt = cutover.attempt
            migration.cutover = None
            migration.pause.stay()
            migration.be_quiet(self._world)
        self._measure({step.name: step.seconds for step in attempt.steps if step.state == "done"})
        return attempt

    def _rehearse(self, request: dict[str, Any]) -> None:
        """Without a fence, or with one for so many seconds; what it measures is what later estimates are made of."""
        migration = self._migration
        rehearsal = Rehearsal(migration, self._world, self._running)
        migration.rehearsal = rehearsal
        try:
            attempt = rehearsal.run(request["max_downtime"])
            self._measure({name: rehearsal.steps.seconds(name) for name in rehearsal.STEPS})
            if attempt.result == REHEARSED and request.get("fence_seconds"):
                attempt = self._run(request["fence_seconds"], rehearsal=True)
                migration.enter(states.RUNNING)
        finally:
            migration.rehearsal = None
        attempt.by = request["by"]
        migration.last_attempt = attempt
        migration.keep_report({**build_report(migration, attempt), "rehearsal": rehearsal.document(attempt)})

    def _estimate(self, max_downtime: float) -> None:
        """Measure what the proof costs before anybody is fenced; too long a one shows in the prediction.

        What cannot be measured (a collection may be dropped meanwhile) leaves the prediction as it was.
        """
        deadline = Deadline(max_downtime)
        try:
            self._migration.measured["proof"] = self._running.measure_proof(deadline)
        except CutoverError as error:
            LOG.warning("the proof's time could not be measured: %s", error)
            if deadline.expired:
                self._migration.measured["proof"] = 2 * max_downtime

    def _refuse_quietly(self, found: list[dict[str, str]]) -> None:
        try:
            self._migration.stops.refused(found)
        except CutoverError as error:
            LOG.warning("%s", error)

    def _measure(self, seconds: dict[str, Any]) -> None:
        """Figures for the next prediction."""
        known = {name: seconds[name] for name in STEPS if seconds.get(name) is not None}
        self._migration.measured.update(known)
