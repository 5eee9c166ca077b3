# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The part of a controller's REST API with which ansible-rulebook launches templates, on loopback."""

from __future__ import annotations

import contextlib
import json
import queue
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.controller.serving import served

TOKEN = "hush-controller-token"
WAIT = 180.0
ASKS = {f"ask_{what}_on_launch": what == "variables" for what in ("limit", "labels", "inventory", "variables")}

DONE = {"status": "successful", "created": "2026-11-23T00:00:00Z", "artifacts": {}}


class Launches:
    """Templates by name and kind, and what was launched; every job has succeeded when it is asked for."""

    def __init__(self, jobs: Sequence[str], workflows: Sequence[str]) -> None:
        kinds = [("job", name) for name in jobs] + [("workflow_job", name) for name in workflows]
        self._templates = dict(enumerate(kinds, 1))
        self._launched: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._count = 0

    def next(self) -> tuple[str, dict[str, Any]]:
        """Name and extra variables of the next launch; raises ``queue.Empty`` when there is none."""
        return self._launched.get(timeout=WAIT)

    def none_more(self) -> bool:
        """Whether nothing else was launched by now."""
        return self._launched.empty()

    def answer(self, method: str, target: str, body: Any) -> Any:
        """The body of the answer, None for what is not known."""
        parts = urlsplit(target)
        query, steps = parse_qs(parts.query), parts.path.removeprefix("/api/v2/").strip("/").split("/")
        if steps == ["config"]:
            return {"version": "24.6.1"}
        if steps == ["unified_job_templates"]:
            numbers = [number for number, (_kind, name) in self._templates.items() if [name] == query["name"]]
            found = [self._shown(number) for number in numbers]
            return {"count": len(found), "next": None, "results": found}
        if steps in (["jobs"], ["workflow_jobs"]):
            ids = query["id__in"][0].split(",")
            return {"next": None, "results": [{"id": int(one), **DONE} for one in ids]}
        if method == "POST" and steps[-1] == "launch":
            kind, name = self._templates[int(steps[-2])]
            self._launched.put((name, (body or {}).get("extra_vars") or {}))
            self._count += 1
            return {"id": self._count, "url": f"/api/v2/{kind}s/{self._count}/"}
        return None

    def _shown(self, number: int) -> dict[str, Any]:
        kind, name = self._templates[number]
        organization = {"organization": {"name": "Default"}}
        related = {"launch": f"/api/v2/{kind}_templates/{number}/launch/"}
        return {
            "id": number, "type": f"{kind}_template", "name": name, "summary_fields": organization, "related": related,
            **ASKS,
        }  # fmt: skip


@contextlib.contextmanager
def controller(launches: Launches, keyfile: Path) -> Iterator[str]:
    """Serve the API; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            found = launches.answer(self.command, self.path, json.loads(body or b"null")) if known else None
            sent = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = _serve  # noqa: N815 the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    with served(Handler, keyfile) as address:
        yield address
