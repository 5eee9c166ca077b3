# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From request to answer: route, role, audit line, error form."""
from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, replace
from typing import Callable

from .._core.errors import CutoverError
from . import openapi
from .api import Api
from .auth import Authenticator
from .messages import Request, Response, error_response, json_response

LOG = logging.getLogger(__name__)
AUDIT = logging.getLogger("cutover.audit")
# What a call did where its path alone does not tell; nothing else of a body is logged.
_NOTED = {
    "/v1/source/server-mode": "mode", "/v1/migration/release": "open", "/v1/migration/abort": "cleanup",
    "/v1/migration/stop": "hold_opening",
}  # fmt: skip
_LONGEST_NOTE = 40


@dataclass(frozen=True)
class Route:
    """One method and path; `role` None needs no proof of who asks."""

    method: str
    path: str
    pattern: re.Pattern[str]
    role: str | None
    answer: Callable[[Request], Response]


def _route(method: str, path: str, role: str | None, answer: Callable[[Request], Response]) -> Route:
    pattern = re.compile(re.escape(path).replace(r"\{id\}", "[0-9a-f]{1,64}") + r"\Z")
    return Route(method, path, pattern, role, answer)


def routes_of(api: Api) -> tuple[Route, ...]:
    """The table of design §9; the description of the API that is served is made of it."""

    def description(_request: Request) -> Response:
        return json_response(200, openapi.document((route.method, route.path, route.role) for route in table))

    table = (
        _route("GET", "/healthz", None, api.health),
        _route("GET", "/readyz", None, api.readiness),
        _route("GET", "/metrics", "read", api.metrics),
        _route("GET", "/", "read", api.status_page),
        _route("GET", "/shards", "read", api.shards_page),
        _route("GET", "/style.css", None, api.style),
        _route("GET", "/page.js", None, api.script),
        _route("GET", "/v1/openapi.json", "read", description),
        _route("GET", "/v1/migration", "read", api.status),
        _route("POST", "/v1/migration", "operate", api.start),
        _route("POST", "/v1/migration/stop", "cutover", api.stop),
        _route("POST", "/v1/migration/rehearse", "cutover", api.rehearse),
        _route("POST", "/v1/migration/revoke", "cutover", api.revoke),
        _route("POST", "/v1/migration/rescue-ticket", "cutover", api.rescue_ticket),
        _route("POST", "/v1/migration/release", "cutover", api.release),
        _route("POST", "/v1/migration/abort", "cutover", api.abort),
        _route("POST", "/v1/migration/pause", "operate", api.pause),
        _route("POST", "/v1/migration/resume", "operate", api.resume),
        _route("POST", "/v1/migration/limits", "operate", api.limits),
        _route("GET", "/v1/migration/shards", "read", api.shards),
        _route("GET", "/v1/migration/findings", "read", api.findings),
        _route("GET", "/v1/migration/report", "read", api.report),
        _route("GET", "/v1/migration/events", "read", api.stream),
        _route("GET", "/v1/migration/report.html", "read", api.report_page),
        _route("POST", "/v1/verification", "operate", api.begin_verification),
        _route("GET", "/v1/verification/{id}", "operate", api.verification),
        _route("POST", "/v1/changes", "operate", api.begin_changes),
        _route("GET", "/v1/changes/{id}", "operate", api.changes),
        _route("GET", "/v1/source/server-mode", "read", api.server_mode),
        _route("PUT", "/v1/source/server-mode", "cutover", api.set_server_mode),
        _route("POST", "/v1/precheck", "operate", api.begin_precheck),
        _route("GET", "/v1/precheck/{id}", "operate", api.precheck),
    )
    return table


class Application:
    """Callable that answers every request; nothing but a Response comes out."""

    def __init__(self, api: Api, authenticator: Authenticator) -> None:
        self._routes = routes_of(api)
        self._authenticator = authenticator

    def __call__(self, request: Request) -> Response:
        """Answer, with errors in the agent's form; an unexpected one is logged here and named by code only."""
        caller = "unknown"
        try:
            route = self._find(request)
            if route.role is not None:
                caller = self._authenticator.require(request, route.role).name
                request = replace(request, caller=caller)
            response = route.answer(request)
        except CutoverError as error:
            # Who lacks a role is known all the same, and belongs into the audit line.
            caller = str(error.details.get("caller", caller)) if error.code == "CUT-AGENT-11" else caller
            response = error_response(error, _challenge(error))
        except Exception:
            LOG.exception("%s %s broke", request.method, request.path)
            response = error_response(CutoverError("CUT-AGENT-18", f"{request.method} {request.path} broke"))
        if request.method in ("POST", "PUT"):
            what = f"{request.method} {request.path}{_note(request)}"
            AUDIT.info("%s by %s from %s: %d", what, caller, request.peer, response.status)
        return response

    def _find(self, request: Request) -> Route:
        method = "GET" if request.method == "HEAD" else request.method
        there = [route for route in self._routes if route.pattern.match(request.path)]
        for route in there:
            if route.method == method:
                return route
        if there:
            allowed = sorted({route.method for route in there})
            message = f"{request.path} takes {', '.join(allowed)}, not {request.method}"
            raise CutoverError("CUT-AGENT-13", message, details={"allow": allowed})
        raise CutoverError("CUT-AGENT-12", f"there is nothing at {request.path[:200]}")


def _note(request: Request) -> str:
    """The field of the body that belongs into the audit line, in one line whatever it holds."""
    name = _NOTED.get(request.path)
    try:
        body = json.loads(request.body)
    except ValueError:
        return ""
    if name is None or not isinstance(body, dict) or name not in body:
        return ""
    text = json.dumps(body[name])
    return f" {name}={text if len(text) <= _LONGEST_NOTE else '(too long)'}"


def _challenge(error: CutoverError) -> dict[str, str]:
    if error.code == "CUT-AGENT-10":
        # Basic lets a browser ask for the token; it is taken for reading only.
        return {"WWW-Authenticate": 'Bearer realm="cutover-agent", Basic realm="cutover-agent"'}
    if error.code == "CUT-AGENT-13":
        return {"Allow": ", ".join(error.details["allow"])}
    return {}
