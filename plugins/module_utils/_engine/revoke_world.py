# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a revocation does to the real source and target."""

from __future__ import annotations

import threading
import time
from typing import Any

from .._core.catalogue import lookup
from .._core.clock import Deadline
from .._core.errors import CutoverError
from . import changes, fence, proof, states
from . import inventory as inv
from .cutover import StoppedError
from .definitions import problems
from .findings import Finding, Findings
from .running import subjects_of
from .world import World

# A stream transaction that nobody continues ends after this time; a query of a user who is inactive by now may run on
# and cannot be seen or ended without superuser rights (facts §2.3).
_RUNNING_WRITERS_SECONDS = 60.0
_MODE_SECONDS = 30.0


class LiveRevocation:
    """Implements ``revoke.World``."""

    def __init__(self, world: World, findings: Findings, stop: threading.Event) -> None:
        self._world = world
        self._findings = findings
        self._stop = stop

    def check(self) -> None:
        """See ``revoke.World``."""
        self._world.lease.check()
        if self._world.users.policy == "skip":
            text = "users: skip leaves the target's users to you: there is nothing that could close the target"
            raise CutoverError("CUT-REVOKE-3", text)
        modes = fence.read_modes(self._world.source)
        if fence.summary(modes) != fence.READONLY:
            text = f"the source is not read-only any more ({fence.summary(modes)}): both sides may have been written"
            raise CutoverError("CUT-REVOKE-3", text, details={"modes": modes})

    def differences(self, deadline: Deadline) -> list[str]:
        """See ``revoke.World``. Definitions first, then documents; what was written since is told by collection."""
        world = self._world
        source = world.spec.shape.apply(inv.read(world.source.coordinators))
        target = inv.read(world.target)
        found = problems(source, target, world.target_version)
        found += [f"user {name}: {text}" for name, text in world.users.foreign()]
        subjects = subjects_of(source, world.target_version)
        missing = {str(item) for item in subjects if item.collection not in _names(target, item.database)}
        there = [item for item in subjects if str(item) not in missing]
        alike = world.source.version == world.target_version_text
        result = proof.prove(world.source.coordinators, world.target, there, deadline, alike=alike)
        if not result.proved:
            found += self._written(there, deadline) or result.differences
        return found

    def _written(self, subjects: list[proof.Subject], deadline: Deadline) -> list[str]:
        opened = self._world.result.load().get("opening_revision") or self._world.result.rev
        if opened is None:
            return []
        return changes.lines(
            changes.find(self._world.source.coordinators, self._world.target, subjects, str(opened), deadline)
        )

    def close_users(self) -> list[tuple[str, str]]:
        """See ``revoke.World``."""
        self._world.users.close_all()
        return self._world.users.still_open()

    def settle(self, deadline: Deadline) -> None:
        """See ``revoke.World``: transactions of applications, and a lost request of the opening itself."""
        settings = self._world.settings
        seconds = _RUNNING_WRITERS_SECONDS * settings.time_scale
        if not self._world.result.load().get("opened_cleanly"):
            seconds = max(seconds, settings.settle_seconds)
        if seconds > deadline.remaining():
            text = f"the target must rest for {seconds:.0f} s before it can be compared"
            raise CutoverError("CUT-REVOKE-4", text)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._world.lease.check()
            if self._stop.wait(min(0.5, max(0.0, end - time.monotonic()))):
                raise StoppedError

    def give_back(self, former: str) -> None:
        """See ``revoke.World``."""
        self._world.lease.check()
        if former == fence.DEFAULT:
            fence.set_mode(self._world.source, fence.DEFAULT, Deadline(_MODE_SECONDS))

    def end(self, at: str) -> None:
        """See ``revoke.World``."""
        self._world.paths.opening.unlink(missing_ok=True)
        self._world.migration.load()
        self._world.migration.update(state=states.ABORTED, since=at, revoked_at=at)

    def warn(self, code: str, where: str, text: str) -> None:
        """See ``revoke.World``."""
        self._findings.report(Finding(code, "warning", where, text, lookup(code).remedy))


def _names(inventory: inv.Inventory, database: str) -> dict[str, Any]:
    definition = inventory.get(database)
    return dict(definition.collections) if definition is not None else {}
