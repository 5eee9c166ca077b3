# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far one server's log has been read, for those who wait for it, and how old the unapplied part is."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Optional

from .._core.clock import Deadline
from .wal import Answer, Position

_SAMPLE_SECONDS = 0.2
_SAMPLES = 4096
# Without an answer for so long nothing is known about the source any more.
_SILENCE_SECONDS = 2.0


def following(asked: Position, answer: Answer) -> Position:
    """What to ask for after an answer (facts §5.4).

    After an empty one never from ``lastscanned`` itself: an empty write batch may share its number with the next
    write. A position never goes back.
    """
    if answer.lines:
        return Position(answer.last_included, answer.last_scanned)
    if answer.last_scanned - 1 > asked.tick:
        return Position(answer.last_scanned - 1, answer.last_scanned)
    return asked


class Reading:
    """Published by the tailer after each answer; thread safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked = 0
        self._empty = -1
        self._last_sent = 0.0
        self._samples: deque[tuple[float, int]] = deque(maxlen=_SAMPLES)
        self.through: Optional[int] = None
        self.last_tick: Optional[int] = None
        self.error: Optional[str] = None

    def begin(self, tick: int) -> None:
        """The log, or another one, is read from here."""
        with self._changed:
            self.through = tick
            self.last_tick = tick
            self._samples.clear()
            self._changed.notify_all()

    def asking(self) -> int:
        """A request is about to be sent; gives its number."""
        with self._changed:
            self._asked += 1
            return self._asked

    def answered(self, number: int, sent: float, answer: Answer) -> None:
        """The request's answer is wholly routed. ``sent`` is the monotonic time at which it was asked for."""
        with self._changed:
            self.error = None
            self.last_tick = answer.last_tick
            self.through = max(self.through or 0, answer.last_included, answer.last_scanned)
            if not answer.lines:
                self._empty = max(self._empty, number)
            self._last_sent = sent
            if not self._samples or sent - self._samples[-1][0] >= _SAMPLE_SECONDS:
                self._samples.append((sent, answer.last_tick))
            self._changed.notify_all()

    def failed(self, text: str) -> None:
        """The server did not answer."""
        with self._changed:
            self.error = text

    def wait(self, tick: int, deadline: Deadline, stop: threading.Event) -> bool:
        """Wait until everything up to ``tick`` was read (drain condition of facts §9); False on deadline or stop.

        Besides the positions, an empty answer to a request sent from now on will do: ticks of an idle log end
        anywhere, but everything before the request is in its scan.
        """
        with self._changed:
            number = self._asked
            while (self.through is None or self.through < tick) and self._empty <= number:
                if deadline.expired or stop.is_set():
                    return False
                self._changed.wait(min(0.2, deadline.remaining()))
            return True

    def lag(self, applied: int, now: Optional[float] = None) -> Optional[float]:
        """Seconds since the source was at the applied position; None before the first answer."""
        with self._changed:
            if not self._samples:
                return None
            moment = time.monotonic() if now is None else now
            silence = moment - self._last_sent
            if self.error is not None or silence > _SILENCE_SECONDS:
                return silence
            while len(self._samples) > 1 and self._samples[0][1] <= applied:
                self._samples.popleft()
            sent, tick = self._samples[0]
            return moment - sent if tick > applied else 0.0
