# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What faults do to single requests and their answers (control API; docs/testbed.md lists them)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Delivery, Incoming, Response, failure

if TYPE_CHECKING:
    from tests.testbed.control import Fault

Answer = Response | None
Run = Callable[[Any], "Answer | Awaitable[Answer]"]  # takes the kind of request that its server takes
Kind = Callable[["Fault", Incoming, Run], "Answer | Awaitable[Answer]"]
HTML = "text/html"
PROXY_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"


@dataclass(frozen=True)
class Preset:
    """An answer that clients meet in the field (facts §7.8); `page` is that of a proxy."""

    status: int
    error_num: int = 0
    page: str = ""
    message: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


PRESETS = {
    "queue-full": Preset(503, 21003),
    "queue-time": Preset(412, 21004),
    "cluster-timeout": Preset(500, 1457),
    "lock-timeout": Preset(500, 18),
    "leader-refuses": Preset(406, 1489),
    "follower-refuses": Preset(406, 1490),
    "leader-resigned": Preset(503, 1491),
    "leadership-challenge": Preset(503, 1495),
    "not-leader": Preset(503, 1496),
    "backend-unavailable": Preset(503, 1478),
    "shutting-down": Preset(503, 30),
    "write-concern": Preset(403, 1429),
    "write-write-conflict": Preset(409, 1200, message="write-write conflict"),
    "read-only": Preset(403, 1004),
    "unauthorized": Preset(401, 11),
    "too-many-requests": Preset(429, 429, headers=(("retry-after", "1"),)),
    "bad-gateway": Preset(502, page="502 Bad Gateway"),
    "unavailable": Preset(503, page="503 Service Temporarily Unavailable"),
    "gateway-timeout": Preset(504, page="504 Gateway Time-out"),
}


async def carried_out(request: Incoming, run: Run) -> Answer:
    """The answer of the request itself."""
    answer = run(request)
    return await answer if isinstance(answer, Awaitable) else answer


def _status(fault: Fault, request: Incoming, run: Run) -> Answer:
    """An answer in place of the request, which `run` (see `carry_out`; `never`) may carry out all the same."""
    spec = fault.spec
    carry_out(fault, request, run, str(spec.get("run", "never")))
    name = spec.get("preset")
    if name is not None:
        return _preset(PRESETS[str(name)])
    status = int(spec.get("status", 503))
    if "body" in spec:
        return Response(status, str(spec["body"]).encode(), content_type=HTML)
    return failure(ArangoError(int(spec.get("errorNum", status)), status=status))


def _preset(preset: Preset) -> Response:
    if preset.page:
        page = PROXY_PAGE.format(preset.page).encode()
        return Response(preset.status, page, {"server": "nginx"}, content_type=HTML)
    return failure(ArangoError(preset.error_num, preset.message, status=preset.status, headers=dict(preset.headers)))


def _lost_answer(fault: Fault, request: Incoming, run: Run) -> None:
    """Cut the connection; the request is carried out all the same (`run`: `late`)."""
    carry_out(fault, request, run, str(fault.spec.get("run", "late")))


def carry_out(fault: Fault, request: Incoming, run: Run, when: str) -> None:
    """Carry out a request whose answer nobody gets.

    When: `now`; `late`, after the option `late_delay`, which is after its own retry and later writes; `after-retry`,
    right after its own repetition and the next `writes` (1) requests that may write; or `never`.
    """

    def begin(delay: float) -> None:
        task = asyncio.ensure_future(_run_later(request, run, delay))
        fault.pending.add(task)
        task.add_done_callback(fault.pending.discard)

    if when == "after-retry":
        fault.following.after_retry(request, int(fault.number("writes", 1)), lambda: begin(0.0))
    elif when != "never":
        begin(0.0 if when == "now" else request.late_delay)


async def _run_later(request: Incoming, run: Run, delay: float) -> None:
    if delay:
        await asyncio.sleep(delay)
    await carried_out(request, run)


async def _delay(fault: Fault, request: Incoming, run: Run) -> Answer:
    """Carry out the request after a pause."""
    await asyncio.sleep(fault.number("seconds", 1.0))
    return await carried_out(request, run)


async def _slow_answer(fault: Fault, request: Incoming, run: Run) -> Answer:
    """Carry out the request at once, and answer after a pause."""
    answer = await carried_out(request, run)
    await asyncio.sleep(fault.number("seconds", 1.0))
    return answer


def _delivered(make: Callable[[Fault], Delivery]) -> Kind:
    async def run_and_deliver(fault: Fault, request: Incoming, run: Run) -> Answer:
        answer = await carried_out(request, run)
        if answer is not None:
            answer.delivery = make(fault)
        return answer

    return run_and_deliver


async def _headers(fault: Fault, request: Incoming, run: Run) -> Answer:
    """Other values of headers: `set` = name → value, null takes the header away."""
    answer = await carried_out(request, run)
    if answer is not None:
        changes: dict[str, Any] = fault.spec.get("set") or {}
        for name, value in changes.items():
            answer.headers.pop(name.lower(), None)
            if value is not None:
                answer.headers[name.lower()] = str(value)
    return answer


KINDS: dict[str, Kind] = {
    "lost_answer": _lost_answer,
    "status": _status,
    "delay": _delay,
    "slow_answer": _slow_answer,
    "headers": _headers,
    "cut": _delivered(lambda fault: Delivery(cut=fault.number("after", 0.5))),
    "content_length": _delivered(lambda fault: Delivery(length_error=int(fault.number("delta", 10)))),
    "drip": _delivered(lambda fault: Delivery(rate=fault.number("bytes_per_second", 1000))),
    "stall": _delivered(lambda fault: Delivery(cut=fault.number("after", 0.5), stall=fault.number("seconds", 5))),
}
