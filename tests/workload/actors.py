# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the users of the cluster do all day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arango.database import StandardDatabase
from arango.exceptions import ArangoServerError

from tests.workload.actor import Actor, Change, Outcomes, bulk, execute, failure
from tests.workload.clients import NotConnectedError
from tests.workload.record import Document, Side
from tests.workload.router import HalfDoneError, UnknownOutcomeError

__all__ = ["Accounts", "Bulk", "Churn", "Frames", "HotKeys", "Ledger", "Seats"]


class HotKeys(Actor):
    """Writes the same few documents again and again."""

    collection = "counters"
    rate = 90.0

    def step(self) -> None:
        key = self.living(f"hot{self.random.randrange(12)}")
        if key not in self.documents:
            self.apply([("insert", self.body(key, hits=1))])
            return
        before = self.documents[key]
        document = self.body(key, hits=before["hits"] + 1)
        self.apply([(self.random.choice(["update", "replace"]), document)])


class Churn(Actor):
    """Inserts, updates, replaces, removes and inserts again."""

    collection = "orders"
    rate = 70.0

    def step(self) -> None:
        key = self.living(f"{self.name}-{self.random.randrange(1500)}")
        if key not in self.documents:
            kind = "insert"
        else:
            kind = self.random.choice(["update", "replace", "replace", "delete"])
        document = self.body(key, customer=self.random.randrange(50), total=round(self.random.uniform(1, 900), 2))
        self.apply([(kind, document if kind != "delete" else {"_key": key})])  # type: ignore[list-item]


class Bulk(Actor):
    """Writes many documents with one request."""

    collection = "events"
    rate = 5.0

    def step(self) -> None:
        keys = [f"e{self.random.randrange(4000)}" for _index in range(25)]
        fresh = sorted({key for key in keys if key not in self.documents and key not in self.abandoned})
        known = sorted({key for key in keys if key in self.documents})
        if fresh:
            self._many([("insert", self.body(key)) for key in fresh])
        if known and self.random.random() < 0.5:
            self._many([("replace", self.body(key)) for key in known])
        elif known:
            self._many([("delete", {"_key": key}) for key in known])

    def _many(self, changes: list[Change]) -> None:
        kind, documents = changes[0][0], [document for _kind, document in changes]
        self.apply(changes, lambda database: bulk(database.collection(self.collection), kind, documents))


class Transacting(Actor):
    """Writes several documents in one stream transaction."""

    def transact(self, changes: list[Change]) -> None:
        """Carry out changes in order; the record gets each key's last one."""

        def operation(database: StandardDatabase) -> Outcomes:
            transaction = database.begin_transaction(write=[self.collection])
            try:
                collection = transaction.collection(self.collection)
                revisions = {str(change[1]["_key"]): execute(collection, change) for change in changes}
                transaction.commit_transaction()
            except Exception:
                self._abort(transaction)
                raise
            return revisions

        self.apply(changes, operation)

    @staticmethod
    def _abort(transaction: object) -> None:
        """Give the locks back; a transaction that is gone already has none."""
        try:
            transaction.abort_transaction()  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001
            return


class Accounts(Transacting):
    """Swaps unique values between documents, in cycles of two to twelve."""

    collection = "accounts"
    rate = 3.0
    SIZE = 60

    def step(self) -> None:
        if len(self.documents) < self.SIZE:
            number = len(self.documents) + len(self.abandoned)
            self.apply([("insert", self.body(f"a{number}", email=f"user{number}@example.org"))])
            return
        cycle = self.random.sample(sorted(self.documents), self.random.randint(2, 12))
        if self.random.random() < 0.2:
            self._hand_over(cycle[0], cycle[1])
            return
        emails = [self.documents[key]["email"] for key in cycle]
        free = {**self.documents[cycle[0]], "email": f"free-{cycle[0]}"}
        moved: list[Change] = [
            ("replace", self.body(key, email=email))
            for key, email in zip(cycle[1:], emails[:-1], strict=True)
        ]
        # Each change takes the value that the one before gave up; the last one's goes to the first, at the very end.
        self.transact([("replace", free), *moved, ("replace", self.body(cycle[0], email=emails[-1]))])

    def _hand_over(self, giver: str, taker: str) -> None:
        """The value of a removed document goes to another one, and the removed one comes back with the other's."""
        given, taken = self.documents[giver]["email"], self.documents[taker]["email"]
        self.transact([("delete", {"_key": giver}), ("update", {**self.documents[taker], "email": given})])
        self.apply([("insert", self.body(giver, email=taken))])


class Ledger(Transacting):
    """Moves amounts between documents of several shards, framed in one transaction."""

    collection = "ledger"
    rate = 6.0

    def step(self) -> None:
        if len(self.documents) < 40:
            self.apply([("insert", self.body(f"l{self.random.randrange(10**9)}", amount=100))])
            return
        first, second, leaving = self.random.sample(sorted(self.documents), 3)
        changes: list[Change] = [
            ("update", {**self.documents[first], "amount": self.documents[first]["amount"] - 7}),
            ("replace", self.body(second, amount=self.documents[second]["amount"] + 7)),
            ("delete", {"_key": leaving}),
            ("insert", self.body(f"l{self.random.randrange(10**9)}", amount=100)),
        ]
        self.transact(changes)


class Frames(Transacting):
    """Large stream transactions, which the server commits piece by piece: each piece is a frame in the log.

    Once a piece may be committed, a transaction that fails has an unknown outcome, and so has one that is aborted.
    """

    collection = "frames"
    rate = 0.7
    SIZE, PIECE = 160, 40

    def step(self) -> None:
        keys = [self.living(f"f{number}") for number in range(self.SIZE)]
        documents = [self.body(key, padding="x" * self.random.randrange(60)) for key in keys]
        self.apply([("replace", document) for document in documents], lambda database: self._write(database, documents))

    def _write(self, database: StandardDatabase, documents: list[Document]) -> Outcomes:
        transaction = database.begin_transaction(write=[self.collection])
        begun = False
        outcomes: dict[str, Any] = {}
        try:
            for first in range(0, len(documents), self.PIECE):
                piece = documents[first : first + self.PIECE]
                written = bulk(transaction.collection(self.collection), "insert", piece, overwrite_mode="replace")
                begun = True
                failed = failure(written)
                if failed is not None:
                    raise failed
                if len(written) < len(piece):
                    raise HalfDoneError(f"{len(piece) - len(written)} documents of a transaction were refused")
                outcomes |= written
            transaction.commit_transaction()
        except (ArangoServerError, NotConnectedError, HalfDoneError) as error:
            self._abort(transaction)
            if begun:
                raise HalfDoneError(str(error)) from error
            raise
        return outcomes


class Seats(Actor):
    """Documents whose shard is not determined by their key; the server makes the keys; unique numbers are reused."""

    collection = "seats"
    rate = 20.0

    def step(self) -> None:
        number = self.random.randrange(300)
        taken = next((key for key, doc in self.documents.items() if doc["slot"] == number), None)
        if taken is None:
            self._take(number)
        elif self.random.random() < 0.5:
            self.apply([("delete", {"_key": taken, "hall": self.documents[taken]["hall"]})])
        else:
            before = self.documents[taken]
            kept = {"hall": before["hall"], "number": before["number"], "slot": number}
            self.apply([("replace", self.body(taken, **kept))])

    def abandon(self, side: Side, after: Mapping[str, Document | None]) -> None:
        self.abandoned |= {f"slot{self.documents[key]['slot']}" for key in after}
        super().abandon(side, after)

    def _take(self, slot: int) -> None:
        if f"slot{slot}" in self.abandoned:
            return
        document: Document = {"hall": f"hall{slot % 7}", "number": slot // 7, "slot": slot, "by": self.random.random()}

        def operation(database: StandardDatabase) -> Document:
            return dict(database.collection(self.collection).insert(document))

        try:
            side, answer = self.router.write(self.place()[0], operation)
        except UnknownOutcomeError as error:
            self.abandoned.add(f"slot{slot}")  # whether it is taken is not known, and neither is its key
            self.record.lost(error.side, self.place(), {f"?{slot}": document})
            raise
        key = str(answer["_key"])
        self.documents[key] = {**document, "_key": key}
        self.record.acknowledge(side, self.place(), {key: {**self.documents[key], "_rev": answer["_rev"]}})
