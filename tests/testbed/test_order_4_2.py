# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The order of documents in snapshots, and how they are taken in pieces (facts §4.2, §4.3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.testbed import hlc
from tests.testbed.model import Deployment
from tests.testbed.replica import Replica
from tests.testbed.snapshots import Documents, ordered
from tests.testbed.wal_markers import INSERT

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
        chunk = documents.take(size, limit, before=b"<", after=b">")
        piece = chunk.body[1:-1].split(b"><")
        assert chunk.documents == len(piece)
        taken += len(piece)
        assert 1 <= len(piece) <= limit
        assert sum(map(len, piece[:-1])) < size
        assert documents.done or len(piece) == limit or sum(map(len, piece)) >= size
    assert taken == number


REVISIONS = st.integers((1 << 60), (1 << 60) + 40).map(hlc.encode)
CHANGES = st.lists(st.tuples(st.sampled_from(["apply", "put", "remove", "clear"]), st.lists(REVISIONS, max_size=4)))


@given(CHANGES)
def test_what_counts_as_ordered_is_ordered(changes: list[tuple[str, list[str]]]) -> None:
    """After any writes and removals; a dump of it is the same as one that sorts."""
    deployment = Deployment("order", dbservers=1)
    replica = Replica(deployment.by_role("dbserver")[0], by_revision=True)
    for number, (change, revisions) in enumerate(changes):
        if change == "apply":
            replica.apply([(INSERT, f"k{number}-{index}", revision, revision.encode())
                           for index, revision in enumerate(revisions)])  # fmt: skip
        elif change == "clear":
            replica.clear()
        for index, revision in enumerate(revisions):
            if change == "put":
                replica.put(f"k{index}", revision, revision.encode())
            elif change == "remove":
                replica.remove(f"k{index}")
    assert hlc.is_ordered(list(replica.docs)) or not replica.in_order
    assert Documents.of(replica).take(1 << 40, 1 << 40) == Documents(dict(replica.docs)).take(1 << 40, 1 << 40)


def test_ordinary_writing_stays_ordered() -> None:
    """Otherwise the quick way would never be taken."""
    deployment = Deployment("order", dbservers=1)
    replica = Replica(deployment.by_role("dbserver")[0], by_revision=True)
    revisions = [hlc.encode((1 << 60) + index) for index in range(1000)]
    replica.apply([(INSERT, revision, revision, b"x") for revision in revisions[:500]])
    replica.remove(revisions[7])
    for revision in revisions[500:]:
        replica.put(revision, revision, b"x")
    assert replica.in_order
