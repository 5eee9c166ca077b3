# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The last part of the proof: counts of every collection, and checksums with revisions and data (design §5 step 7).

Counts are mandatory. Checksums read every document, so they are made as far as a budget of seconds allows, collections
with the largest risk first; what is left out rests on the verification that went before (package ``verify``).

Both sides hash alike if the checksums of any collection are equal, or their versions are: then documents are compared
where checksums differ, whatever it costs, and what they do not explain prevents the opening. They hash unlike if the
checksums of the smallest collection differ though its documents are equal: then documents are compared within the
budget. What neither checksums nor documents have shown to be equal is named in the report.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Callable, Optional, TypeVar, Union

from .._core.arango import Coordinators, Server, segment
from .._core.clock import Deadline
from .._core.errors import CutoverError
from .aql import canonical, read_batches, run
from .likeness import Likeness
from .parallel import gather

Front = Union[Server, Coordinators]
Found = TypeVar("Found")
Accepted = Mapping["Subject", Mapping[str, int]]
NONE_ACCEPTED: Accepted = MappingProxyType({})
CHECKSUMS = "checksums with revisions and data"
DATA_CHECKSUMS = "checksums with data, as the target has revisions of its own"
BODIES = "all documents compared"
_COUNTS = "counts, and the comparison before with all keys read back that were written since"
ROUNDS = f"not verified by checksums, for which checksum_seconds leaves no time: {_COUNTS}"
UNLIKE = f"not verified by checksums, which both sides compute unlike: {_COUNTS}"
UNKNOWN = f"not verified by checksums, which differ, perhaps because both sides compute them unlike: {_COUNTS}"
_EMPTY = "empty on both sides"
_MAX_DIFFERENCES = 20
_MAX_NAMED = 100
_KEYS_AT_ONCE = 1000
# More documents a second than any server computes checksums of: what cannot end in time is not begun.
_FASTEST = 1_000_000.0
_LEAST_TIMEOUT = 0.2


@dataclass(frozen=True, order=True)
class Subject:
    """A collection to prove, and how its documents are compared."""

    database: str
    collection: str
    likeness: Likeness = field(default=Likeness.REVISION, compare=False)

    def __str__(self) -> str:
        return f"{self.database}/{self.collection}"


@dataclass
class Result:
    """What was compared, how, and every difference found; proved only when there is none.

    ``differing`` are the collections that the differences are of.
    """

    methods: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    differing: set[Subject] = field(default_factory=set)
    documents: int = 0
    covered: int = 0
    hashes_alike: Optional[bool] = None
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    keys: Optional[dict[str, Any]] = None

    @property
    def proved(self) -> bool:
        """No difference."""
        return not self.differences

    def unverified(self) -> list[str]:
        """Collections of which neither checksums nor documents were compared."""
        return sorted(name for name, method in self.methods.items() if method in (ROUNDS, UNLIKE, UNKNOWN))

    def differs(self, item: Subject, *texts: str) -> None:
        """Note differences of a collection."""
        if texts:
            self.differences.extend(texts)
            self.differing.add(item)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Note how long a part of the proof takes, and add it to the whole."""
        began = time.monotonic()
        try:
            yield
        finally:
            taken = time.monotonic() - began
            self.parts[part] = self.parts.get(part, 0.0) + taken
            self.seconds += taken

    def document(self) -> dict[str, Any]:
        """For the report: methods by number of collections, documents, differences."""
        counts: dict[str, int] = {}
        for method in self.methods.values():
            counts[method] = counts.get(method, 0) + 1
        return {
            "collections": len(self.methods),
            "documents": self.documents,
            "documents_by_checksum_or_content": self.covered,
            "methods": counts,
            "hashes_alike": self.hashes_alike,
            "not_verified_by_checksums": self.unverified()[:_MAX_NAMED],
            "differences": self.differences[:_MAX_DIFFERENCES],
            "seconds": round(self.seconds, 3),
            "seconds_by_part": {name: round(seconds, 3) for name, seconds in self.parts.items()},
        }


def prove(
    source: Coordinators,
    target: Coordinators,
    subjects: Sequence[Subject],
    deadline: Deadline,
    *,
    alike: bool = False,
    seconds: Optional[float] = None,
    risky: Collection[Subject] = (),
    accepted: Accepted = NONE_ACCEPTED,
    width: int = 6,
    result: Optional[Result] = None,
) -> Result:
    """Compare every subject on both sides. ``alike``: both servers are of one version, so that the checksums need not
    wait for the probe (which is made all the same). ``seconds`` limits the checksums (None: only the deadline does), of
    which ``risky`` ones come first. ``accepted`` are keys of documents that may differ: 1 for one that the target
    lacks, -1 for one that only the target has, 0 for another content. ``result`` is added to.

    Raises CUT-CUTOVER-1 at the deadline, or what a server answered.
    """
    result = result or Result()
    with result.timed("counts"):
        counted = gather({item: partial(counts, source, target, item, deadline) for item in subjects}, width)
    filled: dict[Subject, int] = {}
    for item, (left, right) in counted.items():
        named = _Named(source, target, item, accepted.get(item, {}))
        if left - named.here != right - named.there:
            result.differs(item, f"{item}: {left} documents on the source, {right} on the target{named.text}")
        elif named.others:
            result.differs(item, *(f"{item} key {key}: not the difference that was accepted" for key in named.others))
        elif left == right == 0:
            result.methods[str(item)] = _EMPTY
        else:
            filled[item] = left
            result.documents += left
    if result.proved and filled:
        with result.timed("checksums"):
            _Checksums(source, target, filled, deadline, seconds, width, result, accepted).compare(alike, risky)
    return result


def measure(
    source: Coordinators,
    target: Coordinators,
    subjects: Sequence[Subject],
    deadline: Deadline,
    seconds: Optional[float] = None,
) -> float:
    """How many seconds counts and checksums take now, while writes go on: what a proof will cost."""
    began = time.monotonic()
    counted = gather({item: partial(counts, source, target, item, deadline) for item in subjects}, 6)
    filled = {item: left for item, (left, _right) in counted.items()}
    checksums = _Checksums(source, target, filled, deadline, seconds, 6, Result())
    gather({item: partial(checksums.equal, item) for item in filled}, 6)
    return time.monotonic() - began


class _Named:
    """Accepted documents of a collection as they are now: so that none of them makes up for another one.

    ``here`` and ``there`` are how many there are on each side; ``others`` are keys whose difference is not the accepted
    one any more.
    """

    def __init__(self, source: Front, target: Front, item: Subject, accepted: Mapping[str, int]) -> None:
        here, there = (_numbers(front, item, sorted(accepted)) for front in (source, target))
        self.here, self.there = sum(here.values()), sum(there.values())
        self.others = [key for key, more in accepted.items() if here[key] - there[key] != more]
        self.text = f", without {self.here} and {self.there} accepted ones" if accepted else ""


def _numbers(front: Front, item: Subject, keys: Sequence[str]) -> Counter[str]:
    """How many documents have each of these keys: where the shard is not determined by it there can be several."""
    found: Counter[str] = Counter()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        binds = {"@c": item.collection, "keys": keys[start : start + _KEYS_AT_ONCE]}
        found.update(run(front, item.database, "FOR d IN @@c FILTER d._key IN @keys RETURN d._key", binds))
    return found


class _Checksums:
    """Checksums of collections with these numbers of documents, within a budget."""

    def __init__(
        self,
        source: Front,
        target: Front,
        filled: Mapping[Subject, int],
        deadline: Deadline,
        seconds: Optional[float],
        width: int,
        result: Result,
        accepted: Accepted = NONE_ACCEPTED,
    ) -> None:
        self._sides = (source, target)
        self._filled = filled
        self._deadline = deadline
        self._budget = Deadline(deadline.remaining() if seconds is None else min(seconds, deadline.remaining()))
        self._width = width
        self._result = result
        self._accepted = accepted

    def equal(self, item: Subject) -> Optional[bool]:
        """Whether a collection's checksums are equal; None when the budget does not allow to know."""
        return self._within(item, lambda: checksums_equal(*self._sides, item, self._budget))

    def _bodies(self, item: Subject) -> Optional[list[str]]:
        without = self._accepted.get(item, {})
        return self._within(item, lambda: body_differences(*self._sides, item, self._budget, without))

    def _bodies_at_any_cost(self, item: Subject) -> list[str]:
        return body_differences(*self._sides, item, self._deadline)

    def _within(self, item: Subject, call: Callable[[], Found]) -> Optional[Found]:
        if self._filled[item] / _FASTEST > self._budget.remaining():
            return None
        try:
            return call()
        except CutoverError:
            if self._budget.expired and not self._deadline.expired:
                return None
            raise

    def compare(self, alike: bool, risky: Collection[Subject]) -> None:
        """Checksums of all, and the documents of the smallest collection as a probe."""
        for item in [item for item in self._filled if item in self._accepted]:
            self._judge(item, self._bodies(item))
        plain = [item for item in self._filled if item not in self._accepted]
        items = sorted(plain, key=lambda item: (item not in risky, -self._filled[item], item))
        if not items:
            return
        probe = min(items, key=lambda item: (self._filled[item], item))
        rest = [item for item in items if item is not probe]
        calls: dict[Subject, Callable[[], Any]] = {
            item: partial(self.equal, item) for item in ([*rest, probe] if alike else [probe])
        }
        body = Subject(probe.database, f"{probe.collection} ")
        calls[body] = partial(self._bodies, probe)
        equal = gather(calls, self._width)
        documents = equal.pop(body)
        if equal[probe] is False and documents is None:
            if not alike:
                self._result.methods.update((str(item), UNKNOWN) for item in items)
                return
            documents = self._bodies_at_any_cost(probe)
        hashes_alike = self._result.hashes_alike = True if any(equal.values()) else equal[probe]
        if hashes_alike and not alike:
            equal.update(gather({item: partial(self.equal, item) for item in rest}, self._width))
        if documents is None:
            rest = items
        else:
            self._judge(probe, documents, unexplained=equal[probe] is False)
        if hashes_alike is False:
            self._without_hashes(rest)
        else:
            self._by_hashes(rest, equal)

    def _without_hashes(self, rest: Sequence[Subject]) -> None:
        """Both sides hash unlike: documents as far as the budget allows."""
        for item, differences in gather({item: partial(self._bodies, item) for item in rest}, self._width).items():
            self._judge(item, differences)

    def _by_hashes(self, rest: Sequence[Subject], equal: Mapping[Subject, Optional[bool]]) -> None:
        """Where checksums differ, documents are compared whatever it costs."""
        for item in rest:
            if equal.get(item):
                self._cover(item, CHECKSUMS if item.likeness.keeps_revisions else DATA_CHECKSUMS)
            elif equal.get(item) is None:
                self._result.methods[str(item)] = ROUNDS
        doubtful = [item for item in rest if equal.get(item) is False]
        compared = gather({item: partial(self._bodies_at_any_cost, item) for item in doubtful}, self._width)
        for item, differences in compared.items():
            self._judge(item, differences, unexplained=True)

    def _judge(self, item: Subject, differences: Optional[list[str]], *, unexplained: bool = False) -> None:
        """What comparing the documents has found; None when there was no time for it.

        ``unexplained``: the checksums differ, which equal documents explain only where both sides hash unlike.
        """
        if differences is None:
            self._result.methods[str(item)] = UNLIKE if self._result.hashes_alike is False else ROUNDS
            return
        self._cover(item, BODIES)
        self._result.differs(item, *differences)
        if unexplained and not differences and self._result.hashes_alike:
            self._result.differs(item, f"{item}: the checksums differ, but no document could be found that does")

    def _cover(self, item: Subject, method: str) -> None:
        self._result.methods[str(item)] = method
        self._result.covered += self._filled[item]


def _get(front: Front, item: Subject, what: str, deadline: Deadline, query: Optional[dict[str, object]] = None) -> Any:
    if deadline.expired:
        raise CutoverError("CUT-CUTOVER-1", f"the proof of {item} did not end in time", retriable=True)
    path = f"/_api/collection/{segment(item.collection)}/{what}"
    if isinstance(front, Coordinators):
        return front.json("GET", path, database=item.database, query=query, deadline=deadline)
    seconds = max(_LEAST_TIMEOUT, deadline.remaining())
    return front.json("GET", path, database=item.database, query=query, timeout=seconds)


def counts(source: Front, target: Front, item: Subject, deadline: Deadline) -> tuple[int, int]:
    """Documents on the source and on the target."""
    sides = enumerate((source, target))
    answers = gather({side: partial(_get, front, item, "count", deadline) for side, front in sides})
    return int(answers[0]["count"]), int(answers[1]["count"])


def checksums_equal(source: Front, target: Front, item: Subject, deadline: Deadline) -> bool:
    """Whether checksums with data, and with revisions where the target keeps them, are the same."""
    query: dict[str, object] = {"withRevisions": item.likeness.keeps_revisions, "withData": True}
    answers = gather(
        {side: partial(_get, front, item, "checksum", deadline, query) for side, front in enumerate((source, target))}
    )
    return str(answers[0]["checksum"]) == str(answers[1]["checksum"])


def body_differences(
    source: Front, target: Front, item: Subject, deadline: Deadline, without: Container[str] = ()
) -> list[str]:
    """Read every source document and the target's of the same key; equal counts make this a full comparison.

    Keys in ``without`` are passed over, so that however many of them differ all others are looked at.
    """
    differences: list[str] = []
    with closing(read_batches(source, item.database, item.collection)) as batches:
        for batch in batches:
            if deadline.expired:
                raise CutoverError("CUT-CUTOVER-1", f"comparing {item} did not end in time", retriable=True)
            others = [document for document in batch if document["_key"] not in without]
            if others:
                differences += _batch_differences(target, item, others, deadline)
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
        timeout=max(_LEAST_TIMEOUT, deadline.remaining()),
        idempotent=True,
    )
    if len(others) != len(batch):
        raise CutoverError("CUT-ARANGO-7", f"the target answered {len(others)} of {len(batch)} documents of {item}")
    return [
        f"{item} key {document['_key']}: {_difference(document, other, item.likeness)}"
        for document, other in zip(batch, others)
        if item.likeness.text(document) != item.likeness.text(other)
    ]


def _difference(document: Mapping[str, Any], other: Mapping[str, Any], likeness: Likeness) -> str:
    """What differs, by attribute names only: values may be confidential."""
    if other.get("error") is True and "_key" not in other:
        return "not on the target"
    names = sorted(
        name
        for name in {*document, *other}
        if canonical(document.get(name)) != canonical(other.get(name)) and (likeness.keeps_revisions or name != "_rev")
    )
    return f"differs in {', '.join(names[:10])}"
