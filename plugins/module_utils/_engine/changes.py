# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was written on the target since it was opened: what going back would lose (design §8).

Keys and revisions of the target are read in a scan and compared decoded, in the agent (design §6). A document that is
newer than the opening by the target's own clock is looked up on the source, which is read-only since the fence: so a
source whose clock is ahead makes this slower, never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Optional

from .._core.arango import Coordinators, segment
from .._core.clock import SYSTEM_CLOCK, Clock, Deadline
from .._core.errors import ArangoError, CutoverError
from .._core.revision import decode
from . import inventory as inv
from .aql import read_batches
from .definitions import problems
from .fence import shown_modes, summary
from .journal import Journal, Record
from .likeness import content
from .mapping import parse_version
from .parallel import gather
from .proof import Subject
from .running import subjects_of
from .shape import shape_of
from .times import stamp
from .topology import Source
from .world import MIGRATION_KEY, RESULT_KEY, target_version

# The clocks of the target's servers may differ by this much.
SLACK_MILLISECONDS = 60_000
_SAMPLES = 20
_SCAN_BATCH = 5000
_LOOKUP_BATCH = 500
_NO_COLLECTION = 1203


@dataclass
class Changes:
    """Of one collection; ``keys`` are examples of created and changed documents."""

    created: int = 0
    changed: int = 0
    removed: int = 0
    keys: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many documents differ."""
        return self.created + self.changed + self.removed


def boundary(opening_revision: str) -> int:
    """The decoded revision from which on a document of the target may have been written after its opening."""
    return max(0, decode(opening_revision) - (SLACK_MILLISECONDS << 20))


def find(
    source: Coordinators,
    target: Coordinators,
    subjects: Iterable[Subject],
    opening_revision: str,
    deadline: Deadline,
    *,
    width: int = 4,
) -> dict[Subject, Changes]:
    """Created, changed and removed documents by collection; unchanged collections are left out.

    Removed ones are known by number: the source's count, less what is left of it on the target. Raises CUT-CHANGES-2
    at the deadline, or what a server answered.
    """
    since = boundary(opening_revision)
    calls = {item: partial(_of_collection, source, target, item, since, deadline) for item in subjects}
    return {item: changes for item, changes in gather(calls, width).items() if changes.total}


def _of_collection(
    source: Coordinators, target: Coordinators, item: Subject, since: int, deadline: Deadline
) -> Changes:
    changes = Changes()
    present = 0
    waiting: list[tuple[str, str]] = []
    try:
        with closing(
            read_batches(target, item.database, item.collection, batch=_SCAN_BATCH, returning="[d._key, d._rev]")
        ) as batches:
            for batch in batches:
                if deadline.expired:
                    raise CutoverError("CUT-CHANGES-2", f"reading {item} on the target did not end in time")
                present += len(batch)
                waiting += [(key, rev) for key, rev in batch if decode(rev) >= since]
                while len(waiting) >= _LOOKUP_BATCH:
                    _look_up(source, target, item, waiting[:_LOOKUP_BATCH], changes)
                    del waiting[:_LOOKUP_BATCH]
    except ArangoError as error:
        if error.error_num != _NO_COLLECTION:
            raise
    _look_up(source, target, item, waiting, changes)
    path = f"/_api/collection/{segment(item.collection)}/count"
    before = int(source.json("GET", path, database=item.database)["count"])
    changes.removed = max(0, before - (present - changes.created))
    return changes


def _look_up(
    source: Coordinators, target: Coordinators, item: Subject, found: Sequence[tuple[str, str]], changes: Changes
) -> None:
    """Tell what was written since the opening from what was migrated with a newer revision."""
    originals = _documents(source, item, [key for key, _rev in found])
    doubtful = []
    for (key, rev), original in zip(found, originals):
        if original is None:
            changes.created += 1
            changes.keys.append(key)
        elif original.get("_rev") != rev:
            doubtful.append((key, original))
    for (key, original), actual in zip(doubtful, _documents(target, item, [key for key, _original in doubtful])):
        # Its revision may be another one by the chosen policy.
        if actual is not None and content(original) != content(actual):
            changes.changed += 1
            changes.keys.append(key)
    del changes.keys[_SAMPLES:]


def _documents(front: Coordinators, item: Subject, keys: Sequence[str]) -> list[Optional[dict[str, Any]]]:
    """The documents of these keys in order, None for those that are not there."""
    if not keys:
        return []
    answer = front.json(
        "PUT",
        f"/_api/document/{segment(item.collection)}",
        database=item.database,
        query={"onlyget": True},
        body=list(keys),
        timeout=120.0,
        idempotent=True,
    )
    if not isinstance(answer, list) or len(answer) != len(keys):
        raise CutoverError("CUT-ARANGO-7", f"{front.label} did not answer {len(keys)} documents of {item}")
    return [None if "_key" not in document else document for document in answer]


def lines(found: Mapping[Subject, Changes]) -> list[str]:
    """For people, one collection each."""
    return [
        f"{item}: {changes.created} created, {changes.changed} changed, {changes.removed} removed since the opening"
        + (f" (such as {', '.join(changes.keys[:3])})" if changes.keys else "")
        for item, changes in sorted(found.items())
    ]


def since_opening(
    source: Source, target: Coordinators, deadline: Deadline, clock: Clock = SYSTEM_CLOCK
) -> dict[str, Any]:
    """``changes_since_open``: figures by collection with sample keys, and definitions that are not the source's.

    Reads the whole target. Raises CUT-CHANGES-1 when the journal knows of no opening.
    """
    journal = Journal.find(target)
    result = Record(journal, RESULT_KEY).load() if journal is not None else {}
    opened = result.get("opening_revision")
    if journal is None or opened is None:
        raise CutoverError("CUT-CHANGES-1", "the journal on the target knows of no opening")
    version = parse_version(target_version(target))
    shape = shape_of(Record(journal, MIGRATION_KEY).load().get("specification") or {})
    definitions, there = shape.apply(inv.read(source.coordinators)), inv.read(target)
    found = find(source.coordinators, target, subjects_of(definitions, version), str(opened), deadline)
    collections = [
        {"database": item.database, "collection": item.collection, **asdict(changes)}
        for item, changes in sorted(found.items())
    ]
    names = ("created", "changed", "removed")
    return {
        "at": stamp(clock.wall()),
        "opened_at": result.get("completed_at"),
        "collections": collections,
        "totals": {name: sum(getattr(changes, name) for changes in found.values()) for name in names},
        "definitions": problems(definitions, there, version),
        "source_mode": summary(shown_modes(source)),
    }
