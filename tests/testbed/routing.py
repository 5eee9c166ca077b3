# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Registry of endpoints with the permission level and the server roles of each (facts §1.3).

An api module registers its handlers by decorator and is imported by `tests.testbed.api`:

    @route("GET", "/_api/collection/{name}/count", level="any")
    def count(request: Request) -> Response: ...

Handlers are functions or coroutine functions of one request; they raise ArangoError for errors. `{name}` matches one
path segment, `{rest*}` the rest of the path; both arrive percent-decoded in `request.params`. Literal segments win over
placeholders. Several registrations of one path for different roles may stand beside each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import unquote

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response

Level = Literal["none", "authenticated", "any", "admin", "hardened", "super"]
Role = Literal["coordinator", "dbserver", "single"]
Handler = Callable[[Request], "Response | Awaitable[Response | None] | None"]
Middleware = Callable[[Request, Handler], "Response | Awaitable[Response | None] | None"]
H = TypeVar("H", bound=Handler)

EVERYWHERE: tuple[Role, ...] = ("coordinator", "dbserver", "single")
FRONT: tuple[Role, ...] = ("coordinator", "single")


@dataclass(frozen=True)
class Route:
    """One endpoint.

    Levels: `none` needs no login; `authenticated` a login but no right on the database of the path; `any` RO on that
    database; `admin` RW on `_system`; `hardened` is `any` unless the server is hardened; `super` the superuser JWT.
    """

    method: str
    template: str
    level: Level
    on: frozenset[str]
    handler: Handler


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    placeholder: tuple[str, _Node] | None = None
    rest: tuple[str, dict[str, list[Route]]] | None = None
    routes: dict[str, list[Route]] = field(default_factory=dict)  # by method


_ROOT = _Node()
MIDDLEWARE: list[Middleware] = []


def route(method: str, template: str, *, level: Level = "any", on: Iterable[str] = FRONT) -> Callable[[H], H]:
    """Register a handler; `method` may name several, separated by `|`."""

    def register(handler: H) -> H:
        for name in method.split("|"):
            _insert(Route(name, template, level, frozenset(on), handler))
        return handler

    return register


def middleware(function: Middleware) -> Middleware:
    """Wrap every authenticated request: the function gets the request and the next step (used by async jobs)."""
    MIDDLEWARE.append(function)
    return function


def _insert(entry: Route) -> None:
    node = _ROOT
    for segment in entry.template.strip("/").split("/"):
        if segment.endswith("*}"):
            if node.rest is None:
                node.rest = (segment[1:-2], {})
            node.rest[1].setdefault(entry.method, []).append(entry)
            return
        if segment.startswith("{"):
            if node.placeholder is None:
                node.placeholder = (segment[1:-1], _Node())
            elif node.placeholder[0] != segment[1:-1]:
                raise ValueError(f"{entry.template}: this place is called {{{node.placeholder[0]}}} elsewhere")
            node = node.placeholder[1]
        else:
            node = node.literals.setdefault(segment, _Node())
    node.routes.setdefault(entry.method, []).append(entry)


def all_routes() -> Iterator[Route]:
    """Every endpoint that is registered."""
    nodes = [_ROOT]
    while nodes:
        node = nodes.pop()
        tables = [node.routes] + ([node.rest[1]] if node.rest is not None else [])
        yield from (entry for table in tables for entries in table.values() for entry in entries)
        nodes += node.literals.values()
        nodes += [node.placeholder[1]] if node.placeholder is not None else []


def find(method: str, path: str, role: Role) -> tuple[Route, dict[str, str]]:
    """The route of a request; errorNum 404 for an unknown path, 405 for a path known with other methods."""
    segments = path.strip("/").split("/")
    known = False
    for routes, params in _candidates(_ROOT, segments, 0, {}):
        entries = routes.get(method) or (routes.get("GET") if method == "HEAD" else None) or []
        for entry in entries:
            if role in entry.on:
                return entry, params
        known = known or any(role in entry.on for entries in routes.values() for entry in entries)
    if known:
        raise ArangoError(405)
    raise ArangoError(404, f"unknown path '{unquote(path)}'")


def _candidates(
    node: _Node, segments: list[str], index: int, params: dict[str, str]
) -> Iterable[tuple[dict[str, list[Route]], dict[str, str]]]:
    if index == len(segments):
        if node.routes:
            yield node.routes, params
        return
    segment = segments[index]
    literal = node.literals.get(segment)
    if literal is not None:
        yield from _candidates(literal, segments, index + 1, params)
    if node.placeholder is not None and segment:
        name, child = node.placeholder
        yield from _candidates(child, segments, index + 1, {**params, name: unquote(segment)})
    if node.rest is not None:
        name, routes = node.rest
        yield routes, {**params, name: unquote("/".join(segments[index:]))}
