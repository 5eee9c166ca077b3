# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Having each DB-Server keep its log from the journaled restart tick on (design §4.4, facts §5.7)."""

from __future__ import annotations

import json
import secrets
import threading
import time
from pathlib import Path
from typing import Callable, Mapping

from .._core.arango import Server
from .._core.errors import CutoverError
from .dataplane_types import Settings
from .findings import Finding
from .patience import Patience
from .wal import retain, retained_from

_SHORTEST_INTERVAL = 0.5
_AFTER_ERROR = 5.0


def syncer_ids(path: Path) -> tuple[int, int]:
    """The ids of this agent's two registrations, for reading and for retention; the same after a restart.

    Another id would leave the old registration pinning the log until it expires after two hours (facts §5.7).
    """
    try:
        reading, retention = json.loads(path.read_text(encoding="ascii"))
        return int(reading), int(retention)
    except (OSError, ValueError, TypeError):
        reading = 1 + secrets.randbelow(2**46)
        path.write_text(json.dumps([reading, reading + 1]), encoding="ascii")
        return reading, reading + 1


class Retention:
    """One thread for all servers; a server that does not answer is asked again soon."""

    def __init__(
        self,
        servers: Mapping[str, Server],
        syncer_id: int,
        settings: Settings,
        patience: Patience,
        report: Callable[[Finding], None],
    ) -> None:
        self._servers = servers
        self._syncer_id = syncer_id
        self._interval = max(_SHORTEST_INTERVAL, settings.retention_interval * settings.time_scale)
        self._after_error = max(_SHORTEST_INTERVAL, _AFTER_ERROR * settings.time_scale)
        self._patience = patience
        self._report = report
        self._lock = threading.Lock()
        self._ticks: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._probed: set[str] = set()
        self._wake = threading.Event()

    def keep(self, ticks: Mapping[str, int]) -> None:
        """From now on these ticks are needed; servers that are not named keep what they have."""
        with self._lock:
            for server_id, tick in ticks.items():
                if self._ticks.get(server_id) != tick:
                    self._due[server_id] = 0.0
                self._ticks[server_id] = tick
        self._wake.set()

    def drop(self, server_id: str) -> None:
        """This server is followed no more."""
        with self._lock:
            self._ticks.pop(server_id, None)
            self._due.pop(server_id, None)
            self._probed.discard(server_id)

    def run(self) -> None:
        """The thread's work; ends by ``Stopped``."""
        while True:
            self._wake.wait(0.2)
            self._wake.clear()
            self._patience.check()
            for server_id, tick in self._due_now():
                self._register(server_id, tick)

    def _due_now(self) -> list[tuple[str, int]]:
        now = time.monotonic()
        with self._lock:
            return [(name, tick) for name, tick in self._ticks.items() if self._due.get(name, 0.0) <= now]

    def _register(self, server_id: str, tick: int) -> None:
        server = self._servers.get(server_id)
        if server is None:
            return
        try:
            retain(server, tick, self._syncer_id)
            if server_id not in self._probed:
                self._probe(server_id, server, tick)
        except CutoverError as error:
            pause = self._after_error
            self._patience.troubles.begin(server_id, error)
        else:
            pause = self._interval
            self._patience.troubles.end(server_id)
        with self._lock:
            if self._ticks.get(server_id) == tick:
                self._due[server_id] = time.monotonic() + pause

    def _probe(self, server_id: str, server: Server, tick: int) -> None:
        kept = retained_from(server, self._syncer_id)
        self._probed.add(server_id)
        if kept is None or kept > tick:
            self._report(
                Finding(
                    "CUT-DATA-8",
                    "warning",
                    server_id,
                    f"the server's list of replication clients does not show that its log is kept from tick {tick} on",
                    "Keep interruptions of the agent short, or raise the server's rocksdb.wal-file-timeout.",
                )
            )
