# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The managed platform's API as far as the command line needs it: deployment, CA and credentials (platform facts).

Standard library only: it is part of the agent's archive, for a workstation without anything else.
"""

from __future__ import annotations

import json
import re
import ssl
import urllib.parse
from dataclasses import dataclass, replace
from typing import Any, Optional

from .endpoint import parse_endpoint
from .errors import CutoverError
from .http import HttpClient
from .platform_rules import REASON, RETRIABLE, meaning, state_problems, with_proto_names
from .redact import register_secret
from .tls import holds_certificate

_MAX_ANSWER = 8 << 20


@dataclass(frozen=True)
class Deployment:
    """What a migration needs of a deployment; endpoints as texts, empty where the platform names none.

    ``problem`` is code and text of the first reason why none can go into it as it is.
    """

    identifier: str
    name: str
    problem: Optional[tuple[str, str]]
    endpoint: str
    endpoint_self_signed: str
    others: tuple[str, ...]
    certificate_id: str

    @property
    def endpoints(self) -> tuple[str, ...]:
        """All addresses under which it may be known."""
        return tuple(text for text in (self.endpoint, self.endpoint_self_signed, *self.others) if text)

    def require_usable(self) -> None:
        """Raise the first reason why no migration can go into it as it is: CUT-PLATFORM-12 to 16."""
        if self.problem is not None:
            raise CutoverError(*self.problem)


@dataclass(frozen=True)
class Certificate:
    """A deployment's CA: its PEM, and whether the ordinary endpoint shows a publicly trusted certificate instead."""

    pem: str
    well_known: bool


class ManagedPlatform:
    """One API key's view of the platform. Every method raises CUT-PLATFORM-* or ``TransportError``."""

    def __init__(self, endpoint: str, context: ssl.SSLContext, timeout: float = 60.0) -> None:
        self._token = ""
        parsed = parse_endpoint(endpoint, "platform_endpoint")
        if parsed.scheme != "https":
            raise CutoverError("CUT-PLATFORM-1", f"{parsed.url}: the platform's API is served by https only")
        if not re.search(r":\d+/?\Z", endpoint.strip()):
            parsed = replace(parsed, port=443)
        self._http = HttpClient(parsed, context=context, authorization=self._authorization, pool=1, timeout=timeout)
        self._url = parsed.url

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def log_in(self, key_id: str, key_secret: str) -> None:
        """Use a token of this key from now on; the secret travels in a form body, never in a URL (facts §2.1)."""
        probe = self._answer("GET", "/api/iam/v1/api-version")
        if "major" not in probe:
            raise CutoverError("CUT-PLATFORM-1", f"{self._url} is not the platform's API")
        form = urllib.parse.urlencode({"secret": key_secret}).encode("ascii")
        path = f"/api/iam/v1/apikeys/{urllib.parse.quote(key_id, safe='')}/authenticate"
        token = str(self._answer("POST", path, form).get("token") or "")
        if not token:
            raise CutoverError("CUT-PLATFORM-2", f"{self._url} gave no token for the API key")
        register_secret(token)
        self._token = token

    def deployment(self, identifier: str) -> Deployment:
        """The deployment with this id (facts §3.2)."""
        found = self._answer("GET", f"/api/data/v1/deployments/{urllib.parse.quote(identifier, safe='')}")
        status = found.get("status") or {}
        others = ("endpoint_default", "private_endpoint", "endpoint_private_endpoint",
                  "endpoint_private_endpoint_self_signed", "endpoint_private_endpoint_default")  # fmt: skip
        return Deployment(
            identifier=str(found.get("id") or identifier),
            name=str(found.get("name") or ""),
            problem=next(state_problems(found), None),
            endpoint=str(status.get("endpoint") or ""),
            endpoint_self_signed=str(status.get("endpoint_self_signed") or ""),
            others=tuple(value for value in (status.get(name) for name in others) if isinstance(value, str)),
            certificate_id=str((found.get("certificates") or {}).get("ca_certificate_id") or ""),
        )

    def certificate(self, deployment: Deployment) -> Certificate:
        """The CA certificate of a deployment (facts §4). Raises CUT-PLATFORM-6 where there is none that can be used,
        and CUT-PLATFORM-18 for one that has expired."""
        name, identifier = f"deployment {deployment.name or deployment.identifier}", deployment.certificate_id
        if not identifier:
            raise CutoverError("CUT-PLATFORM-6", f"the platform names no CA certificate of {name}")
        try:
            found = self._answer("GET", f"/api/crypto/v1/cacertificates/{urllib.parse.quote(identifier, safe='')}")
        except CutoverError as error:
            if error.code != "CUT-PLATFORM-4":
                raise
            text = f"the platform has no CA certificate {identifier} of {name}"
            raise CutoverError("CUT-PLATFORM-6", text) from error
        if found.get("is_expired"):
            raise CutoverError("CUT-PLATFORM-18", f"the CA certificate of {name} has expired")
        pem = str(found.get("certificate_pem") or "")
        if not holds_certificate(pem):
            raise CutoverError("CUT-PLATFORM-6", f"what the platform gives as CA certificate of {name} is none")
        return Certificate(pem, bool(found.get("use_well_known_certificate")))

    def credentials(self, identifier: str) -> tuple[str, str]:
        """User and password of the deployment (facts §3.3); each reading is an event on the platform."""
        query = urllib.parse.urlencode({"reason": REASON}, quote_via=urllib.parse.quote)
        path = f"/api/data/v1/deploymentcredentials/{urllib.parse.quote(identifier, safe='')}?{query}"
        found = self._answer("GET", path)
        password = str(found.get("password") or "")
        register_secret(password)
        return str(found.get("username") or "root"), password

    def _authorization(self) -> str:
        return f"bearer {self._token}"

    def _answer(self, method: str, target: str, form: Optional[bytes] = None) -> dict[str, Any]:
        headers = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._http.request(method, target, body=form or b"", headers=headers, max_body=_MAX_ANSWER)
        path = target.partition("?")[0]
        try:
            document = json.loads(answer.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            text = f"{method} {self._url}{path} answered {answer.status} and no JSON object"
            raise CutoverError("CUT-PLATFORM-1", text)
        if answer.status < 400:
            return dict(with_proto_names(document))
        code = document.get("code") if isinstance(document.get("code"), int) else None
        raise CutoverError(
            meaning(code),
            f"{method} {self._url}{path}: {document.get('message') or answer.status}",
            retriable=code in RETRIABLE,
            details={"http_status": answer.status, "code": code},
        )
