# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sweeping: what the source lacks goes, what is written meanwhile stays, one pass serves all who wait."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.sweep import Sweeper
from tests.unit.plugins.module_utils._engine.fake_target import PLAN, Bench, FakeTarget


class FakeReader:
    """Keys and revisions of one side; ``during`` runs before each page is given."""

    def __init__(self, documents: dict[str, str]) -> None:
        self.documents = documents
        self.passes = 0
        self.during = lambda: None

    def revisions(self, database: str, collection: str, keys: Sequence[str]) -> dict[str, list[str]]:
        return {key: [self.documents[key]] for key in keys if key in self.documents}

    def keys(self, database: str, collection: str) -> Iterator[list[tuple[str, str]]]:
        self.passes += 1
        self.during()
        yield list(self.documents.items())


def sweeper_of(bench: Bench, source: FakeReader, target: FakeReader) -> Sweeper:
    return Sweeper(source, target, bench.writer, bench.units.refuse, bench.patience, 100)  # type: ignore[arg-type]


def fill(target: FakeTarget, documents: dict[str, str]) -> FakeReader:
    for key, revision in documents.items():
        target.documents[key] = json.dumps({"_key": key, "_rev": revision}).encode()
    return FakeReader(dict(documents))


SIDES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["_A", "_B", "_C"]))


@given(source=SIDES, target=SIDES)
def test_only_what_the_source_lacks_is_removed(source: dict[str, str], target: dict[str, str]) -> None:
    bench = Bench(FakeTarget())
    reader = fill(bench.target, target)
    sweeper_of(bench, FakeReader(source), reader).sweep(PLAN)
    assert set(bench.target.documents) == set(target) & set(source)
    assert bench.notes.noted == []
    assert bench.findings == []


@given(source=SIDES, target=SIDES)
def test_after_a_truncate_old_revisions_go_too(source: dict[str, str], target: dict[str, str]) -> None:
    bench = Bench(FakeTarget())
    reader = fill(bench.target, target)
    sweeper_of(bench, FakeReader(source), reader).sweep(PLAN, truncated=True)
    assert set(bench.target.documents) == {key for key in target if source.get(key) == target[key]}


def test_what_is_written_after_it_was_listed_stays() -> None:
    bench = Bench(FakeTarget())
    reader = fill(bench.target, {"k": "_A", "gone": "_A"})
    bench.target.documents["k"] = b'{"_key":"k","_rev":"_B"}'
    sweeper_of(bench, FakeReader({}), reader).sweep(PLAN)
    assert list(bench.target.documents) == ["k"]
    assert bench.findings == []


@given(source=SIDES, target=SIDES)
def test_differing_revisions_are_named(source: dict[str, str], target: dict[str, str]) -> None:
    bench = Bench(FakeTarget())
    differing: list[bytes] = []
    sweeper_of(bench, FakeReader(source), fill(bench.target, target)).compare(PLAN, differing.extend)
    assert {key.decode() for key in differing} == {key for key in source if target.get(key) != source[key]}


def test_one_pass_serves_all_that_wait_for_it() -> None:
    bench = Bench(FakeTarget())
    reader = fill(bench.target, {"k": "_A"})
    started, go_on = threading.Event(), threading.Event()

    def during() -> None:
        started.set()
        go_on.wait(10)

    reader.during = during
    sweeper = sweeper_of(bench, FakeReader({}), reader)
    threads = [threading.Thread(target=sweeper.sweep, args=(PLAN,)) for _ in range(6)]
    threads[0].start()
    assert started.wait(10)
    for thread in threads[1:]:
        thread.start()
    threading.Event().wait(0.1)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert reader.passes == 2, "the running pass began too early for the others; the next one serves all of them"


def test_a_pass_that_failed_serves_nobody() -> None:
    bench = Bench(FakeTarget())
    reader = fill(bench.target, {"k": "_A"})
    failures = [RuntimeError("lost")]

    def during() -> None:
        if failures:
            raise failures.pop()

    reader.during = during
    sweeper = sweeper_of(bench, FakeReader({}), reader)
    with contextlib.suppress(RuntimeError):
        sweeper.sweep(PLAN)
    assert list(bench.target.documents) == ["k"]
    sweeper.sweep(PLAN)
    assert bench.target.documents == {}


class Contents:
    """One side as documents; revisions are each side's own."""

    def __init__(self, documents: Mapping[str, str], revision: str) -> None:
        self.found = {key: {"_key": key, "_rev": revision, "v": value} for key, value in documents.items()}

    def documents(self, _database: str, _collection: str, keys: Sequence[str]) -> Iterator[list[Mapping[str, Any]]]:
        yield [self.found[key] for key in keys if key in self.found]

    def all_documents(self, _database: str, _collection: str) -> Iterator[list[Mapping[str, Any]]]:
        yield list(self.found.values())


@given(source=SIDES, target=SIDES, truncated=st.booleans())
def test_where_revisions_are_made_anew_contents_decide(
    source: dict[str, str], target: dict[str, str], truncated: bool
) -> None:
    """Removes name the target's own revisions all the same."""
    bench = Bench(FakeTarget())
    for key, document in Contents(target, "_target").found.items():
        bench.target.documents[key] = json.dumps(document).encode()
    plan = replace(PLAN, likeness=Likeness.CONTENT)
    sides: Any = (Contents(source, "_source"), Contents(target, "_target"))
    sweeper = Sweeper(*sides, bench.writer, bench.units.refuse, bench.patience, 100)
    sweeper.sweep(plan, truncated=truncated)
    kept = {key for key in target if key in source and (not truncated or source[key] == target[key])}
    assert set(bench.target.documents) == kept
