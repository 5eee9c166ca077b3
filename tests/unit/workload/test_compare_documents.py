# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The comparison of documents finds each kind of difference, and none where there is none."""

from __future__ import annotations

import json

import pytest

from tests.compare.documents import compare_documents, is_content_of
from tests.compare.side import Stored
from tests.workload.record import Document, Entry


def stored(*documents: Document) -> Stored:
    return {
        doc["_key"]: (doc["_rev"], json.dumps({"_id": f"c/{doc['_key']}", **doc}).encode()) for doc in documents
    }


def doc(key: str, rev: str, **fields: object) -> Document:
    return {"_key": key, "_rev": rev, **fields}


def kinds(
    source: Stored, target: Stored, record: dict[str, Entry] | None = None, keeps_revisions: bool = True
) -> list[str]:
    return [one.kind for one in compare_documents("d/c", source, target, record or {}, keeps_revisions)]


A, B = doc("a", "_1", n=1), doc("b", "_2", n=2)


def test_equal_sides_have_no_difference() -> None:
    assert kinds(stored(A, B), stored(B, A)) == []


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (stored(A), "missing document"),
        (stored(A, B, doc("c", "_3")), "extra document"),
        (stored(A, doc("b", "_9", n=2)), "other revision"),
        (stored(A, doc("b", "_2", n=3)), "other body"),
        (stored(A, doc("b", "_2", n=2.0)), "other body"),
    ],
)
def test_each_planted_difference_is_found(target: Stored, kind: str) -> None:
    assert kinds(stored(A, B), target) == [kind]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (stored(doc("a", "_8", n=1), doc("b", "_9", n=2)), []),
        (stored(doc("a", "_8", n=1)), ["missing document"]),
        (stored(A, B, doc("c", "_3")), ["extra document"]),
        (stored(A, doc("b", "_9", n=3)), ["other body"]),
        (stored(A, doc("b", "_2", n=2.0)), ["other body"]),
    ],
)
def test_where_the_target_makes_revisions_contents_are_compared(target: Stored, found: list[str]) -> None:
    assert kinds(stored(A, B), target, keeps_revisions=False) == found


def test_revisions_that_the_target_made_and_acknowledged_are_compared_all_the_same() -> None:
    newer, unsure = doc("a", "_5", n=7), doc("a", "", n=8)
    acknowledged = {"a": Entry({"source": A, "target": newer})}
    assert kinds(stored(A), stored(newer), acknowledged, keeps_revisions=False) == []
    other = stored(doc("a", "_6", n=7))
    assert kinds(stored(A), other, acknowledged, keeps_revisions=False) == ["lost after the opening"]
    unanswered = {"a": Entry({"source": A}, {"target": [unsure]})}
    for left in (doc("a", "_6", n=1), doc("a", "_6", n=8)):
        assert kinds(stored(A), stored(left), unanswered, keeps_revisions=False) == []
    spoilt = stored(doc("a", "_6", n=9))
    assert kinds(stored(A), spoilt, unanswered, keeps_revisions=False) == ["lost after the opening"]


def test_a_content_is_the_same_by_whatever_revision() -> None:
    assert is_content_of(stored(doc("a", "_8", n=1))["a"], A)
    assert not is_content_of(stored(doc("a", "_1", n=2))["a"], A)
    assert not is_content_of(None, A)


def test_the_source_must_have_what_it_acknowledged() -> None:
    newer = doc("a", "_5", n=7)
    assert kinds(stored(A), stored(A), {"a": Entry({"source": newer})}) == ["lost before the fence"]
    assert kinds(stored(A), stored(A), {"a": Entry({"source": None})}) == ["lost before the fence"]
    assert kinds(stored(newer), stored(newer), {"a": Entry({"source": newer})}) == []


def test_the_target_must_have_what_it_acknowledged() -> None:
    newer = doc("a", "_5", n=7)
    record = {"a": Entry({"source": A, "target": newer})}
    assert kinds(stored(A), stored(newer), record) == []
    assert kinds(stored(A), stored(A), record) == ["lost after the opening"]
    assert kinds(stored(A), {}, {"a": Entry({"source": A, "target": None})}) == []
    assert kinds(stored(A), stored(A), {"a": Entry({"source": A, "target": None})}) == ["lost after the opening"]


def test_an_unknown_outcome_allows_both_states_and_no_third() -> None:
    written = doc("a", "_5", n=7)
    there = {"a": Entry({"source": A}, {"target": [{"_key": "a", "n": 7}]})}
    assert kinds(stored(A), stored(A), there) == []
    assert kinds(stored(A), stored(written), there) == []
    assert kinds(stored(A), stored(doc("a", "_6", n=8)), there) == ["lost after the opening"]


def test_an_unknown_outcome_of_the_source_is_known_from_its_storage() -> None:
    written = doc("a", "_5", n=7)
    here = {"a": Entry({"source": A}, {"source": [{"_key": "a", "n": 7}]})}
    assert kinds(stored(A), stored(A), here) == []
    assert kinds(stored(written), stored(written), here) == []
    assert kinds(stored(A), stored(written), here) == ["other revision"]
    assert kinds(stored(written), stored(A), here) == ["other revision"]
    assert "lost before the fence" in kinds(stored(doc("a", "_6", n=8)), stored(A), here)


def test_an_insert_without_answer_may_be_there_under_any_key() -> None:
    record = {"?1": Entry({}, {"target": [{"hall": "h", "slot": 1}]})}
    assert kinds({}, stored(doc("77", "_5", hall="h", slot=1)), record) == []
    assert kinds({}, stored(doc("77", "_5", hall="h", slot=2)), record) == ["extra document"]
