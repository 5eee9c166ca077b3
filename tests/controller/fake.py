# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The part of AWX's REST API that `controller_objects` uses, with what it refuses, on loopback."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.controller.serving import served
from tests.controller.survey import refused_survey

TOKEN = "hush-controller-token"
HIDDEN = "$encrypted$"
REFERENCES = {
    "organization": "organizations", "credential_type": "credential_types", "project": "projects",
    "inventory": "inventories", "execution_environment": "execution_environments", "credential": "credentials",
    "default_environment": "execution_environments", "unified_job_template": "job_templates",
}  # fmt: skip
REQUIRED = {
    "credential_types": ("kind",), "credentials": ("credential_type",), "execution_environments": ("image",),
    "hosts": ("inventory",), "groups": ("inventory",), "inventories": ("organization",), "labels": ("organization",),
    "notification_templates": ("organization", "notification_type"), "projects": ("organization",),
    "job_templates": ("project", "playbook"), "schedules": ("unified_job_template", "rrule"), "organizations": (),
    "workflow_job_templates": (),
}  # fmt: skip
EDGES = ("success_nodes", "failure_nodes", "always_nodes")
FETCHED_AFTER = 2  # looks at a project


class RefusedError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


class Controller:
    """The stored objects, by path of their kind and by id."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[int, dict[str, Any]]] = {path: {} for path in REQUIRED}
        self.stored |= {"workflow_job_template_nodes": {}, "workflow_approval_templates": {}}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], dict[str, Any]] = {}
        self.writes: list[str] = []
        self.looks = 0
        self.project_ends_as = "successful"
        self.lock = threading.Lock()
        self._next = 0
        self.add("organizations", {"name": "Default"})

    def add(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Store an object."""
        self._next += 1
        made = {"id": self._next, **fields}
        self.stored[path][self._next] = made
        return made

    def named(self, path: str, name: str) -> dict[str, Any]:
        """The object with this name."""
        (found,) = [one for one in self.stored[path].values() if one["name"] == name]
        return found

    def linked(self, path: str, name: str, relation: str) -> set[str]:
        """Names of what is linked to an object."""
        ids = self.links.get((path, self.named(path, name)["id"], relation), [])
        return {str(one["name"]) for kind in self.stored.values() for one in kind.values() if one["id"] in ids}

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """Status and body for a request; `target` is relative to the API."""
        parts = urlsplit(target)
        steps = parts.path.strip("/").split("/")
        query = dict(parse_qsl(parts.query))
        if steps == ["ping"]:
            return 200, {"version": "24.6.1"}
        if method != "GET":
            self.writes.append(f"{method} {parts.path}")
        path = steps[0]
        if path not in self.stored:
            raise RefusedError(404, {"detail": "Not found."})
        if len(steps) == 1:
            return self._create(path, body) if method == "POST" else (200, self._listed(path, query))
        number = int(steps[1])
        if number not in self.stored[path]:
            raise RefusedError(404, {"detail": "Not found."})
        if len(steps) == 2:
            return self._single(method, path, number, body)
        return self._related(method, path, number, steps[2], body)

    # -- objects ------------------------------------------------------------------------------------------------

    def _create(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        missing = {one: ["This field is required."] for one in ("name", *REQUIRED[path]) if body.get(one) in (None, "")}
        if missing:
            raise RefusedError(400, missing)
        scope = next((one for one in ("inventory", "unified_job_template", "organization") if one in body), None)
        for other in self.stored[path].values():
            same = scope is None or path == "job_templates" or other.get(scope) == body[scope]
            if other["name"] == body["name"] and same:
                raise RefusedError(400, {"__all__": ["This name is already taken."]})
        self._check(path, body)
        made = self.add(path, dict(body))
        if path == "projects":
            made["status"] = "pending"
        return 201, self._shown(path, made)

    def _check(self, path: str, body: dict[str, Any]) -> None:
        for field in set(REFERENCES) & set(body):
            if body[field] not in self.stored[REFERENCES[field]]:
                raise RefusedError(400, {field: [f'Invalid pk "{body[field]}" - object does not exist.']})
        project = self.stored["projects"].get(body.get("project", 0), {}) if path == "job_templates" else {}
        if project.get("status", "successful") != "successful":
            raise RefusedError(400, {"playbook": ["Playbook not found for project."]})
        if path == "credentials" and "inputs" in body:
            fields = self.stored["credential_types"][body.get("credential_type", 0)]["inputs"]["fields"] \
                if "credential_type" in body else None
            known = {one["id"] for one in fields} if fields is not None else set(body["inputs"])
            if set(body["inputs"]) - known:
                raise RefusedError(400, {"inputs": [f"Additional properties: {sorted(set(body['inputs']) - known)}"]})
        for field in ("extra_vars", "variables"):
            if not isinstance(body.get(field, ""), str):
                raise RefusedError(400, {field: ["Not a valid string."]})

    def _listed(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        query.pop("page", None)
        query.pop("page_size", None)
        found = [
            self._shown(path, one) for one in self.stored[path].values()
            if all(str(one.get(name)) == value for name, value in query.items())
        ]  # fmt: skip
        return {"count": len(found), "next": None, "results": found}

    def _single(self, method: str, path: str, number: int, body: Any) -> tuple[int, Any]:
        found = self.stored[path][number]
        if method == "DELETE":
            del self.stored[path][number]
            for ids in self.links.values():
                ids[:] = [one for one in ids if one != number]
            return 204, None
        if method == "PATCH":
            self._check(path, body)
            kept = dict(found.get("inputs") or {})
            found.update(body)
            if "inputs" in body and path == "credentials":
                found["inputs"] = {k: kept[k] if v == HIDDEN else v for k, v in body["inputs"].items()}
        elif path == "projects" and found["status"] == "pending":
            self.looks += 1
            if self.looks >= FETCHED_AFTER:
                found["status"] = self.project_ends_as
        return 200, self._shown(path, found)

    def _shown(self, path: str, one: dict[str, Any]) -> dict[str, Any]:
        """An object as the API shows it: secrets are hidden, nodes have their edges."""
        shown: dict[str, Any] = json.loads(json.dumps(one))
        if path == "credentials":
            fields = self.stored["credential_types"][one["credential_type"]]["inputs"]["fields"]
            secret = {field["id"] for field in fields if field.get("secret")}
            shown["inputs"] = {key: HIDDEN if key in secret else value for key, value in one["inputs"].items()}
        if path == "workflow_job_template_nodes":
            shown |= {edge: self.links.get((path, one["id"], edge), []) for edge in EDGES}
            approval = one.get("unified_job_template") in self.stored["workflow_approval_templates"]
            kind = "workflow_approval" if approval else "job"
            shown["summary_fields"] = {"unified_job_template": {"unified_job_type": kind}}
        return shown

    # -- what belongs to an object ------------------------------------------------------------------------------

    def _related(self, method: str, path: str, number: int, relation: str, body: Any) -> tuple[int, Any]:
        if relation == "survey_spec":
            if method == "POST":
                why = refused_survey(body)
                if why:
                    raise RefusedError(400, {"error": why})
                self.surveys[path, number] = body
            return 200, self.surveys.get((path, number), {})
        if relation == "create_approval_template":
            made = self.add("workflow_approval_templates", body)
            self.stored[path][number]["unified_job_template"] = made["id"]
            return 201, made
        if relation == "workflow_nodes":
            if method == "POST":
                self._check(path, {key: body[key] for key in body if key in REFERENCES})
                return 201, self.add("workflow_job_template_nodes", {**body, "workflow_job_template": number})
            return 200, self._listed("workflow_job_template_nodes", {"workflow_job_template": str(number)})
        ids = self.links.setdefault((path, number, relation), [])
        if method == "GET":
            return 200, {"next": None, "results": [{"id": one} for one in ids]}
        if not any(body["id"] in kind for kind in self.stored.values()):
            raise RefusedError(400, {"error": f"{body['id']} does not exist"})
        if body.get("disassociate"):
            ids.remove(body["id"])
        elif body["id"] not in ids:
            ids.append(body["id"])
        return 204, None


@contextlib.contextmanager
def running(controller: Controller, keyfile: Path, api: str = "/api/v2/") -> Iterator[str]:
    """Serve the API; gives the address, without the path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _serve(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                if not self.path.startswith(api):
                    raise RefusedError(404, {"detail": "Not found."})
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise RefusedError(401, {"detail": "Authentication credentials were not provided."})
                with controller.lock:
                    status, body = controller.answer(self.command, self.path[len(api) :], json.loads(text or b"null"))
            except RefusedError as refusal:
                status, body = refusal.status, refusal.body
            sent = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    with served(Handler, keyfile) as address:
        yield address
