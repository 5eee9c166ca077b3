# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Visits every state that can be reached, and tells the shortest way to one that must not be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Optional

from tests.model.machine import Machine, State

Judge = Callable[[State, bool], Optional[str]]


@dataclass
class Explored:
    """How many states there are, how many of them are ends, and the first wrong one with the way to it."""

    states: int = 0
    ends: int = 0
    outcomes: set[tuple[bool, bool]] = field(default_factory=set)
    wrong: Optional[str] = None
    way: list[str] = field(default_factory=list)


def explore(machine: Machine, begin: State, judge: Judge) -> Explored:
    """Breadth first; ends at the first state that ``judge`` names. It is told of each state whether nothing follows."""
    found = Explored()
    came_from: dict[State, Optional[tuple[State, str]]] = {begin: None}
    waiting = deque([begin])
    while waiting:
        state = waiting.popleft()
        last = True
        for label, after in machine.steps(state):
            last = last and after == state
            if after not in came_from:
                came_from[after] = (state, label)
                waiting.append(after)
        found.states += 1
        if last:
            found.ends += 1
            found.outcomes.add((state.writable, state.open))
        found.wrong = judge(state, last)
        if found.wrong is not None:
            found.way = _way(came_from, state)
            break
    return found


def _way(came_from: dict[State, Optional[tuple[State, str]]], state: State) -> list[str]:
    labels = []
    step = came_from[state]
    while step is not None:
        labels.append(step[1])
        step = came_from[step[0]]
    return labels[::-1]
