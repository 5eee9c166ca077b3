# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source's server mode: set, read back from every server, and end what still writes (facts §2.3)."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Callable, Optional

from .._core.arango import Server
from .._core.clock import Deadline
from .._core.errors import ArangoError, CutoverError, TransportError
from .parallel import gather
from .patience import outcome_unknown
from .topology import Source

READONLY = "readonly"
DEFAULT = "default"
MODES = (DEFAULT, READONLY)
MIXED = "mixed"
MODE_PATH = "/_admin/server/mode"
# The PUT sleeps about 2 s on the server, and each server sees the flag with its next heartbeat (facts §2.3).
_PUT_TIMEOUT = 30.0
_TRANSACTION = "transaction "
_WRITING = re.compile(r"\b(INSERT|UPDATE|REPLACE|REMOVE|UPSERT)\b", re.IGNORECASE)


def read_mode(server: Server, timeout: float = 10.0) -> str:
    """The mode flag of one server. Raises CUT-FENCE-2 for an answer that names none."""
    answer = server.json("GET", MODE_PATH, timeout=timeout)
    mode = answer.get("mode") if isinstance(answer, dict) else None
    if mode not in MODES:
        raise CutoverError("CUT-FENCE-2", f"{server.label} does not tell its server mode")
    return str(mode)


def read_modes(source: Source, timeout: float = 10.0) -> dict[str, str]:
    """The mode of every coordinator and DB-Server by server id.

    Raises the first error: a silent server is no mode. So is one that the cluster has not given up and that nobody here
    has a connection to: CUT-FENCE-2.
    """
    away = source.unconnected()
    if away:
        text = f"there is no connection to {', '.join(away)}: whether writes are refused there cannot be known"
        raise CutoverError("CUT-FENCE-2", text, retriable=True, details={"servers": away})
    return gather({name: partial(read_mode, server, timeout) for name, server in source.labels().items()})


def everywhere(source: Source, mode: str) -> Optional[dict[str, str]]:
    """The modes if every server shows this one; None otherwise, and where one does not tell: setting it says which."""
    try:
        modes = read_modes(source)
    except CutoverError:
        return None
    return modes if summary(modes) == mode else None


def shown_modes(source: Source, timeout: float = 10.0) -> dict[str, str]:
    """Like ``read_modes``, without the servers that cannot be reached, or have a front-end answer for them."""

    def ask(server: Server) -> Optional[str]:
        try:
            return read_mode(server, timeout)
        except (TransportError, ArangoError):
            return None

    found = gather({name: partial(ask, server) for name, server in source.labels().items()})
    return {name: mode for name, mode in found.items() if mode is not None}


def summary(modes: Mapping[str, str]) -> str:
    """``default``, ``readonly``, or ``mixed`` while servers differ."""
    distinct = set(modes.values())
    return distinct.pop() if len(distinct) == 1 else MIXED


def set_mode(
    source: Source,
    mode: str,
    deadline: Deadline,
    *,
    stop: Optional[threading.Event] = None,
    pause: float = 0.05,
    answered: Callable[[], object] = bool,
) -> dict[str, str]:
    """Set the cluster-wide mode and wait until every server shows it; returns the modes by server id.

    Setting is repeated on every coordinator in turn until one takes it: it is idempotent. A server that cannot be
    reached may be writable, so there is no fence without it; but it fences nobody, so giving the source back does not
    wait for it: it learns the mode when it is back. ``answered`` is called when no request can come late any more.
    Raises CUT-FENCE-1 at the deadline with the servers that do not show the mode, or the last error.
    """
    if mode not in MODES:
        raise CutoverError("CUT-SPEC-1", f"mode: must be one of {', '.join(MODES)}", details={"field": "mode"})
    waiting = stop or threading.Event()
    read = read_modes if mode == READONLY else shown_modes
    if put_mode(list(source.fronts.values()), mode, deadline, waiting):
        answered()
    last: dict[str, str] = {}
    problem: Optional[CutoverError] = None
    while True:
        try:
            last = read(source, max(0.5, min(10.0, deadline.remaining())))
            problem = None
            if last and all(value == mode for value in last.values()):
                return last
        except CutoverError as error:
            problem = error
        if deadline.expired or waiting.wait(pause):
            behind = sorted(name for name, value in last.items() if value != mode)
            text = str(problem) if problem else f"not yet there: {', '.join(behind)}"
            raise CutoverError(
                "CUT-FENCE-1",
                f"not every server of the source shows the mode {mode}: {text}",
                retriable=True,
                details={"mode": mode, "servers": last},
            ) from problem


def put_mode(servers: Sequence[Server], mode: str, deadline: Deadline, stop: threading.Event) -> bool:
    """Ask one coordinator after another until one accepts; False when the answer of another one was lost before."""
    all_answered = True
    while True:
        problem: Optional[CutoverError] = None
        for server in servers:
            try:
                server.json("PUT", MODE_PATH, body={"mode": mode}, timeout=_PUT_TIMEOUT, idempotent=True)
                return all_answered
            except (TransportError, ArangoError) as error:
                problem = error
                all_answered = all_answered and not outcome_unknown(error)
        if deadline.expired or stop.wait(min(0.5, deadline.remaining())):
            raise CutoverError(
                "CUT-FENCE-3", f"no coordinator of the source takes the mode {mode}: {problem}", retriable=True
            ) from problem


def running_queries(server: Server) -> list[Mapping[str, Any]]:
    """AQL queries of all users and databases that run, as one coordinator lists them."""
    queries = server.json("GET", "/_api/query/current", query={"all": True}, timeout=10.0) or []
    return [item for item in queries if isinstance(item, dict)]


def _writers(server: Server) -> set[str]:
    """Queries that write and stream transactions that run, as one coordinator lists them."""
    queries = running_queries(server)
    transactions = server.json("GET", "/_api/transaction", timeout=10.0) or {}
    running = transactions.get("transactions", []) if isinstance(transactions, dict) else []
    found = {f"query {item.get('id')}" for item in queries if writes(item)}
    found |= {f"{_TRANSACTION}{item.get('id')}" for item in running if isinstance(item, dict)}
    return {f"{server.label}: {name}" for name in found}


def writes(query: Mapping[str, Any]) -> bool:
    """Whether a listed query writes; where the server does not tell, its text does."""
    flag = query.get("modificationQuery")
    if isinstance(flag, bool):
        return flag
    return bool(_WRITING.search(str(query.get("query", ""))))


def cancel_writers(source: Source, deadline: Deadline, *, stop: Optional[threading.Event] = None) -> int:
    """Cancel write queries and transactions on every coordinator until none is left; returns how many were seen.

    A transaction that survives three cancellations in a row without any writing query is one that only reads: the
    cancellation ends every writing one (facts §2.3). Raises CUT-FENCE-4 at the deadline.
    """
    waiting = stop or threading.Event()
    seen: set[str] = set()
    survived: dict[str, int] = {}
    while True:
        left: set[str] = set()
        for server in source.fronts.values():
            seen |= _writers(server)
            server.request("DELETE", "/_api/transaction/write", timeout=10.0, idempotent=True)
            left |= _writers(server)
        survived = {name: survived.get(name, 0) + 1 for name in left}
        readers = {name for name, times in survived.items() if times > 3 and _TRANSACTION in name}
        if left == readers:
            return len(seen - readers)
        if deadline.expired or waiting.wait(0.1):
            raise CutoverError(
                "CUT-FENCE-4",
                f"writers on the source do not end: {', '.join(sorted(left)[:5])}",
                retriable=True,
                details={"writers": sorted(left)[:50]},
            )
