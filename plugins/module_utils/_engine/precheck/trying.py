# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One broken answer must not fail a precheck, nor the take-over of a migration that begins with one."""

from __future__ import annotations

import threading
from typing import Callable, TypeVar

from ..._core.clock import Backoff, Deadline
from ..._core.retry import call_with_retry

Value = TypeVar("Value")
# Long enough for what passes at once, short enough for a table that is to be there within seconds.
_SECONDS = 1.0


def persistently(call: Callable[[], Value]) -> Value:
    """Make a call that changes nothing, again for a second when its error may pass; raises the last error."""
    return call_with_retry(
        call, Deadline(_SECONDS), threading.Event(), idempotent=True, backoff=Backoff(first=0.05, cap=0.3)
    )
