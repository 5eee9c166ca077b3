# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/view` (facts §3.5, recordings)."""

from __future__ import annotations

from typing import Any

from tests.testbed import views
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.rights import may_define
from tests.testbed.routing import route
from tests.testbed.views import View


def _head(view: View) -> dict[str, Any]:
    return {name: view[name] for name in ("globallyUniqueId", "id", "name", "type")}


def _find(request: Request) -> View:
    return views.find(request.database, request.params["name"])


@route("GET", "/_api/view")
def list_views(request: Request) -> Response:
    """All views, in the order of their names."""
    found = sorted(views.views(request.database).values(), key=lambda view: str(view["name"]).lower())
    return result(result=[_head(view) for view in found])


@route("POST", "/_api/view")
def create(request: Request) -> Response:
    """Create a view and answer its properties."""
    may_define(request)
    return reply(views.create(request.database, request.json_object()), 201)


@route("GET", "/_api/view/{name}")
def read(request: Request) -> Response:
    """Name, type and ids of a view."""
    return result(**_head(_find(request)))


@route("GET", "/_api/view/{name}/properties")
def properties(request: Request) -> Response:
    """Everything about a view."""
    return result(**_find(request))


@route("PUT|PATCH", "/_api/view/{name}/properties")
def change(request: Request) -> Response:
    """Replace or change the properties."""
    may_define(request)
    view = _find(request)
    views.change(request.database, view, request.json_object(), whole=request.method == "PUT")
    return reply(view)


@route("PUT", "/_api/view/{name}/rename")
def rename(request: Request) -> Response:
    """Rename; not available in clusters."""
    may_define(request)
    view = _find(request)
    if request.deployment.clustered:
        raise ArangoError(1470)
    name = request.json_object().get("name")
    if not isinstance(name, str) or not name:
        raise ArangoError(1208)
    views.rename(request.database, view, name)
    return reply(view)


@route("DELETE", "/_api/view/{name}")
def drop(request: Request) -> Response:
    """Drop a view."""
    may_define(request)
    views.drop(request.database, _find(request))
    return result(result=True)
