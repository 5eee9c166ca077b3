# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Markers field by field, and markers that vanish (facts §5.5, §5.6)."""

from __future__ import annotations

from tests.testbed.wal import Wal, WalOp
from tests.testbed.wal_markers import removal
from tests.testbed.wal_tail import TailQuery

S1 = "c1/s1"


def make() -> Wal:
    wal = Wal(server_id="4711", nasty=False)
    wal.append_ddl(1100, "d", data={"id": "5", "name": "d"})
    wal.append_ddl(2000, "d", S1, {"name": "s1", "type": 2})
    return wal


def text(wal: Wal, from_tick: int = 0) -> list[str]:
    return b"".join(wal.tail(TailQuery(None, from_tick)).pieces).decode().splitlines()


def test_5_5_documents_are_printed_from_their_raw_bytes() -> None:
    wal = make()
    raw = '{"_key":"ä","_id":"c/ä","_rev":"_jt3aNJe---","n":1e-7,"m":-0.0,"o":12345678901234567890}'.encode()
    wal.append_single("d", S1, 2300, raw)
    assert text(wal, 2) == ['{"tick":"3","type":2300,"db":"d","cuid":"c1/s1","tid":"0","data":' + raw.decode() + "}"]


def test_5_5_removals_show_key_and_revision_only() -> None:
    wal = make()
    wal.append_single("d", S1, 2302, removal('k"1', "_jt3aNJe---"))
    assert text(wal, 2) == [
        '{"tick":"4","type":2302,"db":"d","cuid":"c1/s1","tid":"0","data":{"_key":"k\\"1","_rev":"_jt3aNJe---"}}'
    ]


def test_5_5_frames() -> None:
    wal = make()
    wal.append_transaction("d", "123", [WalOp(S1, 2300, b'{"_key":"a"}'), WalOp(S1, 2302, b'{"_key":"a"}')])
    assert text(wal, 2) == [
        '{"tick":"3","type":2200,"tid":"123","db":"d"}',
        '{"tick":"3","type":2300,"db":"d","cuid":"c1/s1","tid":"123","data":{"_key":"a"}}',
        '{"tick":"6","type":2302,"db":"d","cuid":"c1/s1","tid":"123","data":{"_key":"a"}}',
        '{"tick":"6","type":2201,"tid":"123","db":"d"}',
    ]


def test_5_5_definitions_in_their_field_order() -> None:
    wal = make()
    wal.append_ddl(2002, "d", S1, {"name": "new"})
    wal.append_ddl(2003, "d", S1, {"a": 1})
    wal.append_ddl(2004, "d", S1)
    wal.append_ddl(2100, "d", S1, {"id": "9", "objectId": "77"})
    wal.append_ddl(2101, "d", S1, {"id": "9"})
    wal.append_ddl(2110, "d", "h1/8", {"name": "v"})
    wal.append_ddl(2112, "d", "h1/8", {"name": "v"})
    assert text(wal) == [
        '{"tick":"1","type":1100,"db":"d","data":{"id":"5","name":"d"}}',
        '{"tick":"2","db":"d","cuid":"c1/s1","type":2000,"data":{"name":"s1","type":2}}',
        '{"tick":"3","db":"d","cuid":"c1/s1","type":2002,"data":{"name":"new"}}',
        '{"tick":"4","db":"d","cuid":"c1/s1","type":2003,"data":{"a":1}}',
        '{"tick":"5","type":2004,"db":"d","cuid":"c1/s1"}',
        '{"tick":"6","type":2100,"db":"d","cuid":"c1/s1","data":{"id":"9"}}',
        '{"tick":"7","type":2101,"db":"d","cuid":"c1/s1","data":{"id":"9"}}',
        '{"tick":"8","db":"d","cuid":"h1/8","data":{"name":"v"},"type":2110}',
        '{"tick":"9","db":"d","cuid":"h1/8","data":{"name":"v"},"type":2112}',
    ]
    wal.append_ddl(2111, "d", "h1/8")
    assert text(wal, 9) == ['{"tick":"10","type":2111,"db":"d","cuid":"h1/8"}']


def test_5_6_create_write_and_drop_leave_only_the_drop() -> None:
    wal = make()
    wal.append_single("d", S1, 2300, b'{"_key":"a"}')
    wal.append_ddl(2001, "d", S1)
    assert text(wal, 1) == ['{"tick":"5","type":2001,"db":"d","cuid":"c1/s1"}']
    assert wal.tail(TailQuery("d", 1)).from_present


def test_5_6_a_dropped_database_leaves_only_its_drop() -> None:
    wal = make()
    wal.append_transaction("d", "1", [WalOp(S1, 2300, b"{}")])
    wal.append_ddl(2001, "d", S1)
    wal.append_ddl(1101, "d")
    assert text(wal) == ['{"tick":"6","type":1101,"db":"d"}']


def test_5_6_markers_of_a_dropped_database_stay_lost_when_its_name_comes_back() -> None:
    wal = make()
    wal.append_single("d", S1, 2300, b'{"_key":"old"}')
    wal.append_ddl(1101, "d")
    wal.append_ddl(1100, "d", data={"id": "6", "name": "d"})
    wal.append_ddl(2000, "d", S1, {})
    wal.append_single("d", S1, 2300, b'{"_key":"new"}')
    kinds = [line.split('"type":')[1][:4] for line in text(wal)]
    assert kinds == ["1101", "1100", "2000", "2300"]


def test_5_5_names_with_percent_and_quotes() -> None:
    wal = Wal(server_id="1", nasty=False)
    wal.append_ddl(1100, '50%d"ß')
    wal.append_ddl(2000, '50%d"ß', S1, {})
    wal.append_transaction('50%d"ß', "1", [WalOp(S1, 2300, b"{}")])
    assert text(wal, 2)[0] == '{"tick":"3","type":2200,"tid":"1","db":"50%d\\"ß"}'
    assert '"db":"50%d\\"ß","cuid":"c1/s1"' in text(wal, 2)[1]
