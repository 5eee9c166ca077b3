# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Functions of AQL that need nothing but their arguments."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import time
from collections.abc import Callable
from typing import Any

from tests.testbed.aql import values
from tests.testbed.errors import ArangoError

Function = Callable[..., Any]
FUNCTIONS: dict[str, tuple[int, int, Function]] = {}
_ANY = 100


def function(names: str, least: int, most: int | None = None) -> Callable[[Function], Function]:
    """Register a function under names separated by blanks, with the number of its arguments."""

    def register(implementation: Function) -> Function:
        for name in names.split():
            FUNCTIONS[name] = (least, least if most is None else most, implementation)
        return implementation

    return register


def find(name: str, count: int) -> Function:
    """A function; errorNum 1540 for an unknown one, 1541 for a wrong number of arguments."""
    if name not in FUNCTIONS:
        raise ArangoError(1540, f"AQL: usage of unknown function '{name}()' (while parsing)")
    least, most, implementation = FUNCTIONS[name]
    if not least <= count <= most:
        text = f"invalid number of arguments for function '{name}()', expected number of arguments: minimum: {least}"
        raise ArangoError(1541, f"AQL: {text}, maximum: {most} (while parsing)")
    return implementation


def _array(value: Any) -> list[Any]:
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
    return [entry for entry in _array(value) if isinstance(entry, int | float) and not isinstance(entry, bool)]


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
    return min((entry for entry in _array(value) if entry is not None), key=values.sort_key, default=None)


@function("MAX", 1)
def maximum(value: Any) -> Any:
    """Largest element."""
    return max(_array(value), key=values.sort_key, default=None)


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
    return _unique(_array(value))


@function("COUNT_DISTINCT COUNT_UNIQUE", 1)
def count_distinct(value: Any) -> int:
    """Number of different elements."""
    return len(_unique(_array(value)))


@function("SORTED", 1)
def in_order(value: Any) -> list[Any]:
    """Elements in order."""
    return sorted(_array(value), key=values.sort_key)


@function("SORTED_UNIQUE", 1)
def in_order_unique(value: Any) -> list[Any]:
    """Different elements in order."""
    return in_order(_unique(_array(value)))


@function("MERGE", 1, _ANY)
def merge(*objects: Any) -> Any:
    """Objects (or an array of them) laid over each other."""
    if len(objects) == 1 and isinstance(objects[0], list):
        objects = tuple(objects[0])
    merged: dict[str, Any] = {}
    for entry in objects:
        if entry is not None and not isinstance(entry, dict):
            return None
        merged.update(entry or {})
    return merged


@function("MERGE_RECURSIVE", 1, _ANY)
def merge_recursive(*objects: Any) -> Any:
    """Objects laid over each other at every level."""
    merged: dict[str, Any] = {}
    for entry in objects:
        for name, value in (entry or {}).items():
            both = isinstance(merged.get(name), dict) and isinstance(value, dict)
            merged[name] = merge_recursive(merged[name], value) if both else value
    return merged


@function("KEYS ATTRIBUTES", 1, 3)
def attributes(value: Any, remove_internal: Any = False, order: Any = False) -> Any:
    """Attribute names."""
    names = [name for name in value or {} if not (remove_internal and name.startswith("_"))]
    return sorted(names) if order else names


@function("VALUES", 1, 2)
def members(value: Any, remove_internal: Any = False) -> Any:
    """Attribute values."""
    return [entry for name, entry in (value or {}).items() if not (remove_internal and name.startswith("_"))]


@function("HAS", 2)
def has(value: Any, name: Any) -> bool:
    """Whether an object has an attribute."""
    return isinstance(value, dict) and name in value


def _names(arguments: tuple[Any, ...]) -> set[str]:
    flat = [entry for argument in arguments for entry in (argument if isinstance(argument, list) else [argument])]
    return {entry for entry in flat if isinstance(entry, str)}


@function("UNSET", 2, _ANY)
def unset(value: Any, *names: Any) -> Any:
    """An object without attributes."""
    return {name: entry for name, entry in (value or {}).items() if name not in _names(names)}


@function("KEEP", 2, _ANY)
def keep(value: Any, *names: Any) -> Any:
    """An object with some of its attributes."""
    return {name: entry for name, entry in (value or {}).items() if name in _names(names)}


@function("ZIP", 2)
def zipped(names: Any, entries: Any) -> Any:
    """An object of two arrays."""
    return dict(zip(names, entries, strict=False))


@function("CONCAT", 1, _ANY)
def concat(*parts: Any) -> str:
    """Texts joined."""
    if len(parts) == 1 and isinstance(parts[0], list):
        parts = tuple(parts[0])
    return "".join(values.text(part) for part in parts)


@function("CONCAT_SEPARATOR", 2, _ANY)
def concat_separator(separator: Any, *parts: Any) -> str:
    """Texts joined by a separator, nulls left out."""
    if len(parts) == 1 and isinstance(parts[0], list):
        parts = tuple(parts[0])
    return values.text(separator).join(values.text(part) for part in parts if part is not None)


@function("SUBSTRING", 2, 3)
def substring(value: Any, start: Any, count: Any = None) -> str:
    """Part of a text."""
    whole, first = values.text(value), int(values.number(start))
    first = max(0, len(whole) + first) if first < 0 else first
    return whole[first:] if count is None else whole[first : first + int(values.number(count))]


@function("CONTAINS", 2, 3)
def contains(value: Any, search: Any, position: Any = False) -> Any:
    """Whether, or with the third argument where, a text is in another."""
    place = values.text(value).find(values.text(search))
    return place if values.truth(position) else place >= 0


@function("STARTS_WITH", 2)
def starts_with(value: Any, prefix: Any) -> bool:
    """Whether a text starts with another, or one of several."""
    prefixes = prefix if isinstance(prefix, list) else [prefix]
    return any(values.text(value).startswith(values.text(entry)) for entry in prefixes)


@function("LIKE", 2, 3)
def like(value: Any, pattern: Any, fold: Any = False) -> bool:
    """`%` stands for any text, `_` for one character, a backslash takes their meaning."""
    pieces = re.findall(r"\\.|.", values.text(pattern), re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(piece) or re.escape(piece[-1]) for piece in pieces)
    flags = re.DOTALL | (re.IGNORECASE if values.truth(fold) else 0)
    return re.fullmatch(expression, values.text(value), flags) is not None


@function("SPLIT", 1, 3)
def split(value: Any, separator: Any = None, limit: Any = None) -> list[str]:
    """Pieces of a text."""
    pieces = [values.text(value)] if separator is None else values.text(value).split(values.text(separator))
    return pieces if limit is None else pieces[: int(limit)]


@function("TO_NUMBER", 1)
def to_number(value: Any) -> Any:
    """A number."""
    return values.number(value)


@function("TO_ARRAY TO_LIST", 1)
def to_array(value: Any) -> list[Any]:
    """An array."""
    if value is None:
        return []
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]


@function("TYPENAME", 1)
def typename(value: Any) -> str:
    """Name of the type."""
    return ("null", "bool", "number", "string", "array", "object")[values.type_rank(value)]


@function("NOT_NULL FIRST_NOT_NULL", 1, _ANY)
def not_null(*entries: Any) -> Any:
    """The first value that is not null."""
    return next((entry for entry in entries if entry is not None), None)


@function("FIRST", 1)
def first(value: Any) -> Any:
    """The first element."""
    return value[0] if _array(value) else None


@function("LAST", 1)
def last(value: Any) -> Any:
    """The last element."""
    return value[-1] if _array(value) else None


@function("NTH", 2)
def nth(value: Any, index: Any) -> Any:
    """An element by its place."""
    return value[index] if isinstance(index, int) and 0 <= index < len(_array(value)) else None


@function("PUSH APPEND_ONE", 2, 3)
def push(value: Any, entry: Any, only_new: Any = False) -> list[Any]:
    """An array with one more element."""
    found = _array(value)
    known = values.truth(only_new) and any(values.equal(entry, other) for other in found)
    return found if known else [*found, entry]


@function("APPEND", 2, 3)
def append(value: Any, entries: Any, only_new: Any = False) -> list[Any]:
    """An array with more elements."""
    found = [*_array(value), *to_array(entries)]
    return _unique(found) if values.truth(only_new) else found


@function("POP", 1)
def pop(value: Any) -> list[Any]:
    """An array without its last element."""
    return _array(value)[:-1]


@function("SLICE", 2, 3)
def part(value: Any, start: Any, count: Any = None) -> list[Any]:
    """Part of an array."""
    begin = int(values.number(start))
    found = _array(value)[begin:]
    return found if count is None else found[: int(count)]


@function("UNION", 2, _ANY)
def union(*arrays: Any) -> list[Any]:
    """All elements of arrays."""
    return [entry for array in arrays for entry in _array(array)]


@function("UNION_DISTINCT", 2, _ANY)
def union_distinct(*arrays: Any) -> list[Any]:
    """All different elements of arrays."""
    return _unique(union(*arrays))


@function("INTERSECTION", 2, _ANY)
def intersection(*arrays: Any) -> list[Any]:
    """Elements of every array."""
    keys = [{values.group_key(entry) for entry in _array(array)} for array in arrays[1:]]
    return [entry for entry in _unique(_array(arrays[0])) if all(values.group_key(entry) in known for known in keys)]


@function("MINUS", 2, _ANY)
def minus(*arrays: Any) -> list[Any]:
    """Elements of the first array that are in no other."""
    others = {values.group_key(entry) for array in arrays[1:] for entry in _array(array)}
    return [entry for entry in _unique(_array(arrays[0])) if values.group_key(entry) not in others]


@function("FLATTEN", 1, 2)
def flatten(value: Any, depth: Any = 1) -> list[Any]:
    """Inner arrays dissolved."""
    found: list[Any] = []
    for entry in _array(value):
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
    place = next((number for number, entry in enumerate(_array(value)) if values.equal(entry, search)), -1)
    return place if values.truth(index) else place >= 0


@function("ROUND", 1)
def rounded(value: Any) -> Any:
    """The nearest integer."""
    return math.floor(values.number(value) + 0.5)


@function("POW", 2)
def power(base: Any, exponent: Any) -> Any:
    """A power."""
    return values.finite(values.number(base) ** values.number(exponent))


@function("PARSE_IDENTIFIER", 1)
def parse_identifier(value: Any) -> Any:
    """Collection and key of an `_id`."""
    identifier = value.get("_id") if isinstance(value, dict) else value
    name, slash, key = values.text(identifier).partition("/")
    return {"collection": name, "key": key} if slash else None


@function("RANDOM_TOKEN", 1)
def random_token(count: Any) -> str:
    """Letters and digits by chance."""
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=int(count)))


@function("FAIL", 0, 1)
def fail(reason: Any = "") -> Any:
    """errorNum 1569."""
    raise ArangoError(1569, f"AQL: FAIL({values.text(reason)}) called (while executing)", status=500)


_PLAIN: dict[str, tuple[int, Function]] = {
    "LOWER": (1, lambda value: values.text(value).lower()),
    "UPPER": (1, lambda value: values.text(value).upper()),
    "TRIM": (1, lambda value: values.text(value).strip()),
    "CHAR_LENGTH": (1, lambda value: len(values.text(value))),
    "LEFT": (2, lambda value, count: values.text(value)[: int(count)]),
    "RIGHT": (2, lambda value, count: values.text(value)[-int(count) :] if count else ""),
    "SUBSTITUTE": (3, lambda value, old, new: values.text(value).replace(values.text(old), values.text(new))),
    "TO_STRING": (1, values.text),
    "TO_BOOL": (1, values.truth),
    "IS_NULL": (1, lambda value: value is None),
    "IS_BOOL": (1, lambda value: isinstance(value, bool)),
    "IS_NUMBER": (1, lambda value: values.type_rank(value) == 2),
    "IS_STRING": (1, lambda value: isinstance(value, str)),
    "IS_ARRAY": (1, lambda value: isinstance(value, list)),
    "IS_LIST": (1, lambda value: isinstance(value, list)),
    "IS_OBJECT": (1, lambda value: isinstance(value, dict)),
    "IS_DOCUMENT": (1, lambda value: isinstance(value, dict)),
    "SHIFT": (1, lambda value: _array(value)[1:]),
    "UNSHIFT": (2, lambda value, entry: [entry, *_array(value)]),
    "FLOOR": (1, lambda value: math.floor(values.number(value))),
    "CEIL": (1, lambda value: math.ceil(values.number(value))),
    "ABS": (1, lambda value: abs(values.number(value))),
    "SQRT": (1, lambda value: math.sqrt(values.number(value)) if values.number(value) >= 0 else None),
    "RAND": (0, random.random),
    "DATE_NOW": (0, lambda: int(time.time() * 1000)),
    "PASSTHRU": (1, lambda value: value),
    "NOOPT": (1, lambda value: value),
    "MD5": (1, lambda value: hashlib.md5(values.text(value).encode(), usedforsecurity=False).hexdigest()),
    "SHA256": (1, lambda value: hashlib.sha256(values.text(value).encode()).hexdigest()),
    "JSON_STRINGIFY": (1, values.dump),
    "JSON_PARSE": (1, lambda value: json.loads(value) if isinstance(value, str) else None),
}
FUNCTIONS.update({name: (count, count, implementation) for name, (count, implementation) in _PLAIN.items()})
