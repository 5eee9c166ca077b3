# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Posted events in the form of the event source: none twice, none replayed, gaps told, others untouched."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.times import stamp
from tests.unit.eda.loading import plugin


@pytest.fixture
def posted() -> ModuleType:
    """The plugin, knowing nothing yet."""
    return plugin("event_filter", "posted")


def event(number: int, stream: str = "a", age: float = 0.0) -> dict[str, Any]:
    """An event as the stock webhook hands it on."""
    payload = {"kind": "ready", "stream": stream, "sequence": number, "sent_at": stamp(time.time() - age)}
    return {"payload": payload, "meta": {"endpoint": "agent"}}


def test_the_payload_is_the_event(posted: ModuleType) -> None:
    first = event(7)
    assert posted.main(first) == [first["payload"]]


def test_what_came_before_is_left_out(posted: ModuleType) -> None:
    assert [len(posted.main(event(number))) for number in (1, 2, 2, 1, 3)] == [1, 1, 0, 0, 1]
    assert len(posted.main(event(1, stream="b"))) == 1


def test_missing_numbers_are_told_before_what_came_behind_them(posted: ModuleType) -> None:
    posted.main(event(3))
    gap, behind = posted.main(event(6))
    assert (gap["kind"], gap["missed"], behind["sequence"]) == ("missed", 2, 6)


@pytest.mark.parametrize("age", [301.0, -301.0])
def test_what_was_sent_at_another_time_is_left_out(posted: ModuleType, age: float) -> None:
    assert posted.main(event(1, age=age)) == []
    assert len(posted.main(event(1, age=age), max_age=3000)) == 1


@pytest.mark.parametrize("other", [{}, {"payload": "x"}, {"payload": {"kind": "push"}}, {"kind": "ready"}])
def test_events_of_others_are_left_as_they_are(posted: ModuleType, other: dict[str, Any]) -> None:
    assert posted.main(other) == [other]


def test_the_memory_is_bounded(posted: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posted, "MOST_STREAMS", 3)
    for number in range(10):
        posted.main(event(1, stream=str(number)))
    assert list(posted._last) == ["7", "8", "9"]
