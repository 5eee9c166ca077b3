# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Running queries: each belongs to the server that was asked, can be listed and killed there (facts §2.3).

A query that writes makes intermediate commits on the leaders and goes on while the server is read-only; what read-only
refuses is its final commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.testbed.aql import values
from tests.testbed.aql.context import Context
from tests.testbed.aql.parser import parse
from tests.testbed.aql.pipeline import TICK, Plan
from tests.testbed.errors import ArangoError
from tests.testbed.storage import Transaction

if TYPE_CHECKING:
    from tests.testbed.message import Request
    from tests.testbed.model import Deployment

_SLICE_SECONDS = 0.005  # a query holds the event loop no longer than this
_CHUNK = 2000
_END = object()


def running(deployment: Deployment) -> dict[str, RunningQuery]:
    """Every query of the deployment by id."""
    found: dict[str, RunningQuery] = deployment.objects.setdefault("queries", {})
    return found


class RunningQuery:
    """One query from its start to its last row; `take` gives printed values."""

    def __init__(self, request: Request, body: dict[str, Any], transaction: Transaction | None) -> None:
        text = body.get("query")
        if not isinstance(text, str) or not text:
            raise ArangoError(1502)
        self.id = str(request.server.unique_id())
        self.text = text
        self.binds = body.get("bindVars") or {}
        self.server, self._boot = request.server, request.server.reboot_id
        self.user = request.caller.user
        self.database = request.database
        self.started = time.time()
        self._clock = time.monotonic()
        self._kill = asyncio.Event()
        self._superuser = request.caller.superuser
        self._own = transaction is None
        self.transaction = transaction or Transaction(request.database, tid=request.server.next_tid(), stream=True)
        options = body.get("options") or {}
        self.stream = bool(options.get("stream"))
        limit = body.get("memoryLimit", options.get("memoryLimit", 0)) or 0
        self.context = Context(request, self.binds, options, self.transaction, memory_limit=int(limit))
        plan = Plan(self.context, parse(text))
        self.context.check_binds()
        self.modifies = plan.modifies
        self._shortcut = plan.shortcut
        self._rows: Iterator[Any] = plan.run() if plan.shortcut is None else iter(())
        self.done = False
        self.seconds = 0.0
        running(request.deployment)[self.id] = self

    def kill(self) -> None:
        """Let the query end with errorNum 1500 where it is."""
        self._kill.set()

    def describe(self) -> dict[str, Any]:
        """An entry of `/_api/query/current`."""
        return {
            "id": self.id,
            "database": self.database.name,
            "user": self.user or "root",
            "query": self.text,
            "bindVars": self.binds,
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "runTime": time.monotonic() - self._clock,
            "peakMemoryUsage": self.context.statistics.memory,
            "state": "killed" if self._kill.is_set() else "executing",
            "stream": self.stream,
            "modificationQuery": self.modifies,
        }

    async def take(self, limit: int | None) -> list[bytes]:
        """The next values, all that are left without a limit; errors abort the query and its own transaction."""
        try:
            found = await (self._take_printed(limit) if self._shortcut is not None else self._take_rows(limit))
        except BaseException:
            self.abort()
            raise
        self.seconds = time.monotonic() - self._clock
        return found

    async def _take_printed(self, limit: int | None) -> list[bytes]:
        found: list[bytes] = []
        while limit is None or len(found) < limit:
            wanted = _CHUNK if limit is None else min(_CHUNK, limit - len(found))
            chunk = list(itertools.islice(self._shortcut or (), wanted))
            found += chunk
            if len(chunk) < wanted:
                self._finish()
                break
            await self._pause()
        return found

    async def _take_rows(self, limit: int | None) -> list[bytes]:
        found: list[bytes] = []
        until = time.monotonic() + _SLICE_SECONDS
        context, rows = self.context, self._rows
        while limit is None or len(found) < limit:
            item = next(rows, _END)
            if item is _END:
                if context.sleep_owed:
                    await self._pause()
                self._finish()
                break
            if item is not TICK:
                found.append(values.dump(item).encode())
                if limit is None:
                    context.charge()
            if context.sleep_owed or time.monotonic() > until:
                await self._pause()
                until = time.monotonic() + _SLICE_SECONDS
        return found

    async def _pause(self) -> None:
        seconds, self.context.sleep_owed = self.context.sleep_owed, 0.0
        if seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._kill.wait(), seconds)
        else:
            await asyncio.sleep(0)
        if not self.server.running or self.server.reboot_id != self._boot:
            raise ArangoError(30)  # its coordinator was killed, nobody gets this answer
        if self._kill.is_set():
            raise ArangoError(1500, "AQL: query killed (while executing)")

    def _finish(self) -> None:
        self.done = True
        running(self.server.deployment).pop(self.id, None)
        if not self._own:
            return
        if self.modifies and self.server.readonly and not self._superuser:
            self.transaction.abort()
            raise ArangoError(1004, "server is in read-only mode")
        self.transaction.commit()

    def abort(self) -> None:
        """End the query without its last commit."""
        running(self.server.deployment).pop(self.id, None)
        self.done = True
        if self._own:
            self.transaction.abort()

    def extra(self) -> dict[str, Any]:
        """Warnings and statistics in the order of the recordings."""
        counted, version = self.context.statistics, self.server.deployment.version_tuple
        modern = version >= (3, 12, 0)
        stats: dict[str, Any] = {"writesExecuted": counted.written, "writesIgnored": counted.ignored}
        if modern:
            stats |= {"documentLookups": counted.looked_up, "seeks": 0}
        stats |= {"scannedFull": counted.scanned, "scannedIndex": counted.scanned_index}
        if (3, 12, 1) <= version < (4, 0, 0):
            stats["searchParallelism"] = 1
        stats |= {"cursorsCreated": 0, "cursorsRearmed": 0, "cacheHits": 0, "cacheMisses": 0}
        stats |= {"filtered": counted.filtered, "httpRequests": 0}
        if counted.full_count is not None:
            stats["fullCount"] = counted.full_count
        stats |= {"executionTime": self.seconds, "peakMemoryUsage": counted.memory}
        if version >= (3, 11, 0):
            stats["intermediateCommits"] = counted.intermediate_commits
        return {"warnings": self.context.warnings, "stats": stats}
