# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Descriptions that cannot be applied are refused before anything is touched."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.errors import CutoverError
from .kinds import KINDS
from .workflow import EDGES

_WITH_SURVEY = ("job_template", "workflow_job_template")
_WITH_SECRETS = ("credential", "notification_template")


def check_objects(objects: Sequence[Mapping[str, Any]], secrets: Mapping[str, Any]) -> None:
    """Raise CUT-SPEC-1 for the first description that cannot be, naming the field and what is allowed."""
    for number, one in enumerate(objects):
        _check_object(f"objects[{number}]", one)
    known = {one["name"] for one in objects if one["kind"] in _WITH_SECRETS}
    for name, entries in secrets.items():
        if name not in known:
            raise _refused("secrets", f"{name} is neither a credential nor a notification of objects")
        if not isinstance(entries, Mapping):
            raise _refused("secrets", f"the entries of {name} are no dictionary")


def _check_object(field: str, one: Mapping[str, Any]) -> None:
    kind = KINDS[one["kind"]]
    for relation, names in (one.get("links") or {}).items():
        if relation not in kind.links:
            allowed = ", ".join(sorted(kind.links)) or "none"
            raise _refused(f"{field}.links", f"{one['kind']} has no relation {relation} (allowed: {allowed})")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _refused(f"{field}.links", f"{relation} is no list of names")
    for reference in set(kind.references) & set(one.get("fields") or {}):
        if not isinstance(one["fields"][reference], str):
            raise _refused(f"{field}.fields", f"{reference} is not the name of an object")
    if one.get("survey") and one["kind"] not in _WITH_SURVEY:
        raise _refused(f"{field}.survey", f"only {' and '.join(_WITH_SURVEY)} have one")
    if one.get("nodes") is not None:
        if one["kind"] != "workflow_job_template":
            raise _refused(f"{field}.nodes", "only workflow_job_template has nodes")
        _check_nodes(f"{field}.nodes", one["nodes"])


def _check_nodes(field: str, nodes: Sequence[Mapping[str, Any]]) -> None:
    names = [node["identifier"] for node in nodes]
    for node in nodes:
        identifier = node["identifier"]
        if names.count(identifier) > 1:
            raise _refused(field, f"{identifier} is there twice")
        if (node.get("job_template") is None) == (node.get("approval") is None):
            raise _refused(field, f"{identifier} needs either job_template or approval")
        for edge in EDGES:
            for follower in node.get(edge) or []:
                if follower not in names:
                    raise _refused(field, f"{identifier} is followed by {follower}, which is no node")


def _refused(field: str, text: str) -> CutoverError:
    return CutoverError("CUT-SPEC-1", f"{field}: {text}", details={"field": field})
