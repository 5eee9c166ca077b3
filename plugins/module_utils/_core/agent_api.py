# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Client of the agent's API (design §9), used by the command line and by the Ansible modules alike."""
from __future__ import annotations

import dataclasses
import json
import re
import ssl
import urllib.parse
from typing import Any, Mapping

from .endpoint import parse_endpoint
from .errors import CutoverError, TransportError
from .http import HttpClient
from .tls import client_context

DEFAULT_PORT = 8629
MAX_ANSWER = 64 << 20
# Starting runs the prechecks and creates the journal before it answers.
START_TIMEOUT = 600.0
MODE_TIMEOUT = 180.0


class AgentError(CutoverError):
    """The agent refused: its own code, message and remedy, with the HTTP status and the place asked."""

    def __init__(self, error: Mapping[str, Any], http_status: int, endpoint: str) -> None:
        super().__init__(
            str(error.get("code") or "CUT-AGENT-33"),
            str(error.get("message") or f"the agent answered {http_status} without saying why"),
            remedy=error.get("remedy"),
            retriable=bool(error.get("retriable")),
            details=dict(error.get("details") or {}),
        )
        self.http_status = http_status
        self.endpoint = endpoint


class AgentUnreachableError(CutoverError):
    """No answer from the agent; `outcome_unknown` when it may have received the request."""

    def __init__(self, endpoint: str, cause: TransportError) -> None:
        super().__init__("CUT-AGENT-32", f"calling the agent at {endpoint}: {cause.message}", retriable=True)
        self.endpoint = endpoint
        self.outcome_unknown = cause.outcome_unknown


def agent_context(ca_path: str | None, client_keyfile: str | None) -> ssl.SSLContext:
    """TLS towards the agent, always verified; raises CUT-AGENT-4 for a client keyfile that cannot be used."""
    context = client_context(ca_path)
    if client_keyfile:
        try:
            context.load_cert_chain(client_keyfile, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise CutoverError("CUT-AGENT-4", f"client keyfile {client_keyfile}: {error}") from error
    return context


class AgentApi:
    """One agent. With `read_only` everything but GET is refused: check mode cannot lie."""

    def __init__(self, http: HttpClient, endpoint: str, read_only: bool = False) -> None:
        self._http = http
        self._read_only = read_only
        self.endpoint = endpoint

    @classmethod
    def connect(
        cls,
        endpoint: str,
        *,
        ca_path: str | None,
        token: str | None = None,
        client_keyfile: str | None = None,
        timeout: float = 30.0,
        read_only: bool = False,
    ) -> AgentApi:
        """A client for `endpoint`; nothing is sent before the first call."""
        parsed = parse_endpoint(endpoint, "agent_endpoint")
        if parsed.scheme != "https":
            raise CutoverError("CUT-AGENT-35", f"agent_endpoint must begin with https://, not {parsed.scheme}://")
        authorization = (lambda: f"Bearer {token}") if token else None
        if not re.search(r":\d+/?\Z", endpoint.strip()):
            parsed = dataclasses.replace(parsed, port=DEFAULT_PORT)
        context = agent_context(ca_path, client_keyfile)
        http = HttpClient(parsed, context=context, authorization=authorization, pool=2, timeout=timeout)
        return cls(http, parsed.url, read_only)

    def status(self) -> dict[str, Any]:
        """The status document."""
        return self._call("GET", "/v1/migration")[1]

    def start(self, specification: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Start; True when something was begun, and the status document."""
        return self._control("/v1/migration", specification, START_TIMEOUT)

    def stop(self, options: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Begin the cutover."""
        return self._control("/v1/migration/stop", options, START_TIMEOUT)

    def release(self, options: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Let a cutover that holds its opening go on, or take the way back."""
        return self._control("/v1/migration/release", options, START_TIMEOUT)

    def rehearse(self, options: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Begin a rehearsal of the cutover."""
        return self._control("/v1/migration/rehearse", options, START_TIMEOUT)

    def revoke(self, options: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Begin to revoke the opening."""
        return self._control("/v1/migration/revoke", options, START_TIMEOUT)

    def rescue_ticket(self) -> dict[str, Any]:
        """`token`, `expires_at` and `coordinators`: what a rescue needs. Secret: never to be shown."""
        return self._call("POST", "/v1/migration/rescue-ticket", {})[1]

    def abort(self, options: Mapping[str, Any] | None = None) -> tuple[bool, dict[str, Any]]:
        """Abort; with `cleanup`, remove what was made on the target."""
        return self._control("/v1/migration/abort", options or {}, START_TIMEOUT)

    def pause(self, options: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Suspend replication."""
        return self._control("/v1/migration/pause", options, START_TIMEOUT)

    def resume(self) -> tuple[bool, dict[str, Any]]:
        """Go on after a pause."""
        return self._control("/v1/migration/resume", {}, START_TIMEOUT)

    def limits(self, options: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Change limits; what is not named stays."""
        return self._control("/v1/migration/limits", options, START_TIMEOUT)

    def shards(self, **query: str) -> dict[str, Any]:
        """Detail by shard: `shards` and `total`."""
        suffix = "?" + urllib.parse.urlencode(query) if query else ""
        return self._call("GET", "/v1/migration/shards" + suffix)[1]

    def findings(self) -> list[dict[str, Any]]:
        """All findings."""
        return list(self._call("GET", "/v1/migration/findings")[1].get("findings") or [])

    def report(self) -> dict[str, Any] | None:
        """The last attempt's report, None before the first."""
        try:
            return self._call("GET", "/v1/migration/report")[1]
        except AgentError as error:
            if error.code == "CUT-AGENT-21":
                return None
            raise

    def begin_verification(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Begin to compare source and target: `id`, `state`."""
        return self._call("POST", "/v1/verification", options)[1]

    def verification(self, identifier: str) -> dict[str, Any]:
        """State and result of a verification."""
        return self._call("GET", f"/v1/verification/{identifier}")[1]

    def begin_changes(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Begin to find out what was written on the target since its opening: `id`, `state`."""
        return self._call("POST", "/v1/changes", options)[1]

    def changes(self, identifier: str) -> dict[str, Any]:
        """State and result of such a comparison."""
        return self._call("GET", f"/v1/changes/{identifier}")[1]

    def server_mode(self) -> dict[str, Any]:
        """`mode` and `servers` of the source."""
        return self._call("GET", "/v1/source/server-mode", timeout=MODE_TIMEOUT)[1]

    def set_server_mode(self, mode: str) -> dict[str, Any]:
        """Set the source's mode; `changed`, `mode`, `servers`."""
        return self._call("PUT", "/v1/source/server-mode", {"mode": mode}, MODE_TIMEOUT)[1]

    def begin_precheck(self, specification: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a precheck: `id`, `state`."""
        return self._call("POST", "/v1/precheck", specification)[1]

    def precheck(self, identifier: str) -> dict[str, Any]:
        """State and result of a precheck."""
        return self._call("GET", f"/v1/precheck/{identifier}")[1]

    def _control(self, path: str, body: Mapping[str, Any], timeout: float) -> tuple[bool, dict[str, Any]]:
        status, document = self._call("POST", path, body, timeout)
        return status == 202, document

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> tuple[int, dict[str, Any]]:
        if self._read_only and method != "GET":
            raise CutoverError("CUT-AGENT-34", f"check mode was about to send {method} {path} to the agent")
        raw = b"" if body is None else json.dumps(body).encode("utf-8")
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            answer = self._http.request(method, path, body=raw, headers=headers, timeout=timeout, max_body=MAX_ANSWER)
        except TransportError as error:
            raise AgentUnreachableError(self.endpoint, error) from error
        return answer.status, self._decoded(answer.status, answer.body)

    def _decoded(self, status: int, raw: bytes) -> dict[str, Any]:
        try:
            document = json.loads(raw)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            foreign = {"message": f"{self.endpoint} answered {status} and no JSON object: is it an agent?"}
            raise AgentError(foreign, status, self.endpoint)
        if status >= 400:
            raise AgentError(document.get("error") or {}, status, self.endpoint)
        return document
