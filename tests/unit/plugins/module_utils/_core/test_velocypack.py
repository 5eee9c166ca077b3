# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VelocyPack read back: every JSON value, every form of the format's specification, and nothing else."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.velocypack import loads
from tests.testbed import velocypack

NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["_key", "_rev", "_from"]), inner),
    max_leaves=40,
)


def same(left: Any, right: Any) -> bool:
    """Equal with the types of numbers and the order of attributes."""
    return repr(left) == repr(right)


@given(VALUES)
def test_what_the_server_packs_is_read_back(value: Any) -> None:
    assert same(loads(velocypack.dumps(value)), value)


@pytest.mark.parametrize("size", [126, 127, 250, 65_000, 70_000])
def test_long_values(size: int) -> None:
    for value in (["x" * size, 1], {"b": "x" * size, "a": [1, 2]}, ["x" * size], ["x" * size] * 3):
        assert loads(velocypack.dumps(value)) == value


@pytest.mark.parametrize(
    ("packed", "value"),
    [
        ("020a000000000000" + "00" + "31", [1]),  # zeros before the first item
        ("0b0b02416231416132" + "0603", {"b": 1, "a": 2}),
        ("0f0b02416231416132" + "0306", {"b": 1, "a": 2}),  # an index that is not sorted
        ("0e" + "2500000000000000" + "416131" + "416232" + "0900000000000000" + "0c00000000000000", None),
        ("05" + "0b00000000000000" + "3132", [1, 2]),
        ("130631281002", [1, 16]),
        ("140d33" + "f30102030405060708" + "01", {"_id": None}),  # a collection's number
        ("140731" + "4178" + "3305" + "02", None),
    ],
)
def test_forms_that_servers_may_send(packed: str, value: object) -> None:
    if value is None:
        with pytest.raises(ValueError, match="not VelocyPack"):
            loads(bytes.fromhex(packed))
    else:
        assert loads(bytes.fromhex(packed)) == value


def test_an_index_of_eight_bytes() -> None:
    items = b"".join(velocypack.dumps(item) for item in ("a", 1))
    table = struct.pack("<QQ", 9, 11)
    body = items + table + struct.pack("<Q", 2)
    assert loads(b"\x09" + struct.pack("<Q", 9 + len(body)) + body) == ["a", 1]


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        ("", "not VelocyPack"), ("00", "kind 0x00"), ("17", "kind 0x17"), ("1c0000000000000000", "kind 0x1c"),
        ("1800", "1 bytes after"), ("4561", "ends within"), ("2801" + "18", "after the value"),
        ("41ff", "not VelocyPack"),
        ("02ff31", "longer than the data"), ("1b0000", "not VelocyPack"), ("13ffffffffffffffffffff", "without an end"),
        ("140431" + "3101", "no text"),
    ],
)  # fmt: skip
def test_anything_else_is_refused(packed: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        loads(bytes.fromhex(packed))


def test_what_is_nested_without_end_is_refused() -> None:
    packed = b"\x01"
    for _level in range(5000):
        packed = b"\x05" + struct.pack("<Q", 9 + len(packed)) + packed
    with pytest.raises(ValueError, match="in each other"):
        loads(packed)


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_value_or_an_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        loads(data)
