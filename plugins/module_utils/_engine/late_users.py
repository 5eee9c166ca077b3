# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users whom the target refused at the opening: tried again beside what else is left to do (design §5, step 9).

Only these are written: the target is open, and what became of the others there is not ours any more.
"""

from __future__ import annotations

import logging

from .._core.catalogue import lookup
from .._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from .._core.errors import CutoverError
from .findings import Finding, Findings
from .world import World

LOG = logging.getLogger(__name__)
CODE = "CUT-USER-5"
# How long they are tried, and the longest pause between two tries.
_SECONDS = 600.0
_LONGEST_PAUSE = 30.0


class LateUsers:
    """For the supervisor's thread, which calls ``look`` every now and then while ``pending``."""

    def __init__(self, world: World, findings: Findings, clock: Clock = SYSTEM_CLOCK) -> None:
        self._users = world.users
        self._result = world.result
        self._findings = findings
        self._clock = clock
        self._scale = world.settings.time_scale
        self._pauses = Backoff(1.0, _LONGEST_PAUSE)
        self._over = Deadline(_SECONDS * self._scale, clock)
        self._next = self._pause()

    def _pause(self) -> Deadline:
        return Deadline(self._pauses.next() * self._scale, self._clock)

    @property
    def pending(self) -> bool:
        """Whether there is somebody to be opened, and time for it."""
        return bool(self._users.refused) and not self._over.expired

    def look(self) -> None:
        """Try again if it is due; those who can log in now are no finding any more."""
        if not self.pending or not self._next.expired:
            return
        before = set(self._users.refused)
        try:
            # A revocation waits for a request that may still run; it must know of it before there is one.
            if self._result.load().get("opened_cleanly"):
                self._result.update(opened_cleanly=False)
            problems = self._users.open_all(before)
        except CutoverError as error:
            LOG.warning("users could not be opened: %s", error)
        else:
            for name in before - {name for name, _text in problems}:
                self._findings.resolve(CODE, f"user {name}")
            for name, text in problems:
                self._findings.report(Finding(CODE, "warning", f"user {name}", text, lookup(CODE).remedy))
        self._next = self._pause()
