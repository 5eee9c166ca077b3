# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the command line and the module that watch a migration show alike: the bar, and each problem once."""
from __future__ import annotations

from typing import Any, Mapping

BAR_WIDTH = 24
ERASE = "\r\x1b[2K"


def share_bar(percent: Any) -> str:
    """A bar of fixed width; empty while nothing is known."""
    share = min(1.0, max(0.0, percent / 100)) if isinstance(percent, (int, float)) else 0.0
    full = int(share * BAR_WIDTH)
    return f"[{'#' * full}{'.' * (BAR_WIDTH - full)}]"


class ProblemsOnce:
    """Remembers what was told, so that a problem that stays is one line."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def new_lines(self, status: Mapping[str, Any]) -> list[str]:
        """A line for each problem of the status document that was not told before."""
        lines = []
        for problem in status.get("problems") or []:
            name = (str(problem.get("code")), str(problem.get("where")))
            if name not in self._told:
                self._told.add(name)
                lines.append(f"{problem.get('severity')}: {problem.get('text')} ({name[0]})")
        return lines
