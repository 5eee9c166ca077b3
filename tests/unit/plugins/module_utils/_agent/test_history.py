# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The small curves of the status page: what was seen in the last minutes, with gaps where nothing was known."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.events import EventLog
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.history import SAMPLES, History, sparkline
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.page import render_page
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.watcher import Watcher
from tests.browser.states import READY


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


def status(lag: float | None) -> dict[str, Any]:
    return {**READY, "replication": {**READY["replication"], "lag_seconds": lag}}


def test_the_page_shows_a_curve_for_each_moving_figure() -> None:
    history = History()
    for at in range(5):
        history.add(float(at), status(0.1 * at))
    page = render_page(READY, (), history)
    assert re.findall(r'aria-label="(.*?) in the last minutes"', page) == ["Lag", "Bytes copied", "Operations applied"]
    assert "<svg" not in render_page(READY, (), History())


def test_a_curve_goes_from_nothing_to_its_largest_value() -> None:
    drawn = sparkline([(0.0, 0.0), (2.0, 5.0), (4.0, 10.0)], "Lag", width=100, height=40)
    assert 'd="M0.0 39.0L50.0 20.0L100.0 1.0"' in drawn
    assert 'role="img" aria-label="Lag"' in drawn


def test_what_was_not_known_is_a_gap() -> None:
    drawn = sparkline([(0.0, 1.0), (2.0, None), (4.0, 1.0), (6.0, 1.0)], "Lag")
    assert drawn.count("M") == 2
    assert sparkline([(0.0, None), (2.0, 1.0)], "Lag") == ""
    assert "nan" not in sparkline([(0.0, 0.0), (2.0, 0.0)], "Lag")


def test_the_watcher_takes_samples_at_their_pace_and_keeps_the_last_minutes() -> None:
    clock, history, lag = Clock(), History(), 0.0
    watcher = Watcher(lambda: status(lag), EventLog(), history, clock)  # type: ignore[arg-type]
    for look in range(4 * SAMPLES + 40):
        clock.now, lag = 100.0 + 0.5 * look, float(look)
        watcher.look()
    points = history.points("lag")
    assert len(points) == SAMPLES
    assert points[-1] == (100.0 + 2.0 * (SAMPLES + 9), float(4 * (SAMPLES + 9)))
    assert {later[0] - earlier[0] for earlier, later in zip(points, points[1:])} == {2.0}
