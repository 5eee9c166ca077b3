# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scanning rules of the log, one test per rule of facts §5.3 and §5.4."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testbed.wal import Wal, WalOp
from tests.testbed.wal_markers import Batch, removal
from tests.testbed.wal_tail import Printer, TailQuery, TailResult

S1, S2 = "c1/s1", "c1/s2"


def make(**settings: object) -> Wal:
    """A log with one database, two shards and five numbers used."""
    wal = Wal(server_id="4711", nasty=False, **settings)  # type: ignore[arg-type]
    wal.append_ddl(1100, "d", data={"name": "d"})
    wal.append_ddl(2000, "d", S1, {"type": 2})
    wal.append_ddl(2000, "d", S2, {"type": 2})
    wal.append_internal(2)
    return wal


def doc(key: str, size: int = 0) -> bytes:
    return json.dumps({"_key": key, "_rev": "_jt3aNJe---", "pad": "x" * size}).encode()


def put(wal: Wal, key: str, size: int = 0) -> int:
    return wal.append_single("d", S1, 2300, doc(key, size))


def frame(wal: Wal, tid: str, *keys: str, size: int = 0) -> tuple[int, int]:
    return wal.append_transaction("d", tid, [WalOp(S1, 2300, doc(key, size)) for key in keys])


def tail(wal: Wal, from_tick: int = 0, **settings: object) -> TailResult:
    return wal.tail(TailQuery("d", from_tick, **settings))  # type: ignore[arg-type]


def lines(result: TailResult) -> list[dict[str, object]]:
    return [json.loads(line) for line in b"".join(result.pieces).splitlines()]


def shown(result: TailResult) -> list[tuple[int, int]]:
    return [(int(str(line["tick"])), int(str(line["type"]))) for line in lines(result)]


def test_5_4_ticks_have_gaps_for_every_entry() -> None:
    wal = make()
    assert put(wal, "a") == 6  # document 6, primary index 7
    assert put(wal, "b") == 8
    wal.append_ddl(2100, "d", S1, {"id": "9"})  # 10
    assert put(wal, "c") == 11  # and one entry more: 11, 12, 13
    assert wal.append_single("d", S1, 2300, doc("c"), replaces=True) == 15  # the old version goes first: 14
    assert wal.last_tick() == 17


def test_5_4_removal_has_the_tick_of_the_primary_index_entry() -> None:
    wal = make()
    assert wal.append_single("d", S1, 2302, removal("a", "_jt3aNJe---")) == 7
    assert shown(tail(wal, 5)) == [(7, 2302)]


def test_5_4_begin_has_the_first_number_commit_the_last() -> None:
    wal = make()
    frame(wal, "77", "a", "b")
    assert shown(tail(wal, 5)) == [(6, 2200), (6, 2300), (8, 2300), (9, 2201)]
    assert {line["tid"] for line in lines(tail(wal, 5))} == {"77"}


def test_5_4_single_operations_have_tid_0_and_no_frame() -> None:
    wal = make()
    put(wal, "a")
    assert [(line["type"], line["tid"]) for line in lines(tail(wal, 5))] == [(2300, "0")]


def test_5_4_from_is_exclusive() -> None:
    wal = make()
    first, second = put(wal, "a"), put(wal, "b")
    assert [tick for tick, _ in shown(tail(wal, first))] == [second]


def test_5_2_from_absent_starts_at_the_start() -> None:
    assert [kind for _, kind in shown(tail(make()))] == [1100, 2000, 2000]


def test_5_4_from_inside_a_batch_skips_its_rest() -> None:
    wal = make()
    frame(wal, "77", "a", "b", "c")  # 6 … 11
    last = put(wal, "d")
    assert shown(tail(wal, 8)) == [(last, 2300)]
    assert shown(tail(wal, 8, last_scanned=8)) == [(last, 2300)]  # lastScanned >= from is no help


def test_5_4_last_scanned_before_from_continues_inside_without_a_second_begin() -> None:
    wal = make()
    frame(wal, "77", "a", "b", "c")
    assert shown(tail(wal, 8, last_scanned=6)) == [(10, 2300), (11, 2201)]


def test_5_4_a_batch_is_never_split_without_last_scanned() -> None:
    wal = make()
    frame(wal, "77", *"abcdefgh", size=16000)
    put(wal, "next")
    result = tail(wal, 5, chunk_size=16384)
    assert [kind for _, kind in shown(result)] == [2200] + [2300] * 8 + [2201]
    assert result.last_scanned == 21


def test_5_4_with_last_scanned_it_stops_one_marker_after_the_size_and_continues() -> None:
    wal = make()
    frame(wal, "77", *"abcdefgh", size=10000)
    result = tail(wal, 5, last_scanned=5, chunk_size=16384)
    assert [kind for _, kind in shown(result)] == [2200, 2300, 2300]
    assert (result.last_included, result.last_scanned) == (8, 6)  # lastscanned: start of the batch it stopped in
    seen = shown(result)
    while seen[-1][1] != 2201:
        result = tail(wal, result.last_included, last_scanned=result.last_scanned, chunk_size=16384)
        seen += shown(result)
    assert [kind for _, kind in seen] == [2200] + [2300] * 8 + [2201]


def test_5_2_chunk_size_below_16_kib_is_raised() -> None:
    wal = make()
    for number in range(40):
        put(wal, f"k{number}", 1000)
    assert len(lines(tail(wal, 5, chunk_size=1))) == 15  # checked after a whole batch


def test_5_3_outside_transactions_it_stops_at_batch_ends() -> None:
    wal = make()
    put(wal, "a", 20000)
    put(wal, "b")
    result = tail(wal, 5, chunk_size=16384)
    assert (result.last_included, result.last_scanned) == (6, 7)


def test_5_3_empty_answer_and_last_scanned_below_from() -> None:
    wal = make()
    put(wal, "a")  # 6, 7
    result = tail(wal, 7)
    assert result.pieces == []
    assert (result.last_included, result.last_scanned, result.last_tick) == (0, 6, 7)
    assert (result.from_present, result.check_more) == (True, False)


def test_5_3_check_more_stays_true_when_numbers_follow_the_last_marker() -> None:
    wal = make()
    put(wal, "a")
    assert tail(wal, 5).check_more  # the primary index entry comes after the document
    wal.append_ddl(2004, "d", S1)
    assert not tail(wal, 5).check_more


def test_5_4_an_empty_batch_shares_its_number_with_the_next_write() -> None:
    wal = make()
    wal.append_empty()
    assert wal.last_tick() == 5
    empty = tail(wal, 5)
    assert (empty.pieces, empty.last_scanned) == ([], 6)
    assert put(wal, "a") == 6


def test_5_4_going_on_from_last_scanned_loses_the_next_write_and_one_below_does_not() -> None:
    wal = make()
    wal.append_empty()
    scanned = tail(wal, 5).last_scanned
    put(wal, "a")
    assert tail(wal, scanned).pieces == []
    assert len(lines(tail(wal, scanned - 1))) == 1


def test_5_3_purged_from_gives_data_and_from_present_false() -> None:
    wal = make()
    put(wal, "a")
    wal.purge_all()
    tick = put(wal, "b")
    result = tail(wal, 5)
    assert (shown(result), result.from_present) == ([(tick, 2300)], False)


def test_5_4_too_high_from_is_no_error() -> None:
    wal = make()
    result = tail(wal, 1000)
    assert (result.pieces, result.last_included, result.last_scanned) == ([], 0, 0)
    assert (result.from_present, result.check_more) == (False, False)
    assert result.last_tick == 5


@pytest.mark.parametrize("present", [False, True])
def test_5_4_nothing_to_read_is_a_false_alarm_in_one_reading(present: bool) -> None:
    wal = make(missing_is_present=present)
    wal.purge_all()
    assert tail(wal, wal.last_tick()).from_present is present


def test_5_2_to_is_inclusive() -> None:
    wal = make()
    first, second = put(wal, "a"), put(wal, "b")
    assert [tick for tick, _ in shown(tail(wal, 5, to_tick=second))] == [first, second]
    assert [tick for tick, _ in shown(tail(wal, 5, to_tick=second - 1))] == [first]


def test_5_2_to_equal_to_from_prints_nothing() -> None:
    wal = make()
    first = put(wal, "a")
    put(wal, "b")
    assert tail(wal, first, to_tick=first).pieces == []


def test_5_2_only_the_database_of_the_path_unless_global() -> None:
    wal = make()
    wal.append_ddl(1100, "other")
    wal.append_ddl(2000, "other", "c2/s9", {"type": 2})
    wal.append_single("other", "c2/s9", 2300, doc("a"))
    mine = put(wal, "b")
    assert shown(tail(wal, 5)) == [(mine, 2300)]
    assert [kind for _, kind in shown(wal.tail(TailQuery(None, 5)))] == [1100, 2000, 2300, 2300]


def test_5_2_collection_is_a_local_name() -> None:
    wal = make()
    put(wal, "a")
    other = wal.append_single("d", S2, 2300, doc("b"))
    assert shown(tail(wal, 5, collection="s2")) == [(other, 2300)]
    with pytest.raises(KeyError):
        tail(wal, 5, collection="s3")


def test_5_5_a_frame_of_filtered_collections_is_printed_empty() -> None:
    wal = make()
    frame(wal, "77", "a")
    assert [kind for _, kind in shown(tail(wal, 5, collection="s2"))] == [2200, 2201]


def test_5_2_include_system_goes_by_the_local_name() -> None:
    wal = Wal(server_id="1", nasty=False)
    wal.append_ddl(1100, "d")
    wal.append_ddl(2000, "d", "_users", {"name": "_users", "type": 2})
    wal.append_ddl(2000, "d", "c3/s3", {"name": "_graphs", "type": 2})
    wal.append_single("d", "_users", 2300, doc("u"))
    shard = wal.append_single("d", "c3/s3", 2300, doc("g"))
    assert shown(tail(wal, 3)) == [(shard, 2300)]
    assert len(lines(tail(wal, 3, include_system=True))) == 2


@given(
    st.lists(st.sampled_from(["single", "frame", "empty", "internal", "remove"]), max_size=40),
    st.integers(16384, 40000),
    st.booleans(),
)
def test_5_4_a_client_that_follows_the_rules_gets_every_marker_once(writes: list[str], chunk: int, split: bool) -> None:
    wal = make()
    expected: list[tuple[str, int]] = []
    got: list[tuple[object, object]] = []
    position, scanned = 5, 5

    def read() -> None:
        nonlocal position, scanned
        while True:
            result = tail(wal, position, last_scanned=scanned if split else 0, chunk_size=chunk)
            got.extend((line["tick"], line["type"]) for line in lines(result) if "data" in line)
            if result.pieces:
                position, scanned = result.last_included, result.last_scanned
                continue
            if result.last_scanned > position:
                position = scanned = result.last_scanned - 1
            return

    for number, write in enumerate(writes):
        if write == "single":
            expected.append((str(put(wal, f"k{number}", 9000)), 2300))
        elif write == "remove":
            expected.append((str(wal.append_single("d", S1, 2302, removal("k", "_"))), 2302))
        elif write == "frame":
            start, _ = frame(wal, str(number), "a", "b", "c", size=9000)
            expected.extend((str(start + 2 * index), 2300) for index in range(3))
        elif write == "empty":
            wal.append_empty()
        else:
            wal.append_internal(3)
        if number % 3 == 0:
            read()
    read()
    assert got == expected


@pytest.mark.parametrize(
    ("asked", "used"), [(1, 16 << 10), (16 << 10, 16 << 10), (5 << 20, 5 << 20), (1 << 40, 128 << 20)]
)
def test_5_2_chunks_are_of_16_kib_to_128_mib(asked: int, used: int) -> None:
    assert Printer(TailQuery("d", chunk_size=asked), {}).chunk == used
    assert TailQuery("d").chunk_size == 1 << 20


def test_5_4_a_purge_while_a_tail_runs_takes_nothing_away() -> None:
    wal = make(segment_batches=3)
    for number in range(20):
        put(wal, f"k{number}")
    whole = lines(tail(wal, 0))
    printer = Printer(TailQuery("d"), wal._databases)

    def purged_meanwhile() -> Iterator[Batch]:
        for number, batch in enumerate(wal._batches_from(0)):
            if number == 2:
                wal.purge_all()
            yield batch

    printer.scan(purged_meanwhile(), 0)
    assert [json.loads(line) for line in b"".join(printer.pieces).splitlines()] == whole
    assert not tail(wal, 5).from_present
