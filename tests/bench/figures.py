# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One figure of a benchmark: compared with its goal, printed, and written to `build/bench/<name>.json`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent.parent.parent / "build" / "bench"


@dataclass(frozen=True)
class Figure:
    """What was measured.

    `peer` = the same work done by something else in the same run, if there is such a thing. `goal` is a lower bound, or
    with `at_most` an upper one, of `ours` or with `of_peer` of its ratio to the peer's. `conditions` say what
    the figure holds for.
    """

    name: str
    ours: float
    unit: str
    goal: float
    conditions: str
    peer: float | None = None
    at_most: bool = False
    of_peer: bool = False

    @classmethod
    def against(cls, name: str, ours: float, peer: float, unit: str, goal: float, conditions: str) -> Figure:
        """A cost that may be at most `goal` times the peer's."""
        return cls(name, ours, unit, goal, conditions, peer, at_most=True, of_peer=True)

    @property
    def ok(self) -> bool:
        """Whether the goal was reached."""
        value = self.ours / self.peer if self.of_peer and self.peer else self.ours
        return value <= self.goal if self.at_most else value >= self.goal

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return None if not self.peer else round(self.ours / self.peer, 3)

    def line(self) -> str:
        """One line for people."""
        bound = "at most" if self.at_most else "at least"
        times = " times the peer" if self.of_peer else ""
        peer = "" if self.peer is None else f", peer {_shown(self.peer)}, ratio {self.ratio}"
        verdict = "fine" if self.ok else "MISSED"
        return (
            f"{self.name:24} {_shown(self.ours):>12} {self.unit} "
            f"(goal {bound} {_shown(self.goal)}{times}{peer}): {verdict}"
        )

    def write(self, directory: Path = DIRECTORY) -> None:
        """Write the figure as JSON."""
        directory.mkdir(parents=True, exist_ok=True)
        values = dataclasses.asdict(self) | {"ratio": self.ratio, "ok": self.ok}
        del values["at_most"], values["of_peer"]
        (directory / f"{self.name}.json").write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
