# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The gate's question whether keys made on the target can meet migrated ones, and when it is asked."""

from __future__ import annotations

import logging
from typing import Optional

from .._core.clock import Clock, Deadline, Every
from .._core.errors import CutoverError
from .inventory import Inventory
from .key_guard import KeyGuard

LOG = logging.getLogger(__name__)
# Between two looks at the target's key generators, when the first one met passing trouble, or was refused.
_SECONDS = 5.0
_REFUSED_SECONDS = 60.0
_QUESTION = "whether keys made on the target can meet migrated ones"


class KeyQuestion:
    """For the supervisor's thread; ``text`` is the question to the operator, None when there is none. While it is not
    ``known``, that is to be found out yet.
    """

    def __init__(self, guard: KeyGuard, clock: Clock, time_scale: float) -> None:
        self.guard = guard
        self.text: Optional[str] = f"{_QUESTION} was not found out yet"
        self._scale = time_scale
        self.known = False
        self._looked = Every(clock)
        self._pause = _SECONDS

    def due(self) -> bool:
        """Whether the target is to be looked at: for the first time, or after trouble with that."""
        return not self.known and self._looked.due(self._pause * self._scale)

    def examine(self, source: Inventory, deadline: Deadline) -> None:
        """Find out; trouble is the question then, and is met again later: whatever refused it may be put right."""
        try:
            self.text = self.guard.examine(source, deadline).text
            self.known = True
        except CutoverError as error:
            LOG.warning("the target's key generators: %s", error)
            self.text = f"{_QUESTION} could not be found out: {error.message}"
            self._pause = _SECONDS if error.retriable else _REFUSED_SECONDS
        self._looked.done()
