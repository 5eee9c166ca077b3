# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proof before the opening: counts, and checksums with revisions and data, of every collection (design §5, §6).

Whether both versions compute checksums alike is found out on the smallest collection that holds something: if its
checksums differ although all its documents are equal, the bodies of all collections are compared instead.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Optional, Union

from .._core.arango import Coordinators, Server, segment
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .aql import canonical, read_batches
from .parallel import gather

Front = Union[Server, Coordinators]
CHECKSUMS = "checksums with revisions and data"
BODIES = "all documents compared"
_EMPTY = "empty on both sides"
_MAX_DIFFERENCES = 20


@dataclass(frozen=True, order=True)
class Subject:
    """A collection to prove."""

    database: str
    collection: str

    def __str__(self) -> str:
        return f"{self.database}/{self.collection}"


@dataclass
class Result:
    """What was compared, how, and every difference found; proved only when there is none."""

    methods: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    documents: int = 0
    hashes_alike: Optional[bool] = None
    seconds: float = 0.0

    @property
    def proved(self) -> bool:
        """No difference."""
        return not self.differences

    def document(self) -> dict[str, Any]:
        """For the report: methods by number of collections, documents, differences."""
        counts: dict[str, int] = {}
        for method in self.methods.values():
            counts[method] = counts.get(method, 0) + 1
        return {
            "collections": len(self.methods),
            "documents": self.documents,
            "methods": counts,
            "hashes_alike": self.hashes_alike,
            "differences": self.differences[:_MAX_DIFFERENCES],
            "seconds": round(self.seconds, 3),
        }


def prove(
    source: Coordinators,
    target: Coordinators,
    subjects: Sequence[Subject],
    deadline: Deadline,
    *,
    alike: bool = False,
    width: int = 6,
) -> Result:
    """Compare every subject on both sides. ``alike``: both servers are of one version, so that the checksums need not
    wait for the probe (which is made all the same).

    Raises CUT-CUTOVER-1 at the deadline, or what a server answered.
    """
    began = time.monotonic()
    result = Result()
    counts = gather({item: partial(_counts, source, target, item, deadline) for item in subjects}, width)
    filled: dict[Subject, int] = {}
    for item, (left, right) in counts.items():
        if left != right:
            result.differences.append(f"{item}: {left} documents on the source, {right} on the target")
        elif left == 0:
            result.methods[str(item)] = _EMPTY
        else:
            filled[item] = left
            result.documents += left
    if result.proved and filled:
        largest_first = sorted(filled, key=lambda item: (-filled[item], item))
        _compare(source, target, largest_first, deadline, alike, width, result)
    result.seconds = time.monotonic() - began
    return result


def measure(source: Coordinators, target: Coordinators, subjects: Sequence[Subject], deadline: Deadline) -> float:
    """How many seconds the checksums of everything take now, while writes go on: what a proof will cost."""
    began = time.monotonic()
    gather({item: partial(_checksums_equal, source, target, item, deadline) for item in subjects}, 6)
    return time.monotonic() - began


def _compare(
    source: Front,
    target: Front,
    items: Sequence[Subject],
    deadline: Deadline,
    alike: bool,
    width: int,
    result: Result,
) -> None:
    """Checksums of all, and the bodies of the smallest collection as a probe; then bodies where checksums differ."""
    probe, rest = items[-1], list(items[:-1])
    early = [*rest, probe] if alike else [probe]
    calls: dict[Subject, Callable[[], Any]] = {
        item: partial(_checksums_equal, source, target, item, deadline) for item in early
    }
    body = Subject(probe.database, f"{probe.collection} ")
    calls[body] = partial(body_differences, source, target, probe, deadline)
    equal = gather(calls, width)
    bodies = {probe: equal.pop(body)}
    result.hashes_alike = equal[probe]
    if result.hashes_alike and not alike:
        equal.update(gather({item: partial(_checksums_equal, source, target, item, deadline) for item in rest}, width))
    doubtful = [item for item in rest if not (result.hashes_alike and equal[item])]
    result.methods.update({str(item): CHECKSUMS for item in rest if item not in doubtful})
    bodies.update(
        gather({item: partial(body_differences, source, target, item, deadline) for item in doubtful}, width)
    )
    for item, differences in bodies.items():
        result.methods[str(item)] = BODIES
        result.differences.extend(differences)
        if not differences and item is not probe and result.hashes_alike:
            result.differences.append(f"{item}: the checksums differ, but no document could be found that does")


def _get(front: Front, item: Subject, what: str, deadline: Deadline, query: Optional[dict[str, object]] = None) -> Any:
    if deadline.expired:
        raise CutoverError("CUT-CUTOVER-1", f"the proof of {item} did not end in time", retriable=True)
    path = f"/_api/collection/{segment(item.collection)}/{what}"
    return front.json("GET", path, database=item.database, query=query, timeout=max(1.0, deadline.remaining()))


def _counts(source: Front, target: Front, item: Subject, deadline: Deadline) -> tuple[int, int]:
    sides = enumerate((source, target))
    answers = gather({side: partial(_get, front, item, "count", deadline) for side, front in sides})
    return int(answers[0]["count"]), int(answers[1]["count"])


def _checksums_equal(source: Front, target: Front, item: Subject, deadline: Deadline) -> bool:
    query: dict[str, object] = {"withRevisions": True, "withData": True}
    answers = gather(
        {side: partial(_get, front, item, "checksum", deadline, query) for side, front in enumerate((source, target))}
    )
    return str(answers[0]["checksum"]) == str(answers[1]["checksum"])


def body_differences(source: Front, target: Front, item: Subject, deadline: Deadline) -> list[str]:
    """Read every source document and the target's of the same key; equal counts make this a full comparison."""
    differences: list[str] = []
    with closing(read_batches(source, item.database, item.collection)) as batches:
        for batch in batches:
            if deadline.expired:
                raise CutoverError("CUT-CUTOVER-1", f"comparing {item} did not end in time", retriable=True)
            differences += _batch_differences(target, item, batch, deadline)
            if len(differences) >= _MAX_DIFFERENCES:
                break
    return differences[:_MAX_DIFFERENCES]


def _batch_differences(target: Front, item: Subject, batch: list[Any], deadline: Deadline) -> list[str]:
    others = target.json(
        "PUT",
        f"/_api/document/{segment(item.collection)}",
        database=item.database,
        query={"onlyget": True},
        body=[document["_key"] for document in batch],
        timeout=max(1.0, deadline.remaining()),
        idempotent=True,
    )
    if len(others) != len(batch):
        raise CutoverError("CUT-ARANGO-7", f"the target answered {len(others)} of {len(batch)} documents of {item}")
    return [
        f"{item} key {document['_key']}: {_difference(document, other)}"
        for document, other in zip(batch, others)
        if canonical(document) != canonical(other)
    ]


def _difference(document: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What differs, by attribute names only: values may be confidential."""
    if other.get("error") is True and "_key" not in other:
        return "not on the target"
    names = sorted(
        name for name in {*document, *other} if canonical(document.get(name)) != canonical(other.get(name))
    )
    return f"differs in {', '.join(names[:10])}"
