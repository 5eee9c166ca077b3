# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Registry of the platform's calls: path, messages, and whether a login is needed (platform facts §2 to §8).

    @rpc("GetDeployment", "GET", "/api/data/v1/deployments/{id}", ID, DEPLOYMENT)
    def get_deployment(call: Call, wish: Value) -> Value: ...

A handler gets the request's message and gives the answer's. Fields come from the path and, without `body`, from the
query and a form body; with `body` from a JSON body. A streaming call is an asynchronous generator of messages.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, Union
from urllib.parse import unquote

from tests.testbed.platform.schema import Message, Value

if TYPE_CHECKING:
    from tests.testbed.platform.call import Call

Handler = Callable[["Call", Value], Union[Value, Awaitable[Value], AsyncIterator[Value]]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class Method:
    """One call; `public` needs no login."""

    name: str
    verb: str
    template: str
    request: Message
    reply: Message
    body: bool
    public: bool
    handler: Handler
    pattern: re.Pattern[str]


METHODS: list[Method] = []


def rpc(
    name: str, verb: str, template: str, request: Message, reply: Message, *, body: bool = False, public: bool = False
) -> Callable[[H], H]:
    """Register a call under the name it has in the service's definition."""
    pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)) + r"\Z")

    def register(handler: H) -> H:
        METHODS.append(Method(name, verb, template, request, reply, body, public, handler, pattern))
        METHODS.sort(key=lambda entry: entry.template.count("{"))  # a literal path wins
        return handler

    return register


def find(verb: str, path: str) -> tuple[Method | None, dict[str, str], bool]:
    """The call of a path, its fields in the path, and whether the path exists with any verb."""
    known = False
    for entry in METHODS:
        match = entry.pattern.match(path)
        if match is None:
            continue
        if entry.verb == verb:
            return entry, {name: unquote(text) for name, text in match.groupdict().items()}, True
        known = True
    return None, {}, known
