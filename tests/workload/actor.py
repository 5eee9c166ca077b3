# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One writing thread: it owns its keys, so it always knows in which order their writes were acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from arango.collection import StandardCollection
from arango.database import StandardDatabase
from arango.exceptions import ArangoServerError

from tests.workload.record import Document, Place, Record, Side
from tests.workload.router import Router, Stopped, UnknownOutcomeError, refused, unknown
from tests.workload.shop import SHOP

__all__ = ["Actor", "Change", "Outcomes", "bulk", "execute", "failure"]

Kind = Literal["insert", "update", "replace", "delete"]
Change = tuple[Kind, Document]  # the document as it will be; for an update it is also the patch
# Key → the new revision, None after a removal, or this document's error; refused keys are left out.
Outcomes = Mapping[str, "str | ArangoServerError | None"]
MAX_ERRORS = 20


def execute(collection: StandardCollection, change: Change) -> str | None:
    """Carry out one change; return the new revision, None after a removal."""
    kind, document = change
    if kind == "insert":
        return str(collection.insert(document)["_rev"])
    if kind == "delete":
        collection.delete(document, check_rev=False)
        return None
    operation = collection.update if kind == "update" else collection.replace
    return str(operation(document, check_rev=False)["_rev"])


def bulk(collection: StandardCollection, kind: Kind, documents: Sequence[Document], **options: Any) -> Outcomes:
    """Carry out one change of many documents with one request: some may be written although others are not."""
    if kind == "insert":
        answers = collection.insert_many(documents, **options)
    elif kind == "delete":
        answers = collection.delete_many(documents, check_rev=False)
    else:
        answers = collection.replace_many(documents, check_rev=False)
    outcomes: dict[str, str | ArangoServerError | None] = {}
    for document, answer in zip(documents, answers, strict=True):
        key = str(document["_key"])
        if isinstance(answer, ArangoServerError):
            if not refused(answer):
                outcomes[key] = answer
        else:
            outcomes[key] = None if kind == "delete" else str(answer["_rev"])
    return outcomes


def failure(outcomes: Outcomes) -> ArangoServerError | None:
    """The first document's error that says that the write was wrong: neither refused nor of unknown outcome."""
    errors = (one for one in outcomes.values() if isinstance(one, ArangoServerError))
    return next((error for error in errors if not unknown(error)), None)


class Actor(threading.Thread):
    """Calls ``step`` at ``rate`` per second until told to stop; ``step`` writes through ``apply``."""

    collection: ClassVar[str]
    rate: ClassVar[float]

    def __init__(self, router: Router, record: Record, stop: threading.Event, seed: str, speed: float = 1.0) -> None:
        super().__init__(name=f"{type(self).__name__}-{seed}", daemon=True)
        self.router, self.record, self.stop = router, record, stop
        self.random = random.Random(self.name)  # a text seeds the same way in every process
        self.documents: dict[str, Document] = {}
        self.abandoned: set[str] = set()
        self.errors: list[str] = []
        self._pause = 1.0 / (self.rate * speed)

    def step(self) -> None:
        """One piece of work."""
        raise AssertionError(f"{type(self).__name__} has no step")

    def run(self) -> None:
        """Work at an even pace; a late step is not made up for, so that an outage causes no burst."""
        due = time.monotonic()
        while not self.stop.is_set():
            try:
                self.step()
            except Stopped:
                return
            except UnknownOutcomeError:
                pass  # recorded by apply
            except Exception as error:  # noqa: BLE001  (the run's report shows it and fails)
                if len(self.errors) < MAX_ERRORS:
                    self.errors.append(f"{self.name}: {type(error).__name__}: {error}")
            due = max(due + self._pause, time.monotonic() - self._pause)
            self.stop.wait(max(0.0, due - time.monotonic()))

    def place(self, collection: str | None = None) -> Place:
        """The record's name of one of this actor's collections."""
        return SHOP.name, collection or self.collection

    def apply(
        self, changes: Sequence[Change], operation: Callable[[StandardDatabase], Outcomes] | None = None
    ) -> None:
        """Write changes of documents with known keys and record the answer; one change without ``operation``.

        Raises what ``Router.write`` raises, and after everything is recorded the first document's ``failure``.
        """
        after = {str(doc["_key"]): None if kind == "delete" else dict(doc) for kind, doc in changes}

        def single(database: StandardDatabase) -> Outcomes:
            kind, document = changes[0]
            return {str(document["_key"]): execute(database.collection(self.collection), (kind, document))}

        try:
            side, outcomes = self.router.write(SHOP.name, operation or single)
        except UnknownOutcomeError as error:
            self.abandon(error.side, after)
            raise
        states: dict[str, Document | None] = {}
        for key, outcome in outcomes.items():
            document = after[key]
            if isinstance(outcome, ArangoServerError):
                if unknown(outcome):
                    self.abandon(side, {key: document})
                continue
            states[key] = None if document is None else {**document, "_rev": outcome}
            if document is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = document
        self.record.acknowledge(side, self.place(), states)
        failed = failure(outcomes)
        if failed is not None:
            raise failed

    def abandon(self, side: Side, after: Mapping[str, Document | None]) -> None:
        """Keys with an unknown outcome are never written again: the lost write may still be carried out."""
        self.record.lost(side, self.place(), after)
        self.abandoned.update(after)
        for key in after:
            self.documents.pop(key, None)

    def living(self, key: str) -> str:
        """The key, or the name that takes its place once its outcome is unknown."""
        while key in self.abandoned:
            key += "-"
        return key

    def body(self, key: str, **fields: Any) -> Document:
        """A document with content of several JSON types."""
        number = self.random.randrange(1 << 40)
        return {
            "_key": key, "n": number, "ratio": self.random.random(), "note": f"é-{number:x}" if number % 3 else None,
            "tags": [number % 7, str(number % 11)], "nested": {"a": {"b": number % 2 == 0}}, **fields,
        }
