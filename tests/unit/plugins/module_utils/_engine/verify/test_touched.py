# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys to be read back survive a crash and a small memory; a full disk loses the collection, never the tailer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.touched import Generation, Touched

A, B = ("db", "1"), ("däb", "2")
Keys = dict[tuple[str, str], set[bytes]]


def collect(generation: Generation) -> Keys:
    found: Keys = {}
    for collection, keys in generation.groups():
        found.setdefault(collection, set()).update(keys)
    return found


def test_keys_come_once_in_the_next_generation(tmp_path: Path) -> None:
    touched = Touched(tmp_path)
    touched.note(A, [b"k1", b"k2"])
    touched.note(A, {b"k1"})
    touched.note(B, [b"\xffodd"])
    assert touched.count == 3
    first = touched.take()
    touched.note(A, [b"k3"])
    assert collect(first) == {A: {b"k1", b"k2"}, B: {b"\xffodd"}}
    assert collect(touched.take()) == {A: {b"k3"}}


def test_i8_memory_is_bounded_and_nothing_is_lost(tmp_path: Path) -> None:
    touched = Touched(tmp_path, limit=10)
    for number in range(500):
        touched.note(A if number % 2 else B, [b"k%d" % number])
        assert touched._fresh.in_memory <= 11
    found = collect(touched.take())
    assert {len(keys) for keys in found.values()} == {250}


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("note"), st.integers(0, 20)),
            st.sampled_from([("save", 0), ("crash", 0), ("read back", 0), ("give back", 0)]),
        ),
        max_size=40,
    ),
    st.integers(1, 8),
)
def test_i5_what_was_saved_comes_again_until_it_was_read_back(steps: list[tuple[str, int]], limit: int) -> None:
    """Whenever the process dies: keys on disk are those of a position that a restart passes over."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        touched = Touched(path, limit)
        saved: set[bytes] = set()
        fresh: set[bytes] = set()
        for name, number in steps:
            if name == "note":
                touched.note(A, [b"k%d" % number])
                fresh.add(b"k%d" % number)
            elif name == "save":
                touched.save()
                saved, fresh = saved | fresh, set()
            elif name == "crash":
                touched, fresh = Touched(path, limit), set()
            else:
                generation = touched.take()
                found = collect(generation).get(A, set())
                assert found >= saved | fresh
                if name == "read back":
                    touched.done(generation)
                    saved, fresh = set(), set()
                else:
                    touched.give_back(generation)
                    saved, fresh = saved | fresh, set()
        assert collect(touched.take()).get(A, set()) >= saved | fresh


def test_read_back_files_go(tmp_path: Path) -> None:
    touched = Touched(tmp_path)
    touched.note(A, [b"k"])
    touched.save()
    assert not touched.empty
    generation = touched.take()
    assert collect(generation)
    touched.done(generation)
    assert touched.empty
    assert list(tmp_path.glob("*.keys")) == []


def test_i9_a_full_disk_loses_the_collection_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is compared as a whole again; saving tells the checkpoint."""
    touched = Touched(tmp_path, limit=3)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Generation, "_append", full)
    touched.note(A, [b"a", b"b"])
    with pytest.raises(OSError, match="No space"):
        touched.save()
    touched.note(B, [b"c", b"d"])
    assert touched.take_lost() == {A, B}
    assert touched.take_lost() == set()


def test_a_line_cut_by_a_crash_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "000000000001.keys").write_bytes(b'["db","1",["k1"]]\n["db","1",["k')
    assert collect(Touched(tmp_path).take()) == {A: {b"k1"}}
