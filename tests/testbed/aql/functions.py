# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AQL functions of objects, texts and numbers."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import time
from typing import Any

from tests.testbed.aql import arrays, values
from tests.testbed.aql.arrays import as_array
from tests.testbed.aql.registry import ANY, FUNCTIONS, Function, find, function
from tests.testbed.errors import ArangoError

__all__ = ["arrays", "find", "like"]


@function("MERGE", 1, ANY)
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


@function("MERGE_RECURSIVE", 1, ANY)
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


@function("UNSET", 2, ANY)
def unset(value: Any, *names: Any) -> Any:
    """An object without attributes."""
    return {name: entry for name, entry in (value or {}).items() if name not in _names(names)}


@function("KEEP", 2, ANY)
def keep(value: Any, *names: Any) -> Any:
    """An object with some of its attributes."""
    return {name: entry for name, entry in (value or {}).items() if name in _names(names)}


@function("ZIP", 2)
def zipped(names: Any, entries: Any) -> Any:
    """An object of two arrays."""
    return dict(zip(names, entries, strict=False))


@function("CONCAT", 1, ANY)
def concat(*parts: Any) -> str:
    """Texts joined."""
    if len(parts) == 1 and isinstance(parts[0], list):
        parts = tuple(parts[0])
    return "".join(values.text(part) for part in parts)


@function("CONCAT_SEPARATOR", 2, ANY)
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


@function("TYPENAME", 1)
def typename(value: Any) -> str:
    """Name of the type."""
    return ("null", "bool", "number", "string", "array", "object")[values.type_rank(value)]


@function("NOT_NULL FIRST_NOT_NULL", 1, ANY)
def not_null(*entries: Any) -> Any:
    """The first value that is not null."""
    return next((entry for entry in entries if entry is not None), None)


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
    "SHIFT": (1, lambda value: as_array(value)[1:]),
    "UNSHIFT": (2, lambda value, entry: [entry, *as_array(value)]),
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
