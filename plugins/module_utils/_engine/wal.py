# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A DB-Server's log over HTTP: its end, a stretch of it, and who keeps it (facts §5)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Optional

from .._core.arango import Server
from .._core.errors import CutoverError
from .._core.http import Response
from .lines import cut_off, is_whole

_MAX_ANSWER = 512 * 1024 * 1024
_TIMEOUT = 120.0
_SMALLEST_CHUNK = 16 * 1024
_TICK = re.compile(rb'\{"tick":"([0-9]+)"')


class LogEnd(NamedTuple):
    """The newest tick of a server and the numeric id of its data directory (facts §5.1)."""

    tick: int
    server_id: str


class Answer(NamedTuple):
    """An answer of ``/_api/wal/tail`` (facts §5.3)."""

    lines: list[bytes]
    last_included: int
    last_scanned: int
    last_tick: int
    from_present: bool


class Position(NamedTuple):
    """What to ask for next: ``from`` and ``lastScanned`` (facts §5.4)."""

    tick: int
    last_scanned: int


def log_end(server: Server) -> LogEnd:
    """The end of the log; the call flushes it, so that everything acknowledged can be read (facts §9)."""
    answer: Any = server.json("GET", "/_api/wal/lastTick", database="_system")
    try:
        return LogEnd(int(answer["tick"]), str(answer["server"]["serverId"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _strange(server, "/_api/wal/lastTick") from error


def tail(server: Server, position: Position, chunk_size: int, syncer_id: Optional[int]) -> Answer:
    """The next stretch of the log; ``lastScanned`` lets the server split big transactions.

    Without a ``syncer_id`` nothing is registered, and the server keeps nothing for the reader (facts §5.2).
    """
    query = {
        **_query(position.tick, syncer_id),
        "lastScanned": position.last_scanned,
        "chunkSize": max(_SMALLEST_CHUNK, chunk_size),
    }
    return _answer(server, server.request(
        "GET", "/_api/wal/tail", database="_system", query=query, timeout=_TIMEOUT, max_body=_MAX_ANSWER
    ))


def retain(server: Server, tick: int, syncer_id: int) -> None:
    """Register for everything after a tick; ``to=from`` keeps the answer empty (design §4.4)."""
    query = {**_query(tick, syncer_id), "chunkSize": _SMALLEST_CHUNK}
    if tick > 0:
        query["to"] = tick
    server.request("GET", "/_api/wal/tail", database="_system", query=query, max_body=_MAX_ANSWER)


def retained_from(server: Server, syncer_id: int) -> Optional[int]:
    """The tick from which the server keeps its log for this client; None when it does not know it (facts §5.7)."""
    answer: Any = server.json("GET", "/_api/replication/logger-state", database="_system")
    try:
        for client in answer["clients"]:
            if str(client["syncerId"]) == str(syncer_id):
                return int(client["lastServedTick"])
    except (KeyError, TypeError, ValueError) as error:
        raise _strange(server, "/_api/replication/logger-state") from error
    return None


def _query(tick: int, syncer_id: Optional[int]) -> dict[str, object]:
    return {
        "global": True,
        "from": tick,
        "includeSystem": True,
        "includeFoxxQueues": True,
        "syncerId": syncer_id,
        "clientInfo": "cutover",
    }


def _answer(server: Server, response: Response) -> Answer:
    def number(name: str) -> int:
        return int(response.headers[f"x-arango-replication-{name}"])

    try:
        answer = Answer(
            [line for line in response.body.split(b"\n") if line],
            number("lastincluded"),
            number("lastscanned"),
            number("lasttick"),
            response.headers["x-arango-replication-frompresent"] == "true",
        )
    except (KeyError, ValueError) as error:
        raise _strange(server, "/_api/wal/tail") from error
    if not is_whole(response.body) or not _ends_as_said(answer):
        raise cut_off(server.label, "/_api/wal/tail")
    return answer


def _ends_as_said(answer: Answer) -> bool:
    """Whether the last marker is the one that the header names."""
    found = _TICK.match(answer.lines[-1]) if answer.lines else None
    return found is None or int(found.group(1)) == answer.last_included


def _strange(server: Server, path: str) -> CutoverError:
    return CutoverError(
        "CUT-DATA-1",
        f"{server.label}: the answer to GET {path} lacks what every ArangoDB server sends",
        remedy="Check that the address is that of a DB-Server and that nothing in between changes answers.",
        retriable=True,
    )
