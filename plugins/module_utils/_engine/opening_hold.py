# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An opening that waits for whoever asked for the cutover: their part may fail, and then there is still a way back.

It is answered once; the deadline of the cutover goes on meanwhile, so that nobody has to answer for the source's sake.
"""

from __future__ import annotations

import threading
from typing import Callable, Optional

from .._core.clock import Deadline
from .._core.errors import CutoverError

# How often the ends that have events of their own (abort, end of the agent) are looked at.
_LOOK_SECONDS = 0.1


class OpeningHold:
    """One question, one answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._refusal: Optional[CutoverError] = None

    def answer(self, open_it: bool, reason: str = "") -> bool:
        """Let the target be opened, or have the way back taken; False for the same answer again.

        Raises CUT-CUTOVER-8 for another one.
        """
        with self._lock:
            if self._answered.is_set():
                if open_it is (self._refusal is None):
                    return False
                given = "open the target" if self._refusal is None else "take the way back"
                raise CutoverError("CUT-CUTOVER-8", f"the answer was given already: {given}")
            if not open_it:
                self._refusal = CutoverError("CUT-CUTOVER-7", f"the opening was refused: {reason or 'no reason given'}")
            self._answered.set()
            return True

    def check(self) -> None:
        """Raise the refusal, if there is one."""
        if self._refusal is not None:
            raise self._refusal

    def wait(self, deadline: Deadline, check: Callable[[], None]) -> None:
        """Until it is answered; ``check`` raises at what else ends the wait, the deadline among it."""
        while not self._answered.wait(min(_LOOK_SECONDS, max(deadline.remaining(), 0.0))):
            check()
        self.check()
