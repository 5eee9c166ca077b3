# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Spools: what is appended is read in order; a full disk loses nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._engine import spool as module
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.spool import Spool

LINES = st.lists(st.binary(min_size=1, max_size=80).map(lambda line: line.replace(b"\n", b" ")), min_size=1, max_size=9)


@given(groups=st.lists(LINES, max_size=6))
def test_lines_come_back_in_order_from_any_line_end(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[bytes]]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool") / "s")
    for group in groups:
        spool.append(group)
    lines = [line for group in groups for line in group]
    records = list(spool.read())
    assert [record.line for record in records] == lines
    start = 0
    for number, record in enumerate(records):
        assert spool.line_at(start) == record.line
        assert [later.line for later in spool.read(start)] == lines[number:]
        assert [before.line for before in spool.read(0, record.end)] == lines[: number + 1]
        start = record.end
    assert start == spool.size


def test_lines_longer_than_a_block_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_BYTES", 7)
    spool = Spool(tmp_path / "s")
    spool.append([b"x" * 50, b"y", b"z" * 7])
    assert [record.line for record in spool.read()] == [b"x" * 50, b"y", b"z" * 7]


def test_i8_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path / "s")
    spool.append([b"first"])
    write = os.write
    calls = 0

    def full(descriptor: int, content: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            return write(descriptor, bytes(content)[:4])
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="no space"):
        spool.append([b"second", b"third"])
    monkeypatch.setattr(os, "write", write)
    assert [record.line for record in spool.read()] == [b"first"]
    spool.append([b"second", b"third"])
    assert [record.line for record in spool.read()] == [b"first", b"second", b"third"]


def test_a_spool_of_an_earlier_process_is_not_taken_over(tmp_path: Path) -> None:
    Spool(tmp_path / "s").append([b"old"])
    spool = Spool(tmp_path / "s")
    assert list(spool.read()) == []
    spool.delete()
    spool.append([b"new"])
    assert [record.line for record in spool.read()] == [b"new"]


def test_a_file_that_was_cut_behind_our_back_is_noticed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    spool.append([b"line"])
    os.truncate(spool.path, 2)
    with pytest.raises(OSError, match="shorter"):
        list(spool.read())
