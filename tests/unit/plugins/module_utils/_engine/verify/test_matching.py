# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What remains of two streams is what is on one side only, in bounded memory (I8)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify import matching as module
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.matching import SOURCE, TARGET, Matching

ROWS = st.dictionaries(st.integers(0, 60).map(lambda n: f"k:{n}"), st.integers(0, 3).map(lambda n: f"_r{n}/{n}"))


def rows_of(side: dict[str, str]) -> list[str]:
    return [f"{key}/{rest}" for key, rest in side.items()]


@given(ROWS, ROWS, st.randoms(use_true_random=False), st.integers(1, 200))
def test_i5_leftovers_are_the_keys_that_differ(
    source: dict[str, str], target: dict[str, str], random: object, limit: int
) -> None:
    """In whatever order and portions the rows come, and however often memory is too small."""
    streams = [rows_of(source), rows_of(target)]
    with tempfile.TemporaryDirectory() as directory:
        matching = Matching(Path(directory) / "m", limit)
        for rows in streams:
            random.shuffle(rows)  # type: ignore[attr-defined]
        while any(streams):
            side = random.choice([number for number in (SOURCE, TARGET) if streams[number]])  # type: ignore[attr-defined]
            count = random.randint(1, 9)  # type: ignore[attr-defined]
            matching.add(side, streams[side][:count])
            streams[side] = streams[side][count:]
        found = [key for keys in matching.leftovers() for key in keys]
        matching.close()
        assert not (Path(directory) / "m").exists()
    assert set(found) == {key for key in source.keys() | target.keys() if source.get(key) != target.get(key)}


def test_i8_memory_does_not_grow_with_rows_that_wait(tmp_path: Path) -> None:
    """One side comes first as a whole: what waits goes to disk."""
    matching = Matching(tmp_path / "m", 100)
    rows = [f"k{number}/_r/1" for number in range(3000)]
    for side, some in ((SOURCE, rows), (TARGET, list(reversed(rows)))):
        for start in range(0, len(some), 50):
            matching.add(side, some[start : start + 50])
            assert sum(map(len, matching._open)) <= 150
    sets = list(matching.leftovers())
    assert set().union(*sets) == set()
    matching.close()


def test_a_part_that_is_too_large_is_read_in_several_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PARTS", 2)
    matching = Matching(tmp_path / "m", 10)
    matching.add(SOURCE, [f"k{number}/_r/1" for number in range(400)])
    matching.add(TARGET, [f"k{number}/_r/1" for number in range(1, 401)])
    sets = list(matching.leftovers())
    assert len(sets) > 10
    assert set().union(*sets) == {"k0", "k400"}


def test_what_an_earlier_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "3").write_text('[0, ["old/_r"]]\n')
    assert set().union(*Matching(tmp_path / "m").leftovers()) == set()
