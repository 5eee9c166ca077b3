# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Comparison of an answer with a recorded one: what has to be equal, and what only has to be of the same type.

Values are compared by the attribute they stand under, wherever that is; nothing depends on which exchange it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Headers = Mapping[str, str]

# Identifiers: equal where the recorded one was seen before in the same script, else only of the same type.
IDENTIFIERS = frozenset(
    {"id", "_id", "_key", "_rev", "_oldRev", "revision", "globallyUniqueId", "objectId", "cuid", "name", "shardId"}
    | {"serverId", "persistedId", "foxxmaster", "nextBatchId"}
)
# Measurements, times and positions: of the same type.
MEASURED = frozenset(
    (
        "lastValue",
        "checksum",
        "tick",
        "tickMin",
        "tickMax",
        "time",
        "started",
        "totalRequests",
        "lastLogTick",
        "lastUncommittedLogTick",
        "totalEvents",
        "executionTime",
        "peakMemoryUsage",
        "cursorsCreated",
        "cursorsRearmed",
        "documentLookups",
        "scannedIndex",
        "scannedFull",
        "size",
        "documentsSize",
        "created",
        "hash",
        "salt",
        "pid",
        "host",
        "hostname",
        "address",
        "rebootId",
        "bytesUsed",
        "secondsUntilReadOnly",
        "secondsUntilShutDown",
        "endpoint",
        "endpoints",
        "isFoxxmaster",
        "seeks",
        "initialCid",
        "path",
        "build",
        "os",
        "date",
    )
)
# Objects in which every number is a measurement, or depends on the server's past.
_MEASUREMENTS = re.compile(r"\.(?:processStats|cpuStats|engineStats|physicalMemory|numberOfCores|deployment\.shards)\Z")
_GENERATED = re.compile(r"(idx_)?\d+\Z")
_HEADERS = (
    "content-type",
    "server",
    "x-content-type-options",
    "content-security-policy",
    "strict-transport-security",
    "cache-control",
    "pragma",
    "expires",
    "connection",
    "x-arango-error-codes",
    "x-arango-replication-checkmore",
    "x-arango-replication-frompresent",
)
_PRESENT = (
    "etag",
    "location",
    "x-arango-async-id",
    "x-arango-queue-time-seconds",
    "x-arango-replication-lastincluded",
    "x-arango-replication-lastscanned",
    "x-arango-replication-lasttick",
)
_SERVER = re.compile(r"[A-Z]{4}-[0-9a-f]{8}-[0-9a-f-]{27}\Z")
_NODES = re.compile(r" \[node #\d+: \w+\]")  # places in an execution plan, in messages of AQL
_PARSER = re.compile(r"(?<=VPackError error: ).*", re.DOTALL)  # what a JSON parser says is its own


class Comparison:
    """Differences between a recorded answer and ours; `ids` maps recorded identifiers to ours."""

    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = ids
        self.differences: list[str] = []

    def headers(self, recorded: Headers, ours: Headers) -> None:
        """Headers with a fixed value have to be equal, others have to be there or not there."""
        for name in _HEADERS:
            left, right = recorded.get(name), ours.get(name)
            if left is not None and right is not None:
                left, right = left.split(";")[0].strip().lower(), right.split(";")[0].strip().lower()
            if left != right:
                self._differ(f"header {name}", recorded.get(name), ours.get(name))
        for name in _PRESENT:
            if (name in recorded) != (name in ours):
                self._differ(f"header {name}", recorded.get(name), ours.get(name))

    def value(self, path: str, recorded: Any, ours: Any, key: str = "") -> None:
        """Compare two values that stand under an attribute."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            self._object(path, recorded, ours)
        elif isinstance(recorded, list) and isinstance(ours, list):
            self._array(path, recorded, ours, key)
        elif _kind(recorded) != _kind(ours) or (recorded != ours and not self._may_differ(key, recorded, ours)):
            self._differ(path, recorded, ours)

    def _object(self, path: str, recorded: dict[str, Any], ours: dict[str, Any]) -> None:
        paired = {self._ids[name] for name in recorded if name in self._ids}
        names = recorded.keys() | (ours.keys() - paired)
        if path.endswith(".collections"):  # how many system collections there are depends on the server's past
            names = {name for name in names if name in recorded}
        elif path == "body.details":  # names and values that only a build has
            names = {name for name in names if name in recorded and name in ours}
            recorded = {name: ours[name] if isinstance(recorded[name], str) else recorded[name] for name in names}
        elif _MEASUREMENTS.search(path):
            measured = {name for name, value in recorded.items() if _kind(value) == _kind(ours.get(name))}
            recorded = {name: ours[name] if name in measured else value for name, value in recorded.items()}
        for name in names:
            place = f"{path}.{name}"
            shown = self._ids.get(name, name)
            if shown in ours and name in recorded:
                self.value(place, recorded[name], ours[shown], name)
            elif name in recorded and not self._known_as(name, ours):
                self._differ(place, recorded[name], "(absent)")
            elif name in ours and not self._known_as(name, recorded):
                self._differ(place, "(absent)", ours[name])

    def _known_as(self, name: str, other: dict[str, Any]) -> bool:
        """Whether a name that holds a generated identifier stands in the other object under another number."""
        pattern = re.sub(r"\d+", "#", name)
        return bool(re.search(r"\d", name)) and any(re.sub(r"\d+", "#", known) == pattern for known in other)

    def _array(self, path: str, recorded: list[Any], ours: list[Any], key: str) -> None:
        if recorded and all(isinstance(entry, dict) and ("name" in entry or "user" in entry) for entry in recorded):
            self._by_name(path, recorded, ours)
            return
        if path == "body" and recorded and all(isinstance(entry, str) and entry.isdecimal() for entry in recorded):
            self._identifiers(path, recorded, ours)
            return
        if len(recorded) != len(ours) and key != "endpoints":
            self._differ(f"{path} (length)", len(recorded), len(ours))
        for number, (left, right) in enumerate(zip(recorded, ours, strict=False)):
            self.value(f"{path}[{number}]", left, right, key)

    def _by_name(self, path: str, recorded: list[dict[str, Any]], ours: list[Any]) -> None:
        """Lists of named things have no order, and may hold more system collections than the recorded server had."""
        left = {_name(entry): entry for entry in recorded}
        right = {_name(entry): entry for entry in ours}
        for number, (name, entry) in enumerate(left.items()):
            other = right.get(self._ids.get(name, name))
            if other is None and _GENERATED.match(name) and number < len(ours):
                other = ours[number]
            if other is None:
                self._differ(f"{path}.{name}", "(present)", "(absent)")
            else:
                self.value(f"{path}.{name}", entry, other)
        for name in right.keys() - left.keys() - set(self._ids.values()):
            if not name.startswith("_") and not _GENERATED.match(name):
                self._differ(f"{path}.{name}", "(absent)", "(present)")

    def _identifiers(self, path: str, recorded: list[str], ours: list[Any]) -> None:
        """Lists of identifiers: those of this script count, the recorded server had others."""
        mine = set(self._ids.values())
        wanted = {self._ids[entry] for entry in recorded if entry in self._ids}
        if wanted != mine & set(ours):
            self._differ(path, wanted, ours)

    def _may_differ(self, key: str, recorded: Any, ours: Any) -> bool:
        if key in MEASURED:
            return True
        if not isinstance(recorded, str):
            return False
        if key in IDENTIFIERS or _SERVER.match(recorded):
            known = self._ids.get(recorded)
            return known == ours if known is not None else _alike(recorded, ours)
        if key == "errorMessage" and _message(recorded) == _message(str(ours)):
            return True
        return any(recorded.replace(left, right) == ours for left, right in self._ids.items() if left in recorded)

    def _differ(self, path: str, recorded: object, ours: object) -> None:
        self.differences.append(f"{path}: recorded {_short(recorded)}, ours {_short(ours)}")


def _message(text: str) -> str:
    return _PARSER.sub("", _NODES.sub("", text))


def _name(entry: Any) -> str:
    return str(entry.get("name", entry.get("user"))) if isinstance(entry, dict) else ""


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(type(value))
    return "number" if isinstance(value, int | float) else type(value).__name__


def _alike(recorded: str, ours: Any) -> bool:
    """Both generated: the parts that are not numbers or revisions are equal."""
    if not isinstance(ours, str):
        return False
    left, right = re.split(r"/", recorded), re.split(r"/", ours)
    return len(left) == len(right) and all(
        one == other or (_is_generated(one) and _is_generated(other)) for one, other in zip(left, right, strict=True)
    )


def _is_generated(text: str) -> bool:
    return bool(re.fullmatch(r"(idx_)?\d+|h[0-9A-F]+|c\d+|s\d+|_[A-Za-z0-9_-]{10}|[A-Z]{4}-[0-9a-f-]{36}|", text))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 160 else text[:157] + "..."
