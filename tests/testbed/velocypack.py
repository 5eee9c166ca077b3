# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values as the server keeps them: VelocyPack, for clients that accept it (facts §5.8: with exact numbers)."""

from __future__ import annotations

import json
import struct

CONTENT_TYPE = "application/x-velocypack"
_NAMES = {"_key": 1, "_rev": 2, "_id": 3, "_from": 4, "_to": 5}
_WIDTHS = (1, 2, 4, 8)


def of_json(text: bytes) -> bytes:
    """The VelocyPack of a JSON text; a number with a fraction or an exponent is a double."""
    return dumps(json.loads(text))


def dumps(value: object) -> bytes:
    """One value. Names that the server knows are numbers, single items are packed tightly, as the server does."""
    if value is None or isinstance(value, bool):
        return b"\x18" if value is None else b"\x1a" if value else b"\x19"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return b"\x1b" + struct.pack("<d", value)
    if isinstance(value, str):
        text = value.encode()
        return (bytes([0x40 + len(text)]) if len(text) <= 126 else b"\xbf" + struct.pack("<Q", len(text))) + text
    if isinstance(value, list):
        return _array([dumps(item) for item in value])
    if isinstance(value, dict):
        return _object({name: _name(name) + dumps(item) for name, item in value.items()})
    raise TypeError(f"no JSON value: {type(value).__name__}")


def _integer(value: int) -> bytes:
    if -6 <= value <= 9:
        return bytes([0x30 + value if value >= 0 else 0x40 + value])
    if value < 0:
        width = next(width for width in range(1, 9) if value >= -(1 << (8 * width - 1)))
        return bytes([0x1F + width]) + value.to_bytes(width, "little", signed=True)
    width = max(1, (value.bit_length() + 7) // 8)
    if width > 8:
        return b"\x1b" + struct.pack("<d", float(value))  # a JSON text beyond 64 bits becomes a double
    return bytes([0x27 + width]) + value.to_bytes(width, "little")


def _name(name: str) -> bytes:
    return bytes([0x30 + _NAMES[name]]) if name in _NAMES else dumps(name)


def _array(items: list[bytes]) -> bytes:
    if not items:
        return b"\x01"
    if len(items) == 1:
        return _compact(0x13, items)
    if len({len(item) for item in items}) == 1:
        payload = b"".join(items)
        index = next(index for index, width in enumerate(_WIDTHS) if 1 + width + len(payload) < 1 << (8 * width))
        return bytes([0x02 + index]) + (1 + _WIDTHS[index] + len(payload)).to_bytes(_WIDTHS[index], "little") + payload
    return _indexed(0x06, items, list(range(len(items))))


def _object(members: dict[str, bytes]) -> bytes:
    if not members:
        return b"\x0a"
    if len(members) == 1:
        return _compact(0x14, list(members.values()))
    order = sorted(range(len(members)), key=[name.encode() for name in members].__getitem__)
    return _indexed(0x0B, list(members.values()), order)


def _compact(head: int, items: list[bytes]) -> bytes:
    payload = b"".join(items)
    count = _groups(len(items))[::-1]
    size = 2 + len(payload) + len(count)
    while len(_groups(size)) + 1 + len(payload) + len(count) > size:
        size += 1
    return bytes([head]) + _groups(size) + payload + count


def _groups(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the highest bit set."""
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _indexed(head: int, items: list[bytes], order: list[int]) -> bytes:
    payload = b"".join(items)
    # Head, size and number of items (with eight bytes behind everything), items, index.
    sizes = [(width, 1 + (2 + len(items)) * width + len(payload)) for width in _WIDTHS]
    index, (width, total) = next((index, pair) for index, pair in enumerate(sizes) if pair[1] < 1 << (8 * pair[0]))
    start = 1 + 2 * width if width < 8 else 9
    places = [start]
    for item in items[:-1]:
        places.append(places[-1] + len(item))
    table = b"".join(places[position].to_bytes(width, "little") for position in order)
    count = len(items).to_bytes(width, "little")
    numbers = total.to_bytes(width, "little")
    if width == 8:
        return bytes([head + index]) + numbers + payload + table + count
    return bytes([head + index]) + numbers + count + payload + table
