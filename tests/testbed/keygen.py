# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Key generators of collections (facts §3.4)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.testbed.errors import ArangoError

if TYPE_CHECKING:
    from tests.testbed.model import Server

_KEY_TEXT = r"[a-zA-Z0-9_\-:.@()+,=;$!*'%]{1,254}"
_KEY = re.compile(_KEY_TEXT + r"\Z")
_KEY_LINES = re.compile(rf"(?:{_KEY_TEXT}\n)*\Z")


def valid(key: object) -> bool:
    """Whether a value may be a document key."""
    return isinstance(key, str) and _KEY.match(key) is not None


def all_valid(keys: list[str]) -> bool:
    """Whether texts may all be document keys; several times faster than one by one."""
    lines = "\n".join([*keys, ""])
    return lines.count("\n") == len(keys) and _KEY_LINES.match(lines) is not None


class KeyGenerator:
    """`traditional`: decimal numbers that grow, from cluster-wide unique ids."""

    name = "traditional"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.allow_user_keys = bool(options.get("allowUserKeys", True))
        self.last_value = 0

    def next(self, server: Server, *, tracking: bool = True) -> str:
        """A new key, made on behalf of a server.

        Without `tracking`, as in collections of several shards, it is the id of that server and of nothing else: keys
        that were given, or made by another coordinator, are not known to it (facts §3.4).
        """
        value = server.unique_id()
        self.last_value = max(value, self.last_value + 1) if tracking else value
        return str(self.last_value)

    def observe(self, key: str) -> None:
        """Take note of a key given by a user."""
        if key.isdecimal() and len(key) < 19:
            self.last_value = max(self.last_value, int(key))

    def describe(self, *, show_last: bool) -> dict[str, Any]:
        """`keyOptions` as servers print them; coordinators leave `lastValue` out."""
        values: dict[str, Any] = {"allowUserKeys": self.allow_user_keys, "type": self.name}
        return {**values, "lastValue": self.last_value} if show_last else values


class Padded(KeyGenerator):
    """`padded`: sixteen hexadecimal digits that sort as text."""

    name = "padded"

    def next(self, server: Server, *, tracking: bool = True) -> str:
        """A new key."""
        return f"{int(super().next(server, tracking=tracking)):016x}"


class Autoincrement(KeyGenerator):
    """`autoincrement`: offset plus multiples of the increment; one shard only."""

    name = "autoincrement"

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self.increment = int(options.get("increment", 1))
        self.offset = int(options.get("offset", 0))

    def next(self, server: Server, *, tracking: bool = True) -> str:
        """The next multiple of the increment above the last key."""
        steps = max(0, self.last_value - self.offset) // self.increment + 1
        self.last_value = self.offset + steps * self.increment
        return str(self.last_value)

    def describe(self, *, show_last: bool) -> dict[str, Any]:
        """`keyOptions` with offset and increment; the last value is known on every server."""
        values = super().describe(show_last=False)
        return {**values, "offset": self.offset, "increment": self.increment, "lastValue": self.last_value}


class Uuid(KeyGenerator):
    """`uuid`: random."""

    name = "uuid"

    def next(self, server: Server, *, tracking: bool = True) -> str:
        """A new key."""
        return str(uuid.uuid4())

    def observe(self, key: str) -> None:
        """Keys of users have no influence."""

    def describe(self, *, show_last: bool) -> dict[str, Any]:
        """`keyOptions` without a last value."""
        return super().describe(show_last=False)


def check_options(options: Mapping[str, Any]) -> None:
    """What 3.12 refuses and earlier versions ignore: settings of other generators (facts §3.4); errorNum 1232."""
    kind = options.get("type", "traditional")
    if kind == "uuid" and "lastValue" in options:
        raise ArangoError(1232, "the uuid key generator has no lastValue")
    if kind != "autoincrement" and ("increment" in options or "offset" in options):
        raise ArangoError(1232, "only the autoincrement key generator has an increment and an offset")


_TYPES: dict[str, type[KeyGenerator]] = {kind.name: kind for kind in (KeyGenerator, Padded, Autoincrement, Uuid)}


def make(options: Mapping[str, Any]) -> KeyGenerator:
    """The generator of a `keyOptions` object; errorNum 1222-type errors for an unknown one."""
    kind = _TYPES.get(str(options.get("type", "traditional")))
    if kind is None:
        raise ArangoError(10, "unknown key generator type")
    return kind(options)
