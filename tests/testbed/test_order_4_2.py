# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order of documents in snapshots, and how they are taken in pieces (facts §4.2, §4.3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.testbed import hlc
from tests.testbed.snapshots import Documents, ordered

REVISIONS = st.integers(min_value=1 << 60, max_value=(1 << 64) - 1).map(hlc.encode) | st.text(
    st.characters(exclude_characters="\0", codec="utf-8"), max_size=12
)


@given(st.lists(REVISIONS, unique=True, max_size=30), st.booleans())
def test_documents_come_by_revision(revisions: list[str], sort: bool) -> None:
    if sort:
        revisions.sort(key=hlc.sort_key)
    docs = {revision: revision.encode() for revision in revisions}
    expected = sorted(docs, key=hlc.sort_key)
    assert ordered(docs) == [revision.encode() for revision in expected]
    assert hlc.is_ordered(revisions) == (list(map(hlc.sort_key, revisions)) == list(map(hlc.sort_key, expected)))


@given(st.lists(REVISIONS.filter(bool), max_size=20))
def test_equal_revisions_with_serial_numbers_keep_their_order(revisions: list[str]) -> None:
    docs = {f"{revision}\0{serial}": b"%d" % serial for serial, revision in enumerate(revisions)}
    serials = sorted(range(len(revisions)), key=lambda serial: hlc.sort_key(revisions[serial]))
    assert ordered(docs) == [b"%d" % serial for serial in serials]


def test_the_order_is_seen_across_portions() -> None:
    revisions = [hlc.encode((1 << 62) + number) for number in range(25_000)]
    assert hlc.is_ordered(revisions)
    revisions[10_000], revisions[9_999] = revisions[9_999], revisions[10_000]
    assert not hlc.is_ordered(revisions)


@given(st.integers(1, 4000), st.integers(1, 60_000), st.integers(1, 3000), st.integers(1, 40))
def test_a_piece_ends_with_the_document_that_reaches_the_size(number: int, size: int, limit: int, length: int) -> None:
    documents = Documents({hlc.encode((1 << 62) + index): b"x" * (index % length + 1) for index in range(number)})
    taken = 0
    while not documents.done:
        piece = documents.take(size, limit)
        taken += len(piece)
        assert 1 <= len(piece) <= limit
        assert sum(map(len, piece[:-1])) < size
        assert documents.done or len(piece) == limit or sum(map(len, piece)) >= size
    assert taken == number
