# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""gRPC codes of the platform with their HTTP status, and the exception that carries one (platform facts §1.5)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from tests.testbed.message import Response, dumps

TEXT = "text/plain; charset=utf-8"


class Code(enum.IntEnum):
    """The code in an error's body; the value 0 is success and never sent."""

    CANCELED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


HTTP_STATUS = {
    Code.CANCELED: 408,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}


class PlatformError(Exception):
    """An error answered to the client."""

    def __init__(self, code: Code, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The error body of a whole call."""
        return {"error": self.message, "code": int(self.code), "message": self.message}

    def answer(self) -> Response:
        """The answer of a call that failed."""
        return Response(HTTP_STATUS[self.code], dumps(self.body()), self.headers)


def invalid(message: str) -> PlatformError:
    """A request that cannot be understood."""
    return PlatformError(Code.INVALID_ARGUMENT, message)


def refused(message: str) -> PlatformError:
    """A call that does not fit the state of what it names: FailedPrecondition, which is HTTP 400."""
    return PlatformError(Code.FAILED_PRECONDITION, message)


def text_answer(status: int, text: str) -> Response:
    """The answer of the gateway's router, which knows no JSON."""
    return Response(status, f"{text}\n".encode(), content_type=TEXT)
