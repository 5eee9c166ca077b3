# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has put shards in doubt, told as findings that end by themselves when all of the shards are in sync again."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Callable

from .findings import Finding
from .shards import ShardId

_NOTHING_TO_DO = "Nothing has to be done."


@dataclass
class Case:
    """One cause at one place and the shards that are not in sync again; ``total`` counts all that it has concerned."""

    code: str
    where: str
    text: str
    open: set[ShardId]
    total: int


class Cases:
    """Thread safe. A shard may be part of several cases; all of them see it recover."""

    def __init__(self, report: Callable[[Finding], None]) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._cases: dict[tuple[str, str], Case] = {}

    def open(
        self, code: str, severity: str, where: str, text: str, shards: Iterable[ShardId], remedy: str = ""
    ) -> None:
        """Report a cause; the same one at the same place again takes further shards in."""
        concerned = set(shards)
        with self._lock:
            case = self._cases.setdefault((code, where), Case(code, where, text, set(), 0))
            case.text = text
            case.total += len(concerned - case.open)
            case.open |= concerned
            if not case.open:
                del self._cases[(code, where)]
        if case.open:
            told = f"{text}; {len(case.open)} shards are compared with the source and repaired"
            self._report(Finding(code, severity, where, told, remedy or _NOTHING_TO_DO))
        else:
            self._report(Finding(code, "info", where, f"{text}; no shard is concerned", _NOTHING_TO_DO))

    def close(self, shards: Iterable[ShardId]) -> None:
        """These shards are in sync again, or nobody's concern any more."""
        gone = set(shards)
        ended: list[Case] = []
        with self._lock:
            for name, case in list(self._cases.items()):
                case.open -= gone
                if not case.open:
                    ended.append(self._cases.pop(name))
        for case in ended:
            told = f"{case.text}; {case.total} shards were compared with the source and are in sync again"
            self._report(Finding(case.code, "info", case.where, told, _NOTHING_TO_DO))
