# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control listener of tests: faults on demand, and the truth about what is stored.

Plain HTTP on loopback; every request carries the token of the ready line in `x-testbed-token`.

`POST /fault` with one of
  {"kind": "lost_answer", "run": "late"|"now"|"never"}: the connection is cut; the request runs anyway, at once or
      (default) `late_delay` later, after its own retry;
  {"kind": "status", "status", "errorNum", "body"}: answered without being carried out;
  {"kind": "delay", "seconds"}: carried out after a pause;
which act on requests chosen by `method`, `path_regex` (searched in the target) and `server` (id or short name), all of
them by default; `nth` (1) is the first that is hit and `count` (1) how many are. Answers {"id": n}. Or with one of
  {"kind": "alter_document", "database", "collection", "key", "body"}: other content under an unchanged `_rev`;
  those of control_cluster.py: kill_server, restart_server, move_leader, purge_wal.
`DELETE /fault` forgets the faults that wait; `GET /state/faults` tells how often each has acted.
`GET /state/requests`: counts by method and path; `GET /state/overview`: servers, databases, shards;
`GET /state/documents?database=&collection=`: lines `key<TAB>rev<TAB>raw` of the leaders, read from storage;
`GET /state/replicas?database=&collection=`: keys and revisions by shard and server.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, failure

Answer = Response | None
Run = Callable[[Request], "Answer | Awaitable[Answer]"]
KINDS = ("lost_answer", "status", "delay")


@dataclass
class Fault:
    """One fault of requests that waits for its turn."""

    identifier: int
    kind: str
    spec: dict[str, Any]
    pattern: re.Pattern[str]
    skip: int
    remaining: int
    acted: int = 0
    pending: set[asyncio.Task[None]] = field(default_factory=set)

    def meets(self, request: Request) -> bool:
        """Whether the fault acts on this request; counts those it lets pass."""
        method, server = self.spec.get("method"), self.spec.get("server")
        if not self.remaining or (method and method != request.method) or not self.pattern.search(request.target):
            return False
        if server and server not in (request.server.id, request.server.short_name):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.remaining -= 1
        self.acted += 1
        return True

    def run(self, request: Request, handle: Run) -> Answer | Awaitable[Answer]:
        """Do to the request what the fault is for."""
        if self.kind == "status":
            return self._status()
        if self.kind == "delay":
            return self._delayed(request, handle)
        self._lose(request, handle)
        return None

    def _status(self) -> Response:
        status = int(self.spec.get("status", 503))
        if "body" in self.spec:
            return Response(status, str(self.spec["body"]).encode(), content_type="text/html")
        return failure(ArangoError(int(self.spec.get("errorNum", status)), status=status))

    async def _delayed(self, request: Request, handle: Run) -> Answer:
        await asyncio.sleep(float(self.spec.get("seconds", 1.0)))
        answer = handle(request)
        return await answer if isinstance(answer, Awaitable) else answer

    def _lose(self, request: Request, handle: Run) -> None:
        when = self.spec.get("run", "late")
        if when != "never":
            deployment = request.deployment
            delay = 0.0 if when == "now" else deployment.scaled(deployment.options.late_delay)
            task = asyncio.ensure_future(_run_later(request, handle, delay))
            self.pending.add(task)
            task.add_done_callback(self.pending.discard)


async def _run_later(request: Request, handle: Run, delay: float) -> None:
    if delay:
        await asyncio.sleep(delay)
    answer = handle(request)
    if isinstance(answer, Awaitable):
        await answer


class Faults:
    """The faults of requests that wait, and the counts of all requests."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.entries: list[Fault] = []
        self._serial = 0

    def count(self, request: Request) -> None:
        """Count a request by method and path."""
        self.requests[f"{request.method} {request.path}"] += 1

    def match(self, request: Request) -> Fault | None:
        """The first fault that acts on this request."""
        return next((fault for fault in self.entries if fault.meets(request)), None) if self.entries else None

    def add(self, spec: dict[str, Any]) -> int:
        """Arm a fault of requests; errorNum 400 for an unknown kind or a bad pattern."""
        kind = spec.get("kind")
        if kind not in KINDS:
            raise ArangoError(400, f"unknown kind of fault: {kind}")
        try:
            pattern = re.compile(str(spec.get("path_regex", "")))
        except re.error as error:
            raise ArangoError(400, f"path_regex: {error}") from error
        self._serial += 1
        nth, count = int(spec.get("nth", 1)), int(spec.get("count", 1))
        self.entries.append(Fault(self._serial, str(kind), spec, pattern, nth - 1, count))
        return self._serial
