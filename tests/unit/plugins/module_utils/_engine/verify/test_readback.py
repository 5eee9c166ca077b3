# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading back: no lag and no write in between is ever a difference, and whatever is wrong is found (I5)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding, Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.differences import Differences
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.readback import ReadBack
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.rows import lookup
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.touched import Touched
from tests.unit.plugins.module_utils._engine.verify.two_sides import THINGS, DataPath

KEYS = [f"k{number}" for number in range(6)]


class Case:
    """A reader of one collection; time for confirmation is 0."""

    def __init__(self, directory: Path, *, repair: bool = True, hashed: bool = True) -> None:
        self.path = DataPath()
        self.findings = Findings()
        self.touched = Touched(directory)
        self.differences = Differences(self.findings)
        self.inexact: set[object] = set()
        self.invalidated: list[object] = []
        self.repaired = 0
        self.path.observe(self.touched.note)
        self.path.watched = True
        self.reader = ReadBack(
            self.path.source,
            self.path.target,
            self.path,  # type: ignore[arg-type]
            self.touched,
            self.differences,
            read=lambda front, collection, name, keys, likeness: lookup(
                front, "db", name, keys, hashed and collection not in self.inexact
            ),
            inexact=self.inexact.add,
            needed=lambda collection: True,
            invalidate=self.invalidated.append,
            repaired=self._count,
            confirm_seconds=0.0,
            may_repair=lambda _collection, _name: repair,
        )

    def _count(self, number: int) -> None:
        self.repaired += number

    def note(self, *keys: str) -> None:
        self.touched.note(THINGS, [key.encode() for key in keys])

    def cycles(self, count: int = 4) -> None:
        for _cycle in range(count):
            self.reader.cycle()

    def fill(self) -> None:
        """Documents on both sides, in step."""
        for number, key in enumerate(KEYS[:4]):
            self.path.write(key, number)
        self.path.apply()
        self.cycles(1)

    def codes(self) -> list[tuple[str, Any]]:
        return [(item["code"], item["key"]) for item in self.findings.all()]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = Case(tmp_path)
    made.fill()
    return made


def set_target(key: str, document: tuple[int, int] | None) -> Callable[[DataPath], None]:
    """Damage of one document on the target; None removes it, a revision of 0 keeps the present one."""

    def damage(path: DataPath) -> None:
        if document is None:
            del path.target.documents[key]
        else:
            revision = document[0] or path.target.documents[key][0]
            path.target.documents[key] = (revision, document[1])

    return damage


DAMAGE = {
    "altered": ("k1", set_target("k1", (0, -1))),
    "missing": ("k1", set_target("k1", None)),
    "stale": ("k1", set_target("k1", (1 << 45, 7))),
    "foreign": ("k1", set_target("k1", (1 << 55, 7))),
    "extra": ("k5", set_target("k5", (1 << 45, 7))),
}


@pytest.mark.parametrize("kind", sorted(DAMAGE))
def test_i5_every_kind_of_damage_is_found_and_repaired(case: Case, kind: str) -> None:
    key, damage = DAMAGE[kind]
    damage(case.path)
    case.note(*KEYS)
    case.cycles()
    assert case.path.repairs == [[key]]
    assert case.path.target.documents == case.path.source.documents
    assert case.repaired == 1
    assert case.codes() == [("CUT-VERIFY-3" if kind in ("foreign", "extra") else "CUT-VERIFY-1", key)]
    assert case.touched.empty


@pytest.mark.parametrize("code", ["CUT-DATA-3", "CUT-DATA-4"])
def test_i9_what_the_target_had_refused_is_told_until_it_is_there(case: Case, code: str) -> None:
    """Else whoever has changed the document on the source had to accept a finding that is not true any more."""
    for key in ("k1", "k2"):
        case.findings.report(Finding(code, "error", "db/things", "errorNum 1210", "change it", key))
    set_target("k1", None)(case.path)
    case.note(*KEYS)
    case.cycles()
    assert [item["key"] for item in case.findings.all() if item["code"] == code] == ["k2"]


@pytest.mark.parametrize("kind", sorted(DAMAGE))
def test_i9_without_repair_it_blocks_until_it_is_gone(tmp_path: Path, kind: str) -> None:
    case = Case(tmp_path, repair=False)
    case.fill()
    key, damage = DAMAGE[kind]
    damage(case.path)
    case.note(*KEYS)
    case.cycles()
    assert [(item["code"], item["severity"]) for item in case.findings.all()] == [("CUT-VERIFY-2", "error")]
    assert case.path.repairs == []
    assert not case.touched.empty
    case.path.repair(THINGS, [key.encode()])
    case.cycles(1)
    assert case.codes() == []
    assert case.touched.empty


def test_i9_repairs_that_do_not_help_end_in_a_finding(case: Case) -> None:
    case.path.repairing = False
    DAMAGE["altered"][1](case.path)
    case.note("k1")
    case.cycles(12)
    assert len(case.path.repairs) == 3
    assert case.codes() == [("CUT-VERIFY-2", "k1")]
    assert "3 repairs have not helped" in case.findings.all()[0]["message"]


def test_writes_of_unknown_outcome_repair_themselves_first(case: Case) -> None:
    """They are read back by those who made them; until then nothing is concluded."""
    case.path.in_doubt = True
    DAMAGE["missing"][1](case.path)
    case.note("k1")
    case.cycles(6)
    assert case.path.repairs == []
    assert case.differences.counts() == (1, 0)
    case.path.in_doubt = False
    case.cycles()
    assert case.path.repairs == [["k1"]]


def test_what_could_not_be_applied_is_read_back_later(case: Case) -> None:
    before = case.reader.position
    case.path.write("k1", 9)
    case.path.reachable = False
    assert case.reader.cycle() is False
    assert case.reader.position == before
    assert len(case.differences) == 0
    case.path.reachable = True
    assert case.reader.cycle() is True
    assert case.reader.position != before


def test_a_disturbance_in_between_says_nothing(case: Case) -> None:
    """The shard was copied anew between the two readings."""
    case.path.source.reading = lambda: setattr(case.path, "disturbance", case.path.disturbance + 1)
    DAMAGE["missing"][1](case.path)
    case.note("k1")
    case.cycles()
    assert len(case.differences) == 0
    assert not case.touched.empty


def test_an_error_forgets_nothing(case: Case) -> None:
    def refuse() -> None:
        raise CutoverError("CUT-HTTP-1", "no answer", retriable=True)

    case.path.target.reading = refuse
    case.note("k1")
    with pytest.raises(CutoverError):
        case.reader.cycle()
    case.path.target.reading = lambda: None
    DAMAGE["missing"][1](case.path)
    case.cycles()
    assert case.path.repairs == [["k1"]]


def test_numbers_that_are_printed_alike_are_no_difference(case: Case) -> None:
    """The hashes differ, the documents as JSON do not: the collection goes on by keys and revisions."""
    rows = case.path.target._rows
    case.path.target._rows = lambda keys, query: [  # type: ignore[method-assign]
        f"{row}9" if "HASH" in query else row for row in rows(keys, query)
    ]
    case.note("k1")
    case.cycles(5)
    assert case.inexact == {THINGS}
    assert case.codes() == []
    assert case.touched.empty


@given(st.data())
def test_i5_no_lag_and_no_write_is_ever_a_difference(data: st.DataObject) -> None:
    """Whatever is written between any two readings, and however much of it has arrived."""


    def meddle() -> None:
        for _write in range(data.draw(st.integers(0, 3))):
            key = data.draw(st.sampled_from(KEYS))
            case.path.write(key, data.draw(st.one_of(st.none(), st.integers(0, 3))))
        case.path.apply(data.draw(st.integers(0, 4)))

    with tempfile.TemporaryDirectory() as directory:
        case = Case(Path(directory))
        case.fill()
        case.path.source.reading = case.path.target.reading = meddle
        for _cycle in range(5):
            case.note(*KEYS)
            case.reader.cycle()
        assert case.path.repairs == []
        assert case.codes() == []


@given(st.data())
def test_i5_damage_is_found_under_any_writes_to_other_keys(data: st.DataObject) -> None:
    """And nothing else is."""


    def meddle() -> None:
        for _write in range(data.draw(st.integers(0, 3))):
            key = data.draw(st.sampled_from([key for key in KEYS if key != damaged]))
            case.path.write(key, data.draw(st.one_of(st.none(), st.integers(0, 3))))
        case.path.apply(data.draw(st.integers(0, 4)))

    damaged, damage = DAMAGE[data.draw(st.sampled_from(sorted(DAMAGE)))]
    with tempfile.TemporaryDirectory() as directory:
        case = Case(Path(directory))
        case.fill()
        damage(case.path)
        case.path.source.reading = case.path.target.reading = meddle
        case.note(*KEYS)
        case.cycles(5)
        assert {key for keys in case.path.repairs for key in keys} == {damaged}
