# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the migration costs the disks of the source's DB-Servers: a log that is read later than it is written is kept
for the reader (facts §5.7, metrics §2.4; design §4.10).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from functools import partial
from typing import Callable, Deque, Mapping, NamedTuple, Optional

from .._core.arango import Server
from .._core.catalogue import lookup
from .._core.clock import SYSTEM_CLOCK, Clock
from .._core.errors import CutoverError
from .findings import Finding
from .looker import Looker
from .parallel import gather
from .precheck.measure import ARCHIVED, FREE, TOTAL, metrics_of
from .throttle import KEPT_SHARE, LOW_SHARE, beyond

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 10.0
_LEAST_LOOK = 0.5
_TIMEOUT = 10.0
_MOST_BYTES = 16 * 1024 * 1024
# Growth is what the last ten minutes show, and nothing before two looks.
_WINDOW_SECONDS = 600.0
_MOST_LOOKS = 64
# A log that grows no faster than this has no end in sight; also the longest runway that is told.
LONGEST_SECONDS = 30 * 86400.0
# Less than this is a finding, whatever is left to do; and less than the rest of the copy takes (design §4.10).
SHORT_SECONDS = 3600.0
# What a server showed counts for so long; one that stays silent is not known any more.
_FRESH_SECONDS = 60.0


class Look(NamedTuple):
    """One server's disk: bytes free and in all, bytes of its log in the archive, monotonic seconds."""

    free: float
    total: float
    log: float
    at: float


class _History:
    """What was seen of one server; ``least`` is the smallest archive, what it is without being kept for anybody.

    ``low``, ``kept``: whether that was told at the last look; it ends only with a clear margin, as the pause does.
    """

    def __init__(self, least: Optional[float]) -> None:
        self.looks: Deque[Look] = deque(maxlen=_MOST_LOOKS)
        self.least = least
        self.low = self.kept = False

    def add(self, look: Look, window: float) -> None:
        """Take a look; those older than ``window`` (s) are forgotten."""
        self.least = look.log if self.least is None else min(self.least, look.log)
        self.looks.append(look)
        while self.looks[0].at < look.at - window:
            self.looks.popleft()
        self.low = beyond(self.free_share, LOW_SHARE, below=True, held=self.low)
        self.kept = beyond(self.kept_share, KEPT_SHARE, held=self.kept)

    @property
    def free_share(self) -> float:
        """The free share of the disk."""
        last = self.looks[-1]
        return last.free / last.total if last.total else 1.0

    @property
    def kept_share(self) -> float:
        """The share of the disk that the log has grown by since the migration looks at it."""
        last = self.looks[-1]
        return (last.log - (self.least or 0.0)) / last.total if last.total else 0.0

    @property
    def runway(self) -> Optional[float]:
        """Seconds until the disk is full of log at the present growth; None before there are two looks."""
        first, last = self.looks[0], self.looks[-1]
        if last.at <= first.at:
            return None
        growth = (last.log - first.log) / (last.at - first.at)
        return min(LONGEST_SECONDS, last.free / growth) if growth > 0 else LONGEST_SECONDS


class SourceDisks(Looker):
    """One thread; figures and findings are of the worst server. Thread safe.

    ``time_left`` says how many seconds the rest of the copy takes, None when that can't be told.
    """

    def __init__(
        self,
        servers: Callable[[], Mapping[str, Server]],
        report: Callable[[Finding], None],
        resolve: Callable[[str], None],
        time_left: Callable[[], Optional[float]],
        *,
        time_scale: float = 1.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__("source-disks", max(_LEAST_LOOK, LOOK_SECONDS * time_scale), "the source's disks")
        self._servers = servers
        self._report = report
        self._resolve = resolve
        self._time_left = time_left
        self._window = _WINDOW_SECONDS * time_scale
        self._fresh = _FRESH_SECONDS * time_scale + self._pause
        self._clock = clock
        self._lock = threading.Lock()
        self._histories: dict[str, _History] = {}
        self._least: dict[str, float] = {}

    def start(self, least: Mapping[str, float]) -> None:
        """Look once, then again and again in the background; ``least`` is what ``least`` gave in a former life."""
        self._least = dict(least)
        self.begin()

    def look(self) -> None:
        """Ask every DB-Server once, and tell what became of the findings."""
        servers = dict(self._servers())
        found = gather({name: partial(self._ask, name, server) for name, server in servers.items()})
        with self._lock:
            for name in set(self._histories) - set(servers):
                del self._histories[name]
            for name, look in found.items():
                if look is not None:
                    self._histories.setdefault(name, _History(self._least.get(name))).add(look, self._window)
        self._tell(sorted(name for name, look in found.items() if look is None))

    @property
    def least(self) -> dict[str, float]:
        """Bytes of each server's archive when it was smallest: a restart must not take a log kept for us for that."""
        with self._lock:
            known = {name: history.least for name, history in self._histories.items() if history.least is not None}
        return {**self._least, **known}

    @property
    def free_share(self) -> Optional[float]:
        """The free share of the fullest disk; None while nothing is known."""
        return min((history.free_share for history in self._known().values()), default=None)

    @property
    def kept_share(self) -> Optional[float]:
        """The largest share of a disk by which a log has grown since the migration began to read it."""
        return max((history.kept_share for history in self._known().values()), default=None)

    @property
    def runway(self) -> Optional[float]:
        """Seconds that the source can go on keeping the log; None while nothing is known."""
        known = [history.runway for history in self._known().values()]
        return min((runway for runway in known if runway is not None), default=None)

    def servers(self) -> dict[str, dict[str, Optional[float]]]:
        """For the status: of each server the free share, the share that its log grew by, the runway (s)."""
        return {
            name: {
                "disk_free_share": round(history.free_share, 4),
                "log_growth_share": round(history.kept_share, 4),
                "retention_runway_seconds": None if history.runway is None else round(history.runway, 1),
            }
            for name, history in self._known().items()
        }

    def _known(self) -> dict[str, _History]:
        """Servers that answered lately."""
        oldest = self._clock.monotonic() - self._fresh
        with self._lock:
            return {name: history for name, history in self._histories.items() if history.looks[-1].at >= oldest}

    def _ask(self, name: str, server: Server) -> Optional[Look]:
        try:
            answer = server.request("GET", "/_admin/metrics", timeout=_TIMEOUT, max_body=_MOST_BYTES)
            values = metrics_of(answer.body.decode("utf-8", "replace"))
            return Look(values[FREE], values[TOTAL], values[ARCHIVED], self._clock.monotonic())
        except (CutoverError, KeyError, ValueError) as error:
            LOG.info("the disk of %s could not be looked at: %s", name, error)
            return None

    def _tell(self, silent: list[str]) -> None:
        known = sorted(self._known().items())
        left = self._time_left() or 0.0
        needed = max(SHORT_SECONDS, left)
        low = [f"{name} has {history.free_share:.0%} free" for name, history in known if history.low]
        kept = [f"{name}: {history.kept_share:.0%} of its disk" for name, history in known if history.kept]
        short = [
            f"{name} for {history.runway / 60:.0f} minutes"
            for name, history in known if history.runway is not None and history.runway < needed
        ]
        if short and left > SHORT_SECONDS:
            short[-1] += f", and the rest of the copy takes {left / 60:.0f}"
        self._say("CUT-LOAD-1", low, "disks of the source are nearly full: ")
        self._say("CUT-LOAD-2", short, "the source can keep the log that is still needed only a short time: ")
        self._say("CUT-LOAD-4", kept, "copying pauses, as the log that is kept for it fills disks of the source: ")
        self._say("CUT-LOAD-3", silent, "free disk and log of source servers are not known: ")

    def _say(self, code: str, what: list[str], text: str) -> None:
        if what:
            self._report(Finding(code, "warning", "source", text + ", ".join(what), lookup(code).remedy))
        else:
            self._resolve(code)
