# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ArangoDB's HTTP API: databases in paths, JSON bodies, error answers as exceptions, fail-over of coordinators."""

from __future__ import annotations

import base64
import json
import threading
import unicodedata
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Callable, Optional, Union

from .clock import Deadline
from .errors import ArangoError, CutoverError, TransportError
from .http import DEFAULT_MAX_BODY, Buffer, HttpClient, Response
from .redact import redact, register_secret
from .retry import kind as error_kind

_MAX_MESSAGE = 500
# With less than this no server could answer at all.
_LEAST_TIMEOUT = 0.2
_CODES = {"transient": "CUT-ARANGO-1", "longer": "CUT-ARANGO-2", "fatal": "CUT-ARANGO-6"}
_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def basic_auth(user: str, password: str) -> Callable[[], str]:
    """The Authorization header's value for a user; the password is masked in every text from now on."""
    value = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    register_secret(password)
    register_secret(value[6:])
    return lambda: value


@lru_cache(maxsize=4096)
def segment(name: str) -> str:
    """A name as one segment of a path: NFC and percent-encoded (facts §3.1, extended names)."""
    return urllib.parse.quote(unicodedata.normalize("NFC", name), safe="")


def target(path: str, database: Optional[str] = None, query: Optional[Mapping[str, object]] = None) -> str:
    """Path and query of a request. Booleans are written ``true``/``false``; parameters that are None are left out."""
    prefix = "" if database is None else f"/_db/{segment(database)}"
    pairs = [
        f"{_quoted(name)}={_quoted(_parameter(value))}" for name, value in (query or {}).items() if value is not None
    ]
    text = f"{prefix}{path}"
    return f"{text}?{'&'.join(pairs)}" if pairs else text


def _quoted(text: str) -> str:
    """A name or value in a query. Most need no quoting, which is seen sooner than done."""
    return text if text.isascii() and text.isalnum() else urllib.parse.quote_plus(text)


def _parameter(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def parse_json(response: Response, label: str, method: str, path: str) -> Any:
    """The answer's JSON value.

    Raises CUT-HTTP-4 for JSON that breaks off, which a wrong length does without a sign in HTTP, and CUT-ARANGO-7 for
    anything else, which came from something in between.
    """
    try:
        return json.loads(response.body)
    except ValueError as error:
        if "json" in response.headers.get("content-type", ""):
            raise TransportError(
                "CUT-HTTP-4", f"{label}: {method} {path}: the answer broke off within its JSON ({_looks(response)})",
                outcome_unknown=True,
            ) from error
        raise ArangoError(
            "CUT-ARANGO-7",
            f"{label}: {method} {path} answered {response.status} without JSON ({_looks(response)})",
            status=response.status,
            error_num=0,
            method=method,
            url=path,
            kind="operator",
            from_arangodb=False,
        ) from error


def error_of(response: Response, label: str, method: str, path: str, url: str) -> ArangoError:
    """The exception for an answer with an error status (facts §7.8: JSON with errorNum, or a front-end's page)."""
    number, message, genuine = _error_body(response)
    what = f"{label}: {method} {path} answered {response.status}"
    if not genuine:
        sort = error_kind(response.status, 0)
        code = "CUT-ARANGO-1" if sort == "transient" else "CUT-ARANGO-7"
        text = f"{what}, not from ArangoDB ({_looks(response)})"
    else:
        sort = error_kind(response.status, number, message)
        code = _CODES.get(sort) or ("CUT-ARANGO-3" if response.status == 401 else _operator_code(response.status))
        text = f"{what}, errorNum {number}: {redact(message)[:_MAX_MESSAGE] or 'no message'}"
    return ArangoError(
        code,
        text,
        status=response.status,
        error_num=number,
        method=method,
        url=url,
        kind=sort,
        from_arangodb=genuine,
    )


def _operator_code(status: int) -> str:
    return "CUT-ARANGO-4" if status == 403 else "CUT-ARANGO-5"


def _error_body(response: Response) -> tuple[int, str, bool]:
    """errorNum, errorMessage and whether the body is ArangoDB's; a 401 of ArangoDB may come without one."""
    try:
        parsed = json.loads(response.body)
    except ValueError:
        arango = response.headers.get("server", "").lower() == "arangodb" or "x-arango-queue-time-seconds" in (
            response.headers
        )
        return 0, "", arango
    if not isinstance(parsed, dict) or "error" not in parsed:
        return 0, "", False
    number = parsed.get("errorNum", 0)
    return (number if isinstance(number, int) else 0), str(parsed.get("errorMessage", "")), True


def _looks(response: Response) -> str:
    kind = response.headers.get("content-type", "no content type")
    server = response.headers.get("server")
    return f"{kind}, {len(response.body)} bytes" + (f", server {server[:80]}" if server else "")


class Server:
    """One ArangoDB server; ``label`` names it for humans, e.g. ``source coordinator https://…``."""

    def __init__(self, client: HttpClient, label: str) -> None:
        self.client = client
        self.label = label
        self.queue_time: Optional[float] = None

    @property
    def url(self) -> str:
        """``scheme://host:port``."""
        return self.client.endpoint.url

    def request(
        self,
        method: str,
        path: str,
        *,
        database: Optional[str] = None,
        query: Optional[Mapping[str, object]] = None,
        body: object = None,
        data: Optional[Sequence[Buffer]] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
        max_body: int = DEFAULT_MAX_BODY,
        raise_for: bool = True,
        idempotent: Optional[bool] = None,
    ) -> Response:
        """One request. ``body`` is raw if it is bytes, else a JSON value; ``data`` are raw buffers sent in a row.

        Raises ``TransportError``, and ``ArangoError`` for every status from 300 on unless ``raise_for`` is False.
        The queue time of the last answer is kept in ``queue_time``.
        """
        sent, extra = _encode(body, data)
        whole = target(path, database, query)
        response = self.client.request(
            method,
            whole,
            body=sent,
            headers={**extra, **(headers or {})},
            timeout=timeout,
            max_body=max_body,
            idempotent=idempotent,
        )
        self.queue_time = response.queue_time
        if raise_for and response.status >= 300:
            bare = whole.partition("?")[0]
            raise error_of(response, self.label, method, bare, f"{self.url}{bare}")
        return response

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Like ``request``, but gives the parsed JSON value (None for an empty body)."""
        response = self.request(method, path, **options)
        if not response.body:
            return None
        return parse_json(response, self.label, method, target(path, options.get("database")))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def _encode(body: object, data: Optional[Sequence[Buffer]]) -> tuple[Union[Buffer, Sequence[Buffer]], dict[str, str]]:
    if data is not None:
        return data, {}
    if body is None:
        return b"", {}
    if isinstance(body, (bytes, bytearray, memoryview)):
        return body, {}
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    return encoded, {"Content-Type": "application/json"}


class Coordinators:
    """The coordinators of one cluster as one server.

    One of them is used until it fails: cursors, transactions and jobs stay where they were opened. The next one is
    taken when a request certainly did not run, or may be repeated; else the error is raised.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        if not servers:
            raise ValueError("at least one coordinator is needed")
        self.servers = tuple(servers)
        self._lock = threading.Lock()
        self._current = 0

    @property
    def current(self) -> Server:
        """The coordinator in use."""
        servers = self.servers
        return servers[self._current % len(servers)]

    @property
    def label(self) -> str:
        """Names the coordinator in use."""
        return self.current.label

    @property
    def queue_time(self) -> Optional[float]:
        """Queue time in the last answer of the coordinator in use, seconds."""
        return self.current.queue_time

    def replace(self, servers: Sequence[Server]) -> None:
        """Use these from now on; the one in use stays so if it is among them."""
        if not servers:
            raise ValueError("at least one coordinator is needed")
        with self._lock:
            current = self.current
            self.servers = tuple(servers)
            self._current = self.servers.index(current) if current in self.servers else 0

    def each(self) -> Iterator[Server]:
        """Every coordinator, without fail-over."""
        return iter(self.servers)

    def request(
        self,
        method: str,
        path: str,
        *,
        idempotent: Optional[bool] = None,
        deadline: Optional[Deadline] = None,
        **options: Any,
    ) -> Response:
        """Like ``Server.request`` with fail-over; raises the last coordinator's error when all have failed.

        ``timeout`` is for each coordinator; a ``deadline`` is for all of them together.
        """
        repeatable = method in _IDEMPOTENT_METHODS if idempotent is None else idempotent
        with self._lock:
            servers, start = self.servers, self._current
        count = len(servers)
        for step in range(count):
            index = (start + step) % count
            if deadline is not None:
                options["timeout"] = max(_LEAST_TIMEOUT, deadline.remaining())
            try:
                response = servers[index].request(method, path, idempotent=idempotent, **options)
            except (TransportError, ArangoError) as error:
                late = deadline is not None and deadline.expired
                if step + 1 == count or late or not _elsewhere(error, repeatable):
                    raise
                continue
            with self._lock:
                if servers is self.servers:
                    self._current = index
            return response
        raise CutoverError("CUT-HTTP-1", "no coordinator is left")

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Like ``request``, but gives the parsed JSON value (None for an empty body)."""
        response = self.request(method, path, **options)
        if not response.body:
            return None
        return parse_json(response, self.label, method, target(path, options.get("database")))

    def close(self) -> None:
        """Close the connections to every coordinator."""
        for server in self.servers:
            server.close()


def _elsewhere(error: Union[TransportError, ArangoError], repeatable: bool) -> bool:
    """Whether another coordinator may be asked instead."""
    if error.outcome_unknown and not repeatable:
        return False
    return isinstance(error, TransportError) or (error.kind == "transient" and error.status in (502, 503, 504))
