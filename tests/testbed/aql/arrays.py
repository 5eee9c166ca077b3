# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AQL functions of arrays."""

from __future__ import annotations

import math
from typing import Any

from tests.testbed.aql import values
from tests.testbed.aql.registry import ANY, function


def as_array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _unique(items: list[Any]) -> list[Any]:
    seen: set[str] = set()
    found = []
    for item in items:
        key = values.group_key(item)
        if key not in seen:
            seen.add(key)
            found.append(item)
    return found


def _numbers(value: Any) -> list[float]:
    return [entry for entry in as_array(value) if isinstance(entry, int | float) and not isinstance(entry, bool)]


@function("LENGTH COUNT", 1)
def length(value: Any) -> int:
    """Elements of an array, attributes of an object, characters of a text."""
    if isinstance(value, list | dict | str):
        return len(value)
    return 0 if value is None or value is False else len(values.text(value)) if value is not True else 1


@function("SUM", 1)
def total(value: Any) -> Any:
    """Sum of the numbers of an array."""
    return values.finite(sum(_numbers(value)))


@function("MIN", 1)
def minimum(value: Any) -> Any:
    """Smallest element that is not null."""
    return min((entry for entry in as_array(value) if entry is not None), key=values.sort_key, default=None)


@function("MAX", 1)
def maximum(value: Any) -> Any:
    """Largest element."""
    return max(as_array(value), key=values.sort_key, default=None)


@function("AVERAGE AVG", 1)
def average(value: Any) -> Any:
    """Mean of the numbers of an array."""
    found = _numbers(value)
    return sum(found) / len(found) if found else None


@function("VARIANCE VARIANCE_POPULATION", 1)
def variance(value: Any) -> Any:
    """Population variance."""
    found = _numbers(value)
    mean = sum(found) / len(found) if found else 0
    return sum((entry - mean) ** 2 for entry in found) / len(found) if found else None


@function("STDDEV STDDEV_POPULATION", 1)
def deviation(value: Any) -> Any:
    """Population standard deviation."""
    found = variance(value)
    return None if found is None else math.sqrt(found)


@function("UNIQUE", 1)
def unique(value: Any) -> list[Any]:
    """Elements without repetitions."""
    return _unique(as_array(value))


@function("COUNT_DISTINCT COUNT_UNIQUE", 1)
def count_distinct(value: Any) -> int:
    """Number of different elements."""
    return len(_unique(as_array(value)))


@function("SORTED", 1)
def in_order(value: Any) -> list[Any]:
    """Elements in order."""
    return sorted(as_array(value), key=values.sort_key)


@function("SORTED_UNIQUE", 1)
def in_order_unique(value: Any) -> list[Any]:
    """Different elements in order."""
    return in_order(_unique(as_array(value)))


@function("TO_ARRAY TO_LIST", 1)
def toas_array(value: Any) -> list[Any]:
    """An array."""
    if value is None:
        return []
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]


@function("FIRST", 1)
def first(value: Any) -> Any:
    """The first element."""
    return value[0] if as_array(value) else None


@function("LAST", 1)
def last(value: Any) -> Any:
    """The last element."""
    return value[-1] if as_array(value) else None


@function("NTH", 2)
def nth(value: Any, index: Any) -> Any:
    """An element by its place."""
    return value[index] if isinstance(index, int) and 0 <= index < len(as_array(value)) else None


@function("PUSH APPEND_ONE", 2, 3)
def push(value: Any, entry: Any, only_new: Any = False) -> list[Any]:
    """An array with one more element."""
    found = as_array(value)
    known = values.truth(only_new) and any(values.equal(entry, other) for other in found)
    return found if known else [*found, entry]


@function("APPEND", 2, 3)
def append(value: Any, entries: Any, only_new: Any = False) -> list[Any]:
    """An array with more elements."""
    found = [*as_array(value), *toas_array(entries)]
    return _unique(found) if values.truth(only_new) else found


@function("POP", 1)
def pop(value: Any) -> list[Any]:
    """An array without its last element."""
    return as_array(value)[:-1]


@function("SLICE", 2, 3)
def part(value: Any, start: Any, count: Any = None) -> list[Any]:
    """Part of an array."""
    begin = int(values.number(start))
    found = as_array(value)[begin:]
    return found if count is None else found[: int(count)]


@function("UNION", 2, ANY)
def union(*arrays: Any) -> list[Any]:
    """All elements of arrays."""
    return [entry for array in arrays for entry in as_array(array)]


@function("UNION_DISTINCT", 2, ANY)
def union_distinct(*arrays: Any) -> list[Any]:
    """All different elements of arrays."""
    return _unique(union(*arrays))


@function("INTERSECTION", 2, ANY)
def intersection(*arrays: Any) -> list[Any]:
    """Elements of every array."""
    keys = [{values.group_key(entry) for entry in as_array(array)} for array in arrays[1:]]
    return [entry for entry in _unique(as_array(arrays[0])) if all(values.group_key(entry) in known for known in keys)]


@function("MINUS", 2, ANY)
def minus(*arrays: Any) -> list[Any]:
    """Elements of the first array that are in no other."""
    others = {values.group_key(entry) for array in arrays[1:] for entry in as_array(array)}
    return [entry for entry in _unique(as_array(arrays[0])) if values.group_key(entry) not in others]


@function("FLATTEN", 1, 2)
def flatten(value: Any, depth: Any = 1) -> list[Any]:
    """Inner arrays dissolved."""
    found: list[Any] = []
    for entry in as_array(value):
        if isinstance(entry, list) and depth > 0:
            found += flatten(entry, depth - 1)
        else:
            found.append(entry)
    return found


@function("REVERSE", 1)
def reverse(value: Any) -> Any:
    """Backwards."""
    return value[::-1] if isinstance(value, list | str) else value


@function("POSITION", 2, 3)
def position(value: Any, search: Any, index: Any = False) -> Any:
    """Whether, or where, an element is in an array."""
    place = next((number for number, entry in enumerate(as_array(value)) if values.equal(entry, search)), -1)
    return place if values.truth(index) else place >= 0
