# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do after an error answer (table of facts §7.8), and the loop that repeats what passes by itself."""

from __future__ import annotations

import threading
from typing import Callable, Optional, TypeVar

from .clock import Backoff, Deadline
from .errors import ArangoError, CutoverError, TransportError

Result = TypeVar("Result")

_TRANSIENT_NUMS = frozenset(
    {18, 21, 28, 30, 503, 1302, 1457, 1465, 1474, 1478, 1481, 1489, 1490, 1491, 1495, 1496, 1500, 1654, 21003, 21004}
)
_LONGER_NUMS = frozenset({1004, 1104, 1429})  # 1104: the disk is full
# The collection or its database is not there: nothing can be said about its documents.
GONE = frozenset({1203, 1228})
_OPERATOR_NUMS = frozenset({11, 32, 1450})
_TRANSIENT_STATUSES = frozenset({408, 420, 425, 429, 502, 503, 504})


def kind(status: int, error_num: int, message: str = "") -> str:
    """``transient`` (repeat), ``longer`` (repeat, tell the operator), ``operator`` or ``fatal`` (facts §7.8).

    ``message`` is only looked at for errorNum 1200, which stands both for a write-write conflict (passes) and for a
    revision that does not match (does not).
    """
    if error_num in _LONGER_NUMS:
        return "transient" if status == 503 else "longer"
    if error_num in _TRANSIENT_NUMS:
        return "transient"
    if error_num == 1200 and status == 409:
        return "transient" if "write-write" in message else "fatal"
    if status in (401, 403) or error_num in _OPERATOR_NUMS:
        return "operator"
    return "transient" if status in _TRANSIENT_STATUSES else "fatal"


def may_repeat(error: CutoverError, *, idempotent: bool) -> bool:
    """Whether the call that raised ``error`` may be made again: only if it is harmless or certainly did not run."""
    if not error.retriable:
        return False
    if isinstance(error, (TransportError, ArangoError)) and error.outcome_unknown:
        return idempotent
    return True


def call_with_retry(
    call: Callable[[], Result],
    deadline: Deadline,
    stop: threading.Event,
    *,
    idempotent: bool = False,
    backoff: Optional[Backoff] = None,
    on_retry: Optional[Callable[[CutoverError, float], None]] = None,
) -> Result:
    """Call until it succeeds, the error cannot pass by repeating, the deadline ends or ``stop`` is set.

    The last error is raised as it came. ``on_retry`` gets each error and the pause before the next try.
    """
    pauses = backoff or Backoff()
    while True:
        try:
            return call()
        except CutoverError as error:
            pause = pauses.next()
            if not may_repeat(error, idempotent=idempotent) or deadline.remaining() <= pause:
                raise
            if on_retry is not None:
                on_retry(error, pause)
            if stop.wait(pause):
                raise
