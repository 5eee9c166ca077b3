# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Largest generated keys, and what is done on a target whose next ones are smaller (facts §3.4)."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError, CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import keys
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.inventory import CollectionDef, DatabaseDef
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.key_guard import MOST_BURNED, KeyGuard
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.key_question import KeyQuestion
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.keys import LargestKeys
from tests.unit.control_fakes import HandClocks

WHERE = ("shop", "10")


def test_what_looks_generated() -> None:
    """Decimal numbers, sixteen hexadecimal digits; nothing else."""
    assert [keys.decimal(key) for key in ("17", "x17", "", "1_7", "\uff11", "9" * 20)] == [17, 0, 0, 0, 0, 0]
    assert [keys.padded(key) for key in ("00000000000000ff", "ff", "g" * 16, "0x000000000000ff")] == [255, 0, 0, 0]


@given(st.lists(st.integers(0, 10**18), max_size=20), st.lists(st.integers(0, 10**18), max_size=20))
def test_the_largest_of_rows_and_of_the_log(read: list[int], written: list[int]) -> None:
    """Whichever way a key was seen."""
    found = LargestKeys()
    found.rows(WHERE, [f"{number}/_rev" for number in read] + ["name/_rev"])
    found.written(WHERE, {str(number).encode() for number in written} | {b"\xff"})
    assert found.largest(WHERE, is_padded=False) == max([0, *read, *written])


def test_a_restart_knows_them_still(tmp_path: Path) -> None:
    """What is covered is not read again."""
    found = LargestKeys(tmp_path / "keys.json")
    found.rows(WHERE, ["12/r", "00000000000000ff/r"])
    found.save()
    again = LargestKeys(tmp_path / "keys.json")
    assert (again.largest(WHERE, is_padded=False), again.largest(WHERE, is_padded=True)) == (12, 255)


class FakeTarget:
    """One coordinator with a counter; it may know restored keys, and may be able to reserve ids."""

    label = "target"

    def __init__(self, counter: int, *, tracks: bool = False, reserves: bool = False) -> None:
        self.counter = counter
        self.tracks = tracks
        self.reserves = reserves
        self.collections: set[str] = set()
        self.lost_creations = 0
        self.documents = 0
        self.errors: list[int] = []
        self.restored = -1
        self.reserved = 0

    def each(self) -> list[FakeTarget]:
        return [self]

    def json(self, method: str, path: str, **options: Any) -> Any:
        if path == "/_admin/cluster/uniqId":
            if not self.reserves:
                raise _refused(404)
            number = options["query"]["number"]
            self.reserved += 1
            self.counter += number
            return {"smallest": self.counter - number, "largest": self.counter - 1}
        if path == "/_api/collection":
            name = options["body"]["name"]
            if name in self.collections or self.lost_creations:
                self.lost_creations = max(0, self.lost_creations - 1)
                self.collections.add(name)
                raise _refused(409, 1207)
            self.collections.add(name)
            return {}
        if method == "DELETE":
            name = path.rpartition("/")[2]
            if name not in self.collections:
                raise _refused(404)
            self.collections.remove(name)
            return {}
        if self.errors:
            return [{"error": True, "errorNum": self.errors.pop(0), "errorMessage": "no"}]
        return [self._made() for _document in options["body"]]

    def _made(self) -> dict[str, Any]:
        """The next id; where it is that of the restored key, it is used up all the same."""
        self.documents += 1
        self.counter += 1
        if self.counter - 1 == self.restored:
            return {"error": True, "errorNum": 1210, "errorMessage": "unique constraint violated"}
        return {"_key": str(self.counter - 1)}

    def request(self, _method: str, _path: str, **options: Any) -> None:
        self.restored = int(json.loads(options["body"])["_key"])
        if self.tracks:
            self.counter = max(self.counter, self.restored + 1)


def _refused(status: int, number: int = 0) -> ArangoError:
    return ArangoError("CUT-ARANGO-5", "no", status=status, error_num=number, method="", url="", kind="operator",
                       from_arangodb=True)  # fmt: skip


def guard(
    target: FakeTarget,
    found: LargestKeys,
    *,
    version: tuple[int, ...] = (3, 11, 0),
    accepted: dict[str, str] | None = None,
) -> KeyGuard:
    """Of a world with this target."""
    world: Any = SimpleNamespace(
        target=target,
        target_version=version,
        journal=SimpleNamespace(collection="_cutover"),
        lease=SimpleNamespace(check=lambda: None),
        spec=SimpleNamespace(accepted=accepted or {}),
    )
    return KeyGuard(world, found, threading.Event())


def source(**parameters: Any) -> dict[str, DatabaseDef]:
    """An inventory of one collection of two shards."""
    made = CollectionDef("things", "10", parameters, {}, {"s1": ("a",), "s2": ("b",)}, True, True)
    return {"shop": DatabaseDef("shop", "1", {}, {"things": made}, {}, {})}


def largest(number: int) -> LargestKeys:
    """One migrated key."""
    found = LargestKeys()
    found.rows(WHERE, [f"{number}/r"])
    return found


@pytest.mark.parametrize(
    ("target", "number", "version", "how"),
    [
        (FakeTarget(10), 0, (3, 11, 0), None),
        (FakeTarget(10_000), 500, (3, 11, 0), "the next key is"),
        (FakeTarget(10, tracks=True), 500_000_000, (3, 11, 0), "goes on above restored keys"),
        (FakeTarget(10, reserves=True), 500_000_000, (3, 12, 5), "were reserved"),
        (FakeTarget(10), 30_000, (3, 11, 0), "were used up"),
        *((FakeTarget(10), number, (3, 11, 0), "were used up") for number in range(1005, 1025)),  # about our own key
        (FakeTarget(10), 30_000, (3, 12, 5), "were used up"),
    ],
)
def test_what_makes_new_keys_safe(target: FakeTarget, number: int, version: tuple[int, ...], how: str | None) -> None:
    """And nothing is left behind."""
    answer = guard(target, largest(number), version=version).examine(source(), Deadline(10.0))
    assert answer.text is None
    assert (how is None) == (answer.how == {})
    assert how is None or how in answer.how["several shards"]
    assert target.tracks or target.counter > number
    assert target.collections == set()


@pytest.mark.parametrize(("number", "passes"), [(1478, True), (1429, True), (1620, False)])
def test_a_document_that_is_refused_is_told_and_tried_again_where_that_helps(number: int, passes: bool) -> None:
    """A bulk insert answers 201 all the same: the error stands in its place (facts §7.5)."""
    target = FakeTarget(10)
    target.errors = [number]
    with pytest.raises(CutoverError) as caught:
        guard(target, largest(30_000)).examine(source(), Deadline(10.0))
    assert (caught.value.retriable, str(number) in caught.value.message) == (passes, True)
    assert target.collections == set()


@pytest.mark.parametrize(("lost", "fine"), [(1, True), (2, True), (3, False)])
def test_a_creation_whose_answer_was_lost_is_made_again(lost: int, fine: bool) -> None:
    """Its repetition is told that the name is there (soak 30081); whose it is nobody can tell, so it is dropped."""
    target = FakeTarget(10)
    target.lost_creations = lost
    trying = guard(target, largest(30_000))
    if fine:
        assert trying.examine(source(), Deadline(10.0)).text is None
    else:
        with pytest.raises(CutoverError, match="again and again") as caught:
            trying.examine(source(), Deadline(10.0))
        assert caught.value.retriable
    assert target.collections == set()


@pytest.mark.parametrize(("retriable", "seconds"), [(True, 5.0), (False, 60.0)])
def test_keys_that_could_not_be_tried_are_tried_again(retriable: bool, seconds: float) -> None:
    """Whatever refused it may be put right, or was a late request of our own: the gate is never shut for good."""
    clocks = HandClocks()

    def refuse(*_question: object) -> None:
        raise CutoverError("CUT-ARANGO-6", "duplicate name", retriable=retriable)

    refusing: Any = SimpleNamespace(examine=refuse)
    question = KeyQuestion(refusing, clocks, 1.0)
    assert question.due()
    question.examine(source(), Deadline(1.0))
    assert "duplicate name" in (question.text or "")
    clocks.pass_by(seconds - 1)
    assert not question.due()
    clocks.pass_by(1)
    assert question.due()
    question.guard = guard(FakeTarget(10), largest(0))
    question.examine(source(), Deadline(1.0))
    assert question.text is None
    clocks.pass_by(100)
    assert not question.due()


def test_a_trial_that_could_not_be_cleaned_up_is_made_again() -> None:
    """It had found out what the target gives out next, and not yet how that is safe."""
    target = FakeTarget(5_000)
    asked = guard(target, largest(9))
    real, refusals = target.json, [True, False]

    def json(method: str, path: str, **options: Any) -> Any:
        if method == "DELETE" and target.documents and refusals.pop(0):
            raise _refused(409, 1200)
        return real(method, path, **options)

    target.json = json  # type: ignore[method-assign]
    with pytest.raises(ArangoError):
        asked.examine(source(), Deadline(10.0))
    refusals[:] = [False] * 9
    assert asked.examine(source(), Deadline(10.0)).text is None


def test_too_many_ids_are_not_used_up() -> None:
    """The question goes to the operator, with both figures; an accepted one is no question."""
    target = FakeTarget(10)
    number = MOST_BURNED * 2
    answer = guard(target, largest(number)).examine(source(), Deadline(10.0))
    assert answer.open == ["shop/things"]
    assert answer.text is not None
    assert str(number) in answer.text
    assert target.documents < 1000
    for name in ("CUT-KEYS-1", "features-generated-keys"):
        answer = guard(target, largest(number), accepted={name: "why not"}).examine(source(), Deadline(10.0))
        assert (answer.text, answer.accepted) == (None, "why not")


def test_what_was_seen_once_costs_nothing_again() -> None:
    """The last look is made while the source is fenced; only larger keys make it act."""
    target, found = FakeTarget(10), largest(5000)
    watching = guard(target, found)
    watching.examine(source(), Deadline(10.0))
    before = target.documents
    assert watching.examine(source(), Deadline(10.0)).text is None
    assert target.documents == before
    found.rows(WHERE, [f"{target.counter + 10}/r"])
    assert watching.examine(source(), Deadline(10.0)).text is None
    assert target.counter > found.largest(WHERE, is_padded=False)


def test_random_keys_are_no_question() -> None:
    """Whatever numbers an application gives itself."""
    target = FakeTarget(10)
    answer = guard(target, largest(10**12)).examine(source(keyOptions={"type": "uuid"}), Deadline(10.0))
    assert (answer.how, answer.open, target.documents) == ({}, [], 0)


def test_padded_keys_are_read_as_such() -> None:
    """Sixteen hexadecimal digits of the same ids."""
    target, found = FakeTarget(10), LargestKeys()
    found.rows(WHERE, [f"{4000:016x}/r", "99999999/r"])
    answer = guard(target, found).examine(source(keyOptions={"type": "padded"}), Deadline(10.0))
    assert (answer.largest, answer.text) == (4000, None)
    assert 4000 < target.counter < 99_999_999
