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
    with `at_most` an upper one. `conditions` say what the figure holds for.
    """

    name: str
    ours: float
    unit: str
    goal: float
    conditions: str
    peer: float | None = None
    at_most: bool = False

    @property
    def ok(self) -> bool:
        """Whether the goal was reached."""
        return self.ours <= self.goal if self.at_most else self.ours >= self.goal

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return None if not self.peer else round(self.ours / self.peer, 3)

    def line(self) -> str:
        """One line for people."""
        bound = "at most" if self.at_most else "at least"
        peer = "" if self.peer is None else f", peer {self.peer:,.0f}"
        verdict = "fine" if self.ok else "MISSED"
        return f"{self.name:24} {self.ours:12,.1f} {self.unit} (goal {bound} {self.goal:,.0f}{peer}): {verdict}"

    def write(self, directory: Path = DIRECTORY) -> None:
        """Write the figure as JSON."""
        directory.mkdir(parents=True, exist_ok=True)
        values = dataclasses.asdict(self) | {"ratio": self.ratio, "ok": self.ok}
        del values["at_most"]
        (directory / f"{self.name}.json").write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")
