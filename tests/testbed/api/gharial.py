# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/gharial`: named graphs, their collections, vertices and edges (recordings)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.testbed import graphs
from tests.testbed.api.documents import guard, guarded_element, read_one, transaction_of, write_options
from tests.testbed.collection import Collection
from tests.testbed.documents import Outcome, Writer
from tests.testbed.errors import ArangoError
from tests.testbed.graphs import Graph
from tests.testbed.message import Request, Response, result
from tests.testbed.rawjson import Element, parse
from tests.testbed.rights import may_define, may_read, may_write
from tests.testbed.routing import route


def _graph(request: Request) -> Graph:
    return graphs.find(request.database, request.params["graph"])


def _changed(request: Request, document: Graph) -> Response:
    stored = graphs.store(request, document)
    return _answer(request, stored, waiting=True)


def _answer(request: Request, graph: Graph, *, waiting: bool) -> Response:
    status = (201 if request.flag("waitForSync") else 202) if waiting else 200
    headers = {"etag": graph["_rev"]} if waiting else {}
    return result(status, headers, graph=graphs.shown(graph))


@route("GET", "/_api/gharial")
def list_graphs(request: Request) -> Response:
    """All graphs."""
    return result(graphs=[graphs.shown(graph) for graph in graphs.graphs(request.database).values()])


@route("POST", "/_api/gharial")
def create(request: Request) -> Response:
    """Create a graph and the collections it lacks."""
    may_define(request)
    return _answer(request, graphs.create(request, request.json_object()), waiting=True)


@route("GET", "/_api/gharial/{graph}")
def read(request: Request) -> Response:
    """One graph."""
    return _answer(request, _graph(request), waiting=False)


@route("DELETE", "/_api/gharial/{graph}")
def drop(request: Request) -> Response:
    """Drop a graph, with `dropCollections` its collections too."""
    may_define(request)
    graphs.drop(request, _graph(request), collections=request.flag("dropCollections"))
    return result(202, removed=True)


@route("GET", "/_api/gharial/{graph}/vertex")
def vertex_collections(request: Request) -> Response:
    """Names of the vertex collections."""
    return result(collections=graphs.vertex_collections(_graph(request)))


@route("POST", "/_api/gharial/{graph}/vertex")
def add_vertex_collection(request: Request) -> Response:
    """Add an orphan collection; errorNum 1938 when it is one, 1929 when an edge definition uses it."""
    may_define(request)
    graph, name = _graph(request), request.json_object().get("collection")
    if not isinstance(name, str):
        raise ArangoError(10, "collection name missing")
    if name in graph["orphanCollections"]:
        raise ArangoError(1938)
    if name in graphs.vertex_collections(graph):
        raise ArangoError(1929)
    graph["orphanCollections"] = sorted([*graph["orphanCollections"], name])
    graphs.ensure_collections(request, graph)
    return _changed(request, graph)


@route("DELETE", "/_api/gharial/{graph}/vertex/{collection}")
def remove_vertex_collection(request: Request) -> Response:
    """Take an orphan collection out; errorNum 1926, 1928."""
    may_define(request)
    graph, name = _graph(request), request.params["collection"]
    if name not in graph["orphanCollections"]:
        raise ArangoError(1928 if name in graphs.vertex_collections(graph) else 1926)
    graph["orphanCollections"].remove(name)
    answer = _changed(request, graph)
    if request.flag("dropCollection"):
        graphs.drop_collection(request, name)
    return answer


@route("GET", "/_api/gharial/{graph}/edge")
def edge_collections(request: Request) -> Response:
    """Names of the edge collections."""
    return result(collections=graphs.edge_collections(_graph(request)))


@route("POST", "/_api/gharial/{graph}/edge")
def add_definition(request: Request) -> Response:
    """Add an edge definition; errorNum 1920, 1921."""
    may_define(request)
    graph, entry = _graph(request), graphs.definition(request.json_object())
    if entry["collection"] in graphs.edge_collections(graph):
        raise ArangoError(1920)
    graphs.check_same_elsewhere(request.database, entry, graph["_key"])
    graph["edgeDefinitions"].append(entry)
    used = {*entry["from"], *entry["to"]}
    graph["orphanCollections"] = [name for name in graph["orphanCollections"] if name not in used]
    graphs.ensure_collections(request, graph)
    return _changed(request, graph)


@route("PUT", "/_api/gharial/{graph}/edge/{collection}")
def replace_definition(request: Request) -> Response:
    """Replace an edge definition."""
    may_define(request)
    graph = _graph(request)
    graphs.set_definition(graph, graphs.definition(request.json_object()))
    graphs.ensure_collections(request, graph)
    return _changed(request, graph)


@route("DELETE", "/_api/gharial/{graph}/edge/{collection}")
def remove_definition(request: Request) -> Response:
    """Take an edge definition out."""
    may_define(request)
    graph, name = _graph(request), request.params["collection"]
    graphs.remove_definition(graph, name)
    answer = _changed(request, graph)
    if request.flag("dropCollections"):
        graphs.drop_collection(request, name)
    return answer


Operation = Callable[[Writer], Outcome]


def _member(request: Request, kind: str) -> Collection:
    """The collection of a vertex or edge request, which the graph has to use; errorNum 1930, 1947 or 1949."""
    graph, name = _graph(request), request.params["collection"]
    known = graphs.vertex_collections(graph) if kind == "vertex" else graphs.edge_collections(graph)
    if name not in known:
        vertex = 1947 if request.deployment.version_tuple < (3, 12, 0) else 1949
        raise ArangoError(vertex if kind == "vertex" else 1930)
    return request.database.collection(name)


def _write(request: Request, kind: str, operation: Operation) -> Response:
    collection = _member(request, kind)
    may_write(request, collection)
    transaction, own = transaction_of(request, single=True)
    outcome = operation(Writer(transaction, collection, request.server, write_options(request)))
    if own:
        transaction.commit()
    status = 201 if request.flag("waitForSync") else 202
    values: dict[str, Any] = {}
    if request.method == "DELETE":
        values["removed"] = True
    else:
        values[kind] = {"_id": f"{collection.name}/{outcome.key}", "_key": outcome.key}
        if outcome.old is not None:
            values[kind]["_oldRev"] = outcome.old[0]
        values[kind]["_rev"] = outcome.revision
    if request.flag("returnOld") and outcome.old is not None:
        values["old"] = json.loads(outcome.old[1])
    if request.flag("returnNew") and outcome.new is not None:
        values["new"] = json.loads(outcome.new[1])
    headers = {} if request.method == "DELETE" else {"etag": outcome.revision}
    if request.method == "DELETE" and request.deployment.version_tuple < (3, 12, 0):
        status = 200 if request.flag("waitForSync") else 202
    return result(status, headers, **values)


def _take_revision(request: Request) -> None:
    """Graphs take the parameter `rev` for the header `If-Match`."""
    if "rev" in request.query:
        request.headers.setdefault("if-match", request.query["rev"])


def _body(request: Request) -> Element:
    text, value = parse(request.body)
    if not isinstance(value, dict):
        raise ArangoError(1227)
    return Element(text, value)


def _check_ends(request: Request, element: Element, *, both: bool) -> None:
    """Ends of an edge have to be vertices of its graph; errorNum 1233, 1947, 1906 and 1202.

    A change that does not name both is not checked.
    """
    graph, name = _graph(request), request.params["collection"]
    entry = next((known for known in graph["edgeDefinitions"] if known["collection"] == name), None)
    ends = {field: element.value.get(field) for field in ("_from", "_to")}
    if not both and not all(isinstance(end, str) for end in ends.values()):
        return
    if not all(isinstance(end, str) and "/" in end for end in ends.values()):
        raise ArangoError(1233)
    for field, end in ends.items():
        collection = str(end).partition("/")[0]
        if collection not in graphs.vertex_collections(graph):
            raise ArangoError(1947, f"referenced {field} collection '{collection}' is not part of the graph")
        if entry is not None and collection not in entry[field[1:]]:
            raise ArangoError(1906, f"invalid edge between {field}", status=400)
    if any(_missing(request, str(end)) for end in ends.values()):
        raise ArangoError(1202)


def _missing(request: Request, identifier: str) -> bool:
    name, _, key = identifier.partition("/")
    collection = request.database.collections.get(name)
    return collection is None or all(shard.leader.get(key) is None for shard in collection.shards_for_key(key))


@route("POST", "/_api/gharial/{graph}/vertex/{collection}")
def insert_vertex(request: Request) -> Response:
    """Insert a vertex."""
    return _write(request, "vertex", lambda writer: writer.insert(_body(request)))


@route("POST", "/_api/gharial/{graph}/edge/{collection}")
def insert_edge(request: Request) -> Response:
    """Insert an edge between existing vertices."""
    element = _body(request)
    _member(request, "edge")
    _check_ends(request, element, both=True)
    return _write(request, "edge", lambda writer: writer.insert(element))


def _change(request: Request, kind: str) -> Response:
    _take_revision(request)
    element, key = guarded_element(request), request.params["key"]
    if kind == "edge":
        _check_ends(request, element, both=request.method == "PUT")
    if request.method == "PUT":
        return _write(request, kind, lambda writer: writer.replace(key, element))
    return _write(request, kind, lambda writer: writer.update(key, element))


@route("PUT|PATCH", "/_api/gharial/{graph}/vertex/{collection}/{key}")
def change_vertex(request: Request) -> Response:
    """Replace or update a vertex."""
    return _change(request, "vertex")


@route("PUT|PATCH", "/_api/gharial/{graph}/edge/{collection}/{key}")
def change_edge(request: Request) -> Response:
    """Replace or update an edge."""
    return _change(request, "edge")


@route("DELETE", "/_api/gharial/{graph}/edge/{collection}/{key}")
def remove_edge(request: Request) -> Response:
    """Remove an edge."""
    _take_revision(request)
    selector = guard(request, {"_key": request.params["key"]})
    return _write(request, "edge", lambda writer: writer.remove(selector))


@route("DELETE", "/_api/gharial/{graph}/vertex/{collection}/{key}")
def remove_vertex(request: Request) -> Response:
    """Remove a vertex and the edges of every graph that has its collection."""
    _take_revision(request)
    selector = guard(request, {"_key": request.params["key"]})
    answer = _write(request, "vertex", lambda writer: writer.remove(selector))
    identifier = f"{request.params['collection']}/{request.params['key']}"
    names: set[str] = set()
    for graph in graphs.graphs(request.database).values():
        if request.params["collection"] in graphs.vertex_collections(graph):
            names |= set(graphs.edge_collections(graph))
    transaction, own = transaction_of(request, single=False)
    for name in names & set(request.database.collections):
        collection = request.database.collections[name]
        writer = Writer(transaction, collection, request.server)
        for shard in collection.shards:
            for _revision, raw in list(transaction.writer(shard).versions()):
                edge = json.loads(raw)
                if identifier in (edge.get("_from"), edge.get("_to")):
                    writer.remove(edge["_key"])
    if own:
        transaction.commit()
    return answer


def _read(request: Request, kind: str) -> Response:
    collection = _member(request, kind)
    may_read(request, collection)
    _take_revision(request)
    found = read_one(request, collection)
    if isinstance(found, Response):
        return found
    return result(200, {"etag": found[0]}, **{kind: json.loads(found[1])})


@route("GET", "/_api/gharial/{graph}/vertex/{collection}/{key}")
def read_vertex(request: Request) -> Response:
    """Read a vertex."""
    return _read(request, "vertex")


@route("GET", "/_api/gharial/{graph}/edge/{collection}/{key}")
def read_edge(request: Request) -> Response:
    """Read an edge."""
    return _read(request, "edge")
