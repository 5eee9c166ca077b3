# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the cutover's steps do to the real source and target."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any, Optional

from .._core.catalogue import lookup
from .._core.clock import Deadline
from .._core.errors import CutoverError
from . import decision as record
from . import fence, proof
from . import inventory as inv
from .definitions import changes, problems
from .fence_note import FenceNote, clear_note, guard_seconds, read_note, write_note
from .files import sync_directory, write_json
from .findings import Finding, Findings
from .index_builder import IndexJob
from .key_guard import MOST_BURNED_FENCED
from .late_users import LEFT
from .lease import LeaseLostError, SystemClocks
from .parallel import gather
from .running import Running
from .warm_up import warm_up
from .wayback import MODE_TRY_SECONDS
from .world import World

_PAUSE = 0.1
# For the mode of one server.
_MODE_TIMEOUT = 10.0
_LEAST_TIMEOUT = 0.5
# Changed definitions that are told by name.
_NAMED = 5


class LiveWorld:
    """Implements ``cutover.World``. ``running`` is None after a restart, when only record and users are left to do."""

    def __init__(self, world: World, running: Optional[Running], findings: Findings, stop: threading.Event) -> None:
        self._world = world
        self._running = running
        self._findings = findings
        self._stop = stop
        self._opened_cleanly = False
        self._settled_at = 0.0
        self._lost_before = False
        # Whoever recovers from a restart does not know what the life before it has sent.
        self._lift_lost = running is None
        self._doubts = running.plane.doubts if running is not None else 0

    def agent(self) -> str:
        """See ``cutover.World``."""
        return self._world.lease.owner.id

    def check_owner(self) -> None:
        """See ``cutover.World``. A lease that is only late is no reason: the way back must not wait for it."""
        try:
            self._world.lease.check()
        except LeaseLostError as error:
            if not error.retriable:
                raise

    def warm_up(self, seconds: float) -> dict[str, Any]:
        """See ``cutover.World``."""
        subjects = self._need().subjects()
        return warm_up(self._world.target, subjects, Deadline(seconds), self._stop.is_set).document()

    def read_modes(self) -> dict[str, str]:
        """See ``cutover.World``."""
        return self._modes(_MODE_TIMEOUT)

    def _modes(self, timeout: float) -> dict[str, str]:
        """Of the servers that there are now."""
        self._world.source.refresh()
        return fence.read_modes(self._world.source, timeout)

    def shown_modes(self) -> dict[str, str]:
        """See ``cutover.World``."""
        return fence.shown_modes(self._world.source)

    def set_mode(self, mode: str, deadline: Deadline) -> dict[str, str]:
        """See ``cutover.World``. A source that shows the mode everywhere already is left alone."""
        modes = fence.everywhere(self._world.source, mode)
        if modes is not None:
            return self._shown(modes)
        if mode == fence.DEFAULT:
            return self._shown(self._lift(deadline))
        self._note(unanswered=True)
        return self._shown(fence.set_mode(self._world.source, mode, deadline, answered=self._answered))

    def _lift(self, deadline: Deadline) -> dict[str, str]:
        earlier, self._lift_lost = self._lift_lost, True

        def answered() -> None:
            self._lift_lost = earlier

        return fence.set_mode(self._world.source, fence.DEFAULT, deadline, answered=answered)

    def lift_may_run_late(self) -> float:
        """See ``cutover.World``."""
        return self._world.settings.settle_seconds if self._lift_lost else 0.0

    def _answered(self) -> None:
        """The request to fence; one of an attempt before may still be lost."""
        self._note(unanswered=self._lost_before)

    def _shown(self, modes: dict[str, str]) -> dict[str, str]:
        if self._running is not None:
            self._running.modes = modes
        return modes

    def check_fence(self, deadline: Deadline) -> None:
        """See ``cutover.World``. A server that does not answer may be writable."""
        modes = self._modes(max(_LEAST_TIMEOUT, min(_MODE_TIMEOUT, deadline.remaining())))
        lifted = sorted(f"{name} ({mode})" for name, mode in self._shown(modes).items() if mode != fence.READONLY)
        if lifted:
            text = f"somebody has taken the source out of its read-only mode before the opening: {', '.join(lifted)}"
            raise CutoverError("CUT-FENCE-5", text, retriable=True, details={"servers": modes})

    def cancel_writers(self, deadline: Deadline) -> int:
        """See ``cutover.World``."""
        return fence.cancel_writers(self._world.source, deadline)

    def _need(self) -> Running:
        """The data path, about which no doubt has come up since the attempt began."""
        if self._running is None:
            raise CutoverError("CUT-CUTOVER-4", "the data path is not running")
        doubted = self._running.plane.doubts - self._doubts
        if doubted:
            raise CutoverError(
                "CUT-CUTOVER-3", f"{doubted} shards have to be compared with the source again: see the findings"
            )
        return self._running

    def settle_definitions(self, deadline: Deadline) -> None:
        """See ``cutover.World``. A collection born a second ago is copied now, if there is time."""
        running = self._need()
        while True:
            read_at = time.monotonic()
            source = running.choice.select(self._agreed_inventory(deadline))
            running.settle_on(source)
            self._need()
            text = self._unsettled(running, source, read_at)
            if text is None:
                self._settled_at = read_at
                return
            if deadline.expired or self._stop.wait(_PAUSE):
                raise CutoverError("CUT-CUTOVER-2", f"the definitions are not settled: {text}")
            running.doubt_definitions()

    def check_definitions(self) -> None:
        """See ``cutover.World``."""
        world, settled = self._world, self._need().inventory
        for found in self._inventories().values():
            changed = changes(settled, world.spec.shape.apply(found), world.target_version)
            if changed:
                text = f"definitions were changed on the source behind the fence: {', '.join(changed[:_NAMED])}"
                raise CutoverError("CUT-CUTOVER-2", text)

    def _inventories(self) -> dict[str, inv.Inventory]:
        """By coordinator."""
        return gather({name: partial(inv.read, front) for name, front in self._world.source.fronts.items()})

    def _agreed_inventory(self, deadline: Deadline) -> inv.Inventory:
        while True:
            found = self._inventories()
            essences = [inv.inventory_essence(item) for item in found.values()]
            if all(item == essences[0] for item in essences):
                return next(iter(found.values()))
            if deadline.expired or self._stop.wait(_PAUSE):
                raise CutoverError("CUT-CUTOVER-2", "the source's coordinators do not agree on the definitions")

    def _unsettled(self, running: Running, source: inv.Inventory, read_at: float) -> Optional[str]:
        """Why the definitions cannot be taken for settled yet."""
        running.indexes.hand_over()
        if not running.all_calm():
            return "a collection is still being copied"
        if running.indexes.missing() or running.builder.busy:
            return "an index is still being built"
        unknown = running.plane.unknown_cuids()
        if unknown:
            return f"{len(unknown)} shards in the logs are not explained"
        apart = running.apart(source)
        if apart is not None:
            return apart
        found = [
            *running.plane.index_marks.unexplained(source, read_at),
            *problems(source, inv.read(self._world.target), self._world.target_version),
        ]
        return found[0] if found else None

    def drain(self, deadline: Deadline) -> dict[str, int]:
        """See ``cutover.World``; also the last look at the source's users before the opening."""
        running = self._need()
        ends = running.end_ticks()
        running.plane.drain(ends, deadline)
        contradicted = running.plane.index_marks.unexplained(running.inventory, self._settled_at)
        if contradicted:
            raise CutoverError("CUT-CUTOVER-2", f"the definitions are not settled: {contradicted[0]}")
        running.plane.settle(deadline)
        running.world.users.sync()
        return ends

    def late_writes(self, deadline: Deadline) -> int:
        """See ``cutover.World``."""
        running = self._need()
        running.plane.scan_to(running.end_ticks(), deadline)
        return running.plane.late_markers().count

    def prove(self, deadline: Deadline) -> proof.Result:
        """See ``cutover.World``. Findings that came meanwhile are differences too."""
        running = self._need()
        alike = self._world.source.version == self._world.target_version_text
        source, target = self._world.source.coordinators, self._world.target
        result = proof.Result()
        with running.verifier.rounds.suspend():
            with result.timed("rounds and written keys"):
                differing = running.verifier.finish(deadline)
            result = proof.prove(
                source,
                target,
                running.subjects(),
                deadline,
                alike=alike,
                seconds=self._world.spec.checksum_seconds,
                risky={proof.Subject(*place) for place in running.verifier.risky()},
                accepted={proof.Subject(*place): keys for place, keys in running.verifier.accepted().items()},
                result=result,
            )
            running.verifier.doubt({(item.database, item.collection) for item in result.differing})
        result.differences.extend(differing)
        with result.timed("generated keys"):
            keys = running.keys.guard.examine(running.inventory, deadline, most=MOST_BURNED_FENCED)
        result.keys = keys.document()
        result.differences.extend([keys.text] if keys.text is not None else [])
        result.differences.extend(f"{item['where']}: {item['message']}" for item in running.findings.blocking())
        result.differences.extend(f"shard {name} is not copied" for name in running.unexplained())
        return result

    def note_fence(self, attempt: int, former: str, max_downtime: float) -> float:
        """See ``cutover.World``."""
        settings = self._world.settings
        self._lost_before = self.late_fence()
        self._write_note(attempt, former, max_downtime, unanswered=self._lost_before)
        return max(guard_seconds(max_downtime, settings.time_scale, MODE_TRY_SECONDS), settings.settle_seconds)

    def note_former_fence(self) -> None:
        """After a take-over: the fence of an agent that is lost may go up when the way back was taken, and nobody else
        would look for it.
        """
        values = self._world.decision.values
        owner = values.get("agent")
        if owner and owner != self._world.lease.owner.id and self.noted_fence() is None:
            former = str(values.get("former_mode", fence.DEFAULT))
            self._write_note(int(values.get("attempt", 0)), former, self._world.spec.max_downtime, unanswered=True)

    def _write_note(self, attempt: int, former: str, max_downtime: float, *, unanswered: bool) -> None:
        world = self._world
        fronts = tuple(server.client.endpoint.url for server in world.source.fronts.values())
        note = FenceNote.of(world.lease.owner.id, attempt, former, fronts, max_downtime)
        write_note(world.paths.root, replace(note, unanswered=unanswered))

    def note_recorded(self) -> None:
        """See ``cutover.World``."""
        self._note(recorded=True)

    def _note(self, **fields: Any) -> None:
        note = read_note(self._world.paths.root)
        if note is not None:
            write_note(self._world.paths.root, replace(note, **fields))

    def late_fence(self) -> bool:
        """Whether this host's fence may still go up by a request whose answer was lost."""
        note = read_note(self._world.paths.root)
        return note is not None and note.may_come_late(SystemClocks(), self._world.settings.settle_seconds)

    def noted_fence(self) -> Optional[str]:
        """See ``cutover.World``."""
        note = read_note(self._world.paths.root)
        return None if note is None else note.former_mode

    def fence_is_young(self) -> bool:
        """See ``cutover.World``."""
        note = read_note(self._world.paths.root)
        return note is not None and note.blind(SystemClocks(), self._world.settings.time_scale)

    def note_opening(self) -> None:
        """See ``cutover.World``. An agent whose lease is not certain does not open.

        From here on nothing is applied any more: a write that comes late is a finding, and must not overwrite what
        applications have written on the target. The late indexes are journaled here: a restart finishes the opening
        and builds them without the source.
        """
        self._world.lease.check()
        running = self._need()
        running.plane.pause()
        jobs = [asdict(job) for job in running.indexes.late(running.inventory)]
        self._world.result.load()
        self._world.result.save({"late": jobs, "late_done": not jobs})
        write_json(self._world.paths.opening, {"decision": self._world.decision.values.get("attempt")})
        self._opened_cleanly = True

    def opening_noted(self) -> bool:
        """See ``cutover.World``."""
        return self._world.paths.opening.exists()

    def clear_notes(self) -> None:
        """See ``cutover.World``. That of a fence which may come late stays: its end is not certain yet. Nobody lifts
        that one without the record.
        """
        if self.late_fence():
            self._note(recorded=False)
        else:
            clear_note(self._world.paths.root)
        if self._world.paths.opening.exists():
            self._world.paths.opening.unlink()
            sync_directory(self._world.paths.root)

    def open_users(self, names: Optional[Collection[str]]) -> list[tuple[str, str]]:
        """See ``cutover.World``."""
        try:
            return self._world.users.open_all(names)
        except CutoverError:
            # Its request may still run: a revocation waits for that.
            self._opened_cleanly = False
            raise

    def end_watch(self) -> None:
        """See ``cutover.World``."""
        if self._running is not None:
            self._running.plane.end_watch()
            self._running.plane.resume()

    def complete(self, completed_at: str) -> None:
        """See ``cutover.World``. The revision that the result had before is the target's time of the opening."""
        opened = self._world.result.load().get("opening_revision") or self._world.result.rev
        self._world.result.update(
            completed_at=completed_at,
            opening_revision=opened,
            opened_cleanly=self._opened_cleanly,
            **{LEFT: sorted(self._world.users.refused)},
        )
        self._world.migration.load()
        self._world.migration.update(state=record.COMPLETED, since=completed_at)
        clear_note(self._world.paths.root)

    def warn(self, code: str, where: str, text: str) -> None:
        """See ``cutover.World``."""
        self._findings.report(Finding(code, "warning", where, text, lookup(code).remedy))


def job_of(document: Mapping[str, Any]) -> IndexJob:
    """The job that ``complete`` recorded."""
    return IndexJob(
        document["database"],
        document["plan_id"],
        document["collection"],
        tuple(document["indexes"]),
        bool(document["held"]),
    )
