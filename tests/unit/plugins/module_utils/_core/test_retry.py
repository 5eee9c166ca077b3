# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of facts §7.8 and the loop around it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Backoff, Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import (
    ArangoError,
    CutoverError,
    TransportError,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._core.retry import call_with_retry, kind, may_repeat


@pytest.mark.parametrize(
    ("status", "number", "expected"),
    [
        (503, 503, "transient"), (503, 21003, "transient"), (503, 1478, "transient"), (503, 1491, "transient"),
        (503, 1495, "transient"), (503, 1496, "transient"), (503, 30, "transient"), (503, 1465, "transient"),
        (503, 1429, "transient"), (412, 21004, "transient"), (500, 1457, "transient"), (500, 18, "transient"),
        (500, 28, "transient"), (504, 1302, "transient"), (500, 1474, "transient"), (500, 1481, "transient"),
        (406, 1489, "transient"), (406, 1490, "transient"), (410, 21, "transient"), (410, 1500, "transient"),
        (410, 1654, "transient"), (429, 0, "transient"), (502, 0, "transient"), (504, 0, "transient"),
        (503, 0, "transient"), (420, 0, "transient"),
        (403, 1429, "longer"), (403, 1004, "longer"), (500, 1104, "longer"),
        (401, 0, "operator"), (401, 11, "operator"), (403, 11, "operator"), (403, 0, "operator"),
        (400, 1450, "operator"), (500, 32, "operator"),
        (400, 600, "fatal"), (400, 1221, "fatal"), (400, 1233, "fatal"), (400, 1620, "fatal"), (404, 1203, "fatal"),
        (404, 1228, "fatal"), (409, 1207, "fatal"), (409, 1210, "fatal"), (400, 1466, "fatal"), (412, 1200, "fatal"),
        (413, 0, "fatal"), (500, 4, "fatal"), (301, 0, "fatal"),
    ],
)  # fmt: skip
def test_table_7_8(status: int, number: int, expected: str) -> None:
    assert kind(status, number) == expected


def test_1200_passes_only_as_write_write_conflict() -> None:
    assert kind(409, 1200, "AQL: write-write conflict") == "transient"
    assert kind(409, 1200, "conflict, _rev values do not match") == "fatal"


def lost() -> TransportError:
    return TransportError("CUT-HTTP-4", "lost", outcome_unknown=True)


def refused() -> TransportError:
    return TransportError("CUT-HTTP-1", "refused", outcome_unknown=False)


def arango(status: int, number: int) -> ArangoError:
    return ArangoError(
        "CUT-ARANGO-1", "m", status=status, error_num=number, method="POST", url="u", kind=kind(status, number)
    )


@pytest.mark.parametrize(
    ("error", "idempotent", "repeated"),
    [
        (lost(), False, False),
        (lost(), True, True),
        (refused(), False, True),
        (arango(503, 21003), False, True),
        (arango(504, 0), False, False),
        (arango(504, 0), True, True),
        (arango(409, 1210), True, False),
        (CutoverError("CUT-HTTP-7", "m"), True, False),
    ],
)
def test_what_may_be_repeated(error: CutoverError, idempotent: bool, repeated: bool) -> None:
    assert may_repeat(error, idempotent=idempotent) is repeated


def run(errors: list[CutoverError], **options: Any) -> tuple[str, int]:
    left = list(errors)
    calls = 0

    def call() -> str:
        nonlocal calls
        calls += 1
        if left:
            raise left.pop(0)
        return "done"

    options.setdefault("backoff", Backoff(0.001, 0.002))
    result = call_with_retry(
        call, options.pop("deadline", Deadline(5)), options.pop("stop", threading.Event()), **options
    )
    return result, calls


def test_what_passes_is_repeated_and_reported() -> None:
    seen: list[str] = []
    result = run([refused(), arango(503, 21003)], on_retry=lambda error, _pause: seen.append(error.code))
    assert result == ("done", 3)
    assert seen == ["CUT-HTTP-1", "CUT-ARANGO-1"]


def test_an_unknown_outcome_is_raised_unless_the_call_is_idempotent() -> None:
    with pytest.raises(TransportError):
        run([lost()])
    assert run([lost()], idempotent=True) == ("done", 2)


def test_what_cannot_pass_is_raised_at_once() -> None:
    with pytest.raises(ArangoError):
        run([arango(409, 1210)], idempotent=True)


def test_the_deadline_ends_the_loop_with_the_last_error() -> None:
    with pytest.raises(TransportError) as caught:
        run([refused()] * 1000, deadline=Deadline(0.05), backoff=Backoff(0.01, 0.01))
    assert caught.value.code == "CUT-HTTP-1"


def test_stop_ends_the_loop() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(TransportError):
        run([refused()], stop=stop)
