# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users whom the target refused at the opening: tried again beside what else is left to do (design §5, step 9).

Only these are written: the target is open, and what became of the others there is not ours any more. Who is left is in
the journal, so that a restart, or another agent, goes on within the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Optional

from .._core.catalogue import lookup
from .._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from .._core.errors import CutoverError
from .findings import Finding, Findings
from .times import seconds_of
from .world import World

LOG = logging.getLogger(__name__)
CODE = "CUT-USER-5"
# In the result: who is left; empty when nothing is left to do.
LEFT = "late_users"
# How long they are tried from the opening on, and the longest pause between two tries.
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
        values = self._result.load()
        self.names: set[str] = set(values.get(LEFT, ()))
        self._over = Deadline(self._time_left(values.get("completed_at")), clock)
        self._next = self._pause()

    def _time_left(self, completed_at: Optional[str]) -> float:
        """By the wall clocks of the agent that has opened the target and of this one, which may be another one."""
        passed = self._clock.wall() - seconds_of(completed_at) if completed_at else 0.0
        return _SECONDS * self._scale - max(0.0, passed)

    def _pause(self) -> Deadline:
        return Deadline(self._pauses.next() * self._scale, self._clock)

    @property
    def pending(self) -> bool:
        """Whether there is somebody to be opened, and time for it."""
        return bool(self.names) and not self._over.expired

    def look(self) -> None:
        """Try again if it is due; those who can log in now are no finding any more."""
        if not self.pending or not self._next.expired:
            return
        try:
            # A revocation waits for a request that may still run; it must know of it before there is one.
            if self._result.load().get("opened_cleanly"):
                self._result.update(opened_cleanly=False)
            problems = self._users.open_all(self.names)
            self._note(problems)
        except CutoverError as error:
            LOG.warning("users could not be opened: %s", error)
        self._next = self._pause()

    def _note(self, problems: Collection[tuple[str, str]]) -> None:
        before, self.names = self.names, {name for name, _text in problems}
        for name in before - self.names:
            self._findings.resolve(CODE, f"user {name}")
        for name, text in problems:
            self._findings.report(Finding(CODE, "warning", f"user {name}", text, lookup(CODE).remedy))
        if self.names != before:
            self._result.update(**{LEFT: sorted(self.names)})

    def end(self) -> None:
        """Nobody is tried any more, now or after a restart."""
        self.names = set()
        if self._result.load().get(LEFT):
            self._result.update(**{LEFT: []})
