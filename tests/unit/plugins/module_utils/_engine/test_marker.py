# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Slicing of log markers: equal to decoding, and every byte of a document unchanged."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import marker as m

NUMBERS = st.sampled_from(["1e-7", "12345678901234567890", "-0.0", "1E+5", "0.1", "-1", "9007199254740993", "1.0"])
SCALARS = st.one_of(NUMBERS, st.text().map(json.dumps), st.sampled_from(["true", "false", "null", '"\\/\\u00e9"']))


def _object(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4).map(lambda items: "[" + ",".join(items) + "]")
    | st.dictionaries(st.text(), inner, max_size=4).map(_object),
    max_leaves=12,
)
KEYS = st.from_regex(r"[a-zA-Z0-9_\-:.@()+,=;$!*'%]{1,20}", fullmatch=True)
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
REST = st.dictionaries(st.text().filter(lambda name: name not in ("_key", "_id", "_rev")), VALUES, max_size=5)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, str, str]:
    key, rev = draw(KEYS), draw(st.from_regex(r"[-_A-Za-z0-9]{11}", fullmatch=True))
    members = {"_key": json.dumps(key), "_id": json.dumps(f"c/{key}"), "_rev": json.dumps(rev), **draw(REST)}
    return key, rev, _object(members)


@given(documents(), NAMES, st.booleans(), st.integers(1, 2**63))
def test_slicing_equals_decoding(document: tuple[str, str, str], database: str, escape: bool, tick: int) -> None:
    key, rev, data = document
    name = json.dumps(database, ensure_ascii=escape)
    line = f'{{"tick":"{tick}","type":2300,"db":{name},"cuid":"c1/s2","tid":"0","data":{data}}}'.encode()
    found = m.parse(line)
    assert found == m.parse_slowly(line)
    decoded = json.loads(line)
    assert (found.tick, found.type, found.tid) == (tick, 2300, b"0")
    assert found.database.decode() == decoded["db"] and found.cuid == b"s2"
    assert found.key.decode() == key and found.rev.decode() == rev
    assert found.data == data.encode()
    assert json.loads(found.data) == decoded["data"]


@given(st.permutations(["tick", "type", "db", "cuid", "tid", "data"]), documents(), st.sampled_from(["", " ", "\t "]))
def test_any_order_of_members_is_cut_alike(order: list[str], document: tuple[str, str, str], space: str) -> None:
    members = {
        "tick": '"7"', "type": "2300", "db": '"d"', "cuid": '"c1/s2"', "tid": '"9"', "data": document[2],
    }
    body = f",{space}".join(f'"{name}"{space}:{space}{members[name]}' for name in order)
    found = m.parse(f"{{{space}{body}{space}}}".encode())
    expected = m.Marker(7, 2300, b"d", b"s2", b"9", document[0].encode(), document[1].encode(), document[2].encode())
    assert found == expected


@pytest.mark.parametrize("number", ["1e-7", "12345678901234567890", "-0.0", "1.0", "100000000000000000000000.0"])
def test_number_texts_are_not_rewritten(number: str) -> None:
    data = f'{{"_key":"k","_id":"c/k","_rev":"_abc","n":{number},"l":[{number}]}}'
    line = f'{{"tick":"1","type":2300,"db":"d","cuid":"c","tid":"0","data":{data}}}'.encode()
    assert m.parse(line).data == data.encode() == m.parse_slowly(line).data


@pytest.mark.parametrize("cuid", ["c1/s2", "s2", "hA1/s2"])
def test_shards_are_known_by_name_whatever_stands_before_it(cuid: str) -> None:
    """Of shards that very old versions made, the log has the name alone (facts §5.6)."""
    line = f'{{"tick":"1","type":2300,"db":"d","cuid":"{cuid}","tid":"0","data":{{"_key":"k","_rev":"_r"}}}}'.encode()
    assert m.parse(line).cuid == b"s2" == m.parse_slowly(line).cuid


@given(st.text(st.characters(blacklist_characters='\\"', blacklist_categories=["Cs", "Cc"])))
def test_any_cuid_is_cut_alike(cuid: str) -> None:
    line = f'{{"tick":"1","type":2300,"db":"d","cuid":"{cuid}","tid":"0","data":{{"_key":"k","_rev":"_r"}}}}'.encode()
    assert m.parse(line) == m.parse_slowly(line)


OTHERS = [
    b'{"tick":"5","type":2200,"tid":"8","db":"d"}',
    b'{"tick":"6","type":2201,"tid":"8","db":"d"}',
    b'{"tick":"6","type":2004,"db":"d","cuid":"c1/s2"}',
    b'{"tick":"7","type":2302,"db":"d","cuid":"s2","tid":"8","data":{"_key":"k","_rev":"_r"}}',
    b'{"tick":"8","type":2300,"db":"d\\u00e9","cuid":"c1/s2","tid":"8","data":{"_key":"k","_rev":"_r"}}',
    b'{"tick":"9","type":2300,"db":"d","cuid":"c1/s2","tid":"8","data":{"_rev":"_r","_key":"k"}}',
    b'{"type":2300,"tick":"9","db":"d","cuid":"c1/s2","tid":"0","data":{"_key":"k","_rev":"_r"}}',
]


@given(st.lists(st.one_of(documents(), st.sampled_from(OTHERS)), max_size=12))
def test_i3_many_lines_are_cut_like_each_of_them(drawn: list[tuple[str, str, str] | bytes]) -> None:
    """One marker for each line, in their order: none may be passed over."""
    head = '{"tick":"%d","type":2300,"db":"d","cuid":"c1/s%d","tid":"%d","data":%s}'
    lines = [
        one if isinstance(one, bytes) else (head % (tick, tick % 3, tick % 2, one[2])).encode()
        for tick, one in enumerate(drawn)
    ]
    assert list(m.parse_all(lines)) == [m.parse(line) for line in lines]


@given(st.lists(st.sampled_from([*OTHERS, b'"', b"d", b"\r", b"}"]), max_size=8), st.integers(0, 400))
def test_i3_lines_that_are_cut_are_not_passed_over(drawn: list[bytes], end: int) -> None:
    lines = b"\n".join(drawn)[:end].split(b"\n")
    expected = []
    for line in lines:
        try:
            expected.append(m.parse(line))
        except CutoverError:
            with pytest.raises(CutoverError):
                list(m.parse_all(lines))
            return
    assert list(m.parse_all(lines)) == expected


def test_removes_frames_and_truncates() -> None:
    remove = b'{"tick":"5","type":2302,"db":"d","cuid":"c1/s2","tid":"0","data":{"_key":"k","_rev":"_r"}}'
    assert m.parse(remove) == m.Marker(5, 2302, b"d", b"s2", b"0", b"k", b"_r", b'{"_key":"k","_rev":"_r"}')
    assert m.parse(b'{"tick":"5","type":2200,"tid":"8","db":"d"}') == m.Marker(5, m.BEGIN, b"d", b"", b"8")
    assert m.parse(b'{"tick":"6","type":2201,"tid":"8","db":"d"}') == m.Marker(6, m.COMMIT, b"d", b"", b"8")
    assert m.parse(b'{"tick":"6","type":2004,"db":"d","cuid":"c1/s2"}') == m.Marker(6, m.TRUNCATE, b"d", b"s2")


def test_bytes_that_are_no_utf8_pass_through() -> None:
    data = b'{"_key":"k","_id":"c/k","_rev":"_r","x":"\xff\xfe"}'
    line = b'{"tick":"1","type":2300,"db":"d","cuid":"c","tid":"0","data":' + data + b"}"
    assert m.parse(line).data == data == m.parse_slowly(line).data


@pytest.mark.parametrize("line", [b"", b"[]", b'{"tick":"x","type":2300}', b'{"type":2300}', b'{"tick":"1"'])
def test_what_is_no_marker_is_refused(line: bytes) -> None:
    with pytest.raises(CutoverError) as caught:
        m.parse(line)
    assert caught.value.code == "CUT-DATA-1"


@given(st.lists(VALUES, max_size=8), st.sampled_from([",", " , ", ",\n"]))
def test_array_elements_keep_their_texts(values: list[str], comma: str) -> None:
    assert m.array_elements(f"[{comma.join(values)}]".encode()) == [value.encode() for value in values]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1,]", b"[1 2]", b"[1"])
def test_what_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        m.array_elements(body)


@given(documents())
def test_document_key_is_found_by_slicing_or_scanning(document: tuple[str, str, str]) -> None:
    key, _rev, data = document
    assert m.document_key(data.encode()) == key.encode()
    turned = re.sub(r'^\{"_key"', '{"first":1,"_key"', data)
    assert m.document_key(turned.encode()) == key.encode()
    assert m.document_key(b'{"a":1}') is None
