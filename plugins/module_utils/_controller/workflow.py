# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of a workflow: exactly the described ones, jobs or approvals, with the edges between them."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .changes import Changes
from .client import ControllerClient

EDGES = ("success", "failure", "always")
KIND = "workflow_node"


def apply_nodes(
    client: ControllerClient, changes: Changes, workflow: str, number: int | None, nodes: Sequence[Mapping[str, Any]]
) -> None:
    """Make the nodes of the workflow ``number`` (None in check mode, when there is none yet).

    A node has an `identifier`, either the id `unified_job_template` or the name `approval` with `description` and
    `timeout` (seconds, 0: for ever), and identifiers of those that follow under `success`, `failure` and `always`.
    """
    path = f"workflow_job_templates/{number}/workflow_nodes/"
    there = {} if number is None else {one["identifier"]: one for one in client.pages(path)}
    wanted = {node["identifier"]: node for node in nodes}
    removed: set[int] = set()
    for identifier, found in list(there.items()):
        if identifier not in wanted or _is_approval(found) != _wants_approval(wanted[identifier]):
            gone = there.pop(identifier)
            removed.add(int(gone["id"]))
            changes.make(
                partial(client.send, "DELETE", f"workflow_job_template_nodes/{gone['id']}/"),
                kind=KIND, name=f"{workflow}: {identifier}", action="removed", before={"identifier": identifier},
            )  # fmt: skip
    ids: dict[str, int | None] = {}
    for identifier, node in wanted.items():
        named = f"{workflow}: {identifier}"
        if identifier in there:
            ids[identifier] = int(there[identifier]["id"])
            _update(client, changes, named, there[identifier], node)
        else:
            ids[identifier] = _create(client, changes, named, path, node)
    for identifier, node in wanted.items():
        for edge in EDGES:
            before = set((there.get(identifier) or {}).get(f"{edge}_nodes") or []) - removed
            after = [(ids[follower], follower) for follower in node.get(edge) or []]
            _connect(client, changes, f"{workflow}: {identifier}", ids[identifier], edge, before, after)


def _is_approval(found: Mapping[str, Any]) -> bool:
    template = (found.get("summary_fields") or {}).get("unified_job_template") or {}
    return template.get("unified_job_type") == "workflow_approval"


def _wants_approval(node: Mapping[str, Any]) -> bool:
    return node.get("approval") is not None


def _approval(node: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": node["approval"], "description": node.get("description") or "", "timeout": node.get("timeout") or 0
    }  # fmt: skip


def _create(
    client: ControllerClient, changes: Changes, named: str, path: str, node: Mapping[str, Any]
) -> int | None:
    body = {"identifier": node["identifier"]}
    if not _wants_approval(node):
        body["unified_job_template"] = node["unified_job_template"]
    after = _approval(node) if _wants_approval(node) else {"job_template": node["job_template"]}

    def write() -> dict[str, Any]:
        made = client.send("POST", path, body)
        if _wants_approval(node):
            client.send("POST", f"workflow_job_template_nodes/{made['id']}/create_approval_template/", after)
        return made

    answer = changes.make(write, kind=KIND, name=named, action="created", after=after)
    return int(answer["id"]) if answer else None


def _update(
    client: ControllerClient, changes: Changes, named: str, found: Mapping[str, Any], node: Mapping[str, Any]
) -> None:
    if _wants_approval(node):
        path = f"workflow_approval_templates/{found['unified_job_template']}/"
        current: Mapping[str, Any] = client.get(path)
        wanted = _approval(node)
    else:
        path, current = f"workflow_job_template_nodes/{found['id']}/", found
        wanted = {"unified_job_template": node["unified_job_template"]}
    changed = {name: value for name, value in wanted.items() if current.get(name) != value}
    if changed:
        changes.make(
            partial(client.send, "PATCH", path, changed), kind=KIND, name=named, action="updated",
            before={name: current.get(name) for name in changed}, after=changed,
        )  # fmt: skip


def _connect(
    client: ControllerClient, changes: Changes, named: str, number: int | None, edge: str,
    before: set[int], after: Sequence[tuple[int | None, str]],
) -> None:  # fmt: skip
    """Make the edges of one kind exactly those to ``after`` (ids, with identifiers for the diff)."""
    path = f"workflow_job_template_nodes/{number}/{edge}_nodes/"
    for follower, identifier in after:
        if follower is None or follower not in before:
            changes.make(
                partial(client.send, "POST", path, {"id": follower}),
                kind=KIND, name=named, action="updated", after={f"{edge}: {identifier}": True},
            )  # fmt: skip
    for stale in before - {follower for follower, _identifier in after}:
        changes.make(
            partial(client.send, "POST", path, {"id": stale, "disassociate": True}),
            kind=KIND, name=named, action="updated", before={f"{edge}: {stale}": True},
        )  # fmt: skip
