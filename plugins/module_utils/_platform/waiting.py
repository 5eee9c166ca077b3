# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waiting for what the platform does by itself: looked at again and again, told when it changes, bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Optional

from .._core.clock import SYSTEM_CLOCK, Clock, Deadline
from .._core.errors import CutoverError


def _silent(_text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Waiting:
    """For how many seconds to wait at most, how often to look, and who is told of progress."""

    timeout: float
    interval: float = 10.0
    tell: Callable[[str], None] = _silent
    clock: Clock = SYSTEM_CLOCK
    stop: threading.Event = field(default_factory=threading.Event)

    def until_none(self, look: Callable[[], Optional[str]], late: Callable[[str], CutoverError]) -> None:
        """Wait until ``look`` has no text any more about what is still going on.

        Raises what ``look`` raises unless that passes by itself, and ``late`` of the last text when the time is over.
        """
        deadline, told = Deadline(self.timeout, self.clock), ""
        while True:
            try:
                text = look()
            except CutoverError as error:
                if not error.retriable:
                    raise
                text = error.message
            if text is None:
                return
            if text != told:
                self.tell(text)
                told = text
            if deadline.expired or self.stop.wait(min(self.interval, deadline.remaining())):
                raise late(text)
