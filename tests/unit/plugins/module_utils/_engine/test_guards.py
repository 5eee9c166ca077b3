# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revisions are numbers, and what is noted is on the disk: two rules whose breach shows only in rare cases."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.coalesce import MemoryBatch
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.recheck import Recheck
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shards import ShardId
from tests.unit.plugins.module_utils._engine.fake_target import GUARDED, Bench, FakeTarget
from tests.unit.plugins.module_utils._engine.logs import remove


@pytest.mark.parametrize(("present", "removed", "left"), [("_z", "_9", False), ("_9", "_z", True), ("_a", "_B", True)])
def test_i1_guarded_removes_compare_numbers(present: str, removed: str, left: bool) -> None:
    target = FakeTarget()
    target.documents["k"] = b'{"_key":"k","_rev":"%s"}' % present.encode()
    Bench(target).units.apply(GUARDED, MemoryBatch([remove(1, b"k")._replace(rev=removed.encode())]))
    assert ("k" in target.documents) == left


def test_i1_a_note_is_synced_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    write, sync = os.write, os.fsync

    def writing(descriptor: int, content: bytes) -> int:
        events.append("write")
        return write(descriptor, content)

    def syncing(descriptor: int) -> None:
        events.append("sync")
        sync(descriptor)

    monkeypatch.setattr(os, "write", writing)
    monkeypatch.setattr(os, "fsync", syncing)
    Recheck(tmp_path / "log", 1.0).note(ShardId("d", "1", "s2"), [b"k"])
    assert events == ["write", "sync"]
