# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings: what was not done as it should have been, each with its place and a remedy (invariant I9)."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from .._core.clock import SYSTEM_CLOCK, Clock
from .._core.redact import redact
from .acceptance import digest
from .files import read_json, write_json
from .times import stamp

SEVERITIES = ("info", "warning", "error")
# A broken rule can hit every document: the first ones are listed by key, the rest is counted.
MAX_FINDINGS = 10_000
OVERFLOW_CODE = "CUT-FINDING-1"


@dataclass(frozen=True)
class Finding:
    """One thing to know. ``error`` blocks the cutover; ``where`` names database, collection or server."""

    code: str
    severity: str
    where: str
    message: str
    remedy: str
    key: Optional[str] = None

    @property
    def id(self) -> str:
        """What makes two reports the same finding."""
        return _id(self.code, self.where, self.key)


def _id(code: str, where: str, key: Optional[str]) -> str:
    return f"{code}|{where}|{key or ''}"


class Findings:
    """All findings of a migration, kept on the agent's disk. Thread safe; repeated ones are counted."""

    def __init__(self, path: Optional[Path] = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._items: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._changed = False
        self._accepted: dict[str, dict[str, Any]] = {}
        if path is not None:
            for item in read_json(path) or []:
                self._items[_id(item["code"], item["where"], item.get("key"))] = item

    def report(self, finding: Finding) -> None:
        """Add a finding, or count it again: the last report says how things stand."""
        now = stamp(self._clock.wall())
        with self._lock:
            known = self._items.get(finding.id)
            if known is None and len(self._items) >= MAX_FINDINGS:
                finding = Finding(
                    OVERFLOW_CODE,
                    "error",
                    "findings",
                    f"more than {MAX_FINDINGS} findings: the others are only counted",
                    "Remove the cause of those listed, then abort and start again.",
                )
                known = self._items.get(finding.id)
            if known is None:
                item = {**asdict(finding), "message": redact(finding.message), "first_at": now, "count": 0}
                self._items[finding.id] = known = item
            known["severity"], known["remedy"] = finding.severity, finding.remedy
            known["message"] = redact(finding.message)
            known["count"] += 1
            known["last_at"] = now
            self._changed = True

    def resolve(self, code: str, where: Optional[str] = None, key: Optional[str] = None) -> None:
        """Take away findings whose cause is gone: all of a code, those at one place, or the one of a key there."""
        with self._lock:
            if where is not None and key is not None:
                self._changed = self._items.pop(_id(code, where, key), None) is not None or self._changed
                return
            gone = [
                name
                for name, item in self._items.items()
                if item["code"] == code and (where is None or item["where"] == where)
            ]
            for name in gone:
                del self._items[name]
            self._changed = self._changed or bool(gone)

    def accept(self, accepted: Mapping[str, dict[str, Any]]) -> None:
        """These, by the digests of their ids, do not block any more (see ``acceptance``)."""
        with self._lock:
            self._accepted = dict(accepted)

    def is_accepted(self, code: str, where: str, key: str) -> bool:
        """Whether the operator has accepted this very finding."""
        with self._lock:
            return digest(_id(code, where, key)) in self._accepted

    def clear(self) -> None:
        """Begin with none: another migration."""
        with self._lock:
            self._items.clear()
            self._changed = True

    def all(self) -> list[dict[str, Any]]:
        """Every finding as JSON values, oldest first, with its id and whether it was accepted."""
        with self._lock:
            return [
                {**item, "id": name, "accepted": self._accepted.get(digest(name))} for name, item in self._items.items()
            ]

    def blocking(self) -> list[dict[str, Any]]:
        """Those that block the cutover."""
        return [item for item in self.all() if item["severity"] == "error" and item["accepted"] is None]

    def problems(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest ones in the form of the status document."""
        with self._lock:
            newest = sorted(self._items.values(), key=lambda item: str(item["last_at"]), reverse=True)[:limit]
            return [
                {
                    "code": item["code"],
                    "severity": item["severity"],
                    "first_at": item["first_at"],
                    "last_at": item["last_at"],
                    "count": item["count"],
                    "where": item["where"] if item.get("key") is None else f"{item['where']} key {item['key']}",
                    "text": item["message"],
                    "remedy": item["remedy"],
                }
                for item in newest
            ]

    def save(self) -> None:
        """Write to disk if anything changed."""
        with self._lock:
            if not self._changed or self._path is None:
                return
            self._changed = False
            items = json.loads(json.dumps(list(self._items.values())))
        write_json(self._path, items)
