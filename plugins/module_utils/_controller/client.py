# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls of an automation controller's REST API."""
from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from .._core.endpoint import Endpoint
from .._core.errors import CutoverError
from .._core.http import HttpClient, Response
from .._core.redact import redact, register_secret
from .._core.tls import client_context

PAGE_SIZE = 200
_MAX_PAGES = 100
_MAX_ANSWER = 16 << 20


class ControllerClient:
    """The calls of one token. Every method raises ``CutoverError``: CUT-CONTROLLER-*, CUT-HTTP-*.

    ``endpoint`` is ``https://HOST[:PORT]``, ``api_path`` where the API is below it; ``timeout`` seconds are those of
    one request. Raises CUT-SPEC-1 for an endpoint that is none, CUT-TLS-1 for a CA that cannot be used.
    """

    def __init__(self, endpoint: str, token: str, *, ca_path: str | None, api_path: str, timeout: float) -> None:
        register_secret(token)
        self._client = HttpClient(
            _parsed(endpoint),
            context=client_context(ca_path),
            authorization=lambda: f"Bearer {token}",
            timeout=timeout,
        )
        self._base = "/" + api_path.strip("/")

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def probe(self) -> None:
        """Raise CUT-CONTROLLER-1 unless a controller's API answers at this address."""
        if "version" not in self.get("ping/"):
            raise self._no_api("ping/")

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer of a call that reads; ``path`` is relative to the API."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every object of a list."""
        for page in range(1, _MAX_PAGES + 1):
            answer = self.get(path, **query, page=page, page_size=PAGE_SIZE)
            yield from answer.get("results") or []
            if not answer.get("next"):
                return

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer of a call that writes. It is not repeated: whoever runs the task again finds what is there."""
        return self._call(method, path, body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        target = f"{self._base}/{path}"
        sent = b"" if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        answer = self._client.request(method, target, body=sent, headers=headers, max_body=_MAX_ANSWER)
        if not 200 <= answer.status < 300:
            raise self._refused(method, path, answer)
        if not answer.body:
            return {}
        try:
            found = json.loads(bytes(answer.body))
        except ValueError as error:
            raise self._no_api(path) from error
        if not isinstance(found, dict):
            raise self._no_api(path)
        return found

    def _no_api(self, path: str) -> CutoverError:
        url = f"{self._client.endpoint.url}{self._base}/{path}"
        return CutoverError("CUT-CONTROLLER-1", f"{url} does not answer as a controller does", details={"url": url})

    def _refused(self, method: str, path: str, answer: Response) -> CutoverError:
        status = answer.status
        code = "CUT-CONTROLLER-3"
        if status in (401, 403):
            code = "CUT-CONTROLLER-2"
        elif status >= 500 or status == 429:
            code = "CUT-CONTROLLER-6"
        elif status == 404 and path == "ping/":
            return self._no_api(path)
        url = f"{self._client.endpoint.url}{self._base}/{path.partition('?')[0]}"
        said = redact(bytes(answer.body[:2000]).decode("utf-8", "replace"))
        return CutoverError(
            code,
            f"{method} {url} was answered with {status}: {said}",
            retriable=code == "CUT-CONTROLLER-6",
            details={"http_status": status, "url": url},
        )


def _parsed(text: str) -> Endpoint:
    parts = urlsplit(text)
    try:
        port = parts.port or 443
    except ValueError:
        port = 0
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.path.strip("/") or not port:
        told = f"controller_endpoint: {redact(text)} is not of the form https://HOST[:PORT]"
        raise CutoverError("CUT-SPEC-1", told, details={"field": "controller_endpoint"})
    return Endpoint("https", parts.hostname, port)
