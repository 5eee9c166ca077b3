# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A plain client of the platform for its own tests: every answer as it came."""

from __future__ import annotations

import http.client
import json
import ssl
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.testbed.client import Answer
from tests.testbed.platform.launch import TestPlatform

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


class PlatformClient:
    """One kept connection; a context manager that closes it."""

    def __init__(self, platform: TestPlatform, url: str = "") -> None:
        parts = urlsplit(url or platform.url)
        context = ssl.create_default_context(cafile=str(platform.ca_path))
        self._connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=60)
        self._platform = platform
        self.authorization = ""

    def __call__(self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request; bodies other than bytes are sent as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"authorization": self.authorization} if self.authorization else {}
        self._connection.request(
            method, target, data, {**sent, **(JSON if body is not None else {}), **(headers or {})}
        )
        response = self._connection.getresponse()
        content = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def authenticate(self, key: str = "", secret: str | None = None, **form: str) -> Answer:
        """Ask for a token by a form body."""
        fields = {"secret": self._platform.key_secret if secret is None else secret, **form}
        path = f"/api/iam/v1/apikeys/{quote(key or self._platform.key_id, safe='')}/authenticate"
        return self("POST", path, urlencode(fields).encode(), FORM)

    def login(self, key: str = "", secret: str | None = None, **form: str) -> PlatformClient:
        """Use a token from now on."""
        self.authorization = "bearer " + self.authenticate(key, secret, **form).json["token"]
        return self

    def get(self, target: str, **query: Any) -> Any:
        """The JSON of a call that succeeds."""
        text = urlencode({name.replace("__", "."): value for name, value in query.items()}, doseq=True)
        answer = self("GET", f"{target}?{text}" if text else target)
        assert answer.status == 200, answer.body
        return answer.json

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
