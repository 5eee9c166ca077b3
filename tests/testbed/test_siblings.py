# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests beside the recorded ones: other options and errors of the same endpoints, by sources and documentation.

Each goes through the replay of recordings, so that the state which a script finds is derived for them, too.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.testbed.recorded import Exchange, Script
from tests.testbed.recorded_state import prepare
from tests.testbed.recorded_target import Emulated

VERSIONS = ("3.10.14", "3.12.10", "4.0")
OLD, NEW = "_l6zhVEC---", "_l6zhVZZ---"
PRODUCT = {"_id": "products/70750", "_key": "70750", "_rev": OLD}
CHANGED = {**PRODUCT, "_rev": NEW, "_oldRev": OLD}
CONFLICT = {"code": 412, "error": True, "errorNum": 1200, "errorMessage": "conflict, _rev values do not match"}
ALICE = {"_id": "female/alice", "_key": "alice", "_rev": OLD}
GRAPH = {
    "_key": "myGraph",
    "edgeDefinitions": [{"collection": "edges", "from": ["startNodes"], "to": ["endNodes"]}],
    "orphanCollections": [],
    "_rev": OLD,
    "_id": "_graphs/myGraph",
    "name": "myGraph",
}


def exchange(method: str, path: str, status: int, answer: Any, sent: Any = None, **headers: str) -> Exchange:
    """An exchange as recordings have them."""
    request = {"method": method, "path": path, "body": sent, "headers": headers}
    return {"request": request, "response": {"status": status, "headers": {}, "body": answer}}


def error(status: int, number: int, message: str) -> dict[str, Any]:
    return {"code": status, "error": True, "errorNum": number, "errorMessage": message}


def ok(status: int = 200, **fields: Any) -> dict[str, Any]:
    return {"error": False, "code": status, **fields}


P, G = "/_api/document/products", "/_api/gharial"
WRONG = {"if-match": '"_l6zhVLO--_"'}
DOCUMENTS = [
    [exchange("DELETE", f"{P}/70750", 200, PRODUCT)],
    [exchange("DELETE", f"{P}/70750", 202, PRODUCT)],
    [exchange("DELETE", f"{P}/70750?returnOld=true", 200, {**PRODUCT, "old": {**PRODUCT, "hello": "world"}})],
    [exchange("DELETE", f"{P}/70750", 412, {**CONFLICT, **PRODUCT}, **WRONG)],
    [exchange("GET", f"{P}/70750", 412, {**CONFLICT, **PRODUCT}, **WRONG)],
    [exchange("GET", f"{P}/70750?rev=_l6zhVLO--_", 200, PRODUCT)],
    [exchange("GET", f"{P}/70750", 200, {**PRODUCT, "a": 1}, **{"if-none-match": '"_l6zhVLO--_"'})],
    [exchange("HEAD", f"{P}/70750", 404, None)],
    [exchange("PUT", f"{P}/70750", 202, CHANGED, {"a": 1}, **{"if-match": f'"{OLD}"'})],
    [exchange("PATCH", f"{P}/70750", 404, error(404, 1202, "document not found"), {})],
    [
        exchange(
            "PUT",
            f"{P}/70750?returnOld=true&returnNew=true",
            202,
            {**CHANGED, "new": {**PRODUCT, "_rev": NEW, "a": 1}, "old": {**PRODUCT, "b": 2}},
            {"a": 1},
        )
    ],
    [
        exchange(
            "PATCH",
            f"{P}/70750?returnNew=true",
            202,
            {**CHANGED, "new": {**PRODUCT, "_rev": NEW, "b": 2, "a": 1}},
            {"a": 1},
        )
    ],
    [exchange("POST", P, 201, PRODUCT, {"Hello": "World"})],
    [exchange("POST", P, 404, error(404, 1203, "collection or view not found: products"), {"Hello": "World"})],
    [exchange("POST", f"{P}?overwriteMode=replace", 202, CHANGED, {"_key": "70750"})],
    [exchange("POST", f"{P}?overwriteMode=update&returnOld=true", 202, {**CHANGED, "old": PRODUCT}, {"_key": "70750"})],
    [
        exchange("POST", P, 201, PRODUCT, {"_key": "70750"}),
        exchange("POST", f"{P}?overwriteMode=replace", 201, CHANGED, {"_key": "70750"}),
        exchange("GET", f"{P}/70750", 200, {**PRODUCT, "_rev": NEW}),
    ],
    [exchange("PUT", P, 202, [CHANGED], [{"_key": "70750", "a": 1}])],
    [exchange("PUT", P, 400, error(400, 1227, "invalid document type"), {"a": 1})],
    [exchange("POST", P, 400, error(400, 1227, "invalid document type"), '"text"')],
    [exchange("GET", P, 404, error(404, 1202, "expecting GET /_api/document/<collection>/<key>"))],
    [
        exchange(
            "PATCH",
            f"{P}?returnOld=true",
            202,
            [
                {**CHANGED, "old": {**PRODUCT, "b": 2}},
                {"error": True, "errorNum": 1202, "errorMessage": "document not found"},
            ],
            [{"_key": "70750", "a": 1}, {"_key": "none"}],
        )
    ],
    [exchange("POST", P, 201, [PRODUCT, {"_id": "products/9", "_key": "9", "_rev": NEW}], [{"a": 1}, {"a": 2}])],
]
GRAPHS = [
    [exchange("GET", G, 200, ok(graphs=[GRAPH]))],
    [exchange("GET", f"{G}/myGraph", 200, ok(graph=GRAPH))],
    [exchange("GET", f"{G}/myGraph", 404, error(404, 1924, "graph 'myGraph' not found"))],
    [exchange("DELETE", f"{G}/social?dropCollections=true", 202, ok(202, removed=True))],
    [exchange("PUT", f"{G}/s/vertex/female/alice", 202, ok(202, vertex={**ALICE, "_rev": NEW, "_oldRev": OLD}), {})],
    [exchange("DELETE", f"{G}/s/vertex/female/alice", 202, ok(202, removed=True))],
    [
        exchange(
            "DELETE", f"{G}/s/vertex/female/alice?returnOld=true", 202, ok(202, removed=True, old={**ALICE, "a": "b"})
        )
    ],
    [exchange("GET", f"{G}/s/vertex/female/alice", 404, error(404, 1202, "document not found"))],
    [exchange("GET", f"{G}/s/vertex/female/alice?rev=_l6zhVLO--_", 412, {**CONFLICT, **ALICE})],
    [exchange("PATCH", f"{G}/s/vertex/female/alice", 412, {**CONFLICT, **ALICE}, {"a": 1}, **WRONG)],
    [exchange("DELETE", f"{G}/s/vertex/female/alice", 412, {**CONFLICT, **ALICE}, **WRONG)],
    [
        exchange(
            "POST",
            f"{G}/s/edge/relation",
            400,
            error(400, 1233, "edge attribute missing or invalid"),
            {"_from": "female/alice"},
        )
    ],
    [
        exchange(
            "POST", f"{G}/s/vertex", 400, error(400, 1938, "collection already used as orphan"), {"collection": "o"}
        )
    ],
    [
        exchange(
            "POST", f"{G}/s/vertex", 400, error(400, 1929, "collection already used in edge def"), {"collection": "u"}
        )
    ],
    [exchange("DELETE", f"{G}/s/edge/relation/1", 404, error(404, 1202, "document not found"))],
]
TABLE = '[ "_key", "a" ]\n[ "x", 1 ]\n[ "y" ]\n{}\n[ "z", 1'
DETAILS = [
    "at position 2: wrong number of JSON values (got 1, expected 2)",
    "at position 3: no valid JSON array data",
    'at position 4: invalid JSON type (expecting object, probably parse error), offending context: [ "z", 1',
]
COUNTS = {"error": False, "created": 1, "errors": 3, "empty": 0, "updated": 0, "ignored": 0}
NO_NAMES = error(400, 400, "no JSON string array found in first line")
INDEX_WANTED = "expecting DELETE /<collection-identifier>/<index-identifier>"
UNIQUE = (
    "AQL: unique constraint violated - in index primary of type primary over '_key'; conflicting key: test"
    " (while executing)"
)
ASSIGNED = "AQL: syntax error, unexpected assignment near '= 1 RETURN i' at position 1:30 (while parsing)"
OTHERS = [
    [exchange("POST", "/_api/cursor", 409, error(409, 1210, UNIQUE), {"query": "INSERT { _key: 'test' } INTO p"})],
    [
        exchange(
            "POST",
            "/_api/cursor",
            400,
            error(400, 1501, ASSIGNED),
            {"query": "FOR i IN 1..10 FILTER i._key = 1 RETURN i"},
        )
    ],
    [exchange("GET", "/_api/user/admin@app/config", 200, ok(result={"view": {"a": 1}}))],
    [exchange("PUT", "/_api/user/admin@app/config/view", 200, ok(), {"value": {"a": 1}})],
    [exchange("DELETE", "/_api/index/products", 400, error(400, 400, INDEX_WANTED))],
    [exchange("POST", "/_api/import?collection=c&details=true", 201, {**COUNTS, "details": DETAILS}, TABLE)],
    [exchange("POST", "/_api/import?collection=c", 400, NO_NAMES, "[1]\n[2]")],
    [exchange("GET", "/_api/user/admin@app", 200, ok(user="admin@app", active=True, extra={}))],
    [exchange("PATCH", "/_api/user/admin@app", 200, ok(user="admin@app", active=True, extra={}), {"passwd": "x"})],
    [
        exchange(
            "PUT",
            "/_api/user/admin@app",
            200,
            ok(user="admin@app", active=False, extra={"a": 1}),
            {"passwd": "x", "active": False, "extra": {"a": 1}},
        )
    ],
    [exchange("GET", "/_api/user/nobody", 404, error(404, 1703, "user not found"))],
    [exchange("GET", "/_db/_system/_api/database", 200, ok(result=["_system", "example"]))],
    [exchange("DELETE", "/_db/_system/_api/database/none", 404, error(404, 1228, "database not found"))],
    [exchange("PUT", "/_api/transaction/74768", 200, ok(result={"id": "74768", "status": "committed"}))],
    [exchange("GET", "/_api/transaction/74768", 404, error(404, 1655, "transaction not found"))],
    [exchange("PUT", "/_api/transaction/74768", 404, error(404, 1655, "transaction '74768' not found"))],
    [exchange("GET", "/_api/transaction/none", 400, error(400, 10, "Illegal transaction ID"))],
    [exchange("GET", "/_api/collection/none", 404, error(404, 1203, "collection or view not found"))],
    [exchange("GET", "/_api/view/none", 404, error(404, 1203, "collection or view not found"))],
    [exchange("POST", "/_api/collection", 409, error(409, 1207, "duplicate name"), {"name": "products"})],
    [exchange("GET", "/_api/index/products/99", 404, error(404, 1212, "index not found"))],
    [exchange("DELETE", "/_api/cursor/123123", 404, error(404, 1600, "cursor not found"))],
    [exchange("POST", "/_api/cursor", 400, error(400, 1502, "query is empty"))],
    [exchange("PUT", "/_api/job/none/cancel", 404, error(404, 404, "not found"))],
]


def differences(version: str, script: list[Exchange]) -> list[str]:
    """What is unequal in a script on a single server."""
    target = Emulated(version, "single")
    try:
        running = Script(script, target)
        prepare(running)
        found = [line for lines in running.replay() for line in lines]
    finally:
        target.close()
    return [line for line in found if not line.startswith("header ")]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scripts", [DOCUMENTS, GRAPHS, OTHERS], ids=["documents", "graphs", "others"])
def test_siblings_of_recorded_exchanges(version: str, scripts: list[list[Exchange]]) -> None:
    for script in scripts:
        first = script[0]["request"]
        assert not differences(version, script), f"{first['method']} {first['path']}"
