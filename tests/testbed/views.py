# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Views of a database: definitions only, nothing is searched (facts §3.5, recordings).

They are kept in `database.objects["views"]` by name, as `/_api/view/<name>/properties` prints them without the frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.testbed.errors import ArangoError
from tests.testbed.index_definitions import Version, consolidation
from tests.testbed.model import Database
from tests.testbed.wal_markers import VIEW_CHANGE, VIEW_CREATE, VIEW_DROP

View = dict[str, Any]
_CHANGEABLE = ("cleanupIntervalStep", "commitIntervalMsec", "consolidationIntervalMsec", "consolidationPolicy")
_LINK: View = {
    "analyzers": ["identity"],
    "fields": {},
    "includeAllFields": False,
    "storeValues": "none",
    "trackListPositions": False,
}


def views(database: Database) -> dict[str, View]:
    """The views of a database by name."""
    found: dict[str, View] = database.objects.setdefault("views", {})
    return found


def find(database: Database, name: str) -> View:
    """A view by name or id; errorNum 1203."""
    known = views(database)
    found = known.get(name) or next((view for view in known.values() if view["id"] == name), None)
    if found is None:
        raise ArangoError(1203)
    return found


def create(database: Database, body: Mapping[str, Any]) -> View:
    """Create a view from a definition; errorNum 1207, 1208, 1203 and bad parameters."""
    name, kind = body.get("name"), body.get("type")
    if not isinstance(name, str) or not name or name[0].isdecimal() or "/" in name:
        raise ArangoError(1208)
    if name in views(database) or name in database.collections:
        raise ArangoError(1207)
    identifier = database.deployment.new_id()
    guid = f"c{identifier}/"
    if not database.deployment.clustered:
        guid = f"h{int(database.deployment.data_servers[0].replication_id):X}/{identifier}"
    view: View = {"globallyUniqueId": guid, "id": identifier, "name": name, "type": kind}
    if kind == "arangosearch":
        view |= _search_defaults(body, database.deployment.version_tuple)
        view["links"] = {}
        _link(database, view, body.get("links") or {})
    elif kind == "search-alias" and database.deployment.version_tuple >= (3, 10, 0):
        view["indexes"] = []
        alias(database, view, body.get("indexes") or [])
    else:
        raise ArangoError(10, "invalid view type")
    views(database)[name] = view
    _log(database, VIEW_CREATE, view)
    return view


def _search_defaults(body: Mapping[str, Any], version: Version) -> View:
    values: View = {"cleanupIntervalStep": 2, "commitIntervalMsec": 1000, **consolidation(version)}
    if version >= (3, 12, 0):
        values["optimizeTopK"] = []
    values |= {"primarySort": [], "primarySortCompression": "lz4", "storedValues": []}
    values |= {"writebufferActive": 0, "writebufferIdle": 64, "writebufferSizeMax": 33554432}
    chosen = {name: body.get(name, default) for name, default in values.items()}
    return {name: values[name] if value is None else value for name, value in chosen.items()}


def change(database: Database, view: View, body: Mapping[str, Any], *, whole: bool) -> None:
    """Change properties; `whole` resets those that are not named."""
    if view["type"] == "search-alias":
        if whole:
            view["indexes"] = []
        alias(database, view, body.get("indexes") or [])
    else:
        defaults = _search_defaults({}, database.deployment.version_tuple)
        for name in _CHANGEABLE:
            if name in body or whole:
                view[name] = body.get(name, defaults[name])
        if whole:
            view["links"] = {}
        _link(database, view, body.get("links") or {})
    _log(database, VIEW_CHANGE, view)


def _link(database: Database, view: View, links: Mapping[str, Any]) -> None:
    for name, wish in links.items():
        if wish is None:
            view["links"].pop(name, None)
            continue
        if not isinstance(wish, dict):
            raise ArangoError(10, "a link is an object")
        database.collection(name)
        view["links"][name] = _LINK | {field: value for field, value in wish.items() if field != "id"}


def alias(database: Database, view: View, entries: Any) -> None:
    """Add (or with `operation: del` take out) inverted indexes of a search-alias view; errorNum 1203, 1212."""
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("collection"), str):
            raise ArangoError(10, "expecting objects with collection and index")
        pair = {"collection": entry["collection"], "index": entry.get("index")}
        if entry.get("operation") == "del":
            view["indexes"] = [known for known in view["indexes"] if known != pair]
            continue
        collection = database.collection(entry["collection"])
        inverted = [index for index in collection.indexes if index["type"] == "inverted"]
        if not any(pair["index"] in (index["name"], index["id"]) for index in inverted):
            raise ArangoError(
                1212, f"cannot find index '{pair['index']}' in collection '{collection.name}'", status=400
            )
        if pair not in view["indexes"]:
            view["indexes"].append(pair)


def rename(database: Database, view: View, name: str) -> None:
    """Give a view another name; errorNum 1207."""
    known = views(database)
    if name in known or name in database.collections:
        raise ArangoError(1207)
    known[name] = known.pop(view["name"])
    view["name"] = name
    _log(database, VIEW_CHANGE, view)


def drop(database: Database, view: View) -> None:
    """Drop a view."""
    del views(database)[view["name"]]
    _log(database, VIEW_DROP, view)


def forget_collection(database: Database, name: str) -> None:
    """Take the links of a dropped collection away."""
    for view in views(database).values():
        view.get("links", {}).pop(name, None)
        if "indexes" in view:
            view["indexes"] = [entry for entry in view["indexes"] if entry["collection"] != name]


def _log(database: Database, kind: int, view: View) -> None:
    """Only a single server logs views: in a cluster they are links inside shards (facts §5.5)."""
    if not database.deployment.clustered:
        server = database.deployment.data_servers[0]
        server.log.append_ddl(kind, database.name, view["globallyUniqueId"], None if kind == VIEW_DROP else view)
