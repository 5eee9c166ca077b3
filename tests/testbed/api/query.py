# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/query` and `/_api/explain`: running queries of the answering server, killing, parsing."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from tests.testbed import settings
from tests.testbed.aql import syntax
from tests.testbed.aql.context import Context
from tests.testbed.aql.parser import parse
from tests.testbed.aql.pipeline import Plan
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.queries import RunningQuery, running
from tests.testbed.routing import route
from tests.testbed.storage import Transaction

_PROPERTIES: dict[str, Any] = {
    "enabled": True,
    "trackSlowQueries": True,
    "trackBindVars": True,
    "maxSlowQueries": 64,
    "slowQueryThreshold": 10,
    "slowStreamingQueryThreshold": 10,
    "maxQueryStringLength": 4096,
}


def _visible(request: Request) -> list[RunningQuery]:
    """Queries of the answering server, of every database with `all`, which is for administrators."""
    everywhere = request.flag("all")
    if everywhere:
        if request.database_name != "_system":
            raise ArangoError(1230)
        if request.deployment.authenticator.database_level(request.caller, "_system") != "rw":
            raise ArangoError(11)
    found = [query for query in running(request.deployment).values() if query.server is request.server]
    return [query for query in found if everywhere or query.database.name == request.database_name]


@route("GET", "/_api/query/current")
def current(request: Request) -> Response:
    """What runs now."""
    return reply([query.describe() for query in _visible(request)])


@route("GET", "/_api/query/slow")
def slow(_request: Request) -> Response:
    """Slow queries are not tracked."""
    return reply([])


@route("DELETE", "/_api/query/slow")
def clear_slow(_request: Request) -> Response:
    """Nothing to forget."""
    return result()


@route("DELETE", "/_api/query/{id}")
def kill(request: Request) -> Response:
    """Kill a query; errorNum 1591."""
    found = next((query for query in _visible(request) if query.id == request.params["id"]), None)
    if found is None:
        raise ArangoError(1591)
    found.kill()
    return result()


@route("GET|PUT", "/_api/query/properties")
def properties(request: Request) -> Response:
    """Settings of query tracking."""
    kept: dict[str, Any] = request.deployment.objects.setdefault("query_properties", dict(_PROPERTIES))
    if request.method == "PUT":
        settings.change(kept, request.json_object())
    return result(**kept)


@route("GET", "/_api/query/rules")
def rules(_request: Request) -> Response:
    """The optimizer here has the one rule that filters are applied as early as they stand."""
    flags = {"hidden": False, "clusterOnly": False, "canBeDisabled": False, "canCreateAdditionalPlans": False}
    flags |= {"disabledByDefault": False, "enterpriseOnly": False}
    return reply([{"name": "move-filters-up", "flags": flags}])


def _names(node: object, kind: type[syntax.Bind]) -> list[str]:
    if isinstance(node, kind):
        return [node.name]
    if isinstance(node, syntax.Query | syntax.Expression | syntax.Statement):
        return [name for value in vars(node).values() for name in _names(value, kind)]
    return [name for entry in node for name in _names(entry, kind)] if isinstance(node, tuple) else []


@route("POST", "/_api/query")
def parsed(request: Request) -> Response:
    """Check the syntax; the tree itself is not shown."""
    tree = parse(_text(request.json_object()))
    binds = list(dict.fromkeys(_names(tree, syntax.Bind)))
    return result(parsed=True, collections=sorted(set(_collections(tree, frozenset()))), bindVars=binds, ast=[])


def _text(body: dict[str, Any]) -> str:
    text = body.get("query")
    if not isinstance(text, str) or not text:
        raise ArangoError(1502)
    return text


def _collections(node: object, variables: frozenset[str]) -> Iterator[str]:
    """Names in loops and changes that are no variables."""
    if isinstance(node, syntax.Query):
        for statement in node.statements:
            yield from _collections(statement, variables)
            if isinstance(statement, syntax.For | syntax.Let):
                variables |= {statement.variable}
        return
    source: object = getattr(node, "source", None) or getattr(node, "collection", None)
    if isinstance(source, syntax.Name) and source.name not in variables:
        yield source.name
    if isinstance(node, syntax.Expression | syntax.Statement):
        for value in vars(node).values():
            yield from _collections(value, variables)
    elif isinstance(node, tuple):
        for entry in node:
            yield from _collections(entry, variables)


def _node_type(statement: syntax.Statement, collections: Container[str]) -> str:
    """How an execution plan calls a statement."""
    if isinstance(statement, syntax.For):
        source = statement.source
        listed = not isinstance(source, syntax.Bind | syntax.Name) or (
            source.name not in collections if isinstance(source, syntax.Name) else not source.name.startswith("@")
        )
        return "EnumerateListNode" if listed else "EnumerateCollectionNode"
    if isinstance(statement, syntax.Modify):
        return f"{statement.kind.capitalize()}Node"
    return "CalculationNode" if isinstance(statement, syntax.Let) else f"{type(statement).__name__}Node"


@route("POST", "/_api/explain")
def explain(request: Request) -> Response:
    """The statements as nodes, and the collections."""
    body = request.json_object()
    tree = parse(_text(body))
    context = Context(request, body.get("bindVars") or {}, {}, Transaction(request.database))
    modifies = Plan(context, tree).modifies
    nodes: list[dict[str, Any]] = [{"type": "SingletonNode", "dependencies": [], "id": 1}]
    named = set(_collections(tree, frozenset()))
    for number, statement in enumerate(tree.statements, 2):
        nodes.append({"type": _node_type(statement, named), "dependencies": [number - 1], "id": number})
    used = dict.fromkeys(context.read, "read") | dict.fromkeys(context.written, "write")
    collections = [{"name": name, "type": kind} for name, kind in sorted(used.items())]
    plan: dict[str, Any] = {"nodes": nodes, "rules": [], "collections": collections, "variables": []}
    plan |= {"estimatedCost": len(nodes), "estimatedNrItems": 1, "isModificationQuery": modifies}
    plans = {"plans": [plan]} if (body.get("options") or {}).get("allPlans") else {"plan": plan, "cacheable": False}
    stats = {"rulesExecuted": 0, "rulesSkipped": 0, "plansCreated": 1}
    return result(**plans, warnings=context.warnings, stats=stats)
