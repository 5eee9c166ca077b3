# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control listener of tests: faults on demand, and the truth about what is stored.

Plain HTTP on loopback; every request carries the token of the ready line in `x-testbed-token`. docs/testbed.md lists
what `POST /fault` understands; here is how faults of requests wait for their turn. They act on requests chosen by
`method`, `path_regex` (searched in the target), `server` (id or short name), all of them by default; `nth` (1) is
the first that is hit, `count` (1; 0 = without end) how many are; `probability` (with `seed`) hits at random.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.testbed.control_answers import KINDS, PRESETS, Answer, Kind, Run
from tests.testbed.errors import ArangoError
from tests.testbed.following import Following
from tests.testbed.message import Incoming

_WHEN = ("never", "now", "late", "after-retry")


@dataclass
class Fault:
    """One fault of requests that waits for its turn; `remaining` None = without end."""

    identifier: int
    kind: str
    act: Kind
    spec: dict[str, Any]
    pattern: re.Pattern[str]
    skip: int
    remaining: int | None
    chance: random.Random
    following: Following
    acted: int = 0
    pending: set[asyncio.Task[None]] = field(default_factory=set)

    def meets(self, request: Incoming) -> bool:
        """Whether the fault acts on this request; counts those it lets pass."""
        method, server = self.spec.get("method"), self.spec.get("server")
        if self.remaining == 0 or (method and method != request.method) or not self.pattern.search(request.target):
            return False
        if server and server not in request.server_names:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.chance.random() >= float(self.spec.get("probability", 1.0)):
            return False
        if self.remaining is not None:
            self.remaining -= 1
        self.acted += 1
        return True

    def number(self, name: str, default: float) -> float:
        """A number of the order."""
        return float(self.spec.get(name, default))

    def run(self, request: Incoming, handle: Run) -> Answer | Awaitable[Answer]:
        """Do to the request what the fault is for."""
        return self.act(self, request, handle)


class Faults:
    """The faults of requests that wait, and the counts of all requests; `presets` are those of the kind `status`."""

    def __init__(self, kinds: Mapping[str, Kind] = KINDS, presets: Collection[str] = PRESETS) -> None:
        self.kinds = kinds
        self._presets = presets
        self.requests: Counter[str] = Counter()
        self.entries: list[Fault] = []
        self.following = Following()
        self._serial = 0

    def count(self, request: Incoming) -> None:
        """Count a request by method and path."""
        self.requests[f"{request.method} {request.path}"] += 1

    def match(self, request: Incoming) -> Fault | None:
        """The first fault that acts on this request."""
        return next((fault for fault in self.entries if fault.meets(request)), None) if self.entries else None

    def add(self, spec: dict[str, Any]) -> int:
        """Arm a fault of requests; errorNum 400 for an unknown kind or a bad order."""
        kind = spec.get("kind")
        if kind not in self.kinds:
            raise ArangoError(400, f"unknown kind of fault: {kind}")
        if spec.get("preset") is not None and spec["preset"] not in self._presets:
            raise ArangoError(400, f"unknown preset, expecting one of {', '.join(self._presets)}")
        if spec.get("run", "now") not in _WHEN:
            raise ArangoError(400, f"run: expecting one of {', '.join(_WHEN)}")
        try:
            pattern = re.compile(str(spec.get("path_regex", "")))
        except re.error as error:
            raise ArangoError(400, f"path_regex: {error}") from error
        self._serial += 1
        nth = int(spec.get("nth", 1))
        count = int(spec.get("count", 0 if "probability" in spec else 1))
        chance = random.Random(f"{spec.get('seed', 0)}/{self._serial}")
        self.entries.append(
            Fault(
                self._serial,
                str(kind),
                self.kinds[str(kind)],
                spec,
                pattern,
                nth - 1,
                count or None,
                chance,
                self.following,
            )
        )
        return self._serial
