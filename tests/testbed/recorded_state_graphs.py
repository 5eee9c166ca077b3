# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The graph that a recorded request on `/_api/gharial` found, derived from the request and its answer."""

from __future__ import annotations

import re
from typing import Any

from tests.testbed.recorded import Exchange, Script

_PATH = re.compile(
    r"/_api/gharial/(?P<graph>[^/]+)(?:/(?P<kind>vertex|edge)(?:/(?P<name>[^/]+)(?:/(?P<key>[^/]+))?)?)?"
)
_SYSTEM = ("_id", "_rev", "_oldRev")


def prepare_graph(script: Script, exchange: Exchange) -> None:
    """Create the graph, and the vertices and edges that the request works on."""
    request = exchange["request"]
    match = _PATH.fullmatch(request["path"].partition("?")[0])
    if match is None:
        listed = exchange["response"]["body"].get("graphs", []) if request["method"] == "GET" else []
        for graph in listed:
            script.make("POST", "/_api/gharial", graph)
        return
    answer, body = exchange["response"]["body"], request.get("body")
    unknown = exchange["response"]["status"] == 404
    if unknown and not match["key"]:
        return
    graph = {"name": match["graph"], **_graph(match, request["method"], answer, body if isinstance(body, dict) else {})}
    script.make("POST", "/_api/gharial", graph)
    if unknown:
        return
    if match["key"] or (match["kind"] == "edge" and "edge" in answer):
        _members(script, match, answer, body if isinstance(body, dict) else {})


def _definition(collection: str, start: list[str], end: list[str]) -> dict[str, Any]:
    return {"collection": collection, "from": start, "to": end}


def _graph(match: re.Match[str], method: str, answer: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Edge definitions and orphans before the request."""
    shown = answer.get("graph")
    if shown is not None:
        return _before_change(match, method, shown, body)
    kind, name = match["kind"], match["name"] or str(body.get("collection"))
    if kind is None:
        return {"edgeDefinitions": [_definition("edges", ["ends"], ["ends"])]}
    if "collections" in answer:
        names = answer["collections"]
        if kind == "edge":
            return {"edgeDefinitions": [_definition(entry, ["ends"], ["ends"]) for entry in names]}
        return {"edgeDefinitions": [_definition("edges", names[:1], names[1:] or names[:1])]}
    if kind == "vertex" and answer.get("errorNum") and answer["errorNum"] != 1938:
        return {"edgeDefinitions": [_definition("edges", [name], [name])]}
    if kind == "vertex":
        return {"edgeDefinitions": [], "orphanCollections": [name]}
    ends = sorted({end.partition("/")[0] for end in _ends(answer, body)}) or ["ends"]
    return {"edgeDefinitions": [_definition(name, ends, ends)]}


def _before_change(match: re.Match[str], method: str, shown: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    entries, orphans = list(shown["edgeDefinitions"]), list(shown["orphanCollections"])
    kind, name = match["kind"], match["name"]
    if kind == "edge" and method == "POST":
        entries = [entry for entry in entries if entry["collection"] != body["collection"]]
    elif kind == "edge" and method == "DELETE":
        entries, orphans = [*entries, _definition(name, orphans, orphans)], []
    elif kind == "vertex" and method == "POST":
        orphans = [entry for entry in orphans if entry != body["collection"]]
    elif kind == "vertex" and method == "DELETE":
        orphans = [*orphans, name]
    return {"edgeDefinitions": entries, "orphanCollections": orphans}


def _ends(answer: dict[str, Any], body: dict[str, Any]) -> list[str]:
    edge = answer.get("edge") if isinstance(answer.get("edge"), dict) else {}
    return [value for values in (body, edge or {}) for field in ("_from", "_to") if (value := values.get(field))]


def _members(script: Script, match: re.Match[str], answer: dict[str, Any], body: dict[str, Any]) -> None:
    ends = _ends(answer, body)
    for end in dict.fromkeys(ends):
        collection, _, key = end.partition("/")
        script.make("POST", f"/_api/document/{collection}", {"_key": key})
    if not match["key"]:
        return
    shown = answer.get("old") or answer.get(match["kind"]) or {}
    content = {name: value for name, value in shown.items() if name not in _SYSTEM} | {"_key": match["key"]}
    if match["kind"] == "edge" and "_from" not in content:
        if not ends:
            script.make("POST", "/_api/document/ends", {"_key": "1"})
        start, end = (ends + ends)[:2] if ends else ("ends/1", "ends/1")
        content |= {"_from": start, "_to": end}
    made = script.make("POST", f"/_api/document/{match['name']}", content)
    revision = shown.get("_oldRev") or shown.get("_rev")
    script.remember(revision, made["_rev"])
