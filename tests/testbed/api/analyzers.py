# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/analyzer`: documents of `_analyzers`, and the built-in ones (facts §3.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.testbed.documents import WriteOptions, Writer
from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply, result
from tests.testbed.model import Database
from tests.testbed.rawjson import Element
from tests.testbed.rights import may_define
from tests.testbed.routing import route
from tests.testbed.storage import Transaction

_LANGUAGES = ("de", "en", "es", "fi", "fr", "it", "nl", "no", "pt", "ru", "sv", "zh")
_TEXT_FEATURES = ["frequency", "position", "norm"]
_TYPES = [
    "identity",
    "delimiter",
    "multi_delimiter",
    "stem",
    "norm",
    "ngram",
    "text",
    "collation",
    "aql",
    "pipeline",
    "stopwords",
    "segmentation",
    "minhash",
    "wildcard",
    "geojson",
    "geo_s2",
    "geopoint",
    "classification",
    "nearest_neighbors",
]


def _builtin() -> list[dict[str, Any]]:
    found = [{"name": "identity", "type": "identity", "properties": {}, "features": ["frequency", "norm"]}]
    for language in _LANGUAGES:
        properties = {"locale": language, "case": "lower", "stopwords": [], "accent": False}
        properties["stemming"] = language != "zh"
        name = f"text_{language}"
        found.append({"name": name, "type": "text", "properties": properties, "features": _TEXT_FEATURES})
    return found


BUILTIN = {entry["name"]: entry for entry in _builtin()}


def stored(database: Database) -> dict[str, dict[str, Any]]:
    """Definitions of a database by their name without its prefix, read from `_analyzers`."""
    found = {}
    for _revision, raw in database.collection("_analyzers").shards[0].leader.snapshot():
        document = json.loads(raw)
        definition = {name: document.get(name) for name in ("type", "properties", "features")}
        found[document["name"]] = {"name": f"{database.name}::{document['name']}", **definition}
    return found


def _find(request: Request, name: str) -> dict[str, Any]:
    """A definition by name; `db::name` names another database, `::name` is `_system`; errorNum 1202."""
    database = request.database
    prefix, colons, rest = name.partition("::")
    if colons:
        database, name = request.deployment.database(prefix or "_system"), rest
    if name in BUILTIN and not colons:
        return BUILTIN[name]
    found = stored(database).get(name) or (stored(request.deployment.database("_system")).get(name))
    if found is None or (colons and not found["name"].startswith(f"{database.name}::")):
        raise ArangoError(1202, f"analyzer not found: {name}")
    return found


@route("GET", "/_api/analyzer")
def list_analyzers(request: Request) -> Response:
    """Built-in ones, those of the database, and those of `_system`."""
    found = {**BUILTIN}
    for database in (request.database, request.deployment.database("_system")):
        found |= {entry["name"]: entry for entry in stored(database).values()}
    return result(result=list(found.values()))


@route("GET", "/_api/analyzer/{name}")
def read(request: Request) -> Response:
    """One analyzer."""
    found = _find(request, request.params["name"])
    order = ("features", "properties", "type", "name")
    return result(**{name: found[name] for name in order})


@route("POST", "/_api/analyzer")
def create(request: Request) -> Response:
    """Create an analyzer; 200 when the same one exists, errorNum 10 when another one has the name."""
    may_define(request)
    body = request.json_object()
    name, kind = body.get("name"), body.get("type")
    if not isinstance(name, str) or kind not in _TYPES:
        raise ArangoError(10, "invalid analyzer definition")
    name = name.rpartition("::")[2]
    if not name or not name[0].isalpha() or name in BUILTIN:
        raise ArangoError(10, f"invalid characters in analyzer name '{name}'")
    definition = {"type": kind, "properties": body.get("properties") or {}, "features": body.get("features") or []}
    shown = {"name": f"{request.database_name}::{name}", **definition}
    known = stored(request.database).get(name)
    if known is not None:
        if known != shown:
            raise ArangoError(10, f"name collision detected while registering an analyzer, name '{name}'")
        return reply(shown, 200)
    _write(request, {"_key": name, "name": name, **definition, "revision": 1})
    return reply(shown, 201)


def _write(request: Request, document: dict[str, Any]) -> None:
    transaction = Transaction(request.database, single=True)
    collection = request.database.collection("_analyzers")
    Writer(transaction, collection, request.server, WriteOptions(overwrite="replace")).insert(Element.of(document))
    transaction.commit()


@route("DELETE", "/_api/analyzer/{name}")
def drop(request: Request) -> Response:
    """Drop an analyzer; one that a view uses only with `force`."""
    may_define(request)
    name = request.params["name"].rpartition("::")[2]
    known = stored(request.database).get(name)
    if known is None:
        raise ArangoError(1202, f"analyzer not found: {name}")
    if not request.flag("force") and _in_use(request.database, name):
        raise ArangoError(1207, f"analyzer in-use while removing arangosearch analyzer '{known['name']}'", status=409)
    collection = request.database.collection("_analyzers")
    transaction = Transaction(request.database, single=True)
    writer = Writer(transaction, collection, request.server)
    for _revision, raw in collection.shards[0].leader.snapshot():
        document = json.loads(raw)
        if document["name"] == name:
            writer.remove(document["_key"])
    transaction.commit()
    return result(name=known["name"])


def _in_use(database: Database, name: str) -> bool:
    users = [*database.objects.get("views", {}).values()]
    users += [index for collection in database.collections.values() for index in collection.indexes]
    return not {name, f"{database.name}::{name}"}.isdisjoint(_named(users))


def _named(value: Any) -> Iterator[str]:
    """Analyzers that a definition names, at any depth."""
    if isinstance(value, list):
        for entry in value:
            yield from _named(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key in ("analyzer", "analyzers"):
                names = entry if isinstance(entry, list) else [entry]
                yield from (found for found in names if isinstance(found, str))
            yield from _named(entry)
