# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bulk requests: lost answers, sizes that a front-end does not bear, refusals of the whole request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import (
    ArangoError,
    CutoverError,
    TransportError,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.bulk import failures, insert_all
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Stopped
from tests.unit.plugins.module_utils._engine.fake_target import PLAN, Bench, FakeTarget
from tests.unit.plugins.module_utils._engine.logs import insert

LOST = TransportError("CUT-HTTP-1", "no answer", outcome_unknown=True)
NOT_SENT = TransportError("CUT-HTTP-1", "no connection", outcome_unknown=False)
DOCUMENTS = [insert(number, b"k%d" % number) for number in range(1, 5)]
KEYS = [b"k1", b"k2", b"k3", b"k4"]


def refusal(status: int, number: int, kind: str) -> ArangoError:
    return ArangoError("CUT-ARANGO-6", "no", status=status, error_num=number, method="POST", url="u", kind=kind)


@pytest.fixture
def bench() -> Bench:
    return Bench(FakeTarget())


def test_i1_lost_answers_are_noted_before_they_are_repeated(bench: Bench) -> None:
    bench.target.script = [LOST]
    assert insert_all(bench.writer, PLAN, DOCUMENTS[:1], 100) == []
    assert bench.notes.noted[0] == (1, [b"k1"]), "on disk before the second request"
    assert bench.notes.noted[-1] == (2, [b"k1"]), "the repetition may run late as well"
    assert list(bench.target.documents) == ["k1"]


def test_i1_gateway_errors_are_unknown_outcomes_too(bench: Bench) -> None:
    bench.target.script = [refusal(504, 0, "transient")]
    insert_all(bench.writer, PLAN, DOCUMENTS, 100)
    assert bench.notes.noted[0] == (1, KEYS)
    assert len(bench.target.documents) == 4


def test_what_was_not_sent_or_was_refused_is_not_noted(bench: Bench) -> None:
    bench.target.script = [NOT_SENT, refusal(503, 21003, "transient"), refusal(401, 11, "operator")]
    insert_all(bench.writer, PLAN, DOCUMENTS, 100)
    assert bench.notes.noted == []
    assert len(bench.target.requests) == 4
    assert bench.patience.troubles.errors == 3
    assert bench.patience.troubles.waiting() == ()


@pytest.mark.parametrize("status", [413, 502, 504])
def test_requests_that_a_front_end_does_not_bear_become_smaller(bench: Bench, status: int) -> None:
    before = bench.writer.size.bytes
    bench.target.script = [refusal(status, 0, "transient" if status != 413 else "fatal")]
    insert_all(bench.writer, PLAN, DOCUMENTS, 100)
    sizes = [len(content) for method, path, content in bench.target.requests]
    assert sizes == [4, 2, 2]
    assert bench.writer.size.bytes < before
    for _turn in range(20):
        insert_all(bench.writer, PLAN, DOCUMENTS, 100)
    assert bench.writer.size.bytes == before, "success makes them grow again"


def test_i9_a_refusal_of_the_whole_request_is_narrowed_to_its_document(bench: Bench) -> None:
    original = bench.target.request

    def request(method: str, path: str, **options: Any) -> Response:
        if b'"k3"' in b"".join(options["data"]):
            bench.target.requests.append((method, path, []))
            raise refusal(400, 1221, "fatal")
        return original(method, path, **options)

    bench.target.request = request  # type: ignore[method-assign]
    refused = insert_all(bench.writer, PLAN, DOCUMENTS, 100)
    assert [(one.marker.key, one.failure.number) for one in refused] == [(b"k3", 1221)]
    assert sorted(bench.target.documents) == ["k1", "k2", "k4"]


def test_i9_trouble_inside_the_target_is_not_the_documents_fault(bench: Bench) -> None:
    """A server that runs out of memory for a while refuses everything: no finding for each of a million documents."""
    bench.target.script = [refusal(500, 3, "fatal"), refusal(500, 4, "fatal")]
    assert insert_all(bench.writer, PLAN, DOCUMENTS, 100) == []
    assert [len(content) for method, path, content in bench.target.requests] == [4, 4, 4]


@pytest.mark.parametrize("number", [1203, 1228])
def test_a_collection_that_is_gone_is_no_matter_of_documents(bench: Bench, number: int) -> None:
    bench.target.script = [refusal(404, number, "fatal")]
    with pytest.raises(ArangoError):
        insert_all(bench.writer, PLAN, DOCUMENTS, 100)
    assert len(bench.target.requests) == 1


def test_stopping_ends_the_repetitions(bench: Bench) -> None:
    bench.target.script = [NOT_SENT] * 3
    original = bench.target.request

    def request(*arguments: object, **options: object) -> Response:
        bench.stop.set()
        return original(*arguments, **options)  # type: ignore[arg-type]

    bench.target.request = request  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        insert_all(bench.writer, PLAN, DOCUMENTS, 100)
    assert len(bench.target.requests) == 1


def test_the_body_is_parsed_only_when_the_header_asks_for_it() -> None:
    assert failures(Response(202, {}, b"no JSON at all"), 3) == [None, None, None]
    items = [{"_key": "a"}, {"error": True, "errorNum": 1210, "errorMessage": "unique"}]
    answer = Response(202, {"x-arango-error-codes": '{"1210":1}'}, json.dumps(items).encode())
    assert failures(answer, 2) == [None, (1210, "unique")]
    with pytest.raises(CutoverError) as caught:
        failures(answer, 3)
    assert caught.value.code == "CUT-DATA-2"
