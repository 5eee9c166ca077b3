# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the users of the cluster do all day."""

from __future__ import annotations

from arango.database import StandardDatabase

from tests.workload.actor import Actor, Change, Revisions, execute
from tests.workload.record import Document

__all__ = ["Accounts", "Bulk", "Churn", "HotKeys", "Ledger", "Seats"]


class HotKeys(Actor):
    """Writes the same few documents again and again."""

    collection = "counters"
    rate = 90.0

    def step(self) -> None:
        key = f"hot{self.random.randrange(12)}"
        if key in self.abandoned:
            return
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
        key = f"{self.name}-{self.random.randrange(1500)}"
        if key in self.abandoned:
            return
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

        def operation(database: StandardDatabase) -> Revisions:
            collection = database.collection(self.collection)
            if kind == "insert":
                answers = collection.insert_many(documents, raise_on_document_error=True)
            elif kind == "replace":
                answers = collection.replace_many(documents, check_rev=False)
            else:
                answers = collection.delete_many(documents, check_rev=False)
            errors = [answer for answer in answers if isinstance(answer, Exception)]
            if errors:
                raise errors[0]
            return {str(answer["_key"]): str(answer["_rev"]) for answer in answers}

        self.apply(changes, operation)


class Transacting(Actor):
    """Writes several documents in one stream transaction."""

    def transact(self, changes: list[Change]) -> None:
        """Carry out changes in order; the record gets each key's last one."""

        def operation(database: StandardDatabase) -> Revisions:
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
    """Swaps unique values between documents, in cycles of two to six."""

    collection = "accounts"
    rate = 3.0
    SIZE = 60

    def step(self) -> None:
        if len(self.documents) < self.SIZE:
            number = len(self.documents) + len(self.abandoned)
            self.apply([("insert", self.body(f"a{number}", email=f"user{number}@example.org"))])
            return
        cycle = self.random.sample(sorted(self.documents), self.random.randint(2, 6))
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

    def _take(self, slot: int) -> None:
        if f"slot{slot}" in self.abandoned:
            return
        document: Document = {"hall": f"hall{slot % 7}", "number": slot // 7, "slot": slot, "by": self.random.random()}

        def operation(database: StandardDatabase) -> Document:
            return dict(database.collection(self.collection).insert(document))

        try:
            side, answer = self.router.write(self.place()[0], operation)
        except Exception:
            self.abandoned.add(f"slot{slot}")  # whether it is taken is not known, and neither is its key
            self.record.lost(self.place(), {f"?{slot}": document})
            raise
        key = str(answer["_key"])
        self.documents[key] = {**document, "_key": key}
        self.record.acknowledge(side, self.place(), {key: {**self.documents[key], "_rev": answer["_rev"]}})
