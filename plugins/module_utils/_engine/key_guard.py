# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""New keys that the target makes must never meet migrated ones (facts §3.4, §12 no. 19; design §5, step 1).

In a cluster the generators ``traditional`` and ``padded`` take cluster-wide ids, of which the target has given out
fewer than the source. What a target does about it is tried out, in a collection of our own beside the journal: whether
a generator goes on above keys that were restored, and which key comes next. If that is too low, ids are reserved where
the version can, or used up by documents that are dropped again; then it is looked at again. What cannot be seen to be
safe is a question to the operator.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, Optional

from .._core.arango import Server, segment
from .._core.clock import Deadline
from .._core.errors import ArangoError, CutoverError
from .._core.retry import kind
from .inventory import CollectionDef, Inventory
from .journal import DATABASE
from .keys import LargestKeys
from .ordering import migrated
from .world import World

LOG = logging.getLogger(__name__)
ACCEPTED_BY = ("CUT-KEYS-1", "features-generated-keys")
SEVERAL, SINGLE, AUTOINCREMENT = "several shards", "one shard", "autoincrement"
# New documents of the source get larger keys until the fence; the next look is at the proof.
MARGIN = 1000
# Ids that are used up by documents at most, and how many of them are made at a time.
MOST_BURNED = 2_000_000
# While the source is fenced, there is no time for more.
MOST_BURNED_FENCED = 50_000
_BURN_BATCH = 5000
# The largest reservation of one call, and how many calls are made (facts §3.4).
_RESERVATION = 1_000_000
_MOST_CALLS = 3000
_PROBES = 4
# From 3.12.5-3 on; earlier ones do not know the path.
_RESERVE_SINCE = (3, 12)
_TAKEN = 1210
_DUPLICATE = 1207
_MOST_CREATIONS = 3
_TIMEOUT = 60.0
_TRACKS = "the target's generator goes on above restored keys"


@dataclass
class Answer:
    """``open`` collections may get keys that are there already; ``how`` says why the others cannot."""

    how: dict[str, str] = field(default_factory=dict)
    largest: int = 0
    next: Optional[int] = None
    open: list[str] = field(default_factory=list)
    accepted: Optional[str] = None

    @property
    def text(self) -> Optional[str]:
        """The question to the operator, None when there is none."""
        if not self.open or self.accepted is not None:
            return None
        return (
            f"keys made on the target may meet migrated ones in {len(self.open)} collections "
            f"({', '.join(self.open[:5])}): the largest migrated one is {self.largest}, the target's next one is "
            f"{self.next}"
        )

    def document(self) -> dict[str, Any]:
        """``keys`` of the report."""
        return asdict(self)


class KeyGuard:
    """Looks at one target. For one thread at a time."""

    def __init__(self, world: World, keys: LargestKeys, stop: threading.Event) -> None:
        self._world = world
        self._keys = keys
        self._stop = stop
        self._name = f"{world.journal.collection}_keys"
        self._path = f"/_api/document/{segment(self._name)}"
        self._tracks: dict[str, bool] = {}
        self._next: dict[str, int] = {}
        self._how: dict[str, Optional[str]] = {}
        self._most = MOST_BURNED

    def examine(self, source: Inventory, deadline: Deadline, *, most: int = MOST_BURNED) -> Answer:
        """Find out, and where needed raise what the target gives out next, by ``most`` documents at most.

        Raises what the target refuses.
        """
        answer = Answer()
        self._most = most
        for shape, names in self._at_risk(source).items():
            largest = max(names.values())
            answer.largest = max(answer.largest, largest)
            # What it does next may be known by a trial that ended in an error.
            if shape not in self._how or self._next.get(shape, 0) <= largest:
                self._how[shape] = self._safe(shape, largest, deadline)
            how = self._how[shape]
            if how is None:
                answer.open += sorted(names)
                answer.next = self._next.get(shape)
            else:
                answer.how[shape] = how
        reasons = self._world.spec.accepted
        answer.accepted = next((reasons[item] for item in ACCEPTED_BY if item in reasons), None)
        return answer

    def _at_risk(self, source: Inventory) -> dict[str, dict[str, int]]:
        """Largest generated-looking key by collection, by kind of generator; collections without any are left out."""
        found: dict[str, dict[str, int]] = {}
        for database in source.values():
            for item in database.collections.values():
                shape = _shape(item)
                if shape is None or not migrated(item, self._world.target_version):
                    continue
                is_padded = _generator(item) == "padded"
                largest = self._keys.largest((database.name, item.plan_id), is_padded=is_padded)
                if largest:
                    found.setdefault(shape, {})[f"{database.name}/{item.name}"] = largest
        return found

    def _safe(self, shape: str, largest: int, deadline: Deadline) -> Optional[str]:
        """How it is safe, or None."""
        if self._tracks.get(shape):
            return _TRACKS
        self._world.lease.check()
        self._make(shape)
        try:
            if shape not in self._tracks:
                self._tracks[shape] = self._goes_on_above_restored(shape)
            if self._tracks[shape]:
                return _TRACKS
            if self._look(shape) > largest:
                return f"the next key is {self._next[shape]}, above {largest}"
            if self._world.target_version >= _RESERVE_SINCE and shape != AUTOINCREMENT:
                self._reserve(largest + MARGIN, deadline)
                if self._look(shape) > largest:
                    return f"ids up to {self._next[shape] - 1} were reserved, above {largest}"
            self._burn(shape, largest + MARGIN, deadline)
            if self._look(shape) > largest:
                return f"ids up to {self._next[shape] - 1} were used up, above {largest}"
            return None
        finally:
            self._drop()

    # -- the collection that is tried with ------------------------------------------------------------------------

    def _make(self, shape: str) -> None:
        self._drop()
        definition = {
            "name": self._name,
            "isSystem": self._name.startswith("_"),
            "numberOfShards": 2 if shape == SEVERAL else 1,
            "replicationFactor": 1,
            "keyOptions": {"type": "autoincrement" if shape == AUTOINCREMENT else "traditional"},
        }
        for _again in range(_MOST_CREATIONS):
            try:
                self._call("POST", "/_api/collection", body=definition)
                return
            except ArangoError as error:
                if error.error_num != _DUPLICATE:
                    raise
                # A creation whose answer was lost, perhaps an earlier one of another shape.
                LOG.info("the collection to try keys with was there already: %s", error)
                self._drop()
        raise CutoverError("CUT-ARANGO-1", f"the collection {self._name} is there again and again", retriable=True)

    def _drop(self) -> None:
        query = {"isSystem": True} if self._name.startswith("_") else None
        try:
            self._call("DELETE", f"/_api/collection/{segment(self._name)}", query=query)
        except ArangoError as error:
            if error.error_num != 1203 and error.status != 404:
                raise

    def _call(self, method: str, path: str, **options: Any) -> Any:
        return self._world.target.json(method, path, database=DATABASE, timeout=_TIMEOUT, idempotent=True, **options)

    def _new_keys(self, server: Server, count: int = 1) -> list[int]:
        """Keys of new documents; one that met the key that we restored is used up, and is left out."""
        made: list[int] = []
        while not made:
            for item in server.json("POST", self._path, database=DATABASE, body=[{}] * count, timeout=_TIMEOUT):
                number = int(item.get("errorNum", 0))
                if number == 0:
                    made.append(int(item["_key"]))
                elif number != _TAKEN:
                    raise _not_made(server, number, str(item.get("errorMessage", "")))
        return made

    def _fronts(self) -> list[Server]:
        """Every coordinator that is known, several times: others may be behind the same address."""
        return [server for server in self._world.target.each() for _time in range(_PROBES)]

    def _look(self, shape: str) -> int:
        """The smallest key that any of them makes next."""
        self._next[shape] = min(key + 1 for server in self._fronts() for key in self._new_keys(server))
        return self._next[shape]

    def _goes_on_above_restored(self, shape: str) -> bool:
        """Whether every generator is above a key after its restore that is above all that it made before."""
        before = [key for server in self._fronts() for key in self._new_keys(server)]
        restored = max(before) + MARGIN
        line = json.dumps({"_key": str(restored)}) + "\n"
        self._world.target.request(
            "PUT",
            "/_api/replication/restore-data",
            database=DATABASE,
            query={"collection": self._name},
            body=line.encode("utf-8"),
            headers={"Content-Type": "application/x-arango-dump"},
            timeout=_TIMEOUT,
            idempotent=True,
        )
        return self._look(shape) > restored

    def _reserve(self, wanted: int, deadline: Deadline) -> None:
        """Let the cluster give out ids up to ``wanted``, in as many steps as that takes (facts §3.4)."""
        for server in self._world.target.each():
            for _call in range(_MOST_CALLS):
                if deadline.expired or self._stop.is_set():
                    return
                try:
                    largest = reserve(server, _RESERVATION)
                except ArangoError as error:
                    if error.retriable:
                        raise
                    LOG.info("ids cannot be reserved: %s", error)
                    return
                if largest >= wanted:
                    break

    def _burn(self, shape: str, wanted: int, deadline: Deadline) -> None:
        """Use up ids by documents, on each coordinator by itself, if they are not too many."""
        if wanted - self._next[shape] > self._most:
            return
        for server in self._world.target.each():
            made = 0
            while made < self._most and not deadline.expired and not self._stop.is_set():
                self._world.lease.check()
                first = self._new_keys(server)[0]
                count = min(_BURN_BATCH, wanted - first)
                if count <= 0:
                    break
                self._new_keys(server, count)
                made += count


def reserve(server: Server, number: int) -> int:
    """Use up so many of the cluster's ids on this coordinator; the largest of them (facts §3.4, from 3.12.5-3 on)."""
    answer = server.json("PUT", "/_admin/cluster/uniqId", query={"number": number}, timeout=_TIMEOUT)
    return int(answer["largest"])


def _not_made(server: Server, number: int, message: str) -> CutoverError:
    passes = kind(409, number, message) in ("transient", "longer")
    text = f"{server.label}: a document without a key was refused with errorNum {number}: {message[:200]}"
    return CutoverError("CUT-ARANGO-1" if passes else "CUT-ARANGO-6", text, retriable=passes)


def _generator(collection: CollectionDef) -> str:
    return str((collection.parameters.get("keyOptions") or {}).get("type", "traditional"))


def _shape(collection: CollectionDef) -> Optional[str]:
    """The kind of generator, as far as it matters how it comes to its numbers; None for random keys."""
    if collection.is_system:
        return None
    generator = _generator(collection)
    if generator == "autoincrement":
        return AUTOINCREMENT
    if generator not in ("traditional", "padded"):
        return None
    # As many as the target is to have.
    shards = collection.parameters.get("numberOfShards") or len(collection.shards)
    return SINGLE if shards == 1 else SEVERAL
