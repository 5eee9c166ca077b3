# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which events two status documents after each other make, and how they are kept for those who come late."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.events import Changes, EventLog
from tests.browser.states import READY, REFUSED


def changed(**parts: Any) -> dict[str, Any]:
    document = copy.deepcopy(READY)
    for name, value in parts.items():
        document[name] = {**document[name], **value} if isinstance(value, dict) else value
    return document


def kinds(*documents: dict[str, Any], max_lag: float | None = None) -> list[str]:
    """Kinds of the events after the first look; the line of the status changes with most things."""
    log = EventLog()
    changes = Changes(log, max_lag)
    for document in documents:
        changes.look(document)
    return [event.kind for event in log.since(0)][1:]


ATTEMPT = {"number": 1, "at": "2026-11-28T03:10:00.000Z", "result": "rolled-back"}


@pytest.mark.parametrize(
    ("after", "made"),
    [
        (READY, []),
        (changed(age_seconds=0.9), []),
        (changed(state="failed"), ["state", "status"]),
        (changed(cutover={"ready": False}), ["blocked", "status"]),
        (changed(cutover={"step": "drain"}), ["step", "status"]),
        (changed(cutover={"last_attempt": ATTEMPT}), ["attempt"]),
        (changed(problems=[REFUSED]), ["problem", "status"]),
        (changed(replication={"lag_seconds": 50.0}), ["status"]),
    ],
)
def test_what_is_new_is_an_event(after: dict[str, Any], made: list[str]) -> None:
    assert kinds(READY, after) == made


def test_what_is_over_is_an_event_too() -> None:
    assert kinds(changed(cutover={"ready": False}), READY) == ["ready", "status"]
    assert kinds(changed(problems=[REFUSED]), READY) == ["resolved", "status"]
    assert kinds(changed(problems=[REFUSED]), changed(problems=[{**REFUSED, "count": 9}])) == []


def test_a_lag_is_told_once_and_again_when_it_is_clearly_gone() -> None:
    lags = [changed(replication={"lag_seconds": lag}) for lag in (1.0, 11.0, 12.0, 9.9, 11.0, 1.0)]
    assert [kind for kind in kinds(*lags, max_lag=10.0) if kind == "lag"] == ["lag", "lag"]
    assert "lag" not in kinds(*lags)


def test_who_comes_late_gets_what_was_missed_as_far_as_it_is_kept() -> None:
    log = EventLog()
    for number in range(5000):
        log.publish("status", {"number": number})
    kept = log.since(0)
    assert kept[-1].data == {"number": 4999}
    assert len(kept) < 5000
    assert [event.number for event in kept] == list(range(kept[0].number, kept[0].number + len(kept)))
    assert log.since(kept[-2].number) == kept[-1:]
    assert log.since(None) == kept[-1:]


def test_a_stream_shows_that_it_lives_and_ends_with_the_agent() -> None:
    log = EventLog()
    stream = log.stream(None, heartbeat=0.01)
    assert next(stream) == b"retry: 2000\n\n"
    assert next(stream) == b": still here\n\n"
    log.publish("status", {"line": "one\ntwo"})
    told = b""
    while b"event: status" not in told:
        told = next(stream)
    number = log.since(None)[0].number
    assert told == b'id: %d\nevent: status\ndata: {"line":"one\\ntwo"}\n\n' % number
    ender = threading.Timer(0.05, log.close)
    ender.start()
    assert set(stream) <= {b": still here\n\n"}
    ender.join()
