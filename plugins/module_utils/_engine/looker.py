# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A thread that looks at something again and again, whatever one look meets."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import Optional

LOG = logging.getLogger(__name__)


class Looker(ABC):
    """``look`` is given by who inherits; ``what`` tells people what could not be looked at."""

    def __init__(self, name: str, pause: float, what: str) -> None:
        """``pause``: seconds between two looks."""
        self._name = name
        self._pause = pause
        self._what = what
        self._stop = threading.Event()
        self._thread: Optional[threading.Thread] = None

    @abstractmethod
    def look(self) -> None:
        """Look once."""

    def begin(self) -> None:
        """Look once, then again and again in the background."""
        self.look()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def close(self, timeout: float) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            try:
                self.look()
            except Exception:
                LOG.exception("%s could not be looked at", self._what)
