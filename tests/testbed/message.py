# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests and responses as the handlers of the emulator see them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from tests.testbed.errors import ArangoError

if TYPE_CHECKING:
    from tests.testbed.auth import Principal
    from tests.testbed.model import Database, Deployment, Server

JSON = "application/json"
DUMP = "application/x-arango-dump"
TEXT = "text/plain"


def dumps(value: object) -> bytes:
    """Compact JSON as the server prints it: no spaces, non-ASCII characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Incoming:
    """One HTTP request as it came; header names are lower case, `path` is still percent-encoded."""

    __slots__ = ("body", "headers", "method", "path", "peer", "target")

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes, peer: str) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
        self.path = target.partition("?")[0]

    @property
    def server_names(self) -> tuple[str, ...]:
        """What faults may call the server that is asked."""
        return ()

    @property
    def late_delay(self) -> float:
        """Seconds after which the request is carried out when its answer was lost."""
        return 0.0

    def json(self) -> Any:
        """The parsed body; errorNum 600 for bad JSON, None for an empty one."""
        if not self.body.strip():
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ArangoError(600, f"VPackError error: {error}") from error

    def json_object(self) -> dict[str, Any]:
        """The body as an object; an empty body is an empty object, other types are errorNum 400."""
        value = self.json()
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ArangoError(400, "expecting an object in the request body")
        return value


class Request(Incoming):
    """One request to a server of a deployment; `path` is without `/_db/<name>`."""

    __slots__ = ("attributes", "database_name", "params", "principal", "query", "server")

    def __init__(
        self, server: Server, method: str, target: str, headers: dict[str, str], body: bytes, peer: str
    ) -> None:
        super().__init__(method, target, headers, body, peer)
        self.server = server
        path, _, query = target.partition("?")
        self.query: dict[str, str] = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        self.database_name = "_system"
        if path.startswith("/_db/"):
            name, slash, rest = path[5:].partition("/")
            self.database_name = unquote(name)
            path = slash + rest if slash else "/"
        self.path = path
        self.params: dict[str, str] = {}
        self.principal: Principal | None = None
        self.attributes: dict[str, Any] = {}

    @property
    def deployment(self) -> Deployment:
        """The cluster that is asked."""
        return self.server.deployment

    @property
    def server_names(self) -> tuple[str, ...]:
        """Id and short name of the server."""
        return (self.server.id, self.server.short_name)

    @property
    def late_delay(self) -> float:
        """The option `late_delay`, scaled."""
        return self.deployment.scaled(self.deployment.options.late_delay)

    @property
    def database(self) -> Database:
        """The database of the path; errorNum 1228 when there is none of that name."""
        if self.server.stale is not None and self.server.stale.applies(self.method, self.path):
            return self.server.stale.database(self.database_name)
        return self.server.deployment.database(self.database_name)

    @property
    def caller(self) -> Principal:
        """Who asks; only for routes that need a login."""
        if self.principal is None:
            raise ArangoError(401)
        return self.principal

    @property
    def location(self) -> str:
        """The path that was asked for, as the header `location` of actions on collections shows it (recordings)."""
        return f"/_db/{self.database_name}{unquote(self.path)}"

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean query parameter: `true`, `yes`, `on`, `y` and any number but 0 are true."""
        text = self.query.get(name)
        if text is None:
            return default
        return text.lower() in ("true", "yes", "on", "y") or (text.isdecimal() and int(text) != 0)

    def number(self, name: str, default: int | None = None) -> int | None:
        """An unsigned decimal query parameter; errorNum 400 when it is something else."""
        text = self.query.get(name)
        if text is None or text == "":
            return default
        if not text.isdecimal():
            raise ArangoError(400, f"expecting an unsigned number for '{name}'")
        return int(text)


@dataclass(frozen=True)
class Delivery:
    """How a response goes out when it does not go out whole and at once (faults).

    `cut`: share of the body after which the connection is cut, after a `stall` of so many seconds; `length_error`:
    what is added to the Content-Length; `rate`: bytes a second.
    """

    cut: float | None = None
    stall: float = 0.0
    length_error: int = 0
    rate: float = 0.0


class Response:
    """One HTTP response; `headers` come on top of the common ones of facts §11.

    `stream` gives a body piece by piece, in place of `body`, to the answer of a coroutine.
    """

    __slots__ = ("body", "content_type", "delivery", "headers", "queue_time", "status", "stream")

    def __init__(
        self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, content_type: str = JSON
    ) -> None:
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.content_type = content_type
        self.delivery: Delivery | None = None
        self.queue_time = 0.0
        self.stream: AsyncIterator[bytes] | None = None


def reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer of any value, sent as it is."""
    return Response(status, dumps(value), headers)


def result(status: int = 200, headers: Mapping[str, str] | None = None, /, **fields: object) -> Response:
    """The usual answer: `{"error":false,"code":<status>, …fields}`; `status` may be a field, too."""
    return Response(status, dumps({"error": False, "code": status, **fields}), headers)


def failure(error: ArangoError) -> Response:
    """The answer of an error (facts §7.8)."""
    return Response(error.status, dumps(error.body()), error.headers)
