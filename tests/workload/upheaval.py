# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Changes to whole collections: truncates of both kinds, one collection born, one dropped and made anew."""

from __future__ import annotations

from arango.database import StandardDatabase

from tests.workload.actor import Actor, Change, bulk
from tests.workload.router import UnknownOutcomeError
from tests.workload.schema import CollectionSpec, create_collection
from tests.workload.shop import RECREATED

__all__ = ["RANGE_DELETE", "Basket", "Definer", "Heap"]

RANGE_DELETE = 32_768  # documents of a shard from which on a truncate is one marker, not one per document (facts §5.5)


class Emptying(Actor):
    """Fills a collection with bulk inserts and truncates it when it holds ``size`` documents.

    A truncate without an answer ends it: whatever was written afterwards could still be removed by it.
    """

    size: int
    batch: int

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._made = 0
        self.retired = False

    def step(self) -> None:
        if self.retired:
            return
        if len(self.documents) < self.size:
            keys = [f"{self.collection}{self._made + number}" for number in range(self.batch)]
            self._made += self.batch
            self._fill([("insert", {"_key": key, "n": self._made}) for key in keys])
        else:
            self._truncate()

    def _fill(self, changes: list[Change]) -> None:
        documents = [document for _kind, document in changes]
        self.apply(changes, lambda database: bulk(database.collection(self.collection), "insert", documents))

    def _truncate(self) -> None:
        try:
            side, _answer = self.router.write(
                self.place()[0], lambda database: database.collection(self.collection).truncate()
            )
        except UnknownOutcomeError as error:
            self.record.lost(error.side, self.place(), dict.fromkeys(self.documents))
            self.retired = True
            raise
        self.documents.clear()
        self.record.emptied(side, self.place())


class Basket(Emptying):
    """Small: the truncate removes document by document."""

    collection = "basket"
    rate = 4.0
    size, batch = 120, 12


class Heap(Emptying):
    """Large: the truncate is a range delete, made when asked for; then the collection fills again."""

    collection = "heap"
    rate = 2.0
    size, batch = RANGE_DELETE + 500, 4000

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.asked = 0
        self.truncated = 0

    def step(self) -> None:
        if len(self.documents) < self.size or self.asked > self.truncated:
            super().step()
        elif not self.retired:
            key = f"{self.collection}{self._made - 1}"
            self.apply([("replace", {"_key": key, "n": self.random.randrange(self.size)})])

    def _truncate(self) -> None:
        super()._truncate()
        self.truncated += 1


class Definer(Actor):
    """Creates one collection, drops another and creates it again under the same name, and writes to both."""

    collection = RECREATED.name
    rate = 6.0
    FIRST_WAVE = 40

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.begin = False
        self.done = False
        self.retired = False
        self._number = 0

    def step(self) -> None:
        if self.retired:
            return
        if self.begin and not self.done:
            try:
                self._recreate()
                self._bear()
            finally:
                self.done = True
        self._number += 1
        wave = 2 if self.done else 1
        if wave == 2 or self._number <= self.FIRST_WAVE:
            self.apply([("insert", self.body(f"w{wave}-{self._number}", wave=wave))])

    def _recreate(self) -> None:
        def operation(database: StandardDatabase) -> None:
            database.delete_collection(self.collection, ignore_missing=True)
            create_collection(database, RECREATED, replication_factor=2)

        try:
            side, _answer = self.router.write(self.place()[0], operation)
        except UnknownOutcomeError:
            self.record.forget(self.place())
            self.retired = True
            raise
        self.documents.clear()
        self.record.emptied(side, self.place(), dropped=True)

    def _bear(self) -> None:
        spec = CollectionSpec("newborn", 3, indexes=({"type": "persistent", "fields": ["wave"]},))

        def operation(database: StandardDatabase) -> str:
            create_collection(database, spec, replication_factor=2)
            return str(database.collection(spec.name).insert({"_key": "first", "wave": 1})["_rev"])

        side, revision = self.router.write(self.place()[0], operation)
        first = {"_key": "first", "wave": 1, "_rev": revision}
        self.record.acknowledge(side, self.place(spec.name), {"first": first})
