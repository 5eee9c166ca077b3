# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/index` (facts §7.2, recordings)."""

from __future__ import annotations

from typing import Any

from tests.testbed import index_definitions, indexes
from tests.testbed.collection import Collection
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.rights import may_define, may_read
from tests.testbed.routing import route


def _collection(request: Request, name: str) -> Collection:
    collection = request.database.collection(name)
    may_read(request, collection)
    return collection


def shown(collection: Collection) -> list[dict[str, Any]]:
    """Every index as the list prints it, the built-in ones first."""
    found = [*index_definitions.builtin(collection.type), *indexes.visible(collection)]
    return [index_definitions.shown(index, collection.name) for index in found]


@route("GET", "/_api/index")
def list_indexes(request: Request) -> Response:
    """All indexes of a collection."""
    name = request.query.get("collection", "")
    if not name:
        raise ArangoError(400)
    found = shown(_collection(request, name))
    return result(indexes=found, identifiers={index["id"]: index for index in found})


@route("GET", "/_api/index/{collection}/{id}")
def read(request: Request) -> Response:
    """One index by id or name."""
    wanted = request.params["id"]
    for index in shown(_collection(request, request.params["collection"])):
        if wanted in (index["id"].rpartition("/")[2], index["name"]):
            if index["type"] == "primary" and request.deployment.version_tuple < (3, 11, 0):
                del index["selectivityEstimate"]
            return reply({**index, "code": 200, "error": False})
    raise ArangoError(1212)


@route("POST", "/_api/index")
async def create(request: Request) -> Response:
    """Create an index; 200 when the same one exists."""
    collection = _collection(request, request.query.get("collection", ""))
    may_define(request)
    definition, new = await indexes.create(collection, request.json_object())
    status = 201 if new else 200
    values = {**index_definitions.shown(definition, collection.name), "isNewlyCreated": new}
    return reply({**dict(sorted(values.items())), "code": status, "error": False}, status)


@route("DELETE", "/_api/index/{collection}")
def drop_nothing(_request: Request) -> Response:
    """An index is named by its collection and its id."""
    raise ArangoError(400, "expecting DELETE /<collection-identifier>/<index-identifier>")


@route("DELETE", "/_api/index/{collection}/{id}")
def drop(request: Request) -> Response:
    """Drop an index."""
    collection = _collection(request, request.params["collection"])
    may_define(request)
    found = indexes.drop(collection, request.params["id"])
    return reply({"id": f"{collection.name}/{found['id']}", "error": False, "code": 200})
