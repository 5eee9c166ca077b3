# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which DB-Servers the source has, and which of them were started anew (design §4.4, §4.6; facts §2.2)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Optional, Protocol

from .._core.arango import Server
from .._core.catalogue import lookup
from .._core.errors import ArangoError, CutoverError, TransportError
from .findings import Finding, Findings
from .parallel import gather
from .topology import Source

LOG = logging.getLogger(__name__)
_TIMEOUT = 10.0


class Lanes(Protocol):
    """What the data path is told of servers."""

    def follow_servers(self, servers: Mapping[str, Server]) -> None:
        """Follow these servers' logs."""

    def server_restarted(self, server: str, text: str) -> None:
        """A server was started anew."""


class ServerWatch:
    """For the supervisor's thread. ``reboots`` holds the last known ``rebootId`` of each DB-Server.

    A server that was started anew may have lost the end of its log, whose numbers are then given a second time: no
    position shows it, only the ``rebootId`` does.
    """

    def __init__(self, source: Source, lanes: Lanes, findings: Findings) -> None:
        self._source = source
        self._lanes = lanes
        self._findings = findings
        self.reboots: dict[str, int] = {}
        self._unreached: set[str] = set()

    def begin(self, known: Mapping[str, int]) -> set[str]:
        """Read every ``rebootId``; gives the servers that were started anew since the journaled ones."""
        now = self._read()
        self.reboots = {**known, **now}
        return {name for name, reboot in now.items() if known.get(name, reboot) != reboot}

    def refresh(self) -> None:
        """Servers that came and went or were started anew; one that must not be connected to is a finding.

        Raises what passes by itself.
        """
        try:
            self._source.refresh()
        except CutoverError as error:
            if error.retriable:
                raise
            self._findings.report(Finding("CUT-TOPO-9", "error", "source", error.message, error.remedy))
        else:
            self._findings.resolve("CUT-TOPO-9", "source")
        self._tell_unreached()
        self._look_for_restarts()
        self._lanes.follow_servers(self._followed())

    def _tell_unreached(self) -> None:
        """A server that the cluster takes for good and that cannot be connected to: nobody follows what it leads."""
        unreached = self._source.unreached
        for name in self._unreached - set(unreached):
            self._findings.resolve("CUT-TOPO-9", name)
        for name, error in unreached.items():
            remedy = lookup("CUT-TOPO-9").remedy
            self._findings.report(Finding("CUT-TOPO-9", "warning", name, error.message, remedy))
        self._unreached = set(unreached)

    def missing(self, leaders: Iterable[str]) -> bool:
        """Whether one of these servers is not known yet."""
        return any(leader not in self._source.servers for leader in leaders)

    def _look_for_restarts(self) -> None:
        before, now = self.reboots, self._read()
        self.reboots = {**before, **now}
        for name, reboot in now.items():
            known = before.get(name)
            if known is not None and known != reboot:
                self._lanes.server_restarted(name, f"the server was restarted (rebootId {known}, now {reboot})")

    def _read(self) -> dict[str, int]:
        """The ``rebootId`` of each DB-Server that tells one now."""
        found = gather({name: partial(reboot_id, server) for name, server in self._source.servers.items()})
        return {name: reboot for name, reboot in found.items() if reboot is not None}

    def _followed(self) -> dict[str, Server]:
        """All but those that were cleaned out; the data path keeps them as long as they lead something."""
        cleaned = self._cleaned()
        return {name: server for name, server in self._source.servers.items() if name not in cleaned}

    def _cleaned(self) -> set[str]:
        try:
            answer = self._source.coordinators.json("GET", "/_admin/cluster/numberOfServers", timeout=_TIMEOUT)
        except (TransportError, ArangoError) as error:
            LOG.info("servers that were cleaned out are not known: %s", error)
            return set()
        cleaned = answer.get("cleanedServers") if isinstance(answer, dict) else None
        return {str(name) for name in cleaned} if isinstance(cleaned, list) else set()


def reboot_id(server: Server) -> Optional[int]:
    """None for a server that does not answer, or does not tell it."""
    try:
        answer: Any = server.json("GET", "/_admin/status", timeout=_TIMEOUT)
        return int(answer["serverInfo"]["rebootId"])
    except (TransportError, ArangoError, KeyError, TypeError, ValueError):
        return None
