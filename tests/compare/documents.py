# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents: the target has to be the source at the fence, plus the writes that the target acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.compare.side import Difference, Stored
from tests.workload.record import Document, Entry

__all__ = ["compare_documents", "is_content_of"]

Bare = dict[str, Any]


def compare_documents(
    where: str, source: Stored, target: Stored, record: Mapping[str, Entry], keeps_revisions: bool = True
) -> Iterator[Difference]:
    """Yield the differences of one collection; ``source`` is read after the fence, so it is the source at the fence.

    Where the target makes its own revisions, they are told only by what the target itself has acknowledged.
    """
    unnamed = [entry for key, entry in record.items() if key.startswith("?")]
    strangers = [state for entry in unnamed for state in entry.unknown.get("target", [])]
    for key in sorted(source.keys() | target.keys() | {key for key in record if not key.startswith("?")}):
        entry = record.get(key)
        place = f"{where}/{key}"
        if entry is not None:
            yield from acknowledged_by_source(place, source.get(key), entry)
        if entry is not None and (entry.unknown.get("target") or "target" in entry.acknowledged):
            yield from after_opening(place, source.get(key), target.get(key), entry, keeps_revisions)
            continue
        here, there = source.get(key), target.get(key)
        if not alike(here, there, keeps_revisions) and not is_stranger(there, strangers):
            yield Difference(kind_of(here, there, keeps_revisions), place, shown(here, there))


def alike(expected: tuple[str, bytes] | None, found: tuple[str, bytes] | None, keeps_revisions: bool = True) -> bool:
    """Whether revision and value are the same, numbers with their types; texts may differ in what they escape."""
    if expected is None or found is None or expected == found:
        return expected == found
    if keeps_revisions:
        return expected[0] == found[0] and repr(json.loads(expected[1])) == repr(json.loads(found[1]))
    return repr(bare(decoded(expected))) == repr(bare(decoded(found)))


def kind_of(expected: tuple[str, bytes] | None, found: tuple[str, bytes] | None, keeps_revisions: bool) -> str:
    """The name of a difference."""
    if found is None:
        return "missing document"
    if expected is None:
        return "extra document"
    return "other body" if expected[0] == found[0] or not keeps_revisions else "other revision"


def shown(expected: object, found: object) -> str:
    """Both sides of a difference, shortened."""
    return f"expected {str(expected)[:240]}, found {str(found)[:240]}"


def decoded(stored: tuple[str, bytes] | None) -> Document | None:
    """A stored document as the record has it."""
    if stored is None:
        return None
    document: Document = json.loads(stored[1])
    document.pop("_id", None)
    return document


def bare(document: Document | None) -> Bare | None:
    """A document without what the server adds, for states whose revision nobody was told."""
    if document is None:
        return None
    return {name: value for name, value in document.items() if name not in ("_rev", "_id")}


def is_content_of(stored: tuple[str, bytes] | None, document: Document) -> bool:
    """Whether a stored document is this one, by whatever revision."""
    return bare(decoded(stored)) == bare(document)


def is_one_of(found: Document | None, states: list[Document | None]) -> bool:
    """Whether this may be what a write without an answer has left."""
    return bare(found) in [bare(state) for state in states]


def is_stranger(stored: tuple[str, bytes] | None, strangers: list[Document | None]) -> bool:
    """Whether this is a document whose insert had no answer, so that nobody knows its key."""
    body = bare(decoded(stored))
    if body is None:
        return False
    body.pop("_key")
    return body in strangers


def acknowledged_by_source(place: str, source: tuple[str, bytes] | None, entry: Entry) -> Iterator[Difference]:
    """What the source acknowledged last has to be on the source at the fence."""
    if "source" not in entry.acknowledged:
        return
    expected, found = entry.acknowledged["source"], decoded(source)
    if found != expected and not is_one_of(found, entry.unknown.get("source", [])):
        yield Difference("lost before the fence", place, shown(expected, found))


def after_opening(
    place: str, source: tuple[str, bytes] | None, target: tuple[str, bytes] | None, entry: Entry, keeps_revisions: bool
) -> Iterator[Difference]:
    """What the target acknowledged last, or an unanswered write, has to be on the target."""
    if "target" not in entry.acknowledged and alike(source, target, keeps_revisions):
        return
    found = decoded(target)
    expected = entry.acknowledged["target"] if "target" in entry.acknowledged else decoded(source)
    if found != expected and not is_one_of(found, entry.unknown.get("target", [])):
        yield Difference("lost after the opening", place, shown(expected, found))
