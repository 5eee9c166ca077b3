# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/edges`: the edges of a vertex."""

from __future__ import annotations

from tests.testbed.aql.context import Context
from tests.testbed.aql.values import dump
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response
from tests.testbed.rights import may_read
from tests.testbed.routing import route
from tests.testbed.storage import Transaction

_ENDS = {"in": ("_to",), "out": ("_from",), "any": ("_from", "_to")}


@route("GET", "/_api/edges/{collection}")
def edges(request: Request) -> Response:
    """Edges that begin (`out`) or end (`in`) at `vertex`, both without a direction."""
    collection = request.database.collection(request.params["collection"])
    may_read(request, collection)
    if collection.type != 3:
        raise ArangoError(1218)
    vertex, direction = request.query.get("vertex", ""), request.query.get("direction", "any")
    if not vertex or direction not in _ENDS:
        raise ArangoError(400, "invalid vertex or direction")
    context = Context(request, {}, {}, Transaction(request.database))
    found = [entry for entry in context.documents(collection) if vertex in [entry.get(end) for end in _ENDS[direction]]]
    stats = f'{{"scannedIndex":{len(found)},"filtered":0}}'
    body = f'{{"edges":{dump(found)},"error":false,"code":200,"stats":{stats}}}'
    return Response(200, body.encode())
