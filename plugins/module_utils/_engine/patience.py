# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Going on in spite of trouble: what passes by itself is repeated and shown until the data path is told to stop."""

from __future__ import annotations

import threading
import time
from typing import Callable, Iterator, Optional, TypeVar, Union

from .._core.clock import Backoff
from .._core.errors import ArangoError, CutoverError, TransportError
from .topology import TARGET_LABEL

Result = TypeVar("Result")
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 15.0


class Stopped(Exception):  # noqa: N818 - it is no error, it unwinds a worker
    """The data path is closing: the worker that gets this ends without acknowledging anything."""


def is_fatal(error: CutoverError) -> bool:
    """True when repeating this very call cannot help; what an operator can cure is waited for."""
    if isinstance(error, ArangoError):
        return error.kind == "fatal" and not error.outcome_unknown
    return not isinstance(error, TransportError) and not error.retriable


def outcome_unknown(error: CutoverError) -> bool:
    """True when the request may have run, or may still run."""
    return isinstance(error, (ArangoError, TransportError)) and error.outcome_unknown


def waits_for(error: Union[CutoverError, OSError], text: str) -> str:
    """What is waited for, for people: ``text``, after what a new start request with the same options can bring.

    A lease that ran out because the target takes the credentials no more (CUT-LEASE-1) waits for them, too.
    """
    for one in (error, error.__cause__):
        if isinstance(one, ArangoError) and one.status == 401 and one.message.startswith(TARGET_LABEL):
            return f"target credentials: {text}"
    return text


class Troubles:
    """What the workers are waiting for at this moment, and how often something went wrong; thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[object, str] = {}
        self.errors = 0
        self.retries = 0

    def begin(self, who: object, error: Union[CutoverError, OSError]) -> None:
        """Somebody cannot go on for now."""
        with self._lock:
            self.errors += 1
            self.retries += 1
            self._waiting[who] = waits_for(error, str(error))

    def end(self, who: object) -> None:
        """It can again."""
        with self._lock:
            self._waiting.pop(who, None)

    def waiting(self) -> tuple[str, ...]:
        """The texts, each once."""
        with self._lock:
            return tuple(sorted(set(self._waiting.values())))


class Patience:
    """Repeats calls with back-off up to ``cap`` seconds; one per data path, and one for each server of the source."""

    def __init__(self, stop: threading.Event, troubles: Troubles, time_scale: float = 1.0) -> None:
        self.stop = stop
        self.troubles = troubles
        self.cap = max(_FIRST_PAUSE, _LONGEST_PAUSE * time_scale)

    def check(self) -> None:
        """Raise ``Stopped`` when the data path is closing."""
        if self.stop.is_set():
            raise Stopped

    def pauses(self) -> Backoff:
        """The pauses between tries."""
        return Backoff(_FIRST_PAUSE, self.cap)

    def sleep(self, seconds: float) -> None:
        """Wait; raises ``Stopped`` at once when the data path is closing."""
        if self.stop.wait(seconds):
            raise Stopped

    def call(
        self, call: Callable[[], Result], on_error: Optional[Callable[[CutoverError], None]] = None
    ) -> Result:
        """The result of a call that is harmless to repeat; raises only what cannot pass, or ``Stopped``."""
        pauses = self.pauses()
        who = object()
        while True:
            self.check()
            try:
                result = call()
            except CutoverError as error:
                self.check()
                if on_error is not None:
                    on_error(error)
                if is_fatal(error):
                    self.troubles.end(who)
                    raise
                self.troubles.begin(who, error)
            else:
                self.troubles.end(who)
                return result
            self.sleep(pauses.next())

    def on_disk(self, write: Callable[[], object], full: Callable[[OSError], object] = bool) -> None:
        """Write to this host's disk; while it takes nothing that is waited for, and ``full`` is told (invariant I8)."""
        pauses = self.pauses()
        who = object()
        while True:
            try:
                write()
            except OSError as error:
                self.troubles.begin(who, error)
                full(error)
                self.sleep(pauses.next())
            else:
                self.troubles.end(who)
                return

    def until(self, condition: Callable[[], bool], pause: float = 0.05) -> None:
        """Wait for something that only other workers of this process can bring about."""
        while not condition():
            self.sleep(pause)


class WriteGate:
    """Passage of every write to the target: the lease, and the pause of the operator."""

    def __init__(self, check: Callable[[], None], patience: Patience) -> None:
        self._check = check
        self._patience = patience
        self._changed = threading.Condition()
        self._paused = False
        self._inside = 0

    def enter(self) -> None:
        """Wait until a write is allowed now; ends the data path when the lease is lost for good."""
        while True:
            with self._changed:
                while self._paused and not self._patience.stop.is_set():
                    self._changed.wait(0.2)
                self._patience.check()
                self._inside += 1
            try:
                self._check()
            except CutoverError as error:
                self.leave()
                self._wait_for_lease(error)
            except BaseException:
                self.leave()
                raise
            else:
                return

    def leave(self) -> None:
        """The write has ended, in whatever way."""
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    @property
    def paused(self) -> bool:
        """Whether no write may begin."""
        return self._paused

    @property
    def rests(self) -> bool:
        """Whether no write may begin and none is under way."""
        with self._changed:
            return self._paused and not self._inside

    def begin_pause(self) -> None:
        """Let no write begin; some may still be under way."""
        with self._changed:
            self._paused = True

    def await_rest(self, seconds: float) -> None:
        """Wait until no write is under way or writes may begin again, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._inside or not self._paused, seconds)

    def pause(self) -> None:
        """Let no write begin and wait for the running ones."""
        with self._changed:
            self._paused = True
            while self._inside and not self._patience.stop.is_set():
                self._changed.wait(0.2)

    def resume(self) -> None:
        """Let writes begin again."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def _wait_for_lease(self, error: CutoverError) -> None:
        self._patience.troubles.begin(self, error)
        if not error.retriable:
            self._patience.stop.set()
            raise Stopped
        self._patience.sleep(0.2)
        self._patience.troubles.end(self)


class Rate:
    """Operations per second over the last few seconds; thread safe."""

    def __init__(self, window: int = 5) -> None:
        self._lock = threading.Lock()
        self._window = window
        self._counts: dict[int, int] = {}
        self.total = 0

    def add(self, count: int) -> None:
        """Something was done ``count`` times."""
        second = int(time.monotonic())
        with self._lock:
            self.total += count
            self._counts[second] = self._counts.get(second, 0) + count
            for old in self._old(second):
                del self._counts[old]

    def per_second(self) -> float:
        """The mean of the whole seconds of the window."""
        second = int(time.monotonic())
        with self._lock:
            counted = sum(count for at, count in self._counts.items() if second - self._window <= at < second)
        return counted / self._window

    def _old(self, second: int) -> Iterator[int]:
        return iter([at for at in self._counts if at < second - self._window])
