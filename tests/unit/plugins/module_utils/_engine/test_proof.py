# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proof finds every difference, never opens on counts, and copes with versions that hash differently."""

from __future__ import annotations

import time
import zlib
from functools import partial
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import proof
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.aql import canonical
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.proof import Subject
from tests.unit.control_fakes import HandClocks
from tests.unit.front_fake import FakeFront

Documents = dict[str, dict[str, Any]]
BATCH = 2


def documents(count: int, prefix: str = "k") -> Documents:
    """Some documents by key."""
    return {f"{prefix}{i}": {"_key": f"{prefix}{i}", "_rev": f"_r{i}", "n": i, "f": 0.5} for i in range(count)}


class Side(FakeFront):
    """A cluster with collections; ``seed`` is its version's hash."""

    def __init__(self, collections: dict[str, Documents], seed: int = 0) -> None:
        super().__init__()
        self.collections = collections
        self.seed = seed
        self._cursors: dict[str, list[Any]] = {}
        self.on("GET db /_api/collection/(.+)/count", lambda name, **_o: {"count": len(collections[name])})
        self.on("GET db /_api/collection/(.+)/checksum", self._checksum)
        self.on("POST db /_api/cursor", self._query)
        self.on("POST db /_api/cursor/(.+)", self._more)
        self.on("DELETE db /_api/cursor/(.+)", lambda cursor, **_o: self._cursors.pop(cursor))
        self.on("PUT db /_api/document/(.+)", self._read)

    def _checksum(self, name: str, query: dict[str, object], **_options: Any) -> dict[str, Any]:
        assert query["withData"] is True
        total = self.seed if self.collections[name] else 0
        for document in self.collections[name].values():
            hashed = document if query["withRevisions"] else {**document, "_rev": None}
            total ^= zlib.crc32(canonical(hashed).encode())
        return {"checksum": str(total)}

    def _query(self, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        binds = body["bindVars"]
        rows: list[Any] = list(self.collections[binds["@c"]].values())
        if "keys" in binds:
            return {"result": [row["_key"] for row in rows if row["_key"] in binds["keys"]], "hasMore": False}
        self._cursors["7"] = rows[BATCH:]
        return {"result": rows[:BATCH], "hasMore": len(rows) > BATCH, "id": "7"}

    def _more(self, cursor: str, **_options: Any) -> dict[str, Any]:
        rows = self._cursors[cursor]
        self._cursors[cursor] = rows[BATCH:]
        return {"result": rows[:BATCH], "hasMore": len(rows) > BATCH, "id": cursor}

    def _read(self, name: str, body: list[str], **_options: Any) -> list[Any]:
        missing = {"error": True, "errorNum": 1202}
        return [self.collections[name].get(key, missing) for key in body]


def prove(
    source: Side, target: Side, likeness: Likeness = Likeness.REVISION, **options: Any
) -> proof.Result:
    """All collections of the source."""
    subjects = [Subject("db", name, likeness) for name in source.collections]
    return proof.prove(source, target, subjects, Deadline(30.0), **options)


def pair(seed: int = 0) -> tuple[Side, Side]:
    """Two equal clusters."""
    content = {"small": 3, "large": 9, "empty": 0}
    return (
        Side({name: documents(count) for name, count in content.items()}),
        Side({name: documents(count) for name, count in content.items()}, seed),
    )


@pytest.mark.parametrize("alike", [False, True])
def test_equal_clusters(alike: bool) -> None:
    """By checksums, and the bodies of the smallest collection."""
    result = prove(*pair(), alike=alike)
    assert result.proved
    assert (result.hashes_alike, result.documents) == (True, 12)
    assert result.methods["db/large"] == proof.CHECKSUMS
    assert result.methods["db/small"] == proof.BODIES


@pytest.mark.parametrize("alike", [False, True])
def test_versions_that_hash_differently(alike: bool) -> None:
    """All bodies are compared then."""
    source, target = pair(seed=99)
    result = prove(source, target, alike=alike)
    assert result.proved
    assert result.hashes_alike is False
    assert result.methods["db/large"] == proof.BODIES


@pytest.mark.parametrize("seed", [0, 99])
@pytest.mark.parametrize("alike", [False, True])
def test_i5_where_revisions_are_made_anew_contents_are_proved(seed: int, alike: bool) -> None:
    """Other revisions are no difference, other contents are one."""
    source, target = pair(seed)
    for found in target.collections.values():
        for number, document in enumerate(found.values()):
            document["_rev"] = f"_own{number}"
    result = prove(source, target, Likeness.CONTENT, alike=alike)
    assert result.proved, result.differences
    assert result.methods["db/large"] == (proof.BODIES if seed else proof.DATA_CHECKSUMS)
    target.collections["large"]["k1"]["n"] = "confidential"
    result = prove(source, target, Likeness.CONTENT, alike=alike)
    assert result.differences == ["db/large key k1: differs in n"]
    accepted = {Subject("db", "large"): {"k1": 0}}
    assert prove(source, target, Likeness.CONTENT, alike=alike, accepted=accepted).proved


@pytest.mark.parametrize("seed", [0, 99])
@pytest.mark.parametrize("name", ["small", "large"])
@pytest.mark.parametrize("field", ["n", "_rev", "f"])
def test_i5_one_altered_document_is_found(seed: int, name: str, field: str) -> None:
    """Counts are equal; its key and the attribute's name are told, not the value."""
    source, target = pair(seed)
    target.collections[name]["k1"][field] = "confidential"
    result = prove(source, target)
    assert not result.proved
    assert result.differences == [f"db/{name} key k1: differs in {field}"]
    assert result.differing == {Subject("db", name)}


@pytest.mark.parametrize("seed", [0, 99])
def test_i5_another_key_with_equal_counts_is_found(seed: int) -> None:
    """One document is missing, another one is too many."""
    source, target = pair(seed)
    del target.collections["large"]["k3"]
    target.collections["large"].update(documents(1, "foreign"))
    result = prove(source, target)
    assert result.differences == ["db/large key k3: not on the target"]


def test_i5_counts_that_differ_are_told_without_reading_more() -> None:
    """It is cheap to know."""
    source, target = pair()
    del target.collections["large"]["k3"]
    result = prove(source, target)
    assert result.differences == ["db/large: 9 documents on the source, 8 on the target"]
    assert result.differing == {Subject("db", "large")}
    assert target.lines("checksum") == []


def test_large_numbers_and_texts_are_compared_exactly() -> None:
    """2^53 and its neighbour, 1 and true, are not the same."""
    source, target = pair(seed=99)
    source.collections["small"]["k1"]["n"] = 2**53
    target.collections["small"]["k1"]["n"] = 2**53 + 1
    source.collections["large"]["k1"]["n"] = 1
    target.collections["large"]["k1"]["n"] = True
    assert len(prove(source, target).differences) == 2


def test_the_deadline_is_kept() -> None:
    """An expired one asks nobody."""
    source, target = pair()
    with pytest.raises(CutoverError) as ended:
        proof.prove(source, target, [Subject("db", "small")], Deadline(0.0))
    assert ended.value.code == "CUT-CUTOVER-1"
    assert source.asked == []


def test_the_number_of_differences_is_bounded() -> None:
    """Everything differs: the first ones are enough."""
    source, target = Side({"c": documents(100)}), Side({"c": documents(100)}, 1)
    for document in target.collections["c"].values():
        document["n"] = -1
    result = prove(source, target)
    assert 0 < len(result.differences) <= 21
    assert source._cursors == {}
    assert result.document()["collections"] == 1


def test_measuring_compares_nothing() -> None:
    """It only reads the checksums of both sides."""
    source, target = pair()
    subjects = [Subject("db", name) for name in source.collections]
    assert proof.measure(source, target, subjects, Deadline(10.0)) >= 0
    assert len(source.lines("checksum")) == len(target.lines("checksum")) == 3


@pytest.mark.parametrize("alike", [False, True])
def test_without_a_budget_counts_are_what_is_proved(alike: bool) -> None:
    """And the report says what everything else rests on."""
    source, target = pair()
    result = prove(source, target, alike=alike, seconds=0.0)
    assert result.proved
    assert result.covered == 0
    assert result.methods["db/large"] == result.methods["db/small"] == proof.ROUNDS
    assert source.lines("checksum") == source.lines("cursor") == []


@pytest.mark.parametrize("seed", [0, 99])
def test_i5_counts_are_mandatory_whatever_the_budget(seed: int) -> None:
    source, target = pair(seed)
    del target.collections["large"]["k3"]
    assert not prove(source, target, seconds=0.0).proved


def test_i5_where_checksums_differ_documents_are_compared_whatever_it_costs() -> None:
    """The budget ends while the checksums are read; what they say is followed."""
    source, target = pair()
    target.collections["large"]["k1"]["n"] = -1

    def slow(name: str, **options: Any) -> list[Any]:
        time.sleep(0.1 if name == "large" else 0.0)
        return target._read(name, **options)

    target.on("PUT db /_api/document/(.+)", slow)
    result = prove(source, target, alike=True, seconds=0.2)
    assert [text for text in result.differences if "key k1" in text] == ["db/large key k1: differs in n"]


def _slow_documents(target: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget ends while the documents of the smallest collection are compared, which comes after its checksums."""
    clocks: Any = HandClocks()

    def slow(name: str, **options: Any) -> list[Any]:
        clocks.pass_by(2.0)
        return target._read(name, **options)

    target.on("PUT db /_api/document/(.+)", slow)
    monkeypatch.setattr(proof, "Deadline", partial(Deadline, clock=clocks))


@pytest.mark.parametrize("seed", [0, 99])
def test_i5_a_difference_of_the_probe_is_not_taken_for_another_way_of_hashing(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Of servers of one version checksums that differ are explained, though the budget is over."""
    source, target = pair(seed)
    _slow_documents(target, monkeypatch)
    target.collections["small"]["k2"]["n"] = -1
    assert "db/small key k2: differs in n" in prove(source, target, alike=True, seconds=1.0, width=1).differences
    target.collections["small"]["k2"]["n"] = 2
    result = prove(source, target, alike=True, seconds=1.0, width=1)
    assert result.proved
    assert result.hashes_alike is (seed == 0)


@pytest.mark.parametrize("alike", [False, True])
def test_i9_what_checksums_say_nothing_about_is_named(monkeypatch: pytest.MonkeyPatch, alike: bool) -> None:
    """Both sides may hash unlike, and there is no time for the documents: what is opened rests on the rounds."""
    source, target = pair(seed=99)
    _slow_documents(target, monkeypatch)
    result = prove(source, target, alike=alike, seconds=1.0, width=1)
    document = result.document()
    if alike:
        assert (result.methods["db/small"], result.methods["db/large"]) == (proof.BODIES, proof.UNLIKE)
        assert document["not_verified_by_checksums"] == ["db/large"]
    else:
        assert result.methods["db/small"] == result.methods["db/large"] == proof.UNKNOWN
        assert document["not_verified_by_checksums"] == ["db/large", "db/small"]
    assert document["hashes_alike"] is (False if alike else None)
    assert all(text.startswith("not verified by checksums") for text in (proof.UNLIKE, proof.UNKNOWN, proof.ROUNDS))


def test_i9_what_there_was_no_time_for_is_named() -> None:
    assert prove(*pair()).document()["not_verified_by_checksums"] == []
    assert prove(*pair(), seconds=0.0).document()["not_verified_by_checksums"] == ["db/large", "db/small"]


def test_equal_checksums_are_enough_where_there_is_no_time_for_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = pair()
    _slow_documents(target, monkeypatch)
    result = prove(source, target, seconds=1.0, width=1)
    assert result.methods["db/small"] == proof.CHECKSUMS


@pytest.mark.parametrize("name", ["small", "large"])
def test_i5_checksums_that_differ_without_a_reason_prevent_the_opening(name: str) -> None:
    """Those of another collection are equal: both sides hash alike, and yet no document shows what differs."""
    source, target = pair()

    def odd(asked: str, **options: Any) -> dict[str, Any]:
        found = target._checksum(asked, **options)
        return {"checksum": found["checksum"] + "1"} if asked == name else found

    target.on("GET db /_api/collection/(.+)/checksum", odd)
    result = prove(source, target, alike=True)
    assert result.differences == [f"db/{name}: the checksums differ, but no document could be found that does"]
    assert result.hashes_alike is True


def test_what_is_risky_is_looked_at_first() -> None:
    source, target = pair()
    for side in (source, target):
        side.collections["middle"] = documents(5)
    prove(source, target, alike=True, risky={Subject("db", "middle")}, width=1)
    assert "middle" in source.lines("checksum")[0]


def test_what_cannot_end_in_time_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server would go on computing though nobody waits for it."""
    monkeypatch.setattr(proof, "_FASTEST", 5.0)
    source, target = pair()
    result = prove(source, target, alike=True, seconds=1.0)
    assert result.methods["db/large"] == proof.ROUNDS
    assert result.methods["db/small"] == proof.BODIES
    assert (result.documents, result.covered) == (12, 3)


@pytest.mark.parametrize(("what", "more"), [("missing", 1), ("extra", -1), ("altered", 0)])
def test_i9_accepted_documents_may_differ_and_no_others(what: str, more: int) -> None:
    """By key, and with the very difference that was accepted."""
    source, target = pair()
    large = target.collections["large"]
    if what == "missing":
        del large["k3"]
    elif what == "extra":
        large["k3x"] = {"_key": "k3x", "_rev": "_x"}
    else:
        large["k3"]["n"] = -1
    key = "k3x" if what == "extra" else "k3"
    accepted = {Subject("db", "large"): {key: more}}
    assert not prove(source, target).proved
    assert prove(source, target, accepted=accepted).proved
    assert not prove(source, target, accepted={Subject("db", "small"): {key: more}}).proved
    large["k4"]["n"] = -1
    found = prove(source, target, accepted=accepted).differences
    assert found == ["db/large key k4: differs in n"]


def test_i9_an_accepted_document_does_not_make_up_for_another_one() -> None:
    """The accepted one has gone from the target and another one has come: the counts differ by as much as before."""
    source, target = pair()
    accepted = {Subject("db", "large"): {"k3x": -1}}
    target.collections["large"]["other"] = {"_key": "other", "_rev": "_x"}
    assert prove(source, target, accepted=accepted).differences == [
        "db/large: 9 documents on the source, 10 on the target, without 0 and 0 accepted ones"
    ]


def test_i9_a_document_that_differs_in_another_way_than_accepted_is_a_difference() -> None:
    """It was missing on the target, and is something else there now."""
    source, target = pair()
    target.collections["large"]["k3"]["n"] = -1
    found = prove(source, target, accepted={Subject("db", "large"): {"k3": 1}}).differences
    assert found == ["db/large key k3: not the difference that was accepted"]


def test_i9_many_accepted_documents_hide_no_other_one() -> None:
    """More than are told of differ as accepted; what comes after them is looked at all the same."""
    source, target = Side({"c": documents(60)}), Side({"c": documents(60)})
    for number in range(40):
        target.collections["c"][f"k{number}"]["n"] = -1
    accepted = {Subject("db", "c"): {f"k{number}": 0 for number in range(40)}}
    assert prove(source, target, accepted=accepted).proved
    target.collections["c"]["k57"]["n"] = -1
    assert prove(source, target, accepted=accepted).differences == ["db/c key k57: differs in n"]
