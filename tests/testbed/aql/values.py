# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of AQL: their order over all types, conversions, and printing that keeps documents as they were stored."""

from __future__ import annotations

import functools
import json
import math
import unicodedata
from typing import Any

from tests.testbed.rawjson import compact_dumps


class Stored(dict[str, Any]):
    """A document read from a collection, with the text it was stored as."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        super().__init__(json.loads(raw))
        self.raw = raw


def type_rank(value: Any) -> int:
    """null < boolean < number < text < array < object."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return 2
    if isinstance(value, str):
        return 3
    return 4 if isinstance(value, list) else 5


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1; texts by collation."""
    rank, other = type_rank(left), type_rank(right)
    if rank != other:
        return -1 if rank < other else 1
    if rank == 3:
        return 0 if left == right else _order(collation(left), collation(right)) or _order(left, right)
    if rank == 4:
        for index in range(max(len(left), len(right))):
            found = compare(_at(left, index), _at(right, index))
            if found:
                return found
        return _order(len(left), len(right))
    if rank == 5:
        for name in sorted({*left, *right}, key=collation):
            found = compare(left.get(name), right.get(name))
            if found:
                return found
        return 0
    return 0 if rank == 0 else _order(left, right)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _order(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


sort_key = functools.cmp_to_key(compare)


@functools.lru_cache(maxsize=65536)
def collation(text: str) -> tuple[object, ...]:
    """A key that sorts like the server's default collation: punctuation, digits, letters; case decides last."""
    folded = unicodedata.normalize("NFD", text)
    base = [_weight(character) for character in folded if not unicodedata.combining(character)]
    accents = [ord(character) for character in folded if unicodedata.combining(character)]
    return (base, accents, [character.isupper() for character in folded])


def _weight(character: str) -> tuple[int, str]:
    category = unicodedata.category(character)[0]
    rank = {"Z": 0, "P": 1, "S": 2, "N": 3, "L": 4}.get(category, 0)
    return rank, character.lower()


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same; numbers by value."""
    return compare(left, right) == 0


def truth(value: Any) -> bool:
    """Arrays and objects are always true."""
    if isinstance(value, list | dict):
        return True
    return bool(value)


def number(value: Any) -> int | float:
    """Conversion of the arithmetic operators; what is no number counts as 0."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            return int(value) if value.strip().lstrip("+-").isdecimal() else float(value)
        except ValueError:
            return 0
    if isinstance(value, list) and len(value) == 1:
        return number(value[0])
    return 0


def finite(value: float) -> int | float | None:
    """A result of arithmetic: whole numbers stay integers, what is not finite becomes null."""
    if isinstance(value, int):
        return value if -(1 << 63) <= value < (1 << 64) else float(value)
    if math.isnan(value) or math.isinf(value):
        return None
    return value


def text(value: Any) -> str:
    """Conversion to text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return dump(value)


def dump(value: Any) -> str:
    """Compact JSON; an unchanged document is its stored text."""
    if isinstance(value, Stored):
        return value.raw.decode()
    if isinstance(value, dict):
        return "{" + ",".join(f"{compact_dumps(name)}:{dump(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join([dump(entry) for entry in value]) + "]"
    return compact_dumps(value)


def group_key(value: Any) -> str:
    """A text that is equal for equal values."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return value
