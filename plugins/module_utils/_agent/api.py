# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent's API (design §9): each function answers one route on the engine."""
from __future__ import annotations

from typing import Any, Callable, Mapping, Optional, Sequence

from .._core.errors import CutoverError
from .._engine import report_page
from .._engine.shards import ShardState
from .._engine.spec import CHANGES_OPTIONS, FIELDS, PRECHECK_OPTIONS, VERIFICATION_OPTIONS, parse_options
from . import fields, page, page_assets
from .engine_port import MigrationEngine
from .events import EventLog
from .history import History
from .messages import Request, Response, json_response
from .metrics import CONTENT_TYPE, render_metrics
from .runs import Runs
from .webhook import Webhook

SERVER_MODES = ("readonly", "default")
SHARD_STATES = tuple(state.value for state in ShardState)
MAX_SHARDS = 10000


class Api:
    """Answers of one agent. `version` is the archive's; `ready` says whether the engine has recovered."""

    def __init__(
        self,
        engine: MigrationEngine,
        check: Callable[[Mapping[str, object]], dict[str, Any]],
        ready: Callable[[], bool],
        version: str,
        events: EventLog,
        history: History,
        webhook: Optional[Webhook] = None,
        certificate_until: Callable[[], Optional[float]] = lambda: None,
    ) -> None:
        self._engine = engine
        self._certificate_until = certificate_until
        self._webhook = webhook
        self._prechecks = Runs("precheck", check)
        self._changes = Runs("comparison", engine.changes)
        self._verifications = Runs("verification", engine.verification)
        self._ready = ready
        self._version = version
        self._events = events
        self._history = history

    def health(self, _request: Request) -> Response:
        """Liveness: the process answers."""
        return json_response(200, {"status": "ok", "version": self._version})

    def readiness(self, _request: Request) -> Response:
        """Readiness: what the state directory knew was resumed."""
        if self._ready():
            return json_response(200, {"status": "ready"})
        return json_response(503, {"status": "not-ready"}, {"Retry-After": "1"})

    def metrics(self, _request: Request) -> Response:
        """Prometheus text."""
        figures = None if self._webhook is None else self._webhook.figures()
        text = render_metrics(self._status(), self._version, figures, self._certificate_until())
        return Response(200, text.encode("utf-8"), CONTENT_TYPE)

    def status_page(self, _request: Request) -> Response:
        """The page for people."""
        engine = self._engine
        return _html(page.render_page(self._status(), engine.findings(), self._history, engine.report()))

    def shards_page(self, request: Request) -> Response:
        """A part of the list of shards for people."""
        options = self._shard_options(request, ("state", "database", "offset"), page.ROWS)
        return _html(page.render_shards(self._engine.shards(options), request.query, int(str(options["offset"]))))

    def style(self, _request: Request) -> Response:
        """The page's style sheet."""
        return Response(200, page_assets.STYLE.encode("utf-8"), "text/css; charset=utf-8")

    def script(self, _request: Request) -> Response:
        """The page's script."""
        return Response(200, page_assets.SCRIPT.encode("utf-8"), "text/javascript; charset=utf-8")

    def stream(self, request: Request) -> Response:
        """Server-sent events; ``Last-Event-ID`` or the query's ``after`` replays those behind it."""
        fields.only(request.query, ("after",))
        raw = request.headers.get("last-event-id") or request.query.get("after")
        if raw is not None and not (raw.isdigit() and len(raw) < 20):
            raise fields.bad_field("after", "must be the id of an event")
        stream = self._events.stream(None if raw is None else int(raw))
        return Response(200, b"", "text/event-stream; charset=utf-8", stream=stream)

    def status(self, _request: Request) -> Response:
        """The status document."""
        return json_response(200, self._status())

    def start(self, request: Request) -> Response:
        """Start with the specification in the body; its fields are checked by the engine."""
        return self._controlled(self._engine.start(fields.json_object(request)))

    def stop(self, request: Request) -> Response:
        """Begin the cutover."""
        body = fields.json_object(request)
        fields.only(body, ("wait_timeout", "max_downtime", "accept_findings", "hold_opening"))
        options: dict[str, object] = {name: fields.seconds(body, name) for name in ("wait_timeout", "max_downtime")}
        options.update({name: body.get(name) for name in ("accept_findings", "hold_opening")})
        return self._controlled(self._engine.stop(_given(options), request.caller))

    def rehearse(self, request: Request) -> Response:
        """Rehearse the cutover, with a fence for some seconds if asked for."""
        body = fields.json_object(request)
        fields.only(body, ("fence_seconds", "max_downtime"))
        options = {name: fields.seconds(body, name) for name in body}
        return self._controlled(self._engine.rehearse(_given(options), request.caller))

    def revoke(self, request: Request) -> Response:
        """Revoke the opening of the migration that is named."""
        body = fields.json_object(request)
        fields.only(body, ("name", "timeout"))
        options = {"name": fields.text(body, "name"), "timeout": fields.seconds(body, "timeout")}
        return self._controlled(self._engine.revoke(_given(options), request.caller))

    def rescue_ticket(self, request: Request) -> Response:
        """A short-lived secret: what gives a fenced source back when this host is lost."""
        fields.only(fields.json_object(request), ())
        return json_response(200, self._engine.rescue_ticket())

    def release(self, request: Request) -> Response:
        """Let a cutover that holds its opening open the target, or have it take the way back."""
        body = fields.json_object(request)
        fields.only(body, ("open", "reason"))
        options = {"open": body.get("open"), "reason": fields.text(body, "reason")}
        return self._controlled(self._engine.release(_given(options)))

    def abort(self, request: Request) -> Response:
        """End the migration without opening the target, and remove what is on it if asked for."""
        body = fields.json_object(request)
        fields.only(body, ("reason", "cleanup"))
        options = {"reason": fields.text(body, "reason"), "cleanup": body.get("cleanup")}
        return self._controlled(self._engine.abort(_given(options)))

    def pause(self, request: Request) -> Response:
        """Suspend replication."""
        return self._controlled(self._engine.pause(self._reason(request)))

    def resume(self, request: Request) -> Response:
        """Go on after a pause."""
        return self._controlled(self._engine.resume(self._reason(request)))

    def limits(self, request: Request) -> Response:
        """Change how fast it goes."""
        return self._controlled(self._engine.limits(fields.json_object(request)))

    def shards(self, request: Request) -> Response:
        """Detail by shard, in pages."""
        options = self._shard_options(request, ("state", "database", "limit", "offset"), 1000)
        return json_response(200, self._engine.shards(options))

    def _shard_options(self, request: Request, known: Sequence[str], limit: int) -> dict[str, object]:
        fields.only(request.query, known)
        options: dict[str, object] = {
            name: request.query[name] for name in ("state", "database") if name in request.query
        }
        if options.get("state") not in (None, *SHARD_STATES):
            raise fields.bad_field("state", f"must be one of {', '.join(SHARD_STATES)}")
        options["limit"] = fields.number(request.query, "limit", limit, MAX_SHARDS)
        options["offset"] = fields.number(request.query, "offset", 0, 999_999_999)
        return options

    def findings(self, _request: Request) -> Response:
        """All findings."""
        return json_response(200, {"findings": self._engine.findings()})

    def report(self, _request: Request) -> Response:
        """The last attempt's report."""
        return json_response(200, self._report())

    def report_page(self, _request: Request) -> Response:
        """The same as one page for people, complete in itself."""
        html = report_page.render(self._report())
        return Response(200, html.encode("utf-8"), "text/html; charset=utf-8", page.REPORT_HEADERS)

    def _report(self) -> dict[str, Any]:
        report = self._engine.report()
        if report is None:
            raise CutoverError("CUT-AGENT-21", "there is no report: no cutover was made or rehearsed yet")
        return report

    def begin_changes(self, request: Request) -> Response:
        """Find out in the background what was written on the target since its opening."""
        body = fields.json_object(request)
        return json_response(202, self._changes.begin(parse_options(body, CHANGES_OPTIONS)))

    def changes(self, request: Request) -> Response:
        """State and result of one such comparison."""
        return json_response(200, self._changes.get(request.path.rpartition("/")[2]))

    def begin_verification(self, request: Request) -> Response:
        """Compare source and target in the background."""
        body = fields.json_object(request)
        return json_response(202, self._verifications.begin(parse_options(body, VERIFICATION_OPTIONS)))

    def verification(self, request: Request) -> Response:
        """State and result of one verification."""
        return json_response(200, self._verifications.get(request.path.rpartition("/")[2]))

    def server_mode(self, _request: Request) -> Response:
        """The source's mode as its servers show it."""
        return json_response(200, self._engine.server_mode())

    def set_server_mode(self, request: Request) -> Response:
        """Set the source's mode."""
        body = fields.json_object(request)
        fields.only(body, ("mode",))
        mode = fields.text(body, "mode")
        if mode not in SERVER_MODES:
            raise fields.bad_field("mode", f"must be one of {', '.join(SERVER_MODES)}")
        changed = self._engine.set_server_mode(mode)
        try:
            shown = self._engine.server_mode()
        except CutoverError:
            shown = {"mode": mode, "servers": {}}  # it is set; who is away learns it when it is back
        return json_response(200, {**shown, "changed": changed})

    def begin_precheck(self, request: Request) -> Response:
        """Run the prechecks of a specification in the background; they tell which values are wrong, all at once."""
        body = fields.json_object(request)
        fields.only(body, (*FIELDS, *PRECHECK_OPTIONS))
        return json_response(202, self._prechecks.begin(body))

    def precheck(self, request: Request) -> Response:
        """State and result of one precheck."""
        return json_response(200, self._prechecks.get(request.path.rpartition("/")[2]))

    def _reason(self, request: Request) -> dict[str, object]:
        body = fields.json_object(request)
        fields.only(body, ("reason",))
        return _given({"reason": fields.text(body, "reason")})

    def _controlled(self, changed: bool) -> Response:
        return json_response(202 if changed else 200, self._status())

    def _status(self) -> dict[str, Any]:
        """The engine's, with what the agent itself has to warn of."""
        status = self._engine.status()
        if self._webhook is None:
            return status
        return {**status, "problems": [*status["problems"], *self._webhook.problems()]}


def _html(text: str) -> Response:
    return Response(200, text.encode("utf-8"), "text/html; charset=utf-8", page.HEADERS)


def _given(options: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
