# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The last minutes of a few figures, kept in memory for the page's small curves."""
from __future__ import annotations

import threading
from collections import deque
from typing import Any, Mapping, Optional

from .._engine.display import lookup

# One sample every two seconds for ten minutes.
SAMPLE_SECONDS = 2.0
SAMPLES = 300
SERIES = {
    "lag": "replication.lag_seconds",
    "copy": "progress.bytes_per_second",
    "apply": "replication.operations_per_second",
}
Points = list[tuple[float, Optional[float]]]


class History:
    """A bounded series per figure; thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._points: dict[str, deque[tuple[float, Optional[float]]]] = {
            name: deque(maxlen=SAMPLES) for name in SERIES
        }

    def add(self, at: float, status: Mapping[str, Any]) -> None:
        """Take a sample at ``at`` (seconds); what is not known stays a gap."""
        with self._lock:
            for name, path in SERIES.items():
                value = lookup(status, path)
                known = isinstance(value, (int, float)) and not isinstance(value, bool)
                self._points[name].append((at, float(value) if known else None))

    def points(self, name: str) -> Points:
        """The samples of one figure, oldest first."""
        with self._lock:
            return list(self._points[name])


def sparkline(points: Points, label: str, *, width: int = 240, height: int = 40) -> str:
    """A curve as inline SVG from 0 to its largest value; gaps stay gaps. Empty when nothing is known."""
    known = [value for _at, value in points if value is not None]
    if len(known) < 2:
        return ""
    top = max(known) or 1.0
    step = width / max(1, len(points) - 1)
    paths, pen = [], "M"
    for index, (_at, value) in enumerate(points):
        if value is None:
            pen = "M"
            continue
        paths.append(f"{pen}{index * step:.1f} {height - 1 - value / top * (height - 2):.1f}")
        pen = "L"
    return (
        f'<svg class="spark" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}"><path d="{"".join(paths)}"/></svg>'
    )
