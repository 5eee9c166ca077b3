# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading VelocyPack, ArangoDB's binary form of JSON values: what a server holds, with exact numbers (facts §5.8).

The format is the one of its public specification; what JSON has no word for (dates, binary, ...) is refused.
"""

from __future__ import annotations

import struct
from typing import Any

_MOST_NESTED = 200
_WORDS: dict[int, Any] = {0x18: None, 0x19: False, 0x1A: True}
# Names that collections store as small numbers.
_NAMES = {1: "_key", 2: "_rev", 3: "_id", 4: "_from", 5: "_to"}
# The number of a collection, in the place of a document's ``_id``, which nobody needs beside its ``_key``.
_OWN_ID = 0xF3
_DOUBLE = struct.Struct("<d")
# Where the first item of an array or object can begin, by the width of its numbers; zeros may stand before it.
_STARTS = (2, 3, 5, 9)


def loads(data: bytes) -> Any:
    """The one value that ``data`` holds; objects are dicts in the stored order.

    Raises ``ValueError`` for bytes that are no VelocyPack or that JSON cannot say.
    """
    try:
        value, end = _value(memoryview(data), 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"not VelocyPack: {error}") from error
    if end != len(data):
        raise ValueError(f"not VelocyPack: {len(data) - end} bytes after the value")
    return value


def _value(data: memoryview, at: int, depth: int) -> tuple[Any, int]:
    """The value that begins at a position, and where it ends."""
    head = data[at]
    if head in _WORDS:
        return _WORDS[head], at + 1
    if head == 0x1B:
        return _DOUBLE.unpack_from(data, at + 1)[0], at + 9
    if head == _OWN_ID:
        return None, at + 9
    if 0x20 <= head <= 0x3F:
        return _integer(data, at, head)
    if 0x40 <= head <= 0xBF:
        return _text(data, at, head)
    if depth > _MOST_NESTED:
        raise ValueError(f"more than {_MOST_NESTED} values in each other")
    if head in (0x01, 0x0A):
        return ([] if head == 0x01 else {}), at + 1
    if 0x02 <= head <= 0x09 or head == 0x13:
        start, end, count, after = _extent(data, at, head)
        return _array(data, start, end, count, depth), after
    if 0x0B <= head <= 0x12 or head == 0x14:
        start, _end, count, after = _extent(data, at, head)
        return _object(data, start, count, depth), after
    raise ValueError(f"not VelocyPack that JSON can say: a value of kind 0x{head:02x}")


def _integer(data: memoryview, at: int, head: int) -> tuple[int, int]:
    if head >= 0x30:
        return (head - 0x30 if head <= 0x39 else head - 0x40), at + 1
    width = (head & 0x07) + 1
    end = at + 1 + width
    return int.from_bytes(_bytes(data, at + 1, end), "little", signed=head < 0x28), end


def _text(data: memoryview, at: int, head: int) -> tuple[str, int]:
    start, size = at + 1, head - 0x40
    if head == 0xBF:
        start, size = at + 9, int.from_bytes(_bytes(data, at + 1, at + 9), "little")
    return str(_bytes(data, start, start + size), "utf-8"), start + size


def _extent(data: memoryview, at: int, head: int) -> tuple[int, int, int, int]:
    """Where items begin and end, how many there are (-1: as many as fit), where the value ends."""
    if head in (0x13, 0x14):
        size, start = _variable(data, at + 1, 1)
        count, items_end = _variable(data, at + size - 1, -1)
        return start, items_end + 1, count, at + size
    width = 1 << ((head - 0x02) & 3 if head < 0x0A else (head - 0x0B) & 3)
    size = int.from_bytes(_bytes(data, at + 1, at + 1 + width), "little")
    after = at + size
    if after > len(data) or size <= width:
        raise ValueError("not VelocyPack: a value is longer than the data")
    if head <= 0x05:
        return _first(data, at, width), after, -1, after
    count_at = at + 1 + width if width < 8 else after - 8
    count = int.from_bytes(_bytes(data, count_at, count_at + width), "little")
    return _first(data, at, width if width == 8 else 2 * width), after, count, after


def _first(data: memoryview, at: int, used: int) -> int:
    """The first item behind the numbers; their space may be wider than they need, filled with zeros."""
    return next(at + start for start in _STARTS if start > used and (data[at + start] != 0 or start == _STARTS[-1]))


def _array(data: memoryview, at: int, end: int, count: int, depth: int) -> list[Any]:
    found: list[Any] = []
    while len(found) != count and at < end:
        value, at = _value(data, at, depth + 1)
        found.append(value)
    if count not in (-1, len(found)):
        raise ValueError("not VelocyPack: items of an array are missing")
    return found


def _object(data: memoryview, at: int, count: int, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _item in range(count):
        name, at = _value(data, at, depth + 1)
        if isinstance(name, int) and name in _NAMES:
            name = _NAMES[name]
        if not isinstance(name, str):
            raise ValueError("not VelocyPack: the name of an attribute is no text")
        found[name], at = _value(data, at, depth + 1)
    return found


def _variable(data: memoryview, at: int, step: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the position after it in the direction of ``step``."""
    number = shift = 0
    while shift < 64:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + step, shift + 7
        if byte < 0x80:
            return number, at
    raise ValueError("not VelocyPack: a length without an end")


def _bytes(data: memoryview, start: int, end: int) -> memoryview:
    if end > len(data):
        raise ValueError("not VelocyPack: the data ends within a value")
    return data[start:end]
