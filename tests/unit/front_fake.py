# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server or cluster that answers requests from functions, and remembers what it was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import Coordinators
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.retry import kind

Handler = Callable[..., Any]


def refusal(status: int, number: int, message: str = "refused") -> ArangoError:
    """The exception for an error answer."""
    return ArangoError(
        "CUT-ARANGO-6",
        message,
        status=status,
        error_num=number,
        method="GET",
        url="https://fake",
        kind=kind(status, number, message),
    )


class FakeFront(Coordinators):
    """Routes are patterns of ``METHOD database path``; groups and the request's options go to the handler."""

    def __init__(self, label: str = "fake") -> None:
        self.routes: list[tuple[re.Pattern[str], Handler]] = []
        self.asked: list[tuple[str, Any]] = []
        self._label = label

    @property
    def label(self) -> str:
        """For humans."""
        return self._label

    @property
    def current(self) -> Any:
        """Itself: it never fails over."""
        return self

    def each(self) -> Iterator[Any]:
        """Itself."""
        yield self

    def on(self, pattern: str, handler: Handler | Any) -> None:
        """Answer with the handler's value, or with the value itself; later ones win."""
        answer = handler if callable(handler) else lambda *_groups, **_options: handler
        self.routes.insert(0, (re.compile(pattern + r"\Z"), answer))

    def json(self, method: str, path: str, **options: Any) -> Any:
        """See ``Coordinators``."""
        line = f"{method} {options.get('database')} {path}"
        self.asked.append((line, options.get("body")))
        for pattern, handler in self.routes:
            match = pattern.match(line)
            if match:
                rest = {name: value for name, value in options.items() if name != "database"}
                return json.loads(json.dumps(handler(*match.groups(), **rest)))
        raise AssertionError(f"nobody expected {line}")

    def request(self, method: str, path: str, **options: Any) -> Any:
        """See ``Coordinators``; only errors matter."""
        return self.json(method, path, **options)

    def close(self) -> None:
        """Nothing to close."""

    def lines(self, pattern: str) -> list[str]:
        """The requests that match."""
        return [line for line, unused in self.asked if re.search(pattern, line)]


class OpenGate:
    """A lease that is always held."""

    def check(self) -> None:
        """Allow everything."""
