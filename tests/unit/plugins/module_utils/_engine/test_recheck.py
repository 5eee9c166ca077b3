# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The durable queue of keys with an unknown outcome."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import State, is_stale
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.recheck import Recheck
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId

SHARD = ShardId("d", "1", "s2")
OTHER = ShardId("d", "9", "s3")


def due_later(queue: Recheck) -> list[list[bytes]]:
    found = []
    while True:
        entry = queue.due(time.monotonic() + 1000)
        if entry is None:
            return found
        found.append(queue.keys(entry))
        queue.settled(entry)


@given(groups=st.lists(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5), max_size=6))
def test_i1_keys_survive_a_crash(tmp_path_factory: pytest.TempPathFactory, groups: list[list[bytes]]) -> None:
    path = tmp_path_factory.mktemp("recheck") / "log"
    queue = Recheck(path, 100.0)
    for group in groups:
        queue.note(SHARD, group)
    again = Recheck(path, 100.0)
    assert again.pending() == len(groups)
    assert due_later(again) == groups
    assert Recheck(path, 100.0).pending() == 0


def test_nothing_is_due_before_a_lost_request_has_certainly_run(tmp_path: Path) -> None:
    queue = Recheck(tmp_path / "log", 300.0)
    queue.note(SHARD, [b"k"])
    now = time.monotonic()
    assert queue.due(now + 290) is None
    entry = queue.due(now + 301)
    assert entry is not None
    queue.postpone(entry, 1000.0)
    assert queue.due(now + 301) is None
    assert queue.pending() == 1


def test_i1_a_clock_that_is_set_does_not_end_a_lost_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Recheck(tmp_path / "log", 300.0)
    queue.note(SHARD, [b"k"])
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 3600)
    assert queue.due(time.monotonic()) is None
    until = queue.last_due("d", "1")
    assert until is not None
    assert until - time.monotonic() == pytest.approx(300.0, abs=5), "a collection that is dropped waits as long"


def test_i1_what_an_earlier_process_noted_is_waited_for_as_long_as_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Recheck(tmp_path / "log", 300.0).note(SHARD, [b"k"])
    wall = time.time
    for later, left in ((100, 200), (-3600, 300), (400, 0)):
        monkeypatch.setattr(time, "time", lambda later=later: wall() + later)
        until = Recheck(tmp_path / "log", 300.0).last_due("d", "1")
        assert until is not None
        assert max(0.0, until - time.monotonic()) == pytest.approx(left, abs=5)


def test_what_is_settled_stays_settled(tmp_path: Path) -> None:
    queue = Recheck(tmp_path / "log", 0.0)
    queue.note(SHARD, [b"a"])
    queue.note(OTHER, [b"b"])
    entry = queue.due(time.monotonic() + 1)
    assert entry is not None
    assert entry.shard == SHARD
    queue.settled(entry)
    queue.settled(entry)
    assert due_later(Recheck(tmp_path / "log", 0.0)) == [[b"b"]]
    queue.forget("d", "9")
    assert queue.pending() == 0
    assert (tmp_path / "log").stat().st_size == 0


@pytest.mark.parametrize("others", [[], [b"another collection's"]])
def test_a_collection_that_is_forgotten_while_it_is_read_back_has_no_keys(tmp_path: Path, others: list[bytes]) -> None:
    """What is at its place in the file by now is nothing, or another collection's."""
    queue = Recheck(tmp_path / "log", 0.0)
    queue.note(SHARD, [b"k"])
    entry = queue.due(time.monotonic() + 1)
    assert entry is not None
    queue.forget(SHARD.database, SHARD.plan_id)
    queue.note(OTHER, others)
    assert queue.keys(entry) == []


def test_many_keys_are_kept_in_parts(tmp_path: Path) -> None:
    queue = Recheck(tmp_path / "log", 0.0)
    queue.note(SHARD, [b"%d" % number for number in range(2500)])
    assert [len(keys) for keys in due_later(queue)] == [1000, 1000, 500]


def test_a_line_cut_by_a_crash_is_left_out_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "log"
    queue = Recheck(path, 0.0)
    queue.note(SHARD, [b"a"])
    with path.open("ab") as stream:
        stream.write(b'{"n":2,"at":1,"d":"x')
    again = Recheck(path, 0.0)
    again.note(SHARD, [b"b"])
    assert due_later(Recheck(path, 0.0)) == [[b"a"], [b"b"]]


def test_i8_a_full_disk_leaves_the_queue_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Recheck(tmp_path / "log", 0.0)
    queue.note(SHARD, [b"a"])
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        write(descriptor, bytes(content)[:9])
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no space"):
        queue.note(SHARD, [b"x" * 100])
    monkeypatch.setattr(os, "write", write)
    queue.note(SHARD, [b"b"])
    assert queue.pending() == 2
    assert due_later(Recheck(tmp_path / "log", 0.0)) == [[b"a"], [b"b"]]


def test_i8_what_is_done_stays_done_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At worst it is looked at once more after a restart."""
    queue = Recheck(tmp_path / "log", 0.0)
    queue.note(SHARD, [b"a"], delay=0)
    queue.note(SHARD, [b"b"], delay=0)
    entry = queue.due(float("inf"))
    assert entry is not None

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", full)
    queue.settled(entry)
    assert queue.pending() == 1
    monkeypatch.undo()
    assert due_later(Recheck(tmp_path / "log", 0.0)) == [[b"a"], [b"b"]]


def test_whole_collections_and_last_dues(tmp_path: Path) -> None:
    queue = Recheck(tmp_path / "log", 50.0)
    assert queue.last_due("d", "1") is None
    queue.note_collection(SHARD)
    entry = queue.due(time.monotonic() + 60)
    assert entry is not None
    assert entry.keys == 0
    assert queue.last_due("d", "1") == pytest.approx(time.monotonic() + 50, abs=5)
    assert Recheck(tmp_path / "log", 50.0).pending() == 1


@pytest.mark.parametrize(
    ("source", "target", "stale"),
    [
        ([], [], False),
        ([], ["_A1"], True),
        (["_A1"], [], True),
        (["_A2"], ["_A1"], True),
        (["_A1"], ["_A1"], False),
        (["_A1"], ["_A2"], False),
        (["_B"], ["_a"], False),  # decoded, not as texts
        (["_9"], ["_z"], True),
    ],
)
def test_i1_stale_is_what_an_applied_log_cannot_leave(source: list[str], target: list[str], stale: bool) -> None:
    sides = [[State(revision, 0) for revision in revisions] for revisions in (source, target)]
    assert is_stale(*sides) is stale


def test_putting_off_the_reading_does_not_lengthen_the_request(tmp_path: Path) -> None:
    """Else a collection that is being dropped would be waited for without end, as its notes are put off."""
    queue = Recheck(tmp_path / "recheck", 0.0)
    queue.note(SHARD, [b"k"])
    entry = queue.due(time.monotonic() + 1)
    assert entry is not None
    queue.postpone(entry, 1000.0)
    assert queue.last_due(SHARD.database, SHARD.plan_id) == entry.until
