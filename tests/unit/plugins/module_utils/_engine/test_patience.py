# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the data path repeats, and what it ends with: the table of facts §7.8, row by row."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import (
    ArangoError,
    CutoverError,
    TransportError,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._core.retry import kind
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.patience import Patience, Troubles


def answer(status: int, number: int, message: str) -> ArangoError:
    """An error answer, judged as one that came over the wire."""
    return ArangoError(
        "CUT-ARANGO-1", message, status=status, error_num=number, method="POST", url="u",
        kind=kind(status, number, message),
    )  # fmt: skip


class Server:
    """Answers with an error twice, then well; remembers what was shown as waited for."""

    def __init__(self, error: CutoverError, troubles: Troubles) -> None:
        self.error, self.troubles = error, troubles
        self.calls = 0
        self.shown: list[tuple[str, ...]] = []

    def __call__(self) -> str:
        self.calls += 1
        self.shown.append(self.troubles.waiting())
        if self.calls < 3:
            raise self.error
        return "done"


def ask(error: CutoverError) -> tuple[Server, Patience]:
    troubles = Troubles()
    return Server(error, troubles), Patience(threading.Event(), troubles, 0.001)


PASSING = [
    (503, 503), (503, 21003), (503, 1478), (503, 1491), (503, 1495), (503, 1496), (503, 30), (503, 1465), (503, 1429),
    (412, 21004), (500, 1457), (500, 18), (500, 28), (504, 1302), (500, 1474), (500, 1481),
    (406, 1489), (406, 1490), (410, 21), (410, 1500), (410, 1654),
    (403, 1429), (403, 1004),
    # Not repeated by themselves, but an operator can cure them: credentials, rights, limits.
    (401, 0), (403, 11), (400, 1450), (500, 32),
]  # fmt: skip
FINAL = [
    (400, 600), (400, 1221), (400, 1233), (400, 1620), (404, 1203), (404, 1228), (409, 1207), (409, 1210), (400, 1466),
]  # fmt: skip


@pytest.mark.parametrize(("status", "number"), PASSING)
def test_what_can_pass_is_repeated_and_told_until_it_has_passed(status: int, number: int) -> None:
    """The operator sees what is waited for from the first error on, and no longer than it lasts."""
    server, patience = ask(answer(status, number, f"error {number}"))
    assert patience.call(server) == "done"
    assert server.shown[0] == ()
    assert all(f"error {number}" in text for shown in server.shown[1:] for text in shown)
    assert [len(shown) for shown in server.shown] == [0, 1, 1]
    assert patience.troubles.waiting() == ()
    assert (patience.troubles.errors, patience.troubles.retries) == (2, 2)


@pytest.mark.parametrize(("status", "number"), FINAL)
def test_what_cannot_pass_ends_the_call_at_once(status: int, number: int) -> None:
    """Once asked, nothing is left to wait for."""
    server, patience = ask(answer(status, number, "no"))
    with pytest.raises(ArangoError):
        patience.call(server)
    assert server.calls == 1
    assert patience.troubles.waiting() == ()


@pytest.mark.parametrize(("message", "calls"), [("AQL: write-write conflict", 3), ("_rev values do not match", 1)])
def test_a_conflict_passes_only_between_writers(message: str, calls: int) -> None:
    """1200 stands for both (facts §7.8)."""
    server, patience = ask(answer(409, 1200, message))
    if calls == 1:
        with pytest.raises(ArangoError):
            patience.call(server)
    else:
        assert patience.call(server) == "done"
    assert server.calls == calls


def test_a_lost_answer_is_asked_for_again() -> None:
    """The caller says by using ``call`` that it is harmless."""
    server, patience = ask(TransportError("CUT-HTTP-4", "lost", outcome_unknown=True))
    assert patience.call(server) == "done"


def test_pauses_grow_to_their_cap() -> None:
    """Never longer than 15 s, and a busy server is asked less and less often."""
    pauses = Patience(threading.Event(), Troubles()).pauses()
    found = [pauses.next() for _ in range(40)]
    assert max(found) <= 15.0
    assert max(found[:2]) < max(found[-5:])
