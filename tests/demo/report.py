# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table at the end of the demo, with its bounds."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["MAX_LAG", "MAX_RSS", "Figures", "table"]

MAX_RSS = 200 * 10**6  # bytes
MAX_LAG = 2.0  # seconds


@dataclass(frozen=True)
class Figures:
    """What a run measured; times in seconds, sizes in bytes."""

    documents: int
    bytes: int
    seconds_to_sync: float
    seconds_in_all: float
    writes_on_source: int
    writes_on_target: int
    writes_per_second: float
    lag_median: float | None
    lag_max: float | None
    write_downtime: float | None
    downtime_bound: float
    agent_peak_rss: int | None
    unknown_outcomes: int
    differences: int

    def as_dict(self) -> dict[str, object]:
        """For the file with the figures."""
        return asdict(self)


def shown(value: float | None, bound: float | None = None, unit: str = "s") -> str:
    """A measured value, and a warning if it is over its bound."""
    if value is None:
        return "not measured"
    text = f"{value:,.2f} {unit}"
    if bound is not None:
        text += f"   (bound {bound:,.1f} {unit}{': OVER' if value > bound else ''})"
    return text


def table(figures: Figures) -> str:
    """The table as text."""
    rss = None if figures.agent_peak_rss is None else figures.agent_peak_rss / 1e6
    rows = [
        ("documents", f"{figures.documents:,}"),
        ("bytes of documents", f"{figures.bytes / 1e6:,.1f} MB"),
        ("start to in sync", shown(figures.seconds_to_sync)),
        ("whole demo", shown(figures.seconds_in_all)),
        ("writes acknowledged by the source", f"{figures.writes_on_source:,}"),
        ("writes acknowledged by the target", f"{figures.writes_on_target:,}"),
        ("writes per second", f"{figures.writes_per_second:,.0f}"),
        ("writes with unknown outcome", f"{figures.unknown_outcomes:,}"),
        ("lag, median", shown(figures.lag_median)),
        ("lag, largest", shown(figures.lag_max, MAX_LAG)),
        ("write downtime", shown(figures.write_downtime, figures.downtime_bound)),
        ("agent's peak memory (VmHWM)", shown(rss, MAX_RSS / 1e6, "MB")),
        ("differences", f"{figures.differences:,}"),
    ]
    width = max(len(name) for name, _value in rows)
    line = "-" * (width + 40)
    return "\n".join([line, *(f"{name:<{width}}  {value}" for name, value in rows), line])
