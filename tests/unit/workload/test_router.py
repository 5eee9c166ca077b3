# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the workload's writes go, and which answers count as a refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from arango.exceptions import DocumentInsertError
from arango.request import Request
from arango.response import Response
from requests.exceptions import ConnectionError as BrokenConnection

from tests.workload.clients import NotConnectedError
from tests.workload.router import HalfDoneError, Router, Stopped, UnknownOutcomeError


def server_error(status: int, number: int) -> DocumentInsertError:
    response = Response("post", "https://x/", {}, status, "text", "")
    response.error_code, response.error_message = number, "text"
    return DocumentInsertError(response, Request("post", "/x"))


def router(stop: threading.Event | None = None) -> Router:
    sides = [SimpleNamespace(database=lambda _name, side=side: side) for side in ("source", "target")]
    return Router(sides[0], sides[1], stop or threading.Event())  # type: ignore[arg-type]


def answering(script: dict[str, list[Any]], seen: list[str]) -> Callable[[Any], Any]:
    def operation(side: Any) -> Any:
        seen.append(side)
        answer = script[side].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return operation


@pytest.mark.parametrize(
    "refusal", [(403, 1004), (403, 11), (401, 11), (401, 0), (404, 1203), (410, 1653), (412, 21004), (500, 1104)]
)
def test_refused_by_the_source_goes_to_the_target_and_stays_there(refusal: tuple[int, int]) -> None:
    seen: list[str] = []
    one = router()
    assert one.write("d", answering({"source": [1], "target": []}, seen)) == ("source", 1)
    assert one.write("d", answering({"source": [server_error(*refusal)], "target": [2]}, seen)) == ("target", 2)
    assert one.write("d", answering({"source": [], "target": [3]}, seen)) == ("target", 3)
    assert seen == ["source", "source", "target", "target"]
    assert one.refusals.count == {"source": 1, "target": 0}


def test_refused_by_both_is_tried_again_from_the_source() -> None:
    seen: list[str] = []
    script = {"source": [server_error(403, 1004), 5], "target": [server_error(403, 11)]}
    assert router().write("d", answering(script, seen)) == ("source", 5)
    assert seen == ["source", "target", "source"]


def test_other_errors_are_no_refusal() -> None:
    with pytest.raises(DocumentInsertError):
        router().write("d", answering({"source": [server_error(409, 1210)], "target": []}, []))


@pytest.mark.parametrize("answer", [(500, 1457), (502, 0), (504, 0), (503, 1496), (406, 1489), (500, 4)])
def test_an_answer_that_tells_nothing_is_an_unknown_outcome(answer: tuple[int, int]) -> None:
    with pytest.raises(UnknownOutcomeError) as caught:
        router().write("d", answering({"source": [server_error(*answer)], "target": []}, []))
    assert caught.value.side == "source"


def test_work_half_done_is_an_unknown_outcome() -> None:
    with pytest.raises(UnknownOutcomeError):
        router().write("d", answering({"source": [HalfDoneError("a frame is committed")], "target": []}, []))


def test_a_broken_connection_is_an_unknown_outcome_and_never_repeated() -> None:
    seen: list[str] = []
    with pytest.raises(UnknownOutcomeError):
        router().write("d", answering({"source": [BrokenConnection("cut")], "target": []}, seen))
    assert seen == ["source"]


def test_where_nobody_listens_nothing_was_sent_and_the_next_coordinator_is_asked() -> None:
    moves: list[str] = []
    side: Any = SimpleNamespace(database=lambda _name: "s", move_on=lambda: moves.append("next"))
    script = {"s": [NotConnectedError("refused"), 7]}
    assert Router(side, None, threading.Event()).write("d", answering(script, [])) == ("source", 7)
    assert moves == ["next"]


def test_stopping_ends_the_waiting() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        router(stop).write("d", answering({"source": [], "target": []}, []))
