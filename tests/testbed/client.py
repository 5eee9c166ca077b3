# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plain HTTP client for the emulator's tests: every answer as it came."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from tests.testbed import auth
from tests.testbed.launch import TestCluster


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower case) and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class Client:
    """One kept connection to one server."""

    def __init__(self, url: str, ca_path: object, authorization: str | None) -> None:
        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=str(ca_path))
        self._connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=60)
        self.authorization = authorization

    @classmethod
    def root(cls, cluster: TestCluster, index: int = 0) -> Client:
        """`root` with its password on a coordinator."""
        return cls.user(cluster, "root", cluster.root_password, index)

    @classmethod
    def user(cls, cluster: TestCluster, name: str, password: str, index: int = 0) -> Client:
        """A user with a password on a coordinator."""
        token = base64.b64encode(f"{name}:{password}".encode()).decode()
        return cls(cluster.coordinators[index], cluster.ca_path, f"Basic {token}")

    @classmethod
    def superuser(cls, cluster: TestCluster, url: str, **claims: object) -> Client:
        """The superuser on any server."""
        secret = cluster.jwt_secret_path.read_bytes().strip()
        now = int(time.time())
        values = {"iss": "arangodb", "server_id": "tests", "iat": now, "exp": now + 600, **claims}
        return cls(url, cluster.ca_path, "bearer " + auth.sign(secret, values))

    def __call__(self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request; bodies other than bytes are sent as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"authorization": self.authorization} if self.authorization else {}
        self._connection.request(method, target, data, {**sent, **(headers or {})})
        response = self._connection.getresponse()
        content = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
