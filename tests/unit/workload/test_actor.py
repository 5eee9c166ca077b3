# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request for many documents is recorded document by document, whatever one of them is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from arango.exceptions import ArangoServerError
from arango.request import Request
from arango.response import Response

from tests.workload.actor import Actor, bulk
from tests.workload.record import Record
from tests.workload.router import Router


def error(number: int, status: int) -> ArangoServerError:
    response = Response("post", "", {}, status, "", "")
    response.error_code = number
    return ArangoServerError(response, Request(method="post", endpoint="/"))


class Writer(Actor):
    collection = "events"
    rate = 1.0


def writer(answers: list[Any]) -> tuple[Writer, Record]:
    collection = SimpleNamespace(replace_many=lambda _documents, **_options: answers)
    database = SimpleNamespace(collection=lambda _name: collection)

    def write(_database: str, operation: Callable[[Any], Any]) -> tuple[str, Any]:
        return "target", operation(database)

    record = Record()
    return Writer(cast("Router", SimpleNamespace(write=write)), record, threading.Event(), "1"), record


def test_what_was_written_beside_a_failed_document_is_recorded() -> None:
    actor, record = writer([{"_rev": "r1"}, error(1202, 404), {"_rev": "r3"}, error(1200, 409), error(1457, 503)])
    documents = [{"_key": f"k{number}", "n": number} for number in range(1, 6)]
    with pytest.raises(ArangoServerError) as raised:
        actor.apply(
            [("replace", document) for document in documents],
            lambda database: bulk(cast("Any", database).collection("events"), "replace", documents),
        )
    assert raised.value.error_code == 1202
    entries = record.entries()["shop", "events"]
    assert {key: entry.acknowledged for key, entry in entries.items() if entry.acknowledged} == {
        "k1": {"target": {"_key": "k1", "n": 1, "_rev": "r1"}}, "k3": {"target": {"_key": "k3", "n": 3, "_rev": "r3"}},
    }
    assert {key for key, entry in entries.items() if entry.unknown} == {"k5"}
    assert actor.abandoned == {"k5"}
