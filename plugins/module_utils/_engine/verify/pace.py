# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A budget of keys per second for reading, changeable at any time; a rest in proportion to what was done."""

from __future__ import annotations

import threading
import time


class Pace:
    """One reader's pace; ``rate`` is keys per second."""

    def __init__(self, rate: float, stop: threading.Event) -> None:
        self.rate = rate
        self._stop = stop
        self._free_at = 0.0

    def spend(self, keys: int, share: float = 1.0) -> None:
        """Wait until so many keys are paid for, at a share of the rate (infinite: at once); what is unused is lost."""
        now = time.monotonic()
        self._free_at = max(now, self._free_at) + keys / (self.rate * share)
        if self._free_at > now:
            self._stop.wait(self._free_at - now)
