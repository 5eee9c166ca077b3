# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading a whole collection through a coordinator, a batch at a time, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Optional, Union

from .._core.arango import Coordinators, Server, segment
from .._core.errors import CutoverError, TransportError

_TIMEOUT = 120.0
_MAX_BODY = 256 * 1024 * 1024
_RESULT_ROWS = 10_000


def read_batches(
    front: Union[Server, Coordinators], database: str, collection: str, *, batch: int = 1000, returning: str = "d"
) -> Generator[list[Any], None, None]:
    """The documents ``d``, or what is to be returned of each, parsed, in no particular order.

    The cursor stays on the coordinator that opened it. What is read does not push anything out of the servers' caches.
    """
    body = {
        "query": f"FOR d IN @@c RETURN {returning}",
        "bindVars": {"@c": collection},
        "batchSize": batch,
        "options": {"stream": True, "fillBlockCache": False},
    }
    server, answer = _opened(front, database, body)
    identifier = answer.get("id")
    finished = False
    try:
        while True:
            finished = not answer.get("hasMore")
            yield answer["result"]
            if finished:
                return
            answer = server.json(
                "POST",
                f"/_api/cursor/{segment(str(identifier))}",
                database=database,
                timeout=_TIMEOUT,
                max_body=_MAX_BODY,
            )
    finally:
        if identifier is not None and not finished:
            _forget(server, database, str(identifier))


def _forget(server: Server, database: str, identifier: str) -> None:
    try:
        server.request("DELETE", f"/_api/cursor/{segment(identifier)}", database=database, raise_for=False)
    except CutoverError:
        # The server drops an unused cursor by itself after its time to live.
        return


def _opened(front: Union[Server, Coordinators], database: str, body: Mapping[str, object]) -> tuple[Server, Any]:
    """The first answer of a query that reads, and the server that has its cursor: the first one that can be reached."""
    servers = [front] if isinstance(front, Server) else [front.current, *front.each()]
    for server in servers[:-1]:
        try:
            return server, _open(server, database, body)
        except TransportError:
            continue
    return servers[-1], _open(servers[-1], database, body)


def _open(server: Server, database: str, body: Mapping[str, object]) -> Any:
    return server.json(
        "POST", "/_api/cursor", database=database, body=body, timeout=_TIMEOUT, max_body=_MAX_BODY, idempotent=True
    )


def run(
    front: Union[Server, Coordinators], database: str, query: str, binds: Optional[Mapping[str, object]] = None
) -> list[Any]:
    """The whole result of a query that reads."""
    body = {"query": query, "bindVars": dict(binds or {}), "batchSize": _RESULT_ROWS}
    server, answer = _opened(front, database, body)
    rows: list[Any] = list(answer["result"])
    while answer.get("hasMore"):
        path = f"/_api/cursor/{segment(str(answer['id']))}"
        answer = server.json("POST", path, database=database, timeout=_TIMEOUT)
        rows += answer["result"]
    return rows


def read_all(front: Union[Server, Coordinators], database: str, collection: str) -> Iterator[Any]:
    """Every document, parsed."""
    for batch in read_batches(front, database, collection):
        yield from batch


def canonical(document: Any) -> str:
    """A document as a text that is equal exactly if the values are."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
