# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes the objects of an automation controller as they are described, one after another."""
from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from .._core.clock import Deadline
from .._core.errors import CutoverError
from .changes import Changes
from .client import ControllerClient
from .comparison import body_of, differing, shown
from .kinds import ENCRYPTED, KINDS, Kind
from .workflow import apply_nodes

_UNDER_WAY = frozenset({"new", "pending", "waiting", "running"})
_LOOK_EVERY = 2.0  # seconds between two looks at a project that is being fetched


class Objects:
    """Applies descriptions: `kind`, `name`, `fields` of the API with other objects by name, `links`, `survey`, `nodes`.

    ``secrets`` are, by name of a credential or notification, entries of its encrypted field; they are sent when the
    object is made or something else in that field changes, always with ``update_secrets``. Raises ``CutoverError``.
    """

    def __init__(
        self, client: ControllerClient, changes: Changes, *, secrets: Mapping[str, Mapping[str, Any]],
        update_secrets: bool = False, wait_timeout: float = 300.0,
    ) -> None:  # fmt: skip
        self._client = client
        self._changes = changes
        self._secrets = secrets
        self._update_secrets = update_secrets
        self._wait_timeout = wait_timeout
        # None: it would be made, and has no id in check mode.
        self._ids: dict[tuple[str, str], int | None] = {}
        self._pause = threading.Event()

    def apply(self, description: Mapping[str, Any]) -> None:
        """Make one object, or change what differs."""
        kind_name, name = description["kind"], description["name"]
        kind = KINDS[kind_name]
        fields = self._resolved(kind, description.get("fields") or {})
        survey = description.get("survey")
        if survey:
            fields["survey_enabled"] = True
        current = self._find(kind_name, name, {one: fields[one] for one in kind.scope if one in fields})
        number = self._written(kind_name, name, fields, current)
        self._ids[kind_name, name] = number
        if kind_name == "project" and number is not None:
            self._await_project(name, number, Deadline(self._wait_timeout))
        if survey:
            self._apply_survey(kind_name, name, number, survey)
        for relation, names in (description.get("links") or {}).items():
            self._apply_links(kind_name, name, number, relation, names, fields)
        if description.get("nodes") is not None:
            nodes = [self._node(node) for node in description["nodes"]]
            apply_nodes(self._client, self._changes, name, number, nodes)

    # -- names and ids ------------------------------------------------------------------------------------------

    def _resolved(self, kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields with ids in the place of names."""
        resolved = dict(fields)
        # The organization first: the names of others may be unique only within it.
        for field in sorted(set(kind.references) & set(fields), key=lambda one: one != "organization"):
            resolved[field] = self._id(kind.references[field], fields[field], resolved)
        return resolved

    def _id(self, kind_name: str, name: str, referrer: Mapping[str, Any]) -> int | None:
        if (kind_name, name) not in self._ids:
            scope = {one: referrer[one] for one in KINDS[kind_name].scope if one in referrer}
            found = self._find(kind_name, name, scope)
            if found is None:
                self._note_missing(kind_name, name)
            self._ids[kind_name, name] = int(found["id"]) if found else None
        return self._ids[kind_name, name]

    def _note_missing(self, kind_name: str, name: str) -> None:
        """In check mode an earlier task may be the one that makes it."""
        text = f"the controller has no {kind_name} with the name {name}"
        if not self._changes.check:
            raise CutoverError("CUT-CONTROLLER-4", text, details={"kind": kind_name, "name": name})
        self._changes.unknown.append(f"{text}; outside check mode that is refused")

    def _find(self, kind_name: str, name: str, scope: Mapping[str, Any]) -> dict[str, Any] | None:
        if None in scope.values():
            return None
        found = list(self._client.pages(f"{KINDS[kind_name].path}/", name=name, **scope))
        if len(found) > 1:
            text = f"the controller has {len(found)} objects of the kind {kind_name} with the name {name}"
            raise CutoverError("CUT-CONTROLLER-4", text, details={"kind": kind_name, "name": name})
        return found[0] if found else None

    # -- one object ---------------------------------------------------------------------------------------------

    def _written(
        self, kind_name: str, name: str, fields: dict[str, Any], current: Mapping[str, Any] | None
    ) -> int | None:
        path = KINDS[kind_name].path
        with_secrets = self._with_secrets(kind_name, name, fields)
        if current is None:
            answer = self._changes.make(
                partial(self._client.send, "POST", f"{path}/", {"name": name, **body_of(with_secrets)}),
                kind=kind_name, name=name, action="created", after=shown(fields),
            )  # fmt: skip
            return int(answer["id"]) if answer else None
        changed = differing(current, with_secrets)
        if self._update_secrets and name in self._secrets:
            changed |= {field: with_secrets[field] for field in ENCRYPTED & set(with_secrets)}
        if changed:
            self._changes.make(
                partial(self._client.send, "PATCH", f"{path}/{current['id']}/", body_of(changed)),
                kind=kind_name, name=name, action="updated",
                before=shown({field: current.get(field) for field in changed}), after=shown(changed),
            )  # fmt: skip
        return int(current["id"])

    def _with_secrets(self, kind_name: str, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        field = {"credential": "inputs", "notification_template": "notification_configuration"}.get(kind_name)
        if field is None or name not in self._secrets:
            return dict(fields)
        return {**fields, field: {**fields.get(field, {}), **self._secrets[name]}}

    def _await_project(self, name: str, number: int, deadline: Deadline) -> None:
        """Job templates can be made only once the project's playbooks are there."""
        if self._changes.check:
            return
        while True:
            status = str(self._client.get(f"projects/{number}/").get("status"))
            if status not in _UNDER_WAY:
                break
            if self._pause.wait(min(_LOOK_EVERY, deadline.remaining())) or deadline.expired:
                text = f"the project {name} is still being fetched ({status})"
                raise CutoverError("CUT-CONTROLLER-6", text, retriable=True, details={"status": status})
        if status in ("failed", "error", "canceled"):
            text = f"the last update of the project {name} ended as {status}"
            raise CutoverError("CUT-CONTROLLER-5", text, details={"status": status})

    def _apply_survey(self, kind_name: str, name: str, number: int | None, survey: Mapping[str, Any]) -> None:
        path = f"{KINDS[kind_name].path}/{number}/survey_spec/"
        current = {} if number is None else self._client.get(path)
        changed = differing(current, survey)
        if changed:
            self._changes.make(
                partial(self._client.send, "POST", path, survey),
                kind=f"{kind_name}_survey", name=name, action="updated" if current else "created",
                before={one: current.get(one) for one in changed} if current else {}, after=changed,
            )  # fmt: skip

    def _apply_links(
        self, kind_name: str, name: str, number: int | None, relation: str, names: list[str], fields: Mapping[str, Any]
    ) -> None:
        """Link what is not linked; what others have linked stays."""
        kind = KINDS[kind_name]
        path = f"{kind.path}/{number}/{relation}/"
        there = set() if number is None else {one["id"] for one in self._client.pages(path)}
        for other in names:
            linked = self._id(kind.links[relation], other, fields)
            if linked is None or linked not in there:
                self._changes.make(
                    partial(self._client.send, "POST", path, {"id": linked}),
                    kind=kind_name, name=name, action="updated", after={f"{relation}: {other}": True},
                )  # fmt: skip

    def _node(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """A workflow's node with the id of its job template."""
        if node.get("job_template") is None:
            return dict(node)
        return {**node, "unified_job_template": self._id("job_template", node["job_template"], {})}
