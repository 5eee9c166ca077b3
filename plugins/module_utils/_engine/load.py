# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a migration may put on both sides: presets, explicit limits, bandwidth by time of day (design §4.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Optional
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_COPIERS = 32
_WINDOW_FIELDS = ("from", "to", "days", "mb_per_second", "time_zone")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")
_MOST = 1e9


@dataclass(frozen=True)
class Budget:
    """What is allowed at one moment; None = no limit. ``queue_seconds`` is the queue time above which we give way."""

    mb_per_second: Optional[float]
    operations_per_second: Optional[float]
    verify_rate: float
    copiers: int
    queue_seconds: Optional[float]
    window: Optional[str] = None


# ``balanced`` leaves bandwidth alone and gives way when requests of others begin to wait.
PRESETS: Mapping[str, Budget] = {
    "gentle": Budget(20.0, 5_000.0, 20_000.0, 1, 0.1),
    "balanced": Budget(None, None, 200_000.0, 2, 0.5),
    "fast": Budget(None, None, 500_000.0, 4, 2.0),
    "max": Budget(None, None, _MOST, 8, None),
}


@dataclass(frozen=True)
class Window:
    """A bandwidth for some time of some days; one that ends before it begins goes on into the next day."""

    begin: str
    end: str
    mb_per_second: float
    days: tuple[str, ...] = DAYS
    time_zone: str = "UTC"

    def as_value(self) -> dict[str, Any]:
        """As in a request."""
        return {
            "from": self.begin,
            "to": self.end,
            "days": list(self.days),
            "mb_per_second": self.mb_per_second,
            "time_zone": self.time_zone,
        }

    def holds(self, wall: float) -> bool:
        """Whether it is open at a moment (seconds since 1970)."""
        now = datetime.fromtimestamp(wall, ZoneInfo(self.time_zone))
        at = f"{now:%H:%M}"
        if self.begin < self.end:
            return self.begin <= at < self.end and DAYS[now.weekday()] in self.days
        # After midnight it is still the window of the day before.
        day = now if at >= self.begin else now - timedelta(days=1)
        return (at >= self.begin or at < self.end) and DAYS[day.weekday()] in self.days

    def __str__(self) -> str:
        return f"{self.begin}-{self.end} {self.time_zone}"


@dataclass(frozen=True)
class Load:
    """The preset and what overrides it; 0 in ``mb_per_second`` and ``operations_per_second`` lifts the preset's."""

    load: str = "balanced"
    mb_per_second: Optional[float] = None
    operations_per_second: Optional[float] = None
    verify_rate: Optional[float] = None
    copiers: Optional[int] = None
    windows: tuple[Window, ...] = ()

    def as_values(self) -> dict[str, Any]:
        """As in a request."""
        return {
            "load": self.load,
            "mb_per_second": self.mb_per_second,
            "operations_per_second": self.operations_per_second,
            "verify_rate": self.verify_rate,
            "copiers": self.copiers,
            "windows": [window.as_value() for window in self.windows],
        }

    def shown(self, wall: float) -> dict[str, Any]:
        """For the status: the numbers in force at a moment, and the window that is open."""
        budget = self.at(wall)
        return {
            **self.as_values(),
            "mb_per_second": budget.mb_per_second,
            "operations_per_second": budget.operations_per_second,
            "verify_rate": budget.verify_rate,
            "copiers": budget.copiers,
            "window": budget.window,
        }

    def at(self, wall: float) -> Budget:
        """What is allowed at a moment: the first open window decides the bandwidth."""
        preset = PRESETS[self.load]
        window = next((one for one in self.windows if one.holds(wall)), None)
        bandwidth = window.mb_per_second if window else self.mb_per_second
        return Budget(
            _or_preset(bandwidth, preset.mb_per_second),
            _or_preset(self.operations_per_second, preset.operations_per_second),
            preset.verify_rate if self.verify_rate is None else self.verify_rate,
            preset.copiers if self.copiers is None else self.copiers,
            preset.queue_seconds,
            str(window) if window else None,
        )


def _or_preset(given: Optional[float], preset: Optional[float]) -> Optional[float]:
    return preset if given is None else given or None


def parse_window(value: object) -> Window:
    """A window of a request; raises ``ValueError`` with what is wrong."""
    if not isinstance(value, Mapping) or set(value) - set(_WINDOW_FIELDS):
        raise ValueError(f"each window is an object of {', '.join(_WINDOW_FIELDS)}")
    begin, end = _time_of(value, "from"), _time_of(value, "to")
    if begin == end:
        raise ValueError(f"a window must not end when it begins ({begin})")
    rate = value.get("mb_per_second")
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < _MOST:
        raise ValueError("mb_per_second of a window must be a number of megabytes per second, more than 0")
    return Window(begin, end, float(rate), _days_of(value), _zone_of(value))


def _time_of(value: Mapping[Any, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not _CLOCK.match(text):
        raise ValueError(f"{name} of a window must be a time of day as HH:MM, 00:00 to 23:59")
    return text


def _days_of(value: Mapping[Any, Any]) -> tuple[str, ...]:
    days = value.get("days")
    if days is None:
        return DAYS
    if not isinstance(days, (list, tuple)) or not days or any(day not in DAYS for day in days):
        raise ValueError(f"days of a window must be a list of {', '.join(DAYS)}")
    return tuple(day for day in DAYS if day in days)


def _zone_of(value: Mapping[Any, Any]) -> str:
    name = value.get("time_zone")
    if name is None:
        return "UTC"
    try:
        return str(ZoneInfo(name).key)
    # ZoneInfo raises errors of many kinds for texts that are no name.
    except (KeyError, ValueError, TypeError, OSError, AttributeError) as error:
        text = "time_zone of a window must be a name of the time zone database that this host has, like Europe/Berlin"
        raise ValueError(text) from error
