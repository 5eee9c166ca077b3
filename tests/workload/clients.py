# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections through python-arango, the users' own driver."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from arango.client import ArangoClient
from arango.database import StandardDatabase
from arango.http import DefaultHTTPClient
from requests import Session

__all__ = ["Connection"]


class _Transport(DefaultHTTPClient):
    """Trusts only what it was told to, whatever certificate bundle the environment names."""

    def create_session(self, host: str) -> Session:
        session = super().create_session(host)
        session.trust_env = False
        return session


class Connection:
    """One cluster as one user sees it; the driver never repeats a request by itself, so every outcome is ours to judge.

    One object serves one thread.
    """

    def __init__(
        self, urls: Sequence[str], ca_path: Path, username: str, password: str, *, timeout: float = 60
    ) -> None:
        http = _Transport(request_timeout=timeout, retry_attempts=0)
        self._client = ArangoClient(
            hosts=list(urls), host_resolver="single" if len(urls) == 1 else "roundrobin", http_client=http,
            verify_override=str(ca_path), request_timeout=timeout,
        )
        self._username, self._password = username, password
        self._open: dict[str, StandardDatabase] = {}

    def database(self, name: str = "_system") -> StandardDatabase:
        """The database of that name, without a request of its own."""
        if name not in self._open:
            self._open[name] = self._client.db(name, self._username, self._password)
        return self._open[name]

    def close(self) -> None:
        """Close all sockets."""
        self._client.close()
