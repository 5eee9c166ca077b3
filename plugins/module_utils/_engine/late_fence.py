# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request to fence whose answer was lost may run when the way back is over: until it certainly has ended the source
is looked at again and again, and given back once more (design §5, I6). The guard does the same by the note.
"""

from __future__ import annotations

import logging
import threading

from .._core.clock import SYSTEM_CLOCK, Clock, Every
from .._core.errors import CutoverError
from .cutover import Cutover
from .cutover_world import LiveWorld
from .fence import DEFAULT, READONLY
from .findings import Findings
from .world import World

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0


class LateFence:
    """For the supervisor's thread, between two attempts."""

    def __init__(self, world: World, findings: Findings, stop: threading.Event, clock: Clock = SYSTEM_CLOCK) -> None:
        self._live = LiveWorld(world, None, findings, stop)
        self._decision = world.decision
        self._stop = stop
        self._clock = clock
        self._looked = Every(clock)

    @property
    def pending(self) -> bool:
        """Whether such a request may still run, or the last look at the source is to be made."""
        return self._live.noted_fence() is not None

    def look_if_due(self) -> bool:
        """``look``, every now and then."""
        if not self._looked.due(LOOK_SECONDS):
            return False
        self._looked.done()
        return self.look()

    def look(self) -> bool:
        """Give the source back if it is fenced; True when it was. What cannot be looked at now is so next time.

        Raises only ``StoppedError`` and ``LeaseLostError``.
        """
        former = self._live.noted_fence()
        if former is None:
            return False
        was_last = not self._live.late_fence()
        try:
            shown = self._live.shown_modes()
        except CutoverError as error:
            LOG.info("the source's mode could not be looked at: %s", error)
            return False
        if not shown:
            return False  # nobody was reached: this was no look
        is_fenced = former == DEFAULT and READONLY in shown.values()
        if is_fenced:
            LOG.warning("a request to fence came after the way back: the source is given back once more")
            Cutover(self._live, self._decision, self._stop, self._clock).recover()
        elif was_last:
            self._live.clear_notes()
        return is_fenced
