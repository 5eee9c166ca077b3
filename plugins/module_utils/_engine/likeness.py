# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How two documents of one key are compared: by their revisions, or by their contents where the target makes revisions
of its own (``rev_policy``, design §4.7).

Everybody who compares source and target asks the collection's ``Likeness``. A revision says whether a document is older
or newer; a content only whether it is the same. So where contents are compared, a document that differs is wrong only
if the source has not changed it meanwhile, which the source's own revisions tell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol, Union

from .._core.revision import decode
from .aql import canonical
from .marker import Marker, without_revision

_REVISION = "_rev"


class Rows(Protocol):
    """One side, see ``Reader``."""

    def revisions(self, database: str, collection: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """The revisions of these keys."""

    def keys(self, database: str, collection: str) -> Iterator[list[tuple[str, str]]]:
        """All keys with their revisions."""

    def documents(self, database: str, collection: str, keys: Sequence[str]) -> Iterator[list[Mapping[str, Any]]]:
        """The documents of these keys, parsed."""

    def all_documents(self, database: str, collection: str) -> Iterator[list[Mapping[str, Any]]]:
        """All documents, parsed."""


class State(NamedTuple):
    """A document on one side: its revision there, and what is equal exactly if the other side has the same."""

    revision: str
    identity: Union[int, str]


States = dict[str, list[State]]


class Likeness(str, Enum):
    """The rule of one collection; it never changes while the collection lives."""

    REVISION = "revision"
    CONTENT = "content"

    @property
    def keeps_revisions(self) -> bool:
        """Whether the target gets the source's revisions."""
        return self is Likeness.REVISION

    # -- writing --------------------------------------------------------------------------------------------------

    def bodies(self, documents: Iterable[Marker]) -> list[bytes]:
        """What is sent of documents: without a revision the target makes its own (facts §7.5)."""
        if self.keeps_revisions:
            return [document.data for document in documents]
        return [without_revision(document.data) for document in documents]

    # -- reading --------------------------------------------------------------------------------------------------

    def states(self, side: Rows, database: str, collection: str, keys: Sequence[str]) -> States:
        """What a side has of these keys; a key can have several documents where shards are not determined by it."""
        found: States = {}
        if self.keeps_revisions:
            for key, revisions in side.revisions(database, collection, keys).items():
                found[key] = [State(revision, decode(revision)) for revision in revisions]
            return found
        for batch in side.documents(database, collection, keys):
            for document in batch:
                found.setdefault(str(document["_key"]), []).append(_of(document))
        return found

    def pages(self, side: Rows, database: str, collection: str) -> Iterator[list[tuple[str, State]]]:
        """Everything that a side has, page by page; some comes again when a pass had to begin anew."""
        if self.keeps_revisions:
            for page in side.keys(database, collection):
                yield [(key, State(revision, decode(revision))) for key, revision in page]
            return
        for batch in side.all_documents(database, collection):
            yield [(str(document["_key"]), _of(document)) for document in batch]

    def state(self, document: Marker) -> State:
        """Of a document with its own text."""
        revision = document.rev.decode("ascii")
        return State(revision, decode(revision)) if self.keeps_revisions else _of(json.loads(document.data))

    # -- comparing ------------------------------------------------------------------------------------------------

    def text(self, document: Mapping[str, Any]) -> str:
        """A text that is equal exactly if two documents are the same."""
        return canonical(document) if self.keeps_revisions else content(document)

    def wrong(
        self, here: Sequence[State], there: Sequence[State], later: Sequence[State], key_determines_shard: bool
    ) -> bool:
        """Whether ``there`` is not what the log up to the reading of ``here`` may have left on the target.

        ``later`` is what the source has after ``there`` was read. What came from a leader that has lost it since is
        newer than anything the source has, and can be brought back by a late request (design §4.6). A content that the
        source has changed since is overwritten by the log that is still to be applied.
        """
        if not self.keeps_revisions:
            return not alike(here, there) and _revisions(here) == _revisions(later)
        if is_stale(here, there):
            return True
        return key_determines_shard and newest(there) > max(newest(here), newest(later))

    def settled(self, state: State, there: Sequence[State], key_determines_shard: bool) -> bool:
        """Whether the target needs nothing although it was found wrong before; ``state`` is what the source has now."""
        if not self.keeps_revisions:
            return alike([state], there)
        revision = decode(state.revision)
        return newest(there) == revision or (newest(there) > revision and not key_determines_shard)

    def strays(self, there: Sequence[State], known: Sequence[State], replaced: bool) -> list[str]:
        """The target's revisions of a key that must go before what the source has is written; ``replaced``: something
        is. Documents of one key in several shards are told apart by revisions alone.
        """
        if not self.keeps_revisions:
            return [] if replaced else [state.revision for state in there]
        revisions = {state.revision for state in known}
        return [state.revision for state in there if state.revision not in revisions]


def differs(state: State, others: Iterable[State]) -> bool:
    """Whether none of the others is the same document."""
    return all(state.identity != other.identity for other in others)


def alike(here: Sequence[State], there: Sequence[State]) -> bool:
    """Whether both sides have the same of a key."""
    return sorted(str(state.identity) for state in here) == sorted(str(state.identity) for state in there)


def is_stale(here: Sequence[State], there: Sequence[State]) -> bool:
    """Whether the target's revisions of a key are not what an applied log may leave there."""
    if not here:
        return bool(there)
    return newest(there) < newest(here)


def newest(states: Sequence[State]) -> int:
    """The decoded newest revision; -1 when there is none."""
    return max((decode(state.revision) for state in states), default=-1)


def content(document: Mapping[str, Any]) -> str:
    """A document without its revision, as a text that is equal exactly if the values are."""
    return canonical({name: value for name, value in document.items() if name != _REVISION})


def _of(document: Mapping[str, Any]) -> State:
    digest = hashlib.blake2b(content(document).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return State(str(document[_REVISION]), digest)


def _revisions(states: Iterable[State]) -> list[int]:
    return sorted(decode(state.revision) for state in states)
