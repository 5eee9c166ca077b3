# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers of the platform in place of a call's own (control API, kind `status`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.testbed.control_answers import HTML, KINDS, PROXY_PAGE, Kind, Run, carry_out
from tests.testbed.message import Incoming, Response
from tests.testbed.platform.app import wrong_host
from tests.testbed.platform.errors import Code, PlatformError, text_answer

if TYPE_CHECKING:
    from tests.testbed.control import Fault

_WAIT = {"retry-after": "2"}


def _page(status: int, text: str) -> Response:
    return Response(status, PROXY_PAGE.format(f"{status} {text}").encode(), {"server": "nginx"}, HTML)


PRESETS: dict[str, Callable[[], Response]] = {
    "too-many-requests": lambda: PlatformError(Code.RESOURCE_EXHAUSTED, "too many requests").answer(),
    "too-many-requests-wait": lambda: PlatformError(Code.RESOURCE_EXHAUSTED, "too many requests", _WAIT).answer(),
    "quota": lambda: PlatformError(Code.RESOURCE_EXHAUSTED, "quota exceeded").answer(),
    "unavailable": lambda: PlatformError(Code.UNAVAILABLE, "transport is closing").answer(),
    "internal": lambda: PlatformError(Code.INTERNAL, "internal error").answer(),
    "unknown": lambda: PlatformError(Code.UNKNOWN, "unknown error").answer(),
    "deadline": lambda: PlatformError(Code.DEADLINE_EXCEEDED, "context deadline exceeded").answer(),
    "aborted": lambda: PlatformError(Code.ABORTED, "conflict").answer(),
    "unauthenticated": lambda: PlatformError(Code.UNAUTHENTICATED, "Unauthenticated").answer(),
    "permission-denied": lambda: PlatformError(Code.PERMISSION_DENIED, "Permission denied").answer(),
    "failed-precondition": lambda: PlatformError(Code.FAILED_PRECONDITION, "Precondition failed").answer(),
    "not-found": lambda: PlatformError(Code.NOT_FOUND, "not found").answer(),
    "not-routed": lambda: text_answer(404, "Not Found"),
    "wrong-host": wrong_host,
    "bad-gateway": lambda: _page(502, "Bad Gateway"),
    "unavailable-page": lambda: _page(503, "Service Temporarily Unavailable"),
    "gateway-timeout": lambda: _page(504, "Gateway Time-out"),
}


def _status(fault: Fault, request: Incoming, run: Run) -> Response:
    """An answer in place of the call, which `run` (`never`, `now`, `late`) may carry out all the same.

    A `preset`, or a `status` with `body` and `content_type`, or a gRPC `code` with `message`.
    """
    spec = fault.spec
    carry_out(fault, request, run, str(spec.get("run", "never")))
    if spec.get("preset") is not None:
        return PRESETS[str(spec["preset"])]()
    if "body" in spec:
        kind = str(spec.get("content_type", HTML))
        return Response(int(spec.get("status", 503)), str(spec["body"]).encode(), content_type=kind)
    return PlatformError(Code(int(spec["code"])), str(spec.get("message", "injected"))).answer()


PLATFORM_KINDS: dict[str, Kind] = {**KINDS, "status": _status}
