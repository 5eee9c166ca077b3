# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compressed bodies on the way to the target: where it takes them and, unless ordered, where they save time (§4.3).

Whether a target takes them is tried out by one small request (facts §7.8b). Whether they save time is measured, as
seconds for each byte of data with everything that the target and others on the way add: the other way is tried now and
then, and the quicker one is taken in between. As compression costs more of the agent's CPU than all the rest of a copy,
it must be clearly quicker, and is tried the more seldom the longer it was not. A small part is compressed first, which
tells where the line is so quick that it will not be: what compression may save is part of the time that sending takes.
"""

from __future__ import annotations

import json
import logging
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from .._core.arango import Coordinators
from .._core.clock import SYSTEM_CLOCK, Clock
from .._core.errors import CutoverError

LOG = logging.getLogger(__name__)
POLICIES = AUTO, ALWAYS, NEVER = "auto", "always", "never"
ENCODING = "deflate"
_LEVEL = 1
# What fits into a packet or two gains nothing.
_LEAST_BYTES = 4096
# Shorter requests take as long as the way there and back, and say nothing about either.
_MEASURED_BYTES = 64 * 1024
_TRY_EVERY = 32
_TRY_SELDOM = 256
# Less is within what the same way varies by.
_CLEARLY = 0.8
_NEWEST_WEIGHT = 0.25


@dataclass(frozen=True)
class Packed:
    """A body as it is sent; ``size`` are the bytes of data in it, ``seconds`` what packing took."""

    data: Sequence[bytes]
    size: int
    is_compressed: bool = False
    seconds: float = 0.0

    @property
    def headers(self) -> Mapping[str, str]:
        """What tells the target."""
        return {"Content-Encoding": ENCODING} if self.is_compressed else {}


@dataclass
class _Way:
    """Seconds for each byte of data, the newest counting most, over so many requests."""

    tries: int = 0
    cost: float = field(default=0.0)

    def learn(self, cost: float) -> None:
        self.cost = cost if not self.tries else self.cost + _NEWEST_WEIGHT * (cost - self.cost)
        self.tries += 1


class Packing:
    """Packs the bodies of one target. Thread safe."""

    def __init__(self, target: Coordinators, policy: str = NEVER, clock: Clock = SYSTEM_CLOCK) -> None:
        self._target = target
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._probing = threading.Lock()
        self._is_taken: Optional[bool] = None
        self._ways = {False: _Way(), True: _Way()}
        self._sending = _Way()
        self._asked = 0
        self._usual = False
        self._try_every, self._try_at = _TRY_EVERY, 0
        self._before = 0
        self._after = 0

    def pack(self, data: Sequence[bytes]) -> Packed:
        """The body to send for this data."""
        size = sum(map(len, data))
        if size < _LEAST_BYTES or not self._wanted(data, size):
            return Packed(data, size)
        began = self._clock.monotonic()
        packer = zlib.compressobj(_LEVEL)
        body = b"".join([*map(packer.compress, data), packer.flush()])
        with self._lock:
            self._before += size
            self._after += len(body)
        return Packed([body], size, True, self._clock.monotonic() - began)

    def sent(self, body: Packed, seconds: float, sending: Optional[float]) -> None:
        """It was sent and answered, which took so long; ``sending`` is what of it the way took, if that is known."""
        if body.size < _MEASURED_BYTES:
            return
        with self._lock:
            self._ways[body.is_compressed].learn((body.seconds + seconds) / body.size)
            if sending is not None and not body.is_compressed:
                self._sending.learn(min(sending, seconds) / body.size)

    def _wanted(self, data: Sequence[bytes], size: int) -> bool:
        if self._policy == NEVER or not self._taken():
            return False
        if self._policy == ALWAYS:
            return True
        return size >= _MEASURED_BYTES and self._quicker() and self._may_be_quicker(data)

    def _quicker(self) -> bool:
        """Whether to compress this time."""
        with self._lock:
            plain, compressed = self._ways[False], self._ways[True]
            self._asked += 1
            if not plain.tries:
                return False
            is_quicker = compressed.tries > 0 and compressed.cost < _CLEARLY * plain.cost
            if is_quicker is not self._usual:
                self._usual, self._try_every = is_quicker, _TRY_EVERY
                self._try_at = self._asked + _TRY_EVERY
            if self._asked < self._try_at:
                return is_quicker
            self._try_at = self._asked + self._try_every
            self._try_every = min(_TRY_SELDOM, 2 * self._try_every)
            return not is_quicker

    def _may_be_quicker(self, data: Sequence[bytes]) -> bool:
        """Whether compressing a part, and then sending what is left of it, takes clearly less time than sending it."""
        part = max(data, key=len)[:_MEASURED_BYTES]
        began = self._clock.monotonic()
        left = len(zlib.compress(part, _LEVEL)) / len(part)
        cost = (self._clock.monotonic() - began) / len(part)
        with self._lock:
            plain = self._ways[False].cost
            # What the target does with the data takes as long as ever.
            cost += plain - (1 - left) * (self._sending.cost if self._sending.tries else plain)
            if cost < _CLEARLY * plain:
                return True
            self._ways[True].learn(cost)
        return False

    def _taken(self) -> bool:
        """Whether the target takes compressed bodies; what cannot be found out now is asked again."""
        if self._is_taken is None:
            with self._probing:
                if self._is_taken is None:
                    self._is_taken = takes_compressed(self._target)
        return bool(self._is_taken)

    def document(self) -> dict[str, Any]:
        """For the report: what was wanted, what the target takes, bytes before and after compression."""
        with self._lock:
            return {
                "policy": self._policy,
                "taken_by_target": self._is_taken,
                "bytes_before": self._before,
                "bytes_sent": self._after,
            }


def takes_compressed(target: Coordinators) -> Optional[bool]:
    """Whether compressed bodies are understood, by a query that reads nothing; None when there was no telling now."""
    body = zlib.compress(json.dumps({"query": "RETURN 1"}).encode("utf-8"), _LEVEL)
    headers = {"Content-Encoding": ENCODING, "Content-Type": "application/json"}
    try:
        answer = target.json(
            "POST", "/_api/cursor", database="_system", data=[body], headers=headers, idempotent=True
        )
    except CutoverError as error:
        if error.retriable:
            return None
        LOG.info("the target does not take compressed bodies: %s", error.message)
        return False
    return bool(answer.get("result") == [1])
