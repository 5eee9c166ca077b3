# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of the platform: which fields they have, and how a gateway writes and reads them (platform facts §1.4).

Values are dictionaries by field name: numbers, texts, lists; timestamps as seconds since 1970 (0: unset), durations as
seconds. Whatever is missing is zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from tests.testbed.platform import scalars
from tests.testbed.platform.errors import invalid

Value = dict[str, Any]
Nested = Union["Message", list["Message"], dict[str, "Message"]]
_MAX_DEPTH = 50


@dataclass(frozen=True)
class Field:
    """One field: of a scalar kind or of a message; `shape` is `one`, `many` or `map` (by text)."""

    name: str
    kind: str = "string"
    message: Message | None = None
    shape: str = "one"


@dataclass(frozen=True)
class Message:
    """A named set of fields."""

    name: str
    fields: Mapping[str, Field] = field(default_factory=dict)

    def find(self, name: str) -> Field | None:
        """A field by its name or the camelCase spelling of it."""
        return self.fields.get(name) or next((one for one in self.fields.values() if camel(one.name) == name), None)


def message(name: str, scalar: str = "", /, **nested: Nested) -> Message:
    """Describe a message: `"id is_paused:bool tags:string*"` (a star: many), and messages by field name."""
    fields = {}
    for word in scalar.split():
        label, _colon, kind = word.partition(":")
        fields[label] = Field(label, kind.rstrip("*") or "string", None, "many" if kind.endswith("*") else "one")
    for label, value in nested.items():
        if isinstance(value, Message):
            fields[label] = Field(label, "message", value)
        elif isinstance(value, list):
            fields[label] = Field(label, "message", value[0], "many")
        else:
            fields[label] = Field(label, "message", value[""], "map")
    return Message(name, fields)


def camel(name: str) -> str:
    """`page_size` → `pageSize`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True)
class Style:
    """How a server writes: settings of its gateway, and how wrong its clock is (seconds, added to timestamps)."""

    zeros: bool = False
    camel_case: bool = False
    enum_numbers: bool = False
    skew: float = 0.0

    def write(self, kind: Message, value: Mapping[str, Any]) -> Value:
        """The JSON object of a message; zero values are left out."""
        written = {}
        for entry in kind.fields.values():
            text = self._field(entry, value.get(entry.name))
            if text is not None:
                written[camel(entry.name) if self.camel_case else entry.name] = text
        return written

    def _field(self, entry: Field, value: Any) -> Any:
        if entry.shape == "many":
            items = [self._one(entry, item) for item in value or []]
            return items if items or self.zeros else None
        if entry.shape == "map":
            found = {key: self._one(entry, item) for key, item in (value or {}).items()}
            return found if found or self.zeros else None
        if entry.message is not None:
            return None if value is None else self._one(entry, value)
        if scalars.is_zero(entry.kind, value):
            return scalars.zero(entry.kind) if self.zeros else None
        return self._one(entry, value)

    def _one(self, entry: Field, value: Any) -> Any:
        if entry.message is not None:
            return self.write(entry.message, value)
        if entry.kind == "severity" and self.enum_numbers:
            return scalars.SEVERITIES.index(value)
        return scalars.write(entry.kind, value + self.skew if entry.kind == "timestamp" else value)

    def read(self, kind: Message, value: object, depth: int = 0) -> Value:
        """The message of a JSON object, in either spelling of names; InvalidArgument for everything unfit."""
        if not isinstance(value, dict) or depth > _MAX_DEPTH:
            raise invalid(f"json: cannot unmarshal into {kind.name}")
        found: Value = {}
        for name, item in value.items():
            entry = kind.find(name)
            if entry is None:
                raise invalid(f'unknown field "{name}" in {kind.name}')
            if item is not None:
                found[entry.name] = self._read_field(entry, item, depth)
        return found

    def _read_field(self, entry: Field, item: object, depth: int) -> Any:
        if entry.shape == "many":
            if not isinstance(item, list):
                raise invalid(f"{entry.name}: expecting an array")
            return [self._read_one(entry, one, depth) for one in item]
        if entry.shape == "map":
            if not isinstance(item, dict):
                raise invalid(f"{entry.name}: expecting an object")
            return {key: self._read_one(entry, one, depth) for key, one in item.items()}
        return self._read_one(entry, item, depth)

    def _read_one(self, entry: Field, item: object, depth: int) -> Any:
        if entry.message is not None:
            return self.read(entry.message, item, depth + 1)
        return self._unskewed(entry, scalars.read(entry.kind, entry.name, item))

    def _unskewed(self, entry: Field, value: Any) -> Any:
        return value - self.skew if entry.kind == "timestamp" and value else value

    def fill(self, kind: Message, pairs: Iterable[tuple[str, str]]) -> Value:
        """The message of query or form fields: dotted names, repeated keys; unknown ones are ignored."""
        found: Value = {}
        for path, text in pairs:
            place, at = found, kind
            *outer, last = path.split(".")
            for name in outer:
                entry = at.find(name)
                if entry is None or entry.message is None or entry.shape != "one":
                    break
                place, at = place.setdefault(entry.name, {}), entry.message
            else:
                self._put(place, at.find(last), text)
        return found

    def _put(self, place: Value, entry: Field | None, text: str) -> None:
        if entry is None or entry.shape == "map":
            return
        if entry.message is not None:
            raise invalid(f'unexpected message in parameter "{entry.name}"')
        value = self._unskewed(entry, scalars.parse(entry.kind, entry.name, text))
        if isinstance(value, float) and not math.isfinite(value):
            raise invalid(f'parsing field "{entry.name}": {text}')
        if entry.shape == "many":
            place.setdefault(entry.name, []).append(value)
        else:
            place.setdefault(entry.name, value)  # too many values: the first counts
