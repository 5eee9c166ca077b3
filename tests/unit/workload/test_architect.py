# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A change of definitions that failed after a part of it is doubted, not repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from arango.exceptions import ArangoServerError

from tests.unit.workload.test_actor import error
from tests.workload.architect import Architect, Site
from tests.workload.record import Record
from tests.workload.router import Router, UnknownOutcomeError


class Client:
    """Answers every request with an error; counts them."""

    def __init__(self, failure: ArangoServerError) -> None:
        self.failure, self.asked = failure, 0

    def create_collection(self, _name: str) -> None:
        self.asked += 1
        raise self.failure


def architect(client: Client) -> Architect:
    connection = SimpleNamespace(database=lambda _name: client)
    stop = threading.Event()
    return Architect(Router(cast("Any", connection), None, stop), Record(), stop, "1")


@pytest.mark.parametrize(("number", "status"), [(1104, 500), (1429, 503)])
def test_no_room_may_mean_that_the_creators_grant_failed_only(number: int, status: int) -> None:
    client = Client(error(number, status))
    work = architect(client)
    create: Callable[[Any], object] = lambda handle: handle.create_collection("c1")  # noqa: E731
    with pytest.raises(UnknownOutcomeError):
        work.change(("collection", "yard1", "c1"), {}, create)
    assert client.asked == 1
    assert work.record.doubtful == {("collection", "yard1", "c1")}


def test_it_draws_no_more_changes_than_it_may() -> None:
    client = Client(error(1104, 500))
    work = architect(client)
    drawn: list[str] = []
    work.verbs, work.most, work.sites = ("insert",), 2, {"yard1": Site()}
    work.insert = lambda: drawn.append("insert")  # type: ignore[method-assign]
    for _step in range(5):
        work.step()
    assert len(drawn) == 2
