# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The target's caches before its opening: indexes loaded into memory and one query on every collection (design §8).

It is done before the source is fenced, as far as the time allows, largest collections first; what a target refuses is
told and keeps nobody from opening.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Callable

from .._core.arango import Coordinators, segment
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .parallel import gather
from .proof import Subject

_WIDTH = 4
_MAX_PROBLEMS = 20
_TIMEOUT = 60.0


@dataclass
class Warmth:
    """What was done; ``left_out`` collections had no time."""

    indexes_loaded: int = 0
    queries: int = 0
    left_out: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """``warm_up`` of the report."""
        return {**asdict(self), "problems": self.problems[:_MAX_PROBLEMS], "seconds": round(self.seconds, 3)}


def warm_up(
    target: Coordinators, subjects: Sequence[Subject], deadline: Deadline, over: Callable[[], bool]
) -> Warmth:
    """Warm every collection until the deadline, or until ``over`` says so. Raises nothing of what the target says."""
    began = time.monotonic()
    warmth = Warmth()
    for first in range(0, len(subjects), _WIDTH):
        some = subjects[first : first + _WIDTH]
        if deadline.expired or over():
            warmth.left_out = len(subjects) - first
            break
        for item, problems in gather({item: partial(_warm, target, item, deadline) for item in some}, _WIDTH).items():
            warmth.indexes_loaded += "indexes" not in problems
            warmth.queries += "query" not in problems
            warmth.problems += [f"{item}: {text}" for text in problems.values()]
    warmth.seconds = time.monotonic() - began
    return warmth


def _warm(target: Coordinators, item: Subject, deadline: Deadline) -> dict[str, str]:
    """Problems by what was tried."""
    timeout = max(1.0, min(_TIMEOUT, deadline.remaining()))
    body = {"query": "FOR d IN @@c LIMIT 1 RETURN d._key", "bindVars": {"@c": item.collection}}
    path = f"/_api/collection/{segment(item.collection)}/loadIndexesIntoMemory"
    problems = {}
    try:
        target.json("PUT", path, database=item.database, timeout=timeout, idempotent=True)
    except CutoverError as error:
        problems["indexes"] = error.message
    try:
        target.json("POST", "/_api/cursor", database=item.database, body=body, timeout=timeout, idempotent=True)
    except CutoverError as error:
        problems["query"] = error.message
    return problems
