# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines that come again in each round."""

from __future__ import annotations

from ansible_collections.cutover.arangodb.plugins.module_utils._core.repeats import LONGEST_PAUSE, Repeats


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now


def test_a_line_rests_longer_and_longer_and_is_counted() -> None:
    clock = Hands()
    repeats = Repeats(clock)
    told = []
    for second in range(6 * 3600):
        clock.now = float(second)
        line = repeats.line("CUT-X-1", "full")
        if line is not None:
            told.append((second, line))
    assert told[:3] == [(0, "full"), (60, "full (came 61 times by now)"), (180, "full (came 181 times by now)")]
    pauses = [later[0] - earlier[0] for earlier, later in zip(told, told[1:])]
    assert pauses == sorted(pauses)
    assert max(pauses) == LONGEST_PAUSE


def test_another_cause_is_told_at_once_and_so_is_one_that_was_over() -> None:
    repeats = Repeats(Hands())
    assert repeats.line("CUT-X-1", "full") == "full"
    assert repeats.line("CUT-X-1", "full") is None
    assert repeats.line("CUT-X-2", "away") == "away"
    repeats.forget()
    assert repeats.line("CUT-X-1", "full") == "full"
