# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clients of a server's log: who reads it, from where, until when it is kept for them (facts §5.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

CLIENT_TTL = 7200.0


@dataclass
class LogClient:
    """One registration in the tracker of one database; times are seconds since 1970."""

    syncer_id: str
    server_id: str
    client_info: str
    time: float
    expires: float
    last_served_tick: int


class LogClients:
    """Registrations per database; kept in memory only, so a restart forgets them all (facts §5.7)."""

    def __init__(self) -> None:
        self._by_database: dict[str, dict[str, LogClient]] = {}

    def track(
        self,
        databases: Iterable[str],
        *,
        syncer_id: str,
        server_id: str,
        client_info: str,
        tick: int,
        now: float,
        ttl: float = CLIENT_TTL,
    ) -> None:
        """Register or extend a client; without `syncer_id` and `server_id` nothing is kept at all (facts §5.2)."""
        key = f"s{syncer_id}" if syncer_id else f"i{server_id}"
        if not syncer_id and not server_id:
            return
        for database in databases:
            clients = self._by_database.setdefault(database, {})
            client = clients.get(key)
            if client is None:
                clients[key] = LogClient(syncer_id, server_id, client_info, now, now + ttl, tick)
                continue
            client.time = now
            client.expires = now + ttl
            if tick:
                client.last_served_tick = tick

    def untrack(self, databases: Iterable[str], *, syncer_id: str, server_id: str) -> None:
        """Forget one client in `databases`."""
        key = f"s{syncer_id}" if syncer_id else f"i{server_id}"
        for database in databases:
            self._by_database.get(database, {}).pop(key, None)

    def forget_database(self, database: str) -> None:
        """The tracker dies with its database."""
        self._by_database.pop(database, None)

    def clear(self) -> None:
        """What a restart does."""
        self._by_database.clear()

    def expire(self, now: float) -> None:
        """Drop registrations whose time is over."""
        for clients in self._by_database.values():
            for key in [key for key, client in clients.items() if client.expires <= now]:
                del clients[key]

    def of(self, database: str) -> list[LogClient]:
        """The registrations of one database, as `logger-state` shows them."""
        return list(self._by_database.get(database, {}).values())

    def lowest_tick(self) -> int | None:
        """The lowest position that any client of any database still needs; None when nobody is registered."""
        ticks = [c.last_served_tick for clients in self._by_database.values() for c in clients.values()]
        return min(ticks) if ticks else None
