# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections through python-arango, the users' own driver."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arango.client import ArangoClient
from arango.database import StandardDatabase
from arango.http import DefaultHTTPClient
from arango.response import Response
from requests import Session
from requests.exceptions import ConnectionError as BrokenConnection
from requests.exceptions import InvalidJSONError
from urllib3.exceptions import MaxRetryError, NewConnectionError

__all__ = ["Connection", "NotConnectedError", "OwnTrust"]


class NotConnectedError(Exception):
    """Nobody listens: the request was certainly not sent."""


class OwnTrust(DefaultHTTPClient):
    """Trusts only what it was told to, whatever certificate bundle the environment names."""

    def create_session(self, host: str) -> Session:
        session = super().create_session(host)
        session.trust_env = False
        return session


class _Transport(OwnTrust):
    """Tells apart whether a request was sent, and takes no answer that was cut."""

    def send_request(self, *args: Any, **kwargs: Any) -> Response:
        try:
            response = super().send_request(*args, **kwargs)
        except BrokenConnection as error:
            cause = error.args[0] if error.args else None
            if isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError):
                raise NotConnectedError(str(cause.reason)) from error
            raise
        _require_whole(response)
        return response


def _require_whole(response: Response) -> None:
    """The driver hands on what it cannot parse, with status 200, as if it were the answer's value."""
    if response.raw_body and "json" in response.headers.get("content-type", ""):
        try:
            json.loads(response.raw_body)
        except ValueError as error:
            raise InvalidJSONError(f"the answer to {response.url} does not end") from error


class Connection:
    """One cluster as one user sees it, by one of its URLs at a time: transactions stay where they began.

    The driver never repeats a request by itself, so every outcome is ours to judge. One object serves one thread.
    """

    def __init__(
        self, urls: Sequence[str], ca_path: Path, username: str, password: str, *, timeout: float = 60
    ) -> None:
        self._urls, self._ca_path, self._timeout = list(urls), ca_path, timeout
        self._username, self._password = username, password
        self._connect()

    def _connect(self) -> None:
        http = _Transport(request_timeout=self._timeout, retry_attempts=0)
        self._client = ArangoClient(
            hosts=self._urls[0], resolver_max_tries=1, http_client=http, verify_override=str(self._ca_path),
            request_timeout=self._timeout,
        )
        self._open: dict[str, StandardDatabase] = {}

    def database(self, name: str = "_system") -> StandardDatabase:
        """The database of that name, without a request of its own."""
        if name not in self._open:
            self._open[name] = self._client.db(name, self._username, self._password)
        return self._open[name]

    def move_on(self) -> None:
        """Use the next URL from now on."""
        self._client.close()
        self._urls.append(self._urls.pop(0))
        self._connect()

    def close(self) -> None:
        """Close all sockets."""
        self._client.close()
